/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "codec/key_id.h"
#include "db/internal.h"
#include "lang/value.h"

static void add_stamp(struct lia_buf *out, const char *name, struct lia_stamp stamp)
{
    size_t mark = lia_bson_begin_in(out, LIA_BSON_DOCUMENT, lia_str(name));
    char actor[17];

    snprintf(actor, sizeof(actor), "%016" PRIx64, stamp.actor);
    lia_bson_add_date(out, lia_str("at"), (int64_t)lia_hlc_ms(stamp.hlc));
    lia_bson_add_int64(out, lia_str("hlc"), (int64_t)stamp.hlc);
    lia_bson_add_str(out, lia_str("author"), lia_str(actor));
    lia_bson_end(out, mark);
}

static void add_path(struct lia_buf *out, const struct lia_note *note)
{
    size_t mark = lia_bson_begin_in(out, LIA_BSON_ARRAY, lia_str("path"));

    for (size_t i = 0; i < note->path.count; i++) {
        char digits[12];

        lia_bson_add_str(out, lia_bson_index_name((uint32_t)i, digits),
                         note->path.names[i]);
    }
    lia_bson_end(out, mark);
    if (note->is_path_cut) {
        lia_bson_add_bool(out, lia_str("pathCut"), true);
    }
}

/* A removal that lost; nothing, where something is declared NOT NULL. */
static void add_value(struct lia_buf *out, const struct lia_note *note)
{
    if (lia_is_missing(note->value)) {
        if (!note->is_breach) {
            lia_bson_add_bool(out, lia_str("removed"), true);
        }
    } else if (note->bytes <= LIA_NOTED_VALUE_MAX) {
        lia_bson_add(out, lia_str("value"), note->value);
    } else {
        lia_bson_add_int64(out, lia_str("bytes"), (int64_t)note->bytes);
    }
}

/* The _id as the document shows it; of a tombstone, a value equal to it. */
static liana_status add_document(struct lia_buf *out,
                                 const struct lia_noted_of *of,
                                 struct liana_error *err)
{
    struct lia_value id = {0};
    struct lia_buf made;
    liana_status status = LIANA_OK;

    lia_buf_init(&made, out->alloc);
    if (!lia_bson_find(of->body, lia_str("_id"), &id)) {
        status = lia_key_id(of->key, &made, err);
        if (!status && !lia_bson_find(lia_buf_slice(&made), lia_str("_id"), &id)) {
            status = lia_err_plain(err, made.status ? made.status : LIANA_ECORRUPT);
        }
    }
    if (!status) {
        lia_bson_add(out, lia_str("document"), id);
    }
    lia_buf_deinit(&made);
    return status;
}

liana_status lia_conflict_row(struct lia_buf *out,
                              uint64_t number,
                              const struct lia_noted_of *of,
                              const struct lia_note *note,
                              struct liana_error *err)
{
    size_t mark = lia_bson_begin(out);
    liana_status status;

    lia_bson_add_int64(out, lia_str("_id"), (int64_t)number);
    lia_bson_add_str(out, lia_str("kind"),
                     lia_str(note->is_breach ? "breach" : "lost"));
    lia_bson_add_str(out, lia_str("collection"), of->collection);
    status = add_document(out, of, err);
    add_path(out, note);
    add_value(out, note);
    if (note->is_breach) {
        lia_breach_add(out, &note->breach);
        add_stamp(out, "written", note->breach.written);
    } else {
        add_stamp(out, "lost", note->lost);
        add_stamp(out, "kept", note->kept);
    }
    lia_bson_end(out, mark);
    return status ? status : lia_err_plain(err, out->status);
}
