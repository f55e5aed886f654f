/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz/bson_check - any bytes as a document: what is accepted has a canonical form that is
 * accepted, and can be walked, keyed and written.
 */
#include "codec/json.h"
#include "codec/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(struct liana_slice doc)
{
    struct lia_bson_iter it = lia_bson_iter(doc);
    struct lia_buf out;

    lia_buf_init(&out, &lia_mem_libc);
    while (lia_bson_next(&it)) {
        lia_key_add(&out, it.value);
        LIA_IGNORE(lia_key_of_id(it.value, &out, NULL)); /* may be no _id */
    }
    LIA_IGNORE(lia_json_write(doc, LIA_JSON_RELAXED, &out, NULL)); /* {$oid: ...} */
    lia_buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct liana_slice doc = {data, size};
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_buf canonical;
    liana_status strict = lia_bson_check(doc, &lia_mem_libc, &err);

    LIA_ASSERT(err.status == strict &&
               (strict == LIANA_OK) == (err.message[0] == '\0'));
    lia_buf_init(&canonical, &lia_mem_libc);
    if (lia_bson_canonicalize(doc, &canonical, NULL) == LIANA_OK) {
        struct liana_slice made = lia_buf_slice(&canonical);

        LIA_ASSERT(lia_bson_check(made, &lia_mem_libc, NULL) == LIANA_OK);
        LIA_ASSERT((strict == LIANA_OK) == lia_slice_equal(made, doc));
        use(made);
    } else {
        LIA_ASSERT(strict != LIANA_OK && canonical.len == 0);
    }
    lia_buf_deinit(&canonical);
    return 0;
}
