/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/function.h"

#include <stdarg.h>
#include <stdio.h>

#include "lang/functions.h"

static const struct lia_fn functions[] = {
#define LIA_FN(name, min, max, signature, call, doc)                                   \
    {#name, "lia_" #name, signature, call, doc, min, max, false},
#define LIA_OPERATOR(text, name, min, max, signature, call, doc)                       \
    {text, "lia_op_" #name, signature, call, doc, min, max, true},
#include "lang/functions.def"
#undef LIA_FN
#undef LIA_OPERATOR
};

#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

const struct lia_fn *lia_fn_at(size_t index)
{
    return index < FUNCTIONS ? &functions[index] : NULL;
}

static bool same_name(struct liana_str a, const char *b)
{
    size_t i = 0;

    for (; i < a.len && b[i]; i++) {
        int c = (unsigned char)a.ptr[i];

        c = c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
        if (c != b[i]) {
            return false;
        }
    }
    return i == a.len && !b[i];
}

const struct lia_fn *lia_fn_find(struct liana_str name)
{
    for (size_t i = 0; i < FUNCTIONS; i++) {
        if (!functions[i].is_operator && same_name(name, functions[i].name)) {
            return &functions[i];
        }
    }
    return NULL;
}

const struct lia_fn *lia_fn_operator(const char *name)
{
    for (size_t i = 0; i < FUNCTIONS; i++) {
        if (functions[i].is_operator && strcmp(name, functions[i].name) == 0) {
            return &functions[i];
        }
    }
    LIA_ASSERT(false && "an operator without a row in functions.def");
    return NULL;
}

/* ---- arguments ---- */

static bool fits(char letter, struct lia_value v)
{
    switch (letter) {
    case 's': return v.type == LIA_BSON_STRING || v.type == LIA_BSON_SYMBOL;
    case 'n': return lia_value_is_number(v);
    case 'i': return v.type == LIA_BSON_INT32 || v.type == LIA_BSON_INT64;
    case 'b': return v.type == LIA_BSON_BOOL;
    case 'o': return v.type == LIA_BSON_DOCUMENT;
    case 'l': return v.type == LIA_BSON_ARRAY;
    case 'x': return v.type == LIA_BSON_BINARY;
    default: return true;
    }
}

static const char *letter_name(char letter)
{
    switch (letter) {
    case 's': return "a string";
    case 'n': return "a number";
    case 'i': return "a whole number";
    case 'b': return "a boolean";
    case 'o': return "an object";
    case 'l': return "an array";
    case 'x': return "binary data";
    default: return "a value";
    }
}

liana_status lia_fn_bad(const struct lia_call *cx,
                        struct lia_value *out,
                        liana_status status,
                        const char *format,
                        ...)
{
    char text[160];
    va_list args;

    if (cx->is_lenient) {
        *out = LIA_MISSING;
        return LIANA_OK;
    }
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return lia_err(cx->err, status, "%s: %s", cx->name, text);
}

liana_status lia_fn_invoke(const struct lia_call *cx,
                           const struct lia_fn *fn,
                           const struct lia_value *args,
                           size_t count,
                           struct lia_value *out)
{
    size_t letters = strlen(fn->signature);
    bool is_null = false;
    size_t bad = count;

    for (size_t i = 0; i < count; i++) {
        char letter = fn->signature[i < letters ? i : letters - 1];

        if (letter == 'v') {
            continue;
        }
        if (lia_is_missing(args[i])) {
            *out = LIA_MISSING;
            return LIANA_OK;
        }
        is_null = is_null || lia_is_null(args[i]);
        if (bad == count && !lia_is_null(args[i]) && !fits(letter, args[i])) {
            bad = i;
        }
    }
    if (bad < count) {
        char letter = fn->signature[bad < letters ? bad : letters - 1];

        return lia_fn_bad(cx, out, LIANA_ETYPE, "needs %s, not %s", letter_name(letter),
                          lia_bson_type_name(args[bad].type));
    }
    if (is_null) {
        *out = lia_value_of_null();
        return LIANA_OK;
    }
    return fn->call(cx, args, count, out);
}

/* ---- results ---- */

liana_status lia_make_bool(bool v, struct lia_value *out)
{
    *out = lia_value_of_bool(v);
    return LIANA_OK;
}

liana_status lia_make_value(const struct lia_call *cx,
                            uint8_t type,
                            struct liana_slice payload,
                            struct lia_value *out)
{
    struct liana_slice copy;

    if (!lia_arena_copy(cx->arena, payload, &copy)) {
        return lia_err_plain(cx->err, LIANA_ENOMEM);
    }
    *out = (struct lia_value){type, copy};
    return LIANA_OK;
}

liana_status lia_make_int(const struct lia_call *cx, int64_t v, struct lia_value *out)
{
    struct lia_scratch scratch;
    struct lia_value n = v >= INT32_MIN && v <= INT32_MAX
                             ? lia_value_of_int32((int32_t)v, &scratch)
                             : lia_value_of_int64(v, &scratch);

    return lia_make_value(cx, n.type, n.data, out);
}

liana_status lia_make_str(const struct lia_call *cx,
                          struct liana_str s,
                          struct lia_value *out)
{
    uint32_t n = (uint32_t)s.len + 1;
    uint8_t *at;

    if (s.len > LIA_DOC_BYTES_MAX) {
        return lia_fn_bad(cx, out, LIANA_ETOOLARGE, "a string of %zu bytes", s.len);
    }
    at = lia_arena_alloc(cx->arena, s.len + 5);
    if (!at) {
        return lia_err_plain(cx->err, LIANA_ENOMEM);
    }
    for (int i = 0; i < 4; i++) {
        at[i] = (uint8_t)(n >> (8 * i));
    }
    if (s.len) {
        memcpy(at + 4, s.ptr, s.len);
    }
    at[4 + s.len] = 0;
    *out = (struct lia_value){LIA_BSON_STRING, {at, s.len + 5}};
    return LIANA_OK;
}

liana_status lia_make_from_buf(const struct lia_call *cx,
                               uint8_t type,
                               struct lia_buf *buf,
                               struct lia_value *out)
{
    liana_status status = buf->status;

    if (!status) {
        status = type == LIA_BSON_STRING
                     ? lia_make_str(cx, lia_slice_str(lia_buf_slice(buf)), out)
                     : lia_make_value(cx, type, lia_buf_slice(buf), out);
    }
    lia_buf_deinit(buf);
    if (status == LIANA_ETOOLARGE) {
        return lia_fn_bad(cx, out, status, "the result is beyond %zu MiB",
                          LIA_DOC_BYTES_MAX / LIA_MIB);
    }
    return lia_err_plain(cx->err, status);
}

int64_t lia_int_of(struct lia_value v)
{
    return v.type == LIA_BSON_INT32 ? lia_value_int32(v) : lia_value_int64(v);
}
