/* SPDX-License-Identifier: Apache-2.0 */
#include "db/renew.h"
#include "peer/internal.h"

static struct liana_slice remote_of(const struct lia_job *job)
{
    return lia_slice(job->remote, LIA_PEER_ID_BYTES);
}

/* ---- histories ---- */

static struct lia_history to_history(const struct lia_seen *seen)
{
    struct lia_history h = {.epoch = seen->epoch,
                            .seq = seen->seq,
                            .actor = seen->stamp.actor,
                            .hlc = seen->stamp.hlc,
                            .opening_count = seen->opening_count};

    for (size_t i = 0; i < seen->opening_count; i++) {
        const struct lia_opening *o = &seen->openings[i];

        h.openings[i] = (struct lia_wire_opening){o->n, o->epoch, o->actor, o->own};
    }
    return h;
}

static struct lia_seen from_history(const struct lia_history *h)
{
    struct lia_seen seen = {.epoch = h->epoch,
                            .seq = h->seq,
                            .stamp = {h->hlc, h->actor},
                            .opening_count = h->opening_count};

    for (size_t i = 0; i < h->opening_count; i++) {
        const struct lia_wire_opening *o = &h->openings[i];

        seen.openings[i] = (struct lia_opening){o->n, o->epoch, o->actor, o->own};
    }
    return seen;
}

_Static_assert(LIA_OPENINGS_TOLD == LIA_WIRE_OPENINGS, "all that is told has room");

/* ---- GREET ---- */

static liana_status give_openings(struct lia_job *job,
                                  struct lia_history *out,
                                  struct liana_error *err)
{
    struct lia_seen own = {0};
    liana_status status =
        lia_db_openings(job->db, own.openings, &own.opening_count, err);
    struct lia_history told = to_history(&own);

    if (!status) {
        memcpy(out->openings, told.openings, sizeof(out->openings));
        out->opening_count = told.opening_count;
    }
    return status;
}

liana_status lia_job_greet(struct lia_job *job, struct liana_error *err)
{
    struct lia_request *request = job->request;
    struct lia_db_identity identity = lia_db_identity(job->db);
    struct lia_name hash = lia_topic_name((struct lia_topic){0});
    struct lia_greet_request *g = &request->greet;
    struct lia_vector own;
    struct lia_seen seen = {0};
    liana_status status =
        lia_db_marks(job->db, &request->arena, lia_name_slice(&hash), &own, err);

    if (status) {
        return status;
    }
    status = lia_db_seen(job->db, remote_of(job), &seen, err);
    if (status && status != LIANA_ENOTFOUND) {
        return status;
    }
    *err = (struct liana_error)LIANA_ERROR_INIT;
    g->own.actor = identity.actor;
    g->own.epoch = identity.epoch;
    g->own.seq = lia_store_head(lia_db_store(job->db)).durable.seq;
    g->own.hlc = lia_vector_get(own, identity.actor);
    g->seen = to_history(&seen);
    if (!lia_db_now(job->db, &g->clock_ms)) {
        g->clock_ms = 0;
    }
    g->held_ms = lia_db_held_ms(job->db);
    return give_openings(job, &g->own, err);
}

/* ---- MEET ---- */

static liana_status judge(struct lia_job *job,
                          const struct lia_history *history,
                          struct liana_error *err)
{
    struct lia_meet_request *m = &job->request->meet;
    const struct lia_seen seen = from_history(history);
    bool is_renewed = false;
    liana_status status =
        seen.epoch ? lia_db_judge(job->db, &seen, &is_renewed, err) : LIANA_OK;

    m->is_renewed = m->is_renewed || is_renewed;
    return status;
}

static liana_status confirm(struct lia_job *job, struct liana_error *err)
{
    const struct lia_meet_request *m = &job->request->meet;
    const struct lia_seen seen = from_history(&m->seen);

    return seen.epoch && !m->is_renewed ? lia_db_confirm(job->db, &seen, err)
                                        : LIANA_OK;
}

liana_status lia_job_meet(struct lia_job *job, struct liana_error *err)
{
    struct lia_meet_request *m = &job->request->meet;
    liana_status status;

    lia_db_time_from_peer(job->db, m->clock_ms);
    status = lia_db_note_held(job->db, err);
    if (!status) {
        status = judge(job, &m->seen, err);
    }
    if (!status) {
        status = judge(job, &m->peer, err);
    }
    if (!status) {
        status = confirm(job, err);
    }
    if (!status && m->actor) {
        status =
            lia_db_seen_elsewhere(job->db, remote_of(job), m->actor, &m->is_copy, err);
    }
    return status;
}

/* ---- TOKENS ---- */

#define PROBE_ROWS  ((size_t)64)
#define PROBE_BYTES ((size_t)256 * 1024)

static bool has_foreign(struct lia_vector marks, uint64_t actor)
{
    return marks.count > 1 || (marks.count == 1 && marks.entries[0].actor != actor);
}

/* A first fill that was cut off leaves documents that no marks speak of. The oldest rows
 * tell; guessing wrong costs bytes, never data. */
static liana_status probe(struct lia_job *job,
                          struct lia_token_item *item,
                          struct liana_error *err)
{
    struct lia_arena *arena = &job->request->arena;
    struct lia_interest interest = {.collection = item->topic.collection};
    struct lia_feed_query query = {&interest, 1, {0, 0, 0}, PROBE_BYTES, PROBE_ROWS};
    struct lia_feed_page page;
    liana_status status = lia_db_feed(job->db, arena, &query, &page, err);

    for (size_t i = 0; !status && i < page.item_count && !item->is_unmarked; i++) {
        struct lia_doc_info info;

        status = lia_doc_info(arena, page.items[i].doc.clock, &info);
        item->is_unmarked = !status && !lia_vector_geq(item->marks, info.vector);
    }
    return status;
}

/* What a peer is told of what is held: behind a query there are no marks but the own one,
 * and whoever sends is asked about all that is held (docs/adr/0024). */
static liana_status look_at_marks(struct lia_job *job,
                                  struct lia_token_item *item,
                                  struct liana_error *err)
{
    struct lia_arena *arena = &job->request->arena;
    struct lia_name name = lia_topic_name(item->topic);
    struct lia_keeping keeping;
    liana_status status =
        lia_db_keeping(job->db, arena, item->topic.collection, &keeping, err);

    if (status) {
        return status;
    }
    item->marks = keeping.keep.marks;
    item->evicted = keeping.keep.evicted;
    item->forgotten = keeping.keep.forgotten;
    if (item->topic.query.len) {
        status = lia_db_marks(job->db, arena, lia_name_slice(&name), &item->marks, err);
    }
    return status || has_foreign(item->marks, lia_db_identity(job->db).actor)
               ? status
               : probe(job, item, err);
}

/* Marks and token come behind the generation: if it moves meanwhile, they are looked up
 * again. */
static liana_status look_up(struct lia_job *job,
                            struct lia_token_item *item,
                            struct liana_error *err)
{
    struct lia_arena *arena = &job->request->arena;
    struct lia_name name = lia_topic_name(item->topic);
    struct lia_token token = {0};
    liana_status status = lia_db_generation(job->db, &item->generation, err);

    if (!status) {
        status = look_at_marks(job, item, err);
    }
    if (status) {
        return status;
    }
    status = lia_db_token(job->db, arena, remote_of(job), lia_name_slice(&name), &token,
                          err);
    if (status && status != LIANA_ENOTFOUND) {
        return status;
    }
    *err = (struct liana_error)LIANA_ERROR_INIT;
    item->epoch = token.epoch;
    item->seq = token.seq;
    item->is_again = token.is_again;
    item->awaits = token.awaits;
    return LIANA_OK;
}

liana_status lia_job_tokens(struct lia_job *job, struct liana_error *err)
{
    struct lia_tokens_request *t = &job->request->tokens;
    liana_status status = LIANA_OK;

    for (size_t i = 0; i < t->count && !status; i++) {
        status = look_up(job, &t->items[i], err);
    }
    return status;
}

/* ---- COMPARE ---- */

liana_status lia_job_compare(struct lia_job *job, struct liana_error *err)
{
    struct lia_request *request = job->request;
    struct lia_compare_request *c = &request->compare;
    struct lia_key *keys = lia_arena_array(&request->arena, c->count, sizeof(*keys));
    struct lia_doc_head *heads =
        lia_arena_array(&request->arena, c->count, sizeof(*heads));
    liana_status status = keys && heads ? LIANA_OK : LIANA_ENOMEM;

    for (size_t i = 0; i < c->count && !status; i++) {
        keys[i] = (struct lia_key){c->topic.collection, c->items[i].key};
    }
    if (!status && c->count) {
        status = lia_db_heads(job->db, &request->arena, keys, c->count, heads, err);
    }
    for (size_t i = 0; i < c->count && !status; i++) {
        struct lia_compare_item *item = &c->items[i];

        item->differs = !heads[i].is_held || heads[i].is_doubted ||
                        memcmp(heads[i].digest, item->digest, LIA_WIRE_ID_BYTES) != 0;
        if (heads[i].is_held) {
            item->vector = heads[i].vector;
        }
    }
    return status;
}

/* ---- STAGE, APPLY ---- */

static struct liana_slice name_in(struct lia_arena *arena, struct lia_topic topic)
{
    struct lia_name *name = LIA_ARENA_NEW(arena, struct lia_name);

    if (!name) {
        return lia_slice(NULL, 0);
    }
    *name = lia_topic_name(topic);
    return lia_name_slice(name);
}

static struct lia_batch_item to_item(struct lia_arena *arena,
                                     const struct lia_incoming_item *from)
{
    return (struct lia_batch_item){{from->topic->topic.collection, from->key},
                                   from->data,
                                   name_in(arena, from->topic->topic),
                                   from->is_answer};
}

liana_status lia_job_stage(struct lia_job *job, struct liana_error *err)
{
    struct lia_request *request = job->request;
    struct lia_incoming *batch = request->stage.batch;
    struct lia_batch_item *items =
        lia_arena_array(&request->arena, batch->item_count, sizeof(*items));
    size_t count = 0;

    if (!items) {
        return LIANA_ENOMEM;
    }
    for (const struct lia_incoming_item *i = batch->items; i; i = i->next) {
        items[count++] = to_item(&request->arena, i);
    }
    return lia_db_stage(job->db, &batch->stage, items, count, err);
}

struct applying {
    struct lia_job *job;
    struct lia_apply_request *a;
    struct lia_arena *arena;
    struct lia_batch batch;
    struct lia_batch_item *items;
    struct lia_token *tokens;
    struct lia_batch_marks *marks;
    struct lia_batch_keep *keeps;
    uint64_t *stages;
    struct lia_batch_void *voids;
};

static liana_status make_room(struct applying *x)
{
    size_t items = 0;
    size_t tokens = 0;
    size_t marks = 0;
    size_t batches = 0;
    size_t voids = 0;

    for (const struct lia_incoming *b = x->a->batches; b; b = b->next) {
        batches++;
        items += b->item_count;
        for (const struct lia_incoming_token *t = b->tokens; t; t = t->next) {
            tokens++;
        }
        for (const struct lia_incoming_marks *m = b->marks; m; m = m->next) {
            marks++;
        }
        for (const struct lia_incoming_void *v = b->voids; v; v = v->next) {
            voids++;
        }
    }
    x->items = lia_arena_array(x->arena, items, sizeof(*x->items));
    x->tokens = lia_arena_array(x->arena, tokens, sizeof(*x->tokens));
    x->marks = lia_arena_array(x->arena, marks, sizeof(*x->marks));
    x->keeps = lia_arena_array(x->arena, marks, sizeof(*x->keeps));
    x->stages = lia_arena_array(x->arena, batches, sizeof(*x->stages));
    x->voids = lia_arena_array(x->arena, voids, sizeof(*x->voids));
    return x->items && x->tokens && x->marks && x->keeps && x->stages && x->voids
               ? LIANA_OK
               : LIANA_ENOMEM;
}

/* Of several tokens of one subscription the last one counts. */
static void add_token(struct applying *x,
                      const struct lia_incoming *b,
                      const struct lia_incoming_token *token)
{
    const struct lia_topic topic = token->topic->topic;
    struct liana_slice name = name_in(x->arena, topic);
    size_t i = 0;

    while (i < x->batch.token_count &&
           lia_slice_cmp(x->tokens[i].subscription, name) != 0) {
        i++;
    }
    x->tokens[i] = (struct lia_token){.peer = remote_of(x->job),
                                      .subscription = name,
                                      .epoch = x->a->peer.epoch,
                                      .seq = b->seq,
                                      .generation = token->generation};
    x->batch.token_count += i == x->batch.token_count;
}

/* Of marks behind a query nothing is believed. */
static void add_marks(struct applying *x, const struct lia_incoming_marks *m)
{
    const struct lia_topic topic = m->topic->topic;
    bool is_whole = topic.query.len == 0;

    x->keeps[x->batch.keep_count++] =
        (struct lia_batch_keep){.collection = topic.collection,
                                .is_whole = is_whole,
                                .forgotten = m->forgotten,
                                .kept = m->kept};
    if (is_whole) {
        x->marks[x->batch.marks_count++] =
            (struct lia_batch_marks){name_in(x->arena, topic), m->marks};
    }
}

static void add_batch(struct applying *x, const struct lia_incoming *b)
{
    if (b->stage) {
        x->stages[x->batch.stage_count++] = b->stage;
    }
    for (const struct lia_incoming_item *i = b->items; i; i = i->next) {
        if (!i->is_void) {
            x->items[x->batch.item_count++] = to_item(x->arena, i);
        }
    }
    for (const struct lia_incoming_void *v = b->voids; v; v = v->next) {
        x->voids[x->batch.void_count++] =
            (struct lia_batch_void){name_in(x->arena, v->topic->topic), v->key};
    }
    for (const struct lia_incoming_token *t = b->tokens; t; t = t->next) {
        add_token(x, b, t);
    }
    for (const struct lia_incoming_marks *m = b->marks; m; m = m->next) {
        add_marks(x, m);
    }
}

static const struct lia_topic_number *find_topic(const struct lia_apply_request *a,
                                                 struct liana_str collection)
{
    for (const struct lia_incoming *b = a->batches; b; b = b->next) {
        for (const struct lia_topic_number *t = b->topics; t; t = t->next) {
            if (lia_slice_cmp(lia_str_slice(t->topic.collection),
                              lia_str_slice(collection)) == 0) {
                return t;
            }
        }
    }
    return NULL;
}

static liana_status report(struct applying *x, const struct lia_applied *applied)
{
    struct lia_gap *gaps =
        lia_arena_array(x->arena, applied->result_count, sizeof(*gaps));
    struct lia_refusal *refusals =
        lia_arena_array(x->arena, applied->result_count, sizeof(*refusals));

    if (!gaps || !refusals) {
        return LIANA_ENOMEM;
    }
    x->a->is_committed = applied->is_committed;
    x->a->awaits = applied->awaits;
    x->a->has_lost = applied->has_lost;
    x->a->applied = 0;
    for (size_t i = 0; i < applied->result_count; i++) {
        const struct lia_apply_result *r = &applied->results[i];
        const struct lia_topic_number *topic = find_topic(x->a, r->key.collection);

        if (r->kind == LIA_APPLY_GAP && topic) {
            gaps[x->a->gap_count++] = (struct lia_gap){topic, r->key.key, r->vector};
        } else if (r->kind == LIA_APPLY_OWED) {
            refusals[x->a->refusal_count++] =
                (struct lia_refusal){r->key.key, r->reason, r->ahead_ms};
        }
        x->a->applied += r->kind == LIA_APPLY_APPLIED;
    }
    x->a->gaps = gaps;
    x->a->refusals = refusals;
    return LIANA_OK;
}

liana_status lia_job_apply(struct lia_job *job, struct liana_error *err)
{
    struct applying x = {
        .job = job, .a = &job->request->apply, .arena = &job->request->arena};
    const struct lia_seen seen = from_history(&x.a->peer);
    bool is_memory = lia_store_durability(lia_db_store(job->db)) == LIA_MEMORY;
    struct lia_applied applied;
    liana_status status = make_room(&x);

    if (status) {
        return status;
    }
    for (const struct lia_incoming *b = x.a->batches; b; b = b->next) {
        add_batch(&x, b);
    }
    x.batch.peer = remote_of(job);
    x.batch.origin = lia_peer_origin(job->remote);
    x.batch.clock_max_ms = x.a->clock_max_ms;
    x.batch.items = x.items;
    x.batch.stages = x.stages;
    x.batch.voids = x.voids;
    x.batch.tokens = x.tokens;
    x.batch.marks = x.marks;
    x.batch.keeps = x.keeps;
    x.batch.seen = &seen;
    /* Only durable applies are acknowledged (design page 40, V6). */
    status = lia_db_apply(job->db, x.arena, &x.batch, is_memory ? LIA_MEMORY : LIA_FULL,
                          &applied, err);
    return status ? status : report(&x, &applied);
}

/* ---- OWED ---- */

#define OWED_MAX ((size_t)128)

static liana_status give_owed(struct lia_request *request,
                              const struct lia_owed *owed,
                              size_t count,
                              struct lia_key *keys)
{
    struct lia_owed_request *o = &request->owed;
    struct lia_owed_item *items =
        lia_arena_array(&request->arena, count, sizeof(*items));

    if (!items) {
        return LIANA_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        for (const struct lia_topic_number *t = o->topics; t; t = t->next) {
            struct lia_name hash = lia_topic_name(t->topic);

            if (lia_slice_cmp(lia_name_slice(&hash), owed[i].subscription) == 0) {
                keys[o->count] = owed[i].key;
                items[o->count++] =
                    (struct lia_owed_item){.number = t->number, .key = owed[i].key.key};
                break;
            }
        }
    }
    o->items = items;
    return LIANA_OK;
}

liana_status lia_job_owed(struct lia_job *job, struct liana_error *err)
{
    struct lia_request *request = job->request;
    struct lia_key *keys = lia_arena_array(&request->arena, OWED_MAX, sizeof(*keys));
    struct lia_doc_head *heads =
        lia_arena_array(&request->arena, OWED_MAX, sizeof(*heads));
    const struct lia_owed *owed;
    struct lia_owed_item *items;
    uint64_t now_ms;
    size_t count;
    liana_status status = keys && heads ? LIANA_OK : LIANA_ENOMEM;

    if (!status) {
        status = lia_db_awaits(job->db, remote_of(job), lia_slice(NULL, 0),
                               &request->owed.awaits, err);
    }
    if (!status) {
        status = lia_db_owed(job->db, &request->arena, remote_of(job), UINT64_MAX, 1,
                             &owed, &count, err);
    }
    if (status || count == 0) {
        return status;
    }
    request->owed.has_more = true;
    LIA_IGNORE(
        (liana_status)lia_db_now(job->db, &now_ms)); /* the least that it can be */
    status = lia_db_owed(job->db, &request->arena, remote_of(job), now_ms, OWED_MAX,
                         &owed, &count, err);
    if (!status) {
        status = give_owed(request, owed, count, keys);
    }
    if (status || request->owed.count == 0) {
        return status;
    }
    status =
        lia_db_heads(job->db, &request->arena, keys, request->owed.count, heads, err);
    items = request->owed.items;
    for (size_t i = 0; i < request->owed.count && !status; i++) {
        if (heads[i].is_held) {
            items[i].vector = heads[i].vector;
        }
    }
    return status;
}

liana_status lia_job_lost(struct lia_job *job, struct liana_error *err)
{
    const struct lia_lost_request *lost = &job->request->lost;
    struct lia_name hash = lia_topic_name(lost->topic);
    const struct lia_key key = {lost->topic.collection, lost->key};

    return lia_db_owed_lost(job->db, remote_of(job), lia_name_slice(&hash), &key, err);
}
