/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/mutant.h"
#include "db/conflicts.h"
#include "db/internal.h"
#include "db/schema.h"

/*
 * What a store does with a copy that it is offered, by what it remembers of copies that it
 * dropped (crdt/keep.h, "receiving"). The rules are there; here is what they are asked
 * about, and what their answers mean for the rows.
 */

struct lia_verdict {
    struct lia_verdict *older;
    const struct lia_coll *coll;
    struct liana_slice key;
    struct lia_stamp deleted;
    enum lia_delete_mode mode;
};

/* Nobody has to be asked about a life that the row knows of. */
static bool is_known(const struct lia_doc_info *held,
                     const struct lia_segment_info *segment)
{
    return held->vector.count && lia_stamp_cmp(held->created, segment->created) >= 0;
}

liana_status lia_verdict_judge(struct lia_verdicts *v,
                               const struct lia_key *key,
                               struct lia_offered *offered,
                               struct liana_error *err)
{
    const struct lia_segment_info *segment = &offered->segment;
    struct lia_copy held = {0};
    const struct lia_copy copy = {
        .info = {.created = segment->created,
                 .created_tag = segment->created_tag,
                 .deleted = segment->deleted,
                 .withdrawn = segment->withdrawn,
                 .vector = segment->to,
                 .exists = !lia_stamp_is_none(segment->created)},
        .newest = segment->created,
    };
    const struct lia_schema *schema;
    struct lia_keeping *keeping;
    liana_status status = lia_err_plain(
        err, lia_doc_info(&v->txn->scratch, offered->row.doc.clock, &held.info));

    offered->answer = LIA_OFFER_TAKE;
    if (status || is_known(&held.info, segment)) {
        return status;
    }
    status = lia_txn_keeping(v->txn, key->collection, &keeping, err);
    if (!status) {
        status = lia_txn_schema(v->txn, key->collection, &schema, err);
    }
    if (!status) {
        offered->mode = schema->options.deletes == LIA_UPDATES_WIN ? LIA_UPDATE_WINS
                                                                   : LIA_DELETE_WINS;
        held.newest = held.info.created;
        offered->answer = lia_keep_judge(&keeping->keep, &held, &copy, offered->mode,
                                         &offered->deleted);
    }
    return status;
}

static liana_status note(struct lia_verdicts *v,
                         const struct lia_coll *coll,
                         struct liana_slice key,
                         enum lia_delete_mode mode,
                         struct lia_stamp deleted,
                         struct liana_error *err)
{
    struct lia_verdict *verdict = LIA_ARENA_NEW(&v->txn->arena, struct lia_verdict);

    if (!verdict || !lia_arena_copy(&v->txn->arena, key, &verdict->key)) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    verdict->coll = coll;
    verdict->mode = mode;
    verdict->deleted = deleted;
    verdict->older = v->last;
    v->last = verdict;
    return LIANA_OK;
}

/* Where updates win, a delete has to reach the newest of them, which the whole copy tells. */
static liana_status bury(struct lia_verdicts *v,
                         const struct lia_coll *coll,
                         struct liana_slice key,
                         const struct lia_offered *offered,
                         struct lia_doc merged,
                         struct liana_error *err)
{
    struct lia_stamp deleted = offered->deleted;
    liana_status status = LIANA_OK;

    if (offered->mode == LIA_UPDATE_WINS) {
        status = lia_doc_newest(&v->txn->scratch, merged, &deleted, err);
    }
    return status ? status : note(v, coll, key, offered->mode, deleted, err);
}

/* What came of lives before the one that the document shows: under that one's name what was deleted
 * would come back. */
static liana_status bury_remains(struct lia_verdicts *v,
                                 const struct lia_coll *coll,
                                 struct liana_slice key,
                                 const struct lia_offered *offered,
                                 struct lia_doc merged,
                                 struct liana_error *err)
{
    struct lia_arena *scratch = &v->txn->scratch;
    struct lia_stamp deleted = LIA_STAMP_NONE;
    const struct lia_schema *schema;
    const struct lia_life *lives;
    struct lia_keeping *keeping;
    struct lia_doc_info held;
    size_t count;
    liana_status status = lia_txn_schema(v->txn, coll->pub.name, &schema, err);

    if (status || schema->options.deletes == LIA_UPDATES_WIN) {
        return status;
    }
    status = lia_doc_lives(scratch, merged, &lives, &count, err);
    if (status || !count) {
        return status;
    }
    status = lia_err_plain(err, lia_doc_info(scratch, offered->row.doc.clock, &held));
    if (!status) {
        status = lia_txn_keeping(v->txn, coll->pub.name, &keeping, err);
    }
    if (!status) {
        deleted = lia_keep_remains(&keeping->keep, held.vector, lives, count);
    }
    return status || lia_stamp_is_none(deleted)
               ? status
               : note(v, coll, key, LIA_DELETE_WINS, deleted, err);
}

/* A peer with a query learns of what it showed and what is not in its query here: no commit
 * took it out, and the row may stand before the peer's place in the feed. */
static liana_status tell_peer(struct lia_verdicts *v,
                              struct liana_slice peer,
                              const struct lia_coll *coll,
                              struct liana_slice key,
                              struct liana_slice body,
                              struct liana_error *err)
{
    bool is_told = false;
    liana_status status = lia_reg_tell(v->txn, peer, coll, key, body, &is_told, err);

    return status || !is_told ? status : lia_row_touch(v->txn, coll, key, err);
}

/* Peers with a query may hold it from when it was here before. */
static liana_status tell_all(struct lia_verdicts *v,
                             const struct lia_coll *coll,
                             struct liana_slice key,
                             struct lia_doc merged,
                             const struct lia_doc_info *info,
                             struct liana_error *err)
{
    struct lia_keeping *keeping;
    bool is_told = false;
    bool was_here = false;
    liana_status status = lia_txn_keeping(v->txn, coll->pub.name, &keeping, err);

    for (size_t i = 0; i < info->vector.count && !status; i++) {
        was_here = was_here || lia_vector_get(keeping->keep.evicted,
                                              info->vector.entries[i].actor) > 0;
    }
    return was_here ? lia_reg_tell(v->txn, lia_slice(NULL, 0), coll, key, merged.body,
                                   &is_told, err)
                    : status;
}

liana_status lia_verdict_follow(struct lia_verdicts *v,
                                struct liana_slice peer,
                                const struct lia_key *key,
                                const struct lia_offered *offered,
                                struct lia_doc merged,
                                const struct lia_doc_info *info,
                                struct liana_error *err)
{
    const struct lia_coll *coll = lia_coll_within(v->txn, key->collection);
    bool is_buried = offered->answer == LIA_OFFER_BURY && info->exists;
    bool has_more = !lia_vector_geq(offered->segment.to, info->vector);
    bool is_begun_anew = coll && info->exists && info->oldest < info->created.hlc;
    liana_status status = LIANA_OK;

    if (is_buried) {
        status = bury(v, coll, key->key, offered, merged, err);
    } else if (is_begun_anew && !LIA_MUTANT(229)) {
        status = bury_remains(v, coll, key->key, offered, merged, err);
    }
    /* What is here from before, the peer may have forgotten: it is told like others. */
    if (is_begun_anew && has_more && !LIA_MUTANT(230)) {
        v->txn->options.origin = 0;
    }
    if (!status && coll && !offered->row.seq && v->txn->db->predicate_count) {
        status = tell_all(v, coll, key->key, merged, info, err);
    }
    if (!status && (is_buried || has_more)) {
        status = tell_peer(v, peer, coll, key->key,
                           is_buried ? lia_slice(NULL, 0) : merged.body, err);
    }
    return status;
}

/* The delete that was forgotten had seen what was here. What came since is lost to it, and this
 * store is the one that joins the two. Where updates win nothing came, or there is no verdict. */
static liana_status tell_lost(struct lia_txn *txn,
                              const struct lia_verdict *verdict,
                              struct liana_error *err)
{
    const struct lia_collection *coll = &verdict->coll->pub;
    struct lia_keeping *keeping;
    struct lia_notes notes;
    const struct lia_watch watch = lia_notes_init(&notes, txn->db, &txn->scratch);
    struct lia_doc doc;
    liana_status status = lia_txn_get(txn, coll, verdict->key, &doc, err);

    if (!status) {
        status = lia_txn_keeping(txn, coll->name, &keeping, err);
    }
    if (!status) {
        status = lia_doc_voids(&txn->scratch, doc, verdict->deleted,
                               keeping->keep.marks, txn->stamp, &watch, err);
    }
    return status ? status
                  : lia_conflicts_put(
                        txn, &(struct lia_noted_of){coll->name, verdict->key, doc.body},
                        &notes, err);
}

static liana_status give(struct lia_txn *txn,
                         const struct lia_verdict *verdict,
                         struct liana_error *err)
{
    const struct lia_op op = {
        .kind = LIA_OP_DELETE, .mode = verdict->mode, .effect = verdict->deleted};
    liana_status status = LIANA_OK;

    lia_arena_reset(&txn->scratch);
    if (verdict->mode == LIA_DELETE_WINS && !LIA_MUTANT(231)) {
        status = tell_lost(txn, verdict, err);
    }
    return status ? status
                  : lia_txn_apply(txn, &verdict->coll->pub, verdict->key, &op, 1, NULL,
                                  err);
}

liana_status lia_verdicts_give(struct lia_verdicts *v, struct liana_error *err)
{
    struct lia_txn *txn = v->txn;
    liana_status status = LIANA_OK;

    if (LIA_MUTANT(201)) {
        return LIANA_OK;
    }
    if (v->last) {
        txn->stamp.hlc = lia_hlc_next(txn->state.hlc, lia_db_wall(txn->db));
    }
    for (const struct lia_verdict *at = v->last; at && !status; at = at->older) {
        status = give(txn, at, err);
    }
    return status;
}
