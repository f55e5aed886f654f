/* SPDX-License-Identifier: Apache-2.0 */
#include "db/internal.h"

/* The earliest that it can be: nobody built this library, or committed here, later. A
 * stamp may be ahead of its writer's clock by what the guard lets through. */
static uint64_t earliest_ms(const struct lia_db *db)
{
    uint64_t last_ms = lia_hlc_ms(db->state.hlc);
    uint64_t commit_ms =
        last_ms > LIA_CLOCK_AHEAD_MS_MAX ? last_ms - LIA_CLOCK_AHEAD_MS_MAX : 0;

    return commit_ms > db->time_floor_ms ? commit_ms : db->time_floor_ms;
}

bool lia_db_now(struct lia_db *db, uint64_t *out_ms)
{
    uint64_t wall = db->env->wall_ms(db->env->ctx);
    uint64_t earliest;
    bool is_known;

    lia_mutex_lock(&db->mutex);
    earliest = earliest_ms(db);
    is_known = wall >= earliest;
    if (!is_known && db->has_peer_time) {
        wall += db->peer_time_ahead_ms;
        is_known = wall >= earliest;
    }
    lia_mutex_unlock(&db->mutex);
    *out_ms = is_known ? wall : earliest;
    return is_known;
}

uint64_t lia_db_wall(struct lia_db *db)
{
    uint64_t ms;

    LIA_IGNORE(lia_db_now(db, &ms)); /* unknown: it is the least that it can be */
    return ms;
}

void lia_db_time_from_peer(struct lia_db *db, uint64_t peer_ms)
{
    uint64_t wall = db->env->wall_ms(db->env->ctx);

    lia_mutex_lock(&db->mutex);
    if (!db->has_peer_time && wall < earliest_ms(db) && peer_ms > wall) {
        db->has_peer_time = true;
        db->peer_time_ahead_ms = peer_ms - wall;
    }
    lia_mutex_unlock(&db->mutex);
}
