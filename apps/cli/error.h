/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_ERROR_H
#define LIA_CLI_ERROR_H
/*
 * cli/error - filling in a struct liana_error, as the library does.
 *
 * Rules: the first message stays; NULL is allowed. Ownership: none. Threads: any.
 */
#include "liana/liana.h"

/* return cli_err(err, LIANA_ECSV, "%s, line %u: ...", ...); */
liana_status cli_err(struct liana_error *err,
                     liana_status status,
                     const char *format,
                     ...) __attribute__((format(printf, 3, 4)));

#endif
