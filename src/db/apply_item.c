/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/key.h"
#include "crdt/mutant.h"
#include "db/apply.h"

static liana_status key_is_of(struct lia_arena *scratch,
                              struct liana_slice body,
                              struct liana_slice key,
                              struct liana_error *err)
{
    struct lia_value id = {0};
    struct lia_buf own;
    liana_status status;

    if (body.len == 0) {
        return LIANA_OK;
    }
    if (!lia_bson_find(body, lia_str("_id"), &id)) {
        return lia_err(err, LIANA_EPROTOCOL, "the document has no _id");
    }
    lia_buf_init(&own, scratch->alloc);
    status = lia_key_of_id(id, &own, err);
    if (status == LIANA_EID ||
        (!status && !lia_slice_equal(lia_buf_slice(&own), key))) {
        status = lia_err(err, LIANA_EPROTOCOL, "the document's _id is not of its key");
    }
    lia_buf_deinit(&own);
    return status;
}

static liana_status meet_gap(struct lia_applying *a,
                             struct liana_slice clock,
                             struct lia_apply_result *out)
{
    struct lia_doc_info info;
    struct liana_slice copy;
    liana_status status;

    if (!lia_arena_copy(a->arena, clock, &copy)) {
        return LIANA_ENOMEM;
    }
    status = lia_doc_info(a->arena, copy, &info);
    out->kind = LIA_APPLY_GAP;
    return status
               ? status
               : lia_doubts_lower(&a->db->doubts, a->arena, info.vector, &out->vector);
}

static liana_status put(struct lia_applying *a,
                        const struct lia_batch_item *item,
                        const struct lia_row *row,
                        struct lia_doc merged,
                        uint64_t hlc,
                        struct liana_error *err)
{
    struct lia_txn *txn = a->txn;
    const struct lia_coll *coll = NULL;
    liana_status status = key_is_of(&txn->scratch, merged.body, item->key.key, err);

    if (!status) {
        status = lia_coll_for_write(txn, item->key.collection, &coll, err);
    }
    if (!status) {
        status = lia_row_put(txn, coll, item->key.key, row, merged, err);
    }
    if (!status && hlc > txn->state.hlc) {
        txn->state.hlc = hlc;
    }
    return status;
}

static bool is_same_doc(struct lia_doc a, struct lia_doc b)
{
    return lia_slice_equal(a.clock, b.clock) && lia_slice_equal(a.body, b.body);
}

/* New tags are newer than all that they are held against, also where the sender's clock is
 * ahead of ours: all peers choose the same ones. */
static void put_stamp_after(struct lia_txn *txn, uint64_t hlc)
{
    uint64_t newest = hlc > txn->state.hlc ? hlc : txn->state.hlc;

    if (txn->stamp.hlc <= newest) {
        txn->stamp.hlc = lia_hlc_next(newest, lia_db_wall(txn->db));
    }
}

/* What a segment says of an actor that is in doubt is joined whatever the vector says, and
 * re-tagged: others may believe of their vectors, or of their marks, that they have it. What
 * brings nothing new needs no tag: what is held already is lia_db_mend's. */
static liana_status heal(struct lia_applying *a,
                         const struct lia_offered *offered,
                         struct liana_slice segment,
                         const struct lia_watch *watch,
                         struct lia_doc *out,
                         struct liana_error *err)
{
    const struct lia_retag nothing = {.beyond = UINT64_MAX};
    const struct lia_doubts *doubts = &a->db->doubts;
    const struct lia_watch doubting = {watch->lost, watch->ctx, doubts->items,
                                       doubts->count};
    struct lia_doc doc = offered->row.doc;
    struct lia_doc_info known = {0};
    struct lia_txn *txn = a->txn;
    liana_status status = lia_doc_heal_watched(&txn->scratch, doc, segment, &nothing,
                                               &doubting, out, err);

    if (status || is_same_doc(*out, doc)) {
        *out = status ? *out : doc;
        return status;
    }
    status = lia_err_plain(err, lia_doc_info(&txn->scratch, doc.clock, &known));
    put_stamp_after(txn, lia_vector_max_hlc(offered->segment.to));
    for (size_t i = 0; i < doubts->count && !status; i++) {
        const struct lia_retag how = {doubts->items[i].actor, doubts->items[i].beyond,
                                      txn->stamp};

        status = lia_retag(&txn->scratch, *out, &how,
                           lia_vector_get(known.vector, how.actor), out, err);
    }
    txn->is_own = true;
    txn->options.origin = 0; /* the sender gets the new tags, too */
    return status;
}

static liana_status join(struct lia_applying *a,
                         const struct lia_offered *offered,
                         struct liana_slice segment,
                         const struct lia_watch *watch,
                         struct lia_doc *out,
                         struct liana_error *err)
{
    const struct lia_watch doubting = {watch->lost, watch->ctx, a->past.items,
                                       a->past.count};

    return lia_doubts_touch(&a->db->doubts, offered->segment.to)
               ? heal(a, offered, segment, watch, out, err)
               : lia_doc_merge_watched(&a->txn->scratch, offered->row.doc, segment,
                                       &doubting, out, err);
}

static bool is_same_clock(struct lia_doc a, struct lia_doc b)
{
    return a.clock.ptr == b.clock.ptr && a.clock.len == b.clock.len;
}

/* What the merge has discarded, and let in. */
static liana_status tell(struct lia_applying *a,
                         const struct lia_batch_item *item,
                         struct lia_doc before,
                         struct lia_doc merged,
                         struct lia_notes *notes,
                         struct liana_error *err)
{
    const struct lia_noted_of of = {item->key.collection, item->key.key,
                                    merged.body.len ? merged.body : before.body};
    liana_status status = LIANA_OK;

    if (!is_same_clock(merged, before)) {
        status = lia_breaches_note(a->txn, a->batch, &of, before, merged, notes, err);
    }
    return status ? status : lia_conflicts_put(a->txn, &of, notes, err);
}

/* ---- what was left alone, and counts as held ---- */

struct lia_refused {
    struct lia_refused *next;
    struct lia_key key;
    struct lia_vector to;
};

/* A gap asks for the whole copy, which may be one that is refused: what it reaches needs no
 * filling any more. */
static liana_status note_refused(struct lia_applying *a,
                                 const struct lia_batch_item *item,
                                 struct lia_vector to)
{
    struct lia_arena *arena = &a->txn->arena;
    struct lia_refused *r = LIA_ARENA_NEW(arena, struct lia_refused);
    struct liana_slice name;

    if (!r || !lia_arena_copy(arena, lia_str_slice(item->key.collection), &name) ||
        !lia_arena_copy(arena, item->key.key, &r->key.key) ||
        lia_vector_join(arena, to, (struct lia_vector){0}, &r->to)) {
        return LIANA_ENOMEM;
    }
    r->key.collection = lia_slice_str(name);
    r->next = a->refused;
    a->refused = r;
    return LIANA_OK;
}

static bool is_refused(const struct lia_applying *a,
                       const struct lia_batch_item *item,
                       struct lia_vector to)
{
    const struct lia_refused *r = a->refused;

    while (r &&
           !(lia_str_equal(r->key.collection, item->key.collection) &&
             lia_slice_equal(r->key.key, item->key.key) && lia_vector_geq(r->to, to))) {
        r = r->next;
    }
    return r;
}

/* ---- one item ---- */

/* The row becomes what the two have in common. */
static liana_status take(struct lia_applying *a,
                         const struct lia_batch_item *item,
                         const struct lia_offered *offered,
                         struct lia_apply_result *out,
                         struct liana_error *err)
{
    struct lia_txn *txn = a->txn;
    struct lia_doc merged = {0};
    struct lia_doc_info info = {0};
    struct lia_notes notes;
    const struct lia_watch watch = lia_notes_init(&notes, a->db, &txn->scratch);
    liana_status status = join(a, offered, item->segment, &watch, &merged, err);

    if (status == LIANA_EGAP && is_refused(a, item, offered->segment.to)) {
        out->kind = LIA_APPLY_UNCHANGED;
        return LIANA_OK;
    }
    if (status == LIANA_EGAP) {
        status = lia_owe_more(a, item, offered->segment.to, out, err);
        return status == LIANA_EEND ? meet_gap(a, offered->row.doc.clock, out) : status;
    }
    if (status == LIANA_ETOOLARGE) {
        return lia_owe(a, item, offered->segment.to, status, out, NULL);
    }
    if (!status) {
        status = lia_err_plain(err, lia_doc_info(&txn->scratch, merged.clock, &info));
    }
    if (status) {
        return status;
    }
    if (is_same_clock(merged, offered->row.doc)) {
        out->kind = LIA_APPLY_UNCHANGED;
    } else {
        out->kind = LIA_APPLY_APPLIED;
        status = put(a, item, &offered->row, merged,
                     lia_vector_max_hlc(offered->segment.to), err);
    }
    if (!status) {
        status = tell(a, item, offered->row.doc, merged, &notes, err);
    }
    if (!status) {
        status = lia_verdict_follow(&a->verdicts, a->batch->peer, &item->key, offered,
                                    merged, &info, err);
    }
    return status ? status : lia_owed_pay(a, &item->key, info.vector, err);
}

/* What the actor has written is here: a row that goes takes the actor with it (drop.c). So
 * who has more of a document under it has it from another history. */
static liana_status check_own(struct lia_applying *a,
                              struct lia_vector to,
                              struct lia_doc doc,
                              struct liana_error *err)
{
    uint64_t actor = a->txn->stamp.actor;
    uint64_t theirs = lia_vector_get(to, actor);
    struct lia_doc_info own = {0};
    liana_status status = LIANA_OK;

    if (theirs) {
        status = lia_doc_info(&a->txn->scratch, doc.clock, &own);
    }
    if (!status && theirs > lia_vector_get(own.vector, actor)) {
        status = LIANA_ERENEWED;
    }
    return lia_err_plain(err, status);
}

static liana_status merge(struct lia_applying *a,
                          const struct lia_batch_item *item,
                          const struct lia_segment_info *segment,
                          struct lia_apply_result *out,
                          struct liana_error *err)
{
    struct lia_txn *txn = a->txn;
    const struct lia_coll *coll = lia_coll_within(txn, item->key.collection);
    struct lia_offered offered = {.segment = *segment};
    liana_status status = LIANA_OK;

    if (coll) {
        status = lia_row_get(txn->conn, coll, item->key.key, &txn->scratch,
                             &offered.row, err);
    }
    if (!status) {
        status = check_own(a, segment->to, offered.row.doc, err);
    }
    if (!status) {
        status = lia_verdict_judge(&a->verdicts, &item->key, &offered, err);
    }
    if (!status && offered.answer == LIA_OFFER_REFUSE) {
        out->kind = LIA_APPLY_UNCHANGED;
        status = a->gaps.len ? lia_err_plain(err, note_refused(a, item, segment->to))
                             : LIANA_OK;
        return status ? status : lia_owed_pay(a, &item->key, segment->to, err);
    }
    return status ? status : take(a, item, &offered, out, err);
}

liana_status lia_apply_item(struct lia_applying *a,
                            const struct lia_batch_item *item,
                            struct lia_apply_result *out,
                            struct liana_error *err)
{
    struct liana_error why = LIANA_ERROR_INIT;
    struct lia_segment_info info;
    liana_status status;

    *out = (struct lia_apply_result){.kind = LIA_APPLY_APPLIED};
    lia_arena_reset(&a->txn->scratch);
    status = lia_segment_info(&a->txn->scratch, item->segment, &info, &why);
    if (!status) {
        status =
            lia_hlc_ms(lia_vector_max_hlc(info.to)) > a->latest_ms && !LIA_MUTANT(214)
                ? lia_owe(a, item, info.to, LIANA_ECLOCK, out, &why)
                : merge(a, item, &info, out, &why);
    }
    if (!status && item->is_answer && out->kind != LIA_APPLY_GAP) {
        status = lia_owed_answered(a, item, info.to, out, &why);
    }
    out->key = item->key;
    if (status && err && !err->status) {
        LIA_IGNORE(lia_err_plain(&why, status)); /* gives it a text */
        *err = why;
        lia_err_prefix(err, "document of %.*s", LIA_STR_ARG(item->key.collection));
    }
    return status;
}
