/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/history.h"

#include <stdio.h>
#include <string.h>

/* 2026-01-01T00:00:00Z */
#define START_MS UINT64_C(1767225600000)

struct lia_stamp bench_stamp(uint64_t ms, uint64_t actor)
{
    return (struct lia_stamp){(START_MS + ms) << 16, actor};
}

static struct liana_str field_name(size_t field, char text[static 24])
{
    int n = snprintf(text, 24, "f%zu", field);

    return (struct liana_str){text, (size_t)n};
}

static struct lia_doc insert(struct lia_arena *arena, struct lia_buf *body, size_t mark)
{
    struct lia_op op = {.kind = LIA_OP_INSERT};
    struct lia_doc out = {0};

    lia_bson_end(body, mark);
    BENCH_OK(body->status);
    op.value.type = LIA_BSON_DOCUMENT;
    if (!lia_arena_copy(arena, lia_buf_slice(body), &op.value.data)) {
        bench_fail("out of memory");
    }
    lia_buf_deinit(body);
    BENCH_OK(lia_doc_apply(arena, out, &op, 1, bench_stamp(0, 1), &out, &err));
    return out;
}

static size_t begin(struct lia_buf *body)
{
    size_t mark;

    lia_buf_init(body, &lia_mem_libc);
    mark = lia_bson_begin(body);
    lia_bson_add_int32(body, lia_str("_id"), 1);
    return mark;
}

struct lia_doc bench_doc_of_numbers(struct lia_arena *arena, size_t fields)
{
    struct lia_buf body;
    size_t mark = begin(&body);
    char name[24];

    for (size_t i = 0; i < fields; i++) {
        lia_bson_add_int32(&body, field_name(i, name), (int32_t)i);
    }
    return insert(arena, &body, mark);
}

struct lia_doc bench_doc_of_texts(struct lia_arena *arena, size_t fields, size_t bytes)
{
    struct lia_buf body;
    struct lia_buf text;
    size_t mark = begin(&body);
    char name[24];

    lia_buf_init(&text, &lia_mem_libc);
    if (lia_buf_extend(&text, bytes)) {
        memset(text.ptr, 'x', bytes);
    }
    for (size_t i = 0; i < fields; i++) {
        lia_bson_add_str(&body, field_name(i, name),
                         lia_slice_str(lia_buf_slice(&text)));
    }
    lia_buf_deinit(&text);
    return insert(arena, &body, mark);
}

struct lia_doc bench_doc_set(struct lia_arena *arena,
                             struct lia_doc doc,
                             size_t field,
                             int32_t value,
                             struct lia_stamp stamp)
{
    char text[24];
    const struct liana_str name = field_name(field, text);
    struct lia_scratch scratch;
    const struct lia_op op = {.kind = LIA_OP_SET,
                              .path = {&name, 1},
                              .value = lia_value_of_int32(value, &scratch)};
    struct lia_doc out = {0};

    BENCH_OK(lia_doc_apply(arena, doc, &op, 1, stamp, &out, &err));
    return out;
}
