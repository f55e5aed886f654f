/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values and keys out of bodies, and conditions.
 */
#include "codec/key.h"
#include "db/sqlfn_internal.h"

#define DAMAGED "a stored document is damaged"

/* ---- paths: parsed once per statement ---- */

struct path {
    struct lia_arena arena;
    struct lia_steps steps;
};

static void free_path(void *p)
{
    struct path *path = p;

    lia_arena_deinit(&path->arena);
    sqlite3_free(path);
}

static struct path *parse_path(sqlite3_value *v)
{
    struct path *path = sqlite3_malloc(sizeof(*path));
    const char *text = (const char *)sqlite3_value_text(v);

    if (!path) {
        return NULL;
    }
    lia_arena_init(&path->arena, &lia_mem_libc);
    if (!text ||
        lia_path_parse(&path->arena,
                       (struct liana_str){text, (size_t)sqlite3_value_bytes(v)},
                       &path->steps)) {
        free_path(path);
        return NULL;
    }
    return path;
}

/* False for what is no document from its first byte to its last. A tombstone has no body,
 * and SQLite may look at it before it looks at `body IS NOT NULL`. */
static bool body_of(sqlite3_value *v, struct liana_slice *out)
{
    const void *bytes = sqlite3_value_blob(v);

    *out = lia_slice(bytes, (size_t)sqlite3_value_bytes(v));
    return out->len == 0 || lia_bson_is_framed(*out);
}

/* The value at argument 1 in the body of argument 0. False after an error. */
static bool look_up(sqlite3_context *ctx, sqlite3_value **argv, struct lia_value *out)
{
    struct path *path = sqlite3_get_auxdata(ctx, 1);
    bool is_new = !path;
    struct liana_slice body;

    if (!body_of(argv[0], &body)) {
        lia_sqlfn_fail(ctx, LIANA_ECORRUPT, DAMAGED);
        return false;
    }
    if (is_new) {
        path = parse_path(argv[1]);
        if (!path) {
            lia_sqlfn_fail(ctx, LIANA_EINTERNAL, "not a path");
            return false;
        }
    }
    *out = lia_path_get(body, &path->steps);
    if (is_new) {
        sqlite3_set_auxdata(ctx, 1, path, free_path); /* may free it at once */
    }
    return true;
}

static void get(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    struct lia_value v;

    (void)argc;
    if (look_up(ctx, argv, &v)) {
        lia_sqlfn_result(ctx, v);
    }
}

static void result_key(sqlite3_context *ctx, struct lia_value v)
{
    const struct lia_sqlfn_entry *entry = sqlite3_user_data(ctx);
    struct lia_buf key;

    lia_buf_init(&key, entry->shared->allocator);
    lia_key_add(&key, v);
    if (key.status) {
        sqlite3_result_error_nomem(ctx);
    } else {
        sqlite3_result_blob64(ctx, key.ptr, key.len, SQLITE_TRANSIENT);
    }
    lia_buf_deinit(&key);
}

static void get_key(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    struct lia_value v;

    (void)argc;
    if (look_up(ctx, argv, &v)) {
        result_key(ctx, v);
    }
}

static void key_of(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    struct lia_scratch scratch;

    (void)argc;
    result_key(ctx, lia_sqlfn_value(argv[0], &scratch));
}

static void document(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    struct liana_slice body;

    (void)argc;
    if (!body_of(argv[0], &body)) {
        lia_sqlfn_fail(ctx, LIANA_ECORRUPT, DAMAGED);
    } else if (body.len) {
        lia_sqlfn_result(ctx, (struct lia_value){LIA_BSON_DOCUMENT, body});
    }
}

/* ---- conditions ---- */

static void test(sqlite3_context *ctx, sqlite3_value *arg, bool wanted)
{
    const struct lia_sqlfn_entry *entry = sqlite3_user_data(ctx);
    struct lia_scratch scratch;
    struct lia_value v = lia_sqlfn_value(arg, &scratch);
    char message[80];

    if (v.type == LIA_BSON_BOOL) {
        sqlite3_result_int(ctx, lia_value_bool(v) == wanted);
    } else if (lia_is_missing(v) || lia_is_null(v) || entry->is_lenient) {
        sqlite3_result_int(ctx, 0);
    } else {
        sqlite3_snprintf(sizeof(message), message,
                         "a condition must be a boolean, not %s",
                         lia_bson_type_name(v.type));
        lia_sqlfn_fail(ctx, LIANA_ETYPE, message);
    }
}

static void is_true(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    (void)argc;
    test(ctx, argv[0], true);
}

static void is_false(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    (void)argc;
    test(ctx, argv[0], false);
}

int lia_sqlfn_register_access(sqlite3 *sqlite, struct lia_sqlfn_entry entries[2])
{
    static const struct {
        const char *name;
        int args;
        int entry;
        lia_sqlfn_scalar call;
    } rows[] = {
        {"lia_get", 2, 0, get},           {"lia_key", 2, 0, get_key},
        {"lia_document", 1, 0, document}, {"lia_key_of", 1, 0, key_of},
        {"lia_true", 1, 0, is_true},      {"lia_true_l", 1, 1, is_true},
        {"lia_false", 1, 0, is_false},    {"lia_false_l", 1, 1, is_false},
    };
    int code = SQLITE_OK;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !code; i++) {
        code = sqlite3_create_function_v2(sqlite, rows[i].name, rows[i].args,
                                          LIA_SQLFN_FLAGS, &entries[rows[i].entry],
                                          rows[i].call, NULL, NULL, NULL);
    }
    return code;
}
