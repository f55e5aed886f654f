/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <bson/bson.h>

#include "base/testing/random.h"
#include "codec/json.h"
#include "codec/testing/random_bson.h"

/*
 * libbson as a second opinion on random documents: it reads what we write, and we read
 * what it writes. Left out is what its reader changes: texts with NUL, and code and
 * dbPointer, which get another name within an array. Decimals beyond 34 digits, which count
 * as zero, are zero in our text and so in what libbson is given to write.
 */

static bool is_comparable(struct lia_buf *text)
{
    const char *json;

    lia_buf_u8(text, 0);
    json = (const char *)text->ptr;
    text->len--;
    return !strstr(json, "\\u0000") && !strstr(json, "$code") &&
           !strstr(json, "$dbPointer");
}

static void check_document(struct liana_slice doc, size_t *read, size_t *written)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_buf text;
    struct lia_buf back;
    struct lia_buf again;
    bson_t theirs;
    bson_t *parsed;
    char *json;
    size_t len = 0;

    lia_buf_init(&text, &lia_mem_libc);
    lia_buf_init(&back, &lia_mem_libc);
    lia_buf_init(&again, &lia_mem_libc);
    assert_ok(lia_json_write(doc, LIA_JSON_CANONICAL, &text, &err));
    assert_ok(lia_json_read(lia_buf_slice(&text), &back, NULL, &err));

    parsed = !is_comparable(&text)
                 ? NULL
                 : bson_new_from_json(text.ptr, (ssize_t)text.len, NULL);
    if (parsed) {
        if (!lia_slice_equal(lia_slice(bson_get_data(parsed), parsed->len),
                             lia_buf_slice(&back))) {
            fail_msg("libbson reads another document: %.*s",
                     LIA_STR_ARG(lia_buf_slice(&text)));
        }
        ++*read;
        bson_destroy(parsed);
    }
    assert_true(bson_init_static(&theirs, back.ptr, back.len));
    json =
        !is_comparable(&text) ? NULL : bson_as_canonical_extended_json(&theirs, &len);
    if (json) {
        if (lia_json_read(lia_slice(json, len), &again, NULL, &err)) {
            fail_msg("%s: %s", json, err.message);
        }
        if (!lia_slice_equal(lia_buf_slice(&again), lia_buf_slice(&back))) {
            fail_msg("libbson writes another document: %s", json);
        }
        ++*written;
        bson_free(json);
    }
    lia_buf_deinit(&text);
    lia_buf_deinit(&back);
    lia_buf_deinit(&again);
}

static void test_libbson(void **state)
{
    struct lia_rng rng = lia_rng(lia_test_seed("libbson"));
    size_t cases = lia_test_cases(2000);
    struct lia_buf doc;
    size_t read = 0;
    size_t written = 0;

    (void)state;
    lia_buf_init(&doc, &lia_mem_libc);
    for (size_t i = 0; i < cases; i++) {
        lia_buf_reset(&doc);
        lia_random_document(&rng, &doc);
        check_document(lia_buf_slice(&doc), &read, &written);
    }
    lia_buf_deinit(&doc);
    assert_true(read > cases / 2 && written == read);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_libbson),
};

LIA_TEST_MAIN(tests)
