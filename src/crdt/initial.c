/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INITIAL documents (design page 10, "INITIAL documents"): the stamp of an insert is made
 * of what it inserts, so that devices that begin with the same document agree that it was
 * one write (docs/format/clock.md, "Initial documents").
 */
#include "base/hash.h"
#include "codec/bson.h"
#include "crdt/doc.h"

/* In the content, the type of what has a shape has this bit. */
#define SHAPED 0x80

/* The offset of the type of what stands at the path; 0, which none has: nothing does. */
static size_t find_type(struct liana_slice body, struct lia_path path)
{
    struct liana_slice doc = body;
    size_t found = 0;

    for (size_t i = 0; i < path.count; i++) {
        struct lia_bson_iter it = lia_bson_iter(doc);
        bool is_there = false;

        while (!is_there && lia_bson_next(&it)) {
            is_there = lia_str_equal(it.name, path.names[i]);
        }
        if (!is_there) {
            return 0;
        }
        found = (size_t)(it.start - body.ptr);
        doc = it.value.type == LIA_BSON_DOCUMENT ? it.value.data
                                                 : (struct liana_slice){NULL, 0};
    }
    return found;
}

static bool is_of_shape(enum lia_shape_kind kind, uint8_t type)
{
    switch (kind) {
    case LIA_SHAPE_SET: return type == LIA_BSON_ARRAY;
    case LIA_SHAPE_REGISTER: return type == LIA_BSON_DOCUMENT;
    case LIA_SHAPE_BOUNDED: return type == LIA_BSON_INT32 || type == LIA_BSON_INT64;
    }
    return false;
}

/* The body as it is shown, and what it is beyond that: the types of what has a shape are
 * marked, bounds stand behind it. */
static void mark_shapes(struct lia_buf *content, const struct lia_op *insert, size_t at)
{
    struct liana_slice body = lia_slice(content->ptr + at, content->len - at);

    for (size_t i = 0; i < insert->shape_count && !content->status; i++) {
        const struct lia_shape *shape = &insert->shapes[i];
        size_t type = find_type(body, shape->path);

        if (!type || !is_of_shape(shape->kind, content->ptr[at + type])) {
            continue;
        }
        content->ptr[at + type] |= SHAPED;
        if (shape->kind == LIA_SHAPE_BOUNDED) {
            lia_buf_u64(content, (uint64_t)shape->bound);
        }
        body.ptr = content->ptr + at; /* it may have moved */
    }
}

static liana_status stamp_of(struct lia_arena *arena,
                             struct liana_str collection,
                             const struct lia_op *insert,
                             struct liana_slice body,
                             struct lia_stamp *out)
{
    uint8_t digest[LIA_DIGEST_BYTES];
    struct lia_buf buf;
    liana_status status;
    struct lia_reader r = lia_reader(lia_slice(digest, sizeof(digest)));
    size_t at;

    lia_buf_init(&buf, arena->alloc);
    lia_buf_prefixed(&buf, lia_str_slice(collection));
    at = buf.len;
    lia_buf_slice_add(&buf, body);
    if (!buf.status) {
        mark_shapes(&buf, insert, at);
    }
    status = buf.status;
    if (!status) {
        lia_hash(lia_buf_slice(&buf), digest, sizeof(digest));
        out->actor = lia_reader_u64(&r);
        out->hlc = 1 + (uint64_t)lia_reader_u16(&r);
    }
    lia_buf_deinit(&buf);
    return status;
}

liana_status lia_doc_initial(struct lia_arena *arena,
                             struct liana_str collection,
                             const struct lia_op *insert,
                             struct lia_doc *out,
                             struct lia_stamp *out_stamp,
                             struct liana_error *err)
{
    static const struct lia_stamp any = {1, 1};
    const struct lia_doc nothing = {{NULL, 0}, {NULL, 0}};
    struct lia_stamp stamp = LIA_STAMP_NONE;
    struct lia_doc doc = nothing;
    liana_status status = LIANA_OK;

    if (insert->kind != LIA_OP_INSERT) {
        return lia_err(err, LIANA_EINVAL, "an initial document is an insert");
    }
    status = lia_doc_apply(arena, nothing, insert, 1, any, &doc, err);
    if (status) {
        return status;
    }
    status = stamp_of(arena, collection, insert, doc.body, &stamp);
    if (status) {
        return lia_err_plain(err, status);
    }
    status = lia_doc_apply(arena, nothing, insert, 1, stamp, &doc, err);
    if (!status) {
        *out = doc;
        *out_stamp = stamp;
    }
    return status;
}
