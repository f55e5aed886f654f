/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a peer has become what it was before (history.c, from the other side). What it
 * stamped after it was copied stays with those who saw it; what it stamps now, under the same
 * name, has not seen that, whatever its vectors say. Its own store mends that; here it only
 * matters for what is told to be lost.
 */
#include "db/internal.h"

/* Of the openings of now, the one that was known then and is the newest; false: there is
 * none. */
static bool find_common(const struct lia_seen *then,
                        const struct lia_seen *now,
                        size_t *out_now)
{
    for (size_t i = 0; i < then->opening_count; i++) {
        for (size_t k = 0; k < now->opening_count; k++) {
            if (then->openings[i].epoch == now->openings[k].epoch) {
                *out_now = k;
                return true;
            }
        }
    }
    return false;
}

/* Where the opening ended: UINT64_MAX if it had not, or that is not told. */
static uint64_t end_of(const struct lia_seen *seen, size_t opening)
{
    bool is_told =
        opening > 0 && seen->openings[opening - 1].n == seen->openings[opening].n + 1;

    return is_told ? seen->openings[opening - 1].own : UINT64_MAX;
}

/* What of the peer as it was then the peer as it is now has never seen. */
static bool find_doubt(const struct lia_seen *then,
                       const struct lia_seen *now,
                       struct lia_doubt *out)
{
    uint64_t actor;
    uint64_t end;
    size_t k;

    if (!find_common(then, now, &k) || k == 0) {
        return false;
    }
    actor = now->openings[k].actor;
    end = end_of(now, k);
    *out = (struct lia_doubt){actor, end};
    return then->stamp.actor == actor && then->stamp.hlc > end;
}

static liana_status take_row(sqlite3_stmt *stmt,
                             const struct lia_seen *now,
                             struct lia_doubts *out)
{
    struct lia_seen then = {
        .stamp = {lia_column_u64(stmt, 0), lia_column_u64(stmt, 1)}};
    struct lia_doubt doubt;
    liana_status status = lia_openings_decode(lia_column_slice(stmt, 2), &then);

    if (!status && out->count < LIA_DOUBTS_MAX && find_doubt(&then, now, &doubt)) {
        out->items[out->count++] = doubt;
    }
    return status;
}

liana_status lia_peer_history(struct lia_conn *conn,
                              struct liana_slice peer,
                              const struct lia_seen *now,
                              struct lia_doubts *out,
                              struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn, lia_str("SELECT hlc, actor, openings FROM seen WHERE peer = ?1"), &stmt,
        err);

    out->count = 0;
    if (!status) {
        lia_bind_slice(stmt, 1, peer);
    }
    while (!status) {
        status = lia_conn_step(conn, stmt, err);
        if (!status) {
            status = lia_err_plain(err, take_row(stmt, now, out));
        }
    }
    lia_conn_done(conn, stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}
