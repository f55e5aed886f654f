/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/reader.h"
#include "db/internal.h"

/*
 * Another history of this store, held against our own (docs/adr/0012).
 *
 *     ours     1 -- 2 -- 3 -- 4' -- 5'          openings, each an epoch with an actor
 *     other              \-- 4 -- 5             as far as we are told: 5, 4, 3
 *
 * They parted in or after the newest opening that both know: at the least of the two
 * stamps at which it ended in either. Its actor is in doubt beyond that stamp if both
 * have gone on stamping with it. What we are not told (the list has gaps) is taken for
 * the worst: an earlier parting costs bytes, a later one would cost data.
 */

/* Which openings are told, counted back from the newest. */
static const unsigned TOLD[LIA_OPENINGS_TOLD] = {0, 1, 2, 8, 64};

/* ---- our own openings ---- */

/* An opening, and how it ended: where the next one began, or where the store is now. */
struct span {
    uint64_t n;
    uint64_t actor;
    uint64_t first_seq;
    uint64_t last_seq;
    uint64_t last_own;
    bool has_ended;
};

static liana_status find_span(struct lia_conn *conn,
                              uint64_t epoch,
                              struct span *out,
                              struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn,
        lia_str("SELECT e.n, e.actor, e.seq, coalesce(f.seq, s.seq), "
                "coalesce(f.own, s.own), f.n IS NOT NULL FROM state s, epoch e "
                "LEFT JOIN epoch f ON f.n = e.n + 1 WHERE e.epoch = ?1"),
        &stmt, err);

    if (status) {
        return status;
    }
    lia_bind_u64(stmt, 1, epoch);
    status = lia_conn_step(conn, stmt, err);
    if (!status) {
        *out = (struct span){lia_column_u64(stmt, 0), lia_column_u64(stmt, 1),
                             lia_column_u64(stmt, 2), lia_column_u64(stmt, 3),
                             lia_column_u64(stmt, 4), lia_column_u64(stmt, 5)};
    }
    lia_conn_done(conn, stmt);
    return status;
}

/* One number of a query with up to two numbers. */
static liana_status ask(struct lia_conn *conn,
                        const char *sql,
                        uint64_t first,
                        uint64_t second,
                        uint64_t *out,
                        struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(conn, lia_str(sql), &stmt, err);

    if (status) {
        return status;
    }
    for (int at = 1; at <= sqlite3_bind_parameter_count(stmt); at++) {
        lia_bind_u64(stmt, at, at == 1 ? first : second);
    }
    status = lia_conn_step(conn, stmt, err);
    if (!status) {
        *out = lia_column_u64(stmt, 0);
    }
    lia_conn_done(conn, stmt);
    return status;
}

/* ---- comparing ---- */

static bool names(const struct lia_seen *other, uint64_t actor, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (other->openings[i].actor == actor) {
            return true;
        }
    }
    return false;
}

/* Whether the openings before `count` follow each other, with none left out. */
static bool has_gaps(const struct lia_seen *other, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (other->openings[i - 1].n != other->openings[i].n + 1) {
            return true;
        }
    }
    return false;
}

/* Nothing in common is known: all of our actor's, if it is the other's too. Epochs that
 * are older than all that are kept here prove nothing. */
static liana_status compare_strangers(struct lia_conn *conn,
                                      const struct lia_seen *other,
                                      struct lia_fork *out,
                                      struct liana_error *err)
{
    uint64_t actor = 0;
    uint64_t forgotten = 0;
    liana_status status = ask(conn, "SELECT actor FROM state", 0, 0, &actor, err);

    if (!status) {
        status = ask(conn,
                     "SELECT coalesce(min(n) > 1 AND (SELECT seq FROM epoch ORDER BY n "
                     "LIMIT 1) >= ?1, 0) FROM epoch",
                     other->seq, 0, &forgotten, err);
    }
    if (!status && !forgotten &&
        (names(other, actor, other->opening_count) || other->stamp.actor == actor)) {
        *out = (struct lia_fork){.is_one = true, .doubt = {actor, 0}};
    }
    return status;
}

/* Where the newest common opening ended in the other history, and whether that went on
 * stamping with its actor beyond `stamp`. */
static bool went_on(const struct lia_seen *other,
                    size_t common,
                    const struct span *ours,
                    uint64_t theirs,
                    uint64_t stamp)
{
    if (common == 0) {
        return theirs > stamp || other->seq > ours->last_seq;
    }
    return theirs > stamp || has_gaps(other, common + 1) ||
           names(other, ours->actor, common);
}

/* The last stamp of the common opening's actor before that opening: a gap hides how long
 * it lasted. */
static liana_status stamp_before(struct lia_conn *conn,
                                 const struct span *ours,
                                 uint64_t *out,
                                 struct liana_error *err)
{
    return ask(
        conn,
        "SELECT coalesce((SELECT e.own FROM epoch e JOIN epoch p ON p.n = e.n - 1 "
        "WHERE e.n = ?1 AND p.actor = ?2), 0)",
        ours->n, ours->actor, out, err);
}

static liana_status compare_from(struct lia_conn *conn,
                                 const struct lia_seen *other,
                                 size_t common,
                                 const struct span *ours,
                                 struct lia_fork *out,
                                 struct liana_error *err)
{
    bool is_next_told =
        common > 0 && other->openings[common - 1].n == other->openings[common].n + 1;
    uint64_t theirs = common == 0 ? other->stamp.hlc : 0;
    uint64_t stamp = ours->last_own;
    uint64_t goes_on = 0;
    liana_status status = LIANA_OK;

    if (other->openings[common].actor != ours->actor) {
        return LIANA_OK; /* since then it was renewed: the old one stamps no more here */
    }
    if (common == 0 && other->stamp.actor != ours->actor) {
        theirs = 0;
    }
    if (is_next_told) {
        theirs = other->openings[common - 1].own;
        stamp = theirs < stamp ? theirs : stamp;
    } else if (common > 0) {
        status = stamp_before(conn, ours, &stamp, err);
    }
    if (!status) {
        status =
            ask(conn, "SELECT EXISTS (SELECT 1 FROM epoch WHERE n > ?1 AND actor = ?2)",
                ours->n, ours->actor, &goes_on, err);
    }
    if (status) {
        return status;
    }
    out->is_one = (goes_on || ours->last_own > stamp) &&
                  went_on(other, common, ours, theirs, stamp);
    out->doubt = (struct lia_doubt){ours->actor, stamp};
    out->seq = stamp == ours->last_own ? ours->last_seq : ours->first_seq;
    return LIANA_OK;
}

liana_status lia_history_compare(struct lia_conn *conn,
                                 const struct lia_seen *other,
                                 struct lia_fork *out,
                                 struct liana_error *err)
{
    *out = (struct lia_fork){0};
    for (size_t i = 0; i < other->opening_count; i++) {
        struct span ours;
        liana_status status = find_span(conn, other->openings[i].epoch, &ours, err);

        if (!status) {
            /* The running one cannot have gone further than it is. */
            return i == 0 && !ours.has_ended
                       ? LIANA_OK
                       : compare_from(conn, other, i, &ours, out, err);
        }
        if (status != LIANA_EEND) {
            return status;
        }
    }
    return other->opening_count ? compare_strangers(conn, other, out, err) : LIANA_OK;
}

liana_status lia_history_confirm(struct lia_conn *conn,
                                 const struct lia_seen *other,
                                 enum lia_confirmed *out,
                                 struct liana_error *err)
{
    struct span ours;
    liana_status status = find_span(conn, other->epoch, &ours, err);
    bool is_beyond =
        !status && (other->seq > ours.last_seq || (other->stamp.actor == ours.actor &&
                                                   other->stamp.hlc > ours.last_own));

    *out = status      ? LIA_CONFIRMED_NOTHING
           : is_beyond ? LIA_CONFIRMED_ANOTHER
                       : LIA_CONFIRMED_ONE;
    return status == LIANA_EEND ? LIANA_OK : status;
}

/* ---- what is told ---- */

static liana_status read_openings(struct lia_conn *conn,
                                  struct lia_opening *out,
                                  size_t *out_count,
                                  struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    size_t count = 0;
    liana_status status =
        lia_conn_prepare(conn,
                         lia_str("SELECT n, epoch, actor, own FROM epoch WHERE n = "
                                 "(SELECT max(n) FROM epoch) - ?1"),
                         &stmt, err);

    for (size_t i = 0; i < LIA_OPENINGS_TOLD && !status; i++) {
        lia_bind_u64(stmt, 1, TOLD[i]);
        status = lia_conn_step(conn, stmt, err);
        if (!status) {
            out[count++] =
                (struct lia_opening){lia_column_u64(stmt, 0), lia_column_u64(stmt, 1),
                                     lia_column_u64(stmt, 2), lia_column_u64(stmt, 3)};
        }
        if (!status || status == LIANA_EEND) {
            status = LIANA_OK;
            sqlite3_reset(stmt);
        }
    }
    lia_conn_done(conn, stmt);
    *out_count = count;
    return status;
}

liana_status lia_db_openings(struct lia_db *db,
                             struct lia_opening out[LIA_OPENINGS_TOLD],
                             size_t *out_count,
                             struct liana_error *err)
{
    struct lia_conn *conn;
    liana_status status = lia_store_read_begin(db->store, &conn, err);

    if (status) {
        return status;
    }
    status = read_openings(conn, out, out_count, err);
    lia_store_read_end(db->store, conn);
    return status;
}

/* ---- bytes: per opening n, own (varints), epoch, actor ---- */

void lia_openings_encode(struct lia_buf *out, const struct lia_seen *seen)
{
    for (size_t i = 0; i < seen->opening_count; i++) {
        lia_buf_varint(out, seen->openings[i].n);
        lia_buf_varint(out, seen->openings[i].own);
        lia_buf_u64(out, seen->openings[i].epoch);
        lia_buf_u64(out, seen->openings[i].actor);
    }
}

liana_status lia_openings_decode(struct liana_slice bytes, struct lia_seen *out)
{
    struct lia_reader r = lia_reader(bytes);

    out->opening_count = 0;
    while (lia_reader_left(&r) && !r.failed && out->opening_count < LIA_OPENINGS_TOLD) {
        struct lia_opening *o = &out->openings[out->opening_count++];

        o->n = lia_reader_varint(&r);
        o->own = lia_reader_varint(&r);
        o->epoch = lia_reader_u64(&r);
        o->actor = lia_reader_u64(&r);
    }
    return r.failed || lia_reader_left(&r) ? LIANA_ECORRUPT : LIANA_OK;
}
