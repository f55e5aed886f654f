/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "codec/bson.h"
#include "codec/bson_names.h"
#include "codec/bson_rewrite.h"
#include "codec/utf8.h"

/* A walk without recursion: each level is checked whole, then its containers are entered
 * one after the other. */
struct check {
    struct lia_names names;
    struct liana_error *err;
    bool is_strict;    /* what has another canonical form is an error, not only noted */
    bool is_canonical; /* nothing like that was met */
    size_t depth;
    size_t depth_max;
    struct lia_bson_iter levels[LIA_DEPTH_MAX + 2]; /* [0] is the document */
};

/* ---- messages ---- */

#define PATH_TEXT 120

static size_t append_name(char *path, size_t used, struct liana_str name)
{
    int n;

    if (!lia_utf8_valid(lia_str_slice(name))) {
        name = lia_str("?");
    }
    n = snprintf(path + used, PATH_TEXT - used, "%s%.*s", used ? "." : "",
                 LIA_STR_ARG(name));
    used += n > 0 ? (size_t)n : 0;
    return used < PATH_TEXT ? used : PATH_TEXT - 1;
}

/* The path of `name` in the innermost level; of the level itself without a name. A path
 * that is too long loses its end, at a character boundary. */
static void make_path(const struct check *c,
                      const struct liana_str *name,
                      char path[static PATH_TEXT])
{
    size_t used = 0;

    path[0] = '\0';
    for (size_t i = 0; i < c->depth; i++) {
        used = append_name(path, used, c->levels[i].name);
    }
    if (name) {
        used = append_name(path, used, *name);
    }
    path[lia_utf8_valid_len(lia_slice(path, used))] = '\0';
}

static liana_status fail(const struct check *c,
                         liana_status status,
                         const struct liana_str *name,
                         const char *what)
{
    char path[PATH_TEXT];

    make_path(c, name, path);
    return c->depth || name ? lia_err(c->err, status, "%s: %s", path, what)
                            : lia_err(c->err, status, "document: %s", what);
}

/* The element at `at` could not be read: say why. */
static liana_status fail_element(const struct check *c,
                                 const uint8_t *at,
                                 const uint8_t *end)
{
    const char *text = (const char *)at + 1;
    const char *nul = memchr(text, 0, (size_t)(end - at) - 1);
    struct liana_str name = {text, nul ? (size_t)(nul - text) : 0};
    char what[64];

    if (!nul) {
        return fail(c, LIANA_EBSON, NULL, "field name does not end");
    }
    if (strcmp(lia_bson_type_name(at[0]), "unknown type") == 0) {
        (void)snprintf(what, sizeof(what), "unknown BSON type 0x%02x", at[0]);
        return fail(c, LIANA_EBSON, &name, what);
    }
    (void)snprintf(what, sizeof(what), "%s goes beyond the end of its document",
                   lia_bson_type_name(at[0]));
    return fail(c, LIANA_EBSON, &name, what);
}

/* ---- one value: NULL, or what is wrong with it ---- */

static const char *canonical_fault(struct check *c, const char *what)
{
    c->is_canonical = false;
    return c->is_strict ? what : NULL;
}

static const char *string_fault(struct liana_slice data)
{
    if (data.ptr[data.len - 1] != 0) {
        return "string does not end with NUL";
    }
    if (!lia_utf8_valid(lia_slice_sub(data, 4, data.len - 5))) {
        return "string is not UTF-8";
    }
    return NULL;
}

static uint32_t length_at(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

/* int32 length of all, string, document: each must end where the next begins. */
static const char *scope_fault(struct liana_slice data)
{
    size_t text_len = 0;
    size_t scope_len = 0;
    const uint8_t *text = data.ptr + 4;
    const uint8_t *end = data.ptr + data.len;

    if (!lia_bson_value_len(LIA_BSON_CODE, text, end, &text_len) ||
        !lia_bson_value_len(LIA_BSON_DOCUMENT, text + text_len, end, &scope_len) ||
        text + text_len + scope_len != end) {
        return "lengths of code and scope do not fit";
    }
    return string_fault(lia_slice(text, text_len));
}

static const char *binary_fault(struct liana_slice data)
{
    uint32_t len = length_at(data.ptr);

    if (data.ptr[4] == 0x02 && (len < 4 || length_at(data.ptr + 5) != len - 4)) {
        return "lengths of old binary do not fit";
    }
    return NULL;
}

static const char *regex_fault(struct check *c, struct liana_slice data)
{
    const uint8_t *option = data.ptr + strlen((const char *)data.ptr) + 1;
    bool is_sorted = true;

    if (!lia_utf8_valid(data)) {
        return "regular expression is not UTF-8";
    }
    for (; option[0]; option++) {
        if (option[0] > 0x7f) {
            return "options of regular expression are not ASCII";
        }
        is_sorted = is_sorted && (!option[1] || option[0] <= option[1]);
    }
    return is_sorted
               ? NULL
               : canonical_fault(c, "options of regular expression are not sorted");
}

static const char *value_fault(struct check *c, struct lia_value v)
{
    switch (v.type) {
    case LIA_BSON_STRING:
    case LIA_BSON_CODE:
    case LIA_BSON_SYMBOL: return string_fault(v.data);
    case LIA_BSON_DBPOINTER:
        return string_fault(lia_slice_sub(v.data, 0, v.data.len - 12));
    case LIA_BSON_CODE_W_SCOPE: return scope_fault(v.data);
    case LIA_BSON_BINARY: return binary_fault(v.data);
    case LIA_BSON_REGEX: return regex_fault(c, v.data);
    case LIA_BSON_BOOL: return v.data.ptr[0] > 1 ? "boolean is not 0 or 1" : NULL;
    default: return NULL;
    }
}

/* ---- one level ---- */

static liana_status check_element(struct check *c,
                                  const struct lia_bson_iter *it,
                                  bool is_array,
                                  size_t index)
{
    char text[12];
    const char *fault = NULL;

    if (!lia_utf8_valid(lia_str_slice(it->name))) {
        return fail(c, LIANA_EBSON, NULL, "field name is not UTF-8");
    }
    if (is_array &&
        !lia_str_equal(it->name, lia_bson_index_name((uint32_t)index, text))) {
        fault = canonical_fault(c, "name of array element is not its index");
    }
    fault = fault ? fault : value_fault(c, it->value);
    return fault ? fail(c, LIANA_EBSON, &it->name, fault) : LIANA_OK;
}

/* What of a level is left to do when its elements have been checked. */
struct level {
    size_t count;
    bool has_inner; /* something to enter */
    struct liana_str few[LIA_NAMES_FEW];
};

static bool is_entered(uint8_t type)
{
    return type == LIA_BSON_DOCUMENT || type == LIA_BSON_ARRAY ||
           type == LIA_BSON_CODE_W_SCOPE;
}

static liana_status check_elements(struct check *c,
                                   struct liana_slice doc,
                                   bool is_array,
                                   struct level *level)
{
    struct lia_bson_iter it = lia_bson_iter(doc);
    liana_status status = LIANA_OK;

    while (!status && it.at < it.end) {
        const uint8_t *at = it.at;

        if (!lia_bson_next(&it)) {
            return fail_element(c, at, it.end);
        }
        status = check_element(c, &it, is_array, level->count);
        if (level->count < LIA_NAMES_FEW) {
            level->few[level->count] = it.name;
        }
        level->has_inner |= is_entered(it.value.type);
        level->count++;
    }
    return status;
}

static liana_status check_level(struct check *c,
                                struct liana_slice doc,
                                bool is_array,
                                bool *out_has_inner)
{
    struct liana_str twice = {0};
    struct level level;
    liana_status status;

    level.count = 0;
    level.has_inner = false;
    status = check_elements(c, doc, is_array, &level);
    *out_has_inner = level.has_inner;
    if (status || is_array) {
        return status;
    }
    status = level.count <= LIA_NAMES_FEW
                 ? lia_names_few_unique(level.few, level.count, &twice)
                 : lia_names_unique(&c->names, doc, level.count, &twice);
    if (status == LIANA_EDUPFIELD) {
        return fail(c, status, &twice, "field name stands twice");
    }
    return lia_err_plain(c->err, status);
}

/* ---- all levels ---- */

static liana_status enter(struct check *c, struct liana_slice doc, bool is_array)
{
    bool has_inner = false;
    liana_status status;

    if (c->depth > c->depth_max) {
        return fail(c, LIANA_EDEPTH, NULL, "nested too deeply");
    }
    if (doc.len < 5 || length_at(doc.ptr) != doc.len || doc.ptr[doc.len - 1] != 0) {
        return fail(c, LIANA_EBSON, NULL, "length or end of document is wrong");
    }
    status = check_level(c, doc, is_array, &has_inner);
    if (!status && has_inner) {
        c->levels[c->depth++] = lia_bson_iter(doc);
    }
    return status;
}

static liana_status enter_value(struct check *c, struct lia_value v)
{
    switch (v.type) {
    case LIA_BSON_DOCUMENT:
    case LIA_BSON_ARRAY: return enter(c, v.data, v.type == LIA_BSON_ARRAY);
    case LIA_BSON_CODE_W_SCOPE: return enter(c, lia_value_scope(v), false);
    default: return LIANA_OK;
    }
}

static liana_status check(struct check *c, struct liana_slice doc)
{
    liana_status status = enter(c, doc, false);

    while (!status && c->depth > 0) {
        struct lia_bson_iter *it = &c->levels[c->depth - 1];

        if (lia_bson_next(it)) {
            status = enter_value(c, it->value);
        } else {
            c->depth--;
        }
    }
    return status;
}

static void init(struct check *c,
                 struct liana_slice doc,
                 const struct liana_allocator *alloc,
                 struct liana_error *err)
{
    c->names = (struct lia_names){.alloc = alloc, .doc = doc};
    c->err = err;
    c->is_strict = true;
    c->is_canonical = true;
    c->depth = 0;
    c->depth_max = LIA_DEPTH_MAX;
}

liana_status lia_bson_check(struct liana_slice doc,
                            const struct liana_allocator *alloc,
                            struct liana_error *err)
{
    struct check c;

    init(&c, doc, alloc, err);
    return check(&c, doc);
}

static liana_status canonicalize(struct liana_slice doc,
                                 size_t depth_max,
                                 struct lia_buf *out,
                                 struct liana_error *err)
{
    struct check c;
    size_t start = out->len;
    liana_status status;

    init(&c, doc, out->alloc, err);
    c.is_strict = false;
    c.depth_max = depth_max;
    status = check(&c, doc);
    if (status) {
        return status;
    }
    if (c.is_canonical) {
        lia_buf_slice_add(out, doc);
    } else {
        lia_bson_rewrite(doc, out);
    }
    if (out->status) {
        out->len = start;
    }
    return lia_err_plain(err, out->status);
}

liana_status lia_bson_canonicalize(struct liana_slice doc,
                                   struct lia_buf *out,
                                   struct liana_error *err)
{
    return canonicalize(doc, LIA_DEPTH_MAX, out, err);
}

liana_status lia_bson_canonicalize_values(struct liana_slice values,
                                          struct lia_buf *out,
                                          struct liana_error *err)
{
    return canonicalize(values, LIA_DEPTH_MAX + 1, out, err);
}
