/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aggregates over values. null and MISSING do not count; without another value COUNT is 0 and the others are MISSING.
 * Results do not depend on the order of the rows, but for the rounding of doubles.
 */
#include "codec/decimal_sum.h"
#include "db/sqlfn_internal.h"

__extension__ typedef __int128 wide;

struct totals {
    int64_t count;
    int64_t decimals;
    int64_t doubles;
    uint64_t whole[2]; /* a wide: SQLite aligns to 8 bytes only */
    double real;
    struct lia_decimal_sum exact; /* of the decimals */
    bool has_long;                /* an int64 among them */
    uint8_t *best;                /* of MIN and MAX: a value as lang/sql encodes it */
    size_t best_len;
};

static wide whole_of(const struct totals *t)
{
    wide v;

    memcpy(&v, t->whole, sizeof(v));
    return v;
}

static void add_whole(struct totals *t, int64_t n)
{
    wide v = whole_of(t) + n;

    memcpy(t->whole, &v, sizeof(v));
}

/* The next value; false if there is nothing to do with it. */
static bool take(sqlite3_context *ctx,
                 sqlite3_value *arg,
                 struct lia_scratch *scratch,
                 struct totals **t,
                 struct lia_value *v)
{
    *v = lia_sqlfn_value(arg, scratch);
    if (lia_is_missing(*v) || lia_is_null(*v)) {
        return false;
    }
    *t = sqlite3_aggregate_context(ctx, sizeof(**t));
    if (!*t) {
        sqlite3_result_error_nomem(ctx);
        return false;
    }
    return true;
}

static void count_step(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    struct lia_scratch scratch;
    struct totals *t;
    struct lia_value v;

    (void)argc;
    if (take(ctx, argv[0], &scratch, &t, &v)) {
        t->count++;
    }
}

static void count_final(sqlite3_context *ctx)
{
    struct totals *t = sqlite3_aggregate_context(ctx, 0);

    sqlite3_result_int64(ctx, t ? t->count : 0);
}

/* ---- sums ---- */

static void sum_step(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    const struct lia_sqlfn_entry *entry = sqlite3_user_data(ctx);
    struct lia_scratch scratch;
    struct totals *t;
    struct lia_value v;
    char message[80];

    (void)argc;
    if (!take(ctx, argv[0], &scratch, &t, &v)) {
        return;
    }
    switch (v.type) {
    case LIA_BSON_INT32:
    case LIA_BSON_INT64:
        t->has_long |= v.type == LIA_BSON_INT64;
        add_whole(t, lia_int_of(v));
        break;
    case LIA_BSON_DOUBLE:
        t->real += lia_value_double(v);
        t->doubles++;
        break;
    case LIA_BSON_DECIMAL128:
        if (t->decimals++ == 0) {
            lia_decimal_sum_init(&t->exact, entry->shared->allocator);
        }
        if (!lia_decimal_sum_add(&t->exact, lia_value_decimal(v))) {
            sqlite3_result_error_nomem(ctx);
        }
        break;
    default:
        if (!entry->is_lenient) {
            sqlite3_snprintf(sizeof(message), message, "a sum needs numbers, not %s",
                             lia_bson_type_name(v.type));
            lia_sqlfn_fail(ctx, LIANA_ETYPE, message);
        }
        return;
    }
    t->count++;
}

/* What the values are in all as a Decimal128; gives the exact sum back. */
static bool decimal_total(struct totals *t, struct lia_decimal *out)
{
    wide whole = whole_of(t);
    bool good = (!t->doubles ||
                 lia_decimal_sum_add(&t->exact, lia_decimal_of_double(t->real))) &&
                (whole == 0 || lia_decimal_sum_add_int128(
                                   &t->exact, (int64_t)(whole >> 64), (uint64_t)whole));

    if (good) {
        *out = lia_decimal_sum_total(&t->exact);
    }
    lia_decimal_sum_deinit(&t->exact);
    return good;
}

/* The total in the widest type among the values; types combine as in `+`. LIANA_ERANGE,
 * LIANA_ENOMEM. */
static liana_status total(struct totals *t,
                          struct lia_scratch *scratch,
                          struct lia_value *out)
{
    wide whole = whole_of(t);
    struct lia_decimal d;

    if (t->decimals) {
        if (!decimal_total(t, &d)) {
            return LIANA_ENOMEM;
        }
        *out = lia_value_of_decimal(d, scratch);
        return LIANA_OK;
    }
    if (t->doubles) {
        *out = lia_value_of_double(t->real + (double)whole, scratch);
        return LIANA_OK;
    }
    *out = !t->has_long && whole >= INT32_MIN && whole <= INT32_MAX
               ? lia_value_of_int32((int32_t)whole, scratch)
               : lia_value_of_int64((int64_t)whole, scratch);
    return whole >= INT64_MIN && whole <= INT64_MAX ? LIANA_OK : LIANA_ERANGE;
}

static void sum_final(sqlite3_context *ctx)
{
    const struct lia_sqlfn_entry *entry = sqlite3_user_data(ctx);
    struct totals *t = sqlite3_aggregate_context(ctx, 0);
    struct lia_scratch scratch;
    struct lia_value v;

    if (!t || t->count == 0) {
        return;
    }
    switch (total(t, &scratch, &v)) {
    case LIANA_OK: lia_sqlfn_result(ctx, v); return;
    case LIANA_ENOMEM: sqlite3_result_error_nomem(ctx); return;
    default:
        if (!entry->is_lenient) {
            lia_sqlfn_fail(ctx, LIANA_ERANGE, "the sum is beyond 64 bits");
        }
    }
}

/* As $avg of MongoDB: a Decimal128 if there is one among the values, else a double. */
static void avg_final(sqlite3_context *ctx)
{
    struct totals *t = sqlite3_aggregate_context(ctx, 0);
    struct lia_scratch scratch;
    struct lia_decimal d;

    if (!t || t->count == 0) {
        return;
    }
    if (!t->decimals) {
        lia_sqlfn_result(
            ctx, lia_value_of_double((t->real + (double)whole_of(t)) / (double)t->count,
                                     &scratch));
    } else if (decimal_total(t, &d)) {
        d = lia_decimal_divide(d, lia_decimal_of_int64(t->count));
        lia_sqlfn_result(ctx, lia_value_of_decimal(d, &scratch));
    } else {
        sqlite3_result_error_nomem(ctx);
    }
}

/* ---- extremes ---- */

/* Of values that are equal (1 and 1.0) the one with the smaller bytes stays. */
static bool is_better(const struct totals *t, struct lia_value v, int sign)
{
    struct lia_value best;
    int order;

    if (!t->best) {
        return true;
    }
    best = lia_sql_value(lia_slice(t->best, t->best_len));
    order = lia_value_cmp(v, best) * sign;
    if (order != 0) {
        return order < 0;
    }
    return v.type != best.type ? v.type < best.type
                               : lia_slice_cmp(v.data, best.data) < 0;
}

static void extreme_step(sqlite3_context *ctx, sqlite3_value *arg, int sign)
{
    struct lia_scratch scratch;
    struct totals *t;
    struct lia_value v;
    uint8_t *copy;

    if (!take(ctx, arg, &scratch, &t, &v) || !is_better(t, v, sign)) {
        return;
    }
    copy = sqlite3_realloc64(t->best, v.data.len + 1);
    if (!copy) {
        sqlite3_result_error_nomem(ctx);
        return;
    }
    copy[0] = v.type;
    if (v.data.len) {
        memcpy(copy + 1, v.data.ptr, v.data.len);
    }
    t->best = copy;
    t->best_len = v.data.len + 1;
}

static void min_step(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    (void)argc;
    extreme_step(ctx, argv[0], 1);
}

static void max_step(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    (void)argc;
    extreme_step(ctx, argv[0], -1);
}

static void extreme_final(sqlite3_context *ctx)
{
    struct totals *t = sqlite3_aggregate_context(ctx, 0);

    if (t && t->best) {
        sqlite3_result_blob64(ctx, t->best, t->best_len, sqlite3_free);
        t->best = NULL;
    }
}

int lia_sqlfn_register_aggregates(sqlite3 *sqlite, struct lia_sqlfn_entry entries[2])
{
    static const struct {
        const char *name;
        lia_sqlfn_scalar step;
        void (*final)(sqlite3_context *ctx);
    } rows[] = {
        {"lia_count", count_step, count_final}, {"lia_sum", sum_step, sum_final},
        {"lia_avg", sum_step, avg_final},       {"lia_min", min_step, extreme_final},
        {"lia_max", max_step, extreme_final},
    };
    int code = SQLITE_OK;
    char name[32];

    for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]) && !code; i++) {
        sqlite3_snprintf(sizeof(name), name, "%s%s", rows[i / 2].name,
                         i % 2 ? "_l" : "");
        code = sqlite3_create_function_v2(sqlite, name, 1, LIA_SQLFN_FLAGS,
                                          &entries[i % 2], NULL, rows[i / 2].step,
                                          rows[i / 2].final, NULL);
    }
    return code;
}
