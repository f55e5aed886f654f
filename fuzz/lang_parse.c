/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz/lang_parse - any bytes as a statement: what does not parse has a message; what parses can be written as SQL or says
 * why not, and a subscription's canonical text is a subscription with the same canonical text.
 */
#include "lang/parse.h"
#include "lang/sql.h"
#include "lang/subscription.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void subscribe(struct lia_arena *arena, struct liana_str text)
{
    struct lia_subscription_query first;
    struct lia_subscription_query second;

    if (lia_lang_check_subscription(arena, text, LIANA_NONE, &first, NULL)) {
        return;
    }
    LIA_ASSERT(lia_lang_check_subscription(arena, first.canonical, LIANA_NONE, &second,
                                           NULL) == LIANA_OK);
    LIA_ASSERT(lia_str_equal(first.canonical, second.canonical));
    LIA_ASSERT(lia_str_equal(first.collection, second.collection));
}

static void write_sql(struct lia_arena *arena, const struct lia_stmt *stmt)
{
    const struct lia_sql_options options = {.from = LIANA_STR("c1")};
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_sql sql;
    liana_status status = LIANA_OK;

    if (stmt->kind == LIA_STMT_SELECT) {
        status = lia_sql_select(arena, stmt, &options, &sql, &err);
    } else if (stmt->kind != LIA_STMT_INSERT) {
        status = lia_sql_keys(arena, stmt, &options, &sql, &err);
    }
    LIA_ASSERT(err.status == status);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct liana_str text = {(const char *)data, size};
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_arena arena;
    struct lia_stmt *stmt;
    liana_status status;

    lia_arena_init(&arena, &lia_mem_libc);
    status = lia_lang_parse(&arena, text, &stmt, &err);
    LIA_ASSERT(err.status == status &&
               (status == LIANA_OK) == (err.message[0] == '\0'));
    if (!status) {
        write_sql(&arena, stmt);
        subscribe(&arena, text);
    }
    lia_arena_deinit(&arena);
    return 0;
}
