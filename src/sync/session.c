/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/session.h"

#include "sync/internal.h"

#define CLOCK_EVERY_MS                                                                 \
    ((uint64_t)10 * 60 * 1000) /* clocks are compared at least so often */

/* ---- life ---- */

liana_status lia_session_new(const struct lia_session_options *options,
                             struct lia_session **out)
{
    struct lia_session *s = lia_mem_zalloc(options->alloc, sizeof(*s));
    struct liana_slice name;

    if (!s) {
        return LIANA_ENOMEM;
    }
    s->options = *options;
    lia_arena_init(&s->arena, options->alloc);
    lia_arena_init(&s->decoding, options->alloc);
    lia_stream_init(&s->stream);
    lia_frames_init(&s->frames, options->alloc);
    lia_buf_init(&s->out, options->alloc);
    for (size_t i = 0; i < LIA_WIRE_PRIORITIES; i++) {
        s->in[i].queue_last = &s->in[i].queue;
        lia_buf_init_max(&s->in[i].piece, options->alloc, LIA_STATE_BYTES_MAX);
        lia_buf_init(&s->in[i].piece_key, options->alloc);
    }
    s->owed_at = LIA_NEVER;
    if (!lia_arena_copy(&s->arena, lia_str_slice(options->name), &name)) {
        lia_session_free(s);
        return LIANA_ENOMEM;
    }
    s->options.name = lia_slice_str(name);
    *out = s;
    return LIANA_OK;
}

/* Everything but what accessors still show. */
static void let_go(struct lia_session *s)
{
    lia_infeed_deinit(s);
    lia_outfeed_deinit(s);
    lia_outsub_deinit(s);
    lia_asks_deinit(s);
    while (s->insubs) {
        struct lia_insub *next = s->insubs->next;

        lia_insub_free(s, s->insubs);
        s->insubs = next;
    }
    lia_stream_deinit(&s->stream);
    lia_frames_deinit(&s->frames);
    lia_buf_deinit(&s->out);
    lia_arena_deinit(&s->decoding);
}

void lia_session_free(struct lia_session *s)
{
    if (s) {
        let_go(s);
        lia_arena_deinit(&s->arena);
        lia_mem_free(s->options.alloc, s, sizeof(*s));
    }
}

/* ---- messages ---- */

static liana_status on_bye(struct lia_session *s, const struct lia_msg *m)
{
    liana_status status = lia_status_from_wire(m->bye.status);
    bool is_leaving = status == LIANA_OK || status == LIANA_ECLOSED;

    s->is_disowned = status == LIANA_ECOPY;

    return lia_err(&s->error, is_leaving ? LIANA_ECLOSED : status, "%s%.*s",
                   is_leaving ? "" : "peer: ", (int)m->bye.text.len, m->bye.text.ptr);
}

static liana_status on_busy(struct lia_session *s, const struct lia_msg *m)
{
    if (m->busy.addresses_count) {
        struct liana_str at = m->busy.addresses[0].address;

        return lia_err(&s->error, LIANA_EBUSY,
                       "peer has no room for another session; %.*s may", (int)at.len,
                       at.ptr);
    }
    return lia_err(&s->error, LIANA_EBUSY, "peer has no room for another session");
}

/* A clock that goes on faster than time, by more than this, was set. */
#define CLOCK_SET_MS ((uint64_t)5 * 60 * 1000)

uint64_t lia_session_clock_max(const struct lia_session *s)
{
    return s->told_ms ? s->told_ms + (s->now - s->told_at) + CLOCK_SET_MS : UINT64_MAX;
}

/* The peer has noted how late a stamp of its own may be taken here, by the clock that it
 * was told (docs/adr/0053). By another one, or one that nobody knew then, nothing is taken
 * before it has noted that too. */
static liana_status check_clock(struct lia_session *s)
{
    uint64_t max_ms = s->told_ms ? lia_session_clock_max(s) : 0;

    if (s->state != LIA_SESSION_ACTIVE || s->clock_ms <= max_ms || LIA_MUTANT(12)) {
        return LIANA_OK;
    }
    return lia_err(&s->error, LIANA_ECLOCK,
                   "the clock of this device was set while connected");
}

static void note_clock(struct lia_session *s, uint64_t clock_ms)
{
    s->hello.clock_ms = clock_ms;
    s->clock_at = s->now;
    lia_session_act(s, LIA_ACTION_CLOCK);
}

/* One PONG per step, however many PINGs came. */
static liana_status on_ping(struct lia_session *s, const struct lia_msg *m)
{
    s->wants_pong = true;
    note_clock(s, m->ping.clock_ms);
    return LIANA_OK;
}

static liana_status on_pong(struct lia_session *s, const struct lia_msg *m)
{
    s->pinged_at = 0;
    note_clock(s, m->pong.clock_ms);
    return LIANA_OK;
}

static liana_status on_credit(struct lia_session *s, const struct lia_msg *m)
{
    if (m->credit.bytes > LIA_WIRE_WINDOW_MAX - s->credit) {
        return lia_err(&s->error, LIANA_EPROTOCOL, "more credit than a window");
    }
    s->credit += m->credit.bytes;
    return LIANA_OK;
}

typedef liana_status (*message_fn)(struct lia_session *s, const struct lia_msg *m);

static const struct handler {
    enum lia_msg_type type;
    enum lia_session_state from; /* the states in which it may come */
    enum lia_session_state to;
    message_fn run;
} handlers[] = {
    {LIA_MSG_PROOF, LIA_SESSION_PROVING, LIA_SESSION_PROVING, lia_on_proof},
    {LIA_MSG_HELLO, LIA_SESSION_GREETING, LIA_SESSION_GREETING, lia_on_hello},
    {LIA_MSG_BYE, LIA_SESSION_PROVING, LIA_SESSION_ACTIVE, on_bye},
    {LIA_MSG_BUSY, LIA_SESSION_PROVING, LIA_SESSION_GREETING, on_busy},
    {LIA_MSG_PING, LIA_SESSION_ACTIVE, LIA_SESSION_ACTIVE, on_ping},
    {LIA_MSG_PONG, LIA_SESSION_ACTIVE, LIA_SESSION_ACTIVE, on_pong},
    {LIA_MSG_CREDIT, LIA_SESSION_ACTIVE, LIA_SESSION_ACTIVE, on_credit},
    {LIA_MSG_SUBSCRIBE, LIA_SESSION_ACTIVE, LIA_SESSION_ACTIVE, lia_on_subscribe},
    {LIA_MSG_SUBSCRIBED, LIA_SESSION_ACTIVE, LIA_SESSION_ACTIVE, lia_on_subscribed},
    {LIA_MSG_UNSUBSCRIBE, LIA_SESSION_ACTIVE, LIA_SESSION_ACTIVE, lia_on_unsubscribe},
    {LIA_MSG_HAVE, LIA_SESSION_ACTIVE, LIA_SESSION_ACTIVE, lia_on_have},
    {LIA_MSG_WANT, LIA_SESSION_ACTIVE, LIA_SESSION_ACTIVE, lia_on_want},
    {LIA_MSG_ASK, LIA_SESSION_ACTIVE, LIA_SESSION_ACTIVE, lia_on_ask},
    {LIA_MSG_SEGMENT, LIA_SESSION_ACTIVE, LIA_SESSION_ACTIVE, lia_on_segment},
    {LIA_MSG_ABSENT, LIA_SESSION_ACTIVE, LIA_SESSION_ACTIVE, lia_on_absent},
    {LIA_MSG_MARKS, LIA_SESSION_ACTIVE, LIA_SESSION_ACTIVE, lia_on_marks},
    {LIA_MSG_BATCH, LIA_SESSION_ACTIVE, LIA_SESSION_ACTIVE, lia_on_batch},
    {LIA_MSG_ACK, LIA_SESSION_ACTIVE, LIA_SESSION_ACTIVE, lia_on_ack},
};

static liana_status charge(struct lia_session *s,
                           enum lia_msg_type type,
                           struct liana_slice frame)
{
    uint64_t size = frame.len + lia_varint_len(frame.len);

    if (!lia_msg_is_data(type)) {
        return LIANA_OK;
    }
    if (size > s->granted) {
        return lia_err(&s->error, LIANA_EPROTOCOL, "%s without credit",
                       lia_msg_name((uint8_t)type));
    }
    s->granted -= size;
    s->consumed += size;
    return LIANA_OK;
}

static liana_status handle_frame(struct lia_session *s, struct liana_slice frame)
{
    struct lia_msg msg;
    liana_status status;

    lia_arena_reset(&s->decoding);
    status = lia_msg_decode(&s->decoding, frame, &msg, &s->error);
    s->stats.frames_in++;
    if (status) {
        return status == LIANA_ENOTFOUND ? LIANA_OK : status;
    }
    if (msg.type != LIA_MSG_PING && msg.type != LIA_MSG_PONG) {
        s->last_data = s->now;
    }
    status = charge(s, msg.type, frame);
    for (size_t i = 0; !status && i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        const struct handler *h = &handlers[i];

        if (h->type != msg.type) {
            continue;
        }
        if (s->state < h->from || s->state > h->to) {
            return lia_err(&s->error, LIANA_EPROTOCOL, "%s is out of place",
                           lia_msg_name((uint8_t)msg.type));
        }
        return h->run(s, &msg);
    }
    return status;
}

/* Frames that wait for our storage: what the peer may send before an answer. */
static liana_status check_waiting(struct lia_session *s)
{
    return lia_frames_rest(&s->frames).len >
                   s->options.window_bytes + LIA_FRAME_BYTES_MAX
               ? lia_err(&s->error, LIANA_EPROTOCOL, "too much before an answer")
               : LIANA_OK;
}

/* Until one of them changes how the bytes behind it are to be read. */
static liana_status handle_frames(struct lia_session *s)
{
    bool was_packed = s->in_is_packed;
    liana_status status = LIANA_OK;

    while (!status && !s->failure && s->in_is_packed == was_packed) {
        struct liana_slice frame;

        /* The other side may be quicker than our storage: its HELLO waits. */
        if (s->state == LIA_SESSION_PROVING && (s->is_verifying || s->is_trusted)) {
            break;
        }
        if (s->is_meeting) {
            return check_waiting(s);
        }
        status = lia_frames_next(&s->frames, &frame, &s->error);
        if (status == LIANA_EEND) {
            return LIANA_OK;
        }
        if (!status) {
            status = handle_frame(s, frame);
        }
    }
    return status;
}

/* What stands behind the peer's HELLO is packed. */
static liana_status handle_packed(struct lia_session *s, struct liana_slice bytes)
{
    uint8_t room[16 * 1024];
    size_t len;
    liana_status status;

    do {
        status =
            lia_stream_unpack(&s->stream, &bytes, room, sizeof(room), &len, &s->error);
        if (!status) {
            status = lia_frames_add(&s->frames, lia_slice(room, len));
        }
        if (!status) {
            status = handle_frames(s);
        }
    } while (!status && !s->failure && (bytes.len || len));
    return status;
}

static liana_status handle_plain(struct lia_session *s)
{
    liana_status status = handle_frames(s);
    struct liana_slice rest = lia_frames_rest(&s->frames);
    struct lia_buf packed;

    if (status || s->failure) {
        return status;
    }
    if (!s->in_is_packed) {
        return rest.len > (s->is_trusted ? LIA_FRAME_BYTES_MAX : LIA_HANDSHAKE_BYTES)
                   ? lia_err(&s->error, LIANA_EPROTOCOL, "too much before the HELLO")
                   : LIANA_OK;
    }
    lia_buf_init(&packed, s->options.alloc);
    lia_buf_slice_add(&packed, rest);
    lia_frames_clear(&s->frames);
    status = packed.status ? packed.status : handle_packed(s, lia_buf_slice(&packed));
    lia_buf_deinit(&packed);
    return status;
}

static liana_status handle_bytes(struct lia_session *s, struct liana_slice bytes)
{
    liana_status status;

    s->stats.wire_in += bytes.len;
    s->stats.last_heard_ms = s->now;
    s->pinged_at = 0;
    if (s->in_is_packed) {
        return handle_packed(s, bytes);
    }
    status = lia_frames_add(&s->frames, bytes);
    return status ? status : handle_plain(s);
}

/* ---- events ---- */

static liana_status handle_met(struct lia_session *s, struct lia_request *request)
{
    liana_status status = lia_meet_result(s, request);

    return status ? status : handle_frames(s);
}

static liana_status handle_result(struct lia_session *s, struct lia_request *request)
{
    switch (request->kind) {
    case LIA_REQUEST_GREET: return lia_greet_result(s, request);
    case LIA_REQUEST_MEET: return handle_met(s, request);
    case LIA_REQUEST_TOKENS: return lia_insub_tokens(s, request);
    case LIA_REQUEST_REGISTER: return lia_outsub_result(s, request);
    case LIA_REQUEST_ACKED: /* if it failed: the next one says more */
    case LIA_REQUEST_UNREGISTER: return LIANA_OK;
    case LIA_REQUEST_FEED: return lia_outfeed_result(s, request);
    case LIA_REQUEST_DOCS: return lia_outdocs_result(s, request);
    case LIA_REQUEST_COMPARE:
    case LIA_REQUEST_STAGE:
    case LIA_REQUEST_APPLY: return lia_infeed_result(s, request);
    case LIA_REQUEST_OWED: return lia_ask_owed_result(s, request);
    case LIA_REQUEST_LOST: return lia_ask_lost_result(s, request);
    }
    return LIANA_EINTERNAL;
}

/* An idle session costs no compression state; the next byte begins a new stream. */
static void drop_idle_state(struct lia_session *s)
{
    struct lia_action *action;
    struct lia_buf rest;

    if (!s->stream.packer || s->now < s->last_data + s->options.idle_ms) {
        return;
    }
    lia_session_flush(s);
    lia_buf_init(&rest, s->options.alloc);
    if (lia_stream_end(&s->stream, &rest)) {
        lia_session_fail(s, LIANA_ENOMEM);
    }
    action = lia_session_act(s, LIA_ACTION_SEND);
    if (action &&
        !lia_arena_copy(&s->actions->arena, lia_buf_slice(&rest), &action->bytes)) {
        lia_session_fail(s, LIANA_ENOMEM);
    }
    s->stats.wire_out += rest.len;
    lia_buf_deinit(&rest);
}

static liana_status handle_tick(struct lia_session *s)
{
    const struct lia_session_options *o = &s->options;
    uint64_t silent = s->now - s->stats.last_heard_ms;

    if (silent >= o->timeout_ms) {
        return lia_err(&s->error, LIANA_ETIMEOUT, "nothing heard for %u s",
                       o->timeout_ms / 1000);
    }
    if (s->state != LIA_SESSION_ACTIVE) {
        return LIANA_OK;
    }
    if (!s->pinged_at &&
        (silent >= o->keepalive_ms || s->now >= s->clock_at + CLOCK_EVERY_MS)) {
        struct lia_msg ping = {.type = LIA_MSG_PING, .ping = {.clock_ms = s->clock_ms}};

        lia_session_send(s, &ping);
        s->pinged_at = s->now;
    }
    lia_infeed_tick(s);
    drop_idle_state(s);
    if (s->now >= s->owed_at && !s->is_owing) {
        lia_ask_owed(s);
    }
    return LIANA_OK;
}

static liana_status handle_event(struct lia_session *s, const struct lia_event *e)
{
    switch (e->kind) {
    case LIA_EVENT_OPEN:
        LIA_ASSERT(s->state == LIA_SESSION_NEW);
        s->stats.last_heard_ms = s->now;
        lia_greet_open(s, e->bytes);
        return LIANA_OK;
    case LIA_EVENT_BYTES: return handle_bytes(s, e->bytes);
    case LIA_EVENT_VERDICT: return lia_greet_verdict(s, &e->error);
    case LIA_EVENT_RESULT: return handle_result(s, e->request);
    case LIA_EVENT_HEAD: s->head = e->seq > s->head ? e->seq : s->head; return LIANA_OK;
    case LIA_EVENT_TICK: return handle_tick(s);
    case LIA_EVENT_SUBSCRIBE: return lia_insub_add(s, &e->subscription);
    case LIA_EVENT_UNSUBSCRIBE:
        lia_insub_remove(s, e->subscription.id);
        return LIANA_OK;
    case LIA_EVENT_STALE: lia_insub_again(s); return LIANA_OK;
    case LIA_EVENT_CLOSE:
    case LIA_EVENT_DOWN:
        s->error = e->error;
        return e->error.status ? e->error.status : LIANA_ECLOSED;
    }
    return LIANA_EINTERNAL;
}

/* ---- the step ---- */

static void send_goodbye(struct lia_session *s, bool is_busy)
{
    struct lia_msg msg = {.type = is_busy ? LIA_MSG_BUSY : LIA_MSG_BYE};

    if (!is_busy) {
        msg.bye.status = s->error.status;
        msg.bye.text = lia_str(s->error.message);
    }
    lia_session_send(s, &msg);
    lia_session_flush(s);
}

/* Whatever the step had made is kept: frames before the BYE are valid. */
static liana_status end(struct lia_session *s,
                        const struct lia_event *e,
                        liana_status why)
{
    struct lia_action *action;
    bool is_told = e->kind == LIA_EVENT_DOWN || s->state == LIA_SESSION_NEW;

    LIA_IGNORE(lia_err_plain(&s->error, why)); /* it keeps a message that is there */
    s->failure = LIANA_OK;
    if (!is_told) {
        lia_buf_reset(&s->out);
        send_goodbye(s, e->kind == LIA_EVENT_VERDICT && why == LIANA_EBUSY);
    }
    action = lia_session_act(s, LIA_ACTION_CLOSE);
    if (action) {
        action->error = s->error;
    }
    s->state = LIA_SESSION_CLOSED;
    let_go(s);
    return action ? LIANA_OK : LIANA_ENOMEM;
}

/* What follows from any event. */
static void settle(struct lia_session *s)
{
    lia_insub_lookup(s);
    if (s->state != LIA_SESSION_ACTIVE) {
        return;
    }
    lia_outfeed_pump(s);
    lia_outsub_sweep(s);
    lia_session_give_credit(s);
    if (s->wants_pong) {
        struct lia_msg pong = {.type = LIA_MSG_PONG, .pong = {.clock_ms = s->clock_ms}};

        lia_session_send(s, &pong);
        s->wants_pong = false;
    }
}

static void check_invariant(const struct lia_session *s)
{
    LIA_ASSERT(s->credit <= LIA_WIRE_WINDOW_MAX);
    LIA_ASSERT(s->granted + s->consumed <= s->options.window_bytes);
    LIA_ASSERT(s->out.len == 0);
    LIA_ASSERT(s->state != LIA_SESSION_ACTIVE || (s->is_trusted && s->out_is_packed));
    LIA_ASSERT(s->comparing <= LIA_HAVES_MAX);
    for (size_t i = 0; i < LIA_WIRE_PRIORITIES; i++) {
        const struct lia_outfeed *feed = &s->feeds[i];

        LIA_ASSERT(!(feed->is_reading && feed->page));
        LIA_ASSERT(feed->unacked_count <= LIA_UNACKED_MAX);
        LIA_ASSERT(!s->in[i].repairing || s->in[i].is_applying);
    }
}

liana_status lia_session_step(struct lia_session *s,
                              const struct lia_event *e,
                              struct lia_actions *out)
{
    liana_status status;

    if (s->state == LIA_SESSION_CLOSED) {
        if (e->kind == LIA_EVENT_RESULT) {
            lia_request_free(e->request);
        }
        return LIANA_OK;
    }
    s->actions = out;
    s->now = e->now_ms;
    s->clock_ms = e->clock_ms;
    s->result = e->kind == LIA_EVENT_RESULT ? e->request : NULL;
    status = handle_event(s, e);
    status = status ? status : check_clock(s);
    if (!status && !s->failure && !s->in_is_packed &&
        (e->kind == LIA_EVENT_RESULT || e->kind == LIA_EVENT_VERDICT)) {
        status = handle_plain(s); /* frames may have waited for it */
    }
    if (!status && !s->failure) {
        settle(s);
        lia_session_flush(s);
    }
    status = status ? status : s->failure;
    status = status ? end(s, e, status) : LIANA_OK;
    if (s->state != LIA_SESSION_CLOSED) {
        check_invariant(s);
    }
    lia_request_free(s->result);
    s->result = NULL;
    s->actions = NULL;
    return status;
}

/* ---- what is seen from outside ---- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t lia_session_deadline(const struct lia_session *s)
{
    const struct lia_session_options *o = &s->options;
    uint64_t due;

    if (s->state == LIA_SESSION_CLOSED || s->state == LIA_SESSION_NEW) {
        return LIA_NEVER;
    }
    due = s->stats.last_heard_ms + (s->pinged_at || s->state != LIA_SESSION_ACTIVE
                                        ? o->timeout_ms
                                        : o->keepalive_ms);
    if (s->state == LIA_SESSION_ACTIVE) {
        if (s->stream.packer) {
            due = earlier(due, s->last_data + o->idle_ms);
        }
        due = earlier(due, s->pinged_at ? LIA_NEVER : s->clock_at + CLOCK_EVERY_MS);
        due = earlier(due, lia_infeed_deadline(s));
        due = earlier(due, lia_outfeed_deadline(s));
        due = earlier(due, s->is_owing ? LIA_NEVER : s->owed_at);
    }
    return due;
}

enum lia_session_state lia_session_state(const struct lia_session *s)
{
    return s->state;
}

struct lia_session_remote lia_session_remote(const struct lia_session *s)
{
    return (struct lia_session_remote){s->hello.epoch, s->hello.number,
                                       s->hello.clock_ms, s->hello.name};
}

bool lia_session_is_disowned(const struct lia_session *s)
{
    return s->is_disowned;
}

uint64_t lia_session_number(const struct lia_session *s)
{
    return s->options.number;
}

struct lia_session_stats lia_session_stats(const struct lia_session *s)
{
    return s->stats;
}

size_t lia_session_memory(const struct lia_session *s)
{
    return sizeof(*s) + s->frames.buf.cap + s->out.cap + lia_stream_memory(&s->stream) +
           lia_infeed_memory(s);
}
