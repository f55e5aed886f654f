/* SPDX-License-Identifier: Apache-2.0 */
#include "db/internal.h"
#include "lang/value.h"

/* ---- one value ---- */

bool lia_breach_find(const struct lia_declared *d,
                     struct lia_value v,
                     struct lia_breach *out)
{
    bool is_known = d->type->kind != LIA_KIND_UNKNOWN || lia_is_missing(v);

    if (!is_known || !lia_declared_check(d, v, NULL)) {
        return false;
    }
    *out = (struct lia_breach){.declared = d, .rule = LIA_RULE_TYPE, .value = v};
    if (lia_is_missing(v) || (lia_is_null(v) && lia_declared_may_be_null(d))) {
        out->rule = LIA_RULE_NOT_NULL;
    }
    return true;
}

static const char *rule_name(const struct lia_breach *breach)
{
    switch (breach->rule) {
    case LIA_RULE_NOT_NULL: return "NOT NULL";
    case LIA_RULE_IMMUTABLE: return "IMMUTABLE";
    default: return breach->declared->type->name;
    }
}

void lia_breach_add(struct lia_buf *out, const struct lia_breach *breach)
{
    const struct lia_declared *d = breach->declared;
    struct liana_error why = LIANA_ERROR_INIT;

    if (breach->rule == LIA_RULE_IMMUTABLE) {
        LIA_IGNORE(lia_err(&why, LIANA_ESCHEMA, "%.*s is declared IMMUTABLE",
                           LIA_STR_ARG(d->text))); /* for its text */
    } else {
        LIA_IGNORE(lia_declared_check(d, breach->value, &why)); /* so too */
    }
    lia_bson_add_str(out, lia_str("rule"), lia_str(rule_name(breach)));
    lia_bson_add_str(out, lia_str("text"), lia_str(why.message));
}

/* ---- what a merge has done ---- */

struct merged {
    struct lia_txn *txn;
    const struct lia_batch *batch;
    struct lia_doc before;
    struct lia_doc after;
    struct lia_stamp created; /* of `after` */
};

/* What the merge has made otherwise than declared; false: nothing. Who begins a life gives
 * it what is immutable, and of two that began it apart one wins. */
static bool find(const struct merged *m,
                 const struct lia_declared *d,
                 struct lia_breach *out)
{
    struct lia_value before = lia_declared_value(d, m->before.body);
    struct lia_value after = lia_declared_value(d, m->after.body);

    if (m->before.body.len && before.type == after.type &&
        lia_value_equal(before, after)) {
        return false;
    }
    if (lia_breach_find(d, after, out)) {
        return true;
    }
    *out = (struct lia_breach){d, LIA_RULE_IMMUTABLE, after, LIA_STAMP_NONE};
    return d->is_immutable && !lia_is_missing(before) &&
           lia_type_allows(d->type, before);
}

/* The sender stamps, or has stamped, as this actor. */
static liana_status is_senders(const struct merged *m,
                               uint64_t actor,
                               bool *out,
                               struct liana_error *err)
{
    const struct lia_seen *seen = m->batch->seen;
    sqlite3_stmt *stmt = NULL;
    liana_status status;

    *out = seen && seen->stamp.actor == actor;
    for (size_t i = 0; seen && i < seen->opening_count; i++) {
        *out = *out || seen->openings[i].actor == actor;
    }
    if (*out) {
        return LIANA_OK;
    }
    status = lia_conn_prepare(
        m->txn->conn, lia_str("SELECT 1 FROM seen WHERE actor = ?1 AND peer = ?2"),
        &stmt, err);
    if (status) {
        return status;
    }
    lia_bind_u64(stmt, 1, actor);
    lia_bind_slice(stmt, 2, m->batch->peer);
    status = lia_conn_step(m->txn->conn, stmt, err);
    lia_conn_done(m->txn->conn, stmt);
    *out = status == LIANA_OK;
    return status == LIANA_EEND ? LIANA_OK : status;
}

static liana_status note(const struct merged *m,
                         struct lia_breach *breach,
                         struct lia_notes *notes,
                         struct liana_error *err)
{
    const struct lia_declared *d = breach->declared;
    bool is_told = false;
    liana_status status =
        lia_doc_written(&m->txn->scratch, m->after,
                        (struct lia_path){d->names, d->count}, &breach->written, err);

    if (!status) {
        status = is_senders(m, breach->written.actor, &is_told, err);
    }
    if (!status && breach->rule == LIA_RULE_IMMUTABLE) {
        is_told = is_told && lia_stamp_cmp(breach->written, m->created) != 0;
    }
    if (!status && is_told) {
        lia_notes_breach(notes, breach);
    }
    return status;
}

liana_status lia_breaches_note(struct lia_txn *txn,
                               const struct lia_batch *batch,
                               const struct lia_noted_of *of,
                               struct lia_doc before,
                               struct lia_doc merged,
                               struct lia_notes *notes,
                               struct liana_error *err)
{
    struct merged m = {txn, batch, before, merged, LIA_STAMP_NONE};
    const struct lia_rules *rules = NULL;
    const struct lia_schema *schema;
    struct lia_doc_info info;
    liana_status status;

    if (merged.body.len == 0) {
        return LIANA_OK;
    }
    status = lia_schema_rules(txn, of->collection, &rules, err);
    if (status || rules->schema->path_count == 0) {
        return status;
    }
    status = lia_err_plain(err, lia_doc_info(&txn->scratch, merged.clock, &info));
    m.created = info.created;
    schema = rules->schema;
    for (uint32_t i = 0; i < schema->path_count && !status; i++) {
        struct lia_breach breach;

        if (find(&m, &schema->paths[i], &breach)) {
            status = note(&m, &breach, notes, err);
        }
    }
    return status;
}
