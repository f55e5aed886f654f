/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/internal.h"

/*
 * Complete batches: put in a queue, applied in order, acknowledged when that is durable.
 */

/* ---- what follows from a batch ---- */

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

/* What is put aside is durable, and not held: the peer sends on, and keeps it. */
static void send_ack(struct lia_session *s,
                     uint8_t priority,
                     uint64_t number,
                     bool awaits)
{
    struct lia_infeed *feed = &s->in[priority];
    struct lia_msg msg = {.type = LIA_MSG_ACK,
                          .ack = {.priority = priority,
                                  .number = number,
                                  .kind = awaits ? LIA_ACK_AWAITS : LIA_ACK_HELD}};

    if (number > feed->acked || (feed->awaits && !awaits)) {
        feed->acked = number;
        feed->awaits = awaits;
        lia_session_send(s, &msg);
    }
}

void lia_infeed_held(struct lia_session *s)
{
    for (uint8_t i = 0; i < LIA_WIRE_PRIORITIES; i++) {
        send_ack(s, i, s->in[i].acked, false);
    }
}

static liana_status say_why(const struct lia_refusal *refusal, struct liana_error *err)
{
    return refusal->reason == LIANA_ECLOCK
               ? lia_err(err, LIANA_ECLOCK,
                         "a document is stamped %llu seconds ahead of the time here",
                         (unsigned long long)(refusal->ahead_ms / 1000))
               : lia_err_plain(err, refusal->reason);
}

static void report_refusals(struct lia_session *s,
                            const struct lia_apply_request *apply)
{
    for (size_t i = 0; i < apply->refusal_count; i++) {
        struct lia_action *action = lia_session_act(s, LIA_ACTION_REFUSED);

        if (action) {
            LIA_IGNORE(say_why(&apply->refusals[i], &action->error)); /* only made */
        }
        if (s->owed_at == LIA_NEVER || LIA_MUTANT(16)) {
            s->owed_at = s->now + LIA_OWED_MS;
        }
    }
}

/* ---- the queue ---- */

static void enqueue(struct lia_session *s,
                    struct lia_infeed *feed,
                    struct lia_incoming *b)
{
    s->pending += b->bytes;
    *feed->queue_last = b;
    feed->queue_last = &b->next;
}

/* Takes batches off the queue, up to and with `last`. */
static struct lia_incoming *take_up_to(struct lia_infeed *feed,
                                       struct lia_incoming *last)
{
    struct lia_incoming *first = feed->queue;

    feed->queue = last->next;
    if (!feed->queue) {
        feed->queue_last = &feed->queue;
    }
    last->next = NULL;
    return first;
}

/* Several small batches make one transaction. A stage is applied alone. */
static struct lia_incoming *take_queue(struct lia_infeed *feed)
{
    struct lia_incoming *last = feed->queue;
    size_t bytes = last->bytes;

    while (!feed->queue->stage && last->next && !last->next->stage &&
           !last->next->awaits_stage &&
           bytes + last->next->bytes <= LIA_COALESCE_BYTES_MAX) {
        last = last->next;
        bytes += last->bytes;
    }
    return take_up_to(feed, last);
}

struct lia_incoming *lia_infeed_take(struct lia_infeed *feed, uint64_t number)
{
    struct lia_incoming *last = NULL;

    for (struct lia_incoming *b = feed->queue; b && b->number <= number; b = b->next) {
        if (b->awaits_stage) {
            return NULL;
        }
        last = b;
    }
    return last ? take_up_to(feed, last) : NULL;
}

/* ---- applying ---- */

static void free_batches(struct lia_incoming *batch)
{
    while (batch) {
        struct lia_incoming *next = batch->next;

        lia_incoming_free(batch);
        batch = next;
    }
}

void lia_apply_add(struct lia_apply_request *apply, struct lia_incoming *batches)
{
    struct lia_incoming **last = &apply->batches;

    while (*last) {
        last = &(*last)->next;
    }
    *last = batches;
    for (const struct lia_incoming *b = batches; b; b = b->next) {
        apply->bytes += b->bytes;
        if (b->seq > apply->peer.seq) {
            apply->peer.seq = b->seq;
        }
    }
}

static void apply(struct lia_session *s, struct lia_incoming *batches, uint8_t priority)
{
    struct lia_request *request = lia_session_new_request(s, LIA_REQUEST_APPLY);

    if (!request) {
        free_batches(batches);
        return;
    }
    request->apply.peer = s->peer;
    request->apply.clock_max_ms = LIA_MUTANT(13) ? 0 : lia_session_clock_max(s);
    request->apply.priority = priority;
    lia_apply_add(&request->apply, batches);
    lia_session_request(s, request);
}

static void try_apply(struct lia_session *s, uint8_t priority)
{
    struct lia_infeed *feed = &s->in[priority];

    if (feed->repairing) {
        lia_repair_go_on(s, priority);
    } else if (!feed->is_applying && feed->queue && !feed->queue->awaits_stage) {
        feed->is_applying = true;
        feed->repairs = 0;
        apply(s, take_queue(feed), priority);
    }
}

/* A batch without documents changes tokens and marks only. It is worth no transaction of
 * its own at once: it is kept, and acknowledged, with the next one or after a while. */
void lia_infeed_complete(struct lia_session *s, uint8_t priority)
{
    struct lia_infeed *feed = &s->in[priority];
    struct lia_incoming *batch = feed->open;
    bool is_idle = !feed->queue && !feed->is_applying;

    feed->open = NULL;
    if (!batch->items && !batch->stage && !batch->awaits_stage && is_idle &&
        !feed->lazy) {
        report_progress(s, batch);
        if (LIA_MUTANT(5)) {
            send_ack(s, priority, batch->number, false);
        }
        feed->lazy = batch;
        feed->lazy_since = s->now;
        return;
    }
    if (feed->lazy) {
        enqueue(s, feed, feed->lazy);
        feed->lazy = NULL;
    }
    enqueue(s, feed, batch);
    lia_repair_note(s, priority, batch->number);
    try_apply(s, priority);
}

static liana_status applied(struct lia_session *s, struct lia_request *request)
{
    struct lia_apply_request *a = &request->apply;
    struct lia_infeed *feed = &s->in[a->priority];
    uint64_t last = 0;

    if (!a->is_committed) {
        return lia_repair_gaps(s, request);
    }
    report_refusals(s, a);
    for (const struct lia_incoming *b = a->batches; b; b = b->next) {
        report_progress(s, b);
        last = b->number > last ? b->number : last;
        s->pending -= b->bytes;
    }
    feed->is_applying = false;
    s->has_aside = s->has_aside || a->awaits;
    if (a->has_lost) {
        return lia_begin_again(s);
    }
    send_ack(s, a->priority, last, a->awaits && !LIA_MUTANT(14));
    try_apply(s, a->priority);
    return LIANA_OK;
}

/* ---- parts of large batches ---- */

/* What is put aside is named by them, if it cannot be applied. */
static liana_status keep_topics(struct lia_incoming *rest,
                                const struct lia_incoming *open)
{
    const struct lia_topic_number *t = open->topics;

    while (t && lia_incoming_topic(rest, t->number, t->topic)) {
        t = t->next;
    }
    return t ? LIANA_ENOMEM : LIANA_OK;
}

/* Where marks stand, the end of the batch is near; they are not staged. */
liana_status lia_infeed_stage(struct lia_session *s, uint8_t priority)
{
    struct lia_infeed *feed = &s->in[priority];
    struct lia_request *request;
    struct lia_incoming *rest;

    if (feed->staging || !feed->open || feed->open->marks ||
        feed->open->bytes < s->options.stage_bytes) {
        return LIANA_OK;
    }
    rest = lia_incoming_new(s->options.alloc);
    request = lia_session_new_request(s, LIA_REQUEST_STAGE);
    if (!rest || !request || keep_topics(rest, feed->open)) {
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

static liana_status staged(struct lia_session *s, struct lia_request *request)
{
    uint8_t priority = request->stage.priority;
    struct lia_infeed *feed = &s->in[priority];

    feed->staging->stage = request->stage.batch->stage;
    feed->staging->awaits_stage = false;
    feed->staging = NULL;
    s->pending -= request->stage.batch->bytes;
    try_apply(s, priority);
    return lia_infeed_stage(s, priority);
}

liana_status lia_infeed_result(struct lia_session *s, struct lia_request *request)
{
    if (request->status) {
        s->error = request->error;
        return request->status;
    }
    switch (request->kind) {
    case LIA_REQUEST_COMPARE: return lia_infeed_compared(s, request);
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
