/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a declaration makes of a local write: operations get the shapes and the mode that are
 * declared, and are refused where they would break a declared path. Whatever else the
 * operations do is looked at afterwards, in the document that they have made.
 */
#include "crdt/mutant.h"
#include "db/internal.h"
#include "lang/value.h"

/* One operation and the document it meets. */
struct asked {
    const struct lia_rules *rules;
    struct lia_txn *txn;
    struct lia_doc before;
    const struct lia_op *op;
    struct liana_error *err;
};

/* ---- paths ---- */

static bool is_whole(const struct lia_op *op)
{
    return op->kind == LIA_OP_INSERT || op->kind == LIA_OP_REPLACE;
}

/* The declared path stands at or below what the operation writes. */
static bool is_within(const struct lia_declared *d, struct lia_path path)
{
    if (d->count < path.count) {
        return false;
    }
    for (size_t i = 0; i < path.count; i++) {
        if (!lia_str_equal(d->names[i], path.names[i])) {
            return false;
        }
    }
    return true;
}

/* What the operation puts at a declared path within its own. */
static struct lia_value written(const struct lia_op *op, const struct lia_declared *d)
{
    const struct lia_declared below = {.names = d->names + op->path.count,
                                       .count = d->count - (uint32_t)op->path.count};

    if (op->kind == LIA_OP_UNSET) {
        return LIA_MISSING;
    }
    if (below.count == 0) {
        return op->value;
    }
    return op->value.type == LIA_BSON_DOCUMENT
               ? lia_declared_value(&below, op->value.data)
               : LIA_MISSING;
}

/* ---- counters ---- */

static liana_status refuse_assignment(const struct asked *a,
                                      const struct lia_declared *d)
{
    return lia_err(a->err, LIANA_ESCHEMA,
                   "%.*s is declared COUNTER: APPLY %.*s INCREMENT BY changes it, "
                   "nothing else",
                   LIA_STR_ARG(d->text), LIA_STR_ARG(d->text));
}

/* Whether the path shows a counter with a bound, and not a number from before. */
static liana_status is_bounded(const struct asked *a,
                               const struct lia_declared *d,
                               bool *out)
{
    struct lia_bounded_info info;
    liana_status status =
        lia_doc_bounded(&a->txn->scratch, a->before,
                        (struct lia_path){d->names, d->count}, 0, &info, NULL);

    *out = !status;
    return status == LIANA_ETYPE || status == LIANA_ENOTFOUND ? LIANA_OK : status;
}

/* What becomes of an operation. */
enum verdict {
    DO,
    SKIP, /* it says what is there */
    RENEW /* what stands there goes first */
};

/* An assignment or removal at or above a counter that counts. What stays as it is shown is
 * none; above a counter with a MIN it would end all rights, whatever it says. */
static liana_status check_assignment(const struct asked *a,
                                     const struct lia_declared *d,
                                     enum verdict *out)
{
    struct lia_value shown = lia_declared_value(d, a->before.body);
    bool is_exact = d->count == a->op->path.count;
    bool bounded = false;
    liana_status status = LIANA_OK;

    if (d->has_min) {
        status = lia_err_plain(a->err, is_bounded(a, d, &bounded));
    }
    if (status) {
        return status;
    }
    if (!lia_type_allows(d->type, shown) || (d->has_min && !bounded)) {
        /* Nothing there counts: it begins, or is put right. */
        bool begins = d->has_min && is_exact && a->op->kind == LIA_OP_SET;

        *out = begins && !lia_is_missing(shown) ? RENEW : DO;
        return LIANA_OK;
    }
    if (!lia_value_equal(written(a->op, d), shown) || (bounded && !is_exact)) {
        return refuse_assignment(a, d);
    }
    *out = is_exact ? SKIP : DO;
    return LIANA_OK;
}

static liana_status check_increment(const struct asked *a, const struct lia_declared *d)
{
    bool bounded = true;
    liana_status status = LIANA_OK;

    if (d->has_min) {
        status = lia_err_plain(a->err, is_bounded(a, d, &bounded));
    }
    if (!status && !bounded) {
        return lia_err(
            a->err, LIANA_ESCHEMA,
            "%.*s is declared COUNTER MIN %lld and has not begun: SET gives it "
            "its first amount",
            LIA_STR_ARG(d->text), (long long)d->min);
    }
    return status;
}

static liana_status check_counter(const struct asked *a,
                                  const struct lia_declared *d,
                                  enum verdict *out)
{
    bool is_exact = d->count == a->op->path.count;

    switch (a->op->kind) {
    case LIA_OP_REPLACE:
    case LIA_OP_SET:
    case LIA_OP_UNSET: return check_assignment(a, d, out);
    case LIA_OP_INCREMENT: return is_exact ? check_increment(a, d) : LIANA_OK;
    case LIA_OP_RESTART:
        return is_exact && d->has_min ? refuse_assignment(a, d) : LIANA_OK;
    default: return LIANA_OK;
    }
}

/* ---- one operation ---- */

static liana_status check_element(const struct asked *a)
{
    const struct lia_op *op = a->op;
    const struct lia_declared *d =
        lia_schema_find(a->rules->schema, op->path.names, (uint32_t)op->path.count);

    if (d && d->type->kind != LIA_KIND_SET) {
        return lia_err(a->err, LIANA_ESCHEMA, "%.*s is declared %.*s and no SET",
                       LIA_STR_ARG(d->text), LIA_STR_ARG(d->type_name));
    }
    return LIANA_OK;
}

static liana_status check_above(const struct asked *a)
{
    const struct lia_op *op = a->op;
    const struct lia_declared *d =
        lia_schema_above(a->rules->schema, op->path.names, (uint32_t)op->path.count);

    return d ? lia_err(a->err, LIANA_ESCHEMA,
                       "%.*s is declared %.*s: it is written as a whole",
                       LIA_STR_ARG(d->text), LIA_STR_ARG(d->type_name))
             : LIANA_OK;
}

static liana_status check_op(const struct asked *a, enum verdict *out)
{
    const struct lia_schema *schema = a->rules->schema;
    const struct lia_op *op = a->op;
    liana_status status = LIANA_OK;

    *out = DO;
    if (op->kind == LIA_OP_DELETE || op->kind == LIA_OP_INSERT) {
        return LIANA_OK;
    }
    if (!is_whole(op)) {
        status = check_above(a);
    }
    if (!status && (op->kind == LIA_OP_ADD || op->kind == LIA_OP_REMOVE)) {
        status = check_element(a);
    }
    for (uint32_t i = 0; i < schema->path_count && !status; i++) {
        const struct lia_declared *d = &schema->paths[i];

        if (d->type->kind == LIA_KIND_COUNTER && is_within(d, op->path)) {
            status = check_counter(a, d, out);
        }
    }
    return status;
}

static enum lia_delete_mode mode_of(const struct lia_schema *schema)
{
    return schema->options.deletes == LIA_UPDATES_WIN ? LIA_UPDATE_WINS
                                                      : LIA_DELETE_WINS;
}

liana_status lia_rules_prepare(const struct lia_rules *rules,
                               struct lia_txn *txn,
                               struct lia_doc before,
                               const struct lia_op **ops,
                               size_t *count,
                               struct liana_error *err)
{
    struct lia_op *meant;
    size_t n = 0;

    if ((!rules->schema->is_declared && rules->schema->path_count == 0) ||
        LIA_MUTANT(218)) {
        return LIANA_OK;
    }
    meant = lia_arena_array(&txn->scratch, *count, 2 * sizeof(*meant));
    if (!meant) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    for (size_t i = 0; i < *count; i++) {
        const struct asked a = {rules, txn, before, &(*ops)[i], err};
        enum verdict verdict = DO;
        liana_status status = check_op(&a, &verdict);

        if (status) {
            return status;
        }
        if (verdict == RENEW) {
            meant[n++] = (struct lia_op){.kind = LIA_OP_UNSET, .path = a.op->path};
        }
        if (verdict != SKIP) {
            meant[n] = *a.op;
            meant[n].shapes = rules->shapes;
            meant[n].shape_count = rules->shape_count;
            meant[n++].mode = mode_of(rules->schema);
        }
    }
    *ops = meant;
    *count = n;
    return LIANA_OK;
}

/* ---- the document afterwards ---- */

static liana_status check_path(const struct lia_declared *d,
                               struct lia_value before,
                               struct lia_value after,
                               bool is_new,
                               struct liana_error *err)
{
    bool was_right = !lia_is_missing(before) && lia_type_allows(d->type, before);

    if (!is_new && before.type == after.type && lia_value_equal(before, after)) {
        return LIANA_OK;
    }
    if (!is_new && d->is_immutable && was_right) {
        return lia_err(err, LIANA_ESCHEMA, "%.*s is declared IMMUTABLE",
                       LIA_STR_ARG(d->text));
    }
    return lia_declared_check(d, after, err);
}

liana_status lia_rules_check(const struct lia_rules *rules,
                             struct liana_slice before,
                             struct liana_slice after,
                             bool is_new,
                             struct liana_error *err)
{
    const struct lia_schema *schema = rules->schema;

    for (uint32_t i = 0; i < schema->path_count && after.len && !LIA_MUTANT(217); i++) {
        const struct lia_declared *d = &schema->paths[i];
        liana_status status = check_path(d, lia_declared_value(d, before),
                                         lia_declared_value(d, after), is_new, err);

        if (status) {
            return status;
        }
    }
    return LIANA_OK;
}
