/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <stdio.h>

#include "base/testing/files.h"
#include "codec/json.h"
#include "codec/testing/corpus.h"
#include "codec/testing/json_form.h"

static struct lia_buf new_buf(void)
{
    struct lia_buf buf;

    lia_buf_init(&buf, &lia_mem_libc);
    return buf;
}

/* The text reads as the document (if it has one form only: `doc` not NULL). */
static void check_read(const struct lia_corpus_case *c,
                       const char *text,
                       const struct lia_buf *doc)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_buf out = new_buf();

    if (!text) {
        return;
    }
    if (lia_json_read(lia_str_slice(lia_str(text)), &out, NULL, &err)) {
        fail_msg("%s: %s: %s: %s", c->file, c->description, text, err.message);
    }
    if (doc && !lia_slice_equal(lia_buf_slice(&out), lia_buf_slice(doc))) {
        fail_msg("%s: %s: %s is another document", c->file, c->description, text);
    }
    lia_buf_deinit(&out);
}

/* The document is written as the text. */
static void check_write(const struct lia_corpus_case *c,
                        const struct lia_buf *doc,
                        enum lia_json_form form,
                        const char *text)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_buf out = new_buf();
    struct lia_buf got = new_buf();
    struct lia_buf expected = new_buf();

    if (text) {
        if (lia_json_write(lia_buf_slice(doc), form, &out, &err)) {
            fail_msg("%s: %s: %s", c->file, c->description, err.message);
        }
        lia_json_form(lia_buf_slice(&out), &got);
        lia_json_form(lia_str_slice(lia_str(text)), &expected);
        if (!lia_slice_equal(lia_buf_slice(&got), lia_buf_slice(&expected))) {
            fail_msg("%s: %s: %.*s instead of %s", c->file, c->description,
                     LIA_STR_ARG(lia_slice_str(lia_buf_slice(&out))), text);
        }
    }
    lia_buf_deinit(&out);
    lia_buf_deinit(&got);
    lia_buf_deinit(&expected);
}

static void valid_case(void *ctx, const struct lia_corpus_case *c)
{
    const char *canonical = lia_corpus_text(c, "canonical_extjson");
    const char *relaxed = lia_corpus_text(c, "relaxed_extjson");
    bool is_lossy = lia_corpus_flag(c, "lossy");
    struct lia_buf doc = new_buf();

    (void)ctx;
    lia_hex_decode(&doc, lia_corpus_text(c, "canonical_bson"));
    check_write(c, &doc, LIA_JSON_CANONICAL, canonical);
    check_write(c, &doc, LIA_JSON_RELAXED, relaxed);
    check_read(c, canonical, is_lossy ? NULL : &doc);
    check_read(c, lia_corpus_text(c, "degenerate_extjson"), is_lossy ? NULL : &doc);
    check_read(c, relaxed, NULL);
    lia_buf_deinit(&doc);
}

static void test_valid(void **state)
{
    (void)state;
    assert_int_equal(lia_corpus_walk("valid", valid_case, NULL), 728);
}

/* Relaxed text, read and written relaxed again, is the same text. */
static void relaxed_case(void *ctx, const struct lia_corpus_case *c)
{
    const char *relaxed = lia_corpus_text(c, "relaxed_extjson");
    struct lia_buf doc = new_buf();

    if (relaxed) {
        ++*(size_t *)ctx;
        assert_ok(lia_json_read(lia_str_slice(lia_str(relaxed)), &doc, NULL, NULL));
        check_write(c, &doc, LIA_JSON_RELAXED, relaxed);
    }
    lia_buf_deinit(&doc);
}

static void test_relaxed(void **state)
{
    size_t count = 0;

    (void)state;
    lia_corpus_walk("valid", relaxed_case, &count);
    assert_true(count > 20);
}

static void put_escaped(struct lia_buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            lia_buf_u8(out, '\\');
        }
        lia_buf_u8(out, (uint8_t)*text);
    }
}

/* In the decimal files the text is only the number's. */
static void parse_error_case(void *ctx, const struct lia_corpus_case *c)
{
    const char *text = lia_corpus_text(c, "string");
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_buf json = new_buf();
    struct lia_buf out = new_buf();

    (void)ctx;
    if (strncmp(c->file, "decimal128-", 11) == 0) {
        lia_buf_str(&json, "{\"d\":{\"$numberDecimal\":\"");
        put_escaped(&json, text);
        lia_buf_str(&json, "\"}}");
    } else {
        lia_buf_str(&json, text);
    }
    if (lia_json_read(lia_buf_slice(&json), &out, NULL, &err) != LIANA_EJSON) {
        fail_msg("%s: %s: accepted", c->file, c->description);
    }
    assert_true(strncmp(err.message, "line 1, column ", 15) == 0);
    assert_int_equal(out.len, 0);
    lia_buf_deinit(&json);
    lia_buf_deinit(&out);
}

static void test_parse_errors(void **state)
{
    (void)state;
    assert_int_equal(lia_corpus_walk("parseErrors", parse_error_case, NULL), 180);
}

/* ---- documents as MongoDB's tools export them, one behind the other ---- */

static size_t count_documents(const char *file)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_buf text = new_buf();
    struct lia_buf doc = new_buf();
    struct liana_slice rest;
    liana_status status = LIANA_OK;
    size_t count = 0;
    size_t used = 0;

    lia_test_shared_file(file, &text);
    for (rest = lia_buf_slice(&text); !status; rest.ptr += used, rest.len -= used) {
        lia_buf_reset(&doc);
        status = lia_json_read(rest, &doc, &used, &err);
        count += status == LIANA_OK;
        used = status ? 0 : used;
    }
    if (status != LIANA_EEND) {
        fail_msg("%s, document %zu: %s", file, count + 1, err.message);
    }
    lia_buf_deinit(&text);
    lia_buf_deinit(&doc);
    return count;
}

static void test_samples(void **state)
{
    (void)state;
    assert_int_equal(count_documents("mongodb/sample_analytics/accounts.json"), 1746);
    assert_int_equal(count_documents("mongodb/sample_analytics/customers.json"), 500);
    assert_int_equal(count_documents("mongodb/sample_mflix/theaters.json"), 1564);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_valid),
    cmocka_unit_test(test_relaxed),
    cmocka_unit_test(test_parse_errors),
    cmocka_unit_test(test_samples),
};

LIA_TEST_MAIN(tests)
