/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_TRUST_CERTIFICATE_H
#define LIA_TRUST_CERTIFICATE_H
/*
 * trust/certificate - the self-signed X.509 certificate that carries a peer's public key
 * into TLS.
 *
 * Rules: subject and issuer are CN=<peer id>, the serial is the peer id, the dates are
 * the widest that RFC 5280 section 4.1.2.5 has. Nothing in it is believed but the public
 * key: whether its holder may join is decided by trust/admission.
 *
 * Ownership: the certificate is the caller's, freed with lia_certificate_free.
 * Threads: any.
 */
#include "trust/identity.h"

LIANA_MUST_CHECK liana_status
lia_certificate_make(struct evp_pkey_st *key,
                     const uint8_t peer_id[static LIA_PEER_ID_BYTES],
                     struct x509_st **out,
                     struct liana_error *err);

void lia_certificate_free(struct x509_st *certificate);

#endif
