/* SPDX-License-Identifier: Apache-2.0 */
#include "peer/internal.h"

static const struct lia_peer_link *live_link(const struct lia_peer *peer,
                                             const struct lia_remote *remote)
{
    const struct lia_peer_link *link = peer->links;

    while (link && (link->remote != remote || link->is_closed || !link->is_greeted)) {
        link = link->next;
    }
    return link;
}

static void report_peer(const struct lia_peer *peer,
                        const struct lia_remote *remote,
                        struct lia_peer_status *out)
{
    const struct lia_peer_link *link = live_link(peer, remote);
    struct lia_session_stats now = {0};

    if (link) {
        now = lia_session_stats(link->session);
        out->is_connected = true;
        out->link = link->id;
    }
    memcpy(out->remote, remote->id, LIA_PEER_ID_BYTES);
    out->name = (struct liana_str){remote->name, remote->name_len};
    out->acked = remote->acked;
    out->seen = remote->seen;
    out->docs_in = remote->past.docs_in + now.docs_in;
    out->docs_out = remote->past.docs_out + now.docs_out;
    out->wire_in = remote->past.wire_in + now.wire_in;
    out->wire_out = remote->past.wire_out + now.wire_out;
    out->payload_in = remote->past.payload_in + now.payload_in;
    out->payload_out = remote->past.payload_out + now.payload_out;
    out->last_contact_ms = now.last_heard_ms > remote->past.last_heard_ms
                               ? now.last_heard_ms
                               : remote->past.last_heard_ms;
    out->error = remote->error;
}

static liana_status report_peers(const struct lia_peer *peer,
                                 struct lia_arena *arena,
                                 struct lia_peer_report *out)
{
    struct lia_peer_status *peers;
    size_t count = 0;

    for (const struct lia_remote *r = peer->remotes; r; r = r->next) {
        count++;
    }
    peers = lia_arena_array(arena, count, sizeof(*peers));
    if (!peers) {
        return LIANA_ENOMEM;
    }
    for (const struct lia_remote *r = peer->remotes; r; r = r->next) {
        struct liana_slice name;

        report_peer(peer, r, &peers[out->peer_count]);
        if (!lia_arena_copy(arena, lia_str_slice(peers[out->peer_count].name), &name)) {
            return LIANA_ENOMEM;
        }
        peers[out->peer_count++].name = lia_slice_str(name);
    }
    out->peers = peers;
    return LIANA_OK;
}

static liana_status report_subscriptions(const struct lia_peer *peer,
                                         struct lia_arena *arena,
                                         struct lia_peer_report *out)
{
    struct lia_subscription_status *subs;
    size_t count = 0;

    for (const struct lia_user *u = peer->users; u; u = u->next) {
        count++;
    }
    subs = lia_arena_array(arena, count, sizeof(*subs));
    if (!subs) {
        return LIANA_ENOMEM;
    }
    for (const struct lia_user *u = peer->users; u; u = u->next) {
        struct lia_subscription_status *s = &subs[out->subscription_count++];
        struct lia_topic topic;

        if (lia_topic_copy(arena, u->want->topic, &topic)) {
            return LIANA_ENOMEM;
        }
        s->id = u->id;
        s->collection = topic.collection;
        s->query = topic.query;
        s->have = u->want->have;
        s->expected = u->want->expected;
        s->is_up_to_date = u->want->is_up_to_date;
        memcpy(s->remote, u->want->remote, LIA_PEER_ID_BYTES);
        s->seq = u->want->seq;
    }
    out->subscriptions = subs;
    return LIANA_OK;
}

liana_status lia_peer_report(struct lia_peer *peer,
                             struct lia_arena *arena,
                             struct lia_peer_report *out)
{
    struct lia_peer_report report = {.memory_bytes = peer->recent.bytes};
    liana_status status = report_peers(peer, arena, &report);

    if (!status) {
        status = report_subscriptions(peer, arena, &report);
    }
    for (const struct lia_peer_link *link = peer->links; link && !status;
         link = link->next) {
        report.session_count += !link->is_closed;
        report.memory_bytes += lia_session_memory(link->session);
    }
    if (!status) {
        *out = report;
    }
    return status;
}
