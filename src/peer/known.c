/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "peer/internal.h"

void lia_known_init(struct lia_known *known, const struct liana_allocator *a)
{
    *known = (struct lia_known){.alloc = a};
}

void lia_known_deinit(struct lia_known *known)
{
    while (known->first) {
        struct lia_remote *next = known->first->next;

        lia_mem_free(known->alloc, known->first, sizeof(*known->first));
        known->first = next;
    }
}

struct lia_remote *lia_known_find(const struct lia_known *known,
                                  const uint8_t id[LIA_PEER_ID_BYTES])
{
    struct lia_remote *remote = known->first;

    while (remote && memcmp(remote->id, id, LIA_PEER_ID_BYTES) != 0) {
        remote = remote->next;
    }
    return remote;
}

struct lia_remote *lia_known_get(struct lia_known *known,
                                 const uint8_t id[LIA_PEER_ID_BYTES])
{
    struct lia_remote *remote = lia_known_find(known, id);

    if (!remote) {
        remote = lia_mem_zalloc(known->alloc, sizeof(*remote));
        if (!remote) {
            return NULL;
        }
        memcpy(remote->id, id, LIA_PEER_ID_BYTES);
        remote->next = known->first;
        known->first = remote;
    }
    /* Strangers are not kept without a link. */
    if (remote->links++ == 0 && remote->is_member) {
        known->away_count--;
    }
    return remote;
}

static void forget(struct lia_known *known, struct lia_remote *remote)
{
    struct lia_remote **at = &known->first;

    while (*at != remote) {
        at = &(*at)->next;
    }
    *at = remote->next;
    lia_mem_free(known->alloc, remote, sizeof(*remote));
}

/* Without a link, that is. */
static struct lia_remote *longest_gone(const struct lia_known *known)
{
    struct lia_remote *longest = NULL;

    for (struct lia_remote *r = known->first; r; r = r->next) {
        if (r->links == 0 && (!longest || r->down_at <= longest->down_at)) {
            longest = r; /* of equals the one that came first, which stands last */
        }
    }
    LIA_ASSERT(longest); /* there are too many */
    return longest;
}

/* A stranger leaves nothing behind, since keys are made faster than memory; members are
 * remembered, but not without end: devices come, and are replaced by others. */
void lia_known_release(struct lia_known *known, struct lia_remote *remote)
{
    if (!remote || --remote->links > 0) {
        return;
    }
    remote->is_up = false; /* also when the peer was freed with the link open */
    if (!remote->is_member) {
        forget(known, remote);
        return;
    }
    if (++known->away_count > LIA_KNOWN_AWAY_MAX) {
        forget(known, longest_gone(known));
        known->away_count--;
    }
}

/* ---- the report ---- */

static liana_status report_remote(const struct lia_remote *remote,
                                  struct lia_arena *arena,
                                  struct lia_peer_status *out)
{
    const struct lia_session_stats *past = &remote->past;
    struct liana_slice name;

    if (!lia_arena_copy(arena, lia_slice(remote->name, remote->name_len), &name)) {
        return LIANA_ENOMEM;
    }
    *out = (struct lia_peer_status){
        .name = lia_slice_str(name),
        .acked = remote->acked,
        .seen = remote->seen,
        .docs_in = past->docs_in,
        .docs_out = past->docs_out,
        .wire_in = remote->wire_in,
        .wire_out = remote->wire_out,
        .payload_in = past->payload_in,
        .payload_out = past->payload_out,
        .last_contact_ms = past->last_heard_ms,
        .clock_ahead_ms = remote->clock_ahead_ms,
        .error = remote->error,
    };
    memcpy(out->remote, remote->id, LIA_PEER_ID_BYTES);
    return LIANA_OK;
}

liana_status lia_known_report(const struct lia_known *known,
                              struct lia_arena *arena,
                              struct lia_peer_report *out)
{
    struct lia_peer_report report = {0};
    liana_status status = LIANA_OK;
    size_t count = 0;

    for (const struct lia_remote *r = known->first; r; r = r->next) {
        count += r->is_member;
    }
    report.peers = lia_arena_array(arena, count, sizeof(*report.peers));
    if (!report.peers) {
        return LIANA_ENOMEM;
    }
    for (const struct lia_remote *r = known->first; r && !status; r = r->next) {
        if (r->is_member) {
            status = report_remote(r, arena, &report.peers[report.peer_count++]);
        }
    }
    if (!status) {
        *out = report;
    }
    return status;
}
