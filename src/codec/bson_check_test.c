/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/testing/test.h"

#include "base/testing/alloc.h"

#include "codec/bson.h"
#include "codec/testing/corpus.h"

static struct lia_buf new_buf(void)
{
    struct lia_buf buf;

    lia_buf_init(&buf, &lia_mem_libc);
    return buf;
}

static liana_status check(struct liana_slice doc, struct liana_error *err)
{
    *err = (struct liana_error)LIANA_ERROR_INIT;
    return lia_bson_check(doc, &lia_mem_libc, err);
}

/* The document of the hexadecimal text is refused with this status and message. */
static void assert_refused(const char *hex, liana_status status, const char *message)
{
    struct lia_buf doc = new_buf();
    struct liana_error err;

    lia_hex_decode(&doc, hex);
    assert_int_equal(check(lia_buf_slice(&doc), &err), status);
    assert_string_equal(err.message, message);
    assert_int_equal(err.status, status);
    lia_buf_deinit(&doc);
}

/* ---- the corpus ---- */

static void valid_case(void *ctx, const struct lia_corpus_case *c)
{
    const char *degenerate = lia_corpus_text(c, "degenerate_bson");
    struct lia_buf doc = new_buf();
    struct lia_buf out = new_buf();
    struct liana_error err;

    (void)ctx;
    lia_hex_decode(&doc, lia_corpus_text(c, "canonical_bson"));
    if (check(lia_buf_slice(&doc), &err)) {
        fail_msg("%s: %s: %s", c->file, c->description, err.message);
    }
    assert_int_equal(lia_bson_canonicalize(lia_buf_slice(&doc), &out, &err), LIANA_OK);
    assert_true(lia_slice_equal(lia_buf_slice(&doc), lia_buf_slice(&out)));
    if (degenerate) {
        struct lia_buf other = new_buf();

        lia_hex_decode(&other, degenerate);
        assert_int_equal(check(lia_buf_slice(&other), &err), LIANA_EBSON);
        lia_buf_reset(&out);
        assert_int_equal(lia_bson_canonicalize(lia_buf_slice(&other), &out, NULL), 0);
        assert_true(lia_slice_equal(lia_buf_slice(&doc), lia_buf_slice(&out)));
        lia_buf_deinit(&other);
    }
    lia_buf_deinit(&out);
    lia_buf_deinit(&doc);
}

static void decode_error_case(void *ctx, const struct lia_corpus_case *c)
{
    struct lia_buf doc = new_buf();
    struct lia_buf out = new_buf();
    struct liana_error err;

    (void)ctx;
    lia_hex_decode(&doc, lia_corpus_text(c, "bson"));
    if (check(lia_buf_slice(&doc), &err) != LIANA_EBSON || !err.message[0]) {
        fail_msg("%s: %s: accepted", c->file, c->description);
    }
    assert_int_equal(lia_bson_canonicalize(lia_buf_slice(&doc), &out, NULL),
                     LIANA_EBSON);
    assert_int_equal(out.len, 0);
    lia_buf_deinit(&out);
    lia_buf_deinit(&doc);
}

static void test_corpus_valid(void **state)
{
    (void)state;
    assert_int_equal(lia_corpus_walk("valid", valid_case, NULL), 728);
}

static void test_corpus_decode_errors(void **state)
{
    (void)state;
    assert_int_equal(lia_corpus_walk("decodeErrors", decode_error_case, NULL), 75);
}

/* ---- messages ---- */

static void test_messages(void **state)
{
    (void)state;
    assert_refused("", LIANA_EBSON, "document: length or end of document is wrong");
    assert_refused("0600000000", LIANA_EBSON,
                   "document: length or end of document is wrong");
    assert_refused("080000000161ff0000", LIANA_EBSON,
                   "document: length or end of document is wrong");
    assert_refused("080000000a616200", LIANA_EBSON,
                   "document: field name does not end");
    assert_refused("08000000016100"
                   "00",
                   LIANA_EBSON, "a: double goes beyond the end of its document");
    assert_refused("08000000206100"
                   "00",
                   LIANA_EBSON, "a: unknown BSON type 0x20");
    assert_refused("080000000aff00"
                   "00",
                   LIANA_EBSON, "document: field name is not UTF-8");
    assert_refused("0900000008610002"
                   "00",
                   LIANA_EBSON, "a: boolean is not 0 or 1");
    assert_refused("0e00000002610002000000ff00"
                   "00",
                   LIANA_EBSON, "a: string is not UTF-8");
    assert_refused("0e00000002610002000000616100", LIANA_EBSON,
                   "a: string does not end with NUL");
    assert_refused("0b0000000b6100ff0000"
                   "00",
                   LIANA_EBSON, "a: regular expression is not UTF-8");
    assert_refused("0c0000000b610000c3a900"
                   "00",
                   LIANA_EBSON, "a: options of regular expression are not ASCII");
    assert_refused("0c0000000b6100006d6900"
                   "00",
                   LIANA_EBSON, "a: options of regular expression are not sorted");
    assert_refused("1000000004610008000000"
                   "0a310000"
                   "00",
                   LIANA_EBSON, "a.1: name of array element is not its index");
    assert_refused("0b0000000a61000a610000", LIANA_EDUPFIELD,
                   "a: field name stands twice");
    assert_refused("1300000003610"
                   "00b0000000a62000a62000000",
                   LIANA_EDUPFIELD, "a.b: field name stands twice");
    assert_refused("130000000361000b0000000aff000a62000000", LIANA_EBSON,
                   "a: field name is not UTF-8");
}

/* Array, object and scope inside one another; the path names all of them. */
static void test_path(void **state)
{
    static const uint8_t wrong[1] = {2};
    struct lia_buf doc = new_buf();
    struct liana_error err;
    size_t root = lia_bson_begin(&doc);
    size_t array = lia_bson_begin_in(&doc, LIA_BSON_ARRAY, lia_str("list"));
    size_t scope;
    size_t inner;

    (void)state;
    lia_bson_add_null(&doc, lia_str("0"));
    scope = lia_bson_begin_in(&doc, LIA_BSON_CODE_W_SCOPE, lia_str("1"));
    lia_buf_u32(&doc, 1);
    lia_buf_u8(&doc, 0);
    inner = lia_bson_begin(&doc);
    lia_bson_add(&doc, lia_str("x.y"), (struct lia_value){LIA_BSON_BOOL, {wrong, 1}});
    lia_bson_end(&doc, inner);
    lia_buf_patch_u32(&doc, scope, (uint32_t)(doc.len - scope));
    lia_bson_end(&doc, array);
    lia_bson_end(&doc, root);
    assert_int_equal(doc.status, LIANA_OK);
    assert_int_equal(check(lia_buf_slice(&doc), &err), LIANA_EBSON);
    assert_string_equal(err.message, "list.1.x.y: boolean is not 0 or 1");
    lia_buf_deinit(&doc);
}

/* A path longer than a message is cut, not inside a character. */
static void test_long_path(void **state)
{
    struct lia_buf doc = new_buf();
    struct liana_error err;
    char name[301];
    size_t root = lia_bson_begin(&doc);

    (void)state;
    for (size_t i = 0; i < 300; i += 2) {
        memcpy(name + i, "\xc3\xa9", 2);
    }
    name[300] = '\0';
    lia_bson_add_null(&doc, lia_str(name + 1)); /* not UTF-8 */
    lia_bson_end(&doc, root);
    assert_int_equal(check(lia_buf_slice(&doc), &err), LIANA_EBSON);
    lia_buf_reset(&doc);

    root = lia_bson_begin(&doc);
    lia_bson_add_null(&doc, lia_str(name));
    lia_bson_add_null(&doc, lia_str(name));
    lia_bson_end(&doc, root);
    assert_int_equal(check(lia_buf_slice(&doc), &err), LIANA_EDUPFIELD);
    name[118] = '\0';
    assert_memory_equal(err.message, name, 118);
    assert_string_equal(err.message + 118, ": field name stands twice");
    lia_buf_deinit(&doc);
}

/* ---- depth ---- */

static void nest(struct lia_buf *doc, size_t levels, uint8_t type)
{
    size_t marks[LIA_DEPTH_MAX + 2];
    size_t root = lia_bson_begin(doc);

    for (size_t i = 0; i < levels; i++) {
        marks[i] = lia_bson_begin_in(doc, type, lia_str("0"));
    }
    while (levels-- > 0) {
        lia_bson_end(doc, marks[levels]);
    }
    lia_bson_end(doc, root);
}

static void test_depth(void **state)
{
    static const uint8_t types[] = {LIA_BSON_DOCUMENT, LIA_BSON_ARRAY};
    struct lia_buf doc = new_buf();
    struct liana_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(types); i++) {
        lia_buf_reset(&doc);
        nest(&doc, LIA_DEPTH_MAX, types[i]);
        assert_int_equal(check(lia_buf_slice(&doc), &err), LIANA_OK);
        lia_buf_reset(&doc);
        nest(&doc, LIA_DEPTH_MAX + 1, types[i]);
        assert_int_equal(check(lia_buf_slice(&doc), &err), LIANA_EDEPTH);
    }
    lia_buf_deinit(&doc);
}

/* ---- many names ---- */

static void many_names(struct lia_buf *doc, uint32_t count, uint32_t repeated)
{
    char name[12];
    size_t root = lia_bson_begin(doc);

    for (uint32_t i = 0; i < count; i++) {
        lia_bson_add_null(doc, lia_bson_index_name(i, name));
    }
    if (repeated < count) {
        lia_bson_add_null(doc, lia_bson_index_name(repeated, name));
    }
    lia_bson_end(doc, root);
    assert_int_equal(doc->status, LIANA_OK);
}

/* Around the sizes where the method changes, each name repeated in turn. */
static void test_duplicates(void **state)
{
    static const uint32_t counts[] = {1, 2, 15, 16, 17, 63, 64, 65, 200};
    struct lia_buf doc = new_buf();
    struct liana_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        for (uint32_t twice = 0; twice <= counts[i]; twice++) {
            lia_buf_reset(&doc);
            many_names(&doc, counts[i], twice);
            assert_int_equal(check(lia_buf_slice(&doc), &err),
                             twice < counts[i] ? LIANA_EDUPFIELD : LIANA_OK);
        }
    }
    lia_buf_deinit(&doc);
}

/* 16 MiB of names: a quadratic search would not end within the test's time. */
static void test_large_map(void **state)
{
    struct lia_buf doc = new_buf();
    struct liana_error err;

    (void)state;
    many_names(&doc, 1700000, 1699999);
    assert_true(doc.len < LIA_DOC_BYTES_MAX);
    assert_int_equal(check(lia_buf_slice(&doc), &err), LIANA_EDUPFIELD);
    assert_string_equal(err.message, "1699999: field name stands twice");
    lia_buf_deinit(&doc);
}

static liana_status check_large(const struct liana_allocator *a, void *doc)
{
    return lia_bson_check(lia_buf_slice(doc), a, NULL);
}

static liana_status canonicalize_large(const struct liana_allocator *a, void *doc)
{
    struct lia_buf out;
    struct liana_error err = LIANA_ERROR_INIT;
    liana_status status;

    lia_buf_init(&out, a);
    status = lia_bson_canonicalize(lia_buf_slice(doc), &out, &err);
    assert_int_equal(out.len, status ? 0 : ((struct lia_buf *)doc)->len);
    assert_int_equal(err.status, status);
    lia_buf_deinit(&out);
    return status;
}

/* 64 names need no memory. */
static void test_out_of_memory(void **state)
{
    struct lia_test_alloc none;
    struct lia_buf doc = new_buf();

    (void)state;
    lia_test_alloc_init(&none);
    many_names(&doc, 64, 64);
    assert_ok(lia_bson_check(lia_buf_slice(&doc), &none.alloc, NULL));
    assert_int_equal(none.allocations, 0);
    lia_test_alloc_finish(&none);

    lia_buf_reset(&doc);
    many_names(&doc, 65, 65);
    assert_int_equal(lia_test_each_failure(check_large, &doc), 1);
    assert_int_equal(lia_test_each_failure(canonicalize_large, &doc), 2);
    lia_buf_deinit(&doc);
}

/* ---- the canonical form ---- */

/* {"a": [[1], scope {"x": [true]}, /p/"xim"], "b": {"z": 0, "y": 1}} with foreign
 * array names. */
static void build_degenerate(struct lia_buf *doc, bool is_degenerate)
{
    size_t root = lia_bson_begin(doc);
    size_t a = lia_bson_begin_in(doc, LIA_BSON_ARRAY, lia_str("a"));
    size_t inner =
        lia_bson_begin_in(doc, LIA_BSON_ARRAY, lia_str(is_degenerate ? "9" : "0"));
    size_t scope;

    lia_bson_add_int32(doc, lia_str(is_degenerate ? "" : "0"), 1);
    lia_bson_end(doc, inner);
    scope = lia_bson_begin_in(doc, LIA_BSON_CODE_W_SCOPE, lia_str("1"));
    lia_buf_u32(doc, 3);
    lia_buf_bytes(doc, "f\0", 3);
    inner = lia_bson_begin(doc);
    {
        size_t x = lia_bson_begin_in(doc, LIA_BSON_ARRAY, lia_str("x"));

        lia_bson_add_bool(doc, lia_str(is_degenerate ? "name" : "0"), true);
        lia_bson_end(doc, x);
    }
    lia_bson_end(doc, inner);
    lia_buf_patch_u32(doc, scope, (uint32_t)(doc->len - scope));
    lia_bson_add(doc, lia_str("2"),
                 (struct lia_value){LIA_BSON_REGEX,
                                    lia_slice(is_degenerate ? "p\0xim" : "p\0imx", 6)});
    lia_bson_end(doc, a);
    inner = lia_bson_begin_in(doc, LIA_BSON_DOCUMENT, lia_str("b"));
    lia_bson_add_int32(doc, lia_str("z"), 0);
    lia_bson_add_int32(doc, lia_str("y"), 1);
    lia_bson_end(doc, inner);
    lia_bson_end(doc, root);
    assert_int_equal(doc->status, LIANA_OK);
}

static void test_canonicalize(void **state)
{
    struct lia_buf degenerate = new_buf();
    struct lia_buf canonical = new_buf();
    struct lia_buf out = new_buf();

    (void)state;
    build_degenerate(&degenerate, true);
    build_degenerate(&canonical, false);
    lia_buf_str(&out, "kept");
    assert_int_equal(lia_bson_canonicalize(lia_buf_slice(&degenerate), &out, NULL), 0);
    assert_memory_equal(out.ptr, "kept", 4);
    assert_int_equal(out.len - 4, canonical.len);
    assert_memory_equal(out.ptr + 4, canonical.ptr, canonical.len);
    lia_buf_deinit(&out);
    lia_buf_init_max(&out, &lia_mem_libc, canonical.len - 1);
    assert_int_equal(lia_bson_canonicalize(lia_buf_slice(&degenerate), &out, NULL),
                     LIANA_ETOOLARGE);
    assert_int_equal(out.len, 0);
    lia_buf_deinit(&out);
    lia_buf_deinit(&canonical);
    lia_buf_deinit(&degenerate);
}

/* Any prefix and any one changed byte: no crash, no reading beyond the end. */
static void test_damaged(void **state)
{
    struct lia_buf doc = new_buf();
    struct liana_error err;
    size_t accepted = 0;

    (void)state;
    build_degenerate(&doc, false);
    for (size_t len = 0; len < doc.len; len++) {
        uint8_t *exact = lia_mem_alloc(&lia_mem_libc, len);

        memcpy(exact, doc.ptr, len);
        assert_int_equal(check(lia_slice(exact, len), &err), LIANA_EBSON);
        lia_mem_free(&lia_mem_libc, exact, len);
    }
    for (size_t at = 0; at < doc.len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            doc.ptr[at] ^= (uint8_t)(1U << bit);
            accepted += check(lia_buf_slice(&doc), &err) == LIANA_OK;
            doc.ptr[at] ^= (uint8_t)(1U << bit);
        }
    }
    assert_in_range(accepted, 1, doc.len * 8 - 1);
    lia_buf_deinit(&doc);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_corpus_valid),  cmocka_unit_test(test_corpus_decode_errors),
    cmocka_unit_test(test_messages),      cmocka_unit_test(test_path),
    cmocka_unit_test(test_long_path),     cmocka_unit_test(test_depth),
    cmocka_unit_test(test_duplicates),    cmocka_unit_test(test_large_map),
    cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_canonicalize),
    cmocka_unit_test(test_damaged),
};

LIA_TEST_MAIN(tests)
