/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz/key - two documents, one after the other: the order of the keys of their first
 * values is the order of the values, both ways round, and no key begins another.
 */
#include "codec/key.h"
#include "codec/order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static void compare(struct lia_value a, struct lia_value b)
{
    int order = sign(lia_value_cmp(a, b));
    struct lia_buf x;
    struct lia_buf y;
    size_t shorter;

    lia_buf_init(&x, &lia_mem_libc);
    lia_buf_init(&y, &lia_mem_libc);
    lia_key_add(&x, a);
    lia_key_add(&y, b);
    shorter = x.len < y.len ? x.len : y.len;
    LIA_ASSERT(sign(lia_slice_cmp(lia_buf_slice(&x), lia_buf_slice(&y))) == order);
    LIA_ASSERT((memcmp(x.ptr, y.ptr, shorter) == 0) == (order == 0));
    LIA_ASSERT(sign(lia_value_cmp(b, a)) == -order);
    lia_buf_deinit(&x);
    lia_buf_deinit(&y);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t first = size < 4 ? size : (size_t)data[0] | (size_t)data[1] << 8;
    struct lia_bson_iter a;
    struct lia_bson_iter b;

    if (first > size ||
        lia_bson_check(lia_slice(data, first), &lia_mem_libc, NULL) != LIANA_OK ||
        lia_bson_check(lia_slice(data + first, size - first), &lia_mem_libc, NULL) !=
            LIANA_OK) {
        return 0;
    }
    a = lia_bson_iter(lia_slice(data, first));
    b = lia_bson_iter(lia_slice(data + first, size - first));
    if (lia_bson_next(&a) && lia_bson_next(&b)) {
        compare(a.value, b.value);
    }
    return 0;
}
