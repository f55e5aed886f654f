/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_TRUST_SHARED_KEY_H
#define LIA_TRUST_SHARED_KEY_H
/*
 * trust/shared_key - the 256-bit secret of a database whose peers are all equal.
 *
 * In files, flags and configuration it is one word:
 *
 *     lianakey1.<48 characters of base64url: the 32 bytes, then 4 bytes of check>
 *
 * The check is the first 4 bytes of the BLAKE2b-256 of the key, so that a slip of the
 * pen is a message at the place where it was made and not a peer that stays alone.
 *
 * Rules: messages never hold the key or the text that was given. Wipe a key with
 * lia_shared_key_deinit. Ownership: by value. Threads: any.
 */
#include "base/env.h"
#include "base/error.h"

#define LIA_SHARED_KEY_BYTES 32
#define LIA_SHARED_KEY_TEXT  59 /* with its NUL */

struct lia_shared_key {
    uint8_t bytes[LIA_SHARED_KEY_BYTES];
};

void lia_shared_key_generate(const struct lia_env *env, struct lia_shared_key *out);
void lia_shared_key_deinit(struct lia_shared_key *key);

void lia_shared_key_format(const struct lia_shared_key *key,
                           char out[static LIA_SHARED_KEY_TEXT]);

/* White space around the word is allowed. LIANA_EINVAL says what is wrong. */
LIANA_MUST_CHECK liana_status lia_shared_key_parse(struct liana_str text,
                                                   struct lia_shared_key *out,
                                                   struct liana_error *err);

/* From a file that holds the word and nothing else; LIANA_EINSECURE when others can
 * reach it. */
LIANA_MUST_CHECK liana_status lia_shared_key_load(const struct lia_env *env,
                                                  const char *path,
                                                  struct lia_shared_key *out,
                                                  struct liana_error *err);

#endif
