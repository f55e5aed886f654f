/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NET_LOCAL_SOCKET_H
#define LIA_NET_LOCAL_SOCKET_H
/*
 * net/local_socket - the dialing side of transports/unix_socket for callers that wait.
 *
 * Rules: every call blocks until it is done or the other side is gone; shutting the
 * socket down, from any thread, ends them with LIANA_ECLOSED. Ownership: by value; close
 * it once, when no call is under way. Threads: one may send while another receives.
 */
#include "base/error.h"
#include "liana/types.h"

struct lia_local_socket {
    int fd;
};

/* LIANA_ENOTFOUND: nobody listens there; a file that a crashed process left counts as
 * nobody. LIANA_EDENIED (not ours to connect to, or served by another user than ourselves
 * and root), LIANA_ETOOLARGE (the path), LIANA_ELIMIT. */
LIANA_MUST_CHECK liana_status lia_local_connect(const char *path,
                                                struct lia_local_socket *out,
                                                struct liana_error *err);

/* All of it. LIANA_ECLOSED. */
LIANA_MUST_CHECK liana_status lia_local_send(struct lia_local_socket *socket,
                                             struct liana_slice bytes);

/* What there is, at least one byte and at most `size`. LIANA_ECLOSED. */
LIANA_MUST_CHECK liana_status lia_local_receive(struct lia_local_socket *socket,
                                                uint8_t *out,
                                                size_t size,
                                                size_t *n);

void lia_local_shutdown(struct lia_local_socket *socket);
void lia_local_close(struct lia_local_socket *socket);

#endif
