/* SPDX-License-Identifier: Apache-2.0 */
#include "db/renew.h"
#include "peer/internal.h"

enum lia_job_kind lia_job_kind(const struct lia_job *job)
{
    return job->is_upkeep || (job->request && lia_request_is_write(job->request))
               ? LIA_JOB_WRITE
               : LIA_JOB_READ;
}

struct lia_job **lia_job_next(struct lia_job *job)
{
    return &job->next;
}

void lia_job_free(struct lia_job *job)
{
    if (job) {
        lia_request_free(job->request);
        lia_recent_chunk_free(job->chunk);
        lia_mem_free(job->alloc, job, sizeof(*job));
    }
}

struct lia_name lia_topic_name(struct lia_topic topic)
{
    return lia_name_of(topic.collection, topic.query);
}

uint64_t lia_peer_origin(const uint8_t id[LIA_PEER_ID_BYTES])
{
    uint64_t origin = lia_hash64(lia_slice(id, LIA_PEER_ID_BYTES));

    return origin ? origin : 1;
}

/* ---- taking commits ---- */

#define TAKE_BYTES ((size_t)1024 * 1024)
#define MEND_BYTES ((size_t)1024 * 1024)

/* What a chunk costs beside its commits. */
#define CHUNK_BYTES (sizeof(struct lia_recent_chunk) + LIA_ARENA_CHUNK_MIN)

struct taking {
    struct lia_db *db;
    const struct lia_collection *seen; /* the collection looked at last... */
    bool is_whole;                     /* ...is held whole */
    struct lia_recent_chunk *chunk;
    struct lia_arena taken;   /* whole documents: not kept */
    struct lia_arena scratch; /* of one document */
};

static liana_status see_whole(struct taking *t, const struct lia_collection *collection)
{
    liana_status status = LIANA_OK;

    if (t->seen != collection) {
        status = lia_db_is_whole(t->db, collection->name, &t->is_whole, NULL);
        t->seen = status ? NULL : collection;
    }
    return status;
}

/* A segment is made once, here, for all sessions. */
static liana_status take_change(struct taking *t,
                                const struct lia_commit_change *from,
                                struct lia_recent_change *out)
{
    struct lia_arena *arena = &t->chunk->arena;
    struct liana_slice segment;
    struct lia_doc_info info;
    liana_status status;

    lia_arena_reset(&t->scratch);
    status = lia_doc_segment(&t->scratch, from->after, from->before, &segment);
    if (!status) {
        status = lia_doc_info(&t->scratch, from->after.clock, &info);
    }
    if (!status) {
        status = lia_vector_copy(arena, info.vector, &out->vector);
    }
    if (!status && (!lia_arena_copy(arena, segment, &out->segment) ||
                    !lia_arena_copy(arena, from->key, &out->key))) {
        status = LIANA_ENOMEM;
    }
    if (!status) {
        status = see_whole(t, from->collection);
        out->is_shown = !t->is_whole || lia_keep_has_remains(&info);
    }
    if (!status) {
        out->collection = from->collection->name;
        t->chunk->bytes += sizeof(*out) + segment.len + from->key.len +
                           info.vector.count * sizeof(info.vector.entries[0]);
    }
    return status;
}

static liana_status take_marks(struct taking *t,
                               const struct lia_commit_event *from,
                               struct lia_recent_commit *out)
{
    struct lia_arena *arena = &t->chunk->arena;
    struct lia_batch_marks *marks =
        lia_arena_array(arena, from->marks_count, sizeof(*marks));
    liana_status status = marks ? LIANA_OK : LIANA_ENOMEM;

    for (size_t i = 0; i < from->marks_count && !status; i++) {
        status = lia_vector_copy(arena, from->marks[i].marks, &marks[i].marks);
        if (!lia_arena_copy(arena, from->marks[i].subscription,
                            &marks[i].subscription)) {
            status = LIANA_ENOMEM;
        }
        t->chunk->bytes += sizeof(*marks) + from->marks[i].subscription.len +
                           from->marks[i].marks.count * sizeof(struct lia_vector_entry);
    }
    out->marks = marks;
    out->marks_count = from->marks_count;
    return status;
}

static liana_status take_commit(struct taking *t,
                                const struct lia_commit_event *from,
                                struct lia_recent_commit *out)
{
    liana_status status = take_marks(t, from, out);

    out->seq = from->seq;
    out->stamp = from->stamp;
    out->origin = from->origin;
    out->changes =
        lia_arena_array(&t->chunk->arena, from->change_count, sizeof(*out->changes));
    if (!out->changes) {
        return LIANA_ENOMEM;
    }
    for (size_t i = 0; i < from->change_count && !status; i++) {
        if (from->changes[i].after.clock.len == 0) {
            continue; /* evicted: nobody else's business */
        }
        status = take_change(t, &from->changes[i], &out->changes[out->change_count]);
        out->change_count += !status;
    }
    t->chunk->bytes += sizeof(*out);
    return status;
}

static bool has_evictions(const struct lia_commit_event *event)
{
    for (size_t i = 0; i < event->change_count; i++) {
        if (event->changes[i].after.clock.len == 0) {
            return true;
        }
    }
    return false;
}

/* Commits whose segments nobody waits for, or that cannot be had, are lost for the
 * fan-out: sessions walk the feed over them. */
static void take_events(struct lia_job *job,
                        struct taking *t,
                        const struct lia_taken *taken)
{
    struct lia_recent_chunk *chunk = t->chunk;
    liana_status status = LIANA_OK;

    chunk->missed_upto = taken->missed_upto;
    /* Nobody can say of what was missed; a look in vain costs little. */
    if (taken->missed_upto &&
        lia_db_has_evicted(job->db, &chunk->has_evictions, NULL)) {
        chunk->has_evictions = true;
    }
    for (size_t i = 0; i < taken->event_count; i++) {
        chunk->has_evictions = chunk->has_evictions || has_evictions(&taken->events[i]);
    }
    if (taken->event_count == 0) {
        return;
    }
    chunk->commits =
        lia_arena_array(&chunk->arena, taken->event_count, sizeof(*chunk->commits));
    status = chunk->commits && job->wants_segments ? LIANA_OK : LIANA_ENOMEM;
    for (size_t i = 0; i < taken->event_count && !status; i++) {
        status = take_commit(t, &taken->events[i], &chunk->commits[i]);
        chunk->commit_count += !status;
    }
    if (status) {
        chunk->commit_count = 0;
        chunk->missed_upto = taken->events[taken->event_count - 1].seq;
    }
}

static void take(struct lia_job *job)
{
    struct lia_store *store = lia_db_store(job->db);
    struct taking t = {.db = job->db,
                       .chunk = lia_mem_zalloc(job->alloc, sizeof(*t.chunk))};
    struct lia_taken taken = {0};

    if (job->wants_sync) {
        LIA_IGNORE(lia_store_sync(store, &job->sync_error)); /* fills it */
    }
    if (!t.chunk) {
        return;
    }
    lia_arena_init(&t.chunk->arena, job->alloc);
    lia_arena_init(&t.taken, job->alloc);
    lia_arena_init(&t.scratch, job->alloc);
    t.chunk->bytes = CHUNK_BYTES;
    job->chunk = t.chunk;
    if (lia_db_take(job->listener, &t.taken, TAKE_BYTES, &taken) == LIANA_OK) {
        job->has_more = taken.has_more;
        take_events(job, &t, &taken);
    }
    lia_arena_deinit(&t.taken);
    lia_arena_deinit(&t.scratch);
}

/* ---- running ---- */

static const struct {
    enum lia_request_kind kind;
    liana_status (*run)(struct lia_job *job, struct liana_error *err);
} runners[] = {
    {LIA_REQUEST_GREET, lia_job_greet},
    {LIA_REQUEST_MEET, lia_job_meet},
    {LIA_REQUEST_TOKENS, lia_job_tokens},
    {LIA_REQUEST_REGISTER, lia_job_register},
    {LIA_REQUEST_ACKED, lia_job_acked},
    {LIA_REQUEST_UNREGISTER, lia_job_unregister},
    {LIA_REQUEST_FEED, lia_job_feed},
    {LIA_REQUEST_DOCS, lia_job_docs},
    {LIA_REQUEST_COMPARE, lia_job_compare},
    {LIA_REQUEST_STAGE, lia_job_stage},
    {LIA_REQUEST_APPLY, lia_job_apply},
    {LIA_REQUEST_OWED, lia_job_owed},
    {LIA_REQUEST_LOST, lia_job_lost},
};

static void run_request(struct lia_job *job)
{
    struct lia_request *request = job->request;

    for (size_t i = 0; i < sizeof(runners) / sizeof(runners[0]); i++) {
        if (runners[i].kind == request->kind) {
            request->error = (struct liana_error)LIANA_ERROR_INIT;
            request->status = runners[i].run(job, &request->error);
            LIA_IGNORE(lia_err_plain(&request->error, request->status)); /* made only */
        }
    }
}

/* What fails is tried again; a store that is broken says so to whoever uses it. */
#define UPKEEP_RETRY_MS ((uint64_t)60 * 1000)

#define MEND_BYTES ((size_t)1024 * 1024)

static void upkeep(struct lia_job *job)
{
    struct lia_upkeep done = {.next_ms = UPKEEP_RETRY_MS};
    bool must_mend = false;

    job->next_ms = UPKEEP_RETRY_MS;
    if (job->disowned && lia_db_disown(job->db, job->disowned, NULL)) {
        return;
    }
    if (lia_db_mend(job->db, MEND_BYTES, &must_mend, NULL)) {
        return;
    }
    if (must_mend) { /* other jobs that write come first */
        job->next_ms = 0;
        return;
    }
    LIA_IGNORE(lia_db_upkeep(job->db, &done, NULL)); /* as above */
    job->next_ms = done.next_ms;
}

void lia_job_run(struct lia_job *job)
{
    struct lia_store_head head;

    if (job->request) {
        run_request(job);
    } else if (job->is_upkeep) {
        upkeep(job);
    } else {
        take(job);
    }
    head = lia_store_head(lia_db_store(job->db));
    job->durable = head.durable.seq;
    job->is_waiting = head.durable.seq < head.committed.seq;
}
