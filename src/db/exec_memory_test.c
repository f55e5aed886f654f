/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "base/limits.h"
#include "db/exec.h"
#include "db/testing/fixture.h"
#include "store/testing/disk.h"

/*
 * Every allocation of a statement fails in turn, once alone and once with all after it:
 * the answer is LIANA_ENOMEM, the collections are as they were, and nothing leaks. Then
 * the statement runs.
 */

struct fixture {
    struct lia_test_disk disk;
    struct lia_test_db t;
    struct lia_listener *listener;
};

static liana_status execute(struct fixture *f, struct lia_txn *txn, const char *text)
{
    const struct lia_exec_options options = {.wants_ids = true};
    struct lia_result *result = NULL;
    struct liana_slice row;
    liana_status status =
        txn ? lia_txn_execute(txn, lia_str(text), (struct liana_slice){0}, &options,
                              &result, NULL)
            : lia_db_execute(f->t.db, lia_str(text), (struct liana_slice){0}, &options,
                             &result, NULL);

    while (!status) {
        status = lia_result_next(result, &row, NULL);
    }
    lia_result_free(result);
    return status == LIANA_EEND ? LIANA_OK : status;
}

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    lia_test_disk_init(&f->disk, "exec_memory");
    lia_test_db_init(&f->t, 1);
    f->t.options.store.vfs = "exec_memory";
    f->t.options.store.path = "store";
    f->t.options.predicates = NULL;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    lia_db_unlisten(f->listener);
    lia_test_db_finish(&f->t);
    lia_test_disk_deinit(&f->disk);
    test_free(f);
    return 0;
}

/* A store with some documents, a listener and a subscription. */
static void begin(struct fixture *f)
{
    static const char SUBSCRIBED[] = "SELECT * FROM c WHERE a > 1";
    const struct lia_listener_options options = {.wants_before_body = true};
    const struct lia_subscription sub = {.hash = LIA_BYTES("s"),
                                         .collection = lia_str("c"),
                                         .query = LIA_BYTES(SUBSCRIBED)};
    struct lia_registration registration;
    uint64_t seq;

    lia_test_db_open(&f->t);
    assert_ok(
        execute(f, NULL,
                "INSERT INTO c DOCUMENTS "
                "({'_id': 1, 'a': 1, 't': 'one', 'm': {'x': 1, 'y': [1, 2]}}), "
                "({'_id': 2, 'a': 2, 't': 'two'}), ({'_id': 3, 'a': 2, 't': ''})"));
    assert_ok(lia_db_register(f->t.db, sub.hash, &sub, &registration, NULL));
    assert_ok(lia_db_listen(f->t.db, &options, &f->listener, &seq, NULL));
}

/* Everything that a statement could have changed, as bytes in the arena. */
static struct liana_slice dump(struct fixture *f)
{
    struct lia_result *result = NULL;
    struct liana_slice row;
    struct liana_slice copy;
    struct lia_buf all;
    uint64_t seq = lia_store_head(lia_db_store(f->t.db)).committed.seq;

    lia_buf_init(&all, &f->t.env.alloc.alloc);
    lia_buf_bytes(&all, &seq, sizeof(seq));
    for (int i = 0; i < 3; i++) {
        static const char *const texts[] = {"SELECT * FROM c ORDER BY _id",
                                            "SELECT * FROM new ORDER BY _id",
                                            "SELECT actor, rights FROM system:rights"};

        assert_ok(lia_db_execute(f->t.db, lia_str(texts[i]), (struct liana_slice){0},
                                 NULL, &result, NULL));
        while (lia_result_next(result, &row, NULL) == LIANA_OK) {
            lia_buf_slice_add(&all, row);
        }
        lia_result_free(result);
    }
    assert_true(lia_arena_copy(&f->t.arena, lia_buf_slice(&all), &copy));
    lia_buf_deinit(&all);
    return copy;
}

/* With the n-th allocation of it failing. False: it needs fewer, and was done. */
static bool fails(struct fixture *f, const char *text, size_t n, bool onwards)
{
    struct liana_slice before = dump(f);
    struct lia_test_alloc *alloc = &f->t.env.alloc;
    size_t start = atomic_load(&alloc->allocations);
    liana_status status;
    bool was_reached;

    alloc->fails_onwards = onwards;
    lia_test_alloc_fail_at(alloc, n);
    status = execute(f, NULL, text);
    lia_test_alloc_fail_at(alloc, 0);
    was_reached = atomic_load(&alloc->allocations) >= start + n;
    if (status != (was_reached ? LIANA_ENOMEM : LIANA_OK)) {
        print_error("%s: allocation %zu failing: %s\n", text, n,
                    liana_status_name(status));
    }
    assert_status(was_reached ? LIANA_ENOMEM : LIANA_OK, status);
    if (was_reached) {
        assert_slice_equal(dump(f), before);
    }
    lia_arena_reset(&f->t.arena);
    return was_reached;
}

static const char *const statements[] = {
    "SELECT * FROM c WHERE a = 2 AND t LIKE 't%' ORDER BY t DESC LIMIT 5",
    "SELECT a, count(*) AS n, sum(m.x) AS s FROM c GROUP BY a HAVING count(*) > 0 "
    "ORDER BY n",
    "SELECT upper(t) AS u, m.y[1] AS y, {'k': [a, t || '!']} AS d FROM c",
    "EXPLAIN SELECT * FROM c WHERE _id = 1",
    "INSERT INTO c DOCUMENTS ({'a': 4, 'deep': {'er': {'x': [1, {'y': 2}]}}})",
    "INSERT INTO new DOCUMENTS ({'_id': 1}), ({'_id': 2, 'b': 'text'})",
    "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': 5}), ({'_id': 9, 'a': 5}) "
    "ON ID CONFLICT DO NOTHING",
    "INSERT INTO c DOCUMENTS ({'_id': 1, 'm': {'x': 7, 'z': {'q': 1}}}), ({'_id': 10}) "
    "ON ID CONFLICT DO UPDATE",
    "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': 5, 'm': {'x': 8}}) "
    "ON ID CONFLICT DO UPDATE_LOCAL_DIFF",
    "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': 6, 't': 'new'}) ON ID CONFLICT DO "
    "REPLACE",
    "UPDATE c SET t = t || '!', m.x = a + 1 UNSET m.y WHERE _id IN (2, 3)",
    "UPDATE c APPLY a INCREMENT BY 3 WHERE _id = 2",
    "UPDATE c SET a = 0",
    "DELETE FROM c WHERE a = 0",
};

static void each_fails(struct fixture *f, const char *text)
{
    for (size_t n = 1; fails(f, text, n, true); n++) {
        assert_true(fails(f, text, n, false));
    }
}

static void memory_runs_out_in_a_statement(void **state)
{
    struct fixture *f = *state;

    begin(f);
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        each_fails(f, statements[i]);
    }
}

/* They are taken back, given on, and handed over with an eviction. */
static void memory_runs_out_where_rights_move(void **state)
{
    static const char *const moves[] = {
        "SELECT * FROM system:rights WHERE NOT own",
        "UPDATE s APPLY n RECLAIM FROM 5 TO 6 FORCE",
        "UPDATE s APPLY n RECLAIM FROM '0000000000000006' FORCE WHERE _id = 1",
        "EVICT FROM c WHERE _id = 1 FORCE",
    };
    struct fixture *f = *state;

    begin(f);
    assert_ok(execute(f, NULL, "CREATE COLLECTION s (n COUNTER MIN 0)"));
    assert_ok(execute(f, NULL,
                      "INSERT INTO s DOCUMENTS ({'_id': 1, 'n': 5}), "
                      "({'_id': 2, 'n': 6})"));
    assert_ok(execute(f, NULL, "UPDATE s APPLY n TRANSFER 4 TO 5"));
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
        each_fails(f, moves[i]);
    }
    assert_ok(execute(f, NULL, "UPDATE s APPLY n INCREMENT BY -5 WHERE _id = 1"));
    assert_ok(execute(f, NULL, "UPDATE s APPLY n INCREMENT BY -2 WHERE _id = 2"));
    assert_status(execute(f, NULL, "UPDATE s APPLY n INCREMENT BY -1 WHERE _id = 2"),
                  LIANA_ERIGHTS);
}

/* In a transaction: what it did before is still there when only the statement could not
 * be read, and nothing of it when the transaction is void. */
static bool fails_within(struct fixture *f,
                         const char *text,
                         size_t n,
                         bool *out_was_void)
{
    struct liana_slice before = dump(f);
    struct lia_test_alloc *alloc = &f->t.env.alloc;
    struct lia_txn *txn = lia_test_begin(&f->t, LIA_WRITE);
    size_t start;
    liana_status status;
    liana_status committed;
    bool was_reached;

    assert_ok(execute(f, txn, "INSERT INTO new DOCUMENTS ({'_id': 77})"));
    start = atomic_load(&alloc->allocations);
    alloc->fails_onwards = false;
    lia_test_alloc_fail_at(alloc, n);
    status = execute(f, txn, text);
    lia_test_alloc_fail_at(alloc, 0);
    was_reached = atomic_load(&alloc->allocations) >= start + n;
    assert_status(was_reached ? LIANA_ENOMEM : LIANA_OK, status);
    if (was_reached) {
        committed = lia_txn_commit(txn, NULL, NULL);
        assert_true(committed == LIANA_OK || committed == LIANA_ENOMEM);
        *out_was_void = committed != LIANA_OK;
        if (committed == LIANA_OK) {
            assert_ok(execute(f, NULL, "DELETE FROM new WHERE _id = 77"));
        }
        before.ptr += sizeof(uint64_t); /* seq */
        before.len -= sizeof(uint64_t);
        assert_memory_equal(dump(f).ptr + sizeof(uint64_t), before.ptr, before.len);
    } else {
        lia_txn_rollback(txn);
    }
    lia_arena_reset(&f->t.arena);
    return was_reached;
}

static void memory_runs_out_in_a_transaction(void **state)
{
    struct fixture *f = *state;

    begin(f);
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        bool was_void = false;
        bool is_write = strncmp(statements[i], "SELECT", 6) != 0 &&
                        strncmp(statements[i], "EXPLAIN", 7) != 0;
        bool was_ever_void = false;

        for (size_t n = 1; fails_within(f, statements[i], n, &was_void); n++) {
            was_ever_void = was_ever_void || was_void;
        }
        assert_true(was_ever_void || !is_write);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest cases[] = {
    CASE(memory_runs_out_in_a_statement),
    CASE(memory_runs_out_where_rights_move),
    CASE(memory_runs_out_in_a_transaction),
};

LIA_TEST_MAIN(cases)
