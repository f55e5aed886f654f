/* SPDX-License-Identifier: Apache-2.0 */
#include "db/testing/random_query.h"

#include "codec/testing/random_bson.h"
#include "lang/function.h"

#define PICK(rng, list) (list)[lia_rng_below((rng), sizeof(list) / sizeof((list)[0]))]

/* ---- documents ---- */

static void add_plain(struct lia_rng *rng, struct lia_buf *out, struct liana_str name)
{
    static const char *const texts[] = {"", "a", "ab", "b", "%", "10%", "\xc3\xa9"};
    int32_t small = (int32_t)lia_rng_between(rng, -2, 4);

    switch (lia_rng_below(rng, 7)) {
    case 0: lia_bson_add_int32(out, name, small); return;
    case 1: lia_bson_add_int64(out, name, small); return;
    case 2: lia_bson_add_double(out, name, small / 2.0); return;
    case 3: lia_bson_add_str(out, name, lia_str(PICK(rng, texts))); return;
    case 4: lia_bson_add_bool(out, name, small > 1); return;
    case 5: lia_bson_add_null(out, name); return;
    default: lia_bson_add_date(out, name, small); return;
    }
}

static void add_any(struct lia_rng *rng, struct lia_buf *out, struct liana_str name)
{
    struct lia_buf holder;

    if (lia_rng_chance(rng, 75)) {
        add_plain(rng, out, name);
        return;
    }
    lia_buf_init(&holder, &lia_mem_libc);
    lia_bson_add(out, name, lia_random_value(rng, &holder));
    lia_buf_deinit(&holder);
}

static void add_some(struct lia_rng *rng, struct lia_buf *out, const char *name)
{
    if (lia_rng_chance(rng, 80)) {
        add_any(rng, out, lia_str(name));
    }
}

void lia_random_body(struct lia_rng *rng, struct lia_buf *out, int32_t id)
{
    size_t mark = lia_bson_begin(out);
    size_t inner;
    char digits[12];

    lia_bson_add_int32(out, lia_str("_id"), id);
    add_some(rng, out, "a");
    add_some(rng, out, "b");
    add_some(rng, out, "c");
    if (lia_rng_chance(rng, 80)) {
        inner = lia_bson_begin_in(out, LIA_BSON_DOCUMENT, lia_str("o"));
        add_some(rng, out, "x");
        add_some(rng, out, "y");
        lia_bson_end(out, inner);
    }
    if (lia_rng_chance(rng, 80)) {
        inner = lia_bson_begin_in(out, LIA_BSON_ARRAY, lia_str("l"));
        for (uint32_t i = 0; i < lia_rng_below(rng, 4); i++) {
            add_any(rng, out, lia_bson_index_name(i, digits));
        }
        lia_bson_end(out, inner);
    }
    lia_bson_end(out, mark);
}

void lia_random_params(struct lia_rng *rng, struct lia_buf *out)
{
    static const char *const names[] = {"p0", "p1", "p2", "p3"};
    size_t mark = lia_bson_begin(out);

    for (size_t i = 0; i < 4; i++) {
        add_any(rng, out, lia_str(names[i]));
    }
    lia_bson_end(out, mark);
}

/* ---- expressions ---- */

static void add_leaf(struct lia_rng *rng, struct lia_buf *out)
{
    static const char *const leaves[] = {
        "a",
        "b",
        "c",
        "o.x",
        "o.y",
        "o",
        "l",
        "l[0]",
        "l[1]",
        "_id",
        "nope",
        "c",
        "a",
        "b",
        ":p0",
        ":p1",
        ":p2",
        ":p3",
        "1",
        "2.5",
        "0",
        "-1",
        "'ab'",
        "'a%'",
        "'%'",
        "true",
        "false",
        "null",
        "''",
        "[1, 2]",
        "{}",
        "missing",
        "decimal('1.0')",
        "[1, 'ab', null, true, 2.0, :p1]",
        "date(1)",
        "int64(2)",
    };

    lia_buf_str(out, PICK(rng, leaves));
}

static void add_pair(struct lia_rng *rng,
                     struct lia_buf *out,
                     const char *op,
                     unsigned depth)
{
    lia_buf_str(out, "(");
    lia_random_expr(rng, out, depth);
    lia_buf_printf(out, " %s ", op);
    lia_random_expr(rng, out, depth);
    lia_buf_str(out, ")");
}

static void add_call(struct lia_rng *rng, struct lia_buf *out, unsigned depth)
{
    const struct lia_fn *fn;
    unsigned count;
    size_t rows = 0;

    while (lia_fn_at(rows)) {
        rows++;
    }
    do {
        fn = lia_fn_at(lia_rng_below(rng, rows));
    } while (fn->is_operator);
    count = fn->max > 4 ? 4 : fn->max;
    count = fn->min + (unsigned)lia_rng_below(rng, count - fn->min + 1u);
    lia_buf_printf(out, "%s(", fn->name);
    for (unsigned i = 0; i < count; i++) {
        lia_buf_str(out, i ? ", " : "");
        lia_random_expr(rng, out, depth);
    }
    lia_buf_str(out, ")");
}

static void add_list(struct lia_rng *rng, struct lia_buf *out, unsigned depth)
{
    size_t n = lia_rng_below(rng, 4);

    for (size_t i = 0; i < n; i++) {
        lia_buf_str(out, i ? ", " : "");
        lia_random_expr(rng, out, depth);
    }
}

static void add_case(struct lia_rng *rng, struct lia_buf *out, unsigned depth)
{
    lia_buf_str(out, "CASE ");
    if (lia_rng_chance(rng, 30)) {
        lia_random_expr(rng, out, depth);
    }
    for (size_t i = 0; i <= lia_rng_below(rng, 2); i++) {
        lia_buf_str(out, " WHEN ");
        lia_random_condition(rng, out, depth);
        lia_buf_str(out, " THEN ");
        lia_random_expr(rng, out, depth);
    }
    if (lia_rng_chance(rng, 50)) {
        lia_buf_str(out, " ELSE ");
        lia_random_expr(rng, out, depth);
    }
    lia_buf_str(out, " END");
}

void lia_random_condition(struct lia_rng *rng, struct lia_buf *out, unsigned depth)
{
    static const char *const compare[] = {"=", "!=", "<", "<=", ">", ">="};
    static const char *const is[] = {"IS NULL", "IS NOT NULL", "IS MISSING",
                                     "IS NOT MISSING"};
    unsigned below = depth ? depth - 1 : 0;

    if (depth == 0) {
        add_pair(rng, out, PICK(rng, compare), 0);
        return;
    }
    switch (lia_rng_below(rng, 12)) {
    case 0:
    case 1:
        lia_buf_str(out, "(");
        lia_random_condition(rng, out, below);
        lia_buf_str(out, lia_rng_chance(rng, 50) ? " AND " : " OR ");
        lia_random_condition(rng, out, below);
        lia_buf_str(out, ")");
        return;
    case 2:
        lia_buf_str(out, "(");
        lia_random_condition(rng, out, below);
        lia_buf_str(out, " XOR ");
        lia_random_condition(rng, out, below);
        lia_buf_str(out, ")");
        return;
    case 3:
    case 4:
        lia_buf_str(out, "(NOT ");
        lia_random_condition(rng, out, below);
        lia_buf_str(out, ")");
        return;
    case 5:
        lia_buf_str(out, "(");
        lia_random_expr(rng, out, below);
        lia_buf_printf(out, " %s)", PICK(rng, is));
        return;
    case 6:
        lia_buf_str(out, "(");
        lia_random_expr(rng, out, below);
        lia_buf_str(out, lia_rng_chance(rng, 50) ? " IN (" : " NOT IN (");
        add_list(rng, out, below);
        lia_buf_str(out, "))");
        return;
    case 7:
        add_pair(rng, out, lia_rng_chance(rng, 50) ? "LIKE" : "ILIKE", below);
        return;
    case 8:
        lia_buf_str(out, "(");
        lia_random_expr(rng, out, below);
        lia_buf_str(out, lia_rng_chance(rng, 50) ? " BETWEEN " : " NOT BETWEEN ");
        lia_random_expr(rng, out, 0);
        lia_buf_str(out, " AND ");
        lia_random_expr(rng, out, 0);
        lia_buf_str(out, ")");
        return;
    case 9: lia_random_expr(rng, out, below); return;
    default: add_pair(rng, out, PICK(rng, compare), below); return;
    }
}

void lia_random_expr(struct lia_rng *rng, struct lia_buf *out, unsigned depth)
{
    static const char *const arithmetic[] = {"+", "-", "*", "/", "%", "<<", ">>", "||"};
    unsigned below = depth ? depth - 1 : 0;

    if (depth == 0) {
        add_leaf(rng, out);
        return;
    }
    switch (lia_rng_below(rng, 10)) {
    case 0: add_pair(rng, out, PICK(rng, arithmetic), below); return;
    case 1: lia_random_condition(rng, out, below); return;
    case 2: add_call(rng, out, below); return;
    case 3: add_case(rng, out, below); return;
    case 4:
        lia_buf_str(out, "[");
        add_list(rng, out, below);
        lia_buf_str(out, "]");
        return;
    case 5:
        lia_buf_str(out, "{'k': ");
        lia_random_expr(rng, out, below);
        lia_buf_str(out, "}");
        return;
    case 6:
        lia_buf_str(out, "(- ");
        lia_random_expr(rng, out, below);
        lia_buf_str(out, ")");
        return;
    default: add_leaf(rng, out); return;
    }
}
