/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls/tls.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/slice.h"

struct lia_tls {
    const struct liana_allocator *alloc;
    SSL *ssl;
    BIO *in;  /* arrived; the SSL's */
    BIO *out; /* to be sent; the SSL's */
    uint64_t rekey_bytes;
    uint64_t written; /* with the present sending key */
    bool is_up;
    bool is_failed;
    struct lia_tls_peer peer;
};

liana_status lia_tls_new(const struct liana_allocator *alloc,
                         const struct lia_tls_config *config,
                         bool is_client,
                         struct lia_tls **out,
                         struct liana_error *err)
{
    struct lia_tls *tls = lia_mem_zalloc(alloc, sizeof(*tls));

    if (!tls) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    tls->alloc = alloc;
    tls->rekey_bytes = config->rekey_bytes;
    tls->ssl = SSL_new(config->ctx);
    tls->in = BIO_new(BIO_s_mem());
    tls->out = BIO_new(BIO_s_mem());
    if (!tls->ssl || !tls->in || !tls->out) {
        BIO_free(tls->in);
        BIO_free(tls->out);
        tls->in = NULL;
        lia_tls_free(tls);
        ERR_clear_error();
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    /* An empty memory BIO means "not yet", not the end. */
    BIO_set_mem_eof_return(tls->in, -1);
    SSL_set_bio(tls->ssl, tls->in, tls->out);
    if (is_client) {
        SSL_set_connect_state(tls->ssl);
    } else {
        SSL_set_accept_state(tls->ssl);
    }
    *out = tls;
    return LIANA_OK;
}

void lia_tls_free(struct lia_tls *tls)
{
    if (tls) {
        SSL_free(tls->ssl);
        OPENSSL_cleanse(&tls->peer, sizeof(tls->peer));
        lia_mem_free(tls->alloc, tls, sizeof(*tls));
    }
}

liana_status lia_tls_receive(struct lia_tls *tls, struct liana_slice bytes)
{
    LIA_ASSERT(bytes.len <= INT_MAX);
    if (bytes.len == 0) {
        return LIANA_OK;
    }
    if (BIO_write(tls->in, bytes.ptr, (int)bytes.len) != (int)bytes.len) {
        ERR_clear_error();
        return LIANA_ENOMEM;
    }
    return LIANA_OK;
}

/* Alerts about certificates: RFC 8446 section 6.2. */
static bool is_about_certificates(int alert)
{
    return (alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN) ||
           alert == SSL_AD_UNKNOWN_CA || alert == SSL_AD_ACCESS_DENIED ||
           alert == SSL_AD_CERTIFICATE_REQUIRED;
}

/* Why the last call into the SSL failed for good. */
static liana_status failure(struct lia_tls *tls, struct liana_error *err)
{
    unsigned long code = ERR_peek_error();
    int reason = ERR_GET_REASON(code);
    const char *text = ERR_reason_error_string(code);
    liana_status status = LIANA_EPROTOCOL;

    tls->is_failed = true;
    if (ERR_GET_LIB(code) != ERR_LIB_SSL) {
        text = text ? text : "no reason given";
    } else if (reason == ERR_R_MALLOC_FAILURE) {
        status = LIANA_ENOMEM;
    } else if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED ||
               reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE ||
               is_about_certificates(reason - SSL_AD_REASON_OFFSET)) {
        status = LIANA_EAUTH;
    }
    lia_err_sub(err, status, reason, "TLS: %s", text ? text : "no reason given");
    ERR_clear_error();
    return status;
}

static liana_status refuse(struct lia_tls *tls,
                           const char *why,
                           struct liana_error *err)
{
    tls->is_failed = true;
    ERR_clear_error();
    return lia_err(err, LIANA_EPROTOCOL, "TLS: %s", why);
}

static bool learn_peer(struct lia_tls *tls)
{
    X509 *cert = SSL_get0_peer_certificate(tls->ssl);
    EVP_PKEY *key = cert ? X509_get0_pubkey(cert) : NULL;
    size_t len = sizeof(tls->peer.public_key);

    return key && EVP_PKEY_get_raw_public_key(key, tls->peer.public_key, &len) == 1 &&
           len == sizeof(tls->peer.public_key) &&
           SSL_export_keying_material(
               tls->ssl, tls->peer.exporter, sizeof(tls->peer.exporter),
               LIA_TLS_EXPORTER_LABEL, sizeof(LIA_TLS_EXPORTER_LABEL) - 1, NULL, 0,
               0) == 1;
}

static liana_status handshake(struct lia_tls *tls, struct liana_error *err)
{
    const unsigned char *alpn;
    unsigned alpn_len;
    int rc;

    ERR_clear_error();
    rc = SSL_do_handshake(tls->ssl);
    if (rc != 1) {
        return SSL_get_error(tls->ssl, rc) == SSL_ERROR_WANT_READ ? LIANA_OK
                                                                  : failure(tls, err);
    }
    SSL_get0_alpn_selected(tls->ssl, &alpn, &alpn_len);
    if (alpn_len == 0) {
        return refuse(tls, "the other side does not speak Liana's protocol", err);
    }
    if (!learn_peer(tls)) {
        return refuse(tls, "the other side's key cannot be read", err);
    }
    tls->is_up = true;
    return LIANA_OK;
}

liana_status lia_tls_read(struct lia_tls *tls,
                          uint8_t *out,
                          size_t size,
                          size_t *n,
                          struct liana_error *err)
{
    int rc;

    LIA_ASSERT(!tls->is_failed);
    *n = 0;
    if (!tls->is_up) {
        liana_status status = handshake(tls, err);

        if (status || !tls->is_up) {
            return status;
        }
    }
    ERR_clear_error();
    rc = SSL_read_ex(tls->ssl, out, size, n);
    if (rc == 1) {
        return LIANA_OK;
    }
    *n = 0;
    switch (SSL_get_error(tls->ssl, rc)) {
    case SSL_ERROR_WANT_READ: return LIANA_OK;
    case SSL_ERROR_ZERO_RETURN: return LIANA_EEND;
    default: return failure(tls, err);
    }
}

bool lia_tls_is_up(const struct lia_tls *tls)
{
    return tls->is_up;
}

const struct lia_tls_peer *lia_tls_peer(const struct lia_tls *tls)
{
    LIA_ASSERT(tls->is_up);
    return &tls->peer;
}

liana_status lia_tls_write(struct lia_tls *tls,
                           struct liana_slice bytes,
                           struct liana_error *err)
{
    size_t written = 0;

    LIA_ASSERT(tls->is_up && !tls->is_failed);
    if (bytes.len == 0) {
        return LIANA_OK;
    }
    ERR_clear_error();
    if (tls->written >= tls->rekey_bytes) {
        if (SSL_key_update(tls->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) != 1) {
            return failure(tls, err);
        }
        tls->written = 0;
    }
    if (SSL_write_ex(tls->ssl, bytes.ptr, bytes.len, &written) != 1 ||
        written != bytes.len) {
        return failure(tls, err);
    }
    tls->written += written;
    return LIANA_OK;
}

void lia_tls_finish(struct lia_tls *tls)
{
    if (tls->is_up && !tls->is_failed) {
        ERR_clear_error();
        SSL_shutdown(tls->ssl); /* 0: ours is written, theirs has not come: as wished */
        ERR_clear_error();
    }
}

struct liana_slice lia_tls_output(struct lia_tls *tls)
{
    char *at = NULL;
    long len = BIO_get_mem_data(tls->out, &at);

    return lia_slice(at, len > 0 ? (size_t)len : 0);
}

void lia_tls_sent(struct lia_tls *tls)
{
    /* A reset of a readable memory BIO fails never. */
    LIA_ASSERT(BIO_reset(tls->out) == 1);
}
