/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NODE_AUTH_H
#define LIA_NODE_AUTH_H
/*
 * node/auth - trust's admission as the hooks that a peer asks for.
 *
 * Rules: used in every mode, so that two modes that differ are LIANA_EAUTH at both ends.
 * Ownership: `trust` is borrowed as long as the hooks are. Threads: the loop's.
 */
#include "peer/peer.h"
#include "trust/admission.h"

struct lia_peer_auth lia_auth_of(const struct lia_trust *trust);

#endif
