/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lang/check_schema - what is known of declarations without what is declared already.
 */
#include "lang/build.h"

static void check_declared(struct lia_parser *p, const struct lia_declared *d)
{
    bool is_id = lia_str_equal(d->names[0], lia_str("_id"));

    if (d->has_min && d->type->kind != LIA_KIND_COUNTER) {
        lia_parser_fail(p, d->offset, LIANA_ESYNTAX, "only a COUNTER can have a MIN");
    } else if (d->is_immutable && d->type->kind == LIA_KIND_COUNTER) {
        lia_parser_fail(p, d->offset, LIANA_ESYNTAX,
                        "a COUNTER that is IMMUTABLE counts nothing");
    } else if (is_id && d->type->kind != LIA_KIND_VALUE) {
        lia_parser_fail(p, d->offset, LIANA_ESYNTAX, "_id cannot be declared %s",
                        d->type->name);
    }
}

/* Two paths of one statement. */
static void check_two(struct lia_parser *p,
                      const struct lia_declared *first,
                      const struct lia_declared *second)
{
    const struct lia_declared *above = lia_declared_is_below(second, first)   ? first
                                       : lia_declared_is_below(first, second) ? second
                                                                              : NULL;

    if (lia_declared_cmp(first, second) == 0) {
        lia_parser_fail(p, second->offset, LIANA_ESYNTAX, "%.*s stands here twice",
                        LIA_STR_ARG(second->text));
    } else if (above && above->type && !lia_declared_has_fields(above)) {
        lia_parser_fail(p, second->offset, LIANA_ESYNTAX,
                        "%.*s is declared %s and has no fields of its own",
                        LIA_STR_ARG(above->text), above->type->name);
    }
}

static void check_count(struct lia_parser *p, uint32_t count, uint32_t offset)
{
    if (count > LIA_DECLARED_MAX) {
        lia_parser_fail(p, offset, LIANA_ELIMIT, "more than %d paths and options",
                        LIA_DECLARED_MAX);
    }
}

static void check_option(struct lia_parser *p, const struct lia_alter *alter)
{
    struct lia_collection_options any = {0};
    struct liana_error why = LIANA_ERROR_INIT;
    struct lia_value v = lia_value_of_null();

    if (alter->kind == LIA_ALTER_SET) {
        if (alter->value->kind != LIA_EXPR_VALUE) {
            lia_parser_fail(p, alter->value->offset, LIANA_ESYNTAX,
                            "the value of an option is a literal");
            return;
        }
        v = alter->value->value;
    }
    switch (lia_option_take(alter->option, v, &any, &why)) {
    case LIANA_OK: return;
    case LIANA_EINVAL:
        if (alter->kind == LIA_ALTER_RESET) {
            return; /* the name is right */
        }
        lia_parser_fail(p, alter->value->offset, LIANA_ESYNTAX, "%s", why.message);
        return;
    default: lia_parser_fail(p, alter->offset, LIANA_ESYNTAX, "%s", why.message);
    }
}

static bool is_option(const struct lia_alter *alter)
{
    return alter->kind == LIA_ALTER_SET || alter->kind == LIA_ALTER_RESET;
}

static void check_pair(struct lia_parser *p,
                       const struct lia_alter *first,
                       const struct lia_alter *second)
{
    if (is_option(first) != is_option(second)) {
        return;
    }
    if (!is_option(first)) {
        check_two(p, &first->path, &second->path);
    } else if (lia_str_equal(first->option, second->option)) {
        lia_parser_fail(p, second->offset, LIANA_ESYNTAX, "%.*s stands here twice",
                        LIA_STR_ARG(second->option));
    }
}

static void check_alters(struct lia_parser *p, const struct lia_alters *list)
{
    check_count(p, list->count, list->count ? list->items[0].offset : 0);
    for (uint32_t i = 0; i < list->count && !p->status; i++) {
        const struct lia_alter *alter = &list->items[i];

        if (is_option(alter)) {
            check_option(p, alter);
        } else if (alter->path.type) {
            check_declared(p, &alter->path);
        }
        for (uint32_t k = 0; k < i && !p->status; k++) {
            check_pair(p, &list->items[k], alter);
        }
    }
}

void lia_check_declarations(struct lia_parser *p, const struct lia_stmt *stmt)
{
    const struct lia_declarations *declared = &stmt->source.declared;

    check_count(p, declared->count, stmt->source.offset);
    for (uint32_t i = 0; i < declared->count && !p->status; i++) {
        check_declared(p, &declared->items[i]);
        for (uint32_t k = 0; k < i && !p->status; k++) {
            check_two(p, &declared->items[k], &declared->items[i]);
        }
    }
    check_alters(p, &stmt->alters);
}
