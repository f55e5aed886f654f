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

static void ask_free(struct lia_session *s, struct lia_ask *ask)
{
    lia_incoming_free(ask->answers);
    lia_mem_free(s->options.alloc, ask, sizeof(*ask));
}

static void ask_remove(struct lia_session *s, struct lia_ask *ask)
{
    struct lia_ask **at = &s->asks;

    while (*at != ask) {
        at = &(*at)->next;
    }
    *at = ask->next;
    ask_free(s, ask);
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
    ask->answers = lia_incoming_new(s->options.alloc);
    if (!ask->answers) {
        ask_free(s, ask);
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

static void void_document(struct lia_request *apply,
                          uint64_t sub,
                          struct liana_slice key)
{
    for (struct lia_incoming *b = apply->apply.batches; b; b = b->next) {
        for (struct lia_incoming_item *i = b->items; i; i = i->next) {
            if (i->topic->number == sub && lia_slice_cmp(i->key, key) == 0) {
                i->is_void = true;
            }
        }
    }
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
            void_document(apply, sub->number, a->gaps[i].key);
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

static bool has_repair(const struct lia_session *s, uint8_t priority)
{
    for (const struct lia_ask *ask = s->asks; ask; ask = ask->next) {
        if (ask->is_repair && ask->priority == priority) {
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
    for (const struct lia_insub *sub = s->insubs; sub && !status; sub = sub->next) {
        status = ask_gaps(s, apply, sub);
    }
    if (!status && !has_repair(s, apply->apply.priority)) {
        retry(s, feed);
    }
    return status;
}

/* The sender no longer has it: what was sent of it cannot be completed and is left. It
 * will come again if it exists. */
void lia_ask_absent(struct lia_session *s, struct lia_ask *ask, struct liana_slice key)
{
    struct lia_request *apply = s->in[ask->priority].repairing;

    if (ask->is_repair && apply) {
        void_document(apply, ask->sub, key);
    }
}

/* The answers stand behind what they repair. */
static void add_repairs(struct lia_request *apply, struct lia_incoming *answers)
{
    struct lia_incoming *last = apply->apply.batches;

    while (last->next) {
        last = last->next;
    }
    last->next = answers;
    apply->apply.bytes += answers->bytes;
}

liana_status lia_ask_answered(struct lia_session *s, struct lia_ask *ask)
{
    struct lia_infeed *feed = &s->in[ask->priority];
    struct lia_incoming *answers = ask->answers;
    bool is_repair = ask->is_repair;
    uint8_t priority = ask->priority;

    if (--ask->remaining > 0) {
        return LIANA_OK;
    }
    ask->answers = NULL;
    ask_remove(s, ask);
    s->pending += answers->bytes;
    if (!is_repair) {
        lia_infeed_apply(s, answers, priority, true);
        return LIANA_OK;
    }
    add_repairs(feed->repairing, answers);
    if (!has_repair(s, priority)) {
        retry(s, feed);
    }
    return LIANA_OK;
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
    if (owed->count) {
        s->owed_at = s->now + LIA_OWED_MS;
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
