/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <uv.h>

uint64_t cli_now_ms(void)
{
    return uv_hrtime() / 1000000;
}

uint64_t cli_now_us(void)
{
    return uv_hrtime() / 1000;
}

/* ---- colours ---- */

static const char *colour_code(bool wanted, enum cli_colour colour)
{
    static const char *const codes[] = {
        [CLI_PLAIN] = "\033[0m", [CLI_BOLD] = "\033[1m",   [CLI_DIM] = "\033[2m",
        [CLI_RED] = "\033[31m",  [CLI_GREEN] = "\033[32m", [CLI_YELLOW] = "\033[33m"};

    return wanted ? codes[colour] : "";
}

const char *cli_out_colour(const struct cli *cli, enum cli_colour colour)
{
    return colour_code(cli->out_colour, colour);
}

const char *cli_err_colour(const struct cli *cli, enum cli_colour colour)
{
    return colour_code(cli->err_colour, colour);
}

/* ---- text ---- */

void cli_print_text(FILE *file, struct liana_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c < 0x20 || c == 0x7f) {
            fprintf(file, "\\x%02x", c);
        } else if (c == 0xc2 && i + 1 < text.len &&
                   (unsigned char)text.ptr[i + 1] < 0xa0) { /* C1, U+0080 .. U+009F */
            fprintf(file, "\\x%02x", (unsigned char)text.ptr[++i]);
        } else {
            putc(c, file);
        }
    }
}

void cli_print_line(FILE *file, const char *format, va_list args)
{
    char *text = bson_strdupv_printf(format, args);

    flockfile(file); /* the connector writes lines on its own thread */
    cli_print_text(file, (struct liana_str){text, strlen(text)});
    putc('\n', file);
    fflush(file);
    funlockfile(file);
    bson_free(text);
}

void cli_note(struct cli *cli, const char *format, ...)
{
    va_list args;

    if (cli->quiet || cli->json) {
        return;
    }
    va_start(args, format);
    cli_print_line(cli->err, format, args);
    va_end(args);
}

/* ---- errors ---- */

int cli_exit_code(liana_status status)
{
    switch (liana_status_category(status)) {
    case LIANA_CATEGORY_OK: return CLI_OK;
    case LIANA_CATEGORY_USAGE: return CLI_USAGE;
    case LIANA_CATEGORY_EXPECTED: return CLI_NOT_FOUND;
    case LIANA_CATEGORY_RETRY: return CLI_BUSY;
    case LIANA_CATEGORY_IO:
    case LIANA_CATEGORY_CORRUPT:
    case LIANA_CATEGORY_RESOURCE:
    case LIANA_CATEGORY_NETWORK:
    case LIANA_CATEGORY_PROTOCOL:
    case LIANA_CATEGORY_AUTH:
    case LIANA_CATEGORY_INTERNAL: break;
    }
    return CLI_FAILED;
}

static void print_error_json(struct cli *cli, liana_status status, const char *message)
{
    bson_t *document =
        BCON_NEW("error", "{", "status", BCON_UTF8(liana_status_name(status)), "number",
                 BCON_INT32(status), "message", BCON_UTF8(message), "}");
    char *json = bson_as_relaxed_extended_json(document, NULL);

    fprintf(cli->err, "%s\n", json ? json : "{\"error\": {}}");
    bson_free(json);
    bson_destroy(document);
}

int cli_fail(struct cli *cli, const struct liana_error *err)
{
    const char *message =
        err->message[0] ? err->message : liana_status_text(err->status);

    fflush(cli->out);
    if (cli->json) {
        print_error_json(cli, err->status, message);
    } else {
        fprintf(cli->err, "%sliana:%s ", cli_err_colour(cli, CLI_RED),
                cli_err_colour(cli, CLI_PLAIN));
        cli_print_text(cli->err, (struct liana_str){message, strlen(message)});
        fprintf(cli->err, " (%s)\n", liana_status_name(err->status));
    }
    return cli_exit_code(err->status);
}

int cli_error(struct cli *cli, liana_status status, const char *format, ...)
{
    struct liana_error err = {.status = status};
    va_list args;

    va_start(args, format);
    if (vsnprintf(err.message, sizeof(err.message), format, args) < 0) {
        err.message[0] = '\0';
    }
    va_end(args);
    return cli_fail(cli, &err);
}

/* ---- results ---- */

bool cli_out_takes_more(struct cli *cli)
{
    if (ferror(cli->out) && !cli->out_errno) {
        cli->out_errno = errno ? errno : EIO;
    }
    return !cli->out_errno;
}

bool cli_out_is_left(const struct cli *cli)
{
    return cli->out_errno == EPIPE;
}

int cli_out_failed(struct cli *cli)
{
    if (cli_out_is_left(cli)) {
        return CLI_OK;
    }
    return cli_error(cli, cli->out_errno == ENOSPC ? LIANA_EFULL : LIANA_EIO, "%s: %s",
                     cli->out_name, strerror(cli->out_errno));
}

bool cli_flush(struct cli *cli)
{
    if (fflush(cli->out) != 0 && !cli->out_errno) {
        cli->out_errno = errno;
    }
    return cli_out_takes_more(cli);
}

int cli_finish(struct cli *cli, int rc)
{
    return cli_flush(cli) || rc != CLI_OK ? rc : cli_out_failed(cli);
}

/* ---- progress ---- */

#define PROGRESS_EVERY_MS 100

void cli_progress_start(struct cli_progress *progress,
                        struct cli *cli,
                        const char *what,
                        uint64_t total)
{
    *progress = (struct cli_progress){.cli = cli, .what = what, .total = total};
}

static void draw(struct cli_progress *progress, uint64_t done)
{
    enum { WIDTH = 30 };
    char bar[WIDTH + 1];
    size_t full;

    if (progress->total == 0) {
        fprintf(progress->cli->err, "\r\033[K%s: %" PRIu64, progress->what, done);
        return;
    }
    done = done < progress->total ? done : progress->total;
    full = (size_t)((double)done / (double)progress->total * WIDTH);
    memset(bar, '#', full);
    memset(bar + full, '.', WIDTH - full);
    bar[WIDTH] = '\0';
    fprintf(progress->cli->err, "\r\033[K%s [%s] %d%%", progress->what, bar,
            (int)((double)done / (double)progress->total * 100));
}

void cli_progress_set(struct cli_progress *progress, uint64_t done)
{
    struct cli *cli = progress->cli;
    uint64_t now = cli_now_ms();

    if (!cli->err_terminal || cli->quiet || cli->json ||
        (progress->is_drawn && now - progress->shown_ms < PROGRESS_EVERY_MS)) {
        return;
    }
    draw(progress, done);
    fflush(cli->err);
    progress->is_drawn = true;
    progress->shown_ms = now;
}

void cli_progress_end(struct cli_progress *progress)
{
    if (progress->is_drawn) {
        fputs("\r\033[K", progress->cli->err);
        fflush(progress->cli->err);
        progress->is_drawn = false;
    }
}
