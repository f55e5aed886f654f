/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_WIPE_H
#define LIA_CLI_WIPE_H
/*
 * cli/wipe - forgetting a secret: zeros that the compiler does not leave out.
 *
 * Ownership: the caller's memory. Threads: any.
 */
#include <stddef.h>

void cli_wipe(void *bytes, size_t len);

#endif
