/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NET_UV_ERROR_H
#define LIA_NET_UV_ERROR_H
/*
 * net/uv_error - libuv's numbers as ours.
 *
 * Rules: UV_EOF is LIANA_ECLOSED; what says that nobody answers at an address is
 * LIANA_EUNREACHABLE; an unknown number is LIANA_ENETWORK. Ownership: none. Threads: any.
 */
#include "base/error.h"

liana_status lia_uv_status(int number);

/* Fills `err` with "<what> <name>: <libuv's text>" and answers the status. */
liana_status lia_err_uv(struct liana_error *err,
                        int number,
                        const char *what,
                        const char *name);

#endif
