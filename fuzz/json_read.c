/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz/json_read - any text as Extended JSON: what is read is BSON, and is the same after
 * it was written and read once more.
 */
#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(struct liana_slice doc)
{
    struct lia_buf text;
    struct lia_buf back;

    lia_buf_init(&text, &lia_mem_libc);
    lia_buf_init(&back, &lia_mem_libc);
    LIA_ASSERT(lia_bson_check(doc, &lia_mem_libc, NULL) == LIANA_OK);
    LIA_ASSERT(lia_json_write(doc, LIA_JSON_CANONICAL, &text, NULL) == LIANA_OK);
    LIA_ASSERT(lia_json_read(lia_buf_slice(&text), &back, NULL, NULL) == LIANA_OK);
    LIA_ASSERT(lia_slice_equal(lia_buf_slice(&back), doc));
    lia_buf_deinit(&text);
    lia_buf_deinit(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct liana_slice text = {data, size};
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_value v;
    struct lia_buf out;
    size_t used = 0;

    lia_buf_init(&out, &lia_mem_libc);
    if (lia_json_read(text, &out, &used, &err) == LIANA_OK) {
        LIA_ASSERT(used > 0 && used <= size);
        again(lia_buf_slice(&out));
    } else {
        LIA_ASSERT(out.len == 0);
    }
    LIA_IGNORE(lia_json_read_value(text, &out, &v, NULL)); /* may be no value */
    lia_buf_deinit(&out);
    return 0;
}
