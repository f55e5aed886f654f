/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

/* Length, then name, as the extension has it (RFC 7301 section 3.1). */
static const unsigned char alpn[] = "\x07liana/1";

#define ALPN_BYTES     (sizeof(alpn) - 1)
#define CERT_BYTES_MAX 8192

static int choose_alpn(SSL *ssl,
                       const unsigned char **out,
                       unsigned char *out_len,
                       const unsigned char *offered,
                       unsigned offered_len,
                       void *ctx)
{
    unsigned char *chosen;

    (void)ssl;
    (void)ctx;
    if (SSL_select_next_proto(&chosen, out_len, alpn, ALPN_BYTES, offered,
                              offered_len) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* Stands in for the check of a chain: there is no authority, only a key, and that the
 * other side holds it is proved by its CertificateVerify. */
static int check_certificate(X509_STORE_CTX *store, void *ctx)
{
    X509 *cert = X509_STORE_CTX_get0_cert(store);
    EVP_PKEY *key = cert ? X509_get0_pubkey(cert) : NULL;

    (void)ctx;
    if (!key || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519 ||
        sk_X509_num(X509_STORE_CTX_get0_untrusted(store)) != 1) {
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
        return 0;
    }
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

static bool set_up(SSL_CTX *ctx, EVP_PKEY *key, X509 *certificate)
{
    char signatures[] = "ed25519"; /* OpenSSL's macros cast const away */
    char groups[] = "X25519";

    SSL_CTX_set_options(
        ctx, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(ctx, CERT_BYTES_MAX);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, check_certificate, NULL);
    SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
           SSL_CTX_set_max_send_fragment(ctx, LIA_TLS_RECORD_BYTES) == 1 &&
           SSL_CTX_set1_sigalgs_list(ctx, signatures) == 1 &&
           SSL_CTX_set1_groups_list(ctx, groups) == 1 &&
           SSL_CTX_set_alpn_protos(ctx, alpn, ALPN_BYTES) == 0 &&
           SSL_CTX_use_certificate(ctx, certificate) == 1 &&
           SSL_CTX_use_PrivateKey(ctx, key) == 1;
}

liana_status lia_tls_config_init(struct lia_tls_config *config,
                                 EVP_PKEY *key,
                                 X509 *certificate,
                                 struct liana_error *err)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    if (!ctx || !set_up(ctx, key, certificate)) {
        const char *reason = ERR_reason_error_string(ERR_peek_last_error());

        SSL_CTX_free(ctx);
        lia_err(err, LIANA_EINTERNAL, "cannot set up TLS 1.3: %s",
                reason ? reason : "out of memory");
        ERR_clear_error();
        return LIANA_EINTERNAL;
    }
    config->ctx = ctx;
    config->rekey_bytes = LIA_TLS_REKEY_BYTES;
    return LIANA_OK;
}

void lia_tls_config_deinit(struct lia_tls_config *config)
{
    SSL_CTX_free(config->ctx);
    config->ctx = NULL;
}
