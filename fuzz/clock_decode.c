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

static void write(struct lia_arena *arena, struct lia_doc doc)
{
    static const struct liana_str names[] = {{"a", 1}, {"n", 1}};
    struct lia_scratch scratch;
    struct lia_op ops[] = {
        {.kind = LIA_OP_INCREMENT,
         .path = {names, 2},
         .value = lia_value_of_int32(1, &scratch)},
        {.kind = LIA_OP_UNSET, .path = {names, 1}, .value = lia_value_of_null()},
        {.kind = LIA_OP_SET, .path = {names, 2}, .value = lia_value_of_bool(true)},
        {.kind = LIA_OP_DELETE, .path = {NULL, 0}, .value = lia_value_of_null()},
    };
    struct lia_doc after;

    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        LIA_IGNORE(lia_doc_apply(arena, doc, &ops[i], 1,
                                 (struct lia_stamp){LIA_HLC_MAX, 1}, &after,
                                 NULL)); /* may be refused: no such path, too late */
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
    write(&arena, doc);
    lia_arena_deinit(&arena);
    return 0;
}
