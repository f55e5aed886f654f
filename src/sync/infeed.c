/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/internal.h"

/* The feed of a subscription that a message names. */
static struct lia_infeed *feed_of(struct lia_session *s, const struct lia_insub *sub)
{
    return &s->in[sub->priority];
}

static liana_status find_sub(struct lia_session *s,
                             uint64_t number,
                             struct lia_insub **out)
{
    struct lia_insub *sub = lia_insub_find(s, number);

    if (!sub || sub->state < LIA_INSUB_ASKED) {
        return lia_err(&s->error, LIANA_EPROTOCOL, "no subscription %llu",
                       (unsigned long long)number);
    }
    *out = sub;
    return LIANA_OK;
}

/* The batch that is being collected; made when there is none. */
static struct lia_incoming *open_batch(struct lia_session *s, struct lia_infeed *feed)
{
    if (!feed->open) {
        feed->open = lia_incoming_new(s->options.alloc);
    }
    return feed->open;
}

/* ---- HAVE and WANT ---- */

liana_status lia_on_have(struct lia_session *s, const struct lia_msg *m)
{
    const struct lia_wire_have *have = &m->have;
    struct lia_request *request;
    struct lia_insub *sub;
    liana_status status = find_sub(s, have->sub, &sub);

    if (status) {
        return status;
    }
    if (s->comparing == LIA_HAVES_MAX) {
        return lia_err(&s->error, LIANA_EPROTOCOL, "more than %u HAVEs open",
                       LIA_HAVES_MAX);
    }
    request = lia_session_new_request(s, LIA_REQUEST_COMPARE);
    if (!request) {
        return LIANA_ENOMEM;
    }
    request->compare.number = have->sub;
    request->compare.have = have->number;
    request->compare.items = lia_arena_array(&request->arena, have->items_count,
                                             sizeof(*request->compare.items));
    request->compare.count = sub->state == LIA_INSUB_ENDED ? 0 : have->items_count;
    status = request->compare.items
                 ? lia_topic_copy(&request->arena, sub->topic, &request->compare.topic)
                 : LIANA_ENOMEM;
    for (size_t i = 0; !status && i < request->compare.count; i++) {
        struct lia_compare_item *item = &request->compare.items[i];

        memcpy(item->digest, have->items[i].digest, sizeof(item->digest));
        status = lia_arena_copy(&request->arena, have->items[i].key, &item->key)
                     ? LIANA_OK
                     : LIANA_ENOMEM;
    }
    if (status) {
        lia_request_free(request);
        return status;
    }
    s->comparing++;
    lia_session_request(s, request);
    return LIANA_OK;
}

static liana_status send_want(struct lia_session *s, struct lia_request *request)
{
    const struct lia_compare_request *compare = &request->compare;
    struct lia_msg msg = {.type = LIA_MSG_WANT};

    s->comparing--;
    msg.want.sub = compare->number;
    msg.want.number = compare->have;
    msg.want.items =
        lia_arena_array(&request->arena, compare->count + 1, sizeof(*msg.want.items));
    if (!msg.want.items) {
        return LIANA_ENOMEM;
    }
    for (size_t i = 0; i < compare->count; i++) {
        if (compare->items[i].differs) {
            msg.want.items[msg.want.items_count++] = (struct lia_wire_want_item){
                compare->items[i].key, compare->items[i].vector};
        }
    }
    lia_session_send(s, &msg);
    return LIANA_OK;
}

/* ---- documents ---- */

static liana_status stage(struct lia_session *s,
                          struct lia_infeed *feed,
                          uint8_t priority)
{
    struct lia_request *request;
    struct lia_incoming *rest;

    /* Where marks stand, the end of the batch is near; they are not staged. */
    if (feed->staging || !feed->open || feed->open->marks ||
        feed->open->bytes < s->options.stage_bytes) {
        return LIANA_OK;
    }
    rest = lia_incoming_new(s->options.alloc);
    request = lia_session_new_request(s, LIA_REQUEST_STAGE);
    if (!rest || !request) {
        lia_incoming_free(rest);
        lia_request_free(request);
        return LIANA_ENOMEM;
    }
    request->stage.batch = feed->open;
    request->stage.priority = priority;
    s->pending += feed->open->bytes;
    rest->awaits_stage = true;
    feed->open = rest;
    feed->staging = rest;
    lia_session_request(s, request);
    return LIANA_OK;
}

/* A whole document: of the batch, or an answer. */
static liana_status take_document(struct lia_session *s,
                                  struct lia_insub *sub,
                                  uint64_t ask_number,
                                  struct liana_slice key,
                                  struct liana_slice data)
{
    struct lia_ask *ask = ask_number ? lia_ask_find(s, ask_number) : NULL;
    struct lia_incoming *batch = ask ? ask->answers : open_batch(s, feed_of(s, sub));
    const struct lia_topic_number *topic;

    if (ask_number && (!ask || ask->sub != sub->number)) {
        return lia_err(&s->error, LIANA_EPROTOCOL, "an answer to no ASK");
    }
    s->stats.docs_in++;
    s->stats.payload_in += data.len;
    if (sub->state != LIA_INSUB_ENDED) {
        topic = batch ? lia_incoming_topic(batch, sub->number, sub->topic) : NULL;
        if (!topic || lia_incoming_add(batch, topic, key, data)) {
            return LIANA_ENOMEM;
        }
    }
    return ask ? lia_ask_answered(s, ask) : stage(s, feed_of(s, sub), sub->priority);
}

static bool is_next_piece(const struct lia_infeed *feed,
                          const struct lia_wire_segment *m)
{
    return feed->piece_sub == m->sub && feed->piece_ask == m->ask &&
           lia_slice_cmp(lia_buf_slice(&feed->piece_key), m->key) == 0;
}

/* Pieces of one document follow each other within their feed. */
static liana_status take_piece(struct lia_session *s,
                               struct lia_insub *sub,
                               const struct lia_wire_segment *m)
{
    struct lia_infeed *feed = feed_of(s, sub);
    liana_status status;

    if (!feed->has_piece) {
        feed->has_piece = true;
        feed->piece_sub = m->sub;
        feed->piece_ask = m->ask;
        lia_buf_slice_add(&feed->piece_key, m->key);
    } else if (!is_next_piece(feed, m)) {
        return lia_err(&s->error, LIANA_EPROTOCOL, "a document that was not finished");
    }
    lia_buf_slice_add(&feed->piece, m->data);
    if (feed->piece.status || feed->piece_key.status) {
        return feed->piece.status ? feed->piece.status : feed->piece_key.status;
    }
    if (m->more) {
        return LIANA_OK;
    }
    status = take_document(s, sub, m->ask, m->key, lia_buf_slice(&feed->piece));
    feed->has_piece = false;
    lia_buf_deinit(&feed->piece);
    lia_buf_reset(&feed->piece_key);
    return status;
}

liana_status lia_on_segment(struct lia_session *s, const struct lia_msg *m)
{
    struct lia_insub *sub;
    liana_status status = find_sub(s, m->segment.sub, &sub);

    if (status) {
        return status;
    }
    if (feed_of(s, sub)->has_piece || m->segment.more) {
        return take_piece(s, sub, &m->segment);
    }
    return take_document(s, sub, m->segment.ask, m->segment.key, m->segment.data);
}

/* It answers an ASK. In place of what a WANT asked for it says that there is nothing to wait
 * for. */
liana_status lia_on_absent(struct lia_session *s, const struct lia_msg *m)
{
    struct lia_insub *sub;
    struct lia_ask *ask;
    liana_status status = find_sub(s, m->absent.sub, &sub);

    if (status || m->absent.ask == 0) {
        return status;
    }
    ask = lia_ask_find(s, m->absent.ask);
    if (!ask || ask->sub != sub->number) {
        return lia_err(&s->error, LIANA_EPROTOCOL, "an answer to no ASK");
    }
    lia_ask_absent(s, ask, m->absent.key);
    return lia_ask_answered(s, ask);
}

/* ---- the end of a batch ---- */

static liana_status add_marks(struct lia_incoming *batch,
                              const struct lia_insub *sub,
                              const struct lia_wire_marks *from)
{
    struct lia_incoming_marks *marks =
        LIA_ARENA_NEW(&batch->arena, struct lia_incoming_marks);

    if (!marks || lia_vector_copy(&batch->arena, from->marks, &marks->marks) ||
        lia_vector_copy(&batch->arena, from->kept, &marks->kept)) {
        return LIANA_ENOMEM;
    }
    marks->forgotten = from->forgotten;
    marks->topic = lia_incoming_topic(batch, sub->number, sub->topic);
    marks->next = batch->marks;
    batch->marks = marks;
    return marks->topic ? LIANA_OK : LIANA_ENOMEM;
}

/* What the peer reflects it need not be sent: under a topic that both subscribed to. */
static liana_status learn_marks(struct lia_session *s,
                                const struct lia_insub *sub,
                                struct lia_vector marks)
{
    liana_status status = LIANA_OK;

    for (struct lia_outsub *o = s->outsubs; o && !status; o = o->next) {
        if (lia_slice_cmp(lia_str_slice(o->topic.collection),
                          lia_str_slice(sub->topic.collection)) == 0 &&
            lia_slice_cmp(o->topic.query, sub->topic.query) == 0) {
            status = lia_kept_join(s->options.alloc, &o->marks, marks);
        }
    }
    return status;
}

/* Who told it need not be told: whatever it subscribed to of the collection. */
static liana_status learn_kept(struct lia_session *s,
                               const struct lia_insub *sub,
                               struct lia_vector kept)
{
    liana_status status = LIANA_OK;

    for (struct lia_outsub *o = s->outsubs; o && !status; o = o->next) {
        if (lia_slice_cmp(lia_str_slice(o->topic.collection),
                          lia_str_slice(sub->topic.collection)) == 0) {
            status = lia_kept_join(s->options.alloc, &o->kept, kept);
        }
    }
    return status;
}

liana_status lia_on_marks(struct lia_session *s, const struct lia_msg *m)
{
    liana_status status = LIANA_OK;

    for (size_t i = 0; i < m->marks.subs_count && !status; i++) {
        struct lia_incoming *batch;
        struct lia_insub *sub;

        status = find_sub(s, m->marks.subs[i].sub, &sub);
        if (status || sub->state == LIA_INSUB_ENDED) {
            continue;
        }
        batch = open_batch(s, feed_of(s, sub));
        status = batch ? add_marks(batch, sub, &m->marks) : LIANA_ENOMEM;
        if (!status) {
            status = learn_marks(s, sub, m->marks.marks);
        }
        if (!status) {
            status = learn_kept(s, sub, m->marks.kept);
        }
    }
    return status;
}

static liana_status add_token(struct lia_incoming *batch, const struct lia_insub *sub)
{
    struct lia_incoming_token *token =
        LIA_ARENA_NEW(&batch->arena, struct lia_incoming_token);

    if (!token) {
        return LIANA_ENOMEM;
    }
    token->generation = sub->generation;
    token->topic = lia_incoming_topic(batch, sub->number, sub->topic);
    token->next = batch->tokens;
    batch->tokens = token;
    return token->topic ? LIANA_OK : LIANA_ENOMEM;
}

static void report_progress(struct lia_session *s, const struct lia_incoming *batch)
{
    for (const struct lia_incoming_token *t = batch->tokens; t; t = t->next) {
        struct lia_insub *sub = lia_insub_find(s, t->topic->number);
        struct lia_action *action = sub && sub->state != LIA_INSUB_ENDED
                                        ? lia_session_act(s, LIA_ACTION_PROGRESS)
                                        : NULL;

        if (!action) {
            continue;
        }
        action->id = sub->id;
        action->seq = batch->seq;
        action->is_head = batch->is_head;
        for (const struct lia_incoming_item *i = batch->items; i; i = i->next) {
            action->count += i->topic == t->topic;
        }
    }
}

/* A batch without documents was acknowledged before its token was kept. */
static void send_ack(struct lia_session *s, uint8_t priority, uint64_t number)
{
    struct lia_msg msg = {.type = LIA_MSG_ACK,
                          .ack = {.priority = priority, .number = number, .kind = 1}};

    if (number > s->in[priority].acked) {
        s->in[priority].acked = number;
        lia_session_send(s, &msg);
    }
}

static void try_apply(struct lia_session *s, uint8_t priority);

static void enqueue(struct lia_session *s,
                    struct lia_infeed *feed,
                    struct lia_incoming *b)
{
    s->pending += b->bytes;
    *feed->queue_last = b;
    feed->queue_last = &b->next;
}

/* A batch without documents changes tokens and marks only. It is worth no transaction of
 * its own at once: losing it costs a little reading later, never data. */
static void complete(struct lia_session *s, struct lia_infeed *feed, uint8_t priority)
{
    struct lia_incoming *batch = feed->open;
    bool is_idle = !feed->queue && !feed->is_applying;

    feed->open = NULL;
    if (!batch->items && !batch->stage && !batch->awaits_stage && is_idle &&
        !feed->lazy) {
        report_progress(s, batch);
        send_ack(s, priority, batch->number);
        feed->lazy = batch;
        feed->lazy_since = s->now;
        return;
    }
    if (feed->lazy) {
        enqueue(s, feed, feed->lazy);
        feed->lazy = NULL;
    }
    enqueue(s, feed, batch);
    try_apply(s, priority);
}

liana_status lia_on_batch(struct lia_session *s, const struct lia_msg *m)
{
    uint8_t priority = (uint8_t)m->batch.priority;
    struct lia_infeed *feed = &s->in[priority];
    struct lia_incoming *batch = open_batch(s, feed);
    liana_status status = batch ? LIANA_OK : LIANA_ENOMEM;

    if (m->batch.number != feed->last_number + 1 || feed->has_piece) {
        return lia_err(&s->error, LIANA_EPROTOCOL, "BATCH %llu is out of place",
                       (unsigned long long)m->batch.number);
    }
    feed->last_number = m->batch.number;
    for (size_t i = 0; i < m->batch.subs_count && !status; i++) {
        struct lia_insub *sub;

        status = find_sub(s, m->batch.subs[i].sub, &sub);
        if (!status && sub->priority != priority) {
            return lia_err(&s->error, LIANA_EPROTOCOL, "a BATCH of another feed");
        }
        if (!status && sub->state != LIA_INSUB_ENDED) {
            status = add_token(batch, sub);
        }
    }
    if (status) {
        return status;
    }
    batch->number = m->batch.number;
    batch->seq = m->batch.seq;
    batch->is_head = m->batch.flags & 1;
    complete(s, feed, priority);
    return LIANA_OK;
}

/* ---- applying ---- */

void lia_infeed_apply(struct lia_session *s,
                      struct lia_incoming *batches,
                      uint8_t priority,
                      bool is_owed)
{
    struct lia_request *request = lia_session_new_request(s, LIA_REQUEST_APPLY);

    if (!request) {
        while (batches) {
            struct lia_incoming *next = batches->next;

            lia_incoming_free(batches);
            batches = next;
        }
        return;
    }
    request->apply.peer = s->peer;
    request->apply.priority = priority;
    request->apply.is_owed = is_owed;
    request->apply.batches = batches;
    for (const struct lia_incoming *b = batches; b; b = b->next) {
        request->apply.bytes += b->bytes;
        if (b->seq > request->apply.peer.seq) {
            request->apply.peer.seq = b->seq;
        }
    }
    lia_session_request(s, request);
}

/* Takes complete batches off the queue: several small ones make one transaction. A stage
 * is applied alone. */
static struct lia_incoming *take_queue(struct lia_infeed *feed)
{
    struct lia_incoming *first = feed->queue;
    struct lia_incoming *last = first;
    size_t bytes = first->bytes;

    while (!first->stage && last->next && !last->next->stage &&
           !last->next->awaits_stage &&
           bytes + last->next->bytes <= LIA_COALESCE_BYTES_MAX) {
        last = last->next;
        bytes += last->bytes;
    }
    feed->queue = last->next;
    if (!feed->queue) {
        feed->queue_last = &feed->queue;
    }
    last->next = NULL;
    return first;
}

static void try_apply(struct lia_session *s, uint8_t priority)
{
    struct lia_infeed *feed = &s->in[priority];

    if (!feed->is_applying && feed->queue && !feed->queue->awaits_stage) {
        feed->is_applying = true;
        feed->repairs = 0;
        lia_infeed_apply(s, take_queue(feed), priority, false);
    }
}

static void report_refusals(struct lia_session *s,
                            const struct lia_apply_request *apply)
{
    for (size_t i = 0; i < apply->refusal_count; i++) {
        struct lia_action *action = lia_session_act(s, LIA_ACTION_REFUSED);

        if (action) {
            LIA_IGNORE(lia_err_plain(&action->error, /* the error is only made */
                                     apply->refusals[i].reason));
        }
        s->owed_at = s->now + LIA_OWED_MS;
    }
}

static liana_status applied(struct lia_session *s, struct lia_request *request)
{
    struct lia_apply_request *apply = &request->apply;
    struct lia_infeed *feed = &s->in[apply->priority];
    uint64_t last = 0;

    if (apply->is_owed) {
        s->pending -= apply->bytes;
        report_refusals(s, apply);
        return LIANA_OK;
    }
    if (!apply->is_committed) {
        return lia_repair_gaps(s, request);
    }
    report_refusals(s, apply);
    for (const struct lia_incoming *b = apply->batches; b; b = b->next) {
        report_progress(s, b);
        last = b->number > last ? b->number : last;
        s->pending -= b->bytes;
    }
    feed->is_applying = false;
    send_ack(s, apply->priority, last);
    try_apply(s, apply->priority);
    return LIANA_OK;
}

static liana_status staged(struct lia_session *s, struct lia_request *request)
{
    uint8_t priority = request->stage.priority;
    struct lia_infeed *feed = &s->in[priority];

    feed->staging->stage = request->stage.batch->stage;
    feed->staging->awaits_stage = false;
    feed->staging = NULL;
    s->pending -= request->stage.batch->bytes;
    try_apply(s, priority);
    return stage(s, feed, priority);
}

liana_status lia_infeed_result(struct lia_session *s, struct lia_request *request)
{
    if (request->status) {
        s->error = request->error;
        return request->status;
    }
    switch (request->kind) {
    case LIA_REQUEST_COMPARE: return send_want(s, request);
    case LIA_REQUEST_STAGE: return staged(s, request);
    default: return applied(s, request);
    }
}

/* ---- time, memory ---- */

void lia_infeed_tick(struct lia_session *s)
{
    for (uint8_t i = 0; i < LIA_WIRE_PRIORITIES; i++) {
        struct lia_infeed *feed = &s->in[i];

        if (feed->lazy && s->now >= feed->lazy_since + LIA_LAZY_MS) {
            enqueue(s, feed, feed->lazy);
            feed->lazy = NULL;
            try_apply(s, i);
        }
    }
}

uint64_t lia_infeed_deadline(const struct lia_session *s)
{
    uint64_t due = LIA_NEVER;

    for (size_t i = 0; i < LIA_WIRE_PRIORITIES; i++) {
        const struct lia_infeed *feed = &s->in[i];

        if (feed->lazy && feed->lazy_since + LIA_LAZY_MS < due) {
            due = feed->lazy_since + LIA_LAZY_MS;
        }
    }
    return due;
}

void lia_infeed_deinit(struct lia_session *s)
{
    for (size_t i = 0; i < LIA_WIRE_PRIORITIES; i++) {
        struct lia_infeed *feed = &s->in[i];

        lia_incoming_free(feed->open);
        lia_incoming_free(feed->lazy);
        while (feed->queue) {
            struct lia_incoming *next = feed->queue->next;

            lia_incoming_free(feed->queue);
            feed->queue = next;
        }
        lia_request_free(feed->repairing);
        lia_buf_deinit(&feed->piece);
        lia_buf_deinit(&feed->piece_key);
        feed->open = NULL;
        feed->lazy = NULL;
        feed->repairing = NULL;
    }
}

size_t lia_infeed_memory(const struct lia_session *s)
{
    size_t bytes = s->pending;

    for (size_t i = 0; i < LIA_WIRE_PRIORITIES; i++) {
        const struct lia_infeed *feed = &s->in[i];

        bytes += feed->piece.cap + (feed->open ? feed->open->bytes : 0);
    }
    return bytes;
}
