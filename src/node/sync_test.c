/* SPDX-License-Identifier: Apache-2.0 */
/* Stores that become equal over real sockets, TLS and threads. */
#include "base/testing/test.h"

#include <stdio.h>

#include "db/testing/fixture.h"
#include "net/testing/gate.h"
#include "node/node.h"

#define DEVICES 3

struct device {
    struct lia_test_db db;
    struct lia_identity identity;
    struct lia_trust trust;
    struct lia_loop *loop;
    struct lia_node *node;
    struct lia_listener *listener;
    char address[LIA_ADDRESS_TEXT];

    struct lia_gate gate; /* guards the rest */
    uint64_t changes;     /* commits and events so far */
    int ups;
    struct liana_error failure;
};

static void note_change(void *ctx)
{
    struct device *d = ctx;

    lia_gate_enter(&d->gate);
    d->changes++;
    lia_gate_leave(&d->gate);
}

static void on_event(void *ctx, const struct lia_node_event *event)
{
    struct device *d = ctx;

    lia_gate_enter(&d->gate);
    d->changes++;
    switch (event->kind) {
    case LIA_NODE_PEER_UP: d->ups++; break;
    case LIA_NODE_LISTENING:
        snprintf(d->address, sizeof(d->address), "%s", event->address);
        break;
    case LIA_NODE_LINK_FAILED: d->failure = event->error; break;
    case LIA_NODE_PEER_DOWN:
    case LIA_NODE_UP_TO_DATE:
    case LIA_NODE_REFUSED:
    case LIA_NODE_DIALING: break;
    }
    lia_gate_leave(&d->gate);
}

/* ---- devices ---- */

/* The test's memory, the system's clocks and randomness: many threads use them. */
static void use_system(struct lia_env *env)
{
    struct lia_env system;

    assert_ok(lia_env_system(&system));
    env->wall_ms = system.wall_ms;
    env->mono_ms = system.mono_ms;
    env->random = system.random;
    env->log = NULL;
}

static void open_device(struct device *d, uint64_t seed)
{
    const struct lia_listener_options listening = {.wake = note_change, .ctx = d};
    uint64_t seq;

    memset(d, 0, sizeof(*d));
    lia_gate_init(&d->gate);
    lia_test_db_init(&d->db, seed);
    use_system(&d->db.env.env);
    d->db.options.database = LIA_BYTES("the test databas");
    lia_test_db_open(&d->db);
    assert_ok(lia_identity_open(&d->db.env.env, d->db.folder, &d->identity, NULL));
    d->trust.mode = LIA_TRUST_SHARED_KEY;
    memset(d->trust.key.bytes, 9, sizeof(d->trust.key.bytes));
    assert_ok(lia_loop_start(&d->db.env.env, "liana-test", &d->loop, NULL));
    assert_ok(lia_db_listen(d->db.db, &listening, &d->listener, &seq, NULL));
}

static void start(struct device *d)
{
    const struct lia_node_options options = {.env = &d->db.env.env,
                                             .loop = d->loop,
                                             .db = d->db.db,
                                             .identity = &d->identity,
                                             .trust = &d->trust,
                                             .name = {"test", 4},
                                             .linger_ms = 500,
                                             .event = on_event,
                                             .event_ctx = d};
    uint64_t id;

    assert_ok(lia_node_start(&options, &d->node, NULL));
    assert_ok(lia_node_subscribe(d->node, lia_str("x"), lia_slice(NULL, 0), &id, NULL));
}

static void stop(struct device *d)
{
    if (d->node) {
        lia_node_stop(d->node);
        d->node = NULL;
    }
}

static void close_device(struct device *d)
{
    stop(d);
    lia_db_unlisten(d->listener);
    lia_loop_stop(d->loop);
    lia_identity_deinit(&d->identity);
    lia_test_db_finish(&d->db);
    lia_gate_deinit(&d->gate);
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

/* ---- waiting ---- */

struct since {
    const struct device *device;
    uint64_t changes;
};

static bool has_changed(const void *ctx)
{
    const struct since *since = ctx;

    return since->device->changes != since->changes;
}

/* Looks again after each commit and event: facts read the store, so they are not looked
 * at with the gate closed. */
static void wait_until(struct device *d, bool (*fact)(struct device *d))
{
    struct since since = {.device = d};

    for (;;) {
        lia_gate_enter(&d->gate);
        since.changes = d->changes;
        lia_gate_leave(&d->gate);
        if (fact(d)) {
            return;
        }
        lia_gate_wait(&d->gate, has_changed, &since);
    }
}

static bool has_all_100(struct device *d)
{
    for (int32_t i = 0; i < 100; i++) {
        if (lia_test_get(&d->db, "x", i) != 1000 + i) {
            return false;
        }
    }
    return true;
}

static bool has_failed(struct device *d)
{
    bool has;

    lia_gate_enter(&d->gate);
    has = d->failure.status != LIANA_OK;
    lia_gate_leave(&d->gate);
    return has;
}

static void assert_equal_stores(struct device *devices)
{
    for (int32_t i = 0; i < 100; i++) {
        struct lia_doc first = lia_test_doc(&devices[0].db, "x", i);

        for (int n = 1; n < DEVICES; n++) {
            struct lia_doc doc = lia_test_doc(&devices[n].db, "x", i);

            assert_slice_equal(doc.body, first.body);
            assert_slice_equal(doc.clock, first.clock);
        }
    }
}

/* 0 - 1 - 2: the ends know nothing of each other. */
static void open_line(struct device *devices)
{
    for (int n = 0; n < DEVICES; n++) {
        open_device(&devices[n], (uint64_t)n + 1);
        start(&devices[n]);
    }
    listen_at(&devices[1], "127.0.0.1:0");
    dial(&devices[0], &devices[1]);
    dial(&devices[2], &devices[1]);
}

/* ---- cases ---- */

static void a_line_of_stores_becomes_equal(void **state)
{
    static struct device devices[DEVICES];

    (void)state;
    open_line(devices);
    /* While links come up, and live: commits at all three, merged with what arrives. */
    for (int32_t i = 0; i < 100; i++) {
        lia_test_put(&devices[i % DEVICES].db, "x", i, 1000 + i);
    }
    for (int n = 0; n < DEVICES; n++) {
        wait_until(&devices[n], has_all_100);
    }
    assert_equal_stores(devices);
    for (int n = 0; n < DEVICES; n++) {
        close_device(&devices[n]);
    }
}

static void what_is_written_apart_comes_together(void **state)
{
    static struct device devices[DEVICES];
    char address[LIA_ADDRESS_TEXT];

    (void)state;
    open_line(devices);
    for (int32_t i = 0; i < 50; i++) {
        lia_test_put(&devices[0].db, "x", i, 1000 + i);
    }
    memcpy(address, devices[1].address, sizeof(address));
    stop(&devices[1]); /* in the middle of it */
    for (int32_t i = 50; i < 100; i++) {
        lia_test_put(&devices[i % 2 ? 0 : 2].db, "x", i, 1000 + i);
    }
    start(&devices[1]);
    listen_at(&devices[1], address); /* and the others dial it again */
    for (int n = 0; n < DEVICES; n++) {
        wait_until(&devices[n], has_all_100);
    }
    assert_equal_stores(devices);
    for (int n = 0; n < DEVICES; n++) {
        close_device(&devices[n]);
    }
}

static void another_key(struct lia_trust *trust)
{
    trust->key.bytes[31] ^= 1;
}

static void open_to_all(struct lia_trust *trust)
{
    trust->mode = LIA_TRUST_OPEN;
}

static const struct {
    void (*differ)(struct lia_trust *trust); /* how the listener does */
    const char *dialer_says;
} strangers[] = {
    {another_key, "shared keys differ"},
    {open_to_all, "the peer uses trust mode 'open', we use 'shared key'"},
};

static void who_may_not_join_is_told_at_both_ends(void **state)
{
    static struct device devices[2];

    (void)state;
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        open_device(&devices[0], 1);
        open_device(&devices[1], 2);
        strangers[i].differ(&devices[1].trust);
        start(&devices[0]);
        start(&devices[1]);
        lia_test_put(&devices[0].db, "x", 1, 1);
        listen_at(&devices[1], "127.0.0.1:0");
        dial(&devices[0], &devices[1]);
        for (int n = 0; n < 2; n++) {
            wait_until(&devices[n], has_failed);
            stop(&devices[n]);
            assert_status(LIANA_EAUTH, devices[n].failure.status);
            assert_int_equal(devices[n].ups, 0);
        }
        assert_non_null(strstr(devices[0].failure.message, strangers[i].dialer_says));
        assert_int_equal(lia_test_get(&devices[1].db, "x", 1), -1);
        close_device(&devices[0]);
        close_device(&devices[1]);
    }
}

/* `open` lets everybody in, and says so in the log. */
static void open_mode_syncs(void **state)
{
    static struct device devices[2];

    (void)state;
    for (int n = 0; n < 2; n++) {
        open_device(&devices[n], (uint64_t)n + 1);
        open_to_all(&devices[n].trust);
        start(&devices[n]);
    }
    for (int32_t i = 0; i < 100; i++) {
        lia_test_put(&devices[0].db, "x", i, 1000 + i);
    }
    listen_at(&devices[1], "127.0.0.1:0");
    dial(&devices[0], &devices[1]);
    wait_until(&devices[1], has_all_100);
    close_device(&devices[0]);
    close_device(&devices[1]);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_line_of_stores_becomes_equal),
    cmocka_unit_test(what_is_written_apart_comes_together),
    cmocka_unit_test(who_may_not_join_is_told_at_both_ends),
    cmocka_unit_test(open_mode_syncs),
};

LIA_TEST_MAIN(tests)
