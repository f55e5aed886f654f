/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clock and body, as a state (docs/format/clock.md). The clock is read to its end; of the
 * body only the elements that the clock lists are looked at, unless it is checked.
 */
#include "crdt/clock_entry.h"

/* A place in the body and the end of the map that it is in. */
struct place {
    const uint8_t *at;
    const uint8_t *end;
};

static bool read_node(struct lia_decoder *d,
                      struct lia_node *node,
                      unsigned flags,
                      const struct lia_value *element,
                      struct lia_frame *frame,
                      unsigned depth);

static size_t place_of(const struct lia_decoder *d, const uint8_t *at)
{
    return (size_t)(at - d->body);
}

/* ---- maps ---- */

/* In checked bytes a range must be whole elements. */
static bool is_whole(const struct lia_decoder *d, struct place place, size_t len)
{
    struct lia_bson_iter it = {.at = place.at, .end = place.at + len};
    const uint8_t *at = place.at;

    if (!d->is_checked) {
        return true;
    }
    while (lia_bson_next(&it)) {
        at = it.at;
    }
    return at == it.end;
}

static bool add_run(struct lia_decoder *d,
                    struct lia_piece ***link,
                    struct place *place,
                    uint64_t len,
                    struct lia_rank rank,
                    struct lia_birth birth)
{
    struct lia_piece *run;

    if (len == 0 || len > (size_t)(place->end - place->at) ||
        birth.index > LIA_BIRTH_INDEX_MAX || !is_whole(d, *place, (size_t)len)) {
        return lia_decoder_fail(d);
    }
    run = lia_run_new(d->work, lia_slice(place->at, (size_t)len), rank, birth);
    if (!run) {
        return lia_decoder_fail(d);
    }
    **link = run;
    *link = &run->next;
    place->at += len;
    return true;
}

static bool read_run(struct lia_decoder *d,
                     struct lia_piece ***link,
                     struct place *place,
                     uint64_t len,
                     struct lia_frame *frame)
{
    size_t start = place_of(d, place->at);
    struct lia_birth expected = lia_frame_expect(frame, start);
    struct lia_rank rank = lia_rank_decode(d, NULL);
    struct lia_birth birth = lia_birth_decode(d, &expected);

    if (d->r.failed || !add_run(d, link, place, len, rank, birth)) {
        return lia_decoder_fail(d);
    }
    lia_frame_enter(frame, start, &birth);
    lia_frame_leave(frame, (size_t)len, &birth);
    return true;
}

static bool read_child(struct lia_decoder *d,
                       struct lia_piece ***link,
                       struct place *place,
                       uint64_t flags,
                       struct lia_frame *frame,
                       unsigned depth)
{
    struct lia_bson_iter it = {.at = place->at, .end = place->end};
    struct lia_piece *piece;

    if (!lia_bson_next(&it)) {
        return lia_decoder_fail(d);
    }
    piece = lia_node_new(d->work, it.name);
    if (!piece) {
        return lia_decoder_fail(d);
    }
    **link = piece;
    *link = &piece->next;
    place->at = it.at;
    return flags <= LIA_NODE_FLAGS_MAX &&
           read_node(d, piece->node, (unsigned)flags, &it.value, frame, depth);
}

static bool read_items(struct lia_decoder *d,
                       struct lia_piece ***link,
                       struct place *place,
                       struct lia_frame *frame,
                       unsigned depth)
{
    uint64_t item;

    while ((item = lia_reader_varint(&d->r)) != 0) {
        uint64_t n = item >> LIA_ITEM_BITS;
        struct lia_birth expected = lia_frame_expect(frame, place_of(d, place->at));
        bool is_read = true;

        switch ((enum lia_item)(item & 3)) {
        case LIA_ITEM_SKIP:
            is_read = add_run(d, link, place, n, frame->rank, expected);
            break;
        case LIA_ITEM_SHIFT: frame->shift += n >> 1 ^ (~(n & 1) + 1); break;
        case LIA_ITEM_RUN: is_read = read_run(d, link, place, n, frame); break;
        case LIA_ITEM_NODE:
            is_read = read_child(d, link, place, n, frame, depth);
            break;
        }
        if (!is_read) {
            return lia_decoder_fail(d);
        }
    }
    return !d->r.failed;
}

/* The rest of a map is what its frame expects. */
static bool read_rest(struct lia_decoder *d,
                      struct lia_piece ***link,
                      struct place *place,
                      const struct lia_frame *frame)
{
    size_t len = (size_t)(place->end - place->at);

    return len == 0 || add_run(d, link, place, len, frame->rank,
                               lia_frame_expect(frame, place_of(d, place->at)));
}

static bool read_hidden(struct lia_decoder *d, struct lia_piece ***link, unsigned depth)
{
    struct liana_slice before = {NULL, 0};
    uint64_t flags;
    bool is_first = true;

    while ((flags = lia_reader_varint_max(&d->r, LIA_NODE_FLAGS_MAX)) != 0) {
        struct liana_slice name = lia_reader_prefixed(&d->r);
        struct lia_piece *piece = lia_node_new(d->work, lia_slice_str(name));

        if (!piece || (!is_first && lia_slice_cmp(before, name) >= 0) ||
            (d->is_checked && !lia_name_check(name))) {
            return lia_decoder_fail(d);
        }
        **link = piece;
        *link = &piece->next;
        before = name;
        is_first = false;
        if (!read_node(d, piece->node, (unsigned)flags, NULL, NULL, depth)) {
            return lia_decoder_fail(d);
        }
    }
    return !d->r.failed;
}

static bool read_map(struct lia_decoder *d,
                     struct lia_node *node,
                     bool is_listed,
                     struct place place,
                     struct lia_frame *frame,
                     unsigned depth)
{
    struct lia_piece **link = &node->children;

    if (depth > LIA_DEPTH_MAX) {
        d->work->status = LIANA_EDEPTH;
        return lia_decoder_fail(d);
    }
    if (is_listed && !read_items(d, &link, &place, frame, depth + 1)) {
        return false;
    }
    return read_rest(d, &link, &place, frame) &&
           (!is_listed || read_hidden(d, &link, depth + 1));
}

/* `element`: what the body shows of the node; NULL, and no frame, if it shows nothing. */
static bool read_node(struct lia_decoder *d,
                      struct lia_node *node,
                      unsigned flags,
                      const struct lia_value *element,
                      struct lia_frame *frame,
                      unsigned depth)
{
    struct lia_frame none = {0};
    struct lia_frame own_frame;
    struct lia_birth expected = LIA_BIRTH_NEVER;
    const struct lia_birth *own;
    struct place inside = {d->body, d->body};
    size_t start = 0;
    size_t size = 0;

    if (element) {
        start = place_of(d, element->data.ptr) - node->name.len - 2;
        size = node->name.len + 2 + element->data.len;
        expected = lia_frame_expect(frame, start);
    }
    if (!lia_own_decode(d, node, flags, element, element ? &expected : NULL, depth)) {
        return lia_decoder_fail(d);
    }
    frame = frame ? frame : &none;
    own = lia_node_own_birth(node);
    if (element) {
        lia_frame_enter(frame, start, own);
    }
    own_frame = *frame;
    if (element && element->type == LIA_BSON_DOCUMENT &&
        (flags & LIA_NODE_VALUE) != LIA_NODE_VALUE_SHOWN) {
        own_frame = lia_frame_inside(frame, node, start + node->name.len + 2);
        inside.at = element->data.ptr + 4;
        inside.end = element->data.ptr + element->data.len - 1;
    }
    if (!read_map(d, node, (flags & LIA_NODE_CHILDREN) != 0, inside,
                  node->value == LIA_VALUE_MAP ? &own_frame : frame, depth)) {
        return false;
    }
    if (element) {
        lia_frame_leave(frame, size, own);
    }
    return true;
}

static bool read_root(struct lia_decoder *d,
                      struct lia_state *state,
                      struct place place)
{
    unsigned flags = (unsigned)lia_reader_varint_max(&d->r, LIA_NODE_FLAGS_MAX);
    struct lia_frame frame;

    if (!lia_own_decode(d, &state->root, flags, NULL, NULL, 0)) {
        return false;
    }
    frame = lia_frame_root(state);
    return read_map(d, &state->root, (flags & LIA_NODE_CHILDREN) != 0, place, &frame,
                    0);
}

/* ---- whole states ---- */

static bool read_body(struct lia_decoder *d,
                      struct lia_state *state,
                      struct liana_slice body,
                      bool is_lifeless)
{
    struct lia_bson_iter it = lia_bson_iter(body);
    struct place place = {it.at, it.end};

    if (!it.at || it.end != body.ptr + body.len - 1) {
        return lia_decoder_fail(d);
    }
    if (!is_lifeless) {
        if (!lia_bson_next(&it) || !lia_str_equal(it.name, lia_str("_id"))) {
            return lia_decoder_fail(d);
        }
        state->id = lia_bson_element(&it);
        place.at = it.at;
    }
    return read_root(d, state, place);
}

/* A document that is hidden keeps its body in the clock. */
static liana_status take_body(struct lia_decoder *d,
                              struct lia_doc doc,
                              const struct lia_state *state,
                              struct liana_slice *out)
{
    *out = doc.body;
    if (!state->is_hidden) {
        return LIANA_OK;
    }
    *out = lia_reader_prefixed(&d->r);
    if (doc.body.len || d->r.failed) {
        return LIANA_ECORRUPT;
    }
    return d->is_checked ? lia_bson_check(*out, d->work->arena->alloc, d->work->err)
                         : LIANA_OK;
}

static liana_status read_entries(struct lia_decoder *d,
                                 struct lia_doc doc,
                                 struct lia_state *state,
                                 unsigned flags)
{
    struct liana_slice body;
    liana_status status = take_body(d, doc, state, &body);

    if (status) {
        return status;
    }
    d->body = body.ptr;
    if (!lia_stamps_decode(d->work, &d->r, state, &d->stamps) ||
        !read_body(d, state, body, (flags & LIA_CLOCK_LIFELESS) != 0)) {
        return d->work->status ? d->work->status : LIANA_ECORRUPT;
    }
    return LIANA_OK;
}

static liana_status read_clock(struct lia_decoder *d,
                               struct lia_doc doc,
                               struct lia_state *state)
{
    unsigned flags;
    liana_status status = lia_clock_head_decode(d->work->arena, &d->r, state, &flags);

    if (!status && flags & LIA_CLOCK_CREATED) {
        status = read_entries(d, doc, state, flags);
    } else if (!status && doc.body.len) {
        status = LIANA_ECORRUPT;
    }
    if (status) {
        return status;
    }
    return lia_reader_done(&d->r) ? LIANA_OK : LIANA_ECORRUPT;
}

liana_status lia_clock_read(struct lia_work *work,
                            struct lia_doc doc,
                            bool is_checked,
                            struct lia_state *out)
{
    struct lia_decoder d = {.work = work,
                            .r = lia_reader(doc.clock),
                            .state = out,
                            .is_checked = is_checked};

    *out = (struct lia_state){0};
    if (doc.clock.len == 0 && doc.body.len == 0) {
        return LIANA_OK;
    }
    return read_clock(&d, doc, out);
}
