/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/clock_entry.h"

/* ---- writing ---- */

void lia_rank_encode(struct lia_encoder *e, struct lia_rank rank, struct lia_stamp tag)
{
    bool has_life = lia_stamp_cmp(rank.life, e->state->created) != 0;
    bool has_tag = lia_stamp_cmp(rank.tag, tag) != 0;

    lia_buf_varint(&e->buf, lia_stamp_number(e, rank.stamp) << LIA_RANK_BITS |
                                (has_life ? LIA_RANK_LIFE : 0u) |
                                (has_tag ? LIA_RANK_TAG : 0u));
    if (has_life) {
        lia_buf_varint(&e->buf, lia_stamp_number(e, rank.life));
    }
    if (has_tag) {
        lia_buf_varint(&e->buf, lia_stamp_number(e, rank.tag));
    }
}

void lia_birth_encode(struct lia_encoder *e,
                      struct lia_birth birth,
                      const struct lia_birth *expected)
{
    if (expected && lia_birth_cmp(birth, *expected) == 0) {
        lia_buf_varint(&e->buf, 0);
        return;
    }
    lia_buf_varint(&e->buf, lia_stamp_number(e, birth.stamp) + 1);
    lia_buf_varint(&e->buf, birth.index);
}

static void write_seen(struct lia_encoder *e, const struct lia_node *node)
{
    lia_buf_varint(&e->buf, node->seen_count);
    for (size_t i = 0; i < node->seen_count; i++) {
        const struct lia_seen *seen = &node->seen[i];

        lia_buf_varint(&e->buf, lia_vector_index(e->state->vector, seen->actor));
        lia_buf_varint(&e->buf, lia_stamp_number(e, seen->start));
        lia_sum_encode(&e->buf, seen->sum);
    }
}

static void write_cells(struct lia_encoder *e, const struct lia_node *node)
{
    const struct lia_birth *own = lia_node_own_birth(node);

    lia_buf_varint(&e->buf, node->cell_count);
    for (size_t i = 0; i < node->cell_count; i++) {
        const struct lia_cell *cell = &node->cells[i];

        lia_buf_varint(&e->buf, lia_stamp_number(e, cell->start));
        lia_rank_encode(e, cell->rank, cell->rank.stamp);
        lia_birth_encode(e, cell->birth, own);
        lia_sum_encode(&e->buf, cell->sum);
    }
}

unsigned lia_node_value_flag(const struct lia_node *node)
{
    switch (node->value) {
    case LIA_VALUE_NONE: return LIA_NODE_VALUE_NONE;
    case LIA_VALUE_REMOVED: return LIA_NODE_VALUE_REMOVED;
    case LIA_VALUE_GONE: return LIA_NODE_VALUE_GONE;
    case LIA_VALUE_MAP: return LIA_NODE_VALUE_MAP;
    default:
        return node->view.shown == LIA_SHOWN_LEAF && node->view.is_leaf_of_value
                   ? LIA_NODE_VALUE_SHOWN
                   : LIA_NODE_VALUE_KEPT;
    }
}

void lia_own_encode(struct lia_encoder *e,
                    const struct lia_node *node,
                    const struct lia_birth *expected)
{
    bool is_root = node == &e->state->root;

    if (node->value != LIA_VALUE_NONE) {
        lia_rank_encode(e, node->rank, node->rank.stamp);
        if (node->value != LIA_VALUE_GONE && !is_root) {
            lia_birth_encode(e, node->birth, expected);
        }
        if (lia_node_value_flag(node) == LIA_NODE_VALUE_KEPT) {
            lia_buf_u8(&e->buf, node->leaf.type);
            lia_buf_slice_add(&e->buf, node->leaf.data);
        }
    }
    if (node->seen_count) {
        write_seen(e, node);
    }
    if (node->is_open) {
        lia_rank_encode(e, node->open_rank, node->open_rank.stamp);
        lia_birth_encode(e, node->open_birth, expected);
    }
    if (node->cell_count) {
        write_cells(e, node);
    }
    if (node->set) {
        lia_set_encode(e, node, expected);
    }
    if (node->bounded) {
        lia_bounded_encode(e, node, expected);
    }
}

/* ---- reading ---- */

bool lia_decoder_fail(struct lia_decoder *d)
{
    lia_reader_fail(&d->r);
    return false;
}

static bool no_memory(struct lia_decoder *d)
{
    d->work->status = LIANA_ENOMEM;
    return lia_decoder_fail(d);
}

struct lia_stamp lia_numbered_stamp(const struct lia_decoder *d, uint64_t number)
{
    return number ? d->stamps.entries[number - 1] : d->state->created;
}

static struct lia_stamp read_stamp(struct lia_decoder *d)
{
    return lia_numbered_stamp(d, lia_reader_varint_max(&d->r, d->stamps.count));
}

struct lia_rank lia_rank_decode(struct lia_decoder *d, const struct lia_stamp *tag)
{
    uint64_t coded = lia_reader_varint(&d->r);
    uint64_t number = coded >> LIA_RANK_BITS;
    struct lia_rank rank = lia_rank_of(d->state->created, d->state->created);

    if (number > d->stamps.count) {
        lia_decoder_fail(d);
        return rank;
    }
    rank.stamp = lia_numbered_stamp(d, number);
    if (coded & LIA_RANK_LIFE) {
        rank.life = read_stamp(d);
    }
    rank.tag = coded & LIA_RANK_TAG ? read_stamp(d) : tag ? *tag : rank.stamp;
    if (lia_stamp_cmp(rank.life, d->state->created) > 0 ||
        lia_stamp_cmp(rank.life, rank.stamp) > 0) {
        lia_decoder_fail(d);
    }
    return rank;
}

struct lia_birth lia_birth_decode(struct lia_decoder *d,
                                  const struct lia_birth *expected)
{
    uint64_t number = lia_reader_varint_max(&d->r, d->stamps.count + 1);
    struct lia_birth birth = LIA_BIRTH_NEVER;

    if (number == 0) {
        if (!expected) {
            lia_decoder_fail(d);
            return birth;
        }
        birth = *expected;
    } else {
        birth.stamp = number == 1 ? d->state->created : d->stamps.entries[number - 2];
        birth.index = lia_reader_varint(&d->r);
    }
    if (birth.index > LIA_BIRTH_INDEX_MAX) {
        lia_decoder_fail(d);
    }
    return birth;
}

/* An actor, the start, a type and a byte of number. */
#define SEEN_BYTES_MIN 4
/* The start, rank, birth, a type and a byte of number. */
#define CELL_BYTES_MIN 5

static bool read_seen(struct lia_decoder *d, struct lia_node *node)
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
            return lia_decoder_fail(d);
        }
        seen[i].actor = d->state->vector.entries[index].actor;
        seen[i].start = read_stamp(d);
        seen[i].sum = lia_sum_decode(&d->r);
        if (i && seen[i].actor <= seen[i - 1].actor) {
            return lia_decoder_fail(d);
        }
    }
    node->seen = seen;
    node->seen_count = count;
    return count > 0 || lia_decoder_fail(d);
}

static bool read_cells(struct lia_decoder *d, struct lia_node *node)
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
        cells[i].rank = lia_rank_decode(d, NULL);
        cells[i].birth = lia_birth_decode(d, own);
        cells[i].sum = lia_sum_decode(&d->r);
        if (i && cells[i].rank.stamp.actor <= cells[i - 1].rank.stamp.actor) {
            return lia_decoder_fail(d);
        }
    }
    node->cells = cells;
    node->cell_count = count;
    return count > 0 || lia_decoder_fail(d);
}

/* A leaf that the body does not show. */
static bool read_kept(struct lia_decoder *d, struct lia_node *node, unsigned depth)
{
    uint8_t type = lia_reader_u8(&d->r);
    size_t len;

    if (d->r.failed || !lia_bson_value_len(type, d->r.at, d->r.end, &len)) {
        return lia_decoder_fail(d);
    }
    node->leaf = (struct lia_value){type, lia_reader_bytes(&d->r, len)};
    return !d->is_checked || lia_leaf_check(d->work, node->leaf, depth) ||
           lia_decoder_fail(d);
}

static bool read_value(struct lia_decoder *d,
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
        return lia_decoder_fail(d);
    }
    node->value = kinds[kind];
    node->rank = lia_rank_decode(d, NULL);
    if (node->value != LIA_VALUE_GONE && !is_root) {
        node->birth = lia_birth_decode(d, expected);
    }
    if (kind == LIA_NODE_VALUE_KEPT) {
        return read_kept(d, node, depth);
    }
    if (kind == LIA_NODE_VALUE_SHOWN) {
        if (!element) {
            return lia_decoder_fail(d);
        }
        node->leaf = *element;
    }
    return !d->r.failed;
}

bool lia_own_decode(struct lia_decoder *d,
                    struct lia_node *node,
                    unsigned flags,
                    const struct lia_value *element,
                    const struct lia_birth *expected,
                    unsigned depth)
{
    unsigned kind = flags & LIA_NODE_VALUE;
    bool is_root = node == &d->state->root;

    if ((is_root && (flags & ~(unsigned)(LIA_NODE_VALUE | LIA_NODE_CHILDREN))) ||
        (flags & LIA_NODE_SET_SHOWN && (!(flags & LIA_NODE_SET) || !element))) {
        return lia_decoder_fail(d);
    }
    if (kind && !read_value(d, node, kind, element, expected, depth)) {
        return false;
    }
    if ((flags & LIA_NODE_SEEN) && (!kind || !read_seen(d, node))) {
        return lia_decoder_fail(d);
    }
    if (flags & LIA_NODE_OPEN) {
        node->is_open = true;
        node->open_rank = lia_rank_decode(d, NULL);
        node->open_birth = lia_birth_decode(d, expected);
    }
    if ((flags & LIA_NODE_CELLS) && !read_cells(d, node)) {
        return false;
    }
    if (flags & LIA_NODE_SET &&
        !lia_set_decode(d, node, flags & LIA_NODE_SET_SHOWN ? element : NULL, expected,
                        depth)) {
        return false;
    }
    if (flags & LIA_NODE_BOUNDED && !lia_bounded_decode(d, node, expected)) {
        return false;
    }
    return !d->r.failed;
}
