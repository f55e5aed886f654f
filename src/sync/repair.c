/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/internal.h"

/* Items in one ASK: far below LIA_WIRE_HAVE_MAX, so that the frame stays small whatever
 * the vectors. */
#define ASK_ITEMS 128u

struct lia_ask *lia_ask_find(struct lia_session *s, uint64_t number)
{
    struct lia_ask *ask = s->asks;

    while (ask && ask->number != number) {
        ask = ask->next;
    }
    return ask;
}

static void ask_remove(struct lia_session *s, struct lia_ask *ask)
{
    struct lia_ask **at = &s->asks;

    while (*at != ask) {
        at = &(*at)->next;
    }
    *at = ask->next;
    lia_mem_free(s->options.alloc, ask, sizeof(*ask));
}

void lia_asks_deinit(struct lia_session *s)
{
    while (s->asks) {
        ask_remove(s, s->asks);
    }
}

/* Sends one ASK for items of one subscription. */
static liana_status ask(struct lia_session *s,
                        const struct lia_insub *sub,
                        struct lia_wire_want_item *items,
                        size_t count,
                        bool is_repair)
{
    struct lia_ask *ask = lia_mem_zalloc(s->options.alloc, sizeof(*ask));
    struct lia_msg msg = {.type = LIA_MSG_ASK};

    if (!ask) {
        return LIANA_ENOMEM;
    }
    ask->number = ++s->ask_number;
    ask->sub = sub->number;
    ask->remaining = count;
    ask->is_repair = is_repair;
    ask->priority = sub->priority;
    ask->next = s->asks;
    s->asks = ask;
    msg.ask.sub = sub->number;
    msg.ask.number = ask->number;
    msg.ask.items = items;
    msg.ask.items_count = count;
    lia_session_send(s, &msg);
    return LIANA_OK;
}

/* ---- gaps ---- */

/* Without a key: nobody wants the subscription any more. */
static liana_status cancel(struct lia_request *apply,
                           uint64_t sub,
                           struct liana_slice key)
{
    liana_status status = LIANA_OK;

    for (struct lia_incoming *b = apply->apply.batches; b && !status; b = b->next) {
        status = lia_incoming_cancel(b, sub, key);
    }
    return status;
}

/* Asks for the gaps that belong to `sub`, from `*at` on. */
static liana_status ask_gaps(struct lia_session *s,
                             struct lia_request *apply,
                             const struct lia_insub *sub)
{
    const struct lia_apply_request *a = &apply->apply;
    struct lia_wire_want_item items[ASK_ITEMS];
    size_t count = 0;
    liana_status status = LIANA_OK;

    for (size_t i = 0; i < a->gap_count && !status; i++) {
        if (a->gaps[i].topic->number != sub->number) {
            continue;
        }
        if (LIA_MUTANT(3)) {
            status = cancel(apply, sub->number, a->gaps[i].key);
            continue;
        }
        items[count++] = (struct lia_wire_want_item){a->gaps[i].key, a->gaps[i].vector};
        if (count == ASK_ITEMS) {
            status = ask(s, sub, items, count, true);
            count = 0;
        }
    }
    return !status && count ? ask(s, sub, items, count, true) : status;
}

static bool has_repair(struct lia_session *s, uint8_t priority)
{
    for (const struct lia_ask *ask = s->asks; ask; ask = ask->next) {
        const struct lia_insub *sub = lia_insub_find(s, ask->sub);

        if (ask->is_repair && ask->priority == priority && sub &&
            sub->state != LIA_INSUB_ENDED) {
            return true;
        }
    }
    return false;
}

/* Applies the whole again, with what came. */
static void retry(struct lia_session *s, struct lia_infeed *feed)
{
    struct lia_request *request = feed->repairing;
    struct lia_apply_request *a = &request->apply;

    feed->repairing = NULL;
    a->gaps = NULL;
    a->gap_count = 0;
    a->refusals = NULL;
    a->refusal_count = 0;
    lia_session_request(s, request);
}

liana_status lia_repair_gaps(struct lia_session *s, struct lia_request *apply)
{
    struct lia_infeed *feed = &s->in[apply->apply.priority];
    liana_status status = LIANA_OK;

    if (++feed->repairs > LIA_REPAIRS_MAX) {
        return lia_err(&s->error, LIANA_EGAP, "a batch has gaps that are not filled");
    }
    feed->repairing = apply;
    s->result = NULL; /* kept */
    feed->repaired_at = 0;
    for (const struct lia_insub *sub = s->insubs; sub && !status; sub = sub->next) {
        if (sub->state == LIA_INSUB_ENDED) {
            status = cancel(apply, sub->number, lia_slice(NULL, 0));
        } else {
            status = ask_gaps(s, apply, sub);
        }
    }
    if (!status && !has_repair(s, apply->apply.priority)) {
        retry(s, feed);
    }
    return status;
}

void lia_repair_note(struct lia_session *s, uint8_t priority, uint64_t number)
{
    struct lia_infeed *feed = &s->in[priority];

    if (feed->repairing && !feed->repaired_at && !has_repair(s, priority)) {
        feed->repaired_at = number;
    }
    if (feed->repairing && !feed->repaired_at &&
        number - feed->acked >= LIA_UNACKED_MAX) { /* it can send no more of them */
        lia_session_fail(
            s, lia_err(&s->error, LIANA_EGAP, "a batch has gaps that are not filled"));
    }
}

/* An answer shows its document as it was at the sender then, maybe with a part of a
 * transaction whose other documents come in the same batch at the latest. */
void lia_repair_go_on(struct lia_session *s, uint8_t priority)
{
    struct lia_infeed *feed = &s->in[priority];
    struct lia_incoming *batches =
        feed->repaired_at ? lia_infeed_take(feed, feed->repaired_at) : NULL;

    if (batches) {
        lia_apply_add(&feed->repairing->apply, batches);
        retry(s, feed);
    }
}

liana_status lia_begin_again(struct lia_session *s)
{
    return lia_err(&s->error, LIANA_EBUSY,
                   "a document that was to come is gone: what there is is told anew");
}

/* What is owed cannot be paid by this peer any more, and what waits for it never be believed. */
static liana_status lose(struct lia_session *s,
                         const struct lia_insub *sub,
                         struct liana_slice key)
{
    struct lia_request *request = lia_session_new_request(s, LIA_REQUEST_LOST);

    if (!request || lia_topic_copy(&request->arena, sub->topic, &request->lost.topic) ||
        !lia_arena_copy(&request->arena, key, &request->lost.key)) {
        lia_request_free(request);
        return LIANA_ENOMEM;
    }
    lia_session_request(s, request);
    return LIANA_OK;
}

/* The sender no longer has it, and said before that we would: nothing of the batch is taken.
 * What it says in the next session is so. */
liana_status lia_ask_absent(struct lia_session *s,
                            const struct lia_ask *ask,
                            const struct lia_insub *sub,
                            struct liana_slice key)
{
    if (LIA_MUTANT(9)) {
        return LIANA_OK;
    }
    return ask->is_repair ? lia_begin_again(s) : lose(s, sub, key);
}

liana_status lia_ask_lost_result(struct lia_session *s, struct lia_request *request)
{
    if (request->status) {
        s->error = request->error;
        return request->status;
    }
    return lia_begin_again(s);
}

void lia_ask_answered(struct lia_session *s, struct lia_ask *ask)
{
    if (--ask->remaining == 0) {
        ask_remove(s, ask);
    }
}

/* ---- what could not be applied before ---- */

void lia_ask_owed(struct lia_session *s)
{
    struct lia_request *request = lia_session_new_request(s, LIA_REQUEST_OWED);

    s->owed_at = LIA_NEVER;
    for (const struct lia_insub *sub = s->insubs; sub && request; sub = sub->next) {
        struct lia_topic_number *topic;

        if (sub->state != LIA_INSUB_ASKED) {
            continue;
        }
        topic = LIA_ARENA_NEW(&request->arena, struct lia_topic_number);
        if (!topic || lia_topic_copy(&request->arena, sub->topic, &topic->topic)) {
            lia_request_free(request);
            lia_session_fail(s, LIANA_ENOMEM);
            return;
        }
        topic->number = sub->number;
        topic->next = request->owed.topics;
        request->owed.topics = topic;
    }
    if (request) {
        s->is_owing = true;
        s->has_aside = false;
        lia_session_request(s, request);
    }
}

liana_status lia_ask_owed_result(struct lia_session *s, struct lia_request *request)
{
    const struct lia_owed_request *owed = &request->owed;
    liana_status status = LIANA_OK;

    s->is_owing = false;
    if (request->status) {
        s->error = request->error;
        return request->status;
    }
    if (owed->count || owed->has_more) {
        s->owed_at = s->now + LIA_OWED_MS;
    }
    if (!owed->awaits && !(s->has_aside && !LIA_MUTANT(15))) {
        lia_infeed_held(s);
    }
    for (struct lia_insub *sub = s->insubs; sub && !status; sub = sub->next) {
        struct lia_wire_want_item items[ASK_ITEMS];
        size_t count = 0;

        for (size_t i = 0; i < owed->count && count < ASK_ITEMS; i++) {
            if (owed->items[i].number == sub->number) {
                items[count++] = (struct lia_wire_want_item){owed->items[i].key,
                                                             owed->items[i].vector};
            }
        }
        if (count && sub->state == LIA_INSUB_ASKED) {
            status = ask(s, sub, items, count, false);
        }
    }
    return status;
}
