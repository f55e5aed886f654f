/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/shared_key.h"

#include "api/bytes.h"
#include "liana/liana.h"

liana_status liana_shared_key_new(liana_bytes **out, struct liana_error *err)
{
    struct lia_env env;
    struct lia_shared_key key;
    char text[LIA_SHARED_KEY_TEXT];
    liana_bytes *bytes;

    if (!out) {
        return lia_err(err, LIANA_EINVAL, "liana_shared_key_new: no place for the key");
    }
    if (lia_env_system(&env)) {
        return lia_err(err, LIANA_EINTERNAL, "the system has no randomness");
    }
    lia_shared_key_generate(&env, &key);
    lia_shared_key_format(&key, text);
    lia_shared_key_deinit(&key);
    bytes = lia_bytes_new(env.alloc, lia_str_slice(lia_str(text)));
    lia_mem_wipe(text, sizeof(text));
    if (!bytes) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    *out = bytes;
    return LIANA_OK;
}
