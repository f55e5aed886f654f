/* SPDX-License-Identifier: Apache-2.0 */
/* EVICT as a statement; what dropping means is in keep_test.c. */
#include "base/testing/test.h"

#include "db/exec.h"
#include "db/testing/fixture.h"
#include "db/testing/statements.h"

#define DOCS 20

struct fixture {
    struct lia_test_db t;
};

static int setup(void **state)
{
    static struct fixture f;

    lia_test_db_init(&f.t, 1);
    lia_test_db_open(&f.t);
    for (int32_t id = 1; id <= DOCS; id++) {
        lia_test_put(&f.t, "c", id, id);
    }
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    lia_test_db_finish(&((struct fixture *)*state)->t);
    return 0;
}

/* What a keeper says that it holds of this store's writes: all of them. */
static void keep_all(struct fixture *f)
{
    struct lia_keeping k;
    struct lia_batch_keep keep = {.collection = lia_str("c")};
    const struct lia_batch batch = {
        .peer = LIA_BYTES("a keeper"), .keeps = &keep, .keep_count = 1};
    struct lia_applied applied;

    assert_ok(lia_db_keeping(f->t.db, &f->t.arena, lia_str("c"), &k, NULL));
    keep.kept = k.keep.marks;
    assert_ok(
        lia_db_apply(f->t.db, &f->t.arena, &batch, LIA_FULL, &applied, &f->t.err));
}

/* How many it took, or why it failed. */
static int64_t execute(struct fixture *f, struct lia_txn *txn, const char *text)
{
    const struct lia_exec_options options = {.wants_ids = true};
    struct lia_result *r = NULL;
    int64_t n;
    liana_status status =
        txn ? lia_txn_execute(txn, lia_str(text), lia_bson_empty, &options, &r, NULL)
            : lia_db_execute(f->t.db, lia_str(text), lia_bson_empty, &options, &r,
                             NULL);

    if (status) {
        return status;
    }
    n = (int64_t)lia_result_mutations(r);
    lia_result_free(r);
    return n;
}

/* How many an EVICT of all of `c` leaves because they wait. */
static uint64_t waiting(struct fixture *f)
{
    struct lia_result *r;
    uint64_t n;

    assert_ok(lia_db_execute(f->t.db, lia_str("EVICT FROM c"), LIANA_NONE, NULL, &r,
                             &f->t.err));
    n = lia_result_waiting(r);
    lia_result_free(r);
    return n;
}

static int count(struct fixture *f)
{
    int n = 0;

    for (int32_t id = 1; id <= DOCS; id++) {
        n += lia_test_get(&f->t, "c", id) >= 0;
    }
    return n;
}

static void it_takes_what_is_kept(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(execute(f, NULL, "EVICT FROM c"), 0);
    keep_all(f);
    lia_test_put(&f->t, "c", 3, 33);
    assert_int_equal(execute(f, NULL, "EVICT FROM c WHERE a <= 5 OR a = 33"), 4);
    assert_int_equal(lia_test_get(&f->t, "c", 3), 33);
    assert_int_equal(count(f), DOCS - 4);
}

static void it_says_how_many_wait(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(waiting(f), DOCS);
    keep_all(f);
    lia_test_put(&f->t, "c", 3, 33);
    assert_int_equal(waiting(f), 1);
    assert_int_equal(count(f), 1);
}

static void force_takes_the_rest(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(execute(f, NULL, "EVICT FROM c WHERE a > 18 FORCE"), 2);
    assert_int_equal(execute(f, NULL, "EVICT FROM c LIMIT 3 FORCE"), 3);
    assert_int_equal(execute(f, NULL, "EVICT FROM c AS x WHERE x.a > 10 FORCE"), 8);
    assert_int_equal(execute(f, NULL, "EVICT FROM c FORCE"), DOCS - 13);
    assert_int_equal(execute(f, NULL, "EVICT FROM none FORCE"), 0);
    assert_int_equal(count(f), 0);
}

/* Also where nothing matches: the statement has no business there. */
static void a_keeper_refuses_it(void **state)
{
    struct fixture *f = *state;

    lia_test_db_close(&f->t);
    f->t.options.is_keeper = true;
    lia_test_db_open(&f->t);
    assert_int_equal(execute(f, NULL, "EVICT FROM c FORCE"), LIANA_EKEEPER);
    assert_int_equal(execute(f, NULL, "EVICT FROM c WHERE a = -1"), LIANA_EKEEPER);
    assert_int_equal(count(f), DOCS);
}

static void in_a_transaction_it_is_whole(void **state)
{
    struct fixture *f = *state;
    struct lia_txn *txn = lia_test_begin(&f->t, LIA_WRITE);

    assert_int_equal(execute(f, txn, "UPDATE c SET a = 0 WHERE a = 20"), 1);
    assert_int_equal(execute(f, txn, "EVICT FROM c FORCE"), LIANA_EMISUSE);
    assert_int_equal(execute(f, txn, "DELETE FROM c WHERE a = 1"), 1);
    assert_ok(lia_txn_commit(txn, NULL, &f->t.err));
    assert_int_equal(count(f), DOCS - 1);

    txn = lia_test_begin(&f->t, LIA_WRITE);
    assert_int_equal(execute(f, txn, "EVICT FROM c WHERE a > 10 FORCE"), 9);
    assert_int_equal(execute(f, txn, "UPDATE c SET a = 77 WHERE a = 2"), 1);
    assert_ok(lia_txn_commit(txn, NULL, &f->t.err));
    assert_int_equal(count(f), DOCS - 10);
    assert_int_equal(lia_test_get(&f->t, "c", 2), 77);
}

static void of_system_sources_it_takes_conflicts_only(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(execute(f, NULL, "EVICT FROM system:dual"), LIANA_EINVAL);
    assert_int_equal(execute(f, NULL, "EVICT FROM system:conflicts"), 0);
}

/* A store that has evicted what it wrote goes by another name, which has the rights of the old
 * one: in the transaction that evicts, too. */
static void rights_go_on_in_the_same_transaction(void **state)
{
    struct fixture *f = *state;
    struct lia_txn *txn;

    assert_int_equal(
        execute(f, NULL, "CREATE COLLECTION s (n COUNTER MIN 0, m.k COUNTER MIN 2)"),
        1);
    execute(f, NULL,
            "INSERT INTO s DOCUMENTS ({'_id': 1, 'n': 4, 'm': {'k': 5}}), "
            "({'_id': 2, 'n': 0}), ({'_id': 3})");
    txn = lia_test_begin(&f->t, LIA_WRITE);
    assert_int_equal(execute(f, txn, "EVICT FROM c WHERE a = 1 FORCE"), 1);
    assert_int_equal(execute(f, txn, "UPDATE s APPLY n INCREMENT BY -4 WHERE _id = 1"),
                     1);
    assert_int_equal(
        execute(f, txn, "UPDATE s APPLY m.k INCREMENT BY -3 WHERE _id = 1"), 1);
    assert_int_equal(execute(f, txn, "UPDATE s APPLY n INCREMENT BY -1 WHERE _id = 1"),
                     LIANA_ERIGHTS);
    assert_ok(lia_txn_commit(txn, NULL, &f->t.err));
    assert_int_equal(lia_test_count(&f->t, "SELECT * FROM s WHERE n = 0 AND m.k = 2"),
                     1);
    /* And once more, of nothing. */
    assert_int_equal(execute(f, NULL, "INSERT INTO c DOCUMENTS ({'_id': 500})"), 1);
    assert_int_equal(execute(f, NULL, "EVICT FROM c WHERE _id = 500 FORCE"), 1);
    assert_int_equal(execute(f, NULL, "UPDATE s APPLY n INCREMENT BY -1 WHERE _id = 1"),
                     LIANA_ERIGHTS);
}

static void rights_go_on_with_the_next_name(void **state)
{
    struct fixture *f = *state;
    uint64_t first = lia_db_identity(f->t.db).actor;

    assert_int_equal(execute(f, NULL, "CREATE COLLECTION s (n COUNTER MIN 0)"), 1);
    assert_int_equal(execute(f, NULL, "INSERT INTO s DOCUMENTS ({'_id': 1, 'n': 10})"),
                     1);
    assert_int_equal(execute(f, NULL, "UPDATE s APPLY n INCREMENT BY -1"), 1);
    assert_int_equal(execute(f, NULL, "EVICT FROM c LIMIT 1 FORCE"), 1);
    assert_true(lia_db_identity(f->t.db).actor != first);
    assert_int_equal(execute(f, NULL, "UPDATE s APPLY n INCREMENT BY -9"), 1);
    assert_int_equal(execute(f, NULL, "UPDATE s APPLY n INCREMENT BY -1"),
                     LIANA_ERIGHTS);
    assert_int_equal(execute(f, NULL, "UPDATE s APPLY n INCREMENT BY 2"), 1);
    assert_int_equal(execute(f, NULL, "UPDATE s APPLY n INCREMENT BY -2"), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest cases[] = {
    CASE(it_takes_what_is_kept),
    CASE(it_says_how_many_wait),
    CASE(force_takes_the_rest),
    CASE(a_keeper_refuses_it),
    CASE(in_a_transaction_it_is_whole),
    CASE(rights_go_on_in_the_same_transaction),
    CASE(rights_go_on_with_the_next_name),
    CASE(of_system_sources_it_takes_conflicts_only),
};

LIA_TEST_MAIN(cases)
