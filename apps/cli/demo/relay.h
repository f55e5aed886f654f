/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_DEMO_RELAY_H
#define LIA_CLI_DEMO_RELAY_H
/*
 * cli/demo/relay - a TCP relay that can be cut: the internet between shop and hub.
 *
 * It listens on a port of its own on 127.0.0.1, carries every connection to one address,
 * and counts bytes. Cut, it resets the connections that there are and every new one at
 * once; joined, it carries new ones.
 *
 * Rules: a thread of its own, so that the link does not depend on what the demo does.
 * At most DEMO_RELAY_PAIRS connections at a time; further ones are reset.
 * Ownership: demo_relay_stop frees. Threads: start, stop: one; the rest: any.
 */
#include "liana/liana.h"

#define DEMO_RELAY_PAIRS 16

struct demo_relay;

/* `target_port` on 127.0.0.1. LIANA_ENETWORK, LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status demo_relay_start(int target_port,
                                               struct demo_relay **out,
                                               struct liana_error *err);
int demo_relay_port(const struct demo_relay *relay);
void demo_relay_cut(struct demo_relay *relay);
void demo_relay_join(struct demo_relay *relay);
/* Carried in both directions since the start. */
uint64_t demo_relay_bytes(struct demo_relay *relay);
/* Connections that were reset by a cut or while cut. */
uint64_t demo_relay_resets(struct demo_relay *relay);
void demo_relay_stop(struct demo_relay *relay);

#endif
