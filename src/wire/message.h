/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_WIRE_MESSAGE_H
#define LIA_WIRE_MESSAGE_H
/*
 * wire/message - the messages of the peer protocol: a struct, an encoder, a decoder and
 * a dump per row of messages.def; docs/protocol.md describes every byte.
 *
 *     frame:   varint length | type (1 byte) | body
 *              length counts type and body, 1 .. LIA_FRAME_BYTES_MAX
 *
 * Rules: a new message or field is a row in messages.def and nothing here. A decoder
 * checks every limit of the table and ignores what stands behind the fields it knows.
 * decode(encode(m)) == m for every m within its limits.
 * Ownership: encoding borrows; what a decoder gives points into the input, lists and
 * vectors into the arena. Threads: any. No state.
 */
#include "base/buf.h"
#include "base/error.h"
#include "base/limits.h"
#include "crdt/stamp.h"

#define LIA_PROTOCOL_VERSION 1

#define LIA_WIRE_ID_BYTES     16
#define LIA_WIRE_PRIORITIES   4
#define LIA_WIRE_PROOF_MAX    64
#define LIA_WIRE_METADATA_MAX 4096
#define LIA_WIRE_ADDRESS_MAX  255
#define LIA_WIRE_OPENINGS     5
#define LIA_WIRE_QUERY_MAX    ((size_t)64 * 1024)
#define LIA_WIRE_HAVE_MAX     1024
#define LIA_WIRE_CHUNK_MAX    ((size_t)64 * 1024)
#define LIA_WIRE_WINDOW_MAX   (64 * LIA_MIB)
#define LIA_WIRE_BATCH_MAX    (1024 * LIA_MIB)
#define LIA_WIRE_MS_MAX       (UINT64_MAX >> 16)

/* ---- structs, from the table ---- */

#define LIA_WIRE_MEMBER_uint(name)   uint64_t name;
#define LIA_WIRE_MEMBER_sint(name)   int64_t name;
#define LIA_WIRE_MEMBER_u64(name)    uint64_t name;
#define LIA_WIRE_MEMBER_id(name)     uint8_t name[LIA_WIRE_ID_BYTES];
#define LIA_WIRE_MEMBER_str(name)    struct liana_str name;
#define LIA_WIRE_MEMBER_bytes(name)  struct liana_slice name;
#define LIA_WIRE_MEMBER_vector(name) struct lia_vector name;

#define FIELD(kind, name, max, doc) LIA_WIRE_MEMBER_##kind(name)
#define LIST(record, name, max, doc)                                                   \
    struct lia_wire_##record *name;                                                    \
    size_t name##_count;
#define RECORD(name, doc, fields)                                                      \
    struct lia_wire_##name {                                                           \
        fields                                                                         \
    };
#define MESSAGE(code, NAME, name, doc, fields) RECORD(name, doc, fields)
#include "wire/messages.def"
#undef MESSAGE
#undef RECORD
#undef LIST
#undef FIELD

enum lia_msg_type {
#define MESSAGE(code, NAME, name, doc, fields) LIA_MSG_##NAME = code,
#define RECORD(name, doc, fields)
#include "wire/messages.def"
#undef RECORD
#undef MESSAGE
};

struct lia_msg {
    enum lia_msg_type type;
    union {
#define MESSAGE(code, NAME, name, doc, fields) struct lia_wire_##name name;
#define RECORD(name, doc, fields)
#include "wire/messages.def"
#undef RECORD
#undef MESSAGE
    };
};

/* ---- bytes ---- */

/* Who does not know a message of this type skips it. */
static inline bool lia_msg_is_optional(uint8_t type)
{
    return type >= 0x80;
}

/* Its bytes count against credit (docs/protocol.md, "Credit"). */
bool lia_msg_is_data(enum lia_msg_type type);

/* Appends the whole frame. A value above its limit makes the buffer LIANA_ETOOLARGE. */
void lia_msg_encode(struct lia_buf *buf, const struct lia_msg *msg);

/* One frame without its length: type and body. LIANA_ENOTFOUND: the type is not known
 * and may be skipped; LIANA_EPROTOCOL: malformed, or not known and mandatory. */
LIANA_MUST_CHECK liana_status lia_msg_decode(struct lia_arena *arena,
                                             struct liana_slice frame,
                                             struct lia_msg *out,
                                             struct liana_error *err);

/* One line for people: "SEGMENT sub=1 ask=0 key=0731 more=0 data=..."; long bytes are
 * cut. */
void lia_msg_dump(struct lia_buf *buf, const struct lia_msg *msg);

/* "HELLO"; "?" for an unknown type. Static. */
const char *lia_msg_name(uint8_t type);

#endif
