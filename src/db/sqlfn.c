/* SPDX-License-Identifier: Apache-2.0 */
#include "db/sqlfn.h"

#include <stdio.h>
#include <stdlib.h>

#include "db/sqlfn_internal.h"
#include "lang/regexp.h"

/* A failing function can only hand a text to SQLite: this stands before it, then the status. */
#define MARK "liana:"

/* ---- values ---- */

struct lia_value lia_sqlfn_value(sqlite3_value *v, struct lia_scratch *scratch)
{
    switch (sqlite3_value_type(v)) {
    case SQLITE_BLOB: {
        const void *bytes = sqlite3_value_blob(v);

        return lia_sql_value(lia_slice(bytes, (size_t)sqlite3_value_bytes(v)));
    }
    case SQLITE_INTEGER: return lia_value_of_int64(sqlite3_value_int64(v), scratch);
    default: return LIA_MISSING;
    }
}

void lia_sqlfn_result(sqlite3_context *ctx, struct lia_value v)
{
    uint8_t small[64];
    uint8_t *bytes = small;

    if (lia_is_missing(v)) {
        sqlite3_result_null(ctx);
        return;
    }
    if (v.data.len >= sizeof(small)) {
        bytes = sqlite3_malloc64(v.data.len + 1);
        if (!bytes) {
            sqlite3_result_error_nomem(ctx);
            return;
        }
    }
    bytes[0] = v.type;
    if (v.data.len) {
        memcpy(bytes + 1, v.data.ptr, v.data.len);
    }
    sqlite3_result_blob64(ctx, bytes, v.data.len + 1,
                          bytes == small ? SQLITE_TRANSIENT : sqlite3_free);
}

void lia_sqlfn_fail(sqlite3_context *ctx, liana_status status, const char *message)
{
    char text[LIANA_ERROR_TEXT + 32];

    if (status == LIANA_ENOMEM) {
        sqlite3_result_error_nomem(ctx);
        return;
    }
    snprintf(text, sizeof(text), MARK "%d:%s", (int)status, message);
    sqlite3_result_error(ctx, text, -1);
}

bool lia_sqlfn_error(sqlite3 *sqlite, liana_status *out, struct liana_error *err)
{
    const char *text = sqlite3_errmsg(sqlite);
    char *message;
    long status;

    if (strncmp(text, MARK, sizeof(MARK) - 1) != 0) {
        return false;
    }
    status = strtol(text + sizeof(MARK) - 1, &message, 10);
    if (status >= 0 || *message != ':') {
        return false;
    }
    *out = lia_err(err, (liana_status)status, "%s", message + 1);
    return true;
}

struct lia_call lia_sqlfn_call(sqlite3_context *ctx, const char *name)
{
    struct lia_sqlfn_entry *entry = sqlite3_user_data(ctx);
    struct lia_sqlfn *shared = entry->shared;

    lia_arena_reset(&shared->arena);
    shared->err = (struct liana_error)LIANA_ERROR_INIT;
    return (struct lia_call){&shared->arena, &shared->err, entry->is_lenient, name,
                             shared->regexps};
}

/* ---- functions.def ---- */

static void invoke(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    const struct lia_sqlfn_entry *entry = sqlite3_user_data(ctx);
    struct lia_call cx = lia_sqlfn_call(ctx, entry->fn->name);
    struct lia_scratch scratch[LIA_ARGS_MAX];
    struct lia_value args[LIA_ARGS_MAX];
    struct lia_value out;
    liana_status status;

    if (argc < entry->fn->min || argc > entry->fn->max) {
        lia_sqlfn_fail(ctx, LIANA_EINTERNAL, "wrong number of arguments");
        return;
    }
    for (int i = 0; i < argc; i++) {
        args[i] = lia_sqlfn_value(argv[i], &scratch[i]);
    }
    status = lia_fn_invoke(&cx, entry->fn, args, (size_t)argc, &out);
    if (status) {
        lia_sqlfn_fail(ctx, status, cx.err->message);
    } else {
        lia_sqlfn_result(ctx, out);
    }
}

static int register_row(sqlite3 *sqlite, struct lia_sqlfn_entry *entry)
{
    const struct lia_fn *fn = entry->fn;
    char name[64];

    snprintf(name, sizeof(name), "%s%s", fn->sql_name, entry->is_lenient ? "_l" : "");
    return sqlite3_create_function_v2(sqlite, name, fn->min == fn->max ? fn->min : -1,
                                      LIA_SQLFN_FLAGS, entry, invoke, NULL, NULL, NULL);
}

/* ---- registration ---- */

static void free_shared(void *p)
{
    struct lia_sqlfn *shared = p;
    const struct liana_allocator *a = shared->allocator;

    lia_arena_deinit(&shared->arena);
    lia_regexps_free(shared->regexps);
    lia_mem_free(a, shared->entries, shared->entry_count * sizeof(*shared->entries));
    lia_mem_free(a, shared, sizeof(*shared));
}

static void patterns_compiled(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    const struct lia_sqlfn *shared = sqlite3_user_data(ctx);

    (void)argc;
    (void)argv;
    sqlite3_result_int64(ctx, (sqlite3_int64)lia_regexps_compiled(shared->regexps));
}

static size_t count_rows(void)
{
    size_t n = 0;

    while (lia_fn_at(n)) {
        n++;
    }
    return n;
}

/* Two entries per row, strict and lenient, and two for what has no row. */
static struct lia_sqlfn *make_shared(const struct liana_allocator *a)
{
    struct lia_sqlfn *shared = lia_mem_zalloc(a, sizeof(*shared));

    if (!shared) {
        return NULL;
    }
    shared->allocator = a;
    shared->entry_count = 2 * count_rows() + 2;
    shared->entries = lia_mem_alloc(a, shared->entry_count * sizeof(*shared->entries));
    shared->regexps = lia_regexps_new(a);
    lia_arena_init(&shared->arena, a);
    if (!shared->entries || !shared->regexps) {
        free_shared(shared);
        return NULL;
    }
    for (size_t i = 0; i < shared->entry_count; i++) {
        shared->entries[i] =
            (struct lia_sqlfn_entry){shared, lia_fn_at(i / 2), i % 2 != 0};
    }
    return shared;
}

liana_status lia_sqlfn_register(sqlite3 *sqlite,
                                const struct liana_allocator *allocator)
{
    struct lia_sqlfn *shared = make_shared(allocator);
    struct lia_sqlfn_entry *last;
    int code;

    if (!shared) {
        return LIANA_ENOMEM;
    }
    /* SQLite calls the destructor also when this fails; from here on it owns `shared`. */
    code = sqlite3_create_function_v2(sqlite, "lia_patterns_compiled", 0,
                                      SQLITE_UTF8 | SQLITE_INNOCUOUS, shared,
                                      patterns_compiled, NULL, NULL, free_shared);
    if (code) {
        return LIANA_ENOMEM;
    }
    last = shared->entries + shared->entry_count - 2;
    for (struct lia_sqlfn_entry *entry = shared->entries; entry < last && !code;
         entry++) {
        code = register_row(sqlite, entry);
    }
    code = code ? code : lia_sqlfn_register_access(sqlite, last);
    code = code ? code : lia_sqlfn_register_aggregates(sqlite, last);
    return code ? LIANA_ENOMEM : LIANA_OK;
}
