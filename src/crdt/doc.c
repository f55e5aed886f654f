/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/doc.h"

#include "base/hash.h"
#include "crdt/clock.h"
#include "crdt/op.h"

/* ---- reading ---- */

liana_status lia_doc_info(struct lia_arena *arena,
                          struct liana_slice clock,
                          struct lia_doc_info *out)
{
    struct lia_reader r = lia_reader(clock);
    struct lia_state state = {0};
    unsigned flags;

    if (clock.len) {
        liana_status status = lia_clock_head_decode(arena, &r, &state, &flags);

        if (status) {
            return status;
        }
        if (flags & (LIA_CLOCK_FROM | LIA_CLOCK_LIFELESS)) {
            return LIANA_ECORRUPT;
        }
    }
    *out = (struct lia_doc_info){
        state.created,    state.created_tag,
        state.deleted,    state.withdrawn,
        state.vector,     !lia_stamp_is_none(state.created) && !state.is_hidden,
        state.is_clamped, state.is_cut};
    return LIANA_OK;
}

/* A stored document is whole: a segment's marks do not belong into it; and somebody has
 * written it. */
static liana_status check_whole(struct lia_work *work,
                                struct lia_doc doc,
                                const struct lia_state *state)
{
    if (doc.clock.len && state->vector.count == 0) {
        return lia_err(work->err, LIANA_ECORRUPT, "clock is nobody's");
    }
    if (state->from.count ||
        (!lia_stamp_is_none(state->created) && state->id.len == 0)) {
        return lia_err(work->err, LIANA_ECORRUPT, "clock is that of a segment");
    }
    return LIANA_OK;
}

liana_status lia_doc_read(struct lia_work *work,
                          struct lia_doc doc,
                          struct lia_state *out)
{
    liana_status status = lia_clock_read(work, doc, false, out);

    return status ? lia_err_plain(work->err, status) : check_whole(work, doc, out);
}

liana_status lia_doc_check(struct lia_arena *arena,
                           struct lia_doc doc,
                           struct liana_error *err)
{
    struct lia_work work = {.arena = arena, .err = err};
    struct lia_state state;
    liana_status status;

    if (doc.clock.len == 0) {
        return doc.body.len == 0 ? LIANA_OK
                                 : lia_err(err, LIANA_ECORRUPT, "body without a clock");
    }
    status = lia_clock_check(&work, doc, &state);
    return status ? status : check_whole(&work, doc, &state);
}

liana_status lia_doc_digest(struct liana_slice key,
                            struct liana_slice clock,
                            uint8_t out[static LIA_DIGEST_BYTES])
{
    uint8_t len[10];
    size_t len_bytes = 0;
    size_t left = key.len;
    struct lia_hash hash;
    struct liana_slice head;

    if (!lia_clock_head_span(clock, &head)) {
        return LIANA_ECORRUPT;
    }
    for (; left >= 0x80; left >>= 7) {
        len[len_bytes++] = (uint8_t)(left | 0x80);
    }
    len[len_bytes++] = (uint8_t)left;
    lia_hash_start(&hash, lia_slice(NULL, 0), LIA_DIGEST_BYTES);
    lia_hash_add(&hash, lia_slice(len, len_bytes));
    lia_hash_add(&hash, key);
    lia_hash_add(&hash, head);
    lia_hash_end(&hash, out, LIA_DIGEST_BYTES);
    return LIANA_OK;
}

liana_status lia_doc_newest(struct lia_arena *arena,
                            struct lia_doc doc,
                            struct lia_stamp *out,
                            struct liana_error *err)
{
    struct lia_work work = {.arena = arena, .err = err};
    struct lia_state state;
    liana_status status = lia_doc_read(&work, doc, &state);

    if (!status) {
        *out = lia_state_newest(&state);
    }
    return status;
}

liana_status lia_doc_written(struct lia_arena *arena,
                             struct lia_doc doc,
                             struct lia_path path,
                             struct lia_stamp *out,
                             struct liana_error *err)
{
    struct lia_work work = {.arena = arena, .err = err};
    struct lia_rank cover = LIA_RANK_NONE;
    struct lia_state state;
    struct lia_node *node = &state.root;
    liana_status status = lia_doc_read(&work, doc, &state);

    for (size_t i = 0; i < path.count && node && !status; i++) {
        cover = lia_cover_with(cover, node);
        node = lia_node_child(&work, node, path.names[i]);
        status = lia_err_plain(err, work.status);
    }
    if (status) {
        return status;
    }
    if (node) {
        *out = lia_node_newest(node, LIA_STAMP_NONE);
    } else {
        *out = lia_rank_cmp(cover, LIA_RANK_NONE) ? cover.stamp : state.created;
    }
    return LIANA_OK;
}

/* ---- local operations ---- */

static liana_status check_stamp(struct lia_work *work,
                                const struct lia_state *state,
                                struct lia_stamp stamp)
{
    return lia_vector_admits(state->vector, stamp)
               ? LIANA_OK
               : lia_err(work->err, LIANA_ECLOCK,
                         "the stamp of a write is not newer than the document");
}

/* The length of a body that leaves something out, with what it leaves out. */
static liana_status whole_bytes(struct lia_work *work, struct lia_doc doc, size_t *out)
{
    struct lia_state state;
    struct lia_doc again;
    liana_status status = lia_doc_read(work, doc, &state);

    if (!status) {
        status = lia_clock_write(work, &state, &again);
    }
    *out = state.whole_bytes;
    return status;
}

/* What is too large may become smaller. */
static liana_status check_size(struct lia_work *work,
                               struct lia_doc before,
                               bool was_cut,
                               const struct lia_state *after)
{
    size_t bytes = 0;
    liana_status status = LIANA_OK;

    if (!after->is_cut) {
        return LIANA_OK;
    }
    if (was_cut) {
        status = whole_bytes(work, before, &bytes);
    }
    if (!status && after->whole_bytes >= bytes) {
        status = lia_err(work->err, LIANA_ETOOLARGE,
                         "document of %zu bytes, %zu are allowed", after->whole_bytes,
                         LIA_DOC_BYTES_MAX);
    }
    return status;
}

liana_status lia_doc_apply(struct lia_arena *arena,
                           struct lia_doc before,
                           const struct lia_op *ops,
                           size_t count,
                           struct lia_stamp stamp,
                           struct lia_doc *out,
                           struct liana_error *err)
{
    struct lia_work work = {.arena = arena, .err = err};
    struct lia_state state;
    struct lia_writer writer;
    struct lia_doc after;
    bool was_cut;
    liana_status status = lia_doc_read(&work, before, &state);

    if (!status) {
        status = check_stamp(&work, &state, stamp);
    }
    if (status) {
        return status;
    }
    was_cut = state.is_cut;
    writer = lia_writer(&work, &state, stamp);
    for (size_t i = 0; i < count && !status; i++) {
        status = lia_op_apply(&writer, &ops[i]);
    }
    if (status) {
        return status;
    }
    if (!writer.is_changed) {
        *out = before;
        return LIANA_OK;
    }
    status = lia_vector_with(arena, state.vector, stamp, &state.vector);
    if (!status) {
        status = lia_clock_write(&work, &state, &after);
    }
    if (status) {
        return lia_err_plain(err, status);
    }
    status = check_size(&work, before, was_cut, &state);
    if (!status) {
        *out = after;
    }
    return status;
}
