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

liana_status lia_infeed_compared(struct lia_session *s, struct lia_request *request)
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

/* A whole document. An answer to an ASK belongs to the batch as well. */
static liana_status take_document(struct lia_session *s,
                                  struct lia_insub *sub,
                                  uint64_t ask_number,
                                  struct liana_slice key,
                                  struct liana_slice data)
{
    struct lia_ask *ask = ask_number ? lia_ask_find(s, ask_number) : NULL;
    struct lia_incoming *batch = open_batch(s, feed_of(s, sub));
    const struct lia_topic_number *topic;

    if (ask_number && (!ask || ask->sub != sub->number)) {
        return lia_err(&s->error, LIANA_EPROTOCOL, "an answer to no ASK");
    }
    s->stats.docs_in++;
    s->stats.payload_in += data.len;
    if (sub->state != LIA_INSUB_ENDED) {
        topic = batch ? lia_incoming_topic(batch, sub->number, sub->topic) : NULL;
        if (!topic ||
            lia_incoming_add(batch, topic, key, data, ask && !ask->is_repair)) {
            return LIANA_ENOMEM;
        }
    }
    if (ask) {
        lia_ask_answered(s, ask);
    }
    return lia_infeed_stage(s, sub->priority);
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
    status = lia_ask_absent(s, ask, sub, m->absent.key);
    lia_ask_answered(s, ask);
    return status;
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

/* What was sent before the peer had our newest SUBSCRIBE goes on from an older one. */
static liana_status add_token(struct lia_incoming *batch, const struct lia_insub *sub)
{
    struct lia_incoming_token *token =
        LIA_ARENA_NEW(&batch->arena, struct lia_incoming_token);

    if (!token) {
        return LIANA_ENOMEM;
    }
    token->generation = sub->unanswered && !LIA_MUTANT(8) ? 0 : sub->generation;
    token->topic = lia_incoming_topic(batch, sub->number, sub->topic);
    token->next = batch->tokens;
    batch->tokens = token;
    return token->topic ? LIANA_OK : LIANA_ENOMEM;
}

static bool has_token(const struct lia_incoming *batch,
                      const struct lia_topic_number *t)
{
    const struct lia_incoming_token *token = batch->tokens;

    while (token && token->topic != t) {
        token = token->next;
    }
    return token;
}

/* What was asked for again in the middle of a batch came in part, and comes again whole: a
 * part of a transaction must not be seen. */
static liana_status cancel_parts(struct lia_session *s, struct lia_infeed *feed)
{
    struct lia_incoming *batch = feed->open;
    liana_status status = LIANA_OK;

    for (const struct lia_topic_number *t = batch->topics; t && !status; t = t->next) {
        if (has_token(batch, t)) {
            continue;
        }
        if (feed->repairing) { /* with what came in part */
            return lia_err(&s->error, LIANA_EBUSY,
                           "a subscription was asked for again while gaps were filled");
        }
        status = lia_incoming_cancel(batch, t->number, lia_slice(NULL, 0));
    }
    return status;
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
    if (!status) {
        status = cancel_parts(s, feed);
    }
    if (status) {
        return status;
    }
    batch->number = m->batch.number;
    batch->seq = m->batch.seq;
    batch->is_head = m->batch.flags & 1;
    lia_infeed_complete(s, priority);
    return LIANA_OK;
}
