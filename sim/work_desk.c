/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What apps write at the desk: everything that can be written, to few documents, so that
 * writes meet. And the seats, which cannot be oversold.
 *
 *     desk    {a, b: texts and numbers, m: {x, y}, n, d, c: counters of each type, s: a
 *             set, r: an object kept whole}; what is declared of it changes
 *     seats   {n: COUNTER MIN 2}
 */
#include "sim/work.h"

#include <stdio.h>

#include "codec/decimal.h"
#include "db/exec.h"
#include "sim/oracle.h"

#define OPS_MAX  3
#define DOCS_MAX 3
/* A document that everybody has changed for long is left alone. */
#define ENTRIES_MAX 120
#define ACTORS_MAX  24

/* ---- values ---- */

static struct lia_value keep_value(struct sim_world *w, struct lia_value v)
{
    struct liana_slice kept;

    LIA_ASSERT(lia_arena_copy(&w->arena, v.data, &kept));
    return (struct lia_value){v.type, kept};
}

static struct lia_value take(struct sim_world *w, uint8_t type, struct lia_buf *buf)
{
    struct lia_value v = keep_value(w, (struct lia_value){type, lia_buf_slice(buf)});

    lia_buf_deinit(buf);
    return v;
}

static const char *word(struct sim_world *w, char out[24])
{
    snprintf(out, 24, "w%llu", (unsigned long long)++w->oracle->words);
    return out;
}

static struct lia_value text(struct sim_world *w)
{
    struct lia_value found;
    struct lia_value v;
    struct lia_buf buf;
    char out[24];
    size_t mark;

    lia_buf_init(&buf, &lia_mem_libc);
    mark = lia_bson_begin(&buf);
    lia_bson_add_str(&buf, lia_str("v"), lia_str(word(w, out)));
    lia_bson_end(&buf, mark);
    v = take(w, LIA_BSON_DOCUMENT, &buf);
    LIA_ASSERT(lia_bson_find(v.data, lia_str("v"), &found));
    return found;
}

static struct lia_value whole(struct sim_world *w, int64_t v)
{
    struct lia_scratch scratch;

    return keep_value(w, sim_chance(w, 500) ? lia_value_of_int64(v, &scratch)
                                            : lia_value_of_int32((int32_t)v, &scratch));
}

static struct lia_value amount(struct sim_world *w, char counter)
{
    struct lia_scratch scratch;
    struct lia_decimal decimal;
    char digits[48];
    int64_t v = (int64_t)sim_draw(w, 19) - 9;

    switch (counter) {
    case 'd': return keep_value(w, lia_value_of_double((double)v / 4, &scratch));
    case 'c':
        snprintf(digits, sizeof(digits), "%lld.%02u", (long long)v,
                 (unsigned)sim_draw(w, 100));
        LIA_ASSERT(!lia_decimal_parse(lia_str(digits), &decimal));
        return keep_value(w, lia_value_of_decimal(decimal, &scratch));
    default: return whole(w, v);
    }
}

static struct lia_value element(struct sim_world *w)
{
    struct lia_scratch scratch;

    return keep_value(w, lia_value_of_int32((int32_t)sim_draw(w, 4), &scratch));
}

static struct lia_value elements(struct sim_world *w)
{
    struct lia_buf buf;
    size_t mark;
    uint32_t count = 0;

    lia_buf_init(&buf, &lia_mem_libc);
    mark = lia_bson_begin(&buf);
    for (int32_t i = 0; i < 4; i++) {
        char digits[12];

        if (sim_chance(w, 400)) {
            lia_bson_add_int32(&buf, lia_bson_index_name(count++, digits), i);
        }
    }
    lia_bson_end(&buf, mark);
    return take(w, LIA_BSON_ARRAY, &buf);
}

/* {x, y}, or less of it. */
static struct lia_value object(struct sim_world *w)
{
    struct lia_buf buf;
    size_t mark;
    char out[24];

    lia_buf_init(&buf, &lia_mem_libc);
    mark = lia_bson_begin(&buf);
    if (sim_chance(w, 800)) {
        lia_bson_add_str(&buf, lia_str("x"), lia_str(word(w, out)));
    }
    if (sim_chance(w, 600)) {
        lia_bson_add_str(&buf, lia_str("y"), lia_str(word(w, out)));
    }
    lia_bson_end(&buf, mark);
    return take(w, LIA_BSON_DOCUMENT, &buf);
}

static void add_some(struct sim_world *w,
                     struct lia_buf *buf,
                     const char *name,
                     struct lia_value v)
{
    if (sim_chance(w, 500)) {
        lia_bson_add(buf, lia_str(name), v);
    }
}

static struct lia_value document(struct sim_world *w, uint32_t doc)
{
    struct lia_buf buf;
    size_t mark;

    lia_buf_init(&buf, &lia_mem_libc);
    mark = lia_bson_begin(&buf);
    lia_bson_add_int32(&buf, lia_str("_id"), (int32_t)doc);
    add_some(w, &buf, "a", text(w));
    add_some(w, &buf, "n", amount(w, 'n'));
    add_some(w, &buf, "m", object(w));
    add_some(w, &buf, "c", amount(w, 'c'));
    add_some(w, &buf, "s", elements(w));
    add_some(w, &buf, "d", amount(w, 'd'));
    add_some(w, &buf, "r", object(w));
    add_some(w, &buf, "b", text(w));
    lia_bson_end(&buf, mark);
    return take(w, LIA_BSON_DOCUMENT, &buf);
}

/* ---- operations ---- */

static const struct liana_str paths[][2] = {
    {{"a", 1}, {NULL, 0}}, {{"b", 1}, {NULL, 0}}, {{"m", 1}, {"x", 1}},
    {{"m", 1}, {"y", 1}},  {{"m", 1}, {NULL, 0}}, {{"r", 1}, {NULL, 0}},
    {{"n", 1}, {NULL, 0}}, {{"d", 1}, {NULL, 0}}, {{"c", 1}, {NULL, 0}},
    {{"s", 1}, {NULL, 0}},
};

enum { A, B, M_X, M_Y, M, R, N, D, C, S };

static struct lia_op at(size_t path, enum lia_op_kind kind, struct lia_value v)
{
    return (struct lia_op){
        .kind = kind, .path = {paths[path], paths[path][1].ptr ? 2 : 1}, .value = v};
}

static struct lia_op count_up(struct sim_world *w, enum lia_op_kind kind)
{
    static const char counters[] = "ndc";
    size_t i = (size_t)sim_draw(w, 3);

    return at(N + i, kind, amount(w, counters[i]));
}

static struct lia_op change(struct sim_world *w, uint32_t doc)
{
    const struct lia_value none = {0};
    uint64_t draw = sim_draw(w, 100);
    struct lia_value number;

    switch (draw / 2) {
    case 0: return (struct lia_op){.kind = LIA_OP_DELETE};
    case 1: return (struct lia_op){.kind = LIA_OP_REPLACE, .value = document(w, doc)};
    case 2:
    case 3:
    case 4: return at((size_t)sim_draw(w, S + 1), LIA_OP_UNSET, none);
    case 5:
        number = whole(w, (int64_t)draw);
        return at((size_t)sim_draw(w, R + 1), LIA_OP_SET, number);
    case 6:
    case 7: return at(M, LIA_OP_SET, object(w));
    case 8: return at(M, LIA_OP_SET, text(w));
    case 9:
    case 10: return at(R, LIA_OP_SET, object(w));
    case 11: return at(S, LIA_OP_SET, elements(w));
    case 12: return at(N, LIA_OP_SET, sim_chance(w, 500) ? text(w) : amount(w, 'n'));
    case 13: return count_up(w, LIA_OP_RESTART);
    case 14:
    case 15:
    case 16:
    case 17: return at(S, LIA_OP_REMOVE, element(w));
    default: break;
    }
    if (draw < 50) {
        return at(S, LIA_OP_ADD, element(w));
    }
    return draw < 75 ? count_up(w, LIA_OP_INCREMENT)
                     : at((size_t)sim_draw(w, M), LIA_OP_SET, text(w));
}

static struct lia_op insert(struct sim_world *w, uint32_t doc)
{
    return (struct lia_op){.kind = LIA_OP_INSERT, .value = document(w, doc)};
}

/* ---- transactions ---- */

static bool is_worn(const struct sim_world *w, int node, uint32_t doc)
{
    const struct model_doc *d = &w->oracle->states[node][doc - sim_first(2)];

    return d->count > ENTRIES_MAX || d->vector_count > ACTORS_MAX ||
           w->nodes[node].seen[doc].count > ACTORS_MAX;
}

/* What is refused because of its arguments has changed nothing. */
static void ask(struct sim_world *w,
                int node,
                struct sim_work *x,
                uint32_t doc,
                const struct lia_op *ops,
                size_t count,
                int64_t sum)
{
    struct lia_change change;
    liana_status status;

    LIA_ASSERT(count > 0);
    status = sim_oracle_apply(w, node, x->txn, doc, ops, count, sum, &change);
    if (status == LIANA_EIO || status == LIANA_EFULL || status == LIANA_ENOMEM) {
        x->status = status;
    }
    if (change.changed) {
        for (size_t i = 0; i < count; i++) {
            w->deletes[doc] += ops[i].kind == LIA_OP_DELETE;
        }
        x->log->kinds[x->log->count] = ops[0].kind;
        x->log->docs[x->log->count++] = doc;
    }
    sim_note(w, "node %d: document %u: %zu operations, the first %d, %s", node, doc,
             count, (int)ops[0].kind, liana_status_name(status));
}

static void write_desk(struct sim_world *w, int node, struct sim_work *x, uint32_t doc)
{
    struct lia_op ops[OPS_MAX];
    size_t count = 1;

    if (!sim_oracle_exists(w, node, doc) && sim_chance(w, 900)) {
        ops[0] = insert(w, doc);
    } else if (sim_chance(w, 30)) {
        ops[0] = (struct lia_op){.kind = LIA_OP_DELETE};
        ops[1] = insert(w, doc);
        count = 2;
    } else {
        count = sim_chance(w, 600) ? 1 : 1 + (size_t)sim_draw(w, OPS_MAX);
        for (size_t i = 0; i < count; i++) {
            ops[i] = change(w, doc);
        }
    }
    ask(w, node, x, doc, ops, count, 0);
}

/* Equal at every node: one write, whoever makes it. */
static void seed(struct sim_world *w, int node, struct sim_work *x, uint32_t doc)
{
    struct lia_buf buf;
    struct lia_op op = {.kind = LIA_OP_INSERT};
    size_t mark;

    lia_buf_init(&buf, &lia_mem_libc);
    mark = lia_bson_begin(&buf);
    lia_bson_add_int32(&buf, lia_str("_id"), (int32_t)doc);
    lia_bson_add_str(&buf, lia_str("a"), lia_str(doc % 2 ? "odd" : "even"));
    lia_bson_add_int32(&buf, lia_str("n"), (int32_t)sim_draw(w, 2));
    lia_bson_end(&buf, mark);
    op.value = take(w, LIA_BSON_DOCUMENT, &buf);
    x->status = sim_oracle_seed(w, node, x->txn, doc, &op);
}

static uint64_t actor_of(const struct sim_world *w, int node)
{
    return w->nodes[node].is_up ? lia_db_identity(w->nodes[node].db).actor : 1;
}

/* As if the other store had been retired. */
static void steal(struct sim_world *w, int node, struct sim_work *x, uint32_t doc)
{
    static const struct liana_str n = {"n", 1};
    const struct lia_op op = {.kind = LIA_OP_RECLAIM,
                              .path = {&n, 1},
                              .actor = actor_of(w, (int)sim_draw(w, w->knobs.nodes))};

    ask(w, node, x, doc, &op, 1, 0);
}

static void write_seats(struct sim_world *w, int node, struct sim_work *x, uint32_t doc)
{
    static const struct liana_str n = {"n", 1};
    struct lia_op op = {.path = {&n, 1}};
    struct lia_buf buf;
    size_t mark;
    int64_t sum;

    if (w->breakage == SIM_BREAK_RIGHTS) {
        steal(w, node, x, doc);
    }
    if (!sim_oracle_exists(w, node, doc)) {
        sum = 5 + (w->breakage == SIM_BREAK_RIGHTS ? 0 : (int64_t)sim_draw(w, 30));
        lia_buf_init(&buf, &lia_mem_libc);
        mark = lia_bson_begin(&buf);
        lia_bson_add_int32(&buf, lia_str("_id"), (int32_t)doc);
        lia_bson_add_int64(&buf, n, sum);
        lia_bson_end(&buf, mark);
        op = (struct lia_op){.kind = LIA_OP_INSERT,
                             .value = take(w, LIA_BSON_DOCUMENT, &buf)};
    } else if (doc == SIM_DOCS - 1 && sim_chance(w, 30)) {
        op = (struct lia_op){.kind = LIA_OP_DELETE};
        sum = 0;
    } else if (sim_chance(w, 250)) {
        int to = (int)sim_draw(w, w->knobs.nodes);

        op.kind = LIA_OP_TRANSFER;
        op.value = whole(w, 1 + (int64_t)sim_draw(w, 10));
        op.actor = actor_of(w, to);
        sum = 0;
    } else {
        unsigned more = w->breakage == SIM_BREAK_RIGHTS ? 0 : 250;

        sum = sim_chance(w, more) ? 1 + (int64_t)sim_draw(w, 8)
                                  : -1 - (int64_t)sim_draw(w, 8);
        op.kind = LIA_OP_INCREMENT;
        op.value = whole(w, sum);
    }
    ask(w, node, x, doc, &op, 1, sum);
}

/* One document at most once in a transaction. */
void sim_work_desk(struct sim_world *w, int node, struct sim_work *x)
{
    uint32_t first = sim_first(2) + (uint32_t)sim_draw(w, SIM_CLOSE);
    uint64_t count = sim_chance(w, 700) ? 1 : 1 + sim_draw(w, DOCS_MAX);

    for (uint32_t i = 0; i < count && !x->status; i++) {
        uint32_t doc = sim_first(2) + (first - sim_first(2) + i) % SIM_CLOSE;

        if (is_worn(w, node, doc)) {
            continue;
        }
        if (doc >= sim_first(3)) {
            write_seats(w, node, x, doc);
        } else if (count == 1 && sim_chance(w, 30)) {
            seed(w, node, x, doc);
        } else {
            write_desk(w, node, x, doc);
        }
    }
}

/* ---- declarations ---- */

void sim_work_declare(struct sim_world *w, int node, const char *statement)
{
    struct lia_result *result = NULL;
    struct liana_error err = LIANA_ERROR_INIT;
    liana_status status = lia_db_execute(w->nodes[node].db, lia_str(statement),
                                         lia_slice(NULL, 0), NULL, &result, &err);

    lia_result_free(result);
    sim_note(w, "node %d: %s: %s", node, statement, liana_status_name(status));
    if (status == LIANA_EIO || status == LIANA_EFULL) {
        w->nodes[node].is_failing = true;
    } else if (status && status != LIANA_EEXISTS && status != LIANA_ENOTFOUND) {
        sim_fail(w, "node %d: %s: %s", node, statement, err.message);
    }
}

void sim_work_redeclare(struct sim_world *w, int node)
{
    static const char *const statements[] = {
        "ALTER COLLECTION desk SET (deletes = 'update wins')",
        "ALTER COLLECTION desk RESET (deletes)",
        "ALTER COLLECTION desk DROP s",
        "ALTER COLLECTION desk ADD s SET",
        "ALTER COLLECTION desk DROP r",
        "ALTER COLLECTION desk ADD r REGISTER",
    };

    sim_work_declare(w, node,
                     statements[sim_draw(w, sizeof(statements) / sizeof(*statements))]);
}
