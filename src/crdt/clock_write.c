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
#include "crdt/clock_entry.h"

struct run {
    size_t place; /* in the body */
    size_t len;   /* 0: none pending */
    struct lia_rank rank;
    struct lia_birth birth;
};

static void write_node(struct lia_encoder *e,
                       const struct lia_node *node,
                       struct lia_frame *frame,
                       size_t place);

/* ---- maps ---- */

static void write_item(struct lia_encoder *e, enum lia_item kind, uint64_t n)
{
    lia_buf_varint(&e->buf, n << LIA_ITEM_BITS | kind);
}

static uint64_t zigzag(uint64_t n)
{
    return n << 1 ^ (n >> 63 ? UINT64_MAX : 0);
}

static bool is_in_frame(const struct lia_frame *frame, const struct run *run)
{
    return lia_rank_is_same(run->rank, frame->rank) &&
           lia_stamp_cmp(run->birth.stamp, frame->rank.stamp) == 0;
}

static void flush(struct lia_encoder *e,
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
            write_item(e, LIA_ITEM_SHIFT, zigzag(run->birth.index - expected.index));
            lia_frame_enter(frame, run->place, &run->birth);
        }
        if (!is_last) {
            write_item(e, LIA_ITEM_SKIP, run->len);
        }
    } else {
        write_item(e, LIA_ITEM_RUN, run->len);
        lia_rank_encode(e, run->rank, run->rank.stamp);
        lia_birth_encode(e, run->birth, &expected);
        lia_frame_enter(frame, run->place, &run->birth);
        lia_frame_leave(frame, run->len, &run->birth);
    }
    run->len = 0;
}

static void add_plain(struct lia_encoder *e,
                      struct run *run,
                      struct lia_frame *frame,
                      struct run more)
{
    if (run->len && lia_rank_is_same(run->rank, more.rank) &&
        lia_birth_cmp(lia_birth_at(run->birth, run->len), more.birth) == 0) {
        run->len += more.len;
        return;
    }
    flush(e, run, frame, false);
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
    return lia_node_value_flag(node) | (node->cell_count ? LIA_NODE_CELLS : 0u) |
           (has_children ? LIA_NODE_CHILDREN : 0u) |
           (node->is_open ? LIA_NODE_OPEN : 0u) |
           (node->seen_count ? LIA_NODE_SEEN : 0u) | (node->set ? LIA_NODE_SET : 0u) |
           (node->bounded ? LIA_NODE_BOUNDED : 0u) |
           (node->view.shown == LIA_SHOWN_SET ? LIA_NODE_SET_SHOWN : 0u);
}

static void write_map(struct lia_encoder *e,
                      const struct lia_node *node,
                      struct lia_frame *frame,
                      size_t place);

static void write_hidden(struct lia_encoder *e, const struct lia_node *map)
{
    const struct lia_node **hidden;
    size_t count = 0;
    struct lia_frame none = {0};

    for (const struct lia_piece *p = map->children; p; p = p->next) {
        count += !is_shown(p);
    }
    hidden = lia_arena_array(e->work->arena, count, sizeof(const struct lia_node *));
    if (!hidden) {
        e->work->status = LIANA_ENOMEM;
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

        lia_buf_varint(&e->buf, node_flags(node, node->children != NULL));
        lia_buf_prefixed(&e->buf, lia_str_slice(node->name));
        lia_own_encode(e, node, NULL);
        if (node->children) {
            write_map(e, node, &none, 0);
        }
    }
}

/* `place`: of the first child in the body. */
static void write_map(struct lia_encoder *e,
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
            add_plain(e, &run, frame, plain_run(p, place));
        } else {
            flush(e, &run, frame, false);
            write_node(e, p->node, frame, place);
        }
        place += p->node ? p->node->size : p->bytes.len;
    }
    flush(e, &run, frame, true);
    lia_buf_varint(&e->buf, 0);
    write_hidden(e, node);
    lia_buf_varint(&e->buf, 0);
}

static void write_node(struct lia_encoder *e,
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
    write_item(e, LIA_ITEM_NODE, node_flags(node, has_children));
    lia_own_encode(e, node, &expected);
    if (has_children) {
        write_map(e, node, node->value == LIA_VALUE_MAP ? &inside : frame, origin + 4);
    }
    lia_frame_leave(frame, node->size, own);
}

static void write_root(struct lia_encoder *e)
{
    const struct lia_node *root = &e->state->root;
    struct lia_frame frame = lia_frame_root(e->state);
    size_t place = 4 + e->state->id.len;
    bool has_children = !is_as_expected(root, &frame, place);

    lia_buf_varint(&e->buf, node_flags(root, has_children));
    lia_own_encode(e, root, NULL);
    if (has_children) {
        write_map(e, root, &frame, place);
    }
}

static liana_status write_clock(struct lia_encoder *e,
                                struct liana_slice hidden,
                                struct liana_slice *out)
{
    lia_clock_head_encode(&e->buf, e->state);
    if (e->state->is_hidden) {
        lia_buf_prefixed(&e->buf, hidden);
    }
    if (!lia_stamp_is_none(e->state->created)) {
        if (!lia_stamps_gather(e)) {
            return e->work->status;
        }
        lia_stamps_encode(&e->buf, e->state, e->stamps);
        write_root(e);
    }
    if (e->work->status || e->buf.status) {
        return e->work->status ? e->work->status : e->buf.status;
    }
    return lia_arena_copy(e->work->arena, lia_buf_slice(&e->buf), out) ? LIANA_OK
                                                                       : LIANA_ENOMEM;
}

static liana_status write_body(struct lia_work *work,
                               struct lia_state *state,
                               struct liana_slice *out)
{
    if (!lia_view(work, &state->root, LIA_RANK_NONE)) {
        return work->status;
    }
    state->root.view.shown = LIA_SHOWN_MAP; /* an empty document is one too */
    work->is_clamped = false;
    if (!lia_arrange(work, &state->root)) {
        return work->status;
    }
    state->is_clamped = work->is_clamped;
    state->whole_bytes = lia_body_size(state);
    state->is_cut = state->whole_bytes > LIA_DOC_BYTES_MAX;
    if (state->is_cut && !lia_fit(work, state, LIA_DOC_BYTES_MAX)) {
        return work->status;
    }
    return lia_body_write(work, state, out);
}

liana_status lia_clock_write(struct lia_work *work,
                             struct lia_state *state,
                             struct lia_doc *out)
{
    struct lia_encoder e = {.work = work, .state = state};
    struct lia_doc doc = {{NULL, 0}, {NULL, 0}};
    struct liana_slice body = {NULL, 0};
    liana_status status = LIANA_OK;

    state->is_hidden = lia_state_is_hidden(state);
    state->is_clamped = false;
    state->is_cut = false;
    state->whole_bytes = 0;
    if (!lia_stamp_is_none(state->created)) {
        status = write_body(work, state, &body);
    }
    if (status) {
        return status;
    }
    if (!state->is_hidden) {
        doc.body = body;
    }
    lia_buf_init_max(&e.buf, work->arena->alloc, LIA_STATE_BYTES_MAX - doc.body.len);
    status = write_clock(&e, body, &doc.clock);
    lia_buf_deinit(&e.buf);
    if (!status) {
        *out = doc;
    }
    return status;
}
