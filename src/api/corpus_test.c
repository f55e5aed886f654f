/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The BSON corpus from an app through a store, TLS and another store to another app:
 * every type and every odd name comes out as the bytes that went in.
 */
#include <stdio.h>

#include "base/reader.h"
#include "base/testing/files.h"
#include "base/testing/test.h"
#include "codec/bson.h"
#include "codec/testing/corpus.h"
#include "liana/liana.h"

#define PATIENCE_MS 30000
#define STORES      3 /* the second one passes on what the first one wrote */

struct fixture {
    char folder[LIA_TEST_PATH_MAX];
    liana_db *stores[STORES];
    liana_txn *txn; /* of the first */
    struct lia_buf params;
    struct lia_buf expected; /* the documents, one after the other */
    size_t count;
    struct liana_error err;
};

/* ---- documents ---- */

/* The fields of a document without its length and end. */
static struct liana_slice fields_of(const struct lia_buf *doc)
{
    assert_true(doc->len >= 5);
    return lia_slice(doc->ptr + 4, doc->len - 5);
}

/* The bytes of a case, whatever they are, behind an _id. Those with an _id of
 * their own, which two of them share, stand in a field. */
static void add_document(struct fixture *f, struct lia_buf *out, const char *hex)
{
    struct lia_buf bytes;
    struct lia_value id;
    size_t mark;

    lia_buf_init(&bytes, &lia_mem_libc);
    lia_hex_decode(&bytes, hex);
    mark = lia_bson_begin(out);
    lia_bson_add_int32(out, lia_str("_id"), (int32_t)f->count);
    if (lia_bson_find(lia_buf_slice(&bytes), lia_str("_id"), &id)) {
        lia_bson_add(out, lia_str("d"),
                     (struct lia_value){LIA_BSON_DOCUMENT, lia_buf_slice(&bytes)});
    } else {
        lia_buf_slice_add(out, fields_of(&bytes));
    }
    lia_bson_end(out, mark);
    lia_buf_deinit(&bytes);
}

/* {d: document} */
static struct liana_slice params_of(struct fixture *f, struct liana_slice document)
{
    size_t mark;

    lia_buf_reset(&f->params);
    mark = lia_bson_begin(&f->params);
    lia_bson_add(&f->params, lia_str("d"),
                 (struct lia_value){LIA_BSON_DOCUMENT, document});
    lia_bson_end(&f->params, mark);
    return lia_buf_slice(&f->params);
}

static liana_status insert(struct fixture *f, struct liana_slice params)
{
    liana_result *result = NULL;
    liana_status status =
        liana_txn_execute(f->txn, LIANA_STR("INSERT INTO corpus DOCUMENTS (:d)"),
                          params, &result, &f->err);

    liana_result_free(result);
    return status;
}

/* ---- stores ---- */

static void open_store(struct fixture *f, int n)
{
    struct liana_open_options options = LIANA_OPEN_OPTIONS_INIT;
    char path[LIA_TEST_PATH_MAX + 8];
    uint64_t id;

    snprintf(path, sizeof(path), "%s/%d", f->folder, n);
    options.flags = LIANA_OPEN_CREATE;
    options.database = LIANA_STR("corpus");
    options.trust = LIANA_TRUST_OPEN;
    assert_ok(liana_open(lia_str(path), &options, &f->stores[n], &f->err));
    assert_ok(liana_subscribe(f->stores[n], LIANA_STR("SELECT * FROM corpus"),
                              LIANA_NONE, &id, &f->err));
}

static void copy_address(liana_db *db, char out[64])
{
    liana_bytes *stats;
    struct lia_value v;
    struct lia_bson_iter it;

    assert_ok(liana_stats(db, &stats, NULL));
    assert_true(lia_bson_find(liana_bytes_slice(stats), lia_str("sync"), &v));
    assert_true(lia_bson_find(v.data, lia_str("listen"), &v));
    it = lia_bson_iter(v.data);
    assert_true(lia_bson_next(&it));
    snprintf(out, 64, "%.*s", LIA_STR_ARG(lia_value_str(it.value)));
    liana_bytes_free(stats);
}

/* A line: each listens, and each but the first dials the one before. */
static void start_sync(struct fixture *f)
{
    struct liana_str any = LIANA_STR("127.0.0.1:0");
    char address[64] = "";

    for (int n = 0; n < STORES; n++) {
        struct liana_sync_options options = LIANA_SYNC_OPTIONS_INIT;
        struct liana_str before = lia_str(address);

        options.listen = &any;
        options.listen_count = 1;
        options.dial = &before;
        options.dial_count = n > 0;
        assert_ok(liana_sync_start(f->stores[n], &options, &f->err));
        copy_address(f->stores[n], address);
    }
}

static int64_t count_rows(struct fixture *f, liana_db *db)
{
    liana_result *result;
    struct liana_slice row;
    int64_t count = 0;

    assert_ok(liana_execute(db, LIANA_STR("SELECT _id FROM corpus"), LIANA_NONE,
                            &result, &f->err));
    while (liana_result_next(result, &row, NULL) == LIANA_OK) {
        count++;
    }
    liana_result_free(result);
    return count;
}

static void await_documents(struct fixture *f, int n)
{
    struct liana_event event;

    for (int waited = 0; count_rows(f, f->stores[n]) < (int64_t)f->count;
         waited += 20) {
        assert_true(waited < PATIENCE_MS);
        LIA_IGNORE(liana_poll(f->stores[n], 20, &event, NULL)); /* a look at a time */
    }
}

static int set_up(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    lia_test_scratch(f->folder);
    lia_buf_init(&f->params, &lia_mem_libc);
    lia_buf_init(&f->expected, &lia_mem_libc);
    for (int n = 0; n < STORES; n++) {
        open_store(f, n);
    }
    assert_ok(liana_begin(f->stores[0], NULL, &f->txn, &f->err));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    liana_rollback(f->txn);
    for (int n = 0; n < STORES; n++) {
        assert_ok(liana_close(f->stores[n], &f->err));
    }
    lia_buf_deinit(&f->expected);
    lia_buf_deinit(&f->params);
    lia_test_scratch_remove(f->folder);
    test_free(f);
    return 0;
}

/* ---- what is sound ---- */

/* What comes out is `canonical` in any case. */
static void write_case(struct fixture *f,
                       const struct lia_corpus_case *c,
                       const char *written,
                       const char *canonical)
{
    struct lia_buf doc;

    lia_buf_init(&doc, &lia_mem_libc);
    add_document(f, &doc, written);
    if (insert(f, params_of(f, lia_buf_slice(&doc)))) {
        fail_msg("%s: %s: %s", c->file, c->description, f->err.message);
    }
    add_document(f, &f->expected, canonical);
    f->count++;
    lia_buf_deinit(&doc);
}

static void valid_case(void *ctx, const struct lia_corpus_case *c)
{
    const char *canonical = lia_corpus_text(c, "canonical_bson");
    const char *degenerate = lia_corpus_text(c, "degenerate_bson");

    write_case(ctx, c, canonical, canonical);
    if (degenerate) {
        write_case(ctx, c, degenerate, canonical);
    }
}

static struct liana_slice next_document(struct lia_reader *r)
{
    struct lia_reader head = *r;

    return lia_reader_bytes(r, lia_reader_u32(&head));
}

static void check_document(struct fixture *f, liana_db *db, struct liana_slice doc)
{
    liana_result *result;
    struct liana_slice row;
    struct lia_value id;
    size_t mark;

    assert_true(lia_bson_find(doc, lia_str("_id"), &id));
    lia_buf_reset(&f->params);
    mark = lia_bson_begin(&f->params);
    lia_bson_add(&f->params, lia_str("id"), id);
    lia_bson_end(&f->params, mark);
    assert_ok(liana_execute(db, LIANA_STR("SELECT * FROM corpus WHERE _id = :id"),
                            lia_buf_slice(&f->params), &result, &f->err));
    assert_ok(liana_result_next(result, &row, &f->err));
    assert_slice_equal(row, doc);
    liana_result_free(result);
}

static void check_store(struct fixture *f, int n)
{
    struct lia_reader r = lia_reader(lia_buf_slice(&f->expected));

    while (lia_reader_left(&r)) {
        check_document(f, f->stores[n], next_document(&r));
    }
}

static void test_every_type_passes_unchanged(void **state)
{
    struct fixture *f = *state;
    liana_txn *txn = f->txn;

    assert_int_equal(lia_corpus_walk("valid", valid_case, f), 728);
    f->txn = NULL;
    assert_ok(liana_commit(txn, NULL, &f->err));
    start_sync(f);
    for (int n = 0; n < STORES; n++) {
        await_documents(f, n);
        check_store(f, n);
    }
}

/* ---- what is not ---- */

static void decode_error_case(void *ctx, const struct lia_corpus_case *c)
{
    struct fixture *f = ctx;
    struct lia_buf bytes;

    lia_buf_init(&bytes, &lia_mem_libc);
    lia_hex_decode(&bytes, lia_corpus_text(c, "bson"));
    if (insert(f, lia_buf_slice(&bytes)) != LIANA_EBSON ||
        insert(f, params_of(f, lia_buf_slice(&bytes))) != LIANA_EBSON) {
        fail_msg("%s: %s: accepted", c->file, c->description);
    }
    lia_buf_deinit(&bytes);
}

static void test_what_does_not_decode_is_refused(void **state)
{
    assert_int_equal(lia_corpus_walk("decodeErrors", decode_error_case, *state), 75);
}

/* {_id: 1, m: {a: 1, a: 2}} */
static void test_a_name_that_stands_twice_is_refused(void **state)
{
    struct fixture *f = *state;
    struct lia_buf doc;
    size_t mark;
    size_t inner;

    lia_buf_init(&doc, &lia_mem_libc);
    mark = lia_bson_begin(&doc);
    lia_bson_add_int32(&doc, lia_str("_id"), 1);
    inner = lia_bson_begin_in(&doc, LIA_BSON_DOCUMENT, lia_str("m"));
    lia_bson_add_int32(&doc, lia_str("a"), 1);
    lia_bson_add_int32(&doc, lia_str("a"), 2);
    lia_bson_end(&doc, inner);
    lia_bson_end(&doc, mark);
    assert_status(LIANA_EDUPFIELD, insert(f, params_of(f, lia_buf_slice(&doc))));
    assert_non_null(strstr(f->err.message, "m.a"));
    lia_buf_deinit(&doc);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_every_type_passes_unchanged),
    CASE(test_what_does_not_decode_is_refused),
    CASE(test_a_name_that_stands_twice_is_refused),
};

LIA_TEST_MAIN(tests)
