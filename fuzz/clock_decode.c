/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz/clock_decode - any bytes as a stored document: a clock behind its length, then the
 * body. A damaged store must not hurt, and what passes the check is canonical: its whole
 * copy gives the same bytes again.
 */
#include "crdt/doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(struct lia_arena *arena, struct lia_doc doc, bool is_sound)
{
    const struct lia_vector none = {NULL, 0};
    struct lia_doc empty = {{NULL, 0}, {NULL, 0}};
    struct liana_slice segment;
    struct lia_doc copy;

    if (lia_doc_segment(arena, doc, none, &segment) != LIANA_OK) {
        LIA_ASSERT(!is_sound);
        return;
    }
    if (is_sound && doc.clock.len) {
        LIA_ASSERT(lia_doc_merge(arena, empty, segment, &copy, NULL) == LIANA_OK);
        LIA_ASSERT(lia_slice_equal(copy.clock, doc.clock));
        LIA_ASSERT(lia_slice_equal(copy.body, doc.body));
    }
}

/* Each once, and as if it had been asked for alone. */
static void ask_rights(struct lia_arena *arena,
                       struct lia_doc doc,
                       struct lia_path path)
{
    const struct lia_rights *rights = NULL;
    size_t count = 0;

    if (lia_doc_rights(arena, doc, path, &rights, &count, NULL)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct lia_bounded_info info;

        LIA_ASSERT(i == 0 || rights[i].actor > rights[i - 1].actor);
        LIA_ASSERT(!lia_doc_bounded(arena, doc, path, rights[i].actor, &info, NULL));
        LIA_ASSERT(info.rights == rights[i].amount && info.rights != 0);
    }
}

static void ignore(void *ctx, const struct lia_loser *loser)
{
    (void)ctx;
    (void)loser;
}

/* Former lives are older than the life, and no older than the oldest stamp. */
static void ask_lives(struct lia_arena *arena, struct lia_doc doc, bool is_sound)
{
    const struct lia_vector none = {NULL, 0};
    const struct lia_watch watch = {.lost = ignore};
    const struct lia_life *lives = NULL;
    struct lia_doc_info info;
    size_t count = 0;

    if (lia_doc_info(arena, doc.clock, &info) ||
        lia_doc_lives(arena, doc, &lives, &count, NULL)) {
        LIA_ASSERT(!is_sound);
        return;
    }
    for (size_t i = 0; i < count && is_sound && info.exists; i++) {
        LIA_ASSERT(lia_stamp_cmp(lives[i].stamp, info.created) < 0);
        LIA_ASSERT(lives[i].stamp.hlc >= info.oldest);
    }
    LIA_ASSERT(
        !lia_doc_voids(arena, doc, info.created, none, info.created, &watch, NULL) ||
        !is_sound);
}

/* Every operation on what may be anything: it is refused, or leaves what is sound if that
 * was. */
static void write(struct lia_arena *arena, struct lia_doc doc, bool is_sound)
{
    static const struct liana_str names[] = {{"a", 1}, {"n", 1}};
    const struct lia_path parent = {names, 1};
    const struct lia_path child = {names, 2};
    struct lia_scratch one;
    struct lia_value number = lia_value_of_int32(1, &one);
    const struct lia_op ops[] = {
        {.kind = LIA_OP_INCREMENT, .path = child, .value = number},
        {.kind = LIA_OP_UNSET, .path = parent},
        {.kind = LIA_OP_SET, .path = child, .value = lia_value_of_bool(true)},
        {.kind = LIA_OP_ADD, .path = parent, .value = number},
        {.kind = LIA_OP_REMOVE, .path = parent, .value = number},
        {.kind = LIA_OP_INCREMENT, .path = parent, .value = number},
        {.kind = LIA_OP_TRANSFER, .path = parent, .value = number, .actor = 2},
        {.kind = LIA_OP_RECLAIM, .path = parent, .actor = 1},
        {.kind = LIA_OP_BOUND, .path = {&names[1], 1}, .value = number},
        {.kind = LIA_OP_DELETE},
    };
    const struct lia_retag retag = {.actor = 1, .tag = {LIA_HLC_MAX, 77}};
    struct lia_bounded_info info;
    struct lia_doc retagged;

    if (lia_doc_retag(arena, doc, &retag, &retagged, NULL) == LIANA_OK && is_sound) {
        LIA_ASSERT(lia_doc_check(arena, retagged, NULL) == LIANA_OK);
    }
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        struct lia_doc after;

        if (lia_doc_apply(arena, doc, &ops[i], 1, (struct lia_stamp){LIA_HLC_MAX, 1},
                          &after, NULL) == LIANA_OK &&
            is_sound) {
            LIA_ASSERT(lia_doc_check(arena, after, NULL) == LIANA_OK);
        }
    }
    LIA_IGNORE(lia_doc_bounded(arena, doc, parent, 1, &info, NULL)); /* any */
    ask_rights(arena, doc, parent);
}

static void repair(struct lia_arena *arena, struct lia_doc doc, bool is_sound)
{
    const struct lia_retag how = {.actor = 1, .beyond = 1, .tag = {LIA_HLC_MAX, 9}};
    struct lia_doc after;

    if (lia_doc_retag(arena, doc, &how, &after, NULL) == LIANA_OK && is_sound) {
        LIA_ASSERT(lia_doc_check(arena, after, NULL) == LIANA_OK);
        LIA_ASSERT(lia_slice_equal(after.body, doc.body));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lia_reader r = lia_reader(lia_slice(data, size));
    struct lia_doc doc = {.clock = lia_reader_prefixed(&r)};
    uint8_t digest[LIA_DIGEST_BYTES];
    struct lia_doc_info info;
    struct lia_arena arena;
    bool is_sound;

    doc.body = lia_reader_bytes(&r, lia_reader_left(&r));
    lia_arena_init(&arena, &lia_mem_libc);
    is_sound = lia_doc_check(&arena, doc, NULL) == LIANA_OK;
    if (is_sound && doc.clock.len) {
        LIA_ASSERT(lia_doc_info(&arena, doc.clock, &info) == LIANA_OK);
        LIA_ASSERT(lia_doc_digest(doc.body, doc.clock, digest) == LIANA_OK);
    }
    use(&arena, doc, is_sound);
    ask_lives(&arena, doc, is_sound);
    write(&arena, doc, is_sound);
    repair(&arena, doc, is_sound);
    lia_arena_deinit(&arena);
    return 0;
}
