/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/admission.h"

#include <assert.h>
#include <sodium.h>

#include "base/reader.h"

#define VERSION     1
#define PROOF_BYTES crypto_auth_hmacsha256_BYTES
#define BY_DIALER   0x01
#define BY_LISTENER 0x02

static_assert(LIA_ADMISSION_BYTES_MAX == LIA_ADMISSION_HEAD + PROOF_BYTES, "sizes");

const char *lia_trust_mode_name(enum lia_trust_mode mode)
{
    switch (mode) {
    case LIA_TRUST_OPEN: return "open";
    case LIA_TRUST_SHARED_KEY: return "shared key";
    }
    return "unknown";
}

static void prove(const struct lia_shared_key *key,
                  const struct lia_connection *c,
                  uint8_t role,
                  uint8_t out[static PROOF_BYTES])
{
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, key->bytes, sizeof(key->bytes));
    crypto_auth_hmacsha256_update(&state, c->exporter, sizeof(c->exporter));
    crypto_auth_hmacsha256_update(&state, &role, 1);
    crypto_auth_hmacsha256_update(&state, c->is_dialer ? c->own_id : c->peer_id,
                                  LIA_PEER_ID_BYTES);
    crypto_auth_hmacsha256_update(&state, c->is_dialer ? c->peer_id : c->own_id,
                                  LIA_PEER_ID_BYTES);
    crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof(state));
}

static uint16_t proof_len(uint8_t mode)
{
    return mode == LIA_TRUST_SHARED_KEY ? PROOF_BYTES : 0;
}

void lia_admission_encode(const struct lia_trust *trust,
                          const struct lia_connection *connection,
                          struct lia_buf *out)
{
    uint8_t proof[PROOF_BYTES];

    lia_buf_u8(out, VERSION);
    lia_buf_u8(out, (uint8_t)trust->mode);
    lia_buf_u16(out, proof_len((uint8_t)trust->mode));
    if (trust->mode == LIA_TRUST_SHARED_KEY) {
        prove(&trust->key, connection, connection->is_dialer ? BY_DIALER : BY_LISTENER,
              proof);
        lia_buf_bytes(out, proof, sizeof(proof));
    }
    sodium_memzero(proof, sizeof(proof));
}

static liana_status wrong_mode(const struct lia_trust *trust,
                               uint8_t theirs,
                               struct liana_error *err)
{
    if (theirs != LIA_TRUST_OPEN && theirs != LIA_TRUST_SHARED_KEY) {
        return lia_err(err, LIANA_EAUTH, "the peer asks for trust mode %u, we use '%s'",
                       theirs, lia_trust_mode_name(trust->mode));
    }
    return lia_err(err, LIANA_EAUTH, "the peer uses trust mode '%s', we use '%s'",
                   lia_trust_mode_name((enum lia_trust_mode)theirs),
                   lia_trust_mode_name(trust->mode));
}

liana_status lia_admission_check(const struct lia_trust *trust,
                                 const struct lia_connection *connection,
                                 struct liana_slice message,
                                 struct liana_error *err)
{
    struct lia_reader r = lia_reader(message);
    uint8_t version = lia_reader_u8(&r);
    uint8_t mode = lia_reader_u8(&r);
    struct liana_slice proof = lia_reader_bytes(&r, lia_reader_u16(&r));
    uint8_t expected[PROOF_BYTES];

    if (!lia_reader_done(&r) || version != VERSION) {
        return lia_err(err, LIANA_EPROTOCOL, "malformed admission message");
    }
    if (mode != trust->mode) {
        return wrong_mode(trust, mode, err);
    }
    if (proof.len != proof_len(mode)) {
        return lia_err(err, LIANA_EPROTOCOL, "admission proof of %zu bytes", proof.len);
    }
    if (mode == LIA_TRUST_SHARED_KEY) {
        bool is_right;

        prove(&trust->key, connection, connection->is_dialer ? BY_LISTENER : BY_DIALER,
              expected);
        is_right = sodium_memcmp(expected, proof.ptr, PROOF_BYTES) == 0;

        sodium_memzero(expected, sizeof(expected));
        if (!is_right) {
            return lia_err(err, LIANA_EAUTH,
                           "the shared keys differ: the peer holds another one");
        }
    }
    return LIANA_OK;
}
