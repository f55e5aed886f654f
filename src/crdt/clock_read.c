/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clock and body, as a state (docs/format/clock.md). The clock is read to its end; of the
 * body only the elements that the clock lists are looked at, unless it is checked.
 */
#include "crdt/clock.h"

struct decoder {
    struct lia_work *work;
    struct lia_reader r;
    const struct lia_state *state;
    struct lia_stamps stamps;
    const uint8_t *body;
    bool is_checked;
};

/* A place in the body and the end of the map that it is in. */
struct place {
    const uint8_t *at;
    const uint8_t *end;
};

static bool read_node(struct decoder *d,
                      struct lia_node *node,
                      unsigned flags,
                      const struct lia_value *element,
                      struct lia_frame *frame,
                      unsigned depth);

static bool fail(struct decoder *d)
{
    lia_reader_fail(&d->r);
    return false;
}

static bool no_memory(struct decoder *d)
{
    d->work->status = LIANA_ENOMEM;
    return fail(d);
}

static size_t place_of(const struct decoder *d, const uint8_t *at)
{
    return (size_t)(at - d->body);
}

/* ---- what an entry has ---- */

static struct lia_stamp read_stamp(struct decoder *d)
{
    uint64_t number = lia_reader_varint_max(&d->r, d->stamps.count);

    return number ? d->stamps.entries[number - 1] : d->state->created;
}

static struct lia_rank read_rank(struct decoder *d)
{
    uint64_t coded = lia_reader_varint(&d->r);
    uint64_t number = coded >> LIA_RANK_BITS;
    struct lia_rank rank = {d->state->created, d->state->created};

    if (number > d->stamps.count || (coded & ~UINT64_C(1) & 3)) {
        fail(d);
        return rank;
    }
    if (number) {
        rank.stamp = d->stamps.entries[number - 1];
    }
    if (coded & LIA_RANK_LIFE) {
        rank.life = read_stamp(d);
    }
    if (lia_stamp_cmp(rank.life, d->state->created) > 0 ||
        lia_stamp_cmp(rank.life, rank.stamp) > 0) {
        fail(d);
    }
    return rank;
}

static struct lia_birth read_birth(struct decoder *d, const struct lia_birth *expected)
{
    uint64_t number = lia_reader_varint_max(&d->r, d->stamps.count + 1);
    struct lia_birth birth = LIA_BIRTH_NEVER;

    if (number == 0) {
        if (!expected) {
            fail(d);
            return birth;
        }
        birth = *expected;
    } else {
        birth.stamp = number == 1 ? d->state->created : d->stamps.entries[number - 2];
        birth.index = lia_reader_varint(&d->r);
    }
    if (birth.index > LIA_BIRTH_INDEX_MAX) {
        fail(d);
    }
    return birth;
}

/* An actor, the start, a type and a byte of number. */
#define SEEN_BYTES_MIN 4
/* The start, rank, birth, a type and a byte of number. */
#define CELL_BYTES_MIN 5

static bool read_seen(struct decoder *d, struct lia_node *node)
{
    size_t count =
        (size_t)lia_reader_varint_max(&d->r, lia_reader_left(&d->r) / SEEN_BYTES_MIN);
    struct lia_seen *seen = lia_arena_array(d->work->arena, count, sizeof(*seen));

    if (!seen) {
        return no_memory(d);
    }
    for (size_t i = 0; i < count && !d->r.failed; i++) {
        uint64_t index = lia_reader_varint(&d->r);

        if (index >= d->state->vector.count) {
            return fail(d);
        }
        seen[i].actor = d->state->vector.entries[index].actor;
        seen[i].start = read_stamp(d);
        seen[i].sum = lia_sum_decode(&d->r);
        if (i && seen[i].actor <= seen[i - 1].actor) {
            return fail(d);
        }
    }
    node->seen = seen;
    node->seen_count = count;
    return count > 0 || fail(d);
}

static bool read_cells(struct decoder *d, struct lia_node *node)
{
    const struct lia_birth *own = lia_node_own_birth(node);
    size_t count =
        (size_t)lia_reader_varint_max(&d->r, lia_reader_left(&d->r) / CELL_BYTES_MIN);
    struct lia_cell *cells = lia_arena_array(d->work->arena, count, sizeof(*cells));

    if (!cells) {
        return no_memory(d);
    }
    for (size_t i = 0; i < count && !d->r.failed; i++) {
        cells[i].start = read_stamp(d);
        cells[i].rank = read_rank(d);
        cells[i].birth = read_birth(d, own);
        cells[i].sum = lia_sum_decode(&d->r);
        if (i && cells[i].rank.stamp.actor <= cells[i - 1].rank.stamp.actor) {
            return fail(d);
        }
    }
    node->cells = cells;
    node->cell_count = count;
    return count > 0 || fail(d);
}

/* A leaf that the body does not show. */
static bool read_kept(struct decoder *d, struct lia_node *node, unsigned depth)
{
    uint8_t type = lia_reader_u8(&d->r);
    size_t len;

    if (d->r.failed || type == LIA_BSON_DOCUMENT ||
        !lia_bson_value_len(type, d->r.at, d->r.end, &len)) {
        return fail(d);
    }
    node->leaf = (struct lia_value){type, lia_reader_bytes(&d->r, len)};
    return !d->is_checked || lia_leaf_check(d->work, node->leaf, depth) || fail(d);
}

static bool read_value(struct decoder *d,
                       struct lia_node *node,
                       unsigned kind,
                       const struct lia_value *element,
                       const struct lia_birth *expected,
                       unsigned depth)
{
    static const enum lia_value_kind kinds[] = {
        [LIA_NODE_VALUE_REMOVED] = LIA_VALUE_REMOVED,
        [LIA_NODE_VALUE_GONE] = LIA_VALUE_GONE,
        [LIA_NODE_VALUE_MAP] = LIA_VALUE_MAP,
        [LIA_NODE_VALUE_SHOWN] = LIA_VALUE_LEAF,
        [LIA_NODE_VALUE_KEPT] = LIA_VALUE_LEAF,
    };
    bool is_root = node == &d->state->root;

    if (kind > LIA_NODE_VALUE_KEPT || (is_root && kind != LIA_NODE_VALUE_MAP)) {
        return fail(d);
    }
    node->value = kinds[kind];
    node->rank = read_rank(d);
    if (node->value != LIA_VALUE_GONE && !is_root) {
        node->birth = read_birth(d, expected);
    }
    if (kind == LIA_NODE_VALUE_KEPT) {
        return read_kept(d, node, depth);
    }
    if (kind == LIA_NODE_VALUE_SHOWN) {
        if (!element || element->type == LIA_BSON_DOCUMENT) {
            return fail(d);
        }
        node->leaf = *element;
    }
    return !d->r.failed;
}

/* ---- maps ---- */

/* In checked bytes a range must be whole elements. */
static bool is_whole(const struct decoder *d, struct place place, size_t len)
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

static bool add_run(struct decoder *d,
                    struct lia_piece ***link,
                    struct place *place,
                    uint64_t len,
                    struct lia_rank rank,
                    struct lia_birth birth)
{
    struct lia_piece *run;

    if (len == 0 || len > (size_t)(place->end - place->at) ||
        birth.index > LIA_BIRTH_INDEX_MAX || !is_whole(d, *place, (size_t)len)) {
        return fail(d);
    }
    run = lia_run_new(d->work, lia_slice(place->at, (size_t)len), rank, birth);
    if (!run) {
        return fail(d);
    }
    **link = run;
    *link = &run->next;
    place->at += len;
    return true;
}

static bool read_run(struct decoder *d,
                     struct lia_piece ***link,
                     struct place *place,
                     uint64_t len,
                     struct lia_frame *frame)
{
    size_t start = place_of(d, place->at);
    struct lia_birth expected = lia_frame_expect(frame, start);
    struct lia_rank rank = read_rank(d);
    struct lia_birth birth = read_birth(d, &expected);

    if (d->r.failed || !add_run(d, link, place, len, rank, birth)) {
        return fail(d);
    }
    lia_frame_enter(frame, start, &birth);
    lia_frame_leave(frame, (size_t)len, &birth);
    return true;
}

static bool read_child(struct decoder *d,
                       struct lia_piece ***link,
                       struct place *place,
                       uint64_t flags,
                       struct lia_frame *frame,
                       unsigned depth)
{
    struct lia_bson_iter it = {.at = place->at, .end = place->end};
    struct lia_piece *piece;

    if (!lia_bson_next(&it)) {
        return fail(d);
    }
    piece = lia_node_new(d->work, it.name);
    if (!piece) {
        return fail(d);
    }
    **link = piece;
    *link = &piece->next;
    place->at = it.at;
    return flags <= LIA_NODE_FLAGS_MAX &&
           read_node(d, piece->node, (unsigned)flags, &it.value, frame, depth);
}

static bool read_items(struct decoder *d,
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
            return fail(d);
        }
    }
    return !d->r.failed;
}

/* The rest of a map is what its frame expects. */
static bool read_rest(struct decoder *d,
                      struct lia_piece ***link,
                      struct place *place,
                      const struct lia_frame *frame)
{
    size_t len = (size_t)(place->end - place->at);

    return len == 0 || add_run(d, link, place, len, frame->rank,
                               lia_frame_expect(frame, place_of(d, place->at)));
}

static bool read_hidden(struct decoder *d, struct lia_piece ***link, unsigned depth)
{
    struct liana_slice before = {NULL, 0};
    uint64_t flags;
    bool is_first = true;

    while ((flags = lia_reader_varint_max(&d->r, LIA_NODE_FLAGS_MAX)) != 0) {
        struct liana_slice name = lia_reader_prefixed(&d->r);
        struct lia_piece *piece = lia_node_new(d->work, lia_slice_str(name));

        if (!piece || (!is_first && lia_slice_cmp(before, name) >= 0) ||
            (d->is_checked && !lia_name_check(name))) {
            return fail(d);
        }
        **link = piece;
        *link = &piece->next;
        before = name;
        is_first = false;
        if (!read_node(d, piece->node, (unsigned)flags, NULL, NULL, depth)) {
            return fail(d);
        }
    }
    return !d->r.failed;
}

static bool read_map(struct decoder *d,
                     struct lia_node *node,
                     bool is_listed,
                     struct place place,
                     struct lia_frame *frame,
                     unsigned depth)
{
    struct lia_piece **link = &node->children;

    if (depth > LIA_DEPTH_MAX) {
        d->work->status = LIANA_EDEPTH;
        return fail(d);
    }
    if (is_listed && !read_items(d, &link, &place, frame, depth + 1)) {
        return false;
    }
    return read_rest(d, &link, &place, frame) &&
           (!is_listed || read_hidden(d, &link, depth + 1));
}

/* Value, seen sums, open, sums. */
static bool read_own(struct decoder *d,
                     struct lia_node *node,
                     unsigned flags,
                     const struct lia_value *element,
                     const struct lia_birth *expected,
                     unsigned depth)
{
    unsigned kind = flags & LIA_NODE_VALUE;
    bool is_root = node == &d->state->root;

    if (is_root && (flags & ~(unsigned)(LIA_NODE_VALUE | LIA_NODE_CHILDREN))) {
        return fail(d);
    }
    if (kind && !read_value(d, node, kind, element, expected, depth)) {
        return false;
    }
    if ((flags & LIA_NODE_SEEN) && (!kind || !read_seen(d, node))) {
        return fail(d);
    }
    if (flags & LIA_NODE_OPEN) {
        node->is_open = true;
        node->open_rank = read_rank(d);
        node->open_birth = read_birth(d, expected);
    }
    return (!(flags & LIA_NODE_CELLS) || read_cells(d, node)) && !d->r.failed;
}

/* `element`: what the body shows of the node; NULL, and no frame, if it shows nothing. */
static bool read_node(struct decoder *d,
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
    if (!read_own(d, node, flags, element, element ? &expected : NULL, depth)) {
        return fail(d);
    }
    frame = frame ? frame : &none;
    own = lia_node_own_birth(node);
    if (element) {
        lia_frame_enter(frame, start, own);
    }
    own_frame = *frame;
    if (element && element->type == LIA_BSON_DOCUMENT) {
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

static bool read_root(struct decoder *d, struct lia_state *state, struct place place)
{
    unsigned flags = (unsigned)lia_reader_varint_max(&d->r, LIA_NODE_FLAGS_MAX);
    struct lia_frame frame;

    if (!read_own(d, &state->root, flags, NULL, NULL, 0)) {
        return false;
    }
    frame = lia_frame_root(state);
    return read_map(d, &state->root, (flags & LIA_NODE_CHILDREN) != 0, place, &frame,
                    0);
}

/* ---- whole states ---- */

static bool read_body(struct decoder *d,
                      struct lia_state *state,
                      struct liana_slice body,
                      bool is_lifeless)
{
    struct lia_bson_iter it = lia_bson_iter(body);
    struct place place = {it.at, it.end};

    if (!it.at || it.end != body.ptr + body.len - 1) {
        return fail(d);
    }
    if (!is_lifeless) {
        if (!lia_bson_next(&it) || !lia_str_equal(it.name, lia_str("_id"))) {
            return fail(d);
        }
        state->id = lia_bson_element(&it);
        place.at = it.at;
    }
    return read_root(d, state, place);
}

static liana_status read_clock(struct decoder *d,
                               struct lia_doc doc,
                               struct lia_state *state)
{
    uint8_t flags;
    liana_status status = lia_clock_head_decode(d->work->arena, &d->r, state, &flags);

    if (status) {
        return status;
    }
    d->body = doc.body.ptr;
    if (flags & LIA_CLOCK_CREATED) {
        if (!lia_stamps_decode(d->work, &d->r, state, &d->stamps) ||
            !read_body(d, state, doc.body, (flags & LIA_CLOCK_LIFELESS) != 0)) {
            return d->work->status ? d->work->status : LIANA_ECORRUPT;
        }
    } else if (doc.body.len) {
        return LIANA_ECORRUPT;
    }
    return lia_reader_done(&d->r) ? LIANA_OK : LIANA_ECORRUPT;
}

liana_status lia_clock_read(struct lia_work *work,
                            struct lia_doc doc,
                            bool is_checked,
                            struct lia_state *out)
{
    struct decoder d = {.work = work,
                        .r = lia_reader(doc.clock),
                        .state = out,
                        .is_checked = is_checked};

    *out = (struct lia_state){0};
    if (doc.clock.len == 0 && doc.body.len == 0) {
        return LIANA_OK;
    }
    return read_clock(&d, doc, out);
}
