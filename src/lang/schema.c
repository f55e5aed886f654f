/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/schema.h"

#include <stdlib.h>

#include "lang/sql.h"

/* ---- types ---- */

#define ANYTHING LIA_ANY_TYPE
#define BIT(t)   (1u << LIA_BSON_##t)

static const struct lia_type types[] = {
#define LIA_TYPE(name, kind, types) {#name, LIA_KIND_##kind, types},
#define LIA_TYPE_ALIAS(name, other)
#define LIA_TYPE_LATER(name)
#include "lang/types.def"
#undef LIA_TYPE
#undef LIA_TYPE_ALIAS
#undef LIA_TYPE_LATER
};

/* Other words; `other` NULL: not there yet. */
static const struct {
    const char *name;
    const char *other;
} words[] = {
#define LIA_TYPE(name, kind, types)
#define LIA_TYPE_ALIAS(name, other) {#name, #other},
#define LIA_TYPE_LATER(name)        {#name, NULL},
#include "lang/types.def"
#undef LIA_TYPE
#undef LIA_TYPE_ALIAS
#undef LIA_TYPE_LATER
};

static const struct lia_type unknown_type = {"unknown", LIA_KIND_UNKNOWN, 0};

static bool same_word(struct liana_str a, const char *b)
{
    size_t n = strlen(b);

    for (size_t i = 0; i < n && a.len == n; i++) {
        char c = a.ptr[i];

        if ((c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c) != b[i]) {
            return false;
        }
    }
    return a.len == n;
}

const struct lia_type *lia_type_find(struct liana_str name, bool *out_later)
{
    *out_later = false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (same_word(name, words[i].name)) {
            *out_later = !words[i].other;
            name = *out_later ? name : lia_str(words[i].other);
            break;
        }
    }
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (same_word(name, types[i].name)) {
            return &types[i];
        }
    }
    return NULL;
}

/* ---- paths ---- */

static int names_cmp(const struct liana_str *a,
                     uint32_t a_count,
                     const struct liana_str *b,
                     uint32_t b_count)
{
    for (uint32_t i = 0; i < a_count && i < b_count; i++) {
        int order = lia_slice_cmp(lia_str_slice(a[i]), lia_str_slice(b[i]));

        if (order) {
            return order;
        }
    }
    return (a_count > b_count) - (a_count < b_count);
}

int lia_declared_cmp(const struct lia_declared *a, const struct lia_declared *b)
{
    return names_cmp(a->names, a->count, b->names, b->count);
}

static int compare(const void *a, const void *b)
{
    return lia_declared_cmp(a, b);
}

/* One path may be written in two ways by somebody who is not us. */
static int compare_written(const void *a, const void *b)
{
    const struct lia_declared *x = a;
    const struct lia_declared *y = b;
    int order = lia_declared_cmp(x, y);

    return order ? order
                 : lia_slice_cmp(lia_str_slice(x->text), lia_str_slice(y->text));
}

bool lia_declared_has_fields(const struct lia_declared *d)
{
    return d->type->kind == LIA_KIND_VALUE && (d->type->types >> LIA_BSON_DOCUMENT & 1);
}

bool lia_declared_is_below(const struct lia_declared *b, const struct lia_declared *a)
{
    return b->count > a->count &&
           names_cmp(a->names, a->count, b->names, a->count) == 0;
}

const struct lia_declared *lia_schema_find(const struct lia_schema *schema,
                                           const struct liana_str *names,
                                           uint32_t count)
{
    const struct lia_declared key = {.names = names, .count = count};

    return schema->path_count
               ? bsearch(&key, schema->paths, schema->path_count, sizeof(key), compare)
               : NULL;
}

const struct lia_declared *lia_schema_above(const struct lia_schema *schema,
                                            const struct liana_str *names,
                                            uint32_t count)
{
    for (uint32_t n = 1; n < count; n++) {
        const struct lia_declared *d = lia_schema_find(schema, names, n);

        if (d && !lia_declared_has_fields(d)) {
            return d;
        }
    }
    return NULL;
}

/* ---- reading ---- */

static bool is_true(struct liana_slice doc, const char *name)
{
    struct lia_value v;

    return lia_bson_find(doc, lia_str(name), &v) && v.type == LIA_BSON_BOOL &&
           lia_value_bool(v);
}

static void read_min(struct liana_slice doc, struct lia_declared *out)
{
    struct lia_value v;

    if (out->type->kind != LIA_KIND_COUNTER ||
        !lia_bson_find(doc, lia_str("min"), &v)) {
        return;
    }
    if (v.type == LIA_BSON_INT32 || v.type == LIA_BSON_INT64) {
        out->has_min = true;
        out->min = v.type == LIA_BSON_INT32 ? lia_value_int32(v) : lia_value_int64(v);
    } else {
        out->type = &unknown_type;
    }
}

static liana_status copy_text(struct lia_arena *arena,
                              struct liana_str text,
                              struct liana_str *out)
{
    struct liana_slice copy;

    if (!lia_arena_copy(arena, lia_str_slice(text), &copy)) {
        return LIANA_ENOMEM;
    }
    *out = lia_slice_str(copy);
    return LIANA_OK;
}

static liana_status read_type(struct lia_arena *arena,
                              struct liana_slice doc,
                              struct lia_declared *out)
{
    struct lia_value v;
    bool is_later = false;

    out->type = &unknown_type;
    if (!lia_bson_find(doc, lia_str("type"), &v) || v.type != LIA_BSON_STRING) {
        out->type_name = lia_str(unknown_type.name);
        return LIANA_OK;
    }
    if (lia_type_find(lia_value_str(v), &is_later)) {
        out->type = lia_type_find(lia_value_str(v), &is_later);
    }
    return copy_text(arena, lia_value_str(v), &out->type_name);
}

/* LIANA_EINVAL: says nothing. */
static liana_status read_names(struct lia_arena *arena,
                               struct liana_str text,
                               struct lia_declared *out)
{
    struct lia_steps steps;
    struct liana_str *names;
    liana_status status = lia_path_parse(arena, text, &steps);

    if (status) {
        return status;
    }
    names = lia_arena_array(arena, steps.count, sizeof(*names));
    if (!names) {
        return LIANA_ENOMEM;
    }
    for (uint32_t i = 0; i < steps.count; i++) {
        if (!steps.items[i].name.ptr) {
            return LIANA_EINVAL; /* elements are not declared */
        }
        names[i] = steps.items[i].name;
    }
    out->names = names;
    out->count = steps.count;
    return copy_text(arena, text, &out->text);
}

/* No declaration makes of an _id what cannot be one. */
static bool is_meant(const struct lia_declared *d)
{
    return d->type->kind == LIA_KIND_VALUE ||
           !lia_str_equal(d->names[0], lia_str("_id"));
}

static liana_status read_path(struct lia_arena *arena,
                              const struct lia_bson_iter *it,
                              struct lia_declared *out)
{
    liana_status status = it->value.type == LIA_BSON_DOCUMENT
                              ? read_names(arena, it->name, out)
                              : LIANA_EINVAL;

    if (!status) {
        status = read_type(arena, it->value.data, out);
    }
    if (!status) {
        out->is_not_null = is_true(it->value.data, "notNull");
        out->is_immutable = is_true(it->value.data, "immutable");
        read_min(it->value.data, out);
        status = is_meant(out) ? LIANA_OK : LIANA_EINVAL;
    }
    return status;
}

/* Of a path and those below it the upper one holds, if it leaves them no room. Of one path
 * written in two ways the first. */
static void drop_shadowed(struct lia_schema *s)
{
    const struct lia_declared *leaf = NULL;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < s->path_count; i++) {
        bool is_again =
            kept && lia_declared_cmp(&s->paths[i], &s->paths[kept - 1]) == 0;

        if (is_again || (leaf && lia_declared_is_below(&s->paths[i], leaf))) {
            continue;
        }
        s->paths[kept] = s->paths[i];
        leaf = lia_declared_has_fields(&s->paths[kept]) ? NULL : &s->paths[kept];
        kept++;
    }
    s->path_count = kept;
}

static liana_status read_paths(struct lia_arena *arena,
                               struct liana_slice doc,
                               struct lia_schema *out)
{
    struct lia_bson_iter it = lia_bson_iter(doc);
    size_t n = 0;

    while (lia_bson_next(&it)) {
        n++;
    }
    n = n < LIA_DECLARED_MAX ? n : LIA_DECLARED_MAX;
    out->paths = lia_arena_array(arena, n, sizeof(*out->paths));
    if (!out->paths) {
        return LIANA_ENOMEM;
    }
    it = lia_bson_iter(doc);
    while (out->path_count < n && lia_bson_next(&it)) {
        struct lia_declared *d = &out->paths[out->path_count];
        liana_status status;

        *d = (struct lia_declared){0};
        status = read_path(arena, &it, d);

        if (status == LIANA_ENOMEM) {
            return status;
        }
        out->path_count += !status;
    }
    if (out->path_count) {
        qsort(out->paths, out->path_count, sizeof(*out->paths), compare_written);
    }
    drop_shadowed(out);
    return LIANA_OK;
}

static void read_options(struct liana_slice doc, struct lia_collection_options *out)
{
    struct lia_bson_iter it = lia_bson_iter(doc);

    while (lia_bson_next(&it)) {
        /* What a peer says that knows more is not for us. */
        LIA_IGNORE(lia_option_take(it.name, it.value, out, NULL));
    }
}

liana_status lia_schema_read(struct lia_arena *arena,
                             struct liana_slice document,
                             struct lia_schema *out)
{
    struct lia_schema schema = {.is_declared = document.len > 0};
    struct lia_value v;
    liana_status status = LIANA_OK;

    if (lia_bson_find(document, lia_str("paths"), &v) && v.type == LIA_BSON_DOCUMENT) {
        status = read_paths(arena, v.data, &schema);
    }
    if (lia_bson_find(document, lia_str("options"), &v) &&
        v.type == LIA_BSON_DOCUMENT) {
        read_options(v.data, &schema.options);
    }
    if (!status) {
        *out = schema;
    }
    return status;
}

/* ---- joining ---- */

static liana_status check_same(const struct lia_schema *schema,
                               const struct lia_declared *d,
                               struct liana_error *err)
{
    const struct lia_declared *known = lia_schema_find(schema, d->names, d->count);
    const struct lia_declared *above = lia_schema_above(schema, d->names, d->count);

    if (known && known->type != d->type) {
        return lia_err(err, LIANA_ESCHEMA, "%.*s is declared %.*s, not %s",
                       LIA_STR_ARG(d->text), LIA_STR_ARG(known->type_name),
                       d->type->name);
    }
    if (above) {
        return lia_err(err, LIANA_ESCHEMA,
                       "%.*s is declared %.*s and has no fields of its own",
                       LIA_STR_ARG(above->text), LIA_STR_ARG(above->type_name));
    }
    return LIANA_OK;
}

liana_status lia_schema_join(struct lia_arena *arena,
                             const struct lia_schema *schema,
                             const struct lia_declared *more,
                             uint32_t count,
                             struct lia_schema *out,
                             struct liana_error *err)
{
    struct lia_schema joined = *schema;

    joined.paths = lia_arena_array(arena, (size_t)schema->path_count + count,
                                   sizeof(*joined.paths));
    if (!joined.paths) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    if (schema->path_count) {
        memcpy(joined.paths, schema->paths, schema->path_count * sizeof(*more));
    }
    for (uint32_t i = 0; i < count; i++) {
        liana_status status = check_same(schema, &more[i], err);

        if (status) {
            return status;
        }
        if (!lia_schema_find(schema, more[i].names, more[i].count)) {
            joined.paths[joined.path_count++] = more[i];
        }
    }
    if (joined.path_count) {
        qsort(joined.paths, joined.path_count, sizeof(*more), compare_written);
    }
    drop_shadowed(&joined);
    *out = joined;
    return LIANA_OK;
}
