/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_CLOCK_ENTRY_H
#define LIA_CRDT_CLOCK_ENTRY_H
/*
 * crdt/clock_entry - what a node has of its own, as bytes: ranks, births, values, sums
 * (docs/format/clock.md, "Ranks and births", "Node"). The maps around it are
 * clock_read.c's and clock_write.c's.
 *
 * Rules: a decoder is sticky, as its reader is. What an encoder names has been gathered.
 * Ownership: both borrow the state. Threads: one.
 */
#include "crdt/clock.h"

struct lia_encoder {
    struct lia_work *work;
    struct lia_buf buf;
    struct lia_state *state;
    struct lia_stamps stamps;
};

struct lia_decoder {
    struct lia_work *work;
    struct lia_reader r;
    const struct lia_state *state;
    struct lia_stamps stamps;
    const uint8_t *body;
    bool is_checked;
};

/* ---- stamps: clock_stamps.c ---- */

/* All stamps of the state but `created`, which has number 0. */
bool lia_stamps_gather(struct lia_encoder *e);
uint64_t lia_stamp_number(const struct lia_encoder *e, struct lia_stamp s);

void lia_stamps_encode(struct lia_buf *buf,
                       const struct lia_state *state,
                       struct lia_stamps stamps);
bool lia_stamps_decode(struct lia_work *work,
                       struct lia_reader *r,
                       const struct lia_state *state,
                       struct lia_stamps *out);

/* ---- writing ---- */

/* `tag`: what it is if nothing is said, the rank's stamp but for removals in sets. */
void lia_rank_encode(struct lia_encoder *e, struct lia_rank rank, struct lia_stamp tag);

/* `expected` NULL: nothing is. */
void lia_birth_encode(struct lia_encoder *e,
                      struct lia_birth birth,
                      const struct lia_birth *expected);

/* An enum lia_node_value. */
unsigned lia_node_value_flag(const struct lia_node *node);

/* Value, seen sums, open, sums, set. The root's value has no birth. */
void lia_own_encode(struct lia_encoder *e,
                    const struct lia_node *node,
                    const struct lia_birth *expected);

/* ---- reading ---- */

/* Always false. */
bool lia_decoder_fail(struct lia_decoder *d);

struct lia_stamp lia_numbered_stamp(const struct lia_decoder *d, uint64_t number);

/* `tag` NULL: the rank's stamp. */
struct lia_rank lia_rank_decode(struct lia_decoder *d, const struct lia_stamp *tag);
struct lia_birth lia_birth_decode(struct lia_decoder *d,
                                  const struct lia_birth *expected);

/* `element`: what the body shows of the node, NULL if nothing; `depth`: how many names
 * its path has. */
bool lia_own_decode(struct lia_decoder *d,
                    struct lia_node *node,
                    unsigned flags,
                    const struct lia_value *element,
                    const struct lia_birth *expected,
                    unsigned depth);

/* ---- sets: clock_set.c ---- */

void lia_set_encode(struct lia_encoder *e,
                    const struct lia_node *node,
                    const struct lia_birth *expected);

/* `array`: the elements that the body shows; NULL: it shows no set here. */
bool lia_set_decode(struct lia_decoder *d,
                    struct lia_node *node,
                    const struct lia_value *array,
                    const struct lia_birth *expected,
                    unsigned depth);

/* ---- bounded counters: clock_bounded.c ---- */

void lia_bounded_encode(struct lia_encoder *e,
                        const struct lia_node *node,
                        const struct lia_birth *expected);
bool lia_bounded_decode(struct lia_decoder *d,
                        struct lia_node *node,
                        const struct lia_birth *expected);

#endif
