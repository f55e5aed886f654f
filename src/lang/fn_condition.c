/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/compare.h"
#include "lang/functions.h"

static bool is_absent(struct lia_value v)
{
    return lia_is_missing(v) || lia_is_null(v);
}

static bool keeps_all_but_missing(struct lia_value v)
{
    return !lia_is_missing(v);
}

static bool keeps_all_but_null(struct lia_value v)
{
    return !lia_is_null(v);
}

static bool keeps_present(struct lia_value v)
{
    return !is_absent(v);
}

/* The first that is kept, or the last one. */
static liana_status first(const struct lia_value *args,
                          size_t count,
                          bool (*keeps)(struct lia_value v),
                          struct lia_value *out)
{
    size_t i = 0;

    while (i + 1 < count && !keeps(args[i])) {
        i++;
    }
    *out = keeps(args[i]) ? args[i] : lia_value_of_null();
    return LIANA_OK;
}

#define FUNCTION(fn)                                                                   \
    liana_status fn(const struct lia_call *cx, const struct lia_value *args,           \
                    size_t count, struct lia_value *out)

FUNCTION(lia_fn_coalesce)
{
    (void)cx;
    return first(args, count, keeps_present, out);
}

FUNCTION(lia_fn_ifmissingornull)
{
    (void)cx;
    return first(args, count, keeps_present, out);
}

FUNCTION(lia_fn_ifmissing)
{
    (void)cx;
    return first(args, count, keeps_all_but_missing, out);
}

FUNCTION(lia_fn_ifnull)
{
    (void)cx;
    return first(args, count, keeps_all_but_null, out);
}

FUNCTION(lia_fn_ismissing)
{
    (void)cx;
    (void)count;
    return lia_make_bool(lia_is_missing(args[0]), out);
}

FUNCTION(lia_fn_isnull)
{
    (void)cx;
    (void)count;
    return lia_make_bool(lia_is_null(args[0]), out);
}

FUNCTION(lia_fn_ismissingornull)
{
    (void)cx;
    (void)count;
    return lia_make_bool(is_absent(args[0]), out);
}

FUNCTION(lia_fn_nvl)
{
    (void)cx;
    if (count == 2) {
        *out = is_absent(args[0]) ? args[1] : args[0];
    } else {
        *out = is_absent(args[0]) ? args[2] : args[1];
    }
    return LIANA_OK;
}

static bool is_equal(struct lia_value a, struct lia_value b)
{
    int order;

    return lia_compare(a, b, &order) && order == 0;
}

FUNCTION(lia_fn_nullif)
{
    (void)cx;
    (void)count;
    *out = is_equal(args[0], args[1]) ? lia_value_of_null() : args[0];
    return LIANA_OK;
}

FUNCTION(lia_fn_missingif)
{
    (void)cx;
    (void)count;
    *out = is_equal(args[0], args[1]) ? LIA_MISSING : args[0];
    return LIANA_OK;
}
