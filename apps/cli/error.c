/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/error.h"

#include <stdarg.h>
#include <stdio.h>

liana_status cli_err(struct liana_error *err,
                     liana_status status,
                     const char *format,
                     ...)
{
    va_list args;

    if (err && !err->status) {
        err->status = status;
        va_start(args, format);
        if (vsnprintf(err->message, sizeof(err->message), format, args) < 0) {
            err->message[0] = '\0';
        }
        va_end(args);
    }
    return status;
}
