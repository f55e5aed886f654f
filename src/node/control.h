/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NODE_CONTROL_H
#define LIA_NODE_CONTROL_H
/*
 * node/control - the bytes of the control socket.
 *
 * A process that holds a store serves `control.sock` (mode 0600) in the store's folder;
 * others attach to it. Both directions carry frames:
 *
 *     offset  size  meaning
 *     0       4     length of all that follows, little endian: 10 to
 *                   LIA_CONTROL_FRAME_MAX
 *     4       4     number of the request, little endian, from 1, chosen by the client;
 *                   what belongs to a request carries its number
 *     8       1     kind
 *     9       n     body: one BSON document
 *
 * Kinds from a client: HELLO (first, and once), CANCEL (of the request with this number;
 * not answered), and the rows of control.def. Kinds from the server: any number of PARTs
 * and then one DONE or one ERROR per request, in the order of the requests. Bodies:
 *
 *     HELLO    {protocol: int32, version: string}, answered with the same
 *     CANCEL   {}
 *     ERROR    {status: int32, subcode: int32, message: string}
 *     others   what the handler and its client agree on
 *
 * A frame that is malformed ends the connection, after an ERROR with the number 0. So
 * does a client too many.
 *
 * Rules: a body is checked here as one document by its length and its closing zero alone;
 * what it holds is for the reader to check. Ownership: a frame borrows the input.
 * Threads: any. No state.
 */
#include "codec/bson.h"

#define LIA_CONTROL_FILE      "control.sock"
#define LIA_CONTROL_PROTOCOL  2
#define LIA_CONTROL_HEAD      9
#define LIA_CONTROL_FRAME_MAX (40 * LIA_MIB)

enum lia_control_kind {
    LIA_CONTROL_HELLO = 1,
    LIA_CONTROL_CANCEL = 2,
    LIA_CONTROL_PART = 3,
    LIA_CONTROL_DONE = 4,
    LIA_CONTROL_ERROR = 5,
#define LIA_CONTROL(number, NAME, name, text) LIA_CONTROL_##NAME = number,
#include "node/control.def"
#undef LIA_CONTROL
};

struct lia_control_frame {
    uint32_t number;
    uint8_t kind;
    struct liana_slice body;
};

/* Appends a frame; an empty body stands for the empty document. */
void lia_control_frame_encode(struct lia_buf *out,
                              uint32_t number,
                              enum lia_control_kind kind,
                              struct liana_slice body);

/* Takes the first frame off `in`. LIANA_EEND: it is not whole yet. LIANA_EPROTOCOL:
 * nothing after this can be read. */
LIANA_MUST_CHECK liana_status lia_control_frame_next(struct liana_slice *in,
                                                     struct lia_control_frame *out,
                                                     struct liana_error *err);

/* The bodies that both sides make here. */
void lia_control_hello_encode(struct lia_buf *out);
LIANA_MUST_CHECK liana_status lia_control_hello_check(struct liana_slice body,
                                                      struct liana_error *err);
void lia_control_error_encode(struct lia_buf *out, const struct liana_error *err);
/* Fills `err` and answers its status, never LIANA_OK. */
liana_status lia_control_error_decode(struct liana_slice body, struct liana_error *err);

#endif
