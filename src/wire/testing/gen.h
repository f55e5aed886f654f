/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_WIRE_TESTING_GEN_H
#define LIA_WIRE_TESTING_GEN_H
/*
 * wire/testing/gen - messages for tests, one generator for every row of messages.def.
 *
 * Rules: what is made is within the limits of the table. Ownership: in the arena.
 * Threads: any.
 */
#include "base/testing/random.h"
#include "wire/message.h"

/* All types, in the order of the table. */
extern const enum lia_msg_type lia_wire_types[];
extern const size_t lia_wire_type_count;

/* A random message of the type. */
struct lia_msg lia_wire_gen(struct lia_rng *rng,
                            struct lia_arena *arena,
                            enum lia_msg_type type);

/* The one that docs/protocol.md shows. */
struct lia_msg lia_wire_example(struct lia_arena *arena, enum lia_msg_type type);

/* The tables of docs/protocol.md: a heading, fields and an example for every message. */
void lia_wire_document(struct lia_buf *out);

#endif
