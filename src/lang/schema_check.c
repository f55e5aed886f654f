/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lang/schema_check - values against what is declared of their paths.
 */
#include "lang/schema.h"
#include "lang/value.h"

struct lia_value lia_declared_value(const struct lia_declared *d,
                                    struct liana_slice body)
{
    struct lia_value v = {LIA_BSON_DOCUMENT, body};

    for (uint32_t i = 0; i < d->count; i++) {
        if (v.type != LIA_BSON_DOCUMENT || !lia_bson_find(v.data, d->names[i], &v)) {
            return LIA_MISSING;
        }
    }
    return v;
}

liana_status lia_declared_check(const struct lia_declared *d,
                                struct lia_value v,
                                struct liana_error *err)
{
    bool is_single =
        d->type->kind == LIA_KIND_VALUE || d->type->kind == LIA_KIND_REGISTER;

    if (lia_is_missing(v) || (lia_is_null(v) && is_single)) {
        return d->is_not_null ? lia_err(err, LIANA_ESCHEMA, "%.*s is declared NOT NULL",
                                        LIA_STR_ARG(d->text))
                              : LIANA_OK;
    }
    if (d->type->kind == LIA_KIND_UNKNOWN) {
        return lia_err(err, LIANA_ESCHEMA,
                       "%.*s is declared %.*s, which this version does not know",
                       LIA_STR_ARG(d->text), LIA_STR_ARG(d->type_name));
    }
    if (!lia_type_allows(d->type, v)) {
        return lia_err(err, LIANA_ESCHEMA,
                       "%.*s is declared %s and cannot be of type %s",
                       LIA_STR_ARG(d->text), d->type->name, lia_bson_type_name(v.type));
    }
    return LIANA_OK;
}

liana_status lia_schema_check(const struct lia_schema *schema,
                              struct liana_slice body,
                              const struct lia_declared **out_path,
                              struct liana_error *err)
{
    for (uint32_t i = 0; i < schema->path_count; i++) {
        const struct lia_declared *d = &schema->paths[i];
        struct lia_value v = lia_declared_value(d, body);
        liana_status status = LIANA_OK;

        if (d->type->kind != LIA_KIND_UNKNOWN || lia_is_missing(v)) {
            status = lia_declared_check(d, v, err);
        }
        if (status) {
            *out_path = d;
            return status;
        }
    }
    return LIANA_OK;
}
