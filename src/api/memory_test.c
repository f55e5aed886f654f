/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each allocation in turn fails, alone and with all after it: the call that needed it
 * answers LIANA_ENOMEM, what it was to do is not done, the handle goes on, nothing leaks.
 * And what is given back holds no key.
 */
#include <stdio.h>
#include <stdlib.h>

#include "api/remote.h"
#include "base/testing/alloc.h"
#include "base/testing/files.h"
#include "base/testing/test.h"

struct fixture {
    char folder[LIA_TEST_PATH_MAX];
    char path[LIA_TEST_PATH_MAX + 8];
    struct lia_test_alloc memory; /* of the store */
    struct lia_test_alloc client; /* of the handle that is attached */
    struct lia_env env;
    liana_db *owner;
    liana_db *db; /* what the calls use */
    int next_id;  /* of a document that is not there */
    struct lia_test_alloc *failing;
};

static liana_status open_store(struct fixture *f,
                               const struct liana_allocator *a,
                               uint32_t flags,
                               liana_db **out)
{
    struct liana_open_options options = LIANA_OPEN_OPTIONS_INIT;

    options.flags = flags;
    options.database = LIANA_STR("shop");
    options.name = LIANA_STR("till");
    options.durability = LIANA_DURABILITY_NORMAL;
    options.trust = LIANA_TRUST_SHARED_KEY;
    options.shared_key = LIA_BYTES("0123456789abcdef0123456789abcdef");
    options.allocator = a;
    return liana_open(lia_str(f->path), &options, out, NULL);
}

/* ---- what an app does, call by call ---- */

static int64_t count(liana_db *db, int id)
{
    struct liana_slice row;
    liana_result *result;
    char statement[80];
    int64_t n = 0;

    snprintf(statement, sizeof(statement), "SELECT * FROM c WHERE _id = %d", id);
    assert_ok(liana_execute(db, lia_str(statement), LIANA_NONE, &result, NULL));
    while (liana_result_next(result, &row, NULL) == LIANA_OK) {
        n++;
    }
    liana_result_free(result);
    return n;
}

static void make_insert(const struct fixture *f, char out[80])
{
    snprintf(out, 80, "INSERT INTO c DOCUMENTS ({'_id': %d, 'n': 1})", f->next_id);
}

static liana_status write_one(struct fixture *f)
{
    char statement[80];

    make_insert(f, statement);
    return liana_execute(f->db, lia_str(statement), LIANA_NONE, NULL, NULL);
}

static liana_status write_in_transaction(struct fixture *f)
{
    char statement[80];
    liana_txn *txn;
    liana_status status = liana_begin(f->db, NULL, &txn, NULL);

    if (status) {
        return status;
    }
    make_insert(f, statement);
    status = liana_txn_execute(txn, lia_str(statement), LIANA_NONE, NULL, NULL);
    if (status) {
        liana_rollback(txn);
        return status;
    }
    return liana_commit(txn, NULL, NULL);
}

static liana_status read_all(struct fixture *f)
{
    struct liana_slice row;
    liana_result *result;
    liana_status status =
        liana_execute(f->db, LIANA_STR("SELECT * FROM c"), LIANA_NONE, &result, NULL);

    if (status) {
        return status;
    }
    do {
        status = liana_result_next(result, &row, NULL);
    } while (!status);
    liana_result_free(result);
    return status == LIANA_EEND ? LIANA_OK : status;
}

static liana_status take_changes(struct fixture *f)
{
    struct liana_feed_options options = LIANA_FEED_OPTIONS_INIT;
    struct liana_str name = LIANA_STR("c");
    struct liana_page page;
    liana_feed *feed;
    liana_status status;

    options.collections = &name;
    options.collection_count = 1;
    status = liana_feed_open(f->db, &options, &feed, NULL);
    if (status) {
        return status;
    }
    status = liana_feed_next(feed, 0, &page, NULL);
    if (status == LIANA_ENOMEM && f->failing) {
        /* Nothing was taken: the same page comes when there is memory again. */
        liana_status again;

        lia_test_alloc_fail_at(f->failing, 0);
        again = liana_feed_next(feed, 0, &page, NULL);
        assert_true(again == LIANA_OK || again == LIANA_ECLOSED);
        assert_true(again || page.changes[0].seq == 1);
    }
    liana_feed_close(feed);
    return status;
}

static liana_status subscribe(struct fixture *f)
{
    uint64_t id;
    liana_status status = liana_subscribe(
        f->db, LIANA_STR("SELECT * FROM c WHERE n > 1"), LIANA_NONE, &id, NULL);

    return status ? status : liana_unsubscribe(f->db, id, NULL);
}

static liana_status show(struct fixture *f)
{
    liana_bytes *stats;
    liana_status status =
        liana_stats_publish(f->db, LIANA_STR("app"), LIA_BYTES("\x05\0\0\0\0"), NULL);

    if (!status) {
        status = liana_stats(f->db, &stats, NULL);
        if (!status) {
            liana_bytes_free(stats);
        }
    }
    return status;
}

static liana_status take_event(struct fixture *f)
{
    struct liana_event event;
    liana_status status = liana_poll(f->db, 0, &event, NULL);

    return status == LIANA_ETIMEOUT ? LIANA_OK : status;
}

static const struct call {
    liana_status (*run)(struct fixture *f);
    bool writes;
} calls[] = {
    {write_one, true},     {write_in_transaction, true}, {read_all, false},
    {take_changes, false}, {subscribe, false},           {show, false},
    {take_event, false},
};

/* ---- one call, with its n-th allocation failing ---- */

static void attach(struct fixture *f)
{
    assert_ok(lia_remote_open(&f->env, lia_str(f->path), &f->db, NULL));
}

/* What a failure leaves behind. A connection that ended says nothing of what was done. */
static void check(struct fixture *f, const struct call *call, liana_status status)
{
    bool is_attached = f->db != f->owner;

    assert_true(status == LIANA_OK || status == LIANA_ENOMEM ||
                (is_attached && status == LIANA_ECLOSED));
    if (is_attached && (status == LIANA_ECLOSED || status == LIANA_ENOMEM)) {
        assert_ok(liana_close(f->db, NULL));
        attach(f);
    }
    if (call->writes && status != LIANA_ECLOSED) {
        assert_int_equal(count(f->owner, f->next_id), status == LIANA_OK);
    }
    if (call->writes) {
        f->next_id++;
    }
}

/* False when there was no n-th. */
static bool fail_nth(struct fixture *f, const struct call *call, size_t n, bool onwards)
{
    struct lia_test_alloc *t = f->failing;
    size_t goal = atomic_load(&t->allocations) + n;
    liana_status status;

    t->fails_onwards = onwards;
    lia_test_alloc_fail_at(t, n);
    status = call->run(f);
    lia_test_alloc_fail_at(t, 0);
    if (f->db == f->owner && atomic_load(&t->allocations) >= goal) {
        assert_status(LIANA_ENOMEM, status);
    }
    check(f, call, status);
    return status != LIANA_OK || atomic_load(&t->allocations) >= goal;
}

static void fail_each(struct fixture *f, struct lia_test_alloc *failing)
{
    f->failing = failing;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        size_t n = 1;

        while (fail_nth(f, &calls[i], n, false)) {
            fail_nth(f, &calls[i], n, true);
            n++;
        }
        assert_true(n > 1 || calls[i].run == take_event);
    }
}

/* ---- the store ---- */

static int set_up(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    lia_test_alloc_init(&f->memory);
    lia_test_alloc_init(&f->client);
    lia_test_scratch(f->folder);
    snprintf(f->path, sizeof(f->path), "%s/store", f->folder);
    assert_ok(open_store(f, &f->memory.alloc, LIANA_OPEN_CREATE | LIANA_OPEN_SERVE,
                         &f->owner));
    assert_ok(lia_env_system(&f->env));
    f->env.alloc = &f->client.alloc;
    f->db = f->owner;
    f->next_id = 1;
    assert_ok(write_one(f));
    f->next_id = 2;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    if (f->db != f->owner) {
        assert_ok(liana_close(f->db, NULL));
    }
    assert_ok(liana_close(f->owner, NULL));
    lia_test_alloc_finish(&f->client);
    lia_test_alloc_finish(&f->memory);
    lia_test_scratch_remove(f->folder);
    test_free(f);
    return 0;
}

/* ---- cases ---- */

static void test_calls_of_an_opened_store(void **state)
{
    struct fixture *f = *state;

    fail_each(f, &f->memory);
}

static void test_calls_of_an_attached_one_here(void **state)
{
    struct fixture *f = *state;

    attach(f);
    fail_each(f, &f->client);
}

static void test_calls_of_an_attached_one_there(void **state)
{
    struct fixture *f = *state;

    attach(f);
    fail_each(f, &f->memory);
}

static liana_status open_and_close(const struct liana_allocator *a, void *ctx)
{
    liana_db *db;
    liana_status status = open_store(ctx, a, 0, &db);

    return status ? status : liana_close(db, NULL);
}

static void test_opening(void **state)
{
    struct fixture f = {.next_id = 1};
    liana_db *db;

    (void)state;
    lia_test_scratch(f.folder);
    snprintf(f.path, sizeof(f.path), "%s/store", f.folder);
    assert_ok(open_store(&f, NULL, LIANA_OPEN_CREATE, &db));
    assert_ok(liana_close(db, NULL));
    lia_test_each_failure(open_and_close, &f);
    lia_test_scratch_remove(f.folder);
}

static liana_status attach_and_close(const struct liana_allocator *a, void *ctx)
{
    struct fixture *f = ctx;
    struct lia_env env = f->env;
    liana_db *db;
    liana_status status;

    env.alloc = a;
    status = lia_remote_open(&env, lia_str(f->path), &db, NULL);
    return status ? status : liana_close(db, NULL);
}

static void test_attaching(void **state)
{
    lia_test_each_failure(attach_and_close, *state);
}

/* ---- secrets ---- */

static const char key[] = "0123456789abcdef0123456789abcdef"; /* as open_store has it */

struct watch {
    struct liana_allocator alloc;
    size_t looked_at;
    size_t found;
};

static bool holds(const uint8_t *p, size_t size, const char *secret, size_t len)
{
    for (size_t i = 0; i + len <= size; i++) {
        if (memcmp(p + i, secret, len) == 0) {
            return true;
        }
    }
    return false;
}

/* Looks into what is given back; a block that grows moves. */
static void *watched_realloc(void *ctx, void *p, size_t old_size, size_t size)
{
    struct watch *w = ctx;
    void *moved = size ? malloc(size) : NULL;

    if (p && (moved || !size)) {
        w->looked_at++;
        w->found += holds(p, old_size, key, strlen(key)) ||
                    holds(p, old_size, "BEGIN PRIVATE KEY", 17);
        if (moved) {
            memcpy(moved, p, old_size < size ? old_size : size);
        }
        free(p);
    }
    return moved;
}

static void test_no_key_is_left_in_memory(void **state)
{
    struct fixture f = {.next_id = 1};
    struct watch w = {.alloc = {watched_realloc, &w}};
    liana_db *db;

    (void)state;
    lia_test_scratch(f.folder);
    snprintf(f.path, sizeof(f.path), "%s/store", f.folder);
    for (int i = 0; i < 2; i++) { /* made, and read again */
        assert_ok(open_store(&f, &w.alloc, LIANA_OPEN_CREATE, &db));
        assert_ok(liana_close(db, NULL));
    }
    assert_true(w.looked_at > 20);
    assert_int_equal(w.found, 0);
    lia_test_scratch_remove(f.folder);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_calls_of_an_opened_store),
    CASE(test_calls_of_an_attached_one_here),
    CASE(test_calls_of_an_attached_one_there),
    cmocka_unit_test(test_opening),
    CASE(test_attaching),
    cmocka_unit_test(test_no_key_is_left_in_memory),
};

LIA_TEST_MAIN(tests)
