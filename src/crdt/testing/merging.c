/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/testing/merging.h"

#include <stdio.h>

#include "base/error.h"
#include "codec/json.h"
#include "crdt/doc.h"

/* ---- what two peers do ---- */

enum what { APPLY, INSERT_UNAWARE, EVICT, INITIAL };

/* Where: `m.p`, but for what is said to be the parent. `%s` is x or y, of whom writes. */
struct doing {
    const char *name;
    enum what what;
    enum lia_op_kind kind;
    const char *value;
    const char
        *value_above; /* of what writes documents: a document with a value at `m` */
    bool is_parent;   /* at `m` */
    bool is_shaped;   /* under a schema that says that m.p is a set */
    bool has_path;    /* has a row in the table of parents and children */
    bool is_of_set;   /* meets a set at m.p */
    bool is_of_sum;   /* meets a number at m.p */
    enum lia_delete_mode mode;
};

static const struct doing doings[] = {
    {.name = "INSERT",
     .what = INSERT_UNAWARE,
     .value = "{\"_id\":1,\"m\":{\"p\":\"%s\"}}",
     .value_above = "{\"_id\":1,\"m\":\"%s\"}"},
    {.name = "REPLACE",
     .kind = LIA_OP_REPLACE,
     .value = "{\"m\":{\"p\":\"%s\"}}",
     .value_above = "{\"m\":\"%s\"}"},
    {.name = "SET", .kind = LIA_OP_SET, .value = "\"%s\"", .has_path = true},
    {.name = "SET parent",
     .kind = LIA_OP_SET,
     .value = "{\"q\":\"%s\"}",
     .is_parent = true},
    {.name = "UNSET", .kind = LIA_OP_UNSET, .value = "0", .has_path = true},
    {.name = "UNSET parent", .kind = LIA_OP_UNSET, .value = "0", .is_parent = true},
    {.name = "INCREMENT",
     .kind = LIA_OP_INCREMENT,
     .value = "5",
     .has_path = true,
     .is_of_sum = true},
    {.name = "RESTART",
     .kind = LIA_OP_RESTART,
     .value = "3",
     .has_path = true,
     .is_of_sum = true},
    {.name = "ADD",
     .kind = LIA_OP_ADD,
     .value = "\"a\"",
     .has_path = true,
     .is_of_set = true},
    {.name = "REMOVE",
     .kind = LIA_OP_REMOVE,
     .value = "\"a\"",
     .has_path = true,
     .is_of_set = true},
    {.name = "DELETE", .kind = LIA_OP_DELETE, .value = "0"},
    {.name = "DELETE, updates win",
     .kind = LIA_OP_DELETE,
     .value = "0",
     .mode = LIA_UPDATE_WINS},
    {.name = "EVICT", .what = EVICT},
    {.name = "INITIAL",
     .what = INITIAL,
     .value = "{\"_id\":1,\"m\":{\"p\":\"i\"}}",
     .value_above = "{\"_id\":1,\"m\":\"i\"}"},
    {.name = "SET under a new schema",
     .kind = LIA_OP_SET,
     .value = "[\"%s\"]",
     .is_shaped = true,
     .has_path = true},
};

#define DOINGS (sizeof(doings) / sizeof(doings[0]))

bool merging_has(enum lia_op_kind kind)
{
    for (size_t i = 0; i < DOINGS; i++) {
        const struct doing *d = &doings[i];

        if ((d->what == APPLY && d->kind == kind) ||
            (d->what == INSERT_UNAWARE && kind == LIA_OP_INSERT)) {
            return true;
        }
    }
    return false;
}

struct side {
    const struct doing *doing;
    bool is_above; /* what it does at m.p it does at m */
    struct lia_stamp stamp;
    const char *word;
    struct lia_doc doc;
    liana_status status;
};

struct meeting {
    struct lia_arena arena;
    struct lia_doc base;
    struct side a;
    struct side b;
    struct lia_buf lost;
};

static const struct lia_doc nothing = {{NULL, 0}, {NULL, 0}};
static const struct lia_vector from_nothing = {NULL, 0};

static struct lia_value value_of(struct lia_arena *arena,
                                 const char *text,
                                 const char *word)
{
    struct lia_buf json;
    struct lia_buf bytes;
    struct lia_value v;

    lia_buf_init(&json, &lia_mem_libc);
    lia_buf_init(&bytes, &lia_mem_libc);
    for (const char *at = text; *at; at++) {
        if (at[0] == '%') {
            lia_buf_str(&json, word);
            at++;
        } else {
            lia_buf_u8(&json, (uint8_t)*at);
        }
    }
    LIA_ASSERT(!lia_json_read_value(lia_buf_slice(&json), &bytes, &v, NULL));
    LIA_ASSERT(lia_arena_copy(arena, v.data, &v.data));
    lia_buf_deinit(&bytes);
    lia_buf_deinit(&json);
    return v;
}

static struct lia_op op_of(struct meeting *m, const struct side *s)
{
    static const struct liana_str names[] = {{"m", 1}, {"p", 1}};
    static const struct lia_shape shapes[] = {{{names, 2}, LIA_SHAPE_SET, 0}};
    static const struct lia_shape shapes_above[] = {{{names, 1}, LIA_SHAPE_SET, 0}};
    const struct doing *d = s->doing;
    const char *value = s->is_above && d->value_above ? d->value_above : d->value;
    struct lia_op op = {
        .kind = d->kind, .mode = d->mode, .value = value_of(&m->arena, value, s->word)};

    if (d->is_shaped) {
        op.shapes = s->is_above ? shapes_above : shapes;
        op.shape_count = 1;
    }
    if (d->kind >= LIA_OP_SET && d->kind < LIA_OP_DELETE) {
        op.path = (struct lia_path){names, d->is_parent || s->is_above ? 1 : 2};
    }
    return op;
}

static struct liana_slice segment_of(struct meeting *m,
                                     struct lia_doc doc,
                                     struct lia_vector from)
{
    struct liana_slice segment;

    LIA_ASSERT(!lia_doc_segment(&m->arena, doc, from, &segment));
    return segment;
}

static struct lia_vector vector_of(struct meeting *m, struct lia_doc doc)
{
    struct lia_doc_info info;

    LIA_ASSERT(!lia_doc_info(&m->arena, doc.clock, &info));
    return info.vector;
}

static struct lia_doc merge(struct meeting *m,
                            struct lia_doc doc,
                            struct liana_slice segment,
                            const struct lia_watch *watch)
{
    struct lia_doc out;

    LIA_ASSERT(!lia_doc_merge_watched(&m->arena, doc, segment, watch, &out, NULL));
    return out;
}

static struct lia_doc pull(struct meeting *m, struct lia_doc doc, struct lia_doc other)
{
    if (other.clock.len == 0) {
        return doc;
    }
    return merge(m, doc, segment_of(m, other, vector_of(m, doc)), NULL);
}

static void act(struct meeting *m, struct side *s)
{
    struct lia_op op;
    struct lia_stamp stamp;

    s->doc =
        s->doing->what == INSERT_UNAWARE || s->doing->what == EVICT ? nothing : m->base;
    if (s->doing->what == EVICT) {
        return;
    }
    op = op_of(m, s);
    if (s->doing->what == INITIAL) {
        struct lia_doc initial;

        LIA_ASSERT(
            !lia_doc_initial(&m->arena, lia_str("c"), &op, &initial, &stamp, NULL));
        s->doc = pull(m, s->doc, initial);
        return;
    }
    s->status = lia_doc_apply(&m->arena, s->doc, &op, 1, s->stamp, &s->doc, NULL);
}

/* ---- the routes ---- */

static bool is_same(struct lia_doc a, struct lia_doc b)
{
    return lia_slice_equal(a.body, b.body) && lia_slice_equal(a.clock, b.clock);
}

/* A relay that has nothing takes a's whole copy and what b has more. */
static struct lia_doc relayed(struct meeting *m, struct lia_doc a, struct lia_doc b)
{
    struct liana_slice composed;

    if (a.clock.len == 0 || b.clock.len == 0) {
        return pull(m, a.clock.len ? a : b, nothing);
    }
    LIA_ASSERT(!lia_segment_compose(&m->arena, segment_of(m, a, from_nothing),
                                    segment_of(m, b, vector_of(m, a)), &composed,
                                    NULL));
    return merge(m, nothing, composed, NULL);
}

static void note_loser(void *ctx, const struct lia_loser *loser)
{
    struct lia_buf *lost = ctx;
    struct lia_buf doc;
    struct lia_buf json;
    size_t mark;

    lia_buf_init(&doc, &lia_mem_libc);
    lia_buf_init(&json, &lia_mem_libc);
    mark = lia_bson_begin(&doc);
    if (loser->value.type == LIA_BSON_END) {
        lia_bson_add_str(&doc, lia_str("v"), lia_str("removal"));
    } else {
        lia_bson_add(&doc, lia_str("v"), loser->value);
    }
    lia_bson_end(&doc, mark);
    LIA_ASSERT(!lia_json_write(lia_buf_slice(&doc), LIA_JSON_RELAXED, &json, NULL));
    lia_buf_str(lost, lost->len ? ", " : "");
    lia_buf_str(lost, loser->path.count ? "" : "document");
    for (size_t i = 0; i < loser->path.count; i++) {
        lia_buf_printf(lost, "%s%.*s", i ? "." : "", LIA_STR_ARG(loser->path.names[i]));
    }
    lia_buf_printf(lost, "=%.*s", (int)(json.len - 6), (const char *)json.ptr + 5);
    lia_buf_deinit(&json);
    lia_buf_deinit(&doc);
}

/* The writer knew the document; what was evicted is still at somebody's. */
static bool has_base(const struct side *s)
{
    return s->doing->what != INSERT_UNAWARE;
}

/* False: some route ended in other bytes than the direct one. */
static bool meet(struct meeting *m, struct lia_doc *out)
{
    const struct lia_watch watch = {.lost = note_loser, .ctx = &m->lost};
    struct lia_doc a = m->a.doc;
    struct lia_doc b = m->b.doc;
    struct lia_doc start = has_base(&m->a) || has_base(&m->b) ? m->base : nothing;
    struct lia_doc third;
    bool is_equal;

    *out = b.clock.len ? merge(m, a, segment_of(m, b, vector_of(m, a)), &watch) : a;
    is_equal = is_same(*out, pull(m, b, a));
    third = pull(m, pull(m, start, a), b);
    is_equal = is_equal && is_same(third, pull(m, pull(m, start, b), a)) &&
               is_same(third, pull(m, *out, start)) &&
               is_same(*out, relayed(m, a, b)) && is_same(*out, relayed(m, b, a));
    *out = third;
    return is_equal;
}

/* ---- the table ---- */

static const char *base_of(const struct doing *x, const struct doing *y, bool is_above)
{
    if (is_above && (x->is_of_set || x->is_of_sum)) {
        return "{\"_id\":1}"; /* else one of the two would be refused */
    }
    if (is_above) {
        return y->is_of_set ? "{\"_id\":1,\"m\":{\"p\":[\"a\",\"b\"]}}"
                            : "{\"_id\":1,\"m\":{\"p\":1}}";
    }
    return x->is_of_set || y->is_of_set   ? "{\"_id\":1,\"m\":{\"p\":[\"a\",\"b\"]}}"
           : x->is_of_sum || y->is_of_sum ? "{\"_id\":1,\"m\":{\"p\":10}}"
                                          : "{\"_id\":1,\"m\":{\"p\":\"0\"}}";
}

static void make_base(struct meeting *m, const char *text, bool is_set)
{
    static const struct liana_str names[] = {{"m", 1}, {"p", 1}};
    static const struct lia_shape shapes[] = {{{names, 2}, LIA_SHAPE_SET, 0}};
    const struct lia_op op = {.kind = LIA_OP_INSERT,
                              .value = value_of(&m->arena, text, ""),
                              .shapes = shapes,
                              .shape_count = is_set};
    const struct lia_stamp stamp = {UINT64_C(1) << 20, 9};

    LIA_ASSERT(!lia_doc_apply(&m->arena, nothing, &op, 1, stamp, &m->base, NULL));
}

static void print_body(struct lia_buf *out, struct liana_slice body)
{
    struct lia_buf json;
    static const char id[] = "{\"_id\":1";

    if (body.len == 0) {
        lia_buf_str(out, "nothing");
        return;
    }
    lia_buf_init(&json, &lia_mem_libc);
    LIA_ASSERT(!lia_json_write(body, LIA_JSON_RELAXED, &json, NULL));
    LIA_ASSERT(json.len >= sizeof(id));
    lia_buf_printf(out, "`{%.*s`",
                   (int)(json.len - sizeof(id) + 1 - (json.len > sizeof(id))),
                   (const char *)json.ptr + sizeof(id) - 1 + (json.len > sizeof(id)));
    lia_buf_deinit(&json);
}

static void print_refused(struct lia_buf *out, const struct side *s)
{
    if (s->status) {
        lia_buf_printf(out, "; %s's is refused (%s)", s->word,
                       liana_status_name(s->status));
    }
}

/* One cell: x and y do it with these stamps. */
static bool print_outcome(struct lia_buf *out,
                          const struct doing *x,
                          const struct doing *y,
                          bool is_above,
                          bool is_x_older)
{
    struct meeting m = {.a = {.doing = x, .is_above = is_above, .word = "x"},
                        .b = {.doing = y, .word = "y"}};
    struct lia_doc shown;
    bool is_equal;

    m.a.stamp = (struct lia_stamp){(uint64_t)(is_x_older ? 2 : 3) << 20, 1};
    m.b.stamp = (struct lia_stamp){(uint64_t)(is_x_older ? 3 : 2) << 20, 2};
    lia_arena_init(&m.arena, &lia_mem_libc);
    lia_buf_init(&m.lost, &lia_mem_libc);
    make_base(&m, base_of(x, y, is_above), (!is_above && x->is_of_set) || y->is_of_set);
    act(&m, &m.a);
    act(&m, &m.b);
    is_equal = meet(&m, &shown);
    lia_buf_str(out, " ");
    print_body(out, shown.body);
    print_refused(out, &m.a);
    print_refused(out, &m.b);
    if (m.lost.len) {
        lia_buf_printf(out, "; lost: `%.*s`", (int)m.lost.len,
                       (const char *)m.lost.ptr);
    }
    lia_buf_str(out, is_equal ? " |" : " ROUTES DIFFER |");
    lia_buf_deinit(&m.lost);
    lia_arena_deinit(&m.arena);
    return is_equal;
}

static bool print_row(struct lia_buf *out,
                      const struct doing *x,
                      const struct doing *y,
                      bool is_above)
{
    bool is_older = false;
    bool is_newer;

    lia_buf_printf(out, "| %s | %s |", x->name, y->name);
    is_older = print_outcome(out, x, y, is_above, true);
    is_newer = print_outcome(out, x, y, is_above, false);
    lia_buf_str(out, "\n");
    return is_older && is_newer;
}

static bool has_parent(const struct doing *d)
{
    return d->has_path || d->value_above;
}

bool merging_table(struct lia_buf *out)
{
    static const char head[] = "| x | y | x is older | y is older |\n"
                               "| --- | --- | --- | --- |\n";
    bool is_equal = true;

    lia_buf_printf(out, "### At one path\n\n%s", head);
    for (size_t i = 0; i < DOINGS; i++) {
        for (size_t j = i; j < DOINGS; j++) {
            is_equal = print_row(out, &doings[i], &doings[j], false) && is_equal;
        }
    }
    lia_buf_printf(out, "\n### x at the parent `m`, y at its child `m.p`\n\n%s", head);
    for (size_t i = 0; i < DOINGS; i++) {
        for (size_t j = 0; j < DOINGS; j++) {
            if (has_parent(&doings[i]) && has_parent(&doings[j])) {
                is_equal = print_row(out, &doings[i], &doings[j], true) && is_equal;
            }
        }
    }
    return is_equal && !out->status;
}
