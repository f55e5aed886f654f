/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/identity.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>

#include "base/file.h"
#include "base/hash.h"
#include "trust/certificate.h"

#define KEY_FILE_BYTES_MAX ((size_t)4096)

void lia_peer_id_of(const uint8_t public_key[static LIA_PUBLIC_KEY_BYTES],
                    uint8_t out[static LIA_PEER_ID_BYTES])
{
    uint8_t full[32];

    lia_hash(lia_slice(public_key, LIA_PUBLIC_KEY_BYTES), full, sizeof(full));
    memcpy(out, full, LIA_PEER_ID_BYTES);
}

void lia_peer_id_text(const uint8_t peer_id[static LIA_PEER_ID_BYTES],
                      char out[static LIA_PEER_ID_TEXT])
{
    sodium_bin2hex(out, LIA_PEER_ID_TEXT, peer_id, LIA_PEER_ID_BYTES);
}

/* Everything else about an identity follows from its key, which is taken over. */
static liana_status complete(EVP_PKEY *key,
                             struct lia_identity *out,
                             struct liana_error *err)
{
    struct lia_identity made = {.key = key};
    size_t len = sizeof(made.public_key);
    liana_status status;

    if (EVP_PKEY_get_raw_public_key(key, made.public_key, &len) != 1) {
        ERR_clear_error();
        EVP_PKEY_free(key);
        return lia_err(err, LIANA_EINTERNAL, "the identity key has no public half");
    }
    lia_peer_id_of(made.public_key, made.peer_id);
    status = lia_certificate_make(key, made.peer_id, &made.certificate, err);
    if (status) {
        EVP_PKEY_free(key);
        return status;
    }
    *out = made;
    return LIANA_OK;
}

liana_status lia_identity_generate(const struct lia_env *env,
                                   struct lia_identity *out,
                                   struct liana_error *err)
{
    uint8_t seed[32];
    EVP_PKEY *key;

    env->random(env->ctx, seed, sizeof(seed));
    key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
    OPENSSL_cleanse(seed, sizeof(seed));
    if (!key) {
        ERR_clear_error();
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    return complete(key, out, err);
}

/* An encrypted PEM would make OpenSSL ask on the terminal. */
static int no_password(char *buf, int size, int is_writing, void *ctx)
{
    (void)buf;
    (void)size;
    (void)is_writing;
    (void)ctx;
    return -1;
}

static EVP_PKEY *parse_pem(struct liana_slice text)
{
    BIO *bio = BIO_new_mem_buf(text.ptr, (int)text.len);
    EVP_PKEY *key = NULL;

    if (bio) {
        key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
        if (key &&
            (EVP_PKEY_get_id(key) != EVP_PKEY_ED25519 || BIO_ctrl_pending(bio) != 0)) {
            EVP_PKEY_free(key);
            key = NULL;
        }
    }
    BIO_free(bio);
    ERR_clear_error();
    return key;
}

static liana_status load(const struct lia_env *env,
                         const char *path,
                         EVP_PKEY **out,
                         struct liana_error *err)
{
    struct lia_buf text;
    liana_status status;

    lia_buf_init(&text, env->alloc);
    status = lia_file_read_secret(path, KEY_FILE_BYTES_MAX, &text, err);
    if (status == LIANA_ETOOLARGE) {
        status = LIANA_ECORRUPT;
    }
    if (!status) {
        *out = parse_pem(lia_buf_slice(&text));
        if (!*out) {
            status = lia_err(err, LIANA_ECORRUPT,
                             "%s is not one Ed25519 private key in PEM", path);
        }
    }
    if (text.cap > 0) {
        OPENSSL_cleanse(text.ptr, text.cap);
    }
    lia_buf_deinit(&text);
    return status;
}

static liana_status save(const struct lia_identity *identity,
                         const char *path,
                         struct liana_error *err)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    liana_status status = LIANA_ENOMEM;
    char *text;
    long len;

    if (bio && PEM_write_bio_PKCS8PrivateKey(bio, identity->key, NULL, NULL, 0, NULL,
                                             NULL) == 1) {
        len = BIO_get_mem_data(bio, &text);
        status = lia_file_replace(path, lia_slice(text, (size_t)len), 0600, err);
    }
    BIO_free(bio);
    ERR_clear_error();
    return lia_err_plain(err, status);
}

static liana_status make(const struct lia_env *env,
                         const char *path,
                         struct lia_identity *out,
                         struct liana_error *err)
{
    struct lia_identity made = LIA_IDENTITY_INIT;
    char text[LIA_PEER_ID_TEXT];
    liana_status status = lia_identity_generate(env, &made, err);

    if (status) {
        return status;
    }
    status = save(&made, path, err);
    if (status) {
        lia_identity_deinit(&made);
        return status;
    }
    lia_peer_id_text(made.peer_id, text);
    lia_log(env, LIA_LOG_INFO, "trust", "made the key of peer %s in %s", text, path);
    *out = made;
    return LIANA_OK;
}

liana_status lia_identity_open(const struct lia_env *env,
                               const char *folder,
                               struct lia_identity *out,
                               struct liana_error *err)
{
    struct liana_error load_err = LIANA_ERROR_INIT;
    EVP_PKEY *key = NULL;
    struct lia_buf path;
    liana_status status;

    lia_buf_init(&path, env->alloc);
    lia_path_join(&path, folder, LIA_IDENTITY_FILE);
    status = lia_err_plain(err, path.status);
    if (status) {
        goto out;
    }
    status = load(env, (const char *)path.ptr, &key, &load_err);
    if (status == LIANA_ENOTFOUND) {
        status = make(env, (const char *)path.ptr, out, err);
    } else if (status) {
        status = lia_err_sub(err, status, load_err.subcode, "%s", load_err.message);
    } else {
        status = complete(key, out, err);
    }
out:
    lia_buf_deinit(&path);
    return status;
}

void lia_identity_deinit(struct lia_identity *identity)
{
    EVP_PKEY_free(identity->key);
    lia_certificate_free(identity->certificate);
    *identity = (struct lia_identity)LIA_IDENTITY_INIT;
}
