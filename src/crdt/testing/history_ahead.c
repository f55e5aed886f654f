/* SPDX-License-Identifier: Apache-2.0 */
/* A store whose clock runs ahead: nobody takes what it writes, until it is stamped anew. */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "crdt/testing/world.h"

/* Later than all stamps that a history makes otherwise. */
#define AHEAD (UINT64_C(1) << 62)

const char *world_run_ahead(struct world *w, size_t peer)
{
    struct peer *p = &w->peers[peer];

    if (p->ahead_from || p->is_fallen || world_has_doubts(w, peer)) {
        return NULL;
    }
    if (w->is_told) {
        printf("  peer %zu is ahead\n", peer);
    }
    p->ahead_since = p->now.last;
    p->ahead_from = p->now.last ? p->now.last : 1;
    p->now.last += AHEAD;
    return NULL;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* What the peer has stamped too late: sorted, each once. */
static size_t list_stamps(struct world *w, const struct peer *p, struct lia_buf *out)
{
    const struct store *s = &p->now;
    uint64_t *all;
    size_t count = 0;

    for (size_t key = 0; key < KEYS; key++) {
        if (lia_doc_stamps(&w->arena, s->copies[key].doc, s->actor, p->ahead_since, out,
                           NULL)) {
            LIA_IGNORE(world_fail(w, "stamps are not told"));
        }
    }
    if (out->len == 0) {
        return 0;
    }
    all = (uint64_t *)(void *)out->ptr;
    qsort(all, out->len / sizeof(*all), sizeof(*all), ascending);
    for (size_t i = 0; i < out->len / sizeof(*all); i++) {
        if (i == 0 || all[i] != all[count - 1]) {
            all[count++] = all[i];
        }
    }
    return count;
}

static const char *restamp(struct world *w,
                           size_t peer,
                           size_t key,
                           const struct lia_restamp *how)
{
    struct copy *c = &w->peers[peer].now.copies[key];
    struct lia_doc before = c->doc;

    if (before.clock.len == 0) {
        return NULL;
    }
    c->model.arena = &w->arena;
    model_restamp(&c->model, how);
    if (lia_doc_restamp(&w->arena, before, how, &c->doc, NULL)) {
        return world_fail(w, "a document is not stamped anew");
    }
    if (!lia_slice_equal(before.body, c->doc.body)) {
        return world_fail(w, "new stamps change what is shown");
    }
    return world_check(w, peer, key);
}

const char *world_repair_clock(struct world *w, size_t peer)
{
    struct peer *p = &w->peers[peer];
    struct lia_restamp how = {.actor = p->now.actor};
    const char *why = NULL;
    struct lia_buf stamps;

    if (!p->ahead_from) {
        return NULL;
    }
    if (w->is_told) {
        printf("  peer %zu repairs its clock\n", peer);
    }
    lia_buf_init(&stamps, &lia_mem_libc);
    how.count = list_stamps(w, p, &stamps);
    how.from = (const uint64_t *)(const void *)stamps.ptr;
    how.first = p->ahead_from + 1;
    how.new_actor = ++w->actors;
    for (size_t key = 0; key < KEYS && !why; key++) {
        why = restamp(w, peer, key, &how);
    }
    w->met |= how.count ? MET(RESTAMP) : 0;
    p->now.last = p->ahead_from + how.count;
    p->ahead_from = 0;
    world_retire(w, p, how.new_actor);
    lia_buf_deinit(&stamps);
    return why;
}
