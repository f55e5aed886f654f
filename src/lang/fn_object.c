/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/compare.h"
#include "lang/functions.h"

#define FUNCTION(fn)                                                                   \
    liana_status fn(const struct lia_call *cx, const struct lia_value *args,           \
                    size_t count, struct lia_value *out)

static uint32_t count_elements(struct liana_slice doc)
{
    struct lia_bson_iter it = lia_bson_iter(doc);
    uint32_t n = 0;

    while (lia_bson_next(&it)) {
        n++;
    }
    return n;
}

/* An array of what `doc` holds: its names, or its values. */
static liana_status list(const struct lia_call *cx,
                         struct liana_slice doc,
                         bool names,
                         struct lia_value *out)
{
    struct lia_bson_iter it = lia_bson_iter(doc);
    struct lia_buf buf;
    char digits[12];
    uint32_t n = 0;
    size_t mark;

    lia_buf_init_max(&buf, cx->arena->alloc, LIA_DOC_BYTES_MAX);
    mark = lia_bson_begin(&buf);
    while (lia_bson_next(&it)) {
        struct liana_str name = lia_bson_index_name(n++, digits);

        if (names) {
            lia_bson_add_str(&buf, name, it.name);
        } else {
            lia_bson_add(&buf, name, it.value);
        }
    }
    lia_bson_end(&buf, mark);
    return lia_make_from_buf(cx, LIA_BSON_ARRAY, &buf, out);
}

FUNCTION(lia_fn_object_keys)
{
    (void)count;
    return list(cx, args[0].data, true, out);
}

FUNCTION(lia_fn_object_values)
{
    (void)count;
    return list(cx, args[0].data, false, out);
}

FUNCTION(lia_fn_object_length)
{
    (void)count;
    return lia_make_int(cx, count_elements(args[0].data), out);
}

FUNCTION(lia_fn_object_size)
{
    (void)count;
    return lia_make_int(cx, (int64_t)args[0].data.len, out);
}

FUNCTION(lia_fn_array_length)
{
    (void)count;
    return lia_make_int(cx, count_elements(args[0].data), out);
}

FUNCTION(lia_fn_array_contains)
{
    (void)cx;
    (void)count;
    if (lia_is_missing(args[1])) {
        *out = LIA_MISSING;
        return LIANA_OK;
    }
    return lia_make_bool(lia_array_has(args[0].data, args[1]), out);
}

/* The value that a later object gives to a name, if one does. */
static bool overridden(const struct lia_value *later,
                       size_t count,
                       struct liana_str name)
{
    struct lia_value ignored;

    for (size_t i = 0; i < count; i++) {
        if (lia_bson_find(later[i].data, name, &ignored)) {
            return true;
        }
    }
    return false;
}

FUNCTION(lia_fn_object_concat)
{
    struct lia_buf buf;
    size_t mark;

    lia_buf_init_max(&buf, cx->arena->alloc, LIA_DOC_BYTES_MAX);
    mark = lia_bson_begin(&buf);
    for (size_t i = 0; i < count; i++) {
        struct lia_bson_iter it = lia_bson_iter(args[i].data);

        while (lia_bson_next(&it)) {
            if (!overridden(args + i + 1, count - i - 1, it.name)) {
                lia_bson_add(&buf, it.name, it.value);
            }
        }
    }
    lia_bson_end(&buf, mark);
    return lia_make_from_buf(cx, LIA_BSON_DOCUMENT, &buf, out);
}
