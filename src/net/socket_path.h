/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NET_SOCKET_PATH_H
#define LIA_NET_SOCKET_PATH_H
/*
 * net/socket_path - paths of local sockets, which the system wants to be short.
 *
 * The address of a local socket has room for some hundred bytes, and stores lie where
 * apps put them. On Linux a longer path is reached through a descriptor of its folder,
 * /proc/self/fd/N/NAME; elsewhere it is LIANA_ETOOLARGE.
 *
 * Rules: `text` is good until lia_socket_path_close. Ownership: by value; owns the
 * folder's descriptor. Threads: any.
 */
#include <sys/un.h>

#include "base/error.h"

struct lia_socket_path {
    char text[sizeof(((struct sockaddr_un *)0)->sun_path)];
    int folder; /* -1: none was needed */
};

#define LIA_SOCKET_PATH_NONE ((struct lia_socket_path){{0}, -1})

LIANA_MUST_CHECK liana_status lia_socket_path_open(const char *path,
                                                   struct lia_socket_path *out,
                                                   struct liana_error *err);
void lia_socket_path_close(struct lia_socket_path *path);

#endif
