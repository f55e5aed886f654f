/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz/segment_merge - two segments from a peer that wishes us ill, the first behind its
 * length: merged one after the other in both orders, by a store that watches and by one
 * that was rolled back, and composed. Whatever is accepted leaves a sound document.
 */
#include "crdt/doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(void *ctx, const struct lia_loser *loser)
{
    size_t *names = ctx;

    for (size_t i = 0; i < loser->path.count; i++) {
        *names += loser->path.names[i].len;
    }
}

static void watch(struct lia_arena *arena,
                  struct liana_slice first,
                  struct liana_slice second)
{
    const struct lia_retag how = {.actor = 1, .beyond = 1, .tag = {LIA_HLC_MAX, 9}};
    size_t names = 0;
    const struct lia_watch watch = {.lost = look, .ctx = &names};
    struct lia_doc doc = {{NULL, 0}, {NULL, 0}};
    struct lia_doc merged;

    if (lia_doc_merge(arena, doc, first, &doc, NULL)) {
        return;
    }
    if (lia_doc_merge_watched(arena, doc, second, &watch, &merged, NULL) == LIANA_OK) {
        LIA_ASSERT(lia_doc_check(arena, merged, NULL) == LIANA_OK);
    }
    if (lia_doc_heal(arena, doc, second, &how, &merged, NULL) == LIANA_OK) {
        LIA_ASSERT(lia_doc_check(arena, merged, NULL) == LIANA_OK);
    }
}

static void merge_both(struct lia_arena *arena,
                       struct liana_slice first,
                       struct liana_slice second)
{
    struct lia_doc doc = {{NULL, 0}, {NULL, 0}};
    struct liana_slice whole;

    if (lia_doc_merge(arena, doc, first, &doc, NULL) == LIANA_OK) {
        LIA_ASSERT(lia_doc_check(arena, doc, NULL) == LIANA_OK);
    }
    if (lia_doc_merge(arena, doc, second, &doc, NULL) == LIANA_OK) {
        LIA_ASSERT(lia_doc_check(arena, doc, NULL) == LIANA_OK);
    }
    if (doc.clock.len) {
        struct lia_doc again = doc;

        LIA_ASSERT(lia_doc_segment(arena, doc, (struct lia_vector){NULL, 0}, &whole) ==
                   LIANA_OK);
        LIA_ASSERT(lia_doc_merge(arena, doc, whole, &again, NULL) == LIANA_OK);
        LIA_ASSERT(lia_slice_equal(again.clock, doc.clock));
    }
}

static void compose(struct lia_arena *arena,
                    struct liana_slice first,
                    struct liana_slice second)
{
    struct lia_segment_info info;
    struct liana_slice both;
    struct liana_slice more;

    if (lia_segment_compose(arena, first, second, &both, NULL) != LIANA_OK) {
        return;
    }
    LIA_ASSERT(lia_segment_info(arena, both, &info, NULL) == LIANA_OK);
    /* It is a segment that a peer would take. */
    LIA_ASSERT(lia_segment_compose(arena, both, both, &more, NULL) == LIANA_OK);
    LIA_ASSERT(lia_slice_equal(more, both));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lia_reader r = lia_reader(lia_slice(data, size));
    struct liana_slice first = lia_reader_prefixed(&r);
    struct liana_slice second = lia_reader_bytes(&r, lia_reader_left(&r));
    struct lia_arena arena;

    lia_arena_init(&arena, &lia_mem_libc);
    merge_both(&arena, first, second);
    merge_both(&arena, second, first);
    watch(&arena, first, second);
    compose(&arena, first, second);
    lia_arena_deinit(&arena);
    return 0;
}
