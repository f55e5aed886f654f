/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one encoding of a state: its clock (docs/format/clock.md). The body is body.c's.
 *
 * Neighbours that are plain, with one rank and births that go on, gather in a pending
 * run, whether they were runs or nodes before: so runs are maximal, and what was looked
 * at leaves no trace.
 */
#include <stdlib.h>

#include "crdt/body.h"
#include "crdt/clock.h"

struct run {
    size_t place; /* in the body */
    size_t len;   /* 0: none pending */
    struct lia_rank rank;
    struct lia_birth birth;
};

struct writer {
    struct lia_work *work;
    struct lia_buf buf;
    const struct lia_state *state;
    struct lia_stamps stamps;
};

static void write_node(struct writer *w,
                       const struct lia_node *node,
                       struct lia_frame *frame,
                       size_t place);

/* ---- stamps ---- */

static int descending(const void *a, const void *b)
{
    return lia_stamp_cmp(*(const struct lia_stamp *)b, *(const struct lia_stamp *)a);
}

/* Where stamps are gathered; with `entries` NULL they are only counted. */
struct gather {
    struct lia_stamp *entries;
    size_t count;
    struct lia_stamp created;
};

static void gather_stamp(struct gather *g, struct lia_stamp s)
{
    if (lia_stamp_cmp(s, g->created) == 0) {
        return;
    }
    if (g->entries) {
        g->entries[g->count] = s;
    }
    g->count++;
}

static void gather_rank(struct gather *g, struct lia_rank rank)
{
    gather_stamp(g, rank.life);
    gather_stamp(g, rank.stamp);
}

static void gather_node(struct gather *g, const struct lia_node *node, bool is_root)
{
    if (node->value != LIA_VALUE_NONE) {
        gather_rank(g, node->rank);
        if (node->value != LIA_VALUE_GONE && !is_root) {
            gather_stamp(g, node->birth.stamp);
        }
    }
    for (size_t i = 0; i < node->seen_count; i++) {
        gather_stamp(g, node->seen[i].start);
    }
    if (node->is_open) {
        gather_rank(g, node->open_rank);
        gather_stamp(g, node->open_birth.stamp);
    }
    for (size_t i = 0; i < node->cell_count; i++) {
        gather_stamp(g, node->cells[i].start);
        gather_rank(g, node->cells[i].rank);
        gather_stamp(g, node->cells[i].birth.stamp);
    }
    for (const struct lia_piece *p = node->children; p; p = p->next) {
        if (p->node) {
            gather_node(g, p->node, false);
        } else {
            gather_rank(g, p->rank);
            gather_stamp(g, p->birth.stamp);
        }
    }
}

static bool gather_stamps(struct writer *w)
{
    struct gather g = {NULL, 0, w->state->created};
    size_t count = 0;

    gather_node(&g, &w->state->root, true);
    g.entries = lia_arena_array(w->work->arena, g.count, sizeof(*g.entries));
    if (!g.entries) {
        w->work->status = LIANA_ENOMEM;
        return false;
    }
    g.count = 0;
    gather_node(&g, &w->state->root, true);
    if (g.count > 1) {
        qsort(g.entries, g.count, sizeof(*g.entries), descending);
    }
    for (size_t i = 0; i < g.count; i++) {
        if (i == 0 || lia_stamp_cmp(g.entries[i], g.entries[count - 1]) != 0) {
            g.entries[count++] = g.entries[i];
        }
    }
    w->stamps = (struct lia_stamps){g.entries, count};
    return true;
}

static uint64_t number_of(const struct writer *w, struct lia_stamp s)
{
    const struct lia_stamp *found;

    if (lia_stamp_cmp(s, w->state->created) == 0) {
        return 0;
    }
    found = bsearch(&s, w->stamps.entries, w->stamps.count, sizeof(s), descending);
    LIA_ASSERT(found);
    return (uint64_t)(found - w->stamps.entries) + 1;
}

/* ---- what an entry has ---- */

static void write_rank(struct writer *w, struct lia_rank rank)
{
    bool has_life = lia_stamp_cmp(rank.life, w->state->created) != 0;

    lia_buf_varint(&w->buf, number_of(w, rank.stamp) << LIA_RANK_BITS |
                                (has_life ? LIA_RANK_LIFE : 0u));
    if (has_life) {
        lia_buf_varint(&w->buf, number_of(w, rank.life));
    }
}

/* `expected` NULL: nothing is. */
static void write_birth(struct writer *w,
                        struct lia_birth birth,
                        const struct lia_birth *expected)
{
    if (expected && lia_birth_cmp(birth, *expected) == 0) {
        lia_buf_varint(&w->buf, 0);
        return;
    }
    lia_buf_varint(&w->buf, number_of(w, birth.stamp) + 1);
    lia_buf_varint(&w->buf, birth.index);
}

static void write_seen(struct writer *w, const struct lia_node *node)
{
    lia_buf_varint(&w->buf, node->seen_count);
    for (size_t i = 0; i < node->seen_count; i++) {
        const struct lia_seen *seen = &node->seen[i];

        lia_buf_varint(&w->buf, lia_vector_index(w->state->vector, seen->actor));
        lia_buf_varint(&w->buf, number_of(w, seen->start));
        lia_sum_encode(&w->buf, seen->sum);
    }
}

static void write_cells(struct writer *w, const struct lia_node *node)
{
    const struct lia_birth *own = lia_node_own_birth(node);

    lia_buf_varint(&w->buf, node->cell_count);
    for (size_t i = 0; i < node->cell_count; i++) {
        const struct lia_cell *cell = &node->cells[i];

        lia_buf_varint(&w->buf, number_of(w, cell->start));
        write_rank(w, cell->rank);
        write_birth(w, cell->birth, own);
        lia_sum_encode(&w->buf, cell->sum);
    }
}

static unsigned value_flag(const struct lia_node *node)
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

/* Value, seen sums, open, sums. The root's value has no birth. */
static void write_own(struct writer *w,
                      const struct lia_node *node,
                      const struct lia_birth *expected)
{
    bool is_root = node == &w->state->root;

    if (node->value != LIA_VALUE_NONE) {
        write_rank(w, node->rank);
        if (node->value != LIA_VALUE_GONE && !is_root) {
            write_birth(w, node->birth, expected);
        }
        if (value_flag(node) == LIA_NODE_VALUE_KEPT) {
            lia_buf_u8(&w->buf, node->leaf.type);
            lia_buf_slice_add(&w->buf, node->leaf.data);
        }
    }
    if (node->seen_count) {
        write_seen(w, node);
    }
    if (node->is_open) {
        write_rank(w, node->open_rank);
        write_birth(w, node->open_birth, expected);
    }
    if (node->cell_count) {
        write_cells(w, node);
    }
}

/* ---- maps ---- */

static void write_item(struct writer *w, enum lia_item kind, uint64_t n)
{
    lia_buf_varint(&w->buf, n << LIA_ITEM_BITS | kind);
}

static uint64_t zigzag(uint64_t n)
{
    return n << 1 ^ (n >> 63 ? UINT64_MAX : 0);
}

static bool is_in_frame(const struct lia_frame *frame, const struct run *run)
{
    return lia_rank_cmp(run->rank, frame->rank) == 0 &&
           lia_stamp_cmp(run->birth.stamp, frame->rank.stamp) == 0;
}

static void flush(struct writer *w,
                  struct run *run,
                  struct lia_frame *frame,
                  bool is_last)
{
    struct lia_birth expected = lia_frame_expect(frame, run->place);

    if (run->len == 0) {
        return;
    }
    if (is_in_frame(frame, run)) {
        if (run->birth.index != expected.index) {
            write_item(w, LIA_ITEM_SHIFT, zigzag(run->birth.index - expected.index));
            lia_frame_enter(frame, run->place, &run->birth);
        }
        if (!is_last) {
            write_item(w, LIA_ITEM_SKIP, run->len);
        }
    } else {
        write_item(w, LIA_ITEM_RUN, run->len);
        write_rank(w, run->rank);
        write_birth(w, run->birth, &expected);
        lia_frame_enter(frame, run->place, &run->birth);
        lia_frame_leave(frame, run->len, &run->birth);
    }
    run->len = 0;
}

static void add_plain(struct writer *w,
                      struct run *run,
                      struct lia_frame *frame,
                      struct run more)
{
    if (run->len && lia_rank_cmp(run->rank, more.rank) == 0 &&
        lia_birth_cmp(lia_birth_at(run->birth, run->len), more.birth) == 0) {
        run->len += more.len;
        return;
    }
    flush(w, run, frame, false);
    *run = more;
}

static bool is_shown(const struct lia_piece *p)
{
    return !p->node || p->node->view.shown != LIA_SHOWN_NOTHING;
}

static struct run plain_run(const struct lia_piece *p, size_t place)
{
    return p->node ? (struct run){place, p->node->size, p->node->plain_rank,
                                  p->node->plain_birth}
                   : (struct run){place, p->bytes.len, p->rank, p->birth};
}

/* Nothing to say of what is inside: all plain and as the frame expects it. */
static bool is_as_expected(const struct lia_node *node,
                           const struct lia_frame *frame,
                           size_t place)
{
    for (const struct lia_piece *p = node->children; p; p = p->next) {
        struct run run = plain_run(p, place);

        if (!is_shown(p) || (p->node && !p->node->is_plain) ||
            !is_in_frame(frame, &run) ||
            run.birth.index != lia_frame_expect(frame, place).index) {
            return false;
        }
        place += run.len;
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    const struct lia_node *x = *(const struct lia_node *const *)a;
    const struct lia_node *y = *(const struct lia_node *const *)b;

    return lia_slice_cmp(lia_str_slice(x->name), lia_str_slice(y->name));
}

static unsigned node_flags(const struct lia_node *node, bool has_children)
{
    return value_flag(node) | (node->cell_count ? LIA_NODE_CELLS : 0u) |
           (has_children ? LIA_NODE_CHILDREN : 0u) |
           (node->is_open ? LIA_NODE_OPEN : 0u) |
           (node->seen_count ? LIA_NODE_SEEN : 0u);
}

static void write_map(struct writer *w,
                      const struct lia_node *node,
                      struct lia_frame *frame,
                      size_t place);

static void write_hidden(struct writer *w, const struct lia_node *map)
{
    const struct lia_node **hidden;
    size_t count = 0;
    struct lia_frame none = {0};

    for (const struct lia_piece *p = map->children; p; p = p->next) {
        count += !is_shown(p);
    }
    hidden = lia_arena_array(w->work->arena, count, sizeof(const struct lia_node *));
    if (!hidden) {
        w->work->status = LIANA_ENOMEM;
        return;
    }
    count = 0;
    for (const struct lia_piece *p = map->children; p; p = p->next) {
        if (!is_shown(p)) {
            hidden[count++] = p->node;
        }
    }
    if (count > 1) {
        qsort(hidden, count, sizeof(const struct lia_node *), by_name);
    }
    for (size_t i = 0; i < count; i++) {
        const struct lia_node *node = hidden[i];

        lia_buf_varint(&w->buf, node_flags(node, node->children != NULL));
        lia_buf_prefixed(&w->buf, lia_str_slice(node->name));
        write_own(w, node, NULL);
        if (node->children) {
            write_map(w, node, &none, 0);
        }
    }
}

/* `place`: of the first child in the body. */
static void write_map(struct writer *w,
                      const struct lia_node *node,
                      struct lia_frame *frame,
                      size_t place)
{
    struct run run = {0};

    for (const struct lia_piece *p = node->children; p; p = p->next) {
        if (!is_shown(p)) {
            continue;
        }
        if (!p->node || p->node->is_plain) {
            add_plain(w, &run, frame, plain_run(p, place));
        } else {
            flush(w, &run, frame, false);
            write_node(w, p->node, frame, place);
        }
        place += p->node ? p->node->size : p->bytes.len;
    }
    flush(w, &run, frame, true);
    lia_buf_varint(&w->buf, 0);
    write_hidden(w, node);
    lia_buf_varint(&w->buf, 0);
}

static void write_node(struct writer *w,
                       const struct lia_node *node,
                       struct lia_frame *frame,
                       size_t place)
{
    const struct lia_birth *own = lia_node_own_birth(node);
    struct lia_birth expected = lia_frame_expect(frame, place);
    size_t origin = place + node->name.len + 2;
    struct lia_frame inside;
    bool has_children;

    lia_frame_enter(frame, place, own);
    inside = lia_frame_inside(frame, node, origin);
    has_children = !is_as_expected(node, &inside, origin + 4);
    write_item(w, LIA_ITEM_NODE, node_flags(node, has_children));
    write_own(w, node, &expected);
    if (has_children) {
        write_map(w, node, node->value == LIA_VALUE_MAP ? &inside : frame, origin + 4);
    }
    lia_frame_leave(frame, node->size, own);
}

static void write_root(struct writer *w)
{
    const struct lia_node *root = &w->state->root;
    struct lia_frame frame = lia_frame_root(w->state);
    size_t place = 4 + w->state->id.len;
    bool has_children = !is_as_expected(root, &frame, place);

    lia_buf_varint(&w->buf, node_flags(root, has_children));
    write_own(w, root, NULL);
    if (has_children) {
        write_map(w, root, &frame, place);
    }
}

static liana_status write_clock(struct writer *w, struct liana_slice *out)
{
    lia_clock_head_encode(&w->buf, w->state);
    if (!lia_stamp_is_none(w->state->created)) {
        if (!gather_stamps(w)) {
            return w->work->status;
        }
        lia_stamps_encode(&w->buf, w->state, w->stamps);
        write_root(w);
    }
    if (w->work->status || w->buf.status) {
        return w->work->status ? w->work->status : w->buf.status;
    }
    return lia_arena_copy(w->work->arena, lia_buf_slice(&w->buf), out) ? LIANA_OK
                                                                       : LIANA_ENOMEM;
}

liana_status lia_clock_write(struct lia_work *work,
                             struct lia_state *state,
                             struct lia_doc *out)
{
    struct writer w = {.work = work, .state = state};
    struct lia_doc doc = {{NULL, 0}, {NULL, 0}};
    liana_status status = LIANA_OK;

    if (!lia_stamp_is_none(state->created)) {
        if (!lia_view(work, &state->root, LIA_RANK_NONE)) {
            return work->status;
        }
        state->root.view.shown = LIA_SHOWN_MAP; /* an empty document is one too */
        if (!lia_arrange(work, &state->root)) {
            return work->status;
        }
        status = lia_body_write(work, state, &doc.body);
        if (status) {
            return status;
        }
    }
    lia_buf_init_max(&w.buf, work->arena->alloc, LIA_STATE_BYTES_MAX - doc.body.len);
    status = write_clock(&w, &doc.clock);
    lia_buf_deinit(&w.buf);
    if (!status) {
        *out = doc;
    }
    return status;
}
