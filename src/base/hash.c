/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include "base/error.h"

void lia_hash_start(struct lia_hash *hash, struct liana_slice key, size_t len)
{
    LIA_ASSERT(crypto_generichash_blake2b_init(&hash->state, key.ptr, key.len, len) ==
               0);
}

void lia_hash_add(struct lia_hash *hash, struct liana_slice bytes)
{
    crypto_generichash_blake2b_update(&hash->state, bytes.ptr, bytes.len);
}

void lia_hash_end(struct lia_hash *hash, uint8_t *out, size_t len)
{
    LIA_ASSERT(crypto_generichash_blake2b_final(&hash->state, out, len) == 0);
}

void lia_hash(struct liana_slice bytes, uint8_t *out, size_t len)
{
    LIA_ASSERT(crypto_generichash_blake2b(out, len, bytes.ptr, bytes.len, NULL, 0) ==
               0);
}

uint64_t lia_hash64(struct liana_slice bytes)
{
    uint8_t full[32];
    uint64_t v = 0;

    lia_hash(bytes, full, sizeof(full));
    for (size_t i = 0; i < 8; i++) {
        v |= (uint64_t)full[i] << (8 * i);
    }
    return v;
}

uint64_t lia_hash_short(struct liana_slice bytes,
                        const uint8_t key[static LIA_HASH_SHORT_KEY])
{
    uint64_t v;

    crypto_shorthash((unsigned char *)&v, bytes.ptr, bytes.len, key);
    return v;
}
