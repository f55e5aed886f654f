/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the grammar's actions make of CREATE, ALTER and DROP COLLECTION.
 */
#include "lang/build.h"
#include "lang/sql.h"

struct lia_stmt *lia_build_schema(struct lia_parser *p,
                                  enum lia_stmt_kind kind,
                                  struct lia_source source,
                                  bool is_conditional,
                                  struct lia_alters alters)
{
    struct lia_stmt *s = lia_build_stmt(p, kind);

    if (s) {
        s->source = source;
        s->is_conditional = is_conditional;
        s->alters = alters;
    }
    return s;
}

/* ---- paths ---- */

static bool copy_names(struct lia_parser *p,
                       const struct lia_expr *path,
                       struct lia_declared *out)
{
    uint32_t n = path->path.count;
    struct liana_str *names = lia_arena_array(p->arena, n, sizeof(*names));

    if (!names) {
        p->status = lia_err_plain(p->err, LIANA_ENOMEM);
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        names[i] = path->path.items[i].name;
        if (!names[i].ptr) {
            lia_parser_fail(p, path->offset, LIANA_ESYNTAX,
                            "an element of an array cannot be declared");
            return false;
        }
    }
    out->names = names;
    out->count = n;
    return true;
}

static void print_text(struct lia_parser *p,
                       const struct lia_expr *path,
                       struct lia_declared *out)
{
    struct liana_slice copy;
    struct lia_buf text;

    lia_buf_init(&text, p->arena->alloc);
    lia_path_print(&text, &path->path);
    if (text.status || !lia_arena_copy(p->arena, lia_buf_slice(&text), &copy)) {
        p->status = lia_err_plain(p->err, LIANA_ENOMEM);
    } else {
        out->text = lia_slice_str(copy);
    }
    lia_buf_deinit(&text);
}

struct lia_declared lia_build_undeclared(struct lia_parser *p,
                                         const struct lia_expr *path)
{
    struct lia_declared d = {0};

    if (!p->status && copy_names(p, path, &d)) {
        d.offset = path->offset;
        print_text(p, path, &d);
    }
    return d;
}

/* ---- types ---- */

#define LIA_TYPE(name, kind, types) ", " #name
#define LIA_TYPE_ALIAS(name, other)
#define LIA_TYPE_LATER(name)
static const char all_types[] =
#include "lang/types.def"
    ;
#undef LIA_TYPE
#undef LIA_TYPE_ALIAS
#undef LIA_TYPE_LATER

static void find_type(struct lia_parser *p,
                      struct lia_token word,
                      struct lia_declared *out)
{
    bool is_later;

    out->type = lia_type_find(word.text, &is_later);
    if (is_later) {
        lia_parser_fail(p, word.offset, LIANA_ESYNTAX, "%.*s is not supported",
                        LIA_STR_ARG(word.text));
    } else if (!out->type) {
        lia_parser_fail(p, word.offset, LIANA_ESYNTAX, "%.*s is no type; there are %s",
                        (int)(word.text.len < 30 ? word.text.len : 30), word.text.ptr,
                        all_types + 2);
    } else {
        out->type_name = lia_str(out->type->name);
    }
}

struct lia_declared lia_build_declaration(struct lia_parser *p,
                                          const struct lia_expr *path,
                                          struct lia_token type,
                                          struct lia_declared traits)
{
    struct lia_declared d = lia_build_undeclared(p, path);

    if (p->status) {
        return d;
    }
    find_type(p, type, &d);
    d.is_not_null = traits.is_not_null;
    d.is_immutable = traits.is_immutable;
    d.has_min = traits.has_min;
    d.min = traits.min;
    return d;
}

struct lia_declared lia_build_min(struct lia_parser *p,
                                  struct lia_declared traits,
                                  struct lia_token word,
                                  const struct lia_expr *value)
{
    static const char min[] = "min";
    bool is_min = word.text.len == sizeof(min) - 1;

    for (size_t i = 0; is_min && i < word.text.len; i++) {
        is_min = (word.text.ptr[i] | 0x20) == min[i];
    }
    if (!is_min) {
        lia_parser_fail(p, word.offset, LIANA_ESYNTAX,
                        "expected NOT NULL, IMMUTABLE or MIN, not %.*s",
                        (int)(word.text.len < 60 ? word.text.len : 60), word.text.ptr);
    } else if (traits.has_min) {
        lia_parser_fail(p, word.offset, LIANA_ESYNTAX, "MIN stands here twice");
    } else if (value) {
        traits.has_min = true;
        traits.min = value->value.type == LIA_BSON_INT32
                         ? lia_value_int32(value->value)
                         : lia_value_int64(value->value);
    }
    return traits;
}

/* ---- lists ---- */

struct lia_declarations lia_build_declared(struct lia_parser *p,
                                           struct lia_declarations list,
                                           struct lia_declared item)
{
    LIA_APPEND(p, list, item);
    return list;
}

struct lia_alters lia_build_alter(struct lia_parser *p,
                                  struct lia_alters list,
                                  struct lia_alter item)
{
    LIA_APPEND(p, list, item);
    return list;
}

struct lia_alters lia_build_alters(struct lia_parser *p,
                                   struct lia_alters a,
                                   struct lia_alters b)
{
    for (uint32_t i = 0; i < b.count; i++) {
        LIA_APPEND(p, a, b.items[i]);
    }
    return a;
}

static struct lia_alter change(enum lia_alter_kind kind, struct lia_declared declared)
{
    return (struct lia_alter){
        .kind = kind, .path = declared, .offset = declared.offset};
}

struct lia_alters lia_build_adds(struct lia_parser *p,
                                 struct lia_declarations declared,
                                 struct lia_alters options)
{
    struct lia_alters list = {0};

    for (uint32_t i = 0; i < declared.count; i++) {
        LIA_APPEND(p, list, change(LIA_ALTER_ADD, declared.items[i]));
    }
    return lia_build_alters(p, list, options);
}

struct lia_alters lia_build_change(struct lia_parser *p,
                                   enum lia_alter_kind kind,
                                   struct lia_declared declared)
{
    return lia_build_alter(p, (struct lia_alters){0}, change(kind, declared));
}

struct lia_alters lia_build_reset(struct lia_parser *p,
                                  struct lia_alters list,
                                  struct lia_token name)
{
    struct lia_alter reset = {.kind = LIA_ALTER_RESET,
                              .option = lia_build_name(p, name),
                              .offset = name.offset};

    return lia_build_alter(p, list, reset);
}
