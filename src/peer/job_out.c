/* SPDX-License-Identifier: Apache-2.0 */
#include "peer/internal.h"

static struct liana_slice remote_of(const struct lia_job *job)
{
    return lia_slice(job->remote, LIA_PEER_ID_BYTES);
}

/* ---- registrations ---- */

/* How far the peer's token says that it is; 0: it has none that this store knows. */
static liana_status read_token(struct lia_job *job,
                               uint64_t *out_seq,
                               struct liana_error *err)
{
    const struct lia_register_request *r = &job->request->registering;
    bool is_known = false;
    liana_status status =
        r->epoch ? lia_db_epoch_covers(job->db, r->epoch, r->seq, &is_known, err)
                 : LIANA_OK;

    *out_seq = is_known ? r->seq : 0;
    return status;
}

/* The resume rule (crdt/keep.h), by the token that the peer has, wherever its feed begins.
 * What left the query of a peer without one (`is_logged` false) is not logged for it. */
static liana_status look_again(struct lia_job *job,
                               uint64_t token_seq,
                               bool is_logged,
                               struct liana_error *err)
{
    struct lia_register_request *r = &job->request->registering;
    struct lia_keeping keeping;
    liana_status status = lia_db_keeping(job->db, &job->request->arena,
                                         r->topic.collection, &keeping, err);

    if (status) {
        return status;
    }
    r->forgotten_seq = keeping.forgotten_seq;
    return (is_logged || r->topic.query.len == 0) &&
                   lia_keep_may_resume(token_seq, keeping.forgotten_seq)
               ? LIANA_OK
               : lia_db_look_again(job->db, remote_of(job), r->topic.collection,
                                   r->is_renewed, &r->looks_again, err);
}

liana_status lia_job_register(struct lia_job *job, struct liana_error *err)
{
    struct lia_register_request *r = &job->request->registering;
    struct lia_name hash = lia_topic_name(r->topic);
    struct lia_subscription sub = {.hash = lia_name_slice(&hash),
                                   .collection = r->topic.collection,
                                   .query = r->topic.query,
                                   .is_again = r->is_again,
                                   .awaits = r->awaits};
    struct lia_registration registration;
    uint64_t token_seq = 0;
    liana_status status = read_token(job, &token_seq, err);

    if (!status) {
        sub.after_seq = token_seq;
        status = lia_db_register(job->db, remote_of(job), &sub, &registration, err);
    }
    if (!status) {
        r->registration = registration.id;
        r->is_resumed = registration.is_resumed && !r->is_again;
        r->start = r->is_resumed ? r->seq : 0;
        status = look_again(job, token_seq, registration.is_resumed, err);
    }
    if (!status && r->topic.query.len == 0) { /* of a query only its fill knows */
        status = lia_db_count_after(job->db, r->topic.collection, r->start,
                                    &r->expected, err);
    }
    return status;
}

/* One that is gone needs no trimming. */
liana_status lia_job_acked(struct lia_job *job, struct liana_error *err)
{
    const struct lia_acked_request *acked = &job->request->acked;
    liana_status status = lia_db_register_ack(job->db, remote_of(job),
                                              acked->registration, acked->seq, err);

    return status == LIANA_ENOTFOUND ? LIANA_OK : status;
}

/* The registration stays: the peer may come back with its token. Only when the peer says
 * that it no longer wants it is it taken away. */
liana_status lia_job_unregister(struct lia_job *job, struct liana_error *err)
{
    liana_status status = lia_db_unregister(job->db, remote_of(job),
                                            job->request->unregister.registration, err);

    return status == LIANA_ENOTFOUND ? LIANA_OK : status;
}

/* ---- the feed ---- */

/* The entries of a vector that the receiver reflects. It holds them, so a segment may
 * start there; what it does not reflect, or may have evicted, it is taken not to hold. */
static liana_status reflected(struct lia_arena *arena,
                              struct lia_vector vector,
                              const struct lia_keep *receiver,
                              struct lia_vector *out)
{
    struct lia_vector_entry *entries =
        lia_arena_array(arena, vector.count, sizeof(*entries));
    size_t count = 0;

    if (!entries) {
        return LIANA_ENOMEM;
    }
    for (size_t i = 0; i < vector.count; i++) {
        const struct lia_vector_entry *e = &vector.entries[i];

        if (e->hlc <= lia_vector_get(receiver->marks, e->actor) &&
            e->hlc > lia_vector_get(receiver->evicted, e->actor)) {
            entries[count++] = *e;
        }
    }
    *out = (struct lia_vector){entries, count};
    return LIANA_OK;
}

static liana_status half_digest(struct liana_slice key,
                                struct liana_slice clock,
                                uint8_t out[LIA_WIRE_ID_BYTES])
{
    uint8_t digest[LIA_DIGEST_BYTES];
    liana_status status = lia_doc_digest(key, clock, digest);

    if (!status) {
        memcpy(out, digest, LIA_WIRE_ID_BYTES);
    }
    return status;
}

/* Only what is sent stays in the request: a page may wait long for its receiver. */
struct reading {
    struct lia_request *request;
    struct lia_arena page;    /* whole documents */
    struct lia_arena scratch; /* of one document */
};

static struct lia_keep receiver_of(const struct lia_feed_interest *interest)
{
    return (struct lia_keep){.marks = interest->marks,
                             .evicted = interest->evicted,
                             .forgotten = interest->forgotten};
}

static liana_status give_segment(struct reading *r,
                                 const struct lia_feed_item *item,
                                 struct lia_vector vector,
                                 const struct lia_keep *receiver,
                                 struct lia_found *found)
{
    struct liana_slice segment;
    struct lia_vector from;
    liana_status status = reflected(&r->scratch, vector, receiver, &from);

    if (!status) {
        status = lia_doc_segment(&r->scratch, item->doc, from, &segment);
    }
    if (!status && !lia_arena_copy(&r->request->arena, segment, &found->data)) {
        status = LIANA_ENOMEM;
    }
    return status;
}

/* Something of these actors was evicted there, perhaps of this document. */
static bool touches_evicted(const struct lia_feed_interest *interest,
                            struct lia_vector vector)
{
    for (size_t i = 0; i < vector.count; i++) {
        if (lia_vector_get(interest->evicted, vector.entries[i].actor)) {
            return true;
        }
    }
    return false;
}

/* It is told of what it may have, and sent what it cannot. */
static bool may_hold(const struct lia_feed_interest *interest, struct lia_vector vector)
{
    return interest->is_unmarked || lia_vector_geq(interest->marks, vector) ||
           touches_evicted(interest, vector);
}

/* Who does not hold all of a collection leaves nothing out: what it was given, the receiver
 * may know to be deleted (docs/adr/0024, "Predicates"). */
static liana_status give_item(struct reading *r,
                              const struct lia_feed_facts *facts,
                              const struct lia_feed_item *item)
{
    struct lia_feed_request *f = &r->request->feed;
    const struct lia_feed_interest *interest = &f->interests[item->hits[0].interest];
    const struct lia_keep receiver = receiver_of(interest);
    struct lia_found *found = &f->found[f->found_count];
    struct lia_doc_info info;
    liana_status status;

    lia_arena_reset(&r->scratch);
    status = lia_doc_info(&r->scratch, item->doc.clock, &info);
    if (status || (facts[item->hits[0].interest].is_whole &&
                   lia_keep_may_skip(&receiver, &info))) {
        return status;
    }
    found->interest = item->hits[0].interest;
    if (!lia_arena_copy(&r->request->arena, item->key, &found->key)) {
        return LIANA_ENOMEM;
    }
    if (may_hold(interest, info.vector)) {
        found->kind = LIA_FOUND_HAVE;
        status = half_digest(item->key, item->doc.clock, found->digest);
        status = status
                     ? status
                     : lia_vector_copy(&r->request->arena, info.vector, &found->vector);
    } else {
        found->kind = LIA_FOUND_SEGMENT;
        status = give_segment(r, item, info.vector, &receiver, found);
    }
    f->found_count += !status;
    return status;
}

static liana_status give_marks(struct lia_request *request,
                               const struct lia_feed_page *page)
{
    struct lia_feed_marks_out *marks =
        lia_arena_array(&request->arena, page->marks_count, sizeof(*marks));

    if (!marks) {
        return LIANA_ENOMEM;
    }
    for (size_t i = 0; i < page->marks_count; i++) {
        marks[i].interest = page->marks[i].interest;
        marks[i].forgotten = page->marks[i].forgotten;
        if (lia_vector_copy(&request->arena, page->marks[i].marks, &marks[i].marks) ||
            lia_vector_copy(&request->arena, page->marks[i].kept, &marks[i].kept)) {
            return LIANA_ENOMEM;
        }
    }
    request->feed.marks = marks;
    request->feed.marks_count = page->marks_count;
    return LIANA_OK;
}

static liana_status ask_feed(struct lia_job *job,
                             struct lia_arena *arena,
                             struct lia_feed_page *page,
                             struct liana_error *err)
{
    struct lia_request *request = job->request;
    const struct lia_feed_request *f = &request->feed;
    struct lia_interest *interests =
        lia_arena_array(&request->arena, f->interest_count, sizeof(*interests));
    struct lia_feed_query query = {
        .interests = interests,
        .interest_count = f->interest_count,
        .from = {f->from.a, (uint32_t)f->from.b, f->from.c},
        .bytes_max = f->bytes_max,
        .rows_max = LIA_FEED_ROWS,
    };

    if (!interests) {
        return LIANA_ENOMEM;
    }
    for (size_t i = 0; i < f->interest_count; i++) {
        interests[i].registration = f->interests[i].registration;
        interests[i].peer = remote_of(job);
        interests[i].collection = f->interests[i].topic.collection;
        interests[i].after_seq = f->after;
        interests[i].wants_marks = true;
        interests[i].reflects = f->interests[i].marks;
    }
    return lia_db_feed(job->db, arena, &query, page, err);
}

/* What was forgotten meanwhile the peer will not be sent. */
static bool is_outdated(const struct lia_feed_request *f,
                        const struct lia_feed_facts *facts)
{
    for (size_t i = 0; i < f->interest_count; i++) {
        if (facts[i].forgotten_seq > f->interests[i].forgotten_seq &&
            !lia_keep_may_resume(f->after, facts[i].forgotten_seq)) {
            return true;
        }
    }
    return false;
}

static liana_status read_page(struct lia_job *job,
                              struct reading *r,
                              struct liana_error *err)
{
    struct lia_feed_request *f = &r->request->feed;
    struct lia_feed_page page;
    liana_status status = ask_feed(job, &r->page, &page, err);

    if (status) {
        return status;
    }
    if (is_outdated(f, page.facts)) {
        f->is_outdated = true;
        return LIANA_OK;
    }
    f->found = lia_arena_array(&r->request->arena, page.item_count, sizeof(*f->found));
    status = f->found ? LIANA_OK : LIANA_ENOMEM;
    for (size_t i = 0; i < page.item_count && !status; i++) {
        status = give_item(r, page.facts, &page.items[i]);
    }
    f->upto = page.upto;
    f->is_cut = page.is_cut;
    f->is_head = page.upto >= page.head && !page.is_cut;
    f->next = (struct lia_cursor){page.next.seq, page.next.collection, page.next.row};
    job->reach = page.head;
    job->is_full = !f->is_head;
    return !status && f->is_head ? give_marks(r->request, &page) : status;
}

liana_status lia_job_feed(struct lia_job *job, struct liana_error *err)
{
    struct reading r = {.request = job->request};
    liana_status status;

    lia_arena_init(&r.page, job->alloc);
    lia_arena_init(&r.scratch, job->alloc);
    status = read_page(job, &r, err);
    lia_arena_deinit(&r.scratch);
    lia_arena_deinit(&r.page);
    return status;
}

/* ---- single documents ---- */

static liana_status give_doc(struct lia_job *job,
                             const struct lia_held *held,
                             struct lia_doc_wanted *item)
{
    struct lia_arena *arena = &job->request->arena;
    struct lia_doc_info info;
    liana_status status;

    item->seq = held->seq;
    item->is_held = held->seq != 0;
    job->reach = held->seq > job->reach ? held->seq : job->reach;
    if (!item->is_held) {
        return LIANA_OK;
    }
    status = lia_doc_info(arena, held->doc.clock, &info);
    if (status) {
        return status;
    }
    item->held = info.vector;
    return lia_doc_segment(arena, held->doc, item->vector, &item->data);
}

liana_status lia_job_docs(struct lia_job *job, struct liana_error *err)
{
    struct lia_request *request = job->request;
    struct lia_docs_request *d = &request->docs;
    struct lia_key *keys = lia_arena_array(&request->arena, d->count, sizeof(*keys));
    struct lia_held *held = lia_arena_array(&request->arena, d->count, sizeof(*held));
    liana_status status = keys && held ? LIANA_OK : LIANA_ENOMEM;

    for (size_t i = 0; i < d->count && !status; i++) {
        keys[i] = (struct lia_key){d->topic.collection, d->items[i].key};
    }
    if (!status) {
        status = lia_db_docs(job->db, &request->arena, keys, d->count, held, err);
    }
    for (size_t i = 0; i < d->count && !status; i++) {
        status = give_doc(job, &held[i], &d->items[i]);
    }
    return status;
}
