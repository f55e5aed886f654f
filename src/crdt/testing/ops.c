/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/testing/ops.h"

#include <stdio.h>

#include "base/error.h"
#include "codec/decimal.h"

static uint64_t below(struct op_maker *m, uint64_t n)
{
    return lia_rng_below(m->rng, n);
}

/* ---- what is written ---- */

static const char *const names[] = {"a", "b", "n", "a", "b"};
static const char *const inner[] = {"x", "y", "n"};

static struct liana_str pick(struct op_maker *m, const char *const *from, size_t count)
{
    return lia_str(from[below(m, count)]);
}

/* n and a.n and a.x.n are counters most of the time. */
static struct lia_path random_path(struct op_maker *m, struct liana_str storage[3])
{
    struct lia_path path = {storage, 1 + below(m, 3)};

    if (m->is_about_counters) {
        path.count = m->is_about_lives ? 1 : 1 + below(m, 2);
        storage[0] = lia_str(path.count == 1 ? "n" : "a");
        storage[1] = lia_str("n");
        return path;
    }
    if (m->is_about_sets && below(m, 4)) {
        path.count = 1 + below(m, 2);
        storage[0] = lia_str(path.count == 1 ? "b" : "a");
        storage[1] = lia_str("x");
        return path;
    }
    if (m->is_about_falls && below(m, 3)) {
        storage[0] = pick(m, names, 2);
        path.count = 1;
        return path;
    }
    storage[0] = pick(m, names, 5);
    storage[1] = pick(m, inner, 3);
    storage[2] = pick(m, inner, 3);
    return path;
}

static struct lia_value keep(struct op_maker *m, struct lia_value v)
{
    LIA_ASSERT(lia_arena_copy(m->arena, v.data, &v.data));
    return v;
}

static struct lia_value random_number(struct op_maker *m)
{
    /* In another order they make another sum. */
    static const double doubles[] = {0.1, 0.5, 1e16, -1e16};
    struct lia_scratch scratch;

    switch (below(m, 8)) {
    case 0: return keep(m, lia_value_of_int64((int64_t)below(m, 9) - 4, &scratch));
    case 1: return keep(m, lia_value_of_double(doubles[below(m, 4)], &scratch));
    case 2: return keep(m, lia_value_of_int32(INT32_MAX, &scratch));
    case 3:
        return keep(m, lia_value_of_decimal(lia_decimal_of_int64((int64_t)below(m, 9)),
                                            &scratch));
    default: return keep(m, lia_value_of_int32((int32_t)below(m, 9) - 4, &scratch));
    }
}

/* One of each type that BSON has, deprecated ones too, but for the numbers above. */
static const struct {
    uint8_t type;
    const char *bytes;
    size_t len;
} others[] = {
#define OTHER(type, bytes)                                                             \
    {                                                                                  \
        type, bytes, sizeof(bytes) - 1                                                 \
    }
    OTHER(LIA_BSON_STRING, "\2\0\0\0s\0"),
    OTHER(LIA_BSON_BINARY, "\2\0\0\0\200ab"),
    OTHER(LIA_BSON_UNDEFINED, ""),
    OTHER(LIA_BSON_OBJECTID, "object id 12"),
    OTHER(LIA_BSON_BOOL, "\1"),
    OTHER(LIA_BSON_DATE, "\1\0\0\0\0\0\0\0"),
    OTHER(LIA_BSON_NULL, ""),
    OTHER(LIA_BSON_REGEX, "a+\0im\0"),
    OTHER(LIA_BSON_DBPOINTER, "\2\0\0\0d\0object id 12"),
    OTHER(LIA_BSON_CODE, "\2\0\0\0f\0"),
    OTHER(LIA_BSON_SYMBOL, "\2\0\0\0s\0"),
    OTHER(LIA_BSON_CODE_W_SCOPE, "\17\0\0\0\2\0\0\0f\0\5\0\0\0\0"),
    OTHER(LIA_BSON_TIMESTAMP, "\1\0\0\0\2\0\0\0"),
    OTHER(LIA_BSON_MINKEY, ""),
    OTHER(LIA_BSON_MAXKEY, ""),
#undef OTHER
};

static struct lia_value random_other(struct op_maker *m)
{
    size_t i = below(m, sizeof(others) / sizeof(others[0]));

    return (struct lia_value){
        others[i].type, lia_slice((const uint8_t *)others[i].bytes, others[i].len)};
}

static void random_fields(struct op_maker *m, struct lia_buf *buf, unsigned depth);

/* 1 and 1.0 are equal in order and not the same. */
static struct lia_value random_element(struct op_maker *m)
{
    struct lia_scratch scratch;

    switch (below(m, m->is_about_sets ? 16 : 6)) {
    case 0: return keep(m, lia_value_of_double(1, &scratch));
    case 1: return random_other(m);
    case 2:
    case 3:
    case 4:
    case 5: return keep(m, lia_value_of_int32((int32_t)below(m, 3), &scratch));
    default: return keep(m, lia_value_of_int32(1, &scratch));
    }
}

/* Of an array that may become a set: some twice. */
static void random_elements(struct op_maker *m, struct lia_buf *buf)
{
    size_t count = below(m, 4);

    for (uint32_t i = 0; i < count; i++) {
        char text[12];

        lia_bson_add(buf, lia_bson_index_name(i, text), random_element(m));
    }
}

static void random_field(struct op_maker *m,
                         struct lia_buf *buf,
                         struct liana_str name,
                         unsigned depth)
{
    size_t mark;

    switch (below(m, depth < 2 ? 7 : 5)) {
    case 0: lia_bson_add_str(buf, name, lia_str(&"longer text"[below(m, 9)])); break;
    case 1:
        mark = lia_bson_begin_in(buf, LIA_BSON_ARRAY, name);
        random_elements(m, buf);
        lia_bson_end(buf, mark);
        break;
    case 2: lia_bson_add(buf, name, random_other(m)); break;
    case 3:
    case 4: lia_bson_add(buf, name, random_number(m)); break;
    default:
        mark = lia_bson_begin_in(buf, LIA_BSON_DOCUMENT, name);
        random_fields(m, buf, depth + 1);
        lia_bson_end(buf, mark);
    }
}

/* Some names, each once, from a random one on. */
static void random_fields(struct op_maker *m, struct lia_buf *buf, unsigned depth)
{
    size_t start = below(m, 3);
    size_t count = below(m, 4);

    for (size_t i = 0; i < count; i++) {
        const char *name = depth ? inner[(start + i) % 3] : names[(start + i) % 3];

        random_field(m, buf, lia_str(name), depth);
    }
}

static struct lia_value random_document(struct op_maker *m, bool has_id)
{
    struct lia_value v = {LIA_BSON_DOCUMENT, {NULL, 0}};
    struct lia_buf buf;
    size_t mark;

    lia_buf_init(&buf, &lia_mem_libc);
    mark = lia_bson_begin(&buf);
    if (has_id) {
        lia_bson_add_int32(&buf, lia_str("_id"), 1);
    }
    random_fields(m, &buf, has_id ? 0 : 1);
    if (has_id && m->is_about_bounds && below(m, 2)) {
        lia_bson_add_int32(&buf, lia_str("k"),
                           (int32_t)below(m, below(m, 2) ? 12 : 60));
    }
    lia_bson_end(&buf, mark);
    v.data = lia_buf_slice(&buf);
    v = keep(m, v);
    lia_buf_deinit(&buf);
    return v;
}

static struct lia_value random_leaf(struct op_maker *m)
{
    struct lia_value v = random_number(m);
    struct lia_buf buf;
    struct lia_bson_iter it;
    size_t mark;

    if (below(m, 3)) {
        return v;
    }
    lia_buf_init(&buf, &lia_mem_libc);
    mark = lia_bson_begin(&buf);
    random_field(m, &buf, lia_str("v"), 2);
    lia_bson_end(&buf, mark);
    it = lia_bson_iter(lia_buf_slice(&buf));
    LIA_ASSERT(lia_bson_next(&it));
    v = keep(m, it.value);
    lia_buf_deinit(&buf);
    return v;
}

/* What a schema would say; some writers do not know it. */
static void random_shapes(struct op_maker *m, struct lia_op *op)
{
    static const struct liana_str b[] = {{"b", 1}};
    static const struct liana_str ax[] = {{"a", 1}, {"x", 1}};
    static const struct liana_str ay[] = {{"a", 1}, {"y", 1}};
    static const struct lia_shape shapes[] = {{{b, 1}, LIA_SHAPE_SET, 0},
                                              {{ax, 2}, LIA_SHAPE_SET, 0},
                                              {{ay, 2}, LIA_SHAPE_REGISTER, 0}};
    static const struct liana_str k[] = {{"k", 1}};
    static const struct lia_shape bounded[] = {{{k, 1}, LIA_SHAPE_BOUNDED, 0}};

    if (m->is_about_bounds && below(m, 2)) {
        op->shapes = bounded;
        op->shape_count = 1;
    } else if (m->is_about_sets ? below(m, 4) : below(m, 4) == 0) {
        op->shapes = shapes;
        op->shape_count = sizeof(shapes) / sizeof(shapes[0]);
    }
}

static void random_assignment(struct op_maker *m, struct lia_op *op)
{
    bool is_leaf = m->is_about_counters || below(m, 3);

    op->value = is_leaf ? random_leaf(m) : random_document(m, false);
    random_shapes(m, op);
}

static void random_bounded_op(struct op_maker *m, struct lia_op *op)
{
    static const struct liana_str name[] = {{"k", 1}, {"x", 1}};
    struct lia_scratch scratch;
    uint64_t kind = below(m, 20);

    op->path = (struct lia_path){name, below(m, 12) ? 1 : 2};
    op->actor = m->actor;
    op->value = keep(m, lia_value_of_int32((int32_t)below(m, 12) - 2, &scratch));
    if (kind < 3) {
        op->kind = LIA_OP_BOUND;
        op->bound = (int64_t)below(m, 3) - 1;
    } else if (kind < 10) {
        op->kind = LIA_OP_INCREMENT;
        op->value = keep(m, lia_value_of_int32((int32_t)below(m, 9) - 6, &scratch));
    } else if (m->retired && kind < 17) {
        op->kind = LIA_OP_RECLAIM;
        op->actor = m->retired;
    } else if (kind < 18) {
        op->kind = LIA_OP_TRANSFER;
        op->value = keep(m, lia_value_of_int32((int32_t)below(m, 6), &scratch));
    } else if (kind == 18) {
        random_assignment(m, op);
    } else if (kind == 19) {
        op->kind = below(m, 2) ? LIA_OP_UNSET : LIA_OP_ADD;
    } else {
        op->kind = LIA_OP_INCREMENT;
    }
}

static void random_field_op(struct op_maker *m,
                            struct lia_op *op,
                            struct liana_str names_of[3])
{
    uint64_t kind = below(m, 100);
    uint64_t of_sets = m->is_about_sets ? 50 : m->is_about_counters ? 0 : 12;

    if (m->is_about_bounds && below(m, 8)) {
        random_bounded_op(m, op);
        return;
    }
    op->path = random_path(m, names_of);
    if (kind < of_sets) {
        op->kind = below(m, 3) ? LIA_OP_ADD : LIA_OP_REMOVE;
        op->value = random_element(m);
        random_shapes(m, op);
    } else if (kind < of_sets + 35) {
        random_assignment(m, op);
    } else if (kind < of_sets + 50) {
        op->kind = LIA_OP_UNSET;
    } else {
        op->kind = below(m, 12) ? LIA_OP_INCREMENT : LIA_OP_RESTART;
        op->value = random_number(m);
    }
}

struct lia_op op_random(struct op_maker *m, bool exists, struct liana_str names_of[3])
{
    struct lia_op op = {.kind = LIA_OP_SET};
    uint64_t kind = below(m, 100);

    if (!exists && kind < 80) {
        op.kind = LIA_OP_INSERT;
        op.value = random_document(m, true);
        random_shapes(m, &op);
    } else if (kind < (m->is_about_lives ? 25 : 6)) {
        op.kind = LIA_OP_DELETE;
        op.mode = below(m, 2) ? LIA_UPDATE_WINS : LIA_DELETE_WINS;
        op.effect = below(m, 3) ? LIA_STAMP_NONE : m->verdict;
    } else if (kind < (m->is_about_lives ? 28 : m->is_about_bounds ? 22 : 12)) {
        op.kind = below(m, 2) ? LIA_OP_INSERT : LIA_OP_REPLACE;
        op.value = random_document(m, true);
        random_shapes(m, &op);
    } else {
        random_field_op(m, &op, names_of);
    }
    return op;
}

struct lia_op op_initial(struct op_maker *m)
{
    struct lia_op op = {.kind = LIA_OP_INSERT, .value = random_document(m, true)};

    random_shapes(m, &op);
    return op;
}

/* ---- telling ---- */

void op_tell_document(struct liana_slice doc)
{
    struct lia_bson_iter it = lia_bson_iter(doc);

    printf("{");
    while (lia_bson_next(&it)) {
        printf(" %.*s:", LIA_STR_ARG(it.name));
        switch (it.value.type) {
        case LIA_BSON_DOCUMENT:
        case LIA_BSON_ARRAY: op_tell_document(it.value.data); break;
        case LIA_BSON_INT32: printf("%d", lia_value_int32(it.value)); break;
        case LIA_BSON_INT64: printf("%ldL", (long)lia_value_int64(it.value)); break;
        case LIA_BSON_DOUBLE: printf("%g", lia_value_double(it.value)); break;
        case LIA_BSON_STRING:
            printf("'%.*s'", LIA_STR_ARG(lia_value_str(it.value)));
            break;
        default: printf("%s", lia_bson_type_name(it.value.type)); break;
        }
    }
    printf(" }");
}

void op_tell(const struct lia_op *op)
{
    static const char *const kinds[] = {[LIA_OP_INSERT] = "insert",
                                        [LIA_OP_REPLACE] = "replace",
                                        [LIA_OP_SET] = "set",
                                        [LIA_OP_UNSET] = "unset",
                                        [LIA_OP_INCREMENT] = "increment",
                                        [LIA_OP_ADD] = "add",
                                        [LIA_OP_REMOVE] = "remove",
                                        [LIA_OP_BOUND] = "bound",
                                        [LIA_OP_TRANSFER] = "transfer",
                                        [LIA_OP_RECLAIM] = "reclaim",
                                        [LIA_OP_RESTART] = "restart",
                                        [LIA_OP_DELETE] = "delete"};

    printf("    %s%s%s ", kinds[op->kind],
           op->mode == LIA_UPDATE_WINS ? ", update wins" : "",
           op->shape_count ? " with shapes" : "");
    for (size_t i = 0; i < op->path.count; i++) {
        printf("%s%.*s", i ? "." : "", LIA_STR_ARG(op->path.names[i]));
    }
    if (op->value.data.len) {
        struct lia_buf buf;
        size_t mark;

        lia_buf_init(&buf, &lia_mem_libc);
        mark = lia_bson_begin(&buf);
        lia_bson_add(&buf, lia_str("value"), op->value);
        lia_bson_end(&buf, mark);
        op_tell_document(lia_buf_slice(&buf));
        lia_buf_deinit(&buf);
    }
    printf("\n");
}
