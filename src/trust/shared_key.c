/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/shared_key.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>

#include "base/file.h"
#include "base/hash.h"

#define PREFIX         "lianakey1."
#define PREFIX_CHARS   (sizeof(PREFIX) - 1)
#define CHECK_BYTES    4
#define BODY_BYTES     (LIA_SHARED_KEY_BYTES + CHECK_BYTES)
#define BODY_CHARS     (BODY_BYTES / 3 * 4) /* a multiple of 3: no padding */
#define FILE_BYTES_MAX ((size_t)1024)
#define VARIANT        sodium_base64_VARIANT_URLSAFE_NO_PADDING

static_assert(LIA_SHARED_KEY_TEXT == PREFIX_CHARS + BODY_CHARS + 1, "text length");

void lia_shared_key_generate(const struct lia_env *env, struct lia_shared_key *out)
{
    env->random(env->ctx, out->bytes, sizeof(out->bytes));
}

void lia_shared_key_deinit(struct lia_shared_key *key)
{
    sodium_memzero(key->bytes, sizeof(key->bytes));
}

static void check_of(const uint8_t *key, uint8_t out[static CHECK_BYTES])
{
    uint8_t full[32];

    lia_hash(lia_slice(key, LIA_SHARED_KEY_BYTES), full, sizeof(full));
    memcpy(out, full, CHECK_BYTES);
}

void lia_shared_key_format(const struct lia_shared_key *key,
                           char out[static LIA_SHARED_KEY_TEXT])
{
    uint8_t body[BODY_BYTES];

    memcpy(body, key->bytes, LIA_SHARED_KEY_BYTES);
    check_of(key->bytes, body + LIA_SHARED_KEY_BYTES);
    memcpy(out, PREFIX, PREFIX_CHARS);
    sodium_bin2base64(out + PREFIX_CHARS, LIA_SHARED_KEY_TEXT - PREFIX_CHARS, body,
                      sizeof(body), VARIANT);
    sodium_memzero(body, sizeof(body));
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct liana_str trim(struct liana_str text)
{
    while (text.len > 0 && is_space(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len > 0 && is_space(text.ptr[text.len - 1])) {
        text.len--;
    }
    return text;
}

liana_status lia_shared_key_parse(struct liana_str text,
                                  struct lia_shared_key *out,
                                  struct liana_error *err)
{
    uint8_t body[BODY_BYTES];
    uint8_t check[CHECK_BYTES];
    size_t len = 0;
    liana_status status = LIANA_OK;

    text = trim(text);
    if (text.len < PREFIX_CHARS || memcmp(text.ptr, PREFIX, PREFIX_CHARS) != 0) {
        return lia_err(err, LIANA_EINVAL, "a shared key begins with " PREFIX);
    }
    if (text.len != PREFIX_CHARS + BODY_CHARS) {
        return lia_err(err, LIANA_EINVAL, "a shared key has %d characters, not %zu",
                       LIA_SHARED_KEY_TEXT - 1, text.len);
    }
    if (sodium_base642bin(body, sizeof(body), text.ptr + PREFIX_CHARS, BODY_CHARS, NULL,
                          &len, NULL, VARIANT) != 0 ||
        len != sizeof(body)) {
        status = lia_err(err, LIANA_EINVAL,
                         "the shared key has characters that base64url has not");
        goto out;
    }
    check_of(body, check);
    if (sodium_memcmp(check, body + LIA_SHARED_KEY_BYTES, CHECK_BYTES) != 0) {
        status = lia_err(err, LIANA_EINVAL,
                         "the shared key's check does not fit: mistyped or cut?");
        goto out;
    }
    memcpy(out->bytes, body, LIA_SHARED_KEY_BYTES);
out:
    sodium_memzero(body, sizeof(body));
    return status;
}

liana_status lia_shared_key_load(const struct lia_env *env,
                                 const char *path,
                                 struct lia_shared_key *out,
                                 struct liana_error *err)
{
    struct lia_buf text;
    liana_status status;

    lia_buf_init(&text, env->alloc);
    status = lia_file_read_secret(path, FILE_BYTES_MAX, &text, err);
    if (!status) {
        status = lia_shared_key_parse(lia_slice_str(lia_buf_slice(&text)), out, err);
        if (status) {
            lia_err_prefix(err, "%s", path);
        }
    }
    if (text.cap > 0) {
        sodium_memzero(text.ptr, text.cap);
    }
    lia_buf_deinit(&text);
    return status;
}
