/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/internal.h"

void lia_actions_init(struct lia_actions *actions, const struct liana_allocator *a)
{
    lia_arena_init(&actions->arena, a);
    actions->first = NULL;
    actions->last = &actions->first;
}

static void free_requests(struct lia_actions *actions)
{
    for (struct lia_action *a = actions->first; a; a = a->next) {
        lia_request_free(a->request);
    }
}

void lia_actions_reset(struct lia_actions *actions)
{
    free_requests(actions);
    lia_arena_reset(&actions->arena);
    actions->first = NULL;
    actions->last = &actions->first;
}

void lia_actions_deinit(struct lia_actions *actions)
{
    free_requests(actions);
    lia_arena_deinit(&actions->arena);
    actions->first = NULL;
    actions->last = &actions->first;
}

void lia_session_fail(struct lia_session *s, liana_status status)
{
    if (!s->failure) {
        s->failure = status;
    }
}

struct lia_action *lia_session_act(struct lia_session *s, enum lia_action_kind kind)
{
    struct lia_action *action = LIA_ARENA_NEW(&s->actions->arena, struct lia_action);

    if (!action) {
        lia_session_fail(s, LIANA_ENOMEM);
        return NULL;
    }
    action->kind = kind;
    *s->actions->last = action;
    s->actions->last = &action->next;
    return action;
}

struct lia_request *lia_session_new_request(struct lia_session *s,
                                            enum lia_request_kind kind)
{
    struct lia_request *request = lia_request_new(s->options.alloc, kind);

    if (!request) {
        lia_session_fail(s, LIANA_ENOMEM);
    }
    return request;
}

void lia_session_request(struct lia_session *s, struct lia_request *request)
{
    struct lia_action *action = request ? lia_session_act(s, LIA_ACTION_REQUEST) : NULL;

    if (action) {
        action->request = request;
    } else {
        lia_request_free(request);
        lia_session_fail(s, LIANA_ENOMEM);
    }
}

void lia_session_send(struct lia_session *s, const struct lia_msg *msg)
{
    size_t before = s->out.len;

    lia_msg_encode(&s->out, msg);
    if (s->out.status) {
        lia_session_fail(s, s->out.status);
        return;
    }
    s->stats.frames_out++;
    if (msg->type != LIA_MSG_PING && msg->type != LIA_MSG_PONG) {
        s->last_data = s->now;
    }
    if (lia_msg_is_data(msg->type)) {
        uint64_t size = s->out.len - before;

        LIA_ASSERT(size <= s->credit);
        s->credit -= size;
    }
}

/* What was sent before our HELLO, and it, goes as it is; then everything is packed. */
void lia_session_flush(struct lia_session *s)
{
    struct lia_action *action;
    struct lia_buf packed;

    if (s->out.len == 0 || s->failure) {
        return;
    }
    lia_buf_init(&packed, s->options.alloc);
    if (s->out_is_packed) {
        liana_status status =
            lia_stream_pack(&s->stream, lia_buf_slice(&s->out), &packed);

        if (status) {
            lia_session_fail(s, status);
        }
    }
    action = lia_session_act(s, LIA_ACTION_SEND);
    if (action) {
        struct liana_slice bytes = lia_buf_slice(s->out_is_packed ? &packed : &s->out);

        if (!lia_arena_copy(&s->actions->arena, bytes, &action->bytes)) {
            lia_session_fail(s, LIANA_ENOMEM);
        }
        s->stats.wire_out += bytes.len;
    }
    lia_buf_deinit(&packed);
    lia_buf_reset(&s->out);
}

/* What waits for the answers of an ASK needs what comes behind it. */
static bool is_repairing(const struct lia_session *s)
{
    for (size_t i = 0; i < LIA_WIRE_PRIORITIES; i++) {
        if (s->in[i].repairing) {
            return true;
        }
    }
    return false;
}

/* Withheld while too much waits to be applied; small amounts are put together. */
void lia_session_give_credit(struct lia_session *s)
{
    struct lia_msg msg = {.type = LIA_MSG_CREDIT};

    if (s->state != LIA_SESSION_ACTIVE || s->consumed < s->options.window_bytes / 4 ||
        (s->pending > s->options.window_bytes && !is_repairing(s))) {
        return;
    }
    msg.credit.bytes = s->consumed;
    s->granted += s->consumed;
    s->consumed = 0;
    lia_session_send(s, &msg);
}

liana_status lia_kept_join(const struct liana_allocator *a,
                           struct lia_kept_vector *kept,
                           struct lia_vector v)
{
    struct lia_arena arena;
    struct lia_vector_entry *entries = NULL;
    struct lia_vector joined;
    liana_status status;

    if (lia_vector_geq(lia_kept(kept), v)) {
        return LIANA_OK;
    }
    lia_arena_init(&arena, a);
    status = lia_vector_join(&arena, lia_kept(kept), v, &joined);
    if (!status) {
        entries = lia_mem_alloc(a, joined.count * sizeof(*entries));
        status = entries ? LIANA_OK : LIANA_ENOMEM;
    }
    if (!status) {
        memcpy(entries, joined.entries, joined.count * sizeof(*entries));
        lia_kept_deinit(a, kept);
        *kept = (struct lia_kept_vector){entries, joined.count};
    }
    lia_arena_deinit(&arena);
    return status;
}

void lia_kept_deinit(const struct liana_allocator *a, struct lia_kept_vector *kept)
{
    lia_mem_free(a, kept->entries, kept->count * sizeof(*kept->entries));
    *kept = (struct lia_kept_vector){NULL, 0};
}
