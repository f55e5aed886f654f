/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/testing/toynet.h"

struct lia_session_options lia_toy_options(const struct lia_toy *self,
                                           const struct lia_toy *remote)
{
    struct lia_session_options o = {
        .alloc = &lia_mem_libc,
        .database = "toy database",
        .name = {"toy", 3},
        .number = 1,
        .window_bytes = LIA_SESSION_WINDOW_MIN,
        .batch_bytes_max = LIA_WIRE_BATCH_MAX,
        .stage_bytes = LIA_BATCH_BYTES_MAX,
        .keepalive_ms = 20000,
        .timeout_ms = 60000,
        .idle_ms = 30000,
    };

    o.self[0] = (uint8_t)self->actor;
    o.remote[0] = (uint8_t)remote->actor;
    return o;
}

static void take(struct lia_toy_end *end, struct lia_action *action)
{
    struct lia_request **last = &end->requests;

    switch (action->kind) {
    case LIA_ACTION_SEND: lia_buf_slice_add(&end->out, action->bytes); break;
    case LIA_ACTION_REQUEST:
        while (*last) {
            last = &(*last)->next;
        }
        action->request->next = NULL;
        *last = action->request;
        action->request = NULL;
        break;
    case LIA_ACTION_PROGRESS:
        end->is_up_to_date[(action->id - 1) % 2] = action->is_head;
        break;
    case LIA_ACTION_ACKED: end->acked = action->seq; break;
    case LIA_ACTION_PASSED: end->passed = action->seq; break;
    case LIA_ACTION_REFUSED: end->refused++; break;
    case LIA_ACTION_CLOSE:
        LIA_ASSERT(!end->is_closed);
        end->is_closed = true;
        end->error = action->error;
        break;
    default: break;
    }
}

static void step(struct lia_toy_link *link, int i, struct lia_event event)
{
    struct lia_toy_end *end = &link->ends[i];
    bool is_asked = false;

    event.now_ms = link->now;
    event.clock_ms = end->toy->clock_ms;
    lia_actions_reset(&end->actions);
    LIA_ASSERT(lia_session_step(end->session, &event, &end->actions) == LIANA_OK);
    for (struct lia_action *a = end->actions.first; a; a = a->next) {
        LIA_ASSERT(!end->is_closed);
        take(end, a);
        is_asked = is_asked || a->kind == LIA_ACTION_VERIFY;
    }
    if (is_asked) {
        struct lia_event verdict = {.kind = LIA_EVENT_VERDICT};

        LIA_IGNORE(lia_err_plain(&verdict.error, end->verdict)); /* it is only made */
        step(link, i, verdict);
    }
}

void lia_toy_subscribe(struct lia_toy_link *link,
                       int end,
                       const char *collection,
                       uint8_t priority)
{
    struct lia_event event = {.kind = LIA_EVENT_SUBSCRIBE};

    event.subscription.id = collection[0] == 'b' ? 2 : 1;
    event.subscription.topic.collection = lia_str(collection);
    event.subscription.priority = priority;
    step(link, end, event);
}

void lia_toy_open_with(struct lia_toy_link *link,
                       struct lia_toy *a,
                       const struct lia_session_options *options_a,
                       struct lia_toy *b,
                       const struct lia_session_options *options_b)
{
    struct lia_toy *toys[2] = {a, b};
    const struct lia_session_options *options[2] = {options_a, options_b};

    memset(link->ends, 0, sizeof(link->ends));
    for (int i = 0; i < 2; i++) {
        struct lia_toy_end *end = &link->ends[i];

        end->toy = toys[i];
        end->remote = toys[1 - i]->actor;
        lia_buf_init(&end->out, &lia_mem_libc);
        lia_actions_init(&end->actions, &lia_mem_libc);
        LIA_ASSERT(lia_session_new(options[i], &end->session) == LIANA_OK);
        step(link, i, (struct lia_event){.kind = LIA_EVENT_OPEN});
    }
}

void lia_toy_open(struct lia_toy_link *link, struct lia_toy *a, struct lia_toy *b)
{
    struct lia_session_options options_a = lia_toy_options(a, b);
    struct lia_session_options options_b = lia_toy_options(b, a);

    lia_toy_open_with(link, a, &options_a, b, &options_b);
    for (int i = 0; i < 2; i++) {
        lia_toy_subscribe(link, i, "a", 0);
        lia_toy_subscribe(link, i, "b", 0);
    }
}

void lia_toy_close(struct lia_toy_link *link)
{
    for (int i = 0; i < 2; i++) {
        struct lia_toy_end *end = &link->ends[i];

        while (end->requests) {
            struct lia_request *next = end->requests->next;

            lia_request_free(end->requests);
            end->requests = next;
        }
        lia_session_free(end->session);
        lia_actions_deinit(&end->actions);
        lia_buf_deinit(&end->out);
    }
}

void lia_toy_told(struct lia_toy_link *link, int end)
{
    step(link, end,
         (struct lia_event){.kind = LIA_EVENT_HEAD, .seq = link->ends[end].toy->seq});
}

void lia_toy_stale(struct lia_toy_link *link, int end)
{
    step(link, end, (struct lia_event){.kind = LIA_EVENT_STALE});
}

bool lia_toy_deliver(struct lia_toy_link *link, int to, size_t bytes_max)
{
    struct lia_toy_end *from = &link->ends[1 - to];
    size_t n = from->out.len < bytes_max ? from->out.len : bytes_max;
    struct lia_buf piece;

    if (n == 0) {
        return false;
    }
    lia_buf_init(&piece, &lia_mem_libc);
    lia_buf_bytes(&piece, from->out.ptr, n);
    memmove(from->out.ptr, from->out.ptr + n, from->out.len - n);
    from->out.len -= n;
    if (!link->ends[to].is_closed) {
        step(link, to,
             (struct lia_event){.kind = LIA_EVENT_BYTES,
                                .bytes = lia_buf_slice(&piece)});
    }
    lia_buf_deinit(&piece);
    return true;
}

struct lia_request *lia_toy_begin(struct lia_toy_link *link,
                                  int end,
                                  enum lia_request_kind kind)
{
    struct lia_request **at = &link->ends[end].requests;
    struct lia_request *request;

    while (*at && (*at)->kind != kind) {
        at = &(*at)->next;
    }
    request = *at;
    LIA_ASSERT(request);
    *at = request->next;
    lia_toy_run(link->ends[end].toy, link->ends[end].remote, request);
    return request;
}

void lia_toy_end(struct lia_toy_link *link, int end, struct lia_request *request)
{
    step(link, end, (struct lia_event){.kind = LIA_EVENT_RESULT, .request = request});
    lia_toy_told(link, end);
}

bool lia_toy_carry_out(struct lia_toy_link *link, int i, struct lia_rng *rng)
{
    struct lia_toy_end *end = &link->ends[i];
    struct lia_request **at = &end->requests;
    struct lia_request *request;

    if (!*at) {
        return false;
    }
    /* A later read may overtake. */
    while (rng && (*at)->next && !lia_request_is_write((*at)->next) &&
           lia_rng_chance(rng, 30)) {
        at = &(*at)->next;
    }
    request = *at;
    *at = request->next;
    lia_toy_run(end->toy, end->remote, request);
    step(link, i, (struct lia_event){.kind = LIA_EVENT_RESULT, .request = request});
    lia_toy_told(link, i);
    return true;
}

void lia_toy_tick(struct lia_toy_link *link, uint64_t ms)
{
    link->now += ms;
    for (int i = 0; i < 2; i++) {
        if (link->now >= lia_session_deadline(link->ends[i].session)) {
            step(link, i, (struct lia_event){.kind = LIA_EVENT_TICK});
        }
    }
}

void lia_toy_settle(struct lia_toy_link *link, struct lia_rng *rng)
{
    size_t steps = 0;
    bool is_busy = true;

    while (is_busy) {
        is_busy = false;
        for (int i = 0; i < 2; i++) {
            size_t bytes = rng ? 1 + (size_t)lia_rng_below(rng, 3000) : SIZE_MAX;

            is_busy = lia_toy_deliver(link, i, bytes) || is_busy;
            is_busy = lia_toy_carry_out(link, i, rng) || is_busy;
        }
        LIA_ASSERT(++steps < 200000);
    }
}
