/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of stamps: each that an entry names, once, and its number.
 */
#include <stdlib.h>

#include "crdt/clock_entry.h"

/* ---- gathering ---- */

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
    if (lia_stamp_is_none(s) || lia_stamp_cmp(s, g->created) == 0) {
        return;
    }
    if (g->entries) {
        g->entries[g->count] = s;
    }
    g->count++;
}

static bool gather_entry(void *ctx, const struct lia_entry *entry)
{
    struct gather *g = ctx;

    gather_stamp(g, entry->rank->life);
    gather_stamp(g, entry->rank->stamp);
    gather_stamp(g, entry->rank->tag);
    gather_stamp(g, entry->named);
    if (entry->birth) {
        gather_stamp(g, entry->birth->stamp);
    }
    return true;
}

static void gather_seen(struct gather *g, const struct lia_node *node)
{
    for (size_t i = 0; i < node->seen_count; i++) {
        gather_stamp(g, node->seen[i].start);
    }
    for (const struct lia_piece *p = node->children; p; p = p->next) {
        if (p->node) {
            gather_seen(g, p->node);
        }
    }
}

static void gather(struct gather *g, struct lia_node *root)
{
    LIA_IGNORE(lia_node_filter(root, NULL, gather_entry, g)); /* nothing is dropped */
    gather_seen(g, root);
}

bool lia_stamps_gather(struct lia_encoder *e)
{
    struct gather g = {NULL, 0, e->state->created};
    size_t count = 0;

    gather(&g, &e->state->root);
    g.entries = lia_arena_array(e->work->arena, g.count, sizeof(*g.entries));
    if (!g.entries) {
        e->work->status = LIANA_ENOMEM;
        return false;
    }
    g.count = 0;
    gather(&g, &e->state->root);
    if (g.count > 1) {
        qsort(g.entries, g.count, sizeof(*g.entries), descending);
    }
    for (size_t i = 0; i < g.count; i++) {
        if (i == 0 || lia_stamp_cmp(g.entries[i], g.entries[count - 1]) != 0) {
            g.entries[count++] = g.entries[i];
        }
    }
    e->stamps = (struct lia_stamps){g.entries, count};
    return true;
}

uint64_t lia_stamp_number(const struct lia_encoder *e, struct lia_stamp s)
{
    const struct lia_stamp *found;

    if (lia_stamp_cmp(s, e->state->created) == 0) {
        return 0;
    }
    found = bsearch(&s, e->stamps.entries, e->stamps.count, sizeof(s), descending);
    LIA_ASSERT(found);
    return (uint64_t)(found - e->stamps.entries) + 1;
}

/* ---- bytes ---- */

void lia_stamps_encode(struct lia_buf *buf,
                       const struct lia_state *state,
                       struct lia_stamps stamps)
{
    uint64_t before = lia_vector_max_hlc(state->vector);

    lia_buf_varint(buf, stamps.count);
    for (size_t i = 0; i < stamps.count; i++) {
        struct lia_stamp s = stamps.entries[i];

        lia_buf_varint(buf, lia_vector_index(state->vector, s.actor));
        lia_distance_encode(buf, before, s.hlc);
        before = s.hlc;
    }
}

/* An actor and a distance. */
#define STAMP_BYTES_MIN 2

bool lia_stamps_decode(struct lia_work *work,
                       struct lia_reader *r,
                       const struct lia_state *state,
                       struct lia_stamps *out)
{
    size_t count =
        (size_t)lia_reader_varint_max(r, lia_reader_left(r) / STAMP_BYTES_MIN);
    struct lia_stamp *stamps = lia_arena_array(work->arena, count, sizeof(*stamps));
    uint64_t before = lia_vector_max_hlc(state->vector);

    if (!stamps) {
        work->status = LIANA_ENOMEM;
        return false;
    }
    for (size_t i = 0; i < count && !r->failed; i++) {
        stamps[i] = lia_stamp_decode(r, state->vector, before);
        before = stamps[i].hlc;
        if (i && lia_stamp_cmp(stamps[i], stamps[i - 1]) >= 0) {
            lia_reader_fail(r);
        }
    }
    *out = (struct lia_stamps){stamps, count};
    return !r->failed;
}

uint64_t lia_stamps_oldest(struct lia_reader *r, const struct lia_state *state)
{
    uint64_t count = lia_reader_varint_max(r, lia_reader_left(r) / STAMP_BYTES_MIN);
    uint64_t hlc = lia_vector_max_hlc(state->vector);

    for (uint64_t i = 0; i < count && !r->failed; i++) {
        hlc = lia_stamp_decode(r, state->vector, hlc).hlc;
    }
    return count ? hlc : 0;
}
