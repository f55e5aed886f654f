/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/event.h"

#include <stdarg.h>

#include "cli/output.h"

void cli_event(struct cli *cli,
               const char *name,
               bson_t *fields,
               const char *format,
               ...)
{
    va_list args;

    if (cli->json) {
        bson_t *event = BCON_NEW("event", BCON_UTF8(name));

        if (fields) {
            bson_concat(event, fields);
        }
        cli_print_bson(cli, event);
        bson_destroy(event);
    } else if (!cli->quiet) {
        va_start(args, format);
        cli_print_line(cli->out, format, args);
        va_end(args);
    }
    cli_flush(cli);
    if (fields) {
        bson_destroy(fields);
    }
}
