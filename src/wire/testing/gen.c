/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/testing/gen.h"

#include <stdio.h>

const enum lia_msg_type lia_wire_types[] = {
#define MESSAGE(code, NAME, name, doc, fields) LIA_MSG_##NAME,
#define RECORD(name, doc, fields)
#include "wire/messages.def"
#undef RECORD
#undef MESSAGE
};
const size_t lia_wire_type_count = sizeof(lia_wire_types) / sizeof(lia_wire_types[0]);

/* ---- random values ---- */

struct gen {
    struct lia_rng *rng;
    struct lia_arena *arena;
};

#define GEN_BYTES_MAX ((uint64_t)40)

static uint64_t small(uint64_t max, uint64_t usual)
{
    return max < usual ? max : usual;
}

static uint64_t gen_uint(struct gen *g, uint64_t max)
{
    uint64_t v = lia_rng_edgy(g->rng);

    return max == UINT64_MAX ? v : v % (max + 1);
}

static int64_t gen_sint(struct gen *g, uint64_t max)
{
    (void)max;
    return (int64_t)lia_rng_edgy(g->rng);
}

static uint64_t gen_u64(struct gen *g, uint64_t max)
{
    (void)max;
    return lia_rng_edgy(g->rng);
}

static void gen_id(struct gen *g, uint8_t out[static LIA_WIRE_ID_BYTES])
{
    lia_rng_bytes(g->rng, out, LIA_WIRE_ID_BYTES);
}

static struct liana_slice gen_bytes(struct gen *g, uint64_t max)
{
    size_t len = (size_t)lia_rng_below(g->rng, small(max, GEN_BYTES_MAX) + 1);
    uint8_t *p = lia_arena_alloc(g->arena, len);

    lia_rng_bytes(g->rng, p, len);
    return lia_slice(p, len);
}

static struct liana_str gen_str(struct gen *g, uint64_t max)
{
    struct liana_slice s = gen_bytes(g, max);
    char *text = lia_arena_alloc(g->arena, s.len);

    for (size_t i = 0; i < s.len; i++) {
        text[i] = (char)('a' + s.ptr[i] % 26);
    }
    return (struct liana_str){text, s.len};
}

static struct lia_vector gen_vector(struct gen *g, uint64_t max)
{
    size_t count = (size_t)lia_rng_below(g->rng, 5);
    struct lia_vector_entry *entries =
        lia_arena_array(g->arena, count, sizeof(*entries));
    uint64_t actor = 0;

    (void)max;
    for (size_t i = 0; i < count; i++) {
        actor += 1 + lia_rng_below(g->rng, UINT64_MAX / 8);
        entries[i].actor = actor;
        entries[i].hlc = 1 + lia_rng_below(g->rng, LIA_HLC_MAX);
    }
    return (struct lia_vector){entries, count};
}

static void *gen_list(struct gen *g, uint64_t max, size_t size, size_t *out_count)
{
    *out_count = (size_t)lia_rng_below(g->rng, small(max, 6) + 1);
    return lia_arena_array(g->arena, *out_count, size);
}

#define GEN_uint(name, max)   m->name = gen_uint(g, max);
#define GEN_sint(name, max)   m->name = gen_sint(g, max);
#define GEN_u64(name, max)    m->name = gen_u64(g, max);
#define GEN_id(name, max)     gen_id(g, m->name);
#define GEN_str(name, max)    m->name = gen_str(g, max);
#define GEN_bytes(name, max)  m->name = gen_bytes(g, max);
#define GEN_vector(name, max) m->name = gen_vector(g, max);

#define FIELD(kind, name, max, doc) GEN_##kind(name, max)
#define LIST(record, name, max, doc)                                                   \
    m->name = gen_list(g, max, sizeof(*m->name), &m->name##_count);                    \
    for (size_t i = 0; i < m->name##_count; i++) {                                     \
        gen_##record(g, &m->name[i]);                                                  \
    }
#define RECORD(name, doc, fields)                                                      \
    static void gen_##name(struct gen *g, struct lia_wire_##name *m)                   \
    {                                                                                  \
        fields                                                                         \
    }
#define MESSAGE(code, NAME, name, doc, fields) RECORD(name, doc, fields)
#include "wire/messages.def"
#undef MESSAGE
#undef RECORD
#undef LIST
#undef FIELD

struct lia_msg lia_wire_gen(struct lia_rng *rng,
                            struct lia_arena *arena,
                            enum lia_msg_type type)
{
    struct gen g = {rng, arena};
    struct lia_msg msg = {.type = type};

    switch (type) {
#define MESSAGE(code, NAME, name, doc, fields)                                         \
    case LIA_MSG_##NAME:                                                               \
        gen_##name(&g, &msg.name);                                                     \
        break;
#define RECORD(name, doc, fields)
#include "wire/messages.def"
#undef RECORD
#undef MESSAGE
    }
    return msg;
}

/* ---- the examples of the documentation ---- */

static void example_id(uint8_t out[static LIA_WIRE_ID_BYTES])
{
    for (uint8_t i = 0; i < LIA_WIRE_ID_BYTES; i++) {
        out[i] = (uint8_t)(0xa0 + i);
    }
}

static const struct lia_vector_entry example_entries[] = {
    {0x1111111111111111, ((uint64_t)1767225600000 << 16)},
    {0x2222222222222222, ((uint64_t)1767225600000 << 16) + 3},
};
static const struct lia_vector example_vector = {example_entries, 2};
static const struct liana_slice example_key = {(const uint8_t *)"\x07"
                                                                "536365",
                                               7};

#define EXAMPLE_uint(name, max)   m->name = (max) < 300 ? (max) / 2 : 300;
#define EXAMPLE_sint(name, max)   m->name = -70;
#define EXAMPLE_u64(name, max)    m->name = 0x0123456789abcdef;
#define EXAMPLE_id(name, max)     example_id(m->name);
#define EXAMPLE_str(name, max)    m->name = lia_str("caf\xc3\xa9");
#define EXAMPLE_bytes(name, max)  m->name = example_key;
#define EXAMPLE_vector(name, max) m->name = example_vector;

#define FIELD(kind, name, max, doc) EXAMPLE_##kind(name, max)
#define LIST(record, name, max, doc)                                                   \
    m->name = lia_arena_array(arena, 1, sizeof(*m->name));                             \
    m->name##_count = 1;                                                               \
    example_##record(arena, m->name);
#define RECORD(name, doc, fields)                                                      \
    static void example_##name(struct lia_arena *arena, struct lia_wire_##name *m)     \
    {                                                                                  \
        (void)arena;                                                                   \
        fields                                                                         \
    }
#define MESSAGE(code, NAME, name, doc, fields) RECORD(name, doc, fields)
#include "wire/messages.def"
#undef MESSAGE
#undef RECORD
#undef LIST
#undef FIELD

struct lia_msg lia_wire_example(struct lia_arena *arena, enum lia_msg_type type)
{
    struct lia_msg msg = {.type = type};

    switch (type) {
#define MESSAGE(code, NAME, name, doc, fields)                                         \
    case LIA_MSG_##NAME:                                                               \
        example_##name(arena, &msg.name);                                              \
        break;
#define RECORD(name, doc, fields)
#include "wire/messages.def"
#undef RECORD
#undef MESSAGE
    }
    return msg;
}

/* ---- documentation ---- */

static void limit(struct lia_buf *out, uint64_t max)
{
    if (max == 0) {
        lia_buf_str(out, "");
    } else if (max == UINT64_MAX) {
        lia_buf_str(out, "2^64-1");
    } else {
        lia_buf_printf(out, "%llu", (unsigned long long)max);
    }
}

static void field_row(struct lia_buf *out,
                      const char *name,
                      const char *kind,
                      uint64_t max,
                      const char *doc)
{
    lia_buf_printf(out, "| `%s` | %s | ", name, kind);
    limit(out, max);
    lia_buf_printf(out, " | %s |\n", doc);
}

static void table_head(struct lia_buf *out)
{
    lia_buf_str(out,
                "\n| field | kind | at most | what |\n| --- | --- | --- | --- |\n");
}

static void example(struct lia_buf *out, enum lia_msg_type type)
{
    struct lia_arena arena;
    struct lia_buf bytes;
    struct lia_msg msg;

    lia_arena_init(&arena, out->alloc);
    lia_buf_init(&bytes, out->alloc);
    msg = lia_wire_example(&arena, type);
    lia_msg_encode(&bytes, &msg);
    lia_buf_str(out, "\nExample:\n\n    ");
    lia_msg_dump(out, &msg);
    lia_buf_str(out, "\n");
    for (size_t i = 0; i < bytes.len; i++) {
        lia_buf_printf(out, "%s%02x", i % 24 ? " " : "\n    ", bytes.ptr[i]);
    }
    lia_buf_str(out, "\n");
    lia_buf_deinit(&bytes);
    lia_arena_deinit(&arena);
}

void lia_wire_document(struct lia_buf *out)
{
#define FIELD(kind, name, max, doc) field_row(out, #name, #kind, max, doc);
#define LIST(record, name, max, doc)                                                   \
    field_row(out, #name, "list of " #record, max, doc);
#define RECORD(name, doc, fields)                                                      \
    lia_buf_str(out, "\n### Record " #name ": " doc "\n");                             \
    table_head(out);                                                                   \
    fields
#define MESSAGE(code, NAME, name, doc, fields)                                         \
    lia_buf_str(out, "\n### " #code " " #NAME ": " doc "\n");                          \
    table_head(out);                                                                   \
    fields example(out, LIA_MSG_##NAME);
#include "wire/messages.def"
#undef MESSAGE
#undef RECORD
#undef LIST
#undef FIELD
}
