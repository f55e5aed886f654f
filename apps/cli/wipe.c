/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* explicit_bzero is no part of POSIX yet */
#include "cli/wipe.h"

#include <string.h>

void cli_wipe(void *bytes, size_t len)
{
    explicit_bzero(bytes, len);
}
