/* SPDX-License-Identifier: Apache-2.0 */
#include "peer/internal.h"

void lia_recent_chunk_free(struct lia_recent_chunk *chunk)
{
    if (chunk) {
        const struct liana_allocator *a = chunk->arena.alloc;

        lia_arena_deinit(&chunk->arena);
        lia_mem_free(a, chunk, sizeof(*chunk));
    }
}

static void drop_first(struct lia_recent *recent)
{
    struct lia_recent_chunk *chunk = recent->first;

    recent->base = chunk->commits[chunk->commit_count - 1].seq;
    recent->bytes -= chunk->bytes;
    recent->first = chunk->next;
    if (!recent->first) {
        recent->last = NULL;
    }
    lia_recent_chunk_free(chunk);
}

void lia_recent_deinit(struct lia_recent *recent)
{
    while (recent->first) {
        drop_first(recent);
    }
}

void lia_recent_add(struct lia_recent *recent, struct lia_recent_chunk *chunk)
{
    if (chunk->missed_upto > recent->head) {
        lia_recent_deinit(recent);
        recent->base = chunk->missed_upto;
        recent->head = chunk->missed_upto;
    }
    if (chunk->commit_count == 0) {
        lia_recent_chunk_free(chunk);
        return;
    }
    recent->head = chunk->commits[chunk->commit_count - 1].seq;
    chunk->next = NULL;
    if (recent->last) {
        recent->last->next = chunk;
    } else {
        recent->first = chunk;
    }
    recent->last = chunk;
    recent->bytes += chunk->bytes;
    while (recent->first && recent->bytes > recent->bytes_max) {
        drop_first(recent);
    }
}

/* ---- answering a FEED ---- */

struct exact {
    struct lia_request *request;
    struct lia_feed_request *f;
    struct lia_name *hashes; /* of the interests */
    size_t room;             /* in f->found */
    size_t bytes;
    /* Of the interests, entries that moved: */
    struct lia_vector *marks;
    struct lia_vector *kept;
    struct lia_name *kept_names;
    bool is_keeper;
};

/* The interest that a change belongs to and that has not got it yet. */
static bool find_interest(const struct exact *x,
                          const struct lia_recent_change *change,
                          uint32_t *out)
{
    for (uint32_t i = 0; i < x->f->interest_count; i++) {
        const struct lia_feed_interest *interest = &x->f->interests[i];

        if (lia_slice_cmp(lia_str_slice(interest->topic.collection),
                          lia_str_slice(change->collection)) == 0) {
            *out = i;
            return change->is_shown || !lia_vector_geq(interest->marks, change->vector);
        }
    }
    return false;
}

static liana_status add_change(struct exact *x, const struct lia_recent_change *change)
{
    struct lia_found *found = &x->f->found[x->f->found_count];
    uint32_t interest;

    if (!find_interest(x, change, &interest)) {
        return LIANA_OK;
    }
    LIA_ASSERT(x->f->found_count < x->room);
    found->kind = LIA_FOUND_SEGMENT;
    found->interest = interest;
    if (!lia_arena_copy(&x->request->arena, change->key, &found->key) ||
        !lia_arena_copy(&x->request->arena, change->segment, &found->data)) {
        return LIANA_ENOMEM;
    }
    x->bytes += found->data.len;
    x->f->found_count++;
    return LIANA_OK;
}

/* What moved of `name` joins `v`. */
static liana_status add_moved(struct exact *x,
                              const struct lia_recent_commit *commit,
                              const struct lia_name *name,
                              struct lia_vector *v)
{
    liana_status status = LIANA_OK;

    for (size_t m = 0; m < commit->marks_count && !status; m++) {
        if (lia_slice_cmp(commit->marks[m].subscription, lia_name_slice(name)) == 0) {
            status = lia_vector_join(&x->request->arena, *v, commit->marks[m].marks, v);
        }
    }
    return status;
}

/* What a keeper reflects of the whole collection is kept; interests here have no query. */
static liana_status add_kept(struct exact *x,
                             const struct lia_recent_commit *commit,
                             size_t interest)
{
    struct lia_vector *kept = &x->kept[interest];
    liana_status status = add_moved(x, commit, &x->kept_names[interest], kept);

    if (!status && x->is_keeper) {
        status = add_moved(x, commit, &x->hashes[interest], kept);
    }
    if (!status && x->is_keeper && commit->stamp.hlc) {
        status = lia_vector_with(&x->request->arena, *kept, commit->stamp, kept);
    }
    return status;
}

static liana_status add_marks(struct exact *x, const struct lia_recent_commit *commit)
{
    liana_status status = LIANA_OK;

    for (size_t i = 0; i < x->f->interest_count && !status; i++) {
        if (commit->stamp.hlc) {
            status = lia_vector_with(&x->request->arena, x->marks[i], commit->stamp,
                                     &x->marks[i]);
        }
        if (!status) {
            status = add_moved(x, commit, &x->hashes[i], &x->marks[i]);
        }
        if (!status) {
            status = add_kept(x, commit, i);
        }
    }
    return status;
}

static liana_status give_marks(struct exact *x)
{
    struct lia_feed_marks_out *marks =
        lia_arena_array(&x->request->arena, x->f->interest_count, sizeof(*marks));
    liana_status status = marks ? LIANA_OK : LIANA_ENOMEM;

    for (uint32_t i = 0; i < x->f->interest_count && !status; i++) {
        marks[i].interest = i;
        /* A join may be one of its inputs, which live in a chunk. */
        status = lia_vector_copy(&x->request->arena, x->marks[i], &marks[i].marks);
        if (!status) {
            status = lia_vector_copy(&x->request->arena, x->kept[i], &marks[i].kept);
        }
    }
    x->f->marks = marks;
    x->f->marks_count = status ? 0 : x->f->interest_count;
    return status;
}

/* What moved marks alone has the seq of the commit before it, which the peer may have
 * without it. */
static bool is_due(const struct lia_recent_commit *commit, uint64_t after)
{
    return commit->seq > after || (commit->seq == after && commit->change_count == 0);
}

/* What came from the peer it has, and the rest it was sent before; but for verdicts on what
 * came, which are our own. */
static bool has_all(const struct lia_recent_commit *commit, uint64_t origin)
{
    return commit->origin == origin && commit->stamp.hlc == 0;
}

static bool reaches_beyond(const struct lia_recent_chunk *chunk, uint64_t seq)
{
    return chunk->commit_count && chunk->commits[chunk->commit_count - 1].seq > seq;
}

static liana_status walk(struct exact *x,
                         const struct lia_recent *recent,
                         uint64_t origin)
{
    struct lia_feed_request *f = x->f;
    liana_status status = LIANA_OK;

    f->upto = f->after;
    for (const struct lia_recent_chunk *chunk = recent->first; chunk && !status;
         chunk = chunk->next) {
        if (f->after && !reaches_beyond(chunk, f->after - 1)) {
            continue;
        }
        for (size_t i = 0; i < chunk->commit_count && !status; i++) {
            const struct lia_recent_commit *commit = &chunk->commits[i];

            if (!is_due(commit, f->after)) {
                continue;
            }
            if (commit->seq > f->until || x->bytes >= f->bytes_max) {
                return LIANA_OK;
            }
            for (size_t c = 0;
                 !has_all(commit, origin) && c < commit->change_count && !status; c++) {
                status = add_change(x, &commit->changes[c]);
            }
            if (!status) {
                status = add_marks(x, commit);
            }
            f->upto = commit->seq;
        }
    }
    return status;
}

static size_t changes_after(const struct lia_recent *recent, uint64_t after)
{
    size_t count = 0;

    for (const struct lia_recent_chunk *chunk = recent->first; chunk;
         chunk = chunk->next) {
        for (size_t i = 0; reaches_beyond(chunk, after) && i < chunk->commit_count;
             i++) {
            count += chunk->commits[i].seq > after ? chunk->commits[i].change_count : 0;
        }
    }
    return count;
}

bool lia_recent_feed(const struct lia_recent *recent,
                     uint64_t origin,
                     bool is_keeper,
                     struct lia_request *request)
{
    struct lia_feed_request *f = &request->feed;
    struct exact x = {.request = request, .f = f, .is_keeper = is_keeper};
    liana_status status;

    if (!f->may_be_exact || f->after < recent->base || f->after > recent->head) {
        return false;
    }
    for (size_t i = 0; i < f->interest_count; i++) {
        if (f->interests[i].topic.query.len) {
            return false; /* only the store knows what matches, and what did */
        }
    }
    x.room = changes_after(recent, f->after);
    f->found = lia_arena_array(&request->arena, x.room, sizeof(*f->found));
    x.hashes = lia_arena_array(&request->arena, f->interest_count, sizeof(*x.hashes));
    x.marks = lia_arena_array(&request->arena, f->interest_count, sizeof(*x.marks));
    x.kept = lia_arena_array(&request->arena, f->interest_count, sizeof(*x.kept));
    x.kept_names =
        lia_arena_array(&request->arena, f->interest_count, sizeof(*x.kept_names));
    if (!f->found || !x.hashes || !x.marks || !x.kept || !x.kept_names) {
        return false;
    }
    for (size_t i = 0; i < f->interest_count; i++) {
        x.hashes[i] = lia_topic_name(f->interests[i].topic);
        x.kept_names[i] = lia_name_of_kept(f->interests[i].topic.collection);
    }
    status = walk(&x, recent, origin);
    if (!status) {
        status = give_marks(&x);
    }
    if (status) {
        f->found_count = 0;
        f->marks_count = 0;
        return false;
    }
    f->is_exact = true;
    f->is_head = f->upto == recent->head;
    return true;
}
