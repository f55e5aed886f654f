/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "db/internal.h"

/* No name of a collection holds a byte that may stand `between`. */
static struct lia_name make(struct liana_str collection,
                            uint8_t between,
                            struct liana_slice query)
{
    struct lia_name out;
    struct lia_hash hash;

    lia_hash_start(&hash, lia_slice(NULL, 0), sizeof(out.bytes));
    lia_hash_add(&hash, lia_str_slice(collection));
    lia_hash_add(&hash, lia_slice(&between, 1));
    lia_hash_add(&hash, query);
    lia_hash_end(&hash, out.bytes, sizeof(out.bytes));
    return out;
}

struct lia_name lia_name_of(struct liana_str collection, struct liana_slice query)
{
    return make(collection, 0, query);
}

struct lia_name lia_name_of_kept(struct liana_str collection)
{
    return make(collection, 0xff, lia_slice(NULL, 0));
}

struct lia_name lia_name_of_evicted(struct liana_str collection)
{
    return make(collection, 0xfe, lia_slice(NULL, 0));
}
