/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lang/schema_check - values against what is declared of their paths.
 */
#include "lang/schema.h"
#include "lang/value.h"

/* ---- types ---- */

static bool is_of_type(const struct lia_type *type, struct lia_value v)
{
    return type->types == LIA_ANY_TYPE || (v.type < 32 && (type->types >> v.type & 1));
}

/*
 * An attachment names content that is kept elsewhere:
 *
 *     {id: Binary of 32 bytes (BLAKE2b-256 of the content, RFC 7693), len: bytes of it,
 *      metadata: object}
 *
 * in any order, `metadata` only if there is some. It is one value: a document never names the
 * content of one writer with the length of another.
 */
#define ID_BYTES 32

static bool is_content_id(struct lia_value v)
{
    static const uint8_t head[] = {ID_BYTES, 0, 0, 0, 0}; /* length, subtype */

    return v.type == LIA_BSON_BINARY && v.data.len == sizeof(head) + ID_BYTES &&
           memcmp(v.data.ptr, head, sizeof(head)) == 0;
}

static bool is_length(struct lia_value v)
{
    return (v.type == LIA_BSON_INT32 && lia_value_int32(v) >= 0) ||
           (v.type == LIA_BSON_INT64 && lia_value_int64(v) >= 0);
}

/* What is wrong with an object that should be one; NULL: nothing. */
static const char *attachment_fault(struct liana_slice object)
{
    struct lia_bson_iter it = lia_bson_iter(object);
    struct lia_value id = LIA_MISSING;
    struct lia_value len = LIA_MISSING;
    struct lia_value metadata = LIA_MISSING;

    while (lia_bson_next(&it)) {
        if (lia_str_equal(it.name, lia_str("id"))) {
            id = it.value;
        } else if (lia_str_equal(it.name, lia_str("len"))) {
            len = it.value;
        } else if (lia_str_equal(it.name, lia_str("metadata"))) {
            metadata = it.value;
        } else {
            return "has no fields but id, len and metadata";
        }
    }
    return !is_content_id(id) ? "needs an id: binary data of 32 bytes and subtype 0"
           : !is_length(len)  ? "needs a len: a whole number of bytes"
           : lia_is_missing(metadata) || metadata.type == LIA_BSON_DOCUMENT
               ? NULL
               : "has metadata that is no object";
}

bool lia_type_allows(const struct lia_type *type, struct lia_value v)
{
    return is_of_type(type, v) &&
           (type->kind != LIA_KIND_ATTACHMENT || !attachment_fault(v.data));
}

/* ---- declarations ---- */

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

bool lia_declared_may_be_null(const struct lia_declared *d)
{
    return d->type->kind == LIA_KIND_VALUE || d->type->kind == LIA_KIND_REGISTER ||
           d->type->kind == LIA_KIND_ATTACHMENT;
}

liana_status lia_declared_check(const struct lia_declared *d,
                                struct lia_value v,
                                struct liana_error *err)
{
    if (lia_is_missing(v) || (lia_is_null(v) && lia_declared_may_be_null(d))) {
        return d->is_not_null ? lia_err(err, LIANA_ESCHEMA, "%.*s is declared NOT NULL",
                                        LIA_STR_ARG(d->text))
                              : LIANA_OK;
    }
    if (d->type->kind == LIA_KIND_UNKNOWN) {
        return lia_err(err, LIANA_ESCHEMA,
                       "%.*s is declared %.*s, which this version does not know",
                       LIA_STR_ARG(d->text), LIA_STR_ARG(d->type_name));
    }
    if (!is_of_type(d->type, v)) {
        return lia_err(err, LIANA_ESCHEMA,
                       "%.*s is declared %s and cannot be of type %s",
                       LIA_STR_ARG(d->text), d->type->name, lia_bson_type_name(v.type));
    }
    if (!lia_type_allows(d->type, v)) {
        return lia_err(err, LIANA_ESCHEMA, "%.*s is declared %s and %s",
                       LIA_STR_ARG(d->text), d->type->name, attachment_fault(v.data));
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
