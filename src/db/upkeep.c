/* SPDX-License-Identifier: Apache-2.0 */
#include "db/internal.h"

static liana_status work(struct lia_txn *txn,
                         uint64_t *cursor,
                         struct lia_retain_walk *walk,
                         struct lia_upkeep *out,
                         struct liana_error *err)
{
    struct lia_upkeep retained = {0};
    liana_status status = lia_forget_some(txn, cursor, out, err);

    if (!status) {
        status = lia_retain_some(txn, walk, &retained, err);
    }
    out->looked_at += retained.looked_at;
    out->passed_over += retained.passed_over;
    out->evicted += retained.evicted;
    out->next_ms = retained.next_ms < out->next_ms ? retained.next_ms : out->next_ms;
    return status;
}

static bool is_round_over(const struct lia_retain_walk *walk)
{
    return walk->after == 0 && walk->n == 0 && !walk->is_unmatched;
}

/* Where the rounds stand. */
struct place {
    uint64_t cursor;
    struct lia_retain_walk walk;
};

static struct place place_of(struct lia_db *db)
{
    struct place place;

    lia_mutex_lock(&db->mutex);
    place = (struct place){db->forget_cursor, db->retain_walk};
    lia_mutex_unlock(&db->mutex);
    return place;
}

/* After the commit: what a round believes to be behind it, and is not, it would count as gone
 * and evict newer documents instead. */
static void publish(struct lia_db *db,
                    const struct place *place,
                    const struct lia_upkeep *done)
{
    const struct lia_retain_walk *walk = &place->walk;

    lia_mutex_lock(&db->mutex);
    db->forget_cursor = place->cursor;
    db->retain_walk = is_round_over(walk) ? (struct lia_retain_walk){0} : *walk;
    db->retention.evicted += done->evicted;
    if (is_round_over(walk)) {
        db->retention.waiting = walk->waiting;
    }
    lia_mutex_unlock(&db->mutex);
}

/* Nobody waits for it: what is lost with the power is done again. */
liana_status lia_db_upkeep(struct lia_db *db,
                           struct lia_upkeep *out,
                           struct liana_error *err)
{
    const struct lia_txn_options options = {
        .kind = LIA_WRITE, .wait_ms = LIA_WAIT_FOREVER, .durability = LIA_NORMAL};
    struct lia_upkeep done = {0};
    struct lia_txn *txn = NULL;
    struct place place;
    liana_status status = lia_txn_begin(db, &options, &txn, err);

    if (status) {
        return status;
    }
    place = place_of(db);
    status = work(txn, &place.cursor, &place.walk, &done, err);
    if (!status) {
        status = lia_age_note(txn, err);
    }
    if (status) {
        lia_txn_rollback(txn);
        return status;
    }
    status = lia_txn_commit(txn, NULL, err);
    if (!status) {
        publish(db, &place, &done);
        *out = done;
    }
    return status;
}

struct lia_retention_stats lia_db_retention_stats(struct lia_db *db)
{
    struct lia_retention_stats out;

    lia_mutex_lock(&db->mutex);
    out = db->retention;
    lia_mutex_unlock(&db->mutex);
    return out;
}
