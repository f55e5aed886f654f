/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <stdio.h>

#include "base/limits.h"
#include "db/exec.h"
#include "db/testing/fixture.h"
#include "store/testing/disk.h"

/* UPDATE and DELETE of more documents than there is memory for their keys. */

#define DOCS     6000
#define ID_BYTES 900 /* all keys together are more than is kept of them */

/* An allocator that knows how much was in use at most. */
struct peak {
    struct liana_allocator alloc;
    const struct liana_allocator *inner;
    size_t live;
    size_t most;
};

struct fixture {
    struct lia_test_disk disk;
    struct lia_test_db t;
    struct peak peak;
};

static void *measured_realloc(void *ctx, void *p, size_t old_size, size_t size)
{
    struct peak *peak = ctx;
    void *moved = peak->inner->realloc(peak->inner->ctx, p, old_size, size);

    if (moved || !size) {
        peak->live = peak->live - (p ? old_size : 0) + size;
        peak->most = peak->live > peak->most ? peak->live : peak->most;
    }
    return moved;
}

static void insert_all(struct fixture *f)
{
    struct lia_txn *txn = lia_test_begin(&f->t, LIA_WRITE);
    const struct lia_collection *coll;

    assert_ok(lia_txn_collection(txn, lia_str("c"), true, &coll, NULL));
    for (int32_t i = 0; i < DOCS; i++) {
        char id[ID_BYTES + 1];
        struct lia_buf body;
        size_t doc;

        memset(id, 'x', ID_BYTES);
        snprintf(id + ID_BYTES - 8, 9, "%08d", i);
        lia_buf_init(&body, &f->t.env.alloc.alloc);
        doc = lia_bson_begin(&body);
        lia_bson_add_str(&body, lia_str("_id"), (struct liana_str){id, ID_BYTES});
        lia_bson_add_int32(&body, lia_str("a"), i);
        lia_bson_end(&body, doc);
        assert_ok(lia_txn_insert(txn, coll, lia_buf_slice(&body), NULL, NULL));
        lia_buf_deinit(&body);
    }
    assert_ok(lia_txn_commit(txn, NULL, NULL));
}

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    lia_test_disk_init(&f->disk, "exec_update");
    lia_test_db_init(&f->t, 1);
    f->peak = (struct peak){.alloc = {measured_realloc, &f->peak},
                            .inner = &f->t.env.alloc.alloc};
    f->t.env.env.alloc = &f->peak.alloc;
    f->t.options.store.vfs = "exec_update";
    f->t.options.store.path = "store";
    lia_test_db_open(&f->t);
    insert_all(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    lia_test_db_finish(&f->t);
    lia_test_disk_deinit(&f->disk);
    test_free(f);
    return 0;
}

/* How many documents it changed, or the negative status; with less memory than their keys
 * need. */
static int64_t execute(struct fixture *f, struct lia_txn *txn, const char *text)
{
    const struct liana_slice none = {0};
    struct lia_result *r = NULL;
    size_t before = f->peak.live;
    int64_t changed;
    liana_status status;

    f->peak.most = f->peak.live;
    status = txn ? lia_txn_execute(txn, lia_str(text), none, NULL, &r, &f->t.err)
                 : lia_db_execute(f->t.db, lia_str(text), none, NULL, &r, &f->t.err);
    changed = status ? status : (int64_t)lia_result_mutations(r);
    lia_result_free(r);
    /* A buffer doubles, and both halves are there for a moment. */
    assert_in_range(f->peak.most - before, 0, 3 * LIA_MIB + LIA_MIB / 4);
    return changed;
}

static int64_t number(struct fixture *f, const char *text)
{
    struct lia_result *r;
    struct liana_slice row;
    struct lia_value v;
    int64_t n;

    assert_ok(lia_db_execute(f->t.db, lia_str(text), (struct liana_slice){0}, NULL, &r,
                             &f->t.err));
    assert_ok(lia_result_next(r, &row, &f->t.err));
    assert_true(lia_bson_find(row, lia_str("n"), &v));
    n = v.type == LIA_BSON_INT32 ? lia_value_int32(v) : lia_value_int64(v);
    lia_result_free(r);
    return n;
}

/* A change that makes the condition true again is not met again. */
static void each_document_is_changed_once(void **state)
{
    struct fixture *f = *state;
    const int64_t sum = (int64_t)DOCS * (DOCS - 1) / 2;

    assert_int_equal(execute(f, NULL, "UPDATE c SET a = a + 100000 WHERE a >= 0"),
                     DOCS);
    assert_int_equal(number(f, "SELECT SUM(a) AS n FROM c"),
                     sum + (int64_t)100000 * DOCS);
    assert_int_equal(execute(f, NULL, "UPDATE c APPLY a INCREMENT BY -100000"), DOCS);
    assert_int_equal(number(f, "SELECT SUM(a) AS n FROM c"), sum);
    assert_int_equal(execute(f, NULL, "UPDATE c SET t = 'text' WHERE a >= 100"),
                     DOCS - 100);
    assert_int_equal(execute(f, NULL, "DELETE FROM c WHERE a >= 0"), DOCS);
    assert_int_equal(number(f, "SELECT COUNT(*) AS n FROM c"), 0);
}

/* Whole or not at all: the last document cannot be changed. */
static void a_failure_undoes_all(void **state)
{
    struct fixture *f = *state;
    struct lia_txn *txn;
    char text[128];

    snprintf(text, sizeof(text), "UPDATE c SET a = 'x' WHERE a = %d", DOCS - 1);
    assert_int_equal(execute(f, NULL, text), 1);
    assert_int_equal(execute(f, NULL, "UPDATE c SET b = a + 1"), LIANA_ETYPE);
    assert_int_equal(number(f, "SELECT COUNT(*) AS n FROM c WHERE b IS NOT MISSING"),
                     0);
    f->t.err = (struct liana_error)LIANA_ERROR_INIT;
    txn = lia_test_begin(&f->t, LIA_WRITE);
    assert_int_equal(execute(f, txn, "UPDATE c SET d = 1 WHERE a = 5"), 1);
    assert_int_equal(execute(f, txn, "UPDATE c SET b = a + 1"), LIANA_ETYPE);
    f->t.err = (struct liana_error)LIANA_ERROR_INIT;
    assert_int_equal(execute(f, txn, "UPDATE c SET e = 1"), DOCS);
    assert_ok(lia_txn_commit(txn, NULL, &f->t.err));
    assert_int_equal(number(f, "SELECT COUNT(*) AS n FROM c WHERE b IS NOT MISSING"),
                     0);
    assert_int_equal(number(f, "SELECT COUNT(*) AS n FROM c WHERE d = 1"), 1);
    assert_int_equal(number(f, "SELECT COUNT(*) AS n FROM c WHERE e = 1"), DOCS);
}

static void a_limit_holds(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(execute(f, NULL, "DELETE FROM c LIMIT 4000"), 4000);
    assert_int_equal(number(f, "SELECT COUNT(*) AS n FROM c"), DOCS - 4000);
}

/* The rows go while the table is walked. */
static void all_of_many_are_evicted(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(execute(f, NULL, "EVICT FROM c WHERE a >= 10 FORCE"), DOCS - 10);
    assert_int_equal(number(f, "SELECT COUNT(*) AS n FROM c"), 10);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest cases[] = {
    CASE(each_document_is_changed_once),
    CASE(a_failure_undoes_all),
    CASE(a_limit_holds),
    CASE(all_of_many_are_evicted),
};

LIA_TEST_MAIN(cases)
