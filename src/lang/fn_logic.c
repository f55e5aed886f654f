/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparisons, logic, and the constructors of arrays and objects. The rules stand in lang/value.h.
 */
#include "lang/compare.h"
#include "lang/functions.h"

/* ---- comparing ---- */

/* MISSING for values of two classes, else whether the order has one of the wanted signs. */
static liana_status compare(const struct lia_value *args,
                            bool less,
                            bool equal,
                            bool greater,
                            struct lia_value *out)
{
    int order;

    if (!lia_compare(args[0], args[1], &order)) {
        *out = LIA_MISSING;
        return LIANA_OK;
    }
    return lia_make_bool(order < 0 ? less : order > 0 ? greater : equal, out);
}

#define COMPARISON(fn, less, equal, greater)                                           \
    liana_status fn(const struct lia_call *cx, const struct lia_value *args,           \
                    size_t count, struct lia_value *out)                               \
    {                                                                                  \
        (void)cx;                                                                      \
        (void)count;                                                                   \
        return compare(args, less, equal, greater, out);                               \
    }

COMPARISON(lia_fn_eq, false, true, false)
COMPARISON(lia_fn_ne, true, false, true)
COMPARISON(lia_fn_lt, true, false, false)
COMPARISON(lia_fn_le, true, true, false)
COMPARISON(lia_fn_gt, false, false, true)
COMPARISON(lia_fn_ge, false, true, true)

/* Membership: TRUE or FALSE; values of other classes are simply not equal. */
liana_status lia_fn_in(const struct lia_call *cx,
                       const struct lia_value *args,
                       size_t count,
                       struct lia_value *out)
{
    (void)count;
    if (lia_is_missing(args[0]) || lia_is_missing(args[1])) {
        *out = LIA_MISSING;
        return LIANA_OK;
    }
    if (lia_is_null(args[1])) {
        *out = lia_value_of_null();
        return LIANA_OK;
    }
    if (args[1].type != LIA_BSON_ARRAY) {
        return lia_fn_bad(cx, out, LIANA_ETYPE, "needs an array, not %s",
                          lia_bson_type_name(args[1].type));
    }
    return lia_make_bool(lia_array_has(args[1].data, args[0]), out);
}

/* ---- logic ---- */

enum truth { IS_FALSE, IS_TRUE, IS_NULL, IS_MISSING };

static liana_status truth_of(const struct lia_call *cx,
                             struct lia_value v,
                             enum truth *out)
{
    struct lia_value ignored;

    if (v.type == LIA_BSON_BOOL) {
        *out = lia_value_bool(v) ? IS_TRUE : IS_FALSE;
    } else if (lia_is_null(v)) {
        *out = IS_NULL;
    } else {
        *out = IS_MISSING;
        if (!lia_is_missing(v)) {
            return lia_fn_bad(cx, &ignored, LIANA_ETYPE, "needs a boolean, not %s",
                              lia_bson_type_name(v.type));
        }
    }
    return LIANA_OK;
}

static liana_status answer(enum truth t, struct lia_value *out)
{
    *out = t == IS_MISSING ? LIA_MISSING
           : t == IS_NULL  ? lia_value_of_null()
                           : lia_value_of_bool(t == IS_TRUE);
    return LIANA_OK;
}

/* The stronger of two operands wins. AND: FALSE, MISSING, null, TRUE; OR: TRUE, null,
 * MISSING, FALSE. */
static liana_status fold(const struct lia_call *cx,
                         const struct lia_value *args,
                         size_t count,
                         const enum truth strongest_first[4],
                         struct lia_value *out)
{
    size_t best = 3;

    for (size_t i = 0; i < count && best > 0; i++) {
        enum truth t;
        liana_status status = truth_of(cx, args[i], &t);

        if (status) {
            return status;
        }
        for (size_t k = 0; k < best; k++) {
            best = strongest_first[k] == t ? k : best;
        }
    }
    return answer(strongest_first[best], out);
}

liana_status lia_fn_and(const struct lia_call *cx,
                        const struct lia_value *args,
                        size_t count,
                        struct lia_value *out)
{
    static const enum truth order[4] = {IS_FALSE, IS_MISSING, IS_NULL, IS_TRUE};

    return fold(cx, args, count, order, out);
}

liana_status lia_fn_or(const struct lia_call *cx,
                       const struct lia_value *args,
                       size_t count,
                       struct lia_value *out)
{
    static const enum truth order[4] = {IS_TRUE, IS_NULL, IS_MISSING, IS_FALSE};

    return fold(cx, args, count, order, out);
}

liana_status lia_fn_xor(const struct lia_call *cx,
                        const struct lia_value *args,
                        size_t count,
                        struct lia_value *out)
{
    enum truth a;
    enum truth b;
    liana_status status = truth_of(cx, args[0], &a);

    (void)count;
    status = status ? status : truth_of(cx, args[1], &b);
    if (status) {
        return status;
    }
    if (a == IS_MISSING || b == IS_MISSING) {
        return answer(IS_MISSING, out);
    }
    if (a == IS_NULL || b == IS_NULL) {
        return answer(IS_NULL, out);
    }
    return answer(a != b ? IS_TRUE : IS_FALSE, out);
}

liana_status lia_fn_not(const struct lia_call *cx,
                        const struct lia_value *args,
                        size_t count,
                        struct lia_value *out)
{
    enum truth t;
    liana_status status = truth_of(cx, args[0], &t);

    (void)count;
    if (status) {
        return status;
    }
    return answer(t == IS_TRUE ? IS_FALSE : t == IS_FALSE ? IS_TRUE : t, out);
}

#define TEST(fn, condition)                                                            \
    liana_status fn(const struct lia_call *cx, const struct lia_value *args,           \
                    size_t count, struct lia_value *out)                               \
    {                                                                                  \
        (void)cx;                                                                      \
        (void)count;                                                                   \
        return lia_make_bool((condition), out);                                        \
    }

TEST(lia_fn_is_null, lia_is_null(args[0]))
TEST(lia_fn_is_not_null, !lia_is_null(args[0]) && !lia_is_missing(args[0]))
TEST(lia_fn_is_missing, lia_is_missing(args[0]))
TEST(lia_fn_is_not_missing, !lia_is_missing(args[0]))

/* ---- constructors ---- */

liana_status lia_fn_array(const struct lia_call *cx,
                          const struct lia_value *args,
                          size_t count,
                          struct lia_value *out)
{
    struct lia_buf buf;
    char digits[12];
    uint32_t n = 0;
    size_t mark;

    lia_buf_init_max(&buf, cx->arena->alloc, LIA_DOC_BYTES_MAX);
    mark = lia_bson_begin(&buf);
    for (size_t i = 0; i < count; i++) {
        if (!lia_is_missing(args[i])) {
            lia_bson_add(&buf, lia_bson_index_name(n++, digits), args[i]);
        }
    }
    lia_bson_end(&buf, mark);
    return lia_make_from_buf(cx, LIA_BSON_ARRAY, &buf, out);
}

liana_status lia_fn_object(const struct lia_call *cx,
                           const struct lia_value *args,
                           size_t count,
                           struct lia_value *out)
{
    struct lia_buf buf;
    size_t mark;

    lia_buf_init_max(&buf, cx->arena->alloc, LIA_DOC_BYTES_MAX);
    mark = lia_bson_begin(&buf);
    for (size_t i = 0; i + 1 < count; i += 2) {
        if (!lia_is_missing(args[i + 1])) {
            lia_bson_add(&buf, lia_value_str(args[i]), args[i + 1]);
        }
    }
    lia_bson_end(&buf, mark);
    return lia_make_from_buf(cx, LIA_BSON_DOCUMENT, &buf, out);
}
