/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <stdio.h>

#include "db/testing/fixture.h"
#include "peer/internal.h"
#include "store/testing/disk.h"

#define PEERS     3
#define LINKS_MAX 4
#define EVENTS    64

/* ---- peers on real stores, wired together; nothing happens by itself ---- */

struct node {
    struct lia_test_disk disks[2]; /* after a loss of power the other one */
    int disk;
    char disk_name[16]; /* as an SQLite VFS */
    struct lia_test_db db;
    struct lia_peer *peer;
    bool is_woken;
    struct lia_job *jobs; /* in order */
    struct lia_peer_output events[EVENTS];
    size_t event_count;
};

struct wire {
    int ends[2]; /* nodes */
    uint64_t ids[2];
    struct lia_buf out[2]; /* from ends[i] */
    bool is_down[2];
    uint64_t bytes;
};

struct world {
    struct node nodes[PEERS];
    struct wire wires[LINKS_MAX];
    size_t wire_count;
    uint64_t now;
    uint64_t link_id;
    struct liana_error closed; /* why the newest link was closed */
};

static void wake(void *ctx)
{
    ((struct node *)ctx)->is_woken = true;
}

static struct wire *find_wire(struct world *w, uint64_t link, int *end)
{
    for (size_t i = 0; i < w->wire_count; i++) {
        for (*end = 0; *end < 2; (*end)++) {
            if (w->wires[i].ids[*end] == link) {
                return &w->wires[i];
            }
        }
    }
    fail();
    return NULL;
}

static void take_outputs(struct world *w, int n)
{
    struct node *node = &w->nodes[n];
    struct lia_peer_output out;

    while (lia_peer_next(node->peer, &out)) {
        struct lia_job **last = &node->jobs;
        struct wire *wire;
        int end;

        switch (out.kind) {
        case LIA_PEER_SEND:
            wire = find_wire(w, out.link, &end);
            lia_buf_slice_add(&wire->out[end], out.bytes);
            wire->bytes += out.bytes.len;
            break;
        case LIA_PEER_CLOSE:
            wire = find_wire(w, out.link, &end);
            wire->is_down[end] = true;
            w->closed = out.error;
            break;
        case LIA_PEER_JOB:
            while (*last) {
                last = lia_job_next(*last);
            }
            *lia_job_next(out.job) = NULL;
            *last = out.job;
            break;
        case LIA_PEER_EVENT: node->events[node->event_count++ % EVENTS] = out; break;
        }
    }
}

static bool deliver(struct world *w, struct wire *wire, int from)
{
    struct lia_buf bytes = wire->out[from];
    int to = 1 - from;

    if (bytes.len == 0 && !(wire->is_down[from] && !wire->is_down[to])) {
        return false;
    }
    lia_buf_init(&wire->out[from], &lia_mem_libc);
    if (!wire->is_down[to] && bytes.len) {
        lia_peer_link_bytes(w->nodes[wire->ends[to]].peer, wire->ids[to],
                            lia_buf_slice(&bytes), w->now);
        take_outputs(w, wire->ends[to]);
    } else if (!wire->is_down[to]) {
        lia_peer_link_down(w->nodes[wire->ends[to]].peer, wire->ids[to], LIANA_OK,
                           w->now);
        take_outputs(w, wire->ends[to]);
    }
    lia_buf_deinit(&bytes);
    return true;
}

static bool work(struct world *w, int n)
{
    struct node *node = &w->nodes[n];
    struct lia_job *job = node->jobs;

    if (node->is_woken) {
        node->is_woken = false;
        lia_peer_wake(node->peer, w->now);
        take_outputs(w, n);
        return true;
    }
    if (!job) {
        return false;
    }
    node->jobs = *lia_job_next(job);
    lia_job_run(job);
    lia_peer_job_done(node->peer, job, w->now);
    take_outputs(w, n);
    return true;
}

/* Everybody does one thing. */
static bool take_turns(struct world *w)
{
    bool is_busy = false;

    for (int n = 0; n < PEERS; n++) {
        is_busy = work(w, n) || is_busy;
    }
    for (size_t i = 0; i < w->wire_count; i++) {
        is_busy = deliver(w, &w->wires[i], 0) || is_busy;
        is_busy = deliver(w, &w->wires[i], 1) || is_busy;
    }
    return is_busy;
}

static void settle(struct world *w)
{
    while (take_turns(w)) {
    }
}

static void pass(struct world *w, uint64_t ms)
{
    w->now += ms;
    for (int n = 0; n < PEERS; n++) {
        lia_peer_tick(w->nodes[n].peer, w->now);
        take_outputs(w, n);
    }
    settle(w);
}

static struct wire *connect_nodes(struct world *w, int a, int b)
{
    struct wire *wire = &w->wires[w->wire_count++];

    assert_true(w->wire_count <= LINKS_MAX);
    *wire = (struct wire){.ends = {a, b}};
    for (int i = 0; i < 2; i++) {
        lia_buf_init(&wire->out[i], &lia_mem_libc);
        wire->ids[i] = ++w->link_id;
    }
    for (int i = 0; i < 2; i++) {
        struct lia_link link = {.id = wire->ids[i], .is_dialer = i == 0};

        link.remote[0] = (uint8_t)(wire->ends[1 - i] + 1);
        lia_peer_link_up(w->nodes[wire->ends[i]].peer, &link, w->now);
        take_outputs(w, wire->ends[i]);
    }
    return wire;
}

static void cut(struct world *w, struct wire *wire)
{
    for (int i = 0; i < 2; i++) {
        if (!wire->is_down[i]) {
            wire->is_down[i] = true;
            lia_peer_link_down(w->nodes[wire->ends[i]].peer, wire->ids[i],
                               LIANA_ENETWORK, w->now);
            take_outputs(w, wire->ends[i]);
        }
        lia_buf_deinit(&wire->out[i]);
    }
}

static void subscribe(struct world *w, int n, const char *collection)
{
    uint64_t id;

    assert_ok(lia_peer_subscribe(w->nodes[n].peer, lia_str(collection),
                                 lia_slice(NULL, 0), w->now, &id, NULL));
    take_outputs(w, n);
}

static void start(struct world *w, int n, const struct lia_peer_options *limits)
{
    struct node *node = &w->nodes[n];
    struct lia_peer_options o = *limits;

    o.env = &node->db.env.env;
    o.db = node->db.db;
    o.id[0] = (uint8_t)(n + 1);
    o.name = lia_str("test");
    o.wake = wake;
    o.wake_ctx = node;
    assert_ok(lia_peer_new(&o, &node->peer, NULL));
}

static int set_up(void **state)
{
    static struct world w;
    const struct lia_peer_options limits = {0};

    w = (struct world){.now = 1000};
    for (int n = 0; n < PEERS; n++) {
        struct node *node = &w.nodes[n];

        snprintf(node->disk_name, sizeof(node->disk_name), "peer%d", n);
        lia_test_disk_init(&node->disks[0], node->disk_name);
        lia_test_db_init(&node->db, (uint64_t)n + 1);
        node->db.options.store.vfs = node->disk_name;
        node->db.options.store.path = "store";
        node->db.options.database = LIA_BYTES("the test databas");
        lia_test_db_open(&node->db);
        start(&w, n, &limits);
        subscribe(&w, n, "x");
        subscribe(&w, n, "y");
    }
    *state = &w;
    return 0;
}

static void stop(struct world *w, int n)
{
    struct node *node = &w->nodes[n];

    while (node->jobs) {
        struct lia_job *next = *lia_job_next(node->jobs);

        lia_job_free(node->jobs);
        node->jobs = next;
    }
    lia_peer_free(node->peer);
}

static int tear_down(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < w->wire_count; i++) {
        lia_buf_deinit(&w->wires[i].out[0]);
        lia_buf_deinit(&w->wires[i].out[1]);
    }
    for (int n = 0; n < PEERS; n++) {
        stop(w, n);
        lia_test_db_finish(&w->nodes[n].db);
        lia_test_disk_deinit(&w->nodes[n].disks[w->nodes[n].disk]);
    }
    return 0;
}

static void put(struct world *w, int n, const char *collection, int32_t id, int32_t a)
{
    lia_test_put(&w->nodes[n].db, collection, id, a);
}

static void assert_same(struct world *w, const char *collection, int32_t id)
{
    struct lia_doc first = lia_test_doc(&w->nodes[0].db, collection, id);

    assert_true(first.clock.len > 0);
    for (int n = 1; n < PEERS; n++) {
        struct lia_doc doc = lia_test_doc(&w->nodes[n].db, collection, id);

        assert_slice_equal(doc.body, first.body);
        assert_slice_equal(doc.clock, first.clock);
    }
}

static const struct lia_peer_status *status_of(struct world *w, int n, int remote)
{
    struct lia_peer_report report;

    assert_ok(lia_peer_report(w->nodes[n].peer, &w->nodes[n].db.arena, &report));
    for (size_t i = 0; i < report.peer_count; i++) {
        if (report.peers[i].remote[0] == remote + 1) {
            return &report.peers[i];
        }
    }
    fail();
    return NULL;
}

/* ---- cases ---- */

static size_t count_events(struct world *w, int n, enum lia_peer_event_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < w->nodes[n].event_count; i++) {
        count += w->nodes[n].events[i % EVENTS].event == kind;
    }
    return count;
}

/* NULL: there was none. */
/* NULL: there is none. */
static const struct lia_peer_output *find_newest_event(struct world *w,
                                                       int n,
                                                       enum lia_peer_event_kind kind)
{
    for (size_t i = w->nodes[n].event_count; i > 0; i--) {
        if (w->nodes[n].events[(i - 1) % EVENTS].event == kind) {
            return &w->nodes[n].events[(i - 1) % EVENTS];
        }
    }
    return NULL;
}

static struct lia_peer_output newest_event(struct world *w,
                                           int n,
                                           enum lia_peer_event_kind kind)
{
    const struct lia_peer_output *found = find_newest_event(w, n, kind);

    assert_non_null(found);
    return found ? *found : (struct lia_peer_output){0};
}

static void a_line_of_stores_becomes_equal(void **state)
{
    struct world *w = *state;

    for (int32_t i = 0; i < 30; i++) {
        put(w, i % PEERS, i % 2 ? "x" : "y", i, i);
    }
    connect_nodes(w, 0, 1);
    connect_nodes(w, 1, 2);
    settle(w);
    for (int32_t i = 0; i < 30; i++) {
        assert_same(w, i % 2 ? "x" : "y", i);
    }
    /* Live, both ways through the middle. */
    put(w, 0, "x", 1, 100);
    put(w, 2, "x", 1, 200);
    put(w, 2, "x", 77, 1);
    lia_test_delete(&w->nodes[1].db, "x", 3);
    settle(w);
    assert_same(w, "x", 1);
    assert_same(w, "x", 77);
    assert_same(w, "x", 3);
    assert_int_equal(lia_test_get(&w->nodes[0].db, "x", 1), 200);
}

/* The node comes back as a keeper. */
static void make_keeper(struct world *w, int n)
{
    const struct lia_peer_options limits = {0};

    stop(w, n);
    lia_test_db_close(&w->nodes[n].db);
    w->nodes[n].db.options.is_keeper = true;
    lia_test_db_open(&w->nodes[n].db);
    start(w, n, &limits);
    subscribe(w, n, "x");
}

/* What the node knows to be kept of its own commits to "x". */
static uint64_t kept_of_own(struct world *w, int n)
{
    struct lia_test_db *t = &w->nodes[n].db;
    struct lia_keeping keeping;

    assert_ok(lia_db_keeping(t->db, &t->arena, lia_str("x"), &keeping, NULL));
    return lia_vector_get(keeping.keep.kept, lia_db_identity(t->db).actor);
}

/* A batch of marks alone may wait a second, at each store. */
static void pass_often(struct world *w)
{
    settle(w);
    for (int i = 0; i < 4; i++) {
        pass(w, 1000);
    }
}

/* Through a store between that is no keeper, with the next batch and after a reconnect. */
static void what_a_keeper_holds_comes_back(void **state)
{
    struct world *w = *state;
    struct lia_commit first;
    struct lia_commit second;
    struct wire *wire;

    make_keeper(w, 2);
    first = lia_test_put(&w->nodes[0].db, "x", 1, 1);
    wire = connect_nodes(w, 0, 1);
    pass_often(w);
    assert_int_equal(kept_of_own(w, 0), 0);
    connect_nodes(w, 1, 2);
    pass_often(w);
    second = lia_test_put(&w->nodes[0].db, "x", 2, 2);
    pass_often(w);
    assert_true(kept_of_own(w, 0) >= first.stamp.hlc);
    cut(w, wire);
    connect_nodes(w, 0, 1);
    pass_often(w);
    assert_int_equal(kept_of_own(w, 0), second.stamp.hlc);
    assert_int_equal(kept_of_own(w, 1), 0);
}

static void put_unwaited(struct world *w, int n, int32_t id)
{
    struct lia_db *db = w->nodes[n].db.db;
    struct lia_txn_options options = lia_txn_options(db, LIA_WRITE);
    struct lia_txn *txn;

    options.durability = LIA_NORMAL;
    assert_ok(lia_txn_begin(db, &options, &txn, NULL));
    lia_test_put_in(&w->nodes[n].db, txn, "x", id, id);
    assert_ok(lia_txn_commit(txn, NULL, NULL));
}

static bool is_durable(struct world *w, int n)
{
    struct lia_store_head head = lia_store_head(lia_db_store(w->nodes[n].db.db));

    return head.durable.seq == head.committed.seq;
}

/* Commits that nobody waits for leave the store all the same: it is synced for them at
 * once, and then once in a second. Alone, it is left in peace. */
static void what_is_not_waited_for_is_synced_and_sent(void **state)
{
    struct world *w = *state;

    put_unwaited(w, 0, 1);
    settle(w);
    pass(w, 5000);
    assert_false(is_durable(w, 0));
    connect_nodes(w, 0, 1);
    connect_nodes(w, 1, 2);
    settle(w);
    pass(w, lia_peer_deadline(w->nodes[0].peer) - w->now);
    assert_same(w, "x", 1);
    put_unwaited(w, 0, 2);
    settle(w);
    put_unwaited(w, 0, 3);
    settle(w);
    assert_false(is_durable(w, 0));
    assert_int_equal(lia_test_doc(&w->nodes[1].db, "x", 2).clock.len, 0);
    pass(w, 1000);
    assert_same(w, "x", 2);
    assert_same(w, "x", 3);
}

/* A disk that does not sync ends the sessions that wait for it. */
static void what_cannot_be_synced_ends_the_session(void **state)
{
    struct world *w = *state;
    struct lia_test_disk disk;

    stop(w, 0);
    lia_test_db_finish(&w->nodes[0].db);
    lia_test_disk_init(&disk, "failing");
    lia_test_db_init(&w->nodes[0].db, 1);
    w->nodes[0].db.options.database = LIA_BYTES("the test databas");
    w->nodes[0].db.options.store.vfs = "failing";
    w->nodes[0].db.options.store.path = "s";
    lia_test_db_open(&w->nodes[0].db);
    start(w, 0, &(struct lia_peer_options){0});
    put_unwaited(w, 0, 1);
    connect_nodes(w, 0, 1);
    lia_test_disk_fault(&disk, LIA_FAULT_SYNC, 1, true);
    settle(w);
    pass(w, 1000);
    assert_int_equal(w->closed.status, LIANA_EIO);
    assert_non_null(strstr(w->closed.message, "sync failed"));
    /* For the tear-down: the store that failed is closed, another one opened. */
    lia_test_disk_fault(&disk, LIA_FAULT_NONE, 0, false);
    stop(w, 0);
    assert_status(LIANA_EIO, lia_db_close(w->nodes[0].db.db, NULL));
    w->nodes[0].db.err = (struct liana_error)LIANA_ERROR_INIT;
    lia_test_disk_deinit(&disk);
    w->nodes[0].db.options.store.vfs = NULL;
    w->nodes[0].db.options.store.path = w->nodes[0].db.folder;
    lia_test_db_open(&w->nodes[0].db);
    start(w, 0, &(struct lia_peer_options){0});
}

static void subscriptions_tell_when_they_are_up_to_date(void **state)
{
    struct world *w = *state;
    struct lia_peer_report report;
    size_t up_to_date = 0;

    put(w, 0, "x", 1, 1);
    connect_nodes(w, 0, 1);
    settle(w);
    for (size_t i = 0; i < w->nodes[1].event_count; i++) {
        up_to_date += w->nodes[1].events[i].event == LIA_PEER_UP_TO_DATE;
    }
    assert_int_equal(up_to_date, 2);
    assert_ok(lia_peer_report(w->nodes[1].peer, &w->nodes[1].db.arena, &report));
    assert_int_equal(report.subscription_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_true(report.subscriptions[i].is_up_to_date);
        assert_int_equal(report.subscriptions[i].have,
                         report.subscriptions[i].collection.ptr[0] == 'x');
    }
    assert_true(status_of(w, 0, 1)->is_connected);
    assert_int_equal(status_of(w, 0, 1)->acked, 1);
    assert_int_equal(status_of(w, 1, 0)->seen, 1);
}

static void a_reconnect_with_nothing_new_costs_little(void **state)
{
    struct world *w = *state;
    struct wire *wire;

    for (int32_t i = 0; i < 200; i++) {
        put(w, i % 2, "x", i, i);
    }
    wire = connect_nodes(w, 0, 1);
    settle(w);
    pass(w, 2000);
    pass(w, 2000);
    cut(w, wire);
    wire = connect_nodes(w, 0, 1);
    settle(w);
    assert_true(wire->bytes < 900);
    assert_int_equal(status_of(w, 1, 0)->docs_in, 100);
}

static void a_one_field_change_is_small_on_the_wire(void **state)
{
    struct world *w = *state;
    struct wire *wire;
    uint64_t before;

    put(w, 0, "x", 1, 1);
    wire = connect_nodes(w, 0, 1);
    settle(w);
    pass(w, 2000);
    put(w, 0, "x", 1, 2);
    settle(w);
    before = wire->bytes;
    put(w, 0, "x", 1, 3);
    settle(w);
    /* Segment, batch, marks, acknowledgement. */
    assert_true(wire->bytes - before < 120);
}

static void both_ends_keep_the_same_link(void **state)
{
    struct world *w = *state;
    struct wire *a = connect_nodes(w, 0, 1);
    struct wire *b = connect_nodes(w, 1, 0);

    put(w, 0, "x", 1, 1);
    settle(w);
    assert_int_equal(a->is_down[0] + b->is_down[0], 1);
    assert_int_equal(a->is_down[0], a->is_down[1]);
    assert_int_equal(b->is_down[0], b->is_down[1]);
    assert_status(LIANA_EEXISTS, w->closed.status);
    for (int n = 0; n < 2; n++) {
        assert_int_equal(count_events(w, n, LIA_PEER_UP), 1);
        assert_int_equal(count_events(w, n, LIA_PEER_DOWN), 0);
        assert_ok(status_of(w, n, 1 - n)->error.status);
    }
    put(w, 0, "x", 2, 2);
    settle(w);
    assert_int_equal(lia_test_get(&w->nodes[1].db, "x", 2), 2);
}

static void a_full_peer_says_that_it_is_busy(void **state)
{
    struct world *w = *state;
    const struct lia_peer_options limits = {.sessions_max = 1};

    stop(w, 1);
    start(w, 1, &limits);
    connect_nodes(w, 0, 1);
    settle(w);
    connect_nodes(w, 2, 1);
    settle(w);
    assert_status(LIANA_EBUSY, status_of(w, 2, 1)->error.status);
    assert_true(status_of(w, 0, 1)->is_connected);
}

static void another_database_is_refused(void **state)
{
    struct world *w = *state;
    const struct lia_peer_options limits = {0};

    stop(w, 1);
    lia_test_db_finish(&w->nodes[1].db);
    lia_test_db_init(&w->nodes[1].db, 9);
    w->nodes[1].db.options.database = LIA_BYTES("another database");
    lia_test_db_open(&w->nodes[1].db);
    start(w, 1, &limits);
    connect_nodes(w, 0, 1);
    settle(w);
    assert_status(LIANA_EDATABASE, status_of(w, 0, 1)->error.status);
    assert_status(LIANA_EDATABASE, status_of(w, 1, 0)->error.status);
}

static void closing_ends_everything_in_order(void **state)
{
    struct world *w = *state;

    connect_nodes(w, 0, 1);
    settle(w);
    put(w, 0, "x", 1, 1);
    lia_peer_close(w->nodes[0].peer);
    take_outputs(w, 0);
    settle(w);
    assert_true(lia_peer_is_closed(w->nodes[0].peer));
    assert_false(status_of(w, 1, 0)->is_connected);
    assert_ok(status_of(w, 1, 0)->error.status);
    assert_ok(w->closed.status); /* in order, at the other end too */
    assert_string_equal(newest_event(w, 1, LIA_PEER_DOWN).error.message, "closing");
    assert_ok(newest_event(w, 1, LIA_PEER_DOWN).error.status);
}

static void a_break_and_a_return_are_told_with_their_time(void **state)
{
    struct world *w = *state;
    struct wire *wire = connect_nodes(w, 0, 1);

    settle(w);
    assert_int_equal(newest_event(w, 0, LIA_PEER_UP).away_ms, 0);
    assert_string_equal(newest_event(w, 0, LIA_PEER_UP).name.ptr, "test");
    cut(w, wire);
    assert_status(LIANA_ENETWORK, newest_event(w, 0, LIA_PEER_DOWN).error.status);
    w->now += 12345;
    connect_nodes(w, 0, 1);
    settle(w);
    assert_int_equal(newest_event(w, 0, LIA_PEER_UP).away_ms, 12345);
}

/* Nothing else would tell it: the session stands, and its clock was as wrong at HELLO. */
static void a_clock_that_is_set_right_in_a_session(void **state)
{
    struct world *w = *state;
    struct lia_test_db *ahead = &w->nodes[0].db;
    const uint64_t days_ms = (uint64_t)3 * 24 * 3600 * 1000;
    struct wire *wire;

    ahead->env.wall_ms += days_ms;
    wire = connect_nodes(w, 0, 1);
    settle(w);
    put(w, 0, "x", 1, 1);
    settle(w);
    assert_int_equal(lia_test_get(&w->nodes[1].db, "x", 1), -1);
    ahead->env.wall_ms -= days_ms;
    for (int i = 0; i < 3; i++) {
        pass(w, 21000);
    }
    assert_true(wire->is_down[0]); /* as somebody else, with stamps of now */
    connect_nodes(w, 0, 1);
    settle(w);
    assert_int_equal(lia_test_get(&w->nodes[1].db, "x", 1), 1);
    assert_in_range(status_of(w, 0, 1)->clock_ahead_ms + 1000, 0, 2000);
}

/* Of what is taken its writer has noted before that it may be: else it would stamp it anew
 * when its clock is right again, and both would be there. */
static void clocks_that_are_set_ahead_in_a_session(void **state)
{
    struct world *w = *state;
    const uint64_t days_ms = (uint64_t)3 * 24 * 3600 * 1000;
    struct wire *wire = connect_nodes(w, 0, 1);

    settle(w);
    for (int n = 0; n < 2; n++) {
        w->nodes[n].db.env.wall_ms += days_ms;
    }
    put(w, 0, "x", 1, 1);
    settle(w);
    assert_true(wire->is_down[1]);
    assert_int_equal(lia_test_get(&w->nodes[1].db, "x", 1), -1);
    connect_nodes(w, 0, 1);
    settle(w);
    assert_int_equal(lia_test_get(&w->nodes[1].db, "x", 1), 1);
    assert_true(lia_db_held_ms(w->nodes[0].db.db) >= w->nodes[1].db.env.wall_ms);
}

static liana_status nobody(void *ctx,
                           const struct lia_link *link,
                           const uint8_t self[LIA_PEER_ID_BYTES],
                           struct liana_slice proof,
                           struct liana_error *err)
{
    (void)ctx;
    (void)link;
    (void)self;
    (void)proof;
    return lia_err(err, LIANA_EAUTH, "nobody may join");
}

static liana_status no_proof(void *ctx,
                             const struct lia_link *link,
                             const uint8_t self[LIA_PEER_ID_BYTES],
                             uint8_t out[LIA_PROOF_BYTES_MAX],
                             size_t *out_len)
{
    (void)ctx;
    (void)link;
    (void)self;
    (void)out;
    *out_len = 0;
    return LIANA_OK;
}

/* Keys cost nothing to make: who cannot join leaves nothing, and takes nobody's place. */
static void strangers_are_forgotten(void **state)
{
    struct world *w = *state;
    const struct lia_peer_auth auth = {.prove = no_proof, .verify = nobody};
    const struct lia_peer_options limits = {.sessions_max = 1, .auth = &auth};
    struct lia_peer_report report;
    struct lia_link_facts facts;
    struct wire *wire;

    stop(w, 1);
    start(w, 1, &limits);
    wire = connect_nodes(w, 0, 1);
    assert_true(lia_peer_link_facts(w->nodes[1].peer, wire->ids[1], &facts));
    assert_false(facts.is_member || facts.has_session);
    settle(w);
    assert_true(wire->is_down[0] && wire->is_down[1]);
    assert_ok(lia_peer_report(w->nodes[1].peer, &w->nodes[1].db.arena, &report));
    assert_int_equal(report.peer_count, 0);
    assert_null(find_newest_event(w, 1, LIA_PEER_UP));
    assert_null(find_newest_event(w, 1, LIA_PEER_DOWN));
}

static void what_is_known_outlives_the_peer(void **state)
{
    struct world *w = *state;
    struct lia_known known;
    const struct lia_peer_options limits = {.known = &known};
    const struct lia_peer_status *status;
    struct lia_peer_report report;
    struct wire *wire;
    struct lia_link_facts facts;
    uint64_t payload;

    lia_known_init(&known, &w->nodes[1].db.env.alloc.alloc);
    stop(w, 1);
    start(w, 1, &limits);
    subscribe(w, 1, "x");
    wire = connect_nodes(w, 0, 1);
    put(w, 0, "x", 1, 1);
    settle(w);
    status = status_of(w, 1, 0);
    payload = status->payload_in;
    assert_true(payload > 0 && status->docs_in == 1);
    assert_true(lia_peer_link_facts(w->nodes[1].peer, wire->ids[1], &facts));
    assert_true(facts.is_member && facts.has_session);
    assert_int_equal(facts.payload_in, payload);
    assert_false(lia_peer_link_facts(w->nodes[1].peer, 1000, &facts));
    lia_peer_link_cost(w->nodes[1].peer, status->remote, 10, 20);
    cut(w, wire);
    lia_peer_link_cost(w->nodes[1].peer, status->remote, 100, 200);
    stop(w, 1);
    assert_ok(lia_known_report(&known, &w->nodes[1].db.arena, &report));
    assert_int_equal(report.peer_count, 1);
    assert_int_equal(report.peers[0].docs_in, 1);
    start(w, 1, &limits);
    subscribe(w, 1, "x");
    connect_nodes(w, 0, 1);
    put(w, 0, "x", 2, 2);
    settle(w);
    status = status_of(w, 1, 0);
    assert_true(status->is_connected);
    assert_true(status->payload_in > payload);
    assert_int_equal(status->wire_in, 110);
    assert_int_equal(status->wire_out, 220);
    stop(w, 1);
    lia_known_deinit(&known);
    start(w, 1, &(const struct lia_peer_options){0});
}

/* More than is kept for the fan-out: the session walks the feed. */
static void a_slow_peer_falls_back_to_the_feed(void **state)
{
    struct world *w = *state;
    const struct lia_peer_options limits = {.recent_bytes_max = 300};

    stop(w, 0);
    start(w, 0, &limits);
    connect_nodes(w, 0, 1);
    connect_nodes(w, 1, 2);
    settle(w);
    for (int32_t i = 0; i < 100; i++) {
        put(w, 0, "x", i % 10, i);
    }
    settle(w);
    for (int32_t i = 0; i < 10; i++) {
        assert_int_equal(lia_test_get(&w->nodes[2].db, "x", i), 90 + i);
    }
}

static void unsubscribing_stops_the_flow(void **state)
{
    struct world *w = *state;
    uint64_t id;

    connect_nodes(w, 0, 1);
    assert_ok(lia_peer_subscribe(w->nodes[1].peer, lia_str("z"), lia_slice(NULL, 0),
                                 w->now, &id, NULL));
    take_outputs(w, 1);
    settle(w);
    put(w, 0, "z", 1, 1);
    settle(w);
    assert_int_equal(lia_test_get(&w->nodes[1].db, "z", 1), 1);
    assert_ok(lia_peer_unsubscribe(w->nodes[1].peer, id, w->now, NULL));
    assert_status(LIANA_ENOTFOUND,
                  lia_peer_unsubscribe(w->nodes[1].peer, id, w->now, NULL));
    take_outputs(w, 1);
    settle(w);
    put(w, 0, "z", 1, 2);
    put(w, 0, "x", 1, 2);
    settle(w);
    assert_int_equal(lia_test_get(&w->nodes[1].db, "z", 1), 1);
    assert_int_equal(lia_test_get(&w->nodes[1].db, "x", 1), 2);
}

/* ---- subscriptions with a query ---- */

/* Node 1 wants what has at least 10 in `a`. */
static void subscribe_from_10(struct world *w)
{
    static const uint8_t TEN[4] = {10};
    uint64_t id;

    assert_ok(lia_peer_subscribe(w->nodes[1].peer, lia_str("q"),
                                 lia_slice(TEN, sizeof(TEN)), w->now, &id, NULL));
    take_outputs(w, 1);
}

/* Documents `first` to `last`, 100 in a commit. */
static void put_many(struct world *w, int32_t first, int32_t last, int32_t a)
{
    struct lia_test_db *t = &w->nodes[0].db;

    while (first <= last) {
        struct lia_txn *txn = lia_test_begin(t, LIA_WRITE);

        do {
            lia_test_put_in(t, txn, "q", first, a);
        } while (++first % 100 && first <= last);
        assert_ok(lia_txn_commit(txn, NULL, NULL));
        lia_arena_reset(&t->arena);
    }
}

static struct lia_subscription_status subscription(struct world *w, int n, char first)
{
    struct lia_peer_report report;

    assert_ok(lia_peer_report(w->nodes[n].peer, &w->nodes[n].db.arena, &report));
    for (size_t i = 0; i < report.subscription_count; i++) {
        if (report.subscriptions[i].collection.ptr[0] == first) {
            return report.subscriptions[i];
        }
    }
    fail();
    return (struct lia_subscription_status){0};
}

static void a_fill_says_how_much_will_come(void **state)
{
    struct world *w = *state;
    struct lia_subscription_status q = {0};

    put_many(w, 0, 4999, 10);
    subscribe(w, 0, "q");
    subscribe(w, 1, "q");
    put(w, 1, "q", 0, 1); /* of what will come, one is there already */
    connect_nodes(w, 0, 1);
    while (take_turns(w) && q.have == 0) {
        q = subscription(w, 1, 'q');
    }
    assert_false(q.is_up_to_date);
    assert_int_equal(q.expected, 5000);
    assert_in_range(q.have, 1, 4999);
    settle(w);
    q = subscription(w, 1, 'q');
    assert_true(q.is_up_to_date);
    assert_int_equal(q.have, q.expected);
}

/* More than one page, and all of it older than the registration. */
static void a_query_is_filled_page_by_page(void **state)
{
    struct world *w = *state;

    put_many(w, 0, 4999, 10);
    subscribe_from_10(w);
    connect_nodes(w, 0, 1);
    settle(w);
    assert_int_equal(lia_test_get(&w->nodes[1].db, "q", 4999), 10);
    assert_in_range(w->wires[0].bytes, 5000, 5000 * 60);
}

/* How many keys the log of what left holds at node 0. */
static uint64_t log_length(struct world *w)
{
    struct lia_txn *txn = lia_test_begin(&w->nodes[0].db, LIA_READ);
    sqlite3_stmt *stmt;
    uint64_t count;

    assert_ok(lia_conn_prepare(lia_txn_conn(txn),
                               lia_str("SELECT count(*) FROM departed"), &stmt, NULL));
    assert_ok(lia_conn_step(lia_txn_conn(txn), stmt, NULL));
    count = lia_column_u64(stmt, 0);
    lia_conn_done(lia_txn_conn(txn), stmt);
    lia_txn_rollback(txn);
    return count;
}

/* Each comes, is sent, leaves, and is sent once more. */
static void come_and_leave(struct world *w, int32_t first, int32_t last)
{
    for (int32_t i = first; i <= last; i++) {
        put(w, 0, "q", i, 10);
        settle(w);
        put(w, 0, "q", i, 1);
        settle(w);
        lia_arena_reset(&w->nodes[0].db.arena);
    }
}

static void the_log_of_what_left_is_bounded(void **state)
{
    struct world *w = *state;

    subscribe_from_10(w);
    connect_nodes(w, 0, 1);
    settle(w);
    come_and_leave(w, 0, 399);
    assert_int_equal(lia_test_get(&w->nodes[1].db, "q", 399), 1);
    assert_in_range(log_length(w), 0, 200);
}

/* While it is away everything that leaves is kept for it, however much comes after. */
static void a_peer_that_was_away_hears_what_left(void **state)
{
    struct world *w = *state;
    struct wire *wire;

    subscribe_from_10(w);
    wire = connect_nodes(w, 0, 1);
    settle(w);
    put_many(w, 0, 999, 10);
    settle(w);
    pass(w, 2000); /* its token is kept */
    cut(w, wire);
    put_many(w, 0, 499, 1);
    put_many(w, 1000, 1999, 10);
    put_many(w, 1000, 1999, 1); /* came and left meanwhile */
    assert_int_equal(log_length(w), 1500);
    wire = connect_nodes(w, 0, 1);
    settle(w);
    assert_int_equal(lia_test_get(&w->nodes[1].db, "q", 499), 1);
    assert_int_equal(lia_test_get(&w->nodes[1].db, "q", 500), 10);
    come_and_leave(w, 2000, 2199);
    assert_in_range(log_length(w), 0, 200);
    assert_in_range(wire->bytes, 1, 400000);
}

/* What left is not logged for who begins from nothing: it shows what it holds. */
static void a_peer_that_begins_again_hears_what_left(void **state)
{
    static const uint8_t TEN[4] = {10};
    static const uint8_t sender[LIA_PEER_ID_BYTES] = {1};
    struct world *w = *state;
    struct lia_name name = lia_name_of(lia_str("q"), lia_slice(TEN, sizeof(TEN)));
    struct wire *wire;

    subscribe(w, 0, "q");
    subscribe_from_10(w);
    wire = connect_nodes(w, 0, 1);
    settle(w);
    put(w, 0, "q", 1, 10);
    put(w, 0, "q", 2, 10);
    settle(w);
    pass_often(w);
    cut(w, wire);
    settle(w);
    put(w, 0, "q", 1, 1); /* leaves */
    assert_ok(lia_db_token_drop(w->nodes[1].db.db, lia_slice(sender, sizeof(sender)),
                                lia_name_slice(&name), NULL));
    connect_nodes(w, 0, 1);
    settle(w);
    pass_often(w);
    assert_int_equal(lia_test_get(&w->nodes[1].db, "q", 1), 1);
    assert_int_equal(lia_test_get(&w->nodes[1].db, "q", 2), 10);
}

/* It is shown everything once more, from nothing, and what left behind its token is told. */
static void a_peer_that_looks_again_hears_what_left(void **state)
{
    static const uint8_t sender[LIA_PEER_ID_BYTES] = {1};
    struct world *w = *state;
    struct wire *wire;
    bool is_again;

    subscribe_from_10(w);
    wire = connect_nodes(w, 0, 1);
    settle(w);
    put(w, 0, "q", 1, 10);
    put(w, 0, "q", 2, 10);
    settle(w);
    pass_often(w);
    cut(w, wire);
    settle(w);
    put(w, 0, "q", 1, 1); /* leaves */
    assert_ok(lia_db_look_again(w->nodes[1].db.db, lia_slice(sender, sizeof(sender)),
                                lia_str("q"), false, &is_again, NULL));
    assert_true(is_again);
    connect_nodes(w, 0, 1);
    settle(w);
    assert_int_equal(lia_test_get(&w->nodes[1].db, "q", 1), 1);
    assert_int_equal(lia_test_get(&w->nodes[1].db, "q", 2), 10);
}

/* What is left of node 0 after a loss of power goes on. */
static void lose_power(struct world *w, struct lia_rng *rng, int round)
{
    const struct lia_peer_options limits = {0};
    struct node *node = &w->nodes[0];
    struct lia_test_disk *before = &node->disks[node->disk];

    node->disk = 1 - node->disk;
    snprintf(node->disk_name, sizeof(node->disk_name), "left%d", round);
    lia_test_disk_crash(before, rng, &node->disks[node->disk], node->disk_name);
    stop(w, 0);
    node->jobs = NULL;
    node->is_woken = false;
    lia_test_db_close(&node->db);
    lia_test_disk_deinit(before);
    lia_test_db_open(&node->db);
    start(w, 0, &limits);
}

/* The power goes out before what an acknowledgement has pruned is durable, or after:
 * either is a log that goes back far enough. */
static void a_crash_around_pruning_is_harmless(void **state)
{
    struct world *w = *state;
    struct lia_rng rng;
    bool has_pruned = false;

    rng = lia_rng(5);
    subscribe_from_10(w);
    for (int32_t round = 0; round < 8; round++) {
        struct wire *wire;

        w->wire_count = 0;
        wire = connect_nodes(w, 0, 1);
        settle(w);
        come_and_leave(w, round * 200, round * 200 + 150 - round);
        put(w, 0, "q", round, 10);
        settle(w);
        has_pruned = has_pruned || log_length(w) < 120;
        cut(w, wire);
        lose_power(w, &rng, round);
        put(w, 0, "q", round, 2); /* leaves while nobody is there */
    }
    w->wire_count = 0;
    connect_nodes(w, 0, 1);
    settle(w);
    assert_true(has_pruned);
    for (int32_t round = 0; round < 8; round++) {
        assert_int_equal(lia_test_get(&w->nodes[1].db, "q", round), 2);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest cases[] = {
    CASE(a_line_of_stores_becomes_equal),
    CASE(what_a_keeper_holds_comes_back),
    CASE(what_is_not_waited_for_is_synced_and_sent),
    CASE(what_cannot_be_synced_ends_the_session),
    CASE(subscriptions_tell_when_they_are_up_to_date),
    CASE(a_reconnect_with_nothing_new_costs_little),
    CASE(a_one_field_change_is_small_on_the_wire),
    CASE(both_ends_keep_the_same_link),
    CASE(a_full_peer_says_that_it_is_busy),
    CASE(another_database_is_refused),
    CASE(closing_ends_everything_in_order),
    CASE(a_break_and_a_return_are_told_with_their_time),
    CASE(a_clock_that_is_set_right_in_a_session),
    CASE(clocks_that_are_set_ahead_in_a_session),
    CASE(strangers_are_forgotten),
    CASE(what_is_known_outlives_the_peer),
    CASE(a_slow_peer_falls_back_to_the_feed),
    CASE(unsubscribing_stops_the_flow),
    CASE(a_fill_says_how_much_will_come),
    CASE(a_query_is_filled_page_by_page),
    CASE(a_peer_that_begins_again_hears_what_left),
    CASE(a_peer_that_looks_again_hears_what_left),
    CASE(the_log_of_what_left_is_bounded),
    CASE(a_peer_that_was_away_hears_what_left),
    CASE(a_crash_around_pruning_is_harmless),
};

LIA_TEST_MAIN(cases)
