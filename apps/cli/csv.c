/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/csv.h"

#include <bson/bson.h>
#include <csv.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/error.h"

/* A quote that is never closed makes the rest of the file one field. */
#define ROW_BYTES_MAX ((size_t)256 * 1024 * 1024)
#define CHUNK_BYTES   ((size_t)64 * 1024)

struct reading {
    const char *name;
    cli_csv_row_fn fn;
    void *ctx;
    struct liana_error *err;
    liana_status status;
    uint64_t line;     /* that is being read */
    uint64_t row_line; /* where the row began */
    bool is_in_row;
    bool is_in_line;  /* the line goes on in the next chunk */
    size_t row_bytes; /* so far, at least */
    /* The fields of the row: their text one after the other, each with its place. */
    char *text;
    size_t text_len;
    size_t text_room;
    struct liana_str *fields;
    size_t *offsets; /* into text, which moves while the row grows */
    size_t count;
    size_t room;
    size_t not_text;
};

static bool grow(struct reading *r, size_t len)
{
    while (r->text_len + len + 1 > r->text_room) {
        size_t room = r->text_room * 2 + 256;
        char *text = realloc(r->text, room);

        if (!text) {
            return false;
        }
        r->text = text;
        r->text_room = room;
    }
    if (r->count == r->room) {
        size_t room = r->room * 2 + 16;
        struct liana_str *fields = realloc(r->fields, room * sizeof(*fields));
        size_t *offsets = fields ? realloc(r->offsets, room * sizeof(*offsets)) : NULL;

        r->fields = fields ? fields : r->fields;
        r->offsets = offsets ? offsets : r->offsets;
        if (!fields || !offsets) {
            return false;
        }
        r->room = room;
    }
    return true;
}

static void on_field(void *text, size_t len, void *ctx)
{
    struct reading *r = ctx;

    if (r->status) {
        return;
    }
    if (!grow(r, len)) {
        r->status = cli_err(r->err, LIANA_ENOMEM, "out of memory");
        return;
    }
    r->offsets[r->count] = r->text_len;
    r->fields[r->count] = (struct liana_str){text ? "" : NULL, len};
    r->count++;
    if (text && len) {
        memcpy(r->text + r->text_len, text, len);
    }
    r->text[r->text_len + len] = '\0';
    r->text_len += len + 1;
    if (!r->not_text && len && !bson_utf8_validate(text, len, false)) {
        r->not_text = r->count;
    }
}

static void on_row(int end, void *ctx)
{
    struct reading *r = ctx;
    struct cli_csv_row row = {r->fields, r->count, r->row_line, r->not_text};

    (void)end;
    for (size_t i = 0; i < r->count; i++) {
        if (r->fields[i].ptr) {
            r->fields[i].ptr = r->text + r->offsets[i];
        }
    }
    if (!r->status) {
        r->status = r->fn(r->ctx, &row, r->err);
    }
    r->count = 0;
    r->not_text = 0;
    r->text_len = 0;
    r->row_bytes = 0;
    r->is_in_row = false;
}

static int is_no_blank(unsigned char c)
{
    (void)c;
    return 0;
}

/* A line, or the part of one that a chunk holds. */
static liana_status parse_line(struct reading *r,
                               struct csv_parser *parser,
                               const char *line,
                               size_t len)
{
    if (!r->is_in_line) {
        r->line++;
        r->row_line = r->is_in_row ? r->row_line : r->line;
        /* An empty line gives no row: whatever comes next begins one. */
        r->is_in_row = r->is_in_row || (line[0] != '\n' && line[0] != '\r');
    }
    r->is_in_line = line[len - 1] != '\n';
    r->row_bytes += len;
    if (r->row_bytes > ROW_BYTES_MAX) {
        return cli_err(r->err, LIANA_ETOOLARGE,
                       "%s, line %" PRIu64 ": a row of more than %zu MiB", r->name,
                       r->row_line, ROW_BYTES_MAX >> 20);
    }
    if (csv_parse(parser, line, len, on_field, on_row, r) != len && !r->status) {
        return cli_err(r->err, LIANA_ECSV, "%s, line %" PRIu64 ": %s", r->name, r->line,
                       csv_error(parser) == CSV_EPARSE
                           ? "a quote stands where none may be"
                           : csv_strerror(csv_error(parser)));
    }
    return r->status;
}

static liana_status parse_chunk(struct reading *r,
                                struct csv_parser *parser,
                                const char *chunk,
                                size_t len)
{
    liana_status status = LIANA_OK;

    while (!status && len > 0) {
        const char *end = memchr(chunk, '\n', len);
        size_t line_len = end ? (size_t)(end + 1 - chunk) : len;

        status = parse_line(r, parser, chunk, line_len);
        chunk += line_len;
        len -= line_len;
    }
    return status;
}

static size_t skip_mark(const char *line, size_t len)
{
    return len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

liana_status cli_csv_read(FILE *file,
                          const char *name,
                          char delimiter,
                          cli_csv_row_fn fn,
                          void *ctx,
                          struct liana_error *err)
{
    struct reading r = {.name = name, .fn = fn, .ctx = ctx, .err = err};
    struct csv_parser parser;
    char *chunk = malloc(CHUNK_BYTES);
    size_t len;
    liana_status status = LIANA_OK;

    if (!chunk) {
        return cli_err(err, LIANA_ENOMEM, "out of memory");
    }
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL)) {
        free(chunk);
        return cli_err(err, LIANA_ENOMEM, "out of memory");
    }
    csv_set_delim(&parser, (unsigned char)delimiter);
    csv_set_space_func(&parser, is_no_blank);
    while (!status && (len = fread(chunk, 1, CHUNK_BYTES, file)) > 0) {
        size_t skip = r.line == 0 ? skip_mark(chunk, len) : 0;

        status = parse_chunk(&r, &parser, chunk + skip, len - skip);
    }
    if (!status && ferror(file)) {
        status = cli_err(err, LIANA_EIO, "%s: %s", name, strerror(errno));
    }
    if (!status && csv_fini(&parser, on_field, on_row, &r)) {
        status = cli_err(err, LIANA_ECSV,
                         "%s, line %" PRIu64 ": a quoted field that does not end", name,
                         r.row_line);
    }
    status = status ? status : r.status;
    csv_free(&parser);
    free(chunk);
    free(r.text);
    free(r.fields);
    free(r.offsets);
    return status;
}
