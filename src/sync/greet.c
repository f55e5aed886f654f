/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/internal.h"

void lia_greet_open(struct lia_session *s, struct liana_slice proof)
{
    struct lia_msg msg = {.type = LIA_MSG_PROOF, .proof = {.proof = proof}};

    s->state = LIA_SESSION_PROVING;
    lia_session_send(s, &msg);
    lia_session_request(s, lia_session_new_request(s, LIA_REQUEST_GREET));
}

liana_status lia_on_proof(struct lia_session *s, const struct lia_msg *m)
{
    struct lia_action *action;

    if (s->is_verifying || s->is_trusted) {
        return lia_err(&s->error, LIANA_EPROTOCOL, "a second PROOF");
    }
    s->is_verifying = true;
    action = lia_session_act(s, LIA_ACTION_VERIFY);
    if (action && !lia_arena_copy(&s->actions->arena, m->proof.proof, &action->bytes)) {
        return LIANA_ENOMEM;
    }
    return LIANA_OK;
}

/* Nothing but the proof leaves before the peer is trusted: name, database and what we
 * want are told to members only. */
static void send_hello(struct lia_session *s)
{
    const struct lia_session_options *o = &s->options;
    struct lia_msg msg = {.type = LIA_MSG_HELLO};
    struct lia_wire_hello *hello = &msg.hello;

    if (!(s->is_trusted || LIA_MUTANT(4)) || !s->has_greet ||
        s->state != LIA_SESSION_PROVING) {
        return;
    }
    hello->version_min = LIA_PROTOCOL_VERSION;
    hello->version_max = LIA_PROTOCOL_VERSION;
    memcpy(hello->database, o->database, sizeof(hello->database));
    memcpy(hello->peer, o->self, sizeof(hello->peer));
    hello->actor = s->greet.own.actor;
    hello->epoch = s->greet.own.epoch;
    hello->seq = s->greet.own.seq;
    hello->hlc = s->greet.own.hlc;
    hello->openings = s->greet.own.openings;
    hello->openings_count = s->greet.own.opening_count;
    hello->seen_epoch = s->greet.seen.epoch;
    hello->seen_seq = s->greet.seen.seq;
    hello->seen_actor = s->greet.seen.actor;
    hello->seen_hlc = s->greet.seen.hlc;
    hello->seen_openings = s->greet.seen.openings;
    hello->seen_openings_count = s->greet.seen.opening_count;
    hello->clock_ms = s->greet.clock_ms;
    hello->number = o->number;
    hello->window = o->window_bytes;
    hello->batch_max = o->batch_bytes_max;
    hello->name = o->name;
    lia_session_send(s, &msg);
    lia_session_flush(s);
    s->out_is_packed = true;
    s->granted = o->window_bytes;
    s->state = LIA_SESSION_GREETING;
}

liana_status lia_greet_verdict(struct lia_session *s, const struct liana_error *verdict)
{
    if (!s->is_verifying || s->is_trusted) {
        return LIANA_OK;
    }
    s->is_verifying = false;
    if (verdict->status) {
        s->error = *verdict;
        return verdict->status;
    }
    s->is_trusted = true;
    send_hello(s);
    return LIANA_OK;
}

liana_status lia_greet_result(struct lia_session *s, struct lia_request *request)
{
    if (request->status) {
        s->error = request->error;
        return request->status;
    }
    s->greet = request->greet;
    s->has_greet = true;
    s->head = s->head > s->greet.own.seq ? s->head : s->greet.own.seq;
    send_hello(s);
    return LIANA_OK;
}

static liana_status check_hello(struct lia_session *s,
                                const struct lia_wire_hello *hello)
{
    const struct lia_session_options *o = &s->options;

    if (hello->version_min > LIA_PROTOCOL_VERSION ||
        hello->version_max < LIA_PROTOCOL_VERSION) {
        return lia_err(&s->error, LIANA_EVERSION,
                       "peer speaks protocol versions %llu to %llu, this library %d",
                       (unsigned long long)hello->version_min,
                       (unsigned long long)hello->version_max, LIA_PROTOCOL_VERSION);
    }
    if (memcmp(hello->database, o->database, sizeof(o->database)) != 0) {
        return lia_err_plain(&s->error, LIANA_EDATABASE);
    }
    if (memcmp(hello->peer, o->remote, sizeof(o->remote)) != 0) {
        return lia_err(&s->error, LIANA_EAUTH,
                       "peer calls itself by another id than its certificate");
    }
    if (hello->epoch == 0 || hello->number == 0 || hello->actor == 0 ||
        hello->window < LIA_SESSION_WINDOW_MIN) {
        return lia_err(&s->error, LIANA_EPROTOCOL, "HELLO with values out of range");
    }
    if (hello->seen_epoch == s->greet.own.epoch && hello->seen_seq > s->head) {
        return lia_err(&s->error, LIANA_EPROTOCOL,
                       "peer has seen commits that do not exist");
    }
    return LIANA_OK;
}

/* ---- meeting ---- */

static void copy_openings(struct lia_history *out,
                          const struct lia_wire_opening *openings,
                          size_t count)
{
    if (count) {
        memcpy(out->openings, openings, count * sizeof(*openings));
    }
    out->opening_count = count;
}

/* The peer shares openings or the actor with this store: one is a copy of the other. */
static bool is_kin(const struct lia_history *own, const struct lia_history *peer)
{
    for (size_t i = 0; i < own->opening_count; i++) {
        for (size_t j = 0; j < peer->opening_count; j++) {
            if (own->openings[i].epoch == peer->openings[j].epoch) {
                return true;
            }
        }
    }
    return own->actor == peer->actor;
}

static void begin(struct lia_session *s)
{
    s->state = LIA_SESSION_ACTIVE;
    s->owed_at = s->now;
    s->clock_at = s->now;
    s->told_at = s->now;
    s->told_ms = s->greet.clock_ms ? s->greet.clock_ms : s->hello.clock_ms;
    lia_session_act(s, LIA_ACTION_GREETED);
}

/* Most of the time there is nothing to find out: each has seen this very opening of the
 * other, and the clock is known. */
static liana_status meet(struct lia_session *s, const struct lia_wire_hello *hello)
{
    struct lia_meet_request meet = {.clock_ms = hello->clock_ms};
    struct lia_request *request;
    bool is_foreseen =
        hello->seen_epoch == 0 || hello->seen_epoch == s->greet.own.epoch;
    bool is_on_time =
        s->greet.clock_ms && hello->clock_ms && hello->clock_ms <= s->greet.held_ms;

    if (s->greet.seen.epoch != hello->epoch) {
        meet.actor = hello->actor;
    }

    if (!is_foreseen) {
        meet.seen = (struct lia_history){.epoch = hello->seen_epoch,
                                         .seq = hello->seen_seq,
                                         .actor = hello->seen_actor,
                                         .hlc = hello->seen_hlc};
        copy_openings(&meet.seen, hello->seen_openings, hello->seen_openings_count);
    }
    if (is_kin(&s->greet.own, &s->peer)) {
        meet.peer = s->peer;
    }
    if (is_foreseen && is_on_time && !meet.peer.epoch && !meet.actor) {
        begin(s);
        return LIANA_OK;
    }
    request = lia_session_new_request(s, LIA_REQUEST_MEET);
    if (!request) {
        return LIANA_ENOMEM;
    }
    request->meet = meet;
    s->is_meeting = true;
    lia_session_request(s, request);
    return LIANA_OK;
}

liana_status lia_meet_result(struct lia_session *s, struct lia_request *request)
{
    s->is_meeting = false;
    if (request->status) {
        s->error = request->error;
        return request->status;
    }
    if (request->meet.is_renewed) {
        return lia_err_plain(&s->error, LIANA_ERENEWED);
    }
    if (request->meet.is_copy) {
        return lia_err_plain(&s->error, LIANA_ECOPY);
    }
    begin(s);
    return LIANA_OK;
}

liana_status lia_on_hello(struct lia_session *s, const struct lia_msg *m)
{
    liana_status status = check_hello(s, &m->hello);
    struct liana_slice name;

    if (status) {
        return status;
    }
    if (!lia_arena_copy(&s->arena, lia_str_slice(m->hello.name), &name)) {
        return LIANA_ENOMEM;
    }
    s->hello = m->hello;
    s->hello.name = lia_slice_str(name);
    s->hello.metadata = lia_slice(NULL, 0);
    s->hello.openings = NULL;
    s->hello.seen_openings = NULL;
    s->peer = (struct lia_history){.epoch = m->hello.epoch,
                                   .seq = m->hello.seq,
                                   .actor = m->hello.actor,
                                   .hlc = m->hello.hlc};
    copy_openings(&s->peer, m->hello.openings, m->hello.openings_count);
    s->credit = m->hello.window;
    s->in_is_packed = true;
    return meet(s, &m->hello);
}

/* ---- our subscriptions ---- */

struct lia_insub *lia_insub_find(struct lia_session *s, uint64_t number)
{
    struct lia_insub *sub = s->insubs;

    while (sub && sub->number != number) {
        sub = sub->next;
    }
    return sub;
}

static bool is_to_look_up(const struct lia_insub *sub)
{
    return sub->state == LIA_INSUB_NEW ||
           (sub->state == LIA_INSUB_ASKED && sub->wants_again && !sub->is_looking);
}

void lia_insub_again(struct lia_session *s)
{
    for (struct lia_insub *sub = s->insubs; sub; sub = sub->next) {
        sub->wants_again = true;
    }
}

/* Looks up the tokens of the subscriptions that are new, or asked for again. */
void lia_insub_lookup(struct lia_session *s)
{
    struct lia_request *request;
    size_t count = 0;

    for (struct lia_insub *sub = s->insubs; sub; sub = sub->next) {
        count += is_to_look_up(sub);
    }
    if (count == 0 || !s->out_is_packed) {
        return;
    }
    request = lia_session_new_request(s, LIA_REQUEST_TOKENS);
    if (!request) {
        return;
    }
    request->tokens.items =
        lia_arena_array(&request->arena, count, sizeof(*request->tokens.items));
    for (struct lia_insub *sub = s->insubs; sub && request->tokens.items;
         sub = sub->next) {
        struct lia_token_item *item = &request->tokens.items[request->tokens.count];

        if (!is_to_look_up(sub)) {
            continue;
        }
        if (lia_topic_copy(&request->arena, sub->topic, &item->topic)) {
            break;
        }
        item->number = sub->number;
        request->tokens.count++;
        sub->is_looking = sub->state == LIA_INSUB_ASKED;
        sub->state = sub->is_looking ? sub->state : LIA_INSUB_LOOKUP;
        sub->wants_again = false;
    }
    if (request->tokens.count < count) {
        lia_session_fail(s, LIANA_ENOMEM);
    }
    lia_session_request(s, request);
}

liana_status lia_insub_add(struct lia_session *s, const struct lia_wanted *wanted)
{
    struct lia_insub *sub = lia_mem_zalloc(s->options.alloc, sizeof(*sub));

    if (!sub) {
        return LIANA_ENOMEM;
    }
    lia_arena_init(&sub->arena, s->options.alloc);
    if (lia_topic_copy(&sub->arena, wanted->topic, &sub->topic)) {
        lia_insub_free(s, sub);
        return LIANA_ENOMEM;
    }
    sub->id = wanted->id;
    sub->priority = wanted->priority % LIA_WIRE_PRIORITIES;
    sub->number = ++s->insub_number;
    sub->next = s->insubs;
    s->insubs = sub;
    return LIANA_OK;
}

void lia_insub_free(struct lia_session *s, struct lia_insub *sub)
{
    lia_arena_deinit(&sub->arena);
    lia_mem_free(s->options.alloc, sub, sizeof(*sub));
}

void lia_insub_remove(struct lia_session *s, uint64_t id)
{
    struct lia_insub *sub = s->insubs;

    while (sub && (sub->id != id || sub->state == LIA_INSUB_ENDED)) {
        sub = sub->next;
    }
    if (!sub) {
        return;
    }
    if (sub->state == LIA_INSUB_ASKED) {
        struct lia_msg msg = {.type = LIA_MSG_UNSUBSCRIBE,
                              .unsubscribe = {.sub = sub->number}};

        lia_session_send(s, &msg);
    }
    sub->state = LIA_INSUB_ENDED;
}

static void send_subscribe(struct lia_session *s,
                           struct lia_insub *sub,
                           const struct lia_token_item *token,
                           bool more_follow)
{
    struct lia_msg msg = {.type = LIA_MSG_SUBSCRIBE};

    msg.subscribe.sub = sub->number;
    msg.subscribe.priority = sub->priority;
    msg.subscribe.collection = sub->topic.collection;
    msg.subscribe.query = sub->topic.query;
    msg.subscribe.epoch = token->epoch;
    msg.subscribe.seq = token->seq;
    msg.subscribe.flags = (token->is_unmarked ? LIA_SUBSCRIBE_UNMARKED : 0) |
                          (more_follow ? LIA_SUBSCRIBE_MORE : 0) |
                          (token->is_again ? LIA_SUBSCRIBE_AGAIN : 0) |
                          (token->awaits ? LIA_SUBSCRIBE_AWAITS : 0);
    msg.subscribe.marks = token->marks;
    msg.subscribe.evicted = token->evicted;
    msg.subscribe.forgotten = token->forgotten;
    lia_session_send(s, &msg);
    sub->state = LIA_INSUB_ASKED;
    sub->unanswered++;
    sub->generation = token->generation;
}

/* Tokens became stale: all that stand are asked for again, so that they are served together as
 * before. */
static bool is_stale(struct lia_session *s, const struct lia_tokens_request *tokens)
{
    bool answer = false;

    for (size_t i = 0; i < tokens->count && !answer; i++) {
        const struct lia_insub *sub = lia_insub_find(s, tokens->items[i].number);

        answer = sub && sub->state == LIA_INSUB_ASKED && sub->is_looking &&
                 sub->generation != tokens->items[i].generation;
    }
    return answer;
}

static bool is_to_ask(const struct lia_insub *sub, bool all)
{
    return sub->state == LIA_INSUB_LOOKUP ||
           (sub->state == LIA_INSUB_ASKED && sub->is_looking && all);
}

liana_status lia_insub_tokens(struct lia_session *s, struct lia_request *request)
{
    const struct lia_token_item *items = request->tokens.items;
    bool all = is_stale(s, &request->tokens);
    size_t left = 0;

    if (request->status) {
        s->error = request->error;
        return request->status;
    }
    for (size_t i = 0; i < request->tokens.count; i++) {
        const struct lia_insub *sub = lia_insub_find(s, items[i].number);

        left += sub && is_to_ask(sub, all);
    }
    for (size_t i = 0; i < request->tokens.count; i++) {
        struct lia_insub *sub = lia_insub_find(s, items[i].number);

        if (sub && is_to_ask(sub, all)) {
            send_subscribe(s, sub, &items[i], --left > 0);
        }
        if (sub) {
            sub->is_looking = false;
        }
    }
    return LIANA_OK;
}

liana_status lia_on_subscribed(struct lia_session *s, const struct lia_msg *m)
{
    struct lia_insub *sub = lia_insub_find(s, m->subscribed.sub);
    struct lia_action *action;

    if (!sub || sub->state < LIA_INSUB_ASKED) {
        return lia_err(&s->error, LIANA_EPROTOCOL,
                       "SUBSCRIBED to what was not asked for");
    }
    if (sub->state == LIA_INSUB_ENDED) {
        return LIANA_OK;
    }
    sub->unanswered -= sub->unanswered > 0;
    action = lia_session_act(s, m->subscribed.status ? LIA_ACTION_REFUSED
                                                     : LIA_ACTION_EXPECTED);
    if (action) {
        action->id = sub->id;
        action->count = m->subscribed.expected;
        if (m->subscribed.status) {
            LIA_IGNORE(lia_err(&action->error, /* the error is only made */
                               lia_status_from_wire(m->subscribed.status), "%.*s",
                               (int)m->subscribed.text.len, m->subscribed.text.ptr));
            sub->state = LIA_INSUB_ENDED;
        }
    }
    return LIANA_OK;
}
