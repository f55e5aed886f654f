/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_BODY_H
#define LIA_CRDT_BODY_H
/*
 * crdt/body - what a state shows, as BSON.
 *
 * Rules: after lia_arrange, which has found the sizes: the body is written once, into
 * memory of just its length. Ownership: it is the arena's. Threads: any.
 */
#include "crdt/state.h"

/* LIANA_ETOOLARGE above LIA_STATE_BYTES_MAX, LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_body_write(struct lia_work *work,
                                             const struct lia_state *state,
                                             struct liana_slice *out);

#endif
