/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/csv.h"
#include "cli/csv_types.h"
#include "cli/import.h"

enum blank { BLANK_SKIP, BLANK_NULL, BLANK_EMPTY };

struct csv {
    struct cli_import *import;
    struct cli_csv_column *columns;
    size_t column_count;
    struct cli_csv_column *typed; /* of --types, by name */
    size_t typed_count;
    const char *ids; /* of --id, or NULL */
    const char *null_text;
    enum blank blank;

    const struct cli_csv_row *row;
};

static void fail(struct csv *csv,
                 liana_status status,
                 const char *what,
                 const char *name)
{
    struct liana_error err = {.status = status};

    snprintf(err.message, sizeof(err.message), "%s%s%s", what, name ? ": " : "",
             name ? name : "");
    cli_import_fail(csv->import, &err);
}

/* ---- columns ---- */

static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, word, len) == 0 && (at[len] == ',' || at[len] == '\0')) {
            return true;
        }
    }
    return false;
}

/* Adds a column with the type that --types gave it. */
static bool add_column(struct csv *csv, const char *name, size_t len)
{
    struct cli_csv_column *more =
        realloc(csv->columns, (csv->column_count + 1) * sizeof(*more));
    struct cli_csv_column *column;

    if (!more) {
        return false;
    }
    csv->columns = more;
    column = &more[csv->column_count];
    *column = (struct cli_csv_column){.name = strndup(name, len)};
    if (!column->name) {
        return false;
    }
    csv->column_count++;
    column->is_id = csv->ids && has_word(csv->ids, column->name);
    for (size_t i = 0; i < csv->typed_count; i++) {
        if (strcmp(csv->typed[i].name, column->name) == 0) {
            column->type = csv->typed[i].type;
            column->format = csv->typed[i].format;
            csv->typed[i].format = NULL;
        }
    }
    return true;
}

static bool has_column(const struct csv *csv, const char *name, size_t len)
{
    for (size_t i = 0; i < csv->column_count; i++) {
        if (strlen(csv->columns[i].name) == len &&
            memcmp(csv->columns[i].name, name, len) == 0) {
            return true;
        }
    }
    return false;
}

/* What was asked of columns must be about columns that are there, once each. */
static bool check_columns(struct csv *csv)
{
    const char *at = csv->ids;

    for (size_t i = 0; i < csv->column_count; i++) {
        const char *name = csv->columns[i].name;

        for (size_t j = 0; j < i; j++) {
            if (strcmp(csv->columns[j].name, name) == 0) {
                fail(csv, LIANA_EDUPFIELD, "two columns have one name", name);
                return false;
            }
        }
    }
    for (size_t i = 0; i < csv->typed_count; i++) {
        if (!has_column(csv, csv->typed[i].name, strlen(csv->typed[i].name))) {
            fail(csv, LIANA_EINVAL, "--types: no such column", csv->typed[i].name);
            return false;
        }
    }
    while (at) {
        size_t len = strcspn(at, ",");

        if (!has_column(csv, at, len)) {
            fail(csv, LIANA_EINVAL, "--id: no such column in", csv->ids);
            return false;
        }
        at = at[len] ? at + len + 1 : NULL;
    }
    return true;
}

/* ---- rows ---- */

static struct liana_str field_text(const struct csv *csv, size_t index)
{
    struct liana_str text = csv->row->fields[index];

    return text.ptr ? text : (struct liana_str){"", 0};
}

static bool append_field(struct csv *csv,
                         const struct cli_csv_column *column,
                         const char *name,
                         struct liana_str text,
                         bson_t *to)
{
    if (csv->null_text && strlen(csv->null_text) == text.len &&
        memcmp(csv->null_text, text.ptr, text.len) == 0) {
        return bson_append_null(to, name, -1);
    }
    if (text.len == 0 && csv->blank == BLANK_SKIP) {
        return true;
    }
    if (text.len == 0 && csv->blank == BLANK_NULL) {
        return bson_append_null(to, name, -1);
    }
    if (text.len == 0) {
        return bson_append_utf8(to, name, -1, "", 0);
    }
    return cli_csv_append(column, name, text, to);
}

static bool bad_field(struct csv *csv, size_t index)
{
    struct liana_error err = {.status = LIANA_ETYPE};
    struct liana_str text = field_text(csv, index);

    snprintf(err.message, sizeof(err.message), "column %s: '%.*s' is no %s",
             csv->columns[index].name, text.len > 60 ? 60 : (int)text.len, text.ptr,
             cli_csv_type_name(csv->columns[index].type));
    cli_import_bad(csv->import, csv->row->line, &err);
    return false;
}

/* The columns that are the _id, or those that are not. */
static bool append_columns(struct csv *csv, bool ids, const char *name, bson_t *to)
{
    for (size_t i = 0; i < csv->column_count; i++) {
        const struct cli_csv_column *column = &csv->columns[i];

        if (column->is_id == ids &&
            !append_field(csv, column, name ? name : column->name, field_text(csv, i),
                          to)) {
            return bad_field(csv, i);
        }
    }
    return true;
}

static bool make_document(struct csv *csv, bson_t *document)
{
    bool is_made = true;

    if (csv->ids && !strchr(csv->ids, ',')) {
        is_made = append_columns(csv, true, "_id", document);
    } else if (csv->ids) {
        bson_t id;

        bson_append_document_begin(document, "_id", 3, &id);
        is_made = append_columns(csv, true, NULL, &id);
        bson_append_document_end(document, &id);
    }
    return is_made && append_columns(csv, false, NULL, document);
}

static void bad_row(struct csv *csv)
{
    struct liana_error err = {.status = LIANA_ECSV};

    if (csv->row->not_text) {
        snprintf(err.message, sizeof(err.message), "field %zu is no UTF-8 text",
                 csv->row->not_text);
    } else {
        snprintf(err.message, sizeof(err.message), "%zu fields, the columns are %zu",
                 csv->row->count, csv->column_count);
    }
    cli_import_bad(csv->import, csv->row->line, &err);
}

static void take_row(struct csv *csv)
{
    bson_t document;

    if (csv->row->line <= csv->import->skip) {
        return;
    }
    if (csv->row->not_text || csv->row->count != csv->column_count) {
        bad_row(csv);
        return;
    }
    bson_init(&document);
    if (make_document(csv, &document)) {
        cli_import_add(csv->import,
                       (struct liana_slice){bson_get_data(&document), document.len},
                       csv->row->line);
    }
    bson_destroy(&document);
}

static void take_header(struct csv *csv)
{
    if (csv->row->not_text) {
        fail(csv, LIANA_ECSV, "the line of names is no UTF-8 text", NULL);
        return;
    }
    for (size_t i = 0; i < csv->row->count; i++) {
        struct liana_str name = field_text(csv, i);

        if (!add_column(csv, name.ptr, name.len)) {
            fail(csv, LIANA_ENOMEM, "out of memory", NULL);
            return;
        }
    }
    check_columns(csv);
}

static liana_status on_row(void *ctx,
                           const struct cli_csv_row *row,
                           struct liana_error *err)
{
    struct csv *csv = ctx;

    (void)err;
    csv->row = row;
    cli_import_at(csv->import);
    if (!csv->import->is_over && csv->column_count == 0) {
        take_header(csv);
    } else if (!csv->import->is_over) {
        take_row(csv);
    }
    return csv->import->is_over ? LIANA_ECANCELED : LIANA_OK;
}

/* ---- options ---- */

/* Commas inside parentheses belong to a date's format. */
static size_t type_len(const char *text)
{
    int depth = 0;
    size_t len = 0;

    while (text[len] && (text[len] != ',' || depth > 0)) {
        depth += text[len] == '(' ? 1 : text[len] == ')' ? -1 : 0;
        len++;
    }
    return len;
}

static bool parse_types(struct csv *csv, const char *text)
{
    while (text && *text) {
        size_t len = type_len(text);
        struct cli_csv_column *more =
            realloc(csv->typed, (csv->typed_count + 1) * sizeof(*more));

        if (!more) {
            fail(csv, LIANA_ENOMEM, "out of memory", NULL);
            return false;
        }
        csv->typed = more;
        if (!cli_csv_parse_type(text, len, &more[csv->typed_count])) {
            fail(csv, LIANA_EINVAL, "--types: COLUMN:TYPE is wanted, this is not",
                 text);
            return false;
        }
        csv->typed_count++;
        text += text[len] ? len + 1 : len;
    }
    return true;
}

static bool parse_fields(struct csv *csv, const char *text)
{
    while (text && *text) {
        size_t len = strcspn(text, ",");

        if (!add_column(csv, text, len)) {
            fail(csv, LIANA_ENOMEM, "out of memory", NULL);
            return false;
        }
        text += text[len] ? len + 1 : len;
    }
    return csv->column_count == 0 || check_columns(csv);
}

static bool parse_delimiter(struct csv *csv, const char *text, char *out)
{
    *out = strcmp(text, "\\t") == 0 ? '\t' : text[0];
    if ((strlen(text) != 1 && *out != '\t') || strchr("\"\r\n", *out)) {
        fail(csv, LIANA_EINVAL, "--delimiter: one character is wanted", NULL);
        return false;
    }
    return true;
}

static void deinit(struct csv *csv)
{
    for (size_t i = 0; i < csv->column_count; i++) {
        cli_csv_column_free(&csv->columns[i]);
    }
    for (size_t i = 0; i < csv->typed_count; i++) {
        cli_csv_column_free(&csv->typed[i]);
    }
    free(csv->columns);
    free(csv->typed);
}

void cli_import_csv(struct cli_import *import, const struct cli_args *args)
{
    struct csv csv = {.import = import};
    struct liana_error err = LIANA_ERROR_INIT;
    const char *blank = cli_text(args, "blank");
    char delimiter;

    csv.ids = cli_text(args, "id");
    csv.null_text = cli_text(args, "null");
    csv.blank = strcmp(blank, "null") == 0    ? BLANK_NULL
                : strcmp(blank, "empty") == 0 ? BLANK_EMPTY
                                              : BLANK_SKIP;
    if (parse_delimiter(&csv, cli_text(args, "delimiter"), &delimiter) &&
        parse_types(&csv, cli_text(args, "types")) &&
        parse_fields(&csv, cli_text(args, "fields")) &&
        cli_csv_read(import->file, import->path, delimiter, on_row, &csv, &err)) {
        cli_import_at(import); /* a signal ends a read, too */
        if (!import->is_over) {
            cli_import_fail(import, &err);
        }
    }
    deinit(&csv);
}
