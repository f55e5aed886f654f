/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lang/schema_options - what can be said of a collection behind WITH.
 */
#include "lang/schema.h"

/* ---- readers: one per row of options.def. False: not what is wanted ---- */

static bool is_text(struct lia_value v, const char *text)
{
    return v.type == LIA_BSON_STRING && lia_str_equal(lia_value_str(v), lia_str(text));
}

static bool read_deletes(struct lia_value v, struct lia_collection_options *out)
{
    out->deletes = is_text(v, "update wins") ? LIA_UPDATES_WIN : LIA_DELETES_WIN;
    return out->deletes == LIA_UPDATES_WIN || is_text(v, "delete wins");
}

static bool read_on_unmatch(struct lia_value v, struct lia_collection_options *out)
{
    out->on_unmatch = is_text(v, "remove") ? LIA_UNMATCHED_GO : LIA_UNMATCHED_STAY;
    return out->on_unmatch == LIA_UNMATCHED_GO || is_text(v, "keep");
}

static bool read_keep(struct lia_value v, struct lia_collection_options *out)
{
    int64_t n = v.type == LIA_BSON_INT32   ? lia_value_int32(v)
                : v.type == LIA_BSON_INT64 ? lia_value_int64(v)
                                           : 0;

    out->keep = n > 0 ? (uint64_t)n : 0;
    return n > 0;
}

static bool read_unkept(struct lia_value v, struct lia_collection_options *out)
{
    out->unkept = v.type == LIA_BSON_BOOL && lia_value_bool(v);
    return v.type == LIA_BSON_BOOL;
}

/* ---- amounts: a whole number, blanks, a unit ---- */

struct unit {
    const char *name;
    uint64_t size;
};

static bool same_unit(struct liana_str text, const char *name)
{
    size_t n = strlen(name);

    /* "days" is "day". */
    if (text.len == n + 1 && n > 2 && (text.ptr[n] | 0x20) == 's') {
        text.len--;
    }
    if (text.len != n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if ((text.ptr[i] | 0x20) != (name[i] | 0x20)) {
            return false;
        }
    }
    return true;
}

static struct liana_str skip_blanks(struct liana_str text)
{
    while (text.len && text.ptr[0] == ' ') {
        text.ptr++;
        text.len--;
    }
    return text;
}

/* At most INT64_MAX in the smallest unit: sums of two never wrap. */
static bool read_amount(struct lia_value v,
                        const struct unit *units,
                        size_t unit_count,
                        uint64_t *out)
{
    struct liana_str text;
    uint64_t n = 0;

    if (v.type != LIA_BSON_STRING) {
        return false;
    }
    text = skip_blanks(lia_value_str(v));
    while (text.len && text.ptr[0] >= '0' && text.ptr[0] <= '9') {
        if (n > INT64_MAX / 10 - 1) {
            return false;
        }
        n = n * 10 + (uint64_t)(text.ptr[0] - '0');
        text.ptr++;
        text.len--;
    }
    text = skip_blanks(text);
    while (text.len && text.ptr[text.len - 1] == ' ') {
        text.len--;
    }
    for (size_t i = 0; i < unit_count; i++) {
        if (same_unit(text, units[i].name)) {
            *out = n * units[i].size;
            return n > 0 && n <= INT64_MAX / units[i].size;
        }
    }
    return false;
}

static bool read_ttl(struct lia_value v, struct lia_collection_options *out)
{
    static const struct unit units[] = {
        {"ms", 1},       {"millisecond", 1}, {"s", 1000},        {"second", 1000},
        {"min", 60000},  {"minute", 60000},  {"h", 3600000},     {"hour", 3600000},
        {"d", 86400000}, {"day", 86400000},  {"week", 604800000}};

    return read_amount(v, units, sizeof(units) / sizeof(units[0]), &out->ttl_ms);
}

static bool read_quota(struct lia_value v, struct lia_collection_options *out)
{
    static const struct unit units[] = {
        {"B", 1},
        {"KB", 1000},
        {"MB", 1000000},
        {"GB", 1000000000},
        {"KiB", (uint64_t)1 << 10},
        {"MiB", (uint64_t)1 << 20},
        {"GiB", (uint64_t)1 << 30},
    };

    return read_amount(v, units, sizeof(units) / sizeof(units[0]), &out->quota_bytes);
}

/* ---- the table ---- */

static const struct {
    const char *name;
    bool (*read)(struct lia_value v, struct lia_collection_options *out);
    const char *wanted;
} options[] = {
#define LIA_OPTION(name, reader, wanted) {#name, reader, wanted},
#include "lang/options.def"
#undef LIA_OPTION
};

#define LIA_OPTION(name, reader, wanted) ", " #name
static const char all_options[] =
#include "lang/options.def"
    ;
#undef LIA_OPTION

liana_status lia_option_take(struct liana_str name,
                             struct lia_value v,
                             struct lia_collection_options *out,
                             struct liana_error *err)
{
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        struct lia_collection_options taken = *out;

        if (!lia_str_equal(name, lia_str(options[i].name))) {
            continue;
        }
        if (!options[i].read(v, &taken)) {
            return lia_err(err, LIANA_EINVAL, "%s needs %s", options[i].name,
                           options[i].wanted);
        }
        *out = taken;
        return LIANA_OK;
    }
    return lia_err(err, LIANA_ENOTFOUND, "a collection has no option %.*s; it has %s",
                   (int)(name.len < 60 ? name.len : 60), name.ptr, all_options + 2);
}
