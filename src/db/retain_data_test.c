/* SPDX-License-Identifier: Apache-2.0 */
/* 100,000 sales lines (../shared/data/retail) that become too old: the work is bounded, and
 * what they leave in the file is used again. */
#include "base/testing/test.h"

#include <string.h>

#include "codec/bson.h"
#include "db/internal.h"
#include "db/testing/statements.h"

#define DOCUMENTS  100000
#define COMMIT     5000 /* documents of one commit */
#define LOOKS      128  /* the most that one piece looks at: documents and tombstones */
#define MS_PER_DAY ((uint64_t)24 * 60 * 60 * 1000)

struct fixture {
    struct lia_test_db t;
    struct lia_buf lines;
    const char *at; /* the next line */
};

static int setup(void **state)
{
    static struct fixture f;

    lia_test_db_init(&f.t, 1);
    f.t.options.store.durability = LIA_NORMAL;
    lia_test_db_open(&f.t);
    lia_buf_init(&f.lines, &f.t.env.alloc.alloc);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    lia_buf_deinit(&f->lines);
    lia_test_db_finish(&f->t);
    return 0;
}

/* A line of the file without its end; after the last one, the first again. */
static struct liana_str next_line(struct fixture *f)
{
    struct liana_slice all = lia_buf_slice(&f->lines);
    const char *end = (const char *)all.ptr + all.len;
    struct liana_str line = {f->at, 0};

    line.len =
        (size_t)((const char *)memchr(f->at, '\n', (size_t)(end - f->at)) - f->at);
    f->at += line.len + 1;
    if (f->at == end) {
        f->at = (const char *)all.ptr;
    }
    return line;
}

static void insert(struct fixture *f, struct lia_txn *txn, int32_t id)
{
    const struct lia_collection *coll;
    struct lia_buf body;
    size_t doc;

    lia_buf_init(&body, &f->t.env.alloc.alloc);
    doc = lia_bson_begin(&body);
    lia_bson_add_int32(&body, lia_str("_id"), id);
    lia_bson_add_str(&body, lia_str("line"), next_line(f));
    lia_bson_end(&body, doc);
    assert_ok(body.status);
    assert_ok(lia_txn_collection(txn, lia_str("sales"), true, &coll, &f->t.err));
    assert_ok(lia_txn_insert(txn, coll, lia_buf_slice(&body), NULL, &f->t.err));
    lia_buf_deinit(&body);
}

static void sell(struct fixture *f, int32_t first)
{
    for (int32_t id = first; id < first + DOCUMENTS; id += COMMIT) {
        struct lia_txn *txn = lia_test_begin(&f->t, LIA_WRITE);
        struct lia_commit commit;

        for (int32_t i = id; i < id + COMMIT; i++) {
            insert(f, txn, i);
        }
        assert_ok(lia_txn_commit(txn, &commit, &f->t.err));
    }
}

static size_t round_of(struct fixture *f)
{
    struct lia_upkeep done;
    size_t evicted = 0;

    do {
        assert_ok(lia_db_upkeep(f->t.db, &done, &f->t.err));
        assert_true(done.looked_at <= LOOKS);
        assert_true(done.evicted <= done.looked_at);
        evicted += done.evicted;
    } while (done.next_ms == 0);
    return evicted;
}

static uint64_t pragma(struct fixture *f, const char *sql)
{
    struct lia_store *store = lia_db_store(f->t.db);
    struct lia_conn *conn;
    sqlite3_stmt *stmt = NULL;
    uint64_t n;

    assert_ok(lia_store_read_begin(store, &conn, &f->t.err));
    assert_ok(lia_conn_prepare(conn, lia_str(sql), &stmt, &f->t.err));
    assert_ok(lia_conn_step(conn, stmt, &f->t.err));
    n = lia_column_u64(stmt, 0);
    lia_conn_done(conn, stmt);
    lia_store_read_end(store, conn);
    return n;
}

static void what_went_leaves_room(void **state)
{
    struct fixture *f = *state;
    uint64_t full;
    uint64_t again;

    lia_test_shared_file("retail/online-retail-2010-12-01_08.csv", &f->lines);
    f->at = (const char *)lia_buf_slice(&f->lines).ptr;
    lia_test_run(&f->t, "CREATE COLLECTION sales WITH (ttl = '2 days', unkept = TRUE)");
    sell(f, 0);
    assert_int_equal(round_of(f), 0);
    full = pragma(f, "PRAGMA page_count");
    lia_test_env_pass(&f->t.env, 3 * MS_PER_DAY);
    assert_int_equal(round_of(f), DOCUMENTS);
    assert_int_equal(pragma(f, "PRAGMA page_count"), full);
    /* Nearly all of the file is free, and it is where the next ones go. */
    assert_true(pragma(f, "PRAGMA freelist_count") >= full * 9 / 10);
    sell(f, DOCUMENTS);
    assert_int_equal(round_of(f), 0);
    again = pragma(f, "PRAGMA page_count");
    print_message("%llu pages, %llu after the next %d\n", (unsigned long long)full,
                  (unsigned long long)again, DOCUMENTS);
    assert_true(again <= full + full / 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_went_leaves_room, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
