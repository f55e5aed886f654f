/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_TRUST_ADMISSION_H
#define LIA_TRUST_ADMISSION_H
/*
 * trust/admission - whether the holder of a key may join the database.
 *
 * TLS proves that the other end holds the private key of its certificate; it does not
 * say whose key that is. So the first thing that each side sends inside TLS, without
 * waiting for the other, carries its admission message, in every mode:
 *
 *     offset  size  meaning
 *     0       1     version: 1
 *     1       1     mode: 1 open, 2 shared key
 *     2       2     length of the proof, little endian: 0 (open), 32 (shared key)
 *     4       n     proof
 *
 * The proof of `shared key` is HMAC-SHA256(key, exporter || role || dialer || listener):
 * 32 bytes that TLS exports for this one connection (RFC 8446 section 7.5, label
 * "liana shared key", no context), 0x01 when the dialer sends it and 0x02 when the
 * listener does, and both peer ids. It is of no use on another connection, in the other
 * direction or between other peers, so it can be neither replayed nor reflected, and a
 * man in the middle has another exporter on each side.
 *
 * Rules: both sides check, so a wrong key and a wrong mode are LIANA_EAUTH at both ends;
 * nothing else of the session may be sent or believed before. Proofs are compared in
 * constant time. `open` lets everybody in and must be asked for by name.
 *
 * Ownership: messages are appended to the caller's buffer; inputs are borrowed.
 * Threads: any. No state.
 */
#include "base/buf.h"
#include "trust/identity.h"
#include "trust/shared_key.h"

enum lia_trust_mode { LIA_TRUST_OPEN = 1, LIA_TRUST_SHARED_KEY = 2 };

/* "open", "shared key". Never NULL, static. */
const char *lia_trust_mode_name(enum lia_trust_mode mode);

struct lia_trust {
    enum lia_trust_mode mode;
    struct lia_shared_key key; /* with LIA_TRUST_SHARED_KEY */
};

#define LIA_EXPORTER_LABEL      "liana shared key"
#define LIA_EXPORTER_BYTES      32
#define LIA_ADMISSION_HEAD      4
#define LIA_ADMISSION_BYTES_MAX (LIA_ADMISSION_HEAD + 32)

/* What TLS says about one connection. */
struct lia_connection {
    bool is_dialer; /* we are */
    uint8_t own_id[LIA_PEER_ID_BYTES];
    uint8_t peer_id[LIA_PEER_ID_BYTES];
    uint8_t exporter[LIA_EXPORTER_BYTES];
};

/* Appends our message. */
void lia_admission_encode(const struct lia_trust *trust,
                          const struct lia_connection *connection,
                          struct lia_buf *out);

/* Judges the other side's whole message: LIANA_OK, LIANA_EAUTH (its message says which
 * side should change what), LIANA_EPROTOCOL. */
LIANA_MUST_CHECK liana_status
lia_admission_check(const struct lia_trust *trust,
                    const struct lia_connection *connection,
                    struct liana_slice message,
                    struct liana_error *err);

#endif
