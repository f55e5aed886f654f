/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node around a peer that is a stand-in: it proves itself as a real one does, and
 * carries numbers instead of documents.
 *
 *     commit (test) -> wake -> READ job -> SEND of every new number to every link
 *     bytes -> numbers -> WRITE job -> the log of the receiver, in order
 */
#include "base/testing/test.h"

#include <stdio.h>

#include "base/testing/env.h"
#include "net/testing/gate.h"
#include "node/node.h"

#define LINKS_MAX   8
#define OUTPUTS_MAX 4096
#define LOG_MAX     4096

/* ---- the stand-in ---- */

struct fake_link {
    struct lia_link facts;
    bool is_used;
    bool is_admitted;
    struct lia_buf in;
    uint8_t sent; /* numbers so far */
};

struct lia_job {
    enum lia_job_kind kind;
    struct lia_job *next;
    struct device *device;
    uint8_t from; /* READ: the first number that is asked for */
    struct lia_buf numbers;
};

struct lia_peer {
    struct lia_peer_options options;
    struct device *device;
    struct fake_link links[LINKS_MAX];
    struct lia_peer_output outputs[OUTPUTS_MAX];
    struct lia_buf bytes[OUTPUTS_MAX];
    size_t first;
    size_t count;
    size_t jobs_out;
    bool is_closing;
    uint64_t ticked;
};

/* One store, its node, and what the test looks at; shared parts under the gate. */
struct device {
    struct lia_gate *gate;
    struct lia_test_env env;
    struct lia_identity identity;
    struct lia_trust trust;
    struct lia_loop *loop;
    struct lia_node *node;
    struct lia_peer *peer;
    char address[LIA_ADDRESS_TEXT];

    uint8_t committed; /* numbers 1 to this are in the store */
    uint8_t log[LOG_MAX];
    size_t log_len;
    bool ran_on_loop;
    bool has_run[2]; /* by kind of job */
    pthread_t ran_on[2];
    bool was_wrong_thread;
    int ups;
    int downs;
    int failures;
    struct liana_error down_error;
    struct liana_error failure;
};

static struct lia_peer_output *add_output(struct lia_peer *peer)
{
    LIA_ASSERT(peer->count < OUTPUTS_MAX);
    peer->outputs[peer->count] = (struct lia_peer_output){.kind = LIA_PEER_SEND};
    return &peer->outputs[peer->count++];
}

static void add_send(struct lia_peer *peer, uint64_t link, struct liana_slice bytes)
{
    struct lia_buf *copy = &peer->bytes[peer->count];

    lia_buf_init(copy, &lia_mem_libc);
    lia_buf_slice_add(copy, bytes);
    *add_output(peer) = (struct lia_peer_output){
        .kind = LIA_PEER_SEND, .link = link, .bytes = lia_buf_slice(copy)};
}

static void add_event(struct lia_peer *peer,
                      enum lia_peer_event_kind kind,
                      const struct fake_link *link,
                      const struct liana_error *err)
{
    struct lia_peer_output *out = add_output(peer);

    *out = (struct lia_peer_output){.kind = LIA_PEER_EVENT, .event = kind};
    memcpy(out->remote, link->facts.remote, sizeof(out->remote));
    if (err) {
        out->error = *err;
    }
}

static struct lia_job *add_job(struct lia_peer *peer, enum lia_job_kind kind)
{
    struct lia_job *job = test_calloc(1, sizeof(*job));

    job->kind = kind;
    job->device = peer->device;
    lia_buf_init(&job->numbers, &lia_mem_libc);
    *add_output(peer) = (struct lia_peer_output){.kind = LIA_PEER_JOB, .job = job};
    peer->jobs_out++;
    return job;
}

/* Set by the test before lia_node_start; lia_peer_new knows its device by it. */
static struct device *starting;

liana_status lia_peer_new(const struct lia_peer_options *options,
                          struct lia_peer **out,
                          struct liana_error *err)
{
    struct lia_peer *peer = test_calloc(1, sizeof(*peer));

    (void)err;
    peer->options = *options;
    peer->device = starting;
    peer->device->peer = peer;
    *out = peer;
    return LIANA_OK;
}

static void end_link(struct lia_peer *peer, struct fake_link *link)
{
    (void)peer;
    lia_buf_deinit(&link->in);
    link->is_used = false;
}

void lia_peer_close(struct lia_peer *peer)
{
    peer->is_closing = true;
    for (size_t i = 0; i < LINKS_MAX; i++) {
        if (peer->links[i].is_used) {
            *add_output(peer) = (struct lia_peer_output){
                .kind = LIA_PEER_CLOSE, .link = peer->links[i].facts.id};
            end_link(peer, &peer->links[i]);
        }
    }
}

bool lia_peer_is_closed(const struct lia_peer *peer)
{
    return peer->is_closing && peer->jobs_out == 0 && peer->first == peer->count;
}

void lia_peer_free(struct lia_peer *peer)
{
    for (size_t i = 0; i < peer->count; i++) {
        lia_buf_deinit(&peer->bytes[i]);
    }
    test_free(peer);
}

void lia_peer_link_up(struct lia_peer *peer,
                      const struct lia_link *info,
                      uint64_t now_ms)
{
    uint8_t proof[1 + LIA_PROOF_BYTES_MAX];
    struct fake_link *fake = peer->links;
    size_t len = 0;

    (void)now_ms;
    while (fake->is_used) {
        fake++;
    }
    LIA_ASSERT(fake < peer->links + LINKS_MAX);
    *fake = (struct fake_link){.facts = *info, .is_used = true};
    lia_buf_init(&fake->in, &lia_mem_libc);
    LIA_ASSERT(peer->options.auth->prove(peer->options.auth->ctx, info,
                                         peer->options.id, proof + 1, &len) == 0);
    proof[0] = (uint8_t)len;
    add_send(peer, info->id, lia_slice(proof, len + 1));
}

static void start_reading(struct lia_peer *peer)
{
    for (size_t i = 0; i < LINKS_MAX; i++) {
        if (peer->links[i].is_used && peer->links[i].is_admitted) {
            add_job(peer, LIA_JOB_READ)->from = 1;
            return;
        }
    }
}

static void admit(struct lia_peer *peer,
                  struct fake_link *link,
                  struct liana_slice proof)
{
    const struct lia_peer_auth *auth = peer->options.auth;
    struct liana_error err = LIANA_ERROR_INIT;

    if (auth->verify(auth->ctx, &link->facts, peer->options.id, proof, &err)) {
        add_event(peer, LIA_PEER_DOWN, link, &err);
        *add_output(peer) = (struct lia_peer_output){
            .kind = LIA_PEER_CLOSE, .link = link->facts.id, .error = err};
        end_link(peer, link);
        return;
    }
    link->is_admitted = true;
    add_event(peer, LIA_PEER_UP, link, NULL);
    start_reading(peer);
}

void lia_peer_link_bytes(struct lia_peer *peer,
                         uint64_t id,
                         struct liana_slice bytes,
                         uint64_t now_ms)
{
    struct fake_link *fake = peer->links;
    size_t used = 0;

    (void)now_ms;
    while (!fake->is_used || fake->facts.id != id) {
        fake++;
        LIA_ASSERT(fake < peer->links + LINKS_MAX);
    }
    lia_buf_slice_add(&fake->in, bytes);
    if (!fake->is_admitted) {
        if (fake->in.len <= fake->in.ptr[0]) {
            return;
        }
        used = 1 + (size_t)fake->in.ptr[0];
        admit(peer, fake, lia_slice(fake->in.ptr + 1, used - 1));
    }
    if (fake->is_used && fake->in.len > used) {
        lia_buf_bytes(&add_job(peer, LIA_JOB_WRITE)->numbers, fake->in.ptr + used,
                      fake->in.len - used);
    }
    if (fake->is_used) {
        lia_buf_reset(&fake->in);
    }
}

void lia_peer_link_down(struct lia_peer *peer,
                        uint64_t id,
                        liana_status reason,
                        uint64_t now_ms)
{
    (void)reason;
    (void)now_ms;
    for (size_t i = 0; i < LINKS_MAX; i++) {
        if (peer->links[i].is_used && peer->links[i].facts.id == id) {
            add_event(peer, LIA_PEER_DOWN, &peer->links[i], NULL);
            end_link(peer, &peer->links[i]);
        }
    }
}

void lia_peer_wake(struct lia_peer *peer, uint64_t now_ms)
{
    (void)now_ms;
    start_reading(peer);
}

uint64_t lia_peer_deadline(const struct lia_peer *peer)
{
    return peer->ticked < 3 ? 0 : UINT64_MAX;
}

void lia_peer_tick(struct lia_peer *peer, uint64_t now_ms)
{
    (void)now_ms;
    lia_gate_enter(peer->device->gate);
    peer->ticked++;
    lia_gate_leave(peer->device->gate);
}

enum lia_job_kind lia_job_kind(const struct lia_job *job)
{
    return job->kind;
}

struct lia_job **lia_job_next(struct lia_job *job)
{
    return &job->next;
}

/* One thread writes and another one reads. */
static void note_thread(struct device *d, enum lia_job_kind kind)
{
    if (!d->has_run[kind]) {
        d->has_run[kind] = true;
        d->ran_on[kind] = pthread_self();
    }
    d->was_wrong_thread |= !pthread_equal(d->ran_on[kind], pthread_self());
    if (d->has_run[LIA_JOB_READ] && d->has_run[LIA_JOB_WRITE]) {
        d->was_wrong_thread |=
            pthread_equal(d->ran_on[LIA_JOB_READ], d->ran_on[LIA_JOB_WRITE]);
    }
}

void lia_job_run(struct lia_job *job)
{
    struct device *d = job->device;

    lia_gate_enter(d->gate);
    d->ran_on_loop |= lia_loop_is_current(d->loop);
    if (job->kind == LIA_JOB_READ) {
        for (unsigned n = job->from; n <= d->committed; n++) {
            lia_buf_u8(&job->numbers, (uint8_t)n);
        }
    } else {
        LIA_ASSERT(d->log_len + job->numbers.len <= LOG_MAX);
        memcpy(d->log + d->log_len, job->numbers.ptr, job->numbers.len);
        d->log_len += job->numbers.len;
    }
    note_thread(d, job->kind);
    lia_gate_leave(d->gate);
}

/* Sends each link the numbers that it has not got. */
static void fan_out(struct lia_peer *peer, const struct lia_buf *numbers)
{
    for (size_t i = 0; i < LINKS_MAX; i++) {
        struct fake_link *link = &peer->links[i];

        if (link->is_used && link->is_admitted && numbers->len > link->sent) {
            add_send(peer, link->facts.id,
                     lia_slice(numbers->ptr + link->sent, numbers->len - link->sent));
            link->sent = (uint8_t)numbers->len;
        }
    }
}

void lia_job_free(struct lia_job *job)
{
    lia_buf_deinit(&job->numbers);
    test_free(job);
}

void lia_peer_job_done(struct lia_peer *peer, struct lia_job *job, uint64_t now_ms)
{
    (void)now_ms;
    if (job->kind == LIA_JOB_READ) {
        fan_out(peer, &job->numbers);
    }
    peer->jobs_out--;
    lia_job_free(job);
}

bool lia_peer_next(struct lia_peer *peer, struct lia_peer_output *out)
{
    if (peer->first == peer->count) {
        for (size_t i = 0; i < peer->count; i++) {
            lia_buf_deinit(&peer->bytes[i]);
            peer->bytes[i] = (struct lia_buf){.ptr = NULL};
        }
        peer->first = 0;
        peer->count = 0;
        return false;
    }
    *out = peer->outputs[peer->first++];
    return true;
}

liana_status lia_peer_subscribe(struct lia_peer *peer,
                                struct liana_str collection,
                                struct liana_slice query,
                                uint64_t now_ms,
                                uint64_t *out_id,
                                struct liana_error *err)
{
    (void)peer;
    (void)collection;
    (void)query;
    (void)now_ms;
    (void)err;
    *out_id = 7;
    return LIANA_OK;
}

liana_status lia_peer_unsubscribe(struct lia_peer *peer,
                                  uint64_t id,
                                  uint64_t now_ms,
                                  struct liana_error *err)
{
    (void)peer;
    (void)now_ms;
    return id == 7 ? LIANA_OK : lia_err(err, LIANA_ENOTFOUND, "no subscription");
}

liana_status lia_peer_report(struct lia_peer *peer,
                             struct lia_arena *arena,
                             struct lia_peer_report *out)
{
    (void)arena;
    *out = (struct lia_peer_report){.session_count = peer->count};
    return LIANA_OK;
}

/* ---- devices ---- */

static void on_event(void *ctx, const struct lia_node_event *event)
{
    struct device *d = ctx;

    lia_gate_enter(d->gate);
    switch (event->kind) {
    case LIA_NODE_PEER_UP: d->ups++; break;
    case LIA_NODE_PEER_DOWN:
        d->downs++;
        d->down_error = event->error;
        break;
    case LIA_NODE_LINK_FAILED:
        d->failures++;
        d->failure = event->error;
        break;
    case LIA_NODE_LISTENING:
        snprintf(d->address, sizeof(d->address), "%s", event->address);
        break;
    case LIA_NODE_DIALING:
    case LIA_NODE_UP_TO_DATE:
    case LIA_NODE_REFUSED: break;
    }
    lia_gate_leave(d->gate);
}

static uint64_t real_mono_ms(void *ctx)
{
    struct lia_env env;

    (void)ctx;
    LIA_ASSERT(lia_env_system(&env) == LIANA_OK);
    return env.mono_ms(env.ctx);
}

static void start(struct device *d, struct lia_gate *gate, uint64_t seed)
{
    struct lia_node_options options = {.linger_ms = 200};

    memset(d, 0, sizeof(*d));
    d->gate = gate;
    lia_test_env_init(&d->env, seed);
    d->env.env.mono_ms = real_mono_ms;
    d->trust.mode = LIA_TRUST_SHARED_KEY;
    memset(d->trust.key.bytes, 7, sizeof(d->trust.key.bytes));
    assert_ok(lia_identity_generate(&d->env.env, &d->identity, NULL));
    assert_ok(lia_loop_start(&d->env.env, "liana-test", &d->loop, NULL));
    options.env = &d->env.env;
    options.loop = d->loop;
    options.identity = &d->identity;
    options.trust = &d->trust;
    options.event = on_event;
    options.event_ctx = d;
    starting = d;
    assert_ok(lia_node_start(&options, &d->node, NULL));
}

static void stop(struct device *d)
{
    if (d->node) {
        lia_node_stop(d->node);
        d->node = NULL;
    }
}

static void finish(struct device *d)
{
    stop(d);
    assert_false(d->ran_on_loop);
    assert_false(d->was_wrong_thread);
    lia_loop_stop(d->loop);
    lia_identity_deinit(&d->identity);
    lia_test_env_finish(&d->env);
}

static void listen_at(struct device *d, const char *address)
{
    struct liana_str text = lia_str(address);

    assert_ok(lia_node_set_addresses(d->node, &text, 1, NULL, 0, NULL));
}

static void dial(struct device *d, const struct device *to)
{
    struct liana_str text = lia_str(to->address);

    assert_ok(lia_node_set_addresses(d->node, NULL, 0, &text, 1, NULL));
}

static void commit(struct device *d, unsigned count)
{
    lia_gate_enter(d->gate);
    d->committed = (uint8_t)(d->committed + count);
    lia_gate_leave(d->gate);
    d->peer->options.wake(d->peer->options.wake_ctx);
}

/* ---- facts ---- */

static bool is_up(const void *ctx)
{
    return ((const struct device *)ctx)->ups > 0;
}

static bool is_up_again(const void *ctx)
{
    return ((const struct device *)ctx)->ups > 1;
}

static bool is_down(const void *ctx)
{
    return ((const struct device *)ctx)->downs > 0;
}

static bool has_failed(const void *ctx)
{
    return ((const struct device *)ctx)->failures > 0;
}

static bool has_failed_twice(const void *ctx)
{
    return ((const struct device *)ctx)->failures > 1;
}

static bool has_200(const void *ctx)
{
    return ((const struct device *)ctx)->log_len >= 200;
}

static bool has_ticked(const void *ctx)
{
    return ((const struct device *)ctx)->peer->ticked >= 3;
}

/* ---- cases ---- */

static void commits_cross_in_order_through_all_threads(void **state)
{
    struct lia_gate gate;
    struct device a;
    struct device b;

    (void)state;
    lia_gate_init(&gate);
    start(&a, &gate, 1);
    start(&b, &gate, 2);
    listen_at(&b, "127.0.0.1:0");
    dial(&a, &b);
    lia_gate_wait(&gate, is_up, &a);
    lia_gate_wait(&gate, is_up, &b);
    for (int i = 0; i < 100; i++) {
        commit(&a, 2);
    }
    lia_gate_wait(&gate, has_200, &b);
    for (unsigned i = 0; i < 200; i++) {
        assert_int_equal(b.log[i], i + 1);
    }
    finish(&a);
    finish(&b);
    lia_gate_deinit(&gate);
}

static void both_ends_refuse_a_wrong_key(void **state)
{
    struct lia_gate gate;
    struct device a;
    struct device b;

    (void)state;
    for (int i = 0; i < 10; i++) {
        lia_gate_init(&gate);
        start(&a, &gate, 1);
        start(&b, &gate, 2);
        b.trust.key.bytes[31] ^= 1;
        listen_at(&b, "127.0.0.1:0");
        dial(&a, &b);
        lia_gate_wait(&gate, is_down, &a);
        lia_gate_wait(&gate, is_down, &b);
        lia_gate_wait(&gate, has_failed, &a);
        lia_gate_wait(&gate, has_failed, &b);
        stop(&a);
        stop(&b);
        assert_status(LIANA_EAUTH, a.down_error.status);
        assert_status(LIANA_EAUTH, b.down_error.status);
        assert_status(LIANA_EAUTH, a.failure.status);
        assert_non_null(strstr(a.down_error.message, "shared keys differ"));
        assert_int_equal(a.ups + b.ups, 0);
        finish(&a);
        finish(&b);
        lia_gate_deinit(&gate);
    }
}

static void a_link_that_ends_is_dialled_again(void **state)
{
    struct liana_str where;
    struct lia_gate gate;
    struct device a;
    struct device b;
    char address[LIA_ADDRESS_TEXT];

    (void)state;
    lia_gate_init(&gate);
    start(&a, &gate, 1);
    start(&b, &gate, 2);
    listen_at(&b, "127.0.0.1:0");
    memcpy(address, b.address, sizeof(address));
    dial(&a, &b);
    lia_gate_wait(&gate, is_up, &a);
    lia_gate_wait(&gate, is_up, &b);
    /* The listener goes, and its links with it; then it comes back. */
    assert_ok(lia_node_set_addresses(b.node, NULL, 0, NULL, 0, NULL));
    lia_gate_wait(&gate, is_down, &a);
    lia_gate_wait(&gate, has_failed, &a);
    where = lia_str(address);
    assert_ok(lia_node_set_addresses(b.node, &where, 1, NULL, 0, NULL));
    lia_gate_wait(&gate, is_up_again, &a);
    finish(&a);
    finish(&b);
    lia_gate_deinit(&gate);
}

static void an_address_that_stays_keeps_its_link(void **state)
{
    struct liana_str texts[2];
    struct lia_gate gate;
    struct device a;
    struct device b;

    (void)state;
    lia_gate_init(&gate);
    start(&a, &gate, 1);
    start(&b, &gate, 2);
    listen_at(&b, "127.0.0.1:0");
    dial(&a, &b);
    lia_gate_wait(&gate, is_up, &a);
    texts[0] = lia_str(b.address);
    texts[1] = lia_str("127.0.0.1:1"); /* nobody is there */
    assert_ok(lia_node_set_addresses(a.node, NULL, 0, texts, 2, NULL));
    lia_gate_wait(&gate, has_failed_twice, &a);
    assert_status(LIANA_EUNREACHABLE, a.failure.status);
    assert_non_null(strstr(a.failure.message, "127.0.0.1:1"));
    dial(&a, &b);
    stop(&b);
    lia_gate_wait(&gate, is_down, &a); /* only now */
    finish(&a);
    assert_int_equal(a.ups, 1);
    finish(&b);
    lia_gate_deinit(&gate);
}

static void a_failed_change_changes_nothing(void **state)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct liana_str texts[2];
    struct lia_node_report report;
    struct lia_arena arena;
    struct lia_gate gate;
    struct device a;
    struct device b;

    (void)state;
    lia_gate_init(&gate);
    start(&a, &gate, 1);
    start(&b, &gate, 2);
    listen_at(&a, "127.0.0.1:0");
    listen_at(&b, "127.0.0.1:0");
    texts[0] = lia_str("127.0.0.1:0");
    texts[1] = lia_str(a.address);
    assert_status(LIANA_EADDRINUSE,
                  lia_node_set_addresses(b.node, texts, 2, NULL, 0, &err));
    assert_non_null(strstr(err.message, a.address));
    texts[1] = lia_str("nonsense");
    assert_status(LIANA_EINVAL,
                  lia_node_set_addresses(b.node, texts, 2, NULL, 0, NULL));
    assert_status(LIANA_EINVAL,
                  lia_node_set_addresses(b.node, NULL, 0, texts, 2, NULL));
    lia_arena_init(&arena, &lia_mem_libc);
    assert_ok(lia_node_report(b.node, &arena, &report));
    assert_int_equal(report.listen_count, 1);
    assert_string_equal(report.listen[0], b.address);
    assert_int_equal(report.link_count, 0);
    lia_arena_deinit(&arena);
    finish(&a);
    finish(&b);
    lia_gate_deinit(&gate);
}

static void a_store_does_not_sync_with_itself(void **state)
{
    struct liana_str text;
    struct lia_gate gate;
    struct device a;

    (void)state;
    lia_gate_init(&gate);
    start(&a, &gate, 1);
    listen_at(&a, "127.0.0.1:0");
    text = lia_str(a.address);
    assert_ok(lia_node_set_addresses(a.node, &text, 1, &text, 1, NULL));
    lia_gate_wait(&gate, has_failed, &a);
    stop(&a);
    assert_int_equal(a.ups, 0);
    finish(&a);
    lia_gate_deinit(&gate);
}

static void the_report_shows_links(void **state)
{
    struct lia_node_report report;
    struct lia_arena arena;
    struct lia_gate gate;
    struct device a;
    struct device b;

    (void)state;
    lia_gate_init(&gate);
    start(&a, &gate, 1);
    start(&b, &gate, 2);
    listen_at(&b, "127.0.0.1:0");
    dial(&a, &b);
    lia_gate_wait(&gate, is_up, &a);
    lia_gate_wait(&gate, is_up, &b);
    lia_arena_init(&arena, &lia_mem_libc);
    assert_ok(lia_node_report(a.node, &arena, &report));
    assert_int_equal(report.listen_count, 0);
    assert_int_equal(report.link_count, 1);
    assert_true(report.links[0].is_dialed);
    assert_int_equal(report.links[0].state, LIA_LINK_UP);
    assert_string_equal(report.links[0].address, b.address);
    assert_true(report.links[0].has_remote);
    assert_memory_equal(report.links[0].remote, b.identity.peer_id, LIA_PEER_ID_BYTES);
    assert_true(report.links[0].wire_in > 500 && report.links[0].wire_out > 500);
    assert_ok(lia_node_report(b.node, &arena, &report));
    assert_int_equal(report.link_count, 1);
    assert_false(report.links[0].is_dialed);
    assert_memory_equal(report.links[0].remote, a.identity.peer_id, LIA_PEER_ID_BYTES);
    lia_arena_deinit(&arena);
    finish(&a);
    finish(&b);
    lia_gate_deinit(&gate);
}

static void the_peer_is_ticked_and_asked(void **state)
{
    struct lia_gate gate;
    struct device a;
    uint64_t id = 0;

    (void)state;
    lia_gate_init(&gate);
    start(&a, &gate, 1);
    lia_gate_wait(&gate, has_ticked, &a);
    assert_ok(lia_node_subscribe(a.node, lia_str("c"), lia_slice(NULL, 0), &id, NULL));
    assert_int_equal(id, 7);
    assert_ok(lia_node_unsubscribe(a.node, 7, NULL));
    assert_status(LIANA_ENOTFOUND, lia_node_unsubscribe(a.node, 8, NULL));
    finish(&a);
    lia_gate_deinit(&gate);
}

/* Stopping at any moment: while dialling, shaking hands, sending, being dialled. */
static void stopping_at_any_moment_is_clean(void **state)
{
    struct lia_gate gate;
    struct device a;
    struct device b;

    (void)state;
    for (int i = 0; i < 30; i++) {
        lia_gate_init(&gate);
        start(&a, &gate, (uint64_t)i);
        start(&b, &gate, (uint64_t)i + 1000);
        listen_at(&b, "127.0.0.1:0");
        dial(&a, &b);
        if (i % 3 == 0) {
            lia_gate_wait(&gate, is_up, i % 2 ? &a : &b);
            commit(&a, 5);
            commit(&b, 5);
        }
        finish(i % 2 ? &a : &b);
        finish(i % 2 ? &b : &a);
        lia_gate_deinit(&gate);
    }
}

struct oom {
    struct device *device;
    struct lia_env env;
};

static liana_status start_listen_stop(const struct liana_allocator *a, void *ctx)
{
    struct oom *oom = ctx;
    struct device *d = oom->device;
    struct lia_node_options options = {.identity = &d->identity, .trust = &d->trust};
    struct liana_str text = lia_str("127.0.0.1:0");
    struct lia_node *node = NULL;
    liana_status status;

    oom->env.alloc = a;
    options.env = &oom->env;
    options.loop = d->loop;
    starting = d;
    status = lia_node_start(&options, &node, NULL);
    if (!status) {
        status = lia_node_set_addresses(node, &text, 1, &text, 1, NULL);
        lia_node_stop(node);
    }
    return status;
}

static void out_of_memory_is_a_status(void **state)
{
    struct lia_gate gate;
    struct device d;
    struct oom oom = {.device = &d};

    (void)state;
    lia_gate_init(&gate);
    start(&d, &gate, 1);
    stop(&d);
    oom.env = d.env.env;
    lia_test_each_failure(start_listen_stop, &oom);
    finish(&d);
    lia_gate_deinit(&gate);
}

/* One allocation fails on either side, at each place in turn: the link comes up all the
 * same, at the latest when it is dialled again. */
static void a_failed_allocation_costs_at_most_a_link(void **state)
{
    struct lia_gate gate;
    struct device a;
    struct device b;

    (void)state;
    for (size_t i = 0; i < 24; i++) {
        struct liana_str text;
        liana_status status;

        lia_gate_init(&gate);
        start(&a, &gate, 1);
        start(&b, &gate, 2);
        listen_at(&b, "127.0.0.1:0");
        text = lia_str(b.address);
        lia_test_alloc_fail_at(i % 2 ? &a.env.alloc : &b.env.alloc, i / 2 + 1);
        status = lia_node_set_addresses(a.node, NULL, 0, &text, 1, NULL);
        if (status) {
            assert_status(LIANA_ENOMEM, status);
            dial(&a, &b);
        }
        lia_gate_wait(&gate, is_up, &a);
        lia_gate_wait(&gate, is_up, &b);
        finish(&a);
        finish(&b);
        lia_gate_deinit(&gate);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(commits_cross_in_order_through_all_threads),
    cmocka_unit_test(both_ends_refuse_a_wrong_key),
    cmocka_unit_test(a_link_that_ends_is_dialled_again),
    cmocka_unit_test(an_address_that_stays_keeps_its_link),
    cmocka_unit_test(a_failed_change_changes_nothing),
    cmocka_unit_test(a_store_does_not_sync_with_itself),
    cmocka_unit_test(the_report_shows_links),
    cmocka_unit_test(the_peer_is_ticked_and_asked),
    cmocka_unit_test(stopping_at_any_moment_is_clean),
    cmocka_unit_test(out_of_memory_is_a_status),
    cmocka_unit_test(a_failed_allocation_costs_at_most_a_link),
};

LIA_TEST_MAIN(tests)
