/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NODE_TESTING_FAKE_PEER_H
#define LIA_NODE_TESTING_FAKE_PEER_H
/*
 * node/testing/fake_peer - nodes around a peer that is a stand-in: it proves itself as a
 * real one does, and carries numbers instead of documents.
 *
 *     commit (test) -> wake -> READ job -> SEND of every new number to every link
 *     bytes -> numbers -> WRITE job -> the log of the receiver, in order
 *
 * Rules: this is the code of src/peer's functions, so it is included once by a test that
 * wants it, before the library is looked into. A second link of a peer that is admitted
 * is closed with LIANA_EEXISTS, as the real one does in the end.
 * Ownership: devices are the test's, from start to finish. Threads: as in a node.
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
    uint64_t cost;
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

    uint32_t handshake_ms; /* 0: the usual */

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
    struct liana_error up; /* of the newest event of each kind */
    struct liana_error down;
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

    *out = (struct lia_peer_output){
        .kind = LIA_PEER_EVENT, .event = kind, .link = link->facts.id};
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

static void end_link(struct lia_peer *peer,
                     struct fake_link *link,
                     const struct liana_error *why)
{
    struct fake_link *other = peer->links;

    while (other < peer->links + LINKS_MAX &&
           (other == link || !other->is_used || !other->is_admitted)) {
        other++;
    }
    if (link->is_admitted && other == peer->links + LINKS_MAX) {
        add_event(peer, LIA_PEER_DOWN, link, why);
    }
    lia_buf_deinit(&link->in);
    link->is_used = false;
}

static void close_fake(struct lia_peer *peer,
                       struct fake_link *link,
                       const struct liana_error *why)
{
    uint64_t id = link->facts.id;

    end_link(peer, link, why);
    *add_output(peer) =
        (struct lia_peer_output){.kind = LIA_PEER_CLOSE, .link = id, .error = *why};
}

static const struct liana_error closing = {.message = "closing"};

static struct fake_link *find_fake(struct lia_peer *peer, uint64_t id)
{
    for (size_t i = 0; i < LINKS_MAX; i++) {
        if (peer->links[i].is_used && peer->links[i].facts.id == id) {
            return &peer->links[i];
        }
    }
    return NULL;
}

void lia_peer_close(struct lia_peer *peer)
{
    peer->is_closing = true;
    for (size_t i = 0; i < LINKS_MAX; i++) {
        if (peer->links[i].is_used) {
            close_fake(peer, &peer->links[i], &closing);
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
        close_fake(peer, link, &err);
        return;
    }
    for (size_t i = 0; i < LINKS_MAX; i++) {
        if (peer->links[i].is_used && peer->links[i].is_admitted) {
            LIA_IGNORE(lia_err_plain(&err, LIANA_EEXISTS)); /* it is only made */
            close_fake(peer, link, &err);
            return;
        }
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
    struct fake_link *fake = find_fake(peer, id);
    size_t used = 0;

    (void)now_ms;
    LIA_ASSERT(fake);
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
    struct liana_error why = LIANA_ERROR_INIT;
    struct fake_link *link = find_fake(peer, id);

    (void)now_ms;
    LIA_IGNORE(lia_err_plain(&why, reason ? reason : LIANA_ECLOSED)); /* only made */
    if (link) {
        end_link(peer, link, &why);
    }
}

void lia_peer_link_close(struct lia_peer *peer, uint64_t id, uint64_t now_ms)
{
    struct fake_link *link = find_fake(peer, id);

    (void)now_ms;
    if (link) {
        close_fake(peer, link, &closing);
    }
}

bool lia_peer_link_facts(const struct lia_peer *peer,
                         uint64_t id,
                         struct lia_link_facts *out)
{
    for (size_t i = 0; i < LINKS_MAX; i++) {
        const struct fake_link *link = &peer->links[i];

        if (link->is_used && link->facts.id == id) {
            *out = (struct lia_link_facts){.is_member = link->is_admitted,
                                           .has_session = link->is_admitted,
                                           .payload_out = link->sent};
            return true;
        }
    }
    return false;
}

void lia_peer_link_cost(struct lia_peer *peer,
                        const uint8_t remote[LIA_PEER_ID_BYTES],
                        uint64_t wire_in,
                        uint64_t wire_out)
{
    (void)remote;
    peer->cost += wire_in + wire_out;
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
    case LIA_NODE_PEER_UP:
        d->ups++;
        d->up = event->error;
        break;
    case LIA_NODE_PEER_DOWN:
        d->downs++;
        d->down = event->error;
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

static void start_node(struct device *d)
{
    const struct lia_node_options options = {.env = &d->env.env,
                                             .loop = d->loop,
                                             .identity = &d->identity,
                                             .trust = &d->trust,
                                             .handshake_ms = d->handshake_ms,
                                             .linger_ms = 200,
                                             .event = on_event,
                                             .event_ctx = d};

    starting = d;
    assert_ok(lia_node_start(&options, &d->node, NULL));
}

static void start(struct device *d, struct lia_gate *gate, uint64_t seed)
{
    memset(d, 0, sizeof(*d));
    d->gate = gate;
    lia_test_env_init(&d->env, seed);
    d->env.env.mono_ms = real_mono_ms;
    d->trust.mode = LIA_TRUST_SHARED_KEY;
    memset(d->trust.key.bytes, 7, sizeof(d->trust.key.bytes));
    assert_ok(lia_identity_generate(&d->env.env, &d->identity, NULL));
    assert_ok(lia_loop_start(&d->env.env, "liana-test", &d->loop, NULL));
    start_node(d);
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

/* ---- two of them ---- */

struct pair {
    struct lia_gate gate;
    struct device a;
    struct device b;
};

static int set_up(void **state)
{
    struct pair *p = test_calloc(1, sizeof(*p));

    lia_gate_init(&p->gate);
    start(&p->a, &p->gate, 1);
    start(&p->b, &p->gate, 2);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct pair *p = *state;

    finish(&p->a);
    finish(&p->b);
    lia_gate_deinit(&p->gate);
    test_free(p);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* ---- facts ---- */

static bool is_up(const void *ctx)
{
    return ((const struct device *)ctx)->ups > 0;
}

static bool has_failed(const void *ctx)
{
    return ((const struct device *)ctx)->failures > 0;
}

/* `a` dials `b`, and both have a session. */
static void connect_pair(struct pair *p)
{
    listen_at(&p->b, "127.0.0.1:0");
    dial(&p->a, &p->b);
    lia_gate_wait(&p->gate, is_up, &p->a);
    lia_gate_wait(&p->gate, is_up, &p->b);
}

#endif
