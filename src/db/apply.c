/* SPDX-License-Identifier: Apache-2.0 */
#include "db/apply.h"

#include "crdt/mutant.h"

/*
 * One batch in one transaction. Items that meet a gap are kept aside and tried again
 * after the others, as long as one of them finds its place: what repairs it may be in the
 * same batch. Whatever then is left undoes everything.
 */

/* An item that met a gap: `row` in the stage, or `index` of the call. */
struct gap {
    uint64_t row; /* 0: not staged */
    size_t index;
    struct lia_apply_result result;
};

/* ---- all items ---- */

/* What a staged item's result names does not outlive the row. */
static liana_status keep_key(struct lia_applying *a, struct lia_apply_result *result)
{
    struct liana_slice name;

    if (!lia_arena_copy(a->arena, lia_str_slice(result->key.collection), &name) ||
        !lia_arena_copy(a->arena, result->key.key, &result->key.key)) {
        return LIANA_ENOMEM;
    }
    result->key.collection = lia_slice_str(name);
    return LIANA_OK;
}

static liana_status note_staged(struct lia_applying *a, struct gap *gap)
{
    liana_status status = LIANA_OK;

    a->has_lost = a->has_lost || gap->result.is_lost;
    if (gap->result.kind == LIA_APPLY_GAP) {
        status = keep_key(a, &gap->result);
    } else if (gap->result.kind == LIA_APPLY_OWED) {
        status = keep_key(a, &gap->result);
        lia_buf_bytes(&a->owed, &gap->result, sizeof(gap->result));
        status = status ? status : a->owed.status;
    }
    return status;
}

static void note_gap(struct lia_applying *a, const struct gap *gap)
{
    if (gap->result.kind == LIA_APPLY_GAP) {
        lia_buf_bytes(&a->gaps, gap, sizeof(*gap));
    }
}

static bool is_void(const struct lia_batch *batch, const struct lia_batch_item *item)
{
    for (size_t i = 0; i < batch->void_count; i++) {
        const struct lia_batch_void *v = &batch->voids[i];

        if (lia_slice_equal(v->subscription, item->subscription) &&
            (v->key.len == 0 || lia_slice_equal(v->key, item->key.key))) {
            return true;
        }
    }
    return false;
}

/* The staged item that the statement stands on. */
static liana_status apply_staged(struct lia_applying *a,
                                 sqlite3_stmt *stmt,
                                 struct gap *out,
                                 struct liana_error *err)
{
    const struct lia_batch_item item = {
        .key = {lia_column_str(stmt, 1), lia_column_slice(stmt, 2)},
        .segment = lia_column_slice(stmt, 3),
        .subscription = lia_column_slice(stmt, 4),
        .is_answer = lia_column_u64(stmt, 5)};
    liana_status status;

    out->row = lia_column_u64(stmt, 0);
    if (is_void(a->batch, &item)) {
        out->result = (struct lia_apply_result){.kind = LIA_APPLY_UNCHANGED};
        return LIANA_OK;
    }
    status = lia_apply_item(a, &item, &out->result, err);
    return status ? status : lia_err_plain(err, note_staged(a, out));
}

#define STAGED                                                                         \
    "SELECT n, collection, key, segment, subscription, answer FROM stage WHERE "

static liana_status apply_stage(struct lia_applying *a,
                                uint64_t stage,
                                struct liana_error *err)
{
    struct lia_conn *conn = a->txn->conn;
    sqlite3_stmt *stmt = NULL;
    liana_status status;

    status =
        lia_conn_prepare(conn, lia_str(STAGED "stage = ?1 ORDER BY n"), &stmt, err);
    if (status) {
        return status;
    }
    lia_bind_u64(stmt, 1, stage);
    do {
        struct gap gap = {0};

        status = lia_conn_step(conn, stmt, err);
        if (!status) {
            status = apply_staged(a, stmt, &gap, err);
        }
        if (!status) {
            note_gap(a, &gap);
        }
    } while (!status);
    lia_conn_done(conn, stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

static liana_status apply_items(struct lia_applying *a, struct liana_error *err)
{
    const struct lia_batch *batch = a->batch;
    liana_status status = LIANA_OK;

    a->results = lia_arena_array(a->arena, batch->item_count, sizeof(*a->results));
    if (!a->results) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    for (size_t i = 0; i < batch->item_count && !status; i++) {
        status = lia_apply_item(a, &batch->items[i], &a->results[i], err);
        if (!status) {
            note_gap(a, &(struct gap){0, i, a->results[i]});
        }
    }
    return status;
}

static liana_status retry_staged(struct lia_applying *a,
                                 struct gap *gap,
                                 struct liana_error *err)
{
    struct lia_conn *conn = a->txn->conn;
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(conn, lia_str(STAGED "n = ?1"), &stmt, err);

    if (status) {
        return status;
    }
    lia_bind_u64(stmt, 1, gap->row);
    status = lia_conn_step(conn, stmt, err);
    if (!status) {
        status = apply_staged(a, stmt, gap, err);
    }
    lia_conn_done(conn, stmt);
    return status;
}

static liana_status retry(struct lia_applying *a,
                          struct gap *gap,
                          struct liana_error *err)
{
    liana_status status;

    if (gap->row) {
        return retry_staged(a, gap, err);
    }
    status = lia_apply_item(a, &a->batch->items[gap->index], &gap->result, err);
    a->results[gap->index] = gap->result;
    return status;
}

/* One round over the gaps; those that are left stay in the list, in order. */
static liana_status retry_round(struct lia_applying *a, struct liana_error *err)
{
    struct gap *gaps = (struct gap *)(void *)a->gaps.ptr;
    size_t count = a->gaps.len / sizeof(*gaps);
    size_t left = 0;
    liana_status status = LIANA_OK;

    for (size_t i = 0; i < count && !status; i++) {
        status = retry(a, &gaps[i], err);
        if (!status && gaps[i].result.kind == LIA_APPLY_GAP) {
            gaps[left++] = gaps[i];
        }
    }
    a->gaps.len = left * sizeof(*gaps);
    return status;
}

static liana_status retry_gaps(struct lia_applying *a, struct liana_error *err)
{
    liana_status status = lia_err_plain(err, a->gaps.status);
    size_t before = SIZE_MAX;

    while (!status && a->gaps.len && a->gaps.len < before) {
        before = a->gaps.len;
        status = retry_round(a, err);
    }
    return status;
}

/* ---- what comes with the documents ---- */

static liana_status put_token(struct lia_applying *a,
                              const struct lia_token *t,
                              struct liana_error *err)
{
    return lia_books_run(a->txn->conn, err,
                         "INSERT OR REPLACE INTO token "
                         "(peer, subscription, epoch, context, seq, again) "
                         "VALUES (?1, ?2, ?3, ?4, ?5, 0)",
                         "ssusu", t->peer, t->subscription, t->epoch, t->context,
                         t->seq);
}

/* What was left out for what was held then may have to come again (docs/adr/0024). All or
 * none: subscriptions that were served together go on together, or what a transaction wrote
 * under two of them would be parted. */
static liana_status put_tokens(struct lia_applying *a, struct liana_error *err)
{
    const struct lia_batch *batch = a->batch;
    uint64_t generation = 0;
    bool is_old = false;
    liana_status status = batch->token_count
                              ? lia_keep_generation(a->txn->conn, &generation, err)
                              : LIANA_OK;

    for (size_t i = 0; i < batch->token_count; i++) {
        is_old =
            is_old || (batch->tokens[i].generation < generation && !LIA_MUTANT(211));
    }
    for (size_t i = 0; i < batch->token_count && !status && !is_old; i++) {
        status = put_token(a, &batch->tokens[i], err);
    }
    return status;
}

/* What the peer has offered under another actor it may have stamped anew since. */
static liana_status drop_offers(struct lia_applying *a, struct liana_error *err)
{
    return LIA_MUTANT(233)
               ? LIANA_OK
               : lia_books_run(a->txn->conn, err,
                               "DELETE FROM offer WHERE peer = ?1 AND NOT EXISTS "
                               "(SELECT 1 FROM seen WHERE peer = ?1 AND actor = ?2)",
                               "su", a->batch->peer, a->batch->seen->stamp.actor);
}

static liana_status put_seen(struct lia_applying *a, struct liana_error *err)
{
    const struct lia_seen *seen = a->batch->seen;
    struct lia_buf openings;
    liana_status status = seen ? drop_offers(a, err) : LIANA_OK;

    if (!seen || status) {
        return status;
    }
    lia_buf_init(&openings, a->db->env->alloc);
    lia_openings_encode(&openings, seen);
    status = lia_err_plain(err, openings.status);
    if (!status) {
        status =
            lia_books_run(a->txn->conn, err,
                          "INSERT OR REPLACE INTO seen "
                          "(peer, epoch, seq, hlc, actor, openings) "
                          "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                          "suuuus", a->batch->peer, seen->epoch, seen->seq,
                          seen->stamp.hlc, seen->stamp.actor, lia_buf_slice(&openings));
    }
    lia_buf_deinit(&openings);
    return status;
}

static liana_status drop_stages(struct lia_applying *a, struct liana_error *err)
{
    liana_status status = LIANA_OK;

    for (size_t i = 0; i < a->batch->stage_count && !status; i++) {
        status = lia_books_run(a->txn->conn, err, "DELETE FROM stage WHERE stage = ?1",
                               "u", a->batch->stages[i]);
    }
    return status;
}

static liana_status put_all(struct lia_applying *a, struct liana_error *err)
{
    liana_status status = LIANA_OK;

    for (size_t i = 0; i < a->batch->stage_count && !status; i++) {
        status = apply_stage(a, a->batch->stages[i], err);
    }
    if (!status) {
        status = apply_items(a, err);
    }
    if (!status) {
        status = retry_gaps(a, err);
    }
    if (status || a->gaps.len) {
        return status;
    }
    status = drop_stages(a, err);
    if (!status) {
        status = lia_verdicts_give(&a->verdicts, err);
    }
    if (!status) {
        status = put_tokens(a, err);
    }
    if (!status) {
        status = put_seen(a, err);
    }
    return status ? status : lia_marks_put(a, err);
}

/* ---- the answer ---- */

static liana_status report_gaps(struct lia_applying *a, struct lia_applied *out)
{
    const struct gap *gaps = (const struct gap *)(const void *)a->gaps.ptr;
    size_t count = a->gaps.len / sizeof(*gaps);
    struct lia_apply_result *all = lia_arena_array(a->arena, count, sizeof(*all));

    for (size_t i = 0; all && i < count; i++) {
        all[i] = gaps[i].result;
    }
    *out = (struct lia_applied){.results = all, .result_count = count};
    return all ? LIANA_OK : LIANA_ENOMEM;
}

static liana_status report_all(struct lia_applying *a,
                               struct lia_applied *out,
                               struct liana_error *err)
{
    size_t own = a->batch->item_count;
    size_t owed = a->owed.len / sizeof(struct lia_apply_result);
    struct lia_apply_result *all = lia_arena_array(a->arena, own + owed, sizeof(*all));

    if (!all) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    memcpy(all, a->results, own * sizeof(*all));
    if (owed) {
        memcpy(all + own, a->owed.ptr, a->owed.len);
    }
    *out = (struct lia_applied){.is_committed = true,
                                .has_lost = a->has_lost,
                                .results = all,
                                .result_count = own + owed};
    for (size_t i = 0; i < own; i++) {
        out->has_lost = out->has_lost || all[i].is_lost;
    }
    return a->has_owed ? lia_awaits(a->txn->conn, a->db, a->batch->peer,
                                    lia_slice(NULL, 0), &out->awaits, err)
                       : LIANA_OK;
}

static liana_status has_owed(struct lia_applying *a, struct liana_error *err)
{
    struct lia_conn *conn = a->txn->conn;
    sqlite3_stmt *stmt = NULL;
    liana_status status =
        lia_conn_prepare(conn, lia_str("SELECT 1 FROM owed LIMIT 1"), &stmt, err);

    if (!status) {
        status = lia_conn_step(conn, stmt, err);
    }
    lia_conn_done(conn, stmt);
    a->has_owed = status == LIANA_OK;
    return status == LIANA_EEND ? LIANA_OK : status;
}

/* The answer is made before the commit: afterwards nothing can fail but the disk. */
static liana_status apply_in(struct lia_applying *a,
                             struct lia_applied *out,
                             struct liana_error *err)
{
    struct lia_applied applied = {0};
    liana_status status = has_owed(a, err);

    if (!status && a->batch->seen) {
        status = lia_peer_history(a->txn->conn, a->batch->peer, a->batch->seen,
                                  &a->past, err);
    }
    if (!status) {
        status = put_all(a, err);
    }
    if (!status) {
        status = a->gaps.len ? lia_err_plain(err, report_gaps(a, &applied))
                             : report_all(a, &applied, err);
    }
    if (status || !applied.is_committed) {
        lia_txn_rollback(a->txn);
    } else {
        status = lia_txn_commit(a->txn, &applied.commit, err);
    }
    if (!status) {
        *out = applied;
    }
    return status;
}

/* Somebody has stamped as this store does, and nobody knows since when. */
static liana_status part_with_actor(struct lia_db *db,
                                    uint64_t actor,
                                    struct liana_error *err)
{
    struct liana_error why = LIANA_ERROR_INIT;
    liana_status status = lia_db_disown(db, actor, &why);

    if (status && err) {
        *err = why;
    }
    return status ? status : LIANA_ERENEWED;
}

static uint64_t clock_ms(struct lia_db *db, const struct lia_batch *batch)
{
    uint64_t wall_ms = lia_db_wall(db);

    return batch->clock_max_ms && batch->clock_max_ms < wall_ms ? batch->clock_max_ms
                                                                : wall_ms;
}

liana_status lia_db_apply(struct lia_db *db,
                          struct lia_arena *arena,
                          const struct lia_batch *batch,
                          enum lia_durability durability,
                          struct lia_applied *out,
                          struct liana_error *err)
{
    const struct lia_txn_options options = {.kind = LIA_WRITE,
                                            .wait_ms = LIA_WAIT_FOREVER,
                                            .durability = durability,
                                            .origin = batch->origin};
    struct lia_applying a = {.db = db, .arena = arena, .batch = batch};
    liana_status status = lia_txn_begin(db, &options, &a.txn, err);
    uint64_t actor;

    if (status) {
        return status;
    }
    a.verdicts = (struct lia_verdicts){.txn = a.txn};
    actor = lia_txn_stamp(a.txn).actor;
    a.latest_ms = clock_ms(db, batch) + db->clock_ahead_ms;
    lia_buf_init(&a.gaps, db->env->alloc);
    lia_buf_init(&a.owed, db->env->alloc);
    status = apply_in(&a, out, err);
    lia_buf_deinit(&a.gaps);
    lia_buf_deinit(&a.owed);
    return status == LIANA_ERENEWED ? part_with_actor(db, actor, err) : status;
}
