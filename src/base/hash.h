/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_BASE_HASH_H
#define LIA_BASE_HASH_H
/*
 * base/hash - BLAKE2b (RFC 7693) through libsodium, one-shot and in pieces, and SipHash
 * for tables.
 *
 * Rules: `len` is 16 to 64 bytes. The key, if any, is 16 to 64 bytes.
 * A hash works before any set-up: libsodium chooses its fastest code on sodium_init,
 * which lia_env_system calls. Ownership: none. Threads: any, one hash object per
 * thread.
 */
#include <sodium.h>

#include "base/slice.h"

struct lia_hash {
    crypto_generichash_blake2b_state state;
};

void lia_hash_start(struct lia_hash *hash, struct liana_slice key, size_t len);
void lia_hash_add(struct lia_hash *hash, struct liana_slice bytes);
void lia_hash_end(struct lia_hash *hash, uint8_t *out, size_t len);

void lia_hash(struct liana_slice bytes, uint8_t *out, size_t len);

/* The first 64 bits of the 32-byte hash, little endian. */
uint64_t lia_hash64(struct liana_slice bytes);

/* SipHash-2-4 of a short text under a key, for hash tables: who cannot choose the key
 * cannot choose names that collide. */
#define LIA_HASH_SHORT_KEY crypto_shorthash_KEYBYTES
uint64_t lia_hash_short(struct liana_slice bytes,
                        const uint8_t key[static LIA_HASH_SHORT_KEY]);

#endif
