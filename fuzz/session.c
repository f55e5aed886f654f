/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz/session - a peer that has proven itself and then says anything. The input is the
 * plain stream of frames behind its HELLO, cut where a byte says so; in between, the
 * requests of the session are answered, and time passes. The session ends or lives, and
 * its invariant holds.
 */
#include "sync/session.h"
#include "sync/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    struct lia_session *session;
    struct lia_actions actions;
    struct lia_request *requests;
    struct lia_stream stream; /* the peer's */
    uint64_t now;
    unsigned answers;
    bool is_closed;
};

static void step(struct world *w, struct lia_event event)
{
    struct lia_request **last = &w->requests;

    event.now_ms = w->now;
    lia_actions_reset(&w->actions);
    LIA_ASSERT(lia_session_step(w->session, &event, &w->actions) == LIANA_OK);
    while (*last) {
        last = &(*last)->next;
    }
    for (struct lia_action *a = w->actions.first; a; a = a->next) {
        LIA_ASSERT(!w->is_closed);
        w->is_closed = a->kind == LIA_ACTION_CLOSE;
        if (a->request) {
            a->request->next = NULL;
            *last = a->request;
            last = &a->request->next;
            a->request = NULL;
        }
    }
}

static const struct lia_vector_entry entry = {7, 70};
static const struct lia_vector vector = {&entry, 1};
static const struct liana_slice key = {(const uint8_t *)"key", 3};
static const struct liana_slice document = {(const uint8_t *)"document", 8};

static void answer_feed(struct lia_request *request)
{
    struct lia_feed_request *f = &request->feed;

    f->found = lia_arena_array(&request->arena, 2, sizeof(*f->found));
    LIA_ASSERT(f->found);
    f->found[0] =
        (struct lia_found){.kind = LIA_FOUND_SEGMENT, .key = key, .data = document};
    f->found[1] = (struct lia_found){.kind = LIA_FOUND_HAVE, .key = key};
    f->found_count = f->after < 3 ? 2 : 0;
    f->upto = f->after < 3 ? f->after + 1 : 3;
    f->is_exact = f->may_be_exact;
    f->is_head = f->upto == 3;
}

static void answer_docs(struct lia_request *request)
{
    for (size_t i = 0; i < request->docs.count; i++) {
        request->docs.items[i].is_held = i % 2;
        request->docs.items[i].data = document;
        request->docs.items[i].seq = 1;
    }
}

static void answer_compare(struct lia_request *request)
{
    for (size_t i = 0; i < request->compare.count; i++) {
        request->compare.items[i].differs = i % 2 == 0;
        request->compare.items[i].vector = vector;
    }
}

/* Every third time the first document has a gap. */
static void answer_apply(struct world *w, struct lia_request *request)
{
    struct lia_apply_request *a = &request->apply;
    const struct lia_incoming_item *item = a->batches->items;
    struct lia_gap *gap = LIA_ARENA_NEW(&request->arena, struct lia_gap);

    LIA_ASSERT(gap);
    a->is_committed = !item || ++w->answers % 3;
    if (!a->is_committed) {
        *gap = (struct lia_gap){item->topic, item->key, vector};
        a->gaps = gap;
        a->gap_count = 1;
    }
}

static void answer(struct world *w)
{
    struct lia_request *request = w->requests;

    w->requests = request->next;
    request->next = NULL;
    switch (request->kind) {
    case LIA_REQUEST_GREET:
        request->greet =
            (struct lia_greet_request){.own = {.actor = 1, .epoch = 2, .seq = 3}};
        break;
    case LIA_REQUEST_REGISTER: request->registering.registration = 1; break;
    case LIA_REQUEST_FEED: answer_feed(request); break;
    case LIA_REQUEST_DOCS: answer_docs(request); break;
    case LIA_REQUEST_COMPARE: answer_compare(request); break;
    case LIA_REQUEST_STAGE: request->stage.batch->stage = 1; break;
    case LIA_REQUEST_APPLY: answer_apply(w, request); break;
    default: break;
    }
    step(w, (struct lia_event){.kind = LIA_EVENT_RESULT, .request = request});
}

static void answer_all(struct world *w)
{
    for (unsigned i = 0; w->requests && i < 64; i++) {
        answer(w);
    }
}

static void say(struct world *w, struct liana_slice frames, bool is_packed)
{
    struct lia_buf packed;

    lia_buf_init(&packed, &lia_mem_libc);
    if (is_packed) {
        LIA_ASSERT(lia_stream_pack(&w->stream, frames, &packed) == LIANA_OK);
        frames = lia_buf_slice(&packed);
    }
    step(w, (struct lia_event){.kind = LIA_EVENT_BYTES, .bytes = frames});
    lia_buf_deinit(&packed);
}

static void greet(struct world *w)
{
    struct lia_msg proof = {.type = LIA_MSG_PROOF};
    struct lia_msg hello = {.type = LIA_MSG_HELLO};
    struct lia_event subscribe = {.kind = LIA_EVENT_SUBSCRIBE};
    struct lia_buf buf;

    step(w, (struct lia_event){.kind = LIA_EVENT_OPEN});
    subscribe.subscription.id = 1;
    subscribe.subscription.topic.collection = (struct liana_str){"c", 1};
    step(w, subscribe);
    answer_all(w);
    hello.hello.version_min = 1;
    hello.hello.version_max = 1;
    hello.hello.peer[0] = 2;
    hello.hello.actor = 1;
    hello.hello.epoch = 1;
    hello.hello.number = 1;
    hello.hello.window = LIA_SESSION_WINDOW_MIN;
    hello.hello.batch_max = 1000;
    lia_buf_init(&buf, &lia_mem_libc);
    lia_msg_encode(&buf, &proof);
    say(w, lia_buf_slice(&buf), false);
    step(w, (struct lia_event){.kind = LIA_EVENT_VERDICT});
    lia_buf_reset(&buf);
    lia_msg_encode(&buf, &hello);
    say(w, lia_buf_slice(&buf), false);
    lia_buf_deinit(&buf);
    answer_all(w);
    LIA_ASSERT(lia_session_state(w->session) == LIA_SESSION_ACTIVE);
}

static void finish(struct world *w)
{
    while (w->requests) {
        struct lia_request *next = w->requests->next;

        lia_request_free(w->requests);
        w->requests = next;
    }
    lia_actions_deinit(&w->actions);
    lia_session_free(w->session);
    lia_stream_deinit(&w->stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lia_session_options options = {
        .alloc = &lia_mem_libc,
        .remote = {2},
        .number = 1,
        .window_bytes = LIA_SESSION_WINDOW_MIN,
        .batch_bytes_max = 1000,
        .stage_bytes = 100,
        .keepalive_ms = 20000,
        .timeout_ms = 60000,
        .idle_ms = 30000,
    };
    struct liana_slice left = {data, size};
    struct world w = {.now = 1};

    lia_actions_init(&w.actions, &lia_mem_libc);
    lia_stream_init(&w.stream);
    LIA_ASSERT(lia_session_new(&options, &w.session) == LIANA_OK);
    greet(&w);
    while (left.len && !w.is_closed) {
        size_t n = left.ptr[0] & 0x3f;

        w.now += left.ptr[0] & 0x40 ? 5000 : 0;
        left = (struct liana_slice){left.ptr + 1, left.len - 1};
        n = n < left.len ? n : left.len;
        say(&w, (struct liana_slice){left.ptr, n}, true);
        left = (struct liana_slice){left.ptr + n, left.len - n};
        answer_all(&w);
        step(&w, (struct lia_event){.kind = LIA_EVENT_TICK});
    }
    finish(&w);
    return 0;
}
