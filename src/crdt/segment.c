/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments: cut from a document, joined into one, composed with one another (design page
 * 40, "segments").
 */
#include "crdt/clock.h"

/* ---- bytes: varint length of the clock, clock, body ---- */

static liana_status write_segment(struct lia_work *work,
                                  struct lia_state *state,
                                  struct liana_slice *out)
{
    struct lia_doc doc;
    struct lia_buf buf;
    liana_status status = lia_clock_write(work, state, &doc);

    if (status) {
        return status;
    }
    lia_buf_init(&buf, work->arena->alloc);
    lia_buf_prefixed(&buf, doc.clock);
    lia_buf_slice_add(&buf, doc.body);
    status = buf.status;
    if (!status && !lia_arena_copy(work->arena, lia_buf_slice(&buf), out)) {
        status = LIANA_ENOMEM;
    }
    lia_buf_deinit(&buf);
    return status;
}

static bool split_segment(struct liana_slice segment, struct lia_doc *out)
{
    struct lia_reader r = lia_reader(segment);

    if (segment.len > LIA_STATE_BYTES_MAX + 10) {
        return false;
    }
    out->clock = lia_reader_prefixed(&r);
    out->body = lia_reader_bytes(&r, lia_reader_left(&r));
    return !r.failed && out->clock.len > 0;
}

/* What a peer sent is its fault; out of memory is ours, and too much is nobody's. */
static liana_status blame(struct lia_work *work, liana_status status)
{
    switch (status) {
    case LIANA_OK:
    case LIANA_ENOMEM:
    case LIANA_ETOOLARGE:
    case LIANA_EVERSION: return lia_err_plain(work->err, status);
    default:
        lia_err_plain(work->err, LIANA_EPROTOCOL);
        if (work->err && work->err->status != LIANA_EPROTOCOL) {
            work->err->status = LIANA_EPROTOCOL;
            lia_err_prefix(work->err, "segment");
        }
        return LIANA_EPROTOCOL;
    }
}

/* Whole and checked. */
static liana_status read_segment(struct lia_work *work,
                                 struct liana_slice segment,
                                 struct lia_state *out)
{
    struct lia_doc doc;

    if (!split_segment(segment, &doc)) {
        return blame(work, LIANA_ECORRUPT);
    }
    return blame(work, lia_clock_check(work, doc, out));
}

/* The vectors and the life; the rest of `out` is empty. */
static liana_status read_head(struct lia_work *work,
                              struct liana_slice segment,
                              struct lia_state *out)
{
    struct lia_doc doc;
    struct lia_reader r;
    unsigned flags;

    if (!split_segment(segment, &doc)) {
        return blame(work, LIANA_ECORRUPT);
    }
    r = lia_reader(doc.clock);
    return blame(work, lia_clock_head_decode(work->arena, &r, out, &flags));
}

liana_status lia_segment_info(struct lia_arena *arena,
                              struct liana_slice segment,
                              struct lia_segment_info *out,
                              struct liana_error *err)
{
    struct lia_work work = {.arena = arena, .err = err};
    struct lia_state state;
    liana_status status = read_head(&work, segment, &state);

    if (!status) {
        *out = (struct lia_segment_info){state.from,    state.vector,
                                         state.created, state.created_tag,
                                         state.deleted, state.withdrawn};
    }
    return status;
}

/* ---- cutting ---- */

/* What two vectors have in common. */
static liana_status meet(struct lia_arena *arena,
                         struct lia_vector a,
                         struct lia_vector b,
                         struct lia_vector *out)
{
    struct lia_vector_entry *entries =
        lia_arena_array(arena, a.count, sizeof(*entries));
    size_t count = 0;

    if (!entries) {
        return LIANA_ENOMEM;
    }
    for (size_t i = 0; i < a.count; i++) {
        uint64_t hlc = lia_vector_get(b, a.entries[i].actor);

        if (hlc) {
            entries[count] = a.entries[i];
            entries[count].hlc = hlc < entries[count].hlc ? hlc : entries[count].hlc;
            count++;
        }
    }
    *out = (struct lia_vector){entries, count};
    return LIANA_OK;
}

liana_status lia_doc_segment(struct lia_arena *arena,
                             struct lia_doc doc,
                             struct lia_vector from,
                             struct liana_slice *out)
{
    struct lia_work work = {.arena = arena};
    struct lia_state state;
    liana_status status = lia_doc_read(&work, doc, &state);

    if (!status) {
        status = meet(arena, state.vector, from, &state.from);
    }
    if (status) {
        return status;
    }
    lia_state_cut(&state, state.from);
    return write_segment(&work, &state, out);
}

/* ---- joining ---- */

/* A life whose _id nobody has told, and that does not lie before what we hold, was
 * promised by `from` and not kept. */
static liana_status check_joined(struct lia_work *work, const struct lia_state *state)
{
    if (!lia_stamp_is_none(state->created) && state->id.len == 0 &&
        !lia_vector_covers(state->from, state->created_tag)) {
        return lia_err(work->err, LIANA_EPROTOCOL,
                       "segment continues a life that its sender had not begun");
    }
    return LIANA_OK;
}

static liana_status join_segment(struct lia_work *work,
                                 struct lia_state *state,
                                 struct liana_slice segment,
                                 const struct lia_watch *watch,
                                 struct lia_doc *out)
{
    struct lia_state more;
    liana_status status = read_segment(work, segment, &more);

    if (status) {
        return status;
    }
    if (!lia_state_join(work, state, &more, watch)) {
        return lia_err_plain(work->err, work->status);
    }
    status = check_joined(work, state);
    if (!status) {
        status = lia_err_plain(work->err, lia_clock_write(work, state, out));
    }
    return status;
}

liana_status lia_doc_merge_watched(struct lia_arena *arena,
                                   struct lia_doc doc,
                                   struct liana_slice segment,
                                   const struct lia_watch *watch,
                                   struct lia_doc *out,
                                   struct liana_error *err)
{
    struct lia_work work = {.arena = arena, .err = err};
    struct lia_state head;
    struct lia_state state;
    liana_status status = read_head(&work, segment, &head);

    if (!status) {
        status = lia_doc_read(&work, doc, &state);
    }
    if (status) {
        return status;
    }
    if (!lia_vector_geq(state.vector, head.from)) {
        return lia_err_plain(err, LIANA_EGAP);
    }
    if (lia_vector_geq(state.vector, head.vector)) {
        *out = doc;
        return LIANA_OK;
    }
    return join_segment(&work, &state, segment, watch, out);
}

/* ---- repair ---- */

static liana_status write_retagged(struct lia_work *work,
                                   struct lia_state *state,
                                   struct lia_stamp tag,
                                   struct lia_doc *out)
{
    liana_status status;

    if (!lia_vector_admits(state->vector, tag)) {
        return lia_err(work->err, LIANA_ECLOCK, "the new tag is not newer");
    }
    status = lia_vector_with(work->arena, state->vector, tag, &state->vector);
    if (!status) {
        status = lia_clock_write(work, state, out);
    }
    return lia_err_plain(work->err, status);
}

liana_status lia_doc_retag(struct lia_arena *arena,
                           struct lia_doc doc,
                           const struct lia_retag *how,
                           struct lia_doc *out,
                           struct liana_error *err)
{
    struct lia_work work = {.arena = arena, .err = err};
    struct lia_state state;
    liana_status status = lia_doc_read(&work, doc, &state);

    if (status) {
        return status;
    }
    if (!lia_state_retag(&state, how)) {
        *out = doc;
        return LIANA_OK;
    }
    return write_retagged(&work, &state, how->tag, out);
}

liana_status lia_doc_count(struct lia_arena *arena,
                           struct lia_doc doc,
                           struct lia_stamp tag,
                           struct lia_doc *out,
                           struct liana_error *err)
{
    struct lia_work work = {.arena = arena, .err = err};
    struct lia_state state;
    liana_status status = lia_doc_read(&work, doc, &state);

    return status ? status : write_retagged(&work, &state, tag, out);
}

liana_status lia_doc_heal_watched(struct lia_arena *arena,
                                  struct lia_doc doc,
                                  struct liana_slice segment,
                                  const struct lia_retag *how,
                                  const struct lia_watch *watch,
                                  struct lia_doc *out,
                                  struct liana_error *err)
{
    struct lia_work work = {.arena = arena, .err = err};
    struct lia_state head;
    struct lia_state state;
    struct lia_doc joined = {0};
    liana_status status = read_head(&work, segment, &head);

    if (!status) {
        status = lia_doc_read(&work, doc, &state);
    }
    if (!status && !lia_vector_geq(state.vector, head.from)) {
        status = lia_err_plain(err, LIANA_EGAP);
    }
    if (!status) {
        status = join_segment(&work, &state, segment, watch, &joined);
    }
    return status ? status : lia_doc_retag(arena, joined, how, out, err);
}

liana_status lia_doc_heal(struct lia_arena *arena,
                          struct lia_doc doc,
                          struct liana_slice segment,
                          const struct lia_retag *how,
                          struct lia_doc *out,
                          struct liana_error *err)
{
    return lia_doc_heal_watched(arena, doc, segment, how, NULL, out, err);
}

/* ---- merging ---- */

liana_status lia_doc_merge(struct lia_arena *arena,
                           struct lia_doc doc,
                           struct liana_slice segment,
                           struct lia_doc *out,
                           struct liana_error *err)
{
    return lia_doc_merge_watched(arena, doc, segment, NULL, out, err);
}

liana_status lia_segment_compose(struct lia_arena *arena,
                                 struct liana_slice first,
                                 struct liana_slice second,
                                 struct liana_slice *out,
                                 struct liana_error *err)
{
    struct lia_work work = {.arena = arena, .err = err};
    struct lia_state a;
    struct lia_state b;
    liana_status status = read_segment(&work, first, &a);

    if (!status) {
        status = read_segment(&work, second, &b);
    }
    if (status) {
        return status;
    }
    if (!lia_vector_geq(a.vector, b.from)) {
        return lia_err_plain(err, LIANA_EGAP);
    }
    if (!lia_state_join(&work, &a, &b, NULL)) {
        return lia_err_plain(err, work.status);
    }
    status = check_joined(&work, &a);
    if (status) {
        return status;
    }
    /* The second may reach back behind what the first begins with. */
    lia_state_cut(&a, a.from);
    return lia_err_plain(err, write_segment(&work, &a, out));
}
