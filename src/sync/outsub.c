/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/internal.h"

struct lia_outsub *lia_outsub_find(struct lia_session *s, uint64_t number)
{
    struct lia_outsub *sub = s->outsubs;

    while (sub && sub->number != number) {
        sub = sub->next;
    }
    return sub;
}

static void outsub_free(struct lia_session *s, struct lia_outsub *sub)
{
    lia_kept_deinit(s->options.alloc, &sub->marks);
    lia_kept_deinit(s->options.alloc, &sub->new_marks);
    lia_kept_deinit(s->options.alloc, &sub->kept);
    lia_kept_deinit(s->options.alloc, &sub->new_kept);
    lia_kept_deinit(s->options.alloc, &sub->evicted);
    lia_arena_deinit(&sub->arena);
    lia_mem_free(s->options.alloc, sub, sizeof(*sub));
}

/* `how`: where the feed is to begin. */
static void request_registration(struct lia_session *s,
                                 const struct lia_outsub *sub,
                                 struct lia_register_request how)
{
    struct lia_request *request = lia_session_new_request(s, LIA_REQUEST_REGISTER);

    if (!request) {
        return;
    }
    request->registering = how;
    request->registering.number = sub->number;
    if (lia_topic_copy(&request->arena, sub->topic, &request->registering.topic)) {
        lia_session_fail(s, LIANA_ENOMEM);
    }
    s->registering++;
    lia_session_request(s, request);
}

/* What was read for it and not sent yet does not count. */
static void begin_again(struct lia_session *s, struct lia_outsub *sub)
{
    sub->state = LIA_OUTSUB_REGISTERING;
    sub->is_member = false;
    sub->is_exact = false;
    lia_kept_deinit(s->options.alloc, &sub->new_marks);
    lia_kept_deinit(s->options.alloc, &sub->new_kept);
}

/* What the peer says of itself now. */
static liana_status take_state(struct lia_session *s,
                               struct lia_outsub *sub,
                               const struct lia_wire_subscribe *from)
{
    const struct liana_allocator *a = s->options.alloc;
    liana_status status;

    lia_kept_deinit(a, &sub->marks);
    status = lia_kept_join(a, &sub->marks, from->marks);
    if (!status) {
        status = lia_kept_join(a, &sub->evicted, from->evicted);
    }
    sub->forgotten =
        from->forgotten > sub->forgotten ? from->forgotten : sub->forgotten;
    sub->is_unmarked = sub->is_unmarked || (from->flags & LIA_SUBSCRIBE_UNMARKED);
    s->more_follow = from->flags & LIA_SUBSCRIBE_MORE;
    return status;
}

static struct lia_register_request token_of(const struct lia_wire_subscribe *from)
{
    return (struct lia_register_request){.epoch = from->epoch,
                                         .seq = from->seq,
                                         .is_again = from->flags & LIA_SUBSCRIBE_AGAIN,
                                         .awaits = from->flags & LIA_SUBSCRIBE_AWAITS};
}

static liana_status subscribe_again(struct lia_session *s,
                                    struct lia_outsub *sub,
                                    const struct lia_wire_subscribe *from)
{
    liana_status status;

    if (sub->state == LIA_OUTSUB_ENDED) { /* refused, and the two messages crossed */
        s->more_follow = from->flags & LIA_SUBSCRIBE_MORE;
        return LIANA_OK;
    }
    if (lia_slice_cmp(lia_str_slice(sub->topic.collection),
                      lia_str_slice(from->collection)) != 0 ||
        lia_slice_cmp(sub->topic.query, from->query) != 0 ||
        sub->priority != from->priority) {
        return lia_err(&s->error, LIANA_EPROTOCOL, "subscription %llu twice",
                       (unsigned long long)from->sub);
    }
    begin_again(s, sub);
    status = take_state(s, sub, from);
    if (!status) {
        request_registration(s, sub, token_of(from));
    }
    return status;
}

liana_status lia_on_subscribe(struct lia_session *s, const struct lia_msg *m)
{
    const struct lia_wire_subscribe *from = &m->subscribe;
    const struct lia_topic topic = {from->collection, from->query};
    struct lia_outsub *sub = lia_outsub_find(s, from->sub);

    if (sub) {
        return subscribe_again(s, sub, from);
    }
    if (s->outsub_count == LIA_SUBSCRIPTIONS_MAX) {
        return lia_err(&s->error, LIANA_ELIMIT, "more than %d subscriptions",
                       LIA_SUBSCRIPTIONS_MAX);
    }
    sub = lia_mem_zalloc(s->options.alloc, sizeof(*sub));
    if (!sub) {
        return LIANA_ENOMEM;
    }
    lia_arena_init(&sub->arena, s->options.alloc);
    sub->number = from->sub;
    sub->priority = (uint8_t)from->priority;
    if (lia_topic_copy(&sub->arena, topic, &sub->topic) || take_state(s, sub, from)) {
        outsub_free(s, sub);
        return LIANA_ENOMEM;
    }
    sub->next = s->outsubs;
    s->outsubs = sub;
    s->outsub_count++;
    request_registration(s, sub, token_of(from));
    return LIANA_OK;
}

void lia_outsub_restart(struct lia_session *s, struct lia_outsub *sub)
{
    begin_again(s, sub);
    request_registration(s, sub, (struct lia_register_request){.is_own = true});
}

/* What was sent up to there the peer may not have yet. */
void lia_outsub_renew(struct lia_session *s, struct lia_outsub *sub)
{
    begin_again(s, sub);
    request_registration(s, sub,
                         (struct lia_register_request){.epoch = s->greet.own.epoch,
                                                       .seq = sub->position,
                                                       .awaits = true,
                                                       .is_renewed = true,
                                                       .is_own = true});
}

/* One for each SUBSCRIBE: the peer counts them (lia_on_subscribed). */
static void send_subscribed(struct lia_session *s, const struct lia_request *request)
{
    struct lia_msg msg = {.type = LIA_MSG_SUBSCRIBED};

    if (request->registering.is_own && !request->status) {
        return;
    }
    msg.subscribed.sub = request->registering.number;
    msg.subscribed.status = request->status;
    if (request->status) {
        msg.subscribed.text = lia_str(request->error.message);
    } else {
        msg.subscribed.start = request->registering.start;
        msg.subscribed.expected = request->registering.expected;
    }
    lia_session_send(s, &msg);
}

static void unregister(struct lia_session *s, uint64_t registration)
{
    struct lia_request *request = lia_session_new_request(s, LIA_REQUEST_UNREGISTER);

    if (request) {
        request->unregister.registration = registration;
        lia_session_request(s, request);
    }
}

/* The peer lost its token, not what it holds: what it sees stays whole. */
static bool reflects_others(const struct lia_outsub *sub)
{
    return sub->marks.count > 1;
}

/* What is asked for cannot be had; anything else says nothing of this subscription, and may
 * pass. */
static bool is_refusal(liana_status status)
{
    switch (liana_status_category(status)) {
    case LIANA_CATEGORY_USAGE:
    case LIANA_CATEGORY_EXPECTED:
    case LIANA_CATEGORY_AUTH: return true;
    case LIANA_CATEGORY_RESOURCE: return status != LIANA_ENOMEM;
    default: return false;
    }
}

/* A refusal of one subscription leaves the others and the session alone. Where the store
 * fails that would part what was written under several of them. */
liana_status lia_outsub_result(struct lia_session *s, struct lia_request *request)
{
    struct lia_outsub *sub = lia_outsub_find(s, request->registering.number);

    LIA_ASSERT(sub); /* it stays until its registration is answered */
    s->registering--;
    if (sub->state == LIA_OUTSUB_ENDED) {
        if (!request->status) {
            unregister(s, request->registering.registration);
        }
        return LIANA_OK;
    }
    if (request->status && !is_refusal(request->status) && !LIA_MUTANT(10)) {
        s->error = request->error;
        return request->status;
    }
    send_subscribed(s, request);
    if (request->status) {
        sub->state = LIA_OUTSUB_ENDED;
        return LIANA_OK;
    }
    sub->state = LIA_OUTSUB_ACTIVE;
    sub->registration = request->registering.registration;
    sub->position = request->registering.start;
    sub->is_filling = !request->registering.is_resumed && !reflects_others(sub);
    sub->is_new = true;
    sub->forgotten_seq = request->registering.forgotten_seq;
    if (request->registering.looks_again) {
        lia_insub_again(s);
    }
    sub->noting.number = 0;
    sub->sent[0].number = 0;
    sub->noted_seq = 0;
    sub->noted_at = s->now;
    return LIANA_OK;
}

/* ---- how far the peer is ---- */

/* With a query, storage keeps what leaves until the peer has it. */
void lia_outsub_sent(struct lia_session *s, struct lia_outsub *sub, uint64_t number)
{
    bool is_much =
        sub->topic.query.len && sub->position >= sub->noted_seq + LIA_NOTE_SEQS;

    sub->sent[1] = (struct lia_unacked){number, sub->position};
    sub->sent[0] = sub->sent[0].number ? sub->sent[0] : sub->sent[1];
    if (!sub->noting.number && (is_much || s->now >= sub->noted_at + LIA_NOTE_MS)) {
        sub->noting = (struct lia_unacked){number, sub->position};
    }
}

/* That it is there is worth a note also where it awaits something for days. */
static void note(struct lia_session *s, struct lia_outsub *sub, bool is_held)
{
    struct lia_request *request = lia_session_new_request(s, LIA_REQUEST_ACKED);

    if (!request) {
        return;
    }
    request->acked.registration = sub->registration;
    request->acked.seq = is_held ? sub->noting.seq : 0;
    sub->noted_seq = sub->noting.seq;
    sub->noted_at = s->now;
    sub->noting.number = 0;
    lia_session_request(s, request);
}

/* What it holds is told as it moves: what it does not hold is not evicted. */
static void pass(struct lia_session *s, struct lia_outsub *sub, uint64_t number)
{
    const struct lia_unacked *last =
        sub->sent[1].number <= number ? &sub->sent[1] : &sub->sent[0];
    struct lia_action *action;

    if (!sub->sent[0].number || last->number > number) {
        return;
    }
    action = lia_session_act(s, LIA_ACTION_PASSED);
    if (action) {
        action->id = sub->registration;
        action->seq = last->seq;
    }
    if (last == &sub->sent[1]) {
        sub->sent[0].number = 0;
    } else {
        sub->sent[0] = sub->sent[1];
    }
}

void lia_outsub_acked(struct lia_session *s,
                      uint8_t priority,
                      uint64_t number,
                      bool is_held)
{
    for (struct lia_outsub *sub = s->outsubs; sub; sub = sub->next) {
        if (sub->state != LIA_OUTSUB_ACTIVE || sub->priority != priority) {
            continue;
        }
        if (is_held) {
            pass(s, sub, number);
        }
        if (sub->noting.number && sub->noting.number <= number) {
            note(s, sub, is_held);
        }
    }
}

liana_status lia_on_unsubscribe(struct lia_session *s, const struct lia_msg *m)
{
    struct lia_outsub *sub = lia_outsub_find(s, m->unsubscribe.sub);

    if (!sub) {
        return LIANA_OK; /* it was refused, and the two messages crossed */
    }
    if (sub->state == LIA_OUTSUB_ACTIVE) {
        unregister(s, sub->registration);
    }
    sub->state = LIA_OUTSUB_ENDED;
    return LIANA_OK;
}

void lia_outsub_sweep(struct lia_session *s)
{
    struct lia_outsub **at = &s->outsubs;

    if (s->registering || s->answering) {
        return;
    }
    while (*at) {
        struct lia_outsub *sub = *at;

        if (sub->state == LIA_OUTSUB_ENDED && !sub->is_member) {
            *at = sub->next;
            outsub_free(s, sub);
            s->outsub_count--;
        } else {
            at = &sub->next;
        }
    }
}

void lia_outsub_deinit(struct lia_session *s)
{
    while (s->outsubs) {
        struct lia_outsub *next = s->outsubs->next;

        outsub_free(s, s->outsubs);
        s->outsubs = next;
    }
}
