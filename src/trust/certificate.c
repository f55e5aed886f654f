/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/certificate.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#define VERSION_3 2 /* as X.509 counts */

static bool set_serial(X509 *cert, const uint8_t *peer_id)
{
    uint8_t octets[1 + LIA_PEER_ID_BYTES] = {1}; /* positive, never zero */
    bool done;
    BIGNUM *number;

    memcpy(octets + 1, peer_id, LIA_PEER_ID_BYTES);
    number = BN_bin2bn(octets, sizeof(octets), NULL);
    done = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    return done;
}

static bool set_name(X509 *cert, const uint8_t *peer_id)
{
    X509_NAME *name = X509_get_subject_name(cert);
    char text[LIA_PEER_ID_TEXT];

    lia_peer_id_text(peer_id, text);
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                      (const unsigned char *)text, -1, -1, 0) == 1 &&
           X509_set_issuer_name(cert, name) == 1;
}

static bool set_dates(X509 *cert)
{
    return ASN1_TIME_set_string_X509(X509_getm_notBefore(cert), "19700101000000Z") ==
               1 &&
           ASN1_TIME_set_string_X509(X509_getm_notAfter(cert), "99991231235959Z") == 1;
}

liana_status lia_certificate_make(EVP_PKEY *key,
                                  const uint8_t peer_id[static LIA_PEER_ID_BYTES],
                                  X509 **out,
                                  struct liana_error *err)
{
    X509 *cert = X509_new();

    /* EdDSA hashes by itself: no digest is named (RFC 8410 section 3). */
    if (cert && X509_set_version(cert, VERSION_3) == 1 && set_serial(cert, peer_id) &&
        set_name(cert, peer_id) && set_dates(cert) && X509_set_pubkey(cert, key) == 1 &&
        X509_sign(cert, key, NULL) > 0) {
        *out = cert;
        return LIANA_OK;
    }
    X509_free(cert);
    ERR_clear_error();
    return lia_err(err, LIANA_ENOMEM, "cannot make the peer's certificate");
}

void lia_certificate_free(X509 *certificate)
{
    X509_free(certificate);
}
