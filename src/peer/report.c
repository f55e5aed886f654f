/* SPDX-License-Identifier: Apache-2.0 */
#include "peer/internal.h"

static struct lia_peer_status *find_status(const struct lia_peer_report *report,
                                           const struct lia_remote *remote)
{
    for (size_t i = 0; i < report->peer_count; i++) {
        if (memcmp(report->peers[i].remote, remote->id, LIA_PEER_ID_BYTES) == 0) {
            return &report->peers[i];
        }
    }
    return NULL;
}

static void add_link(const struct lia_peer_link *link, struct lia_peer_report *out)
{
    struct lia_session_stats now = lia_session_stats(link->session);
    struct lia_peer_status *peer = find_status(out, link->remote);

    if (peer && link->is_greeted) {
        peer->is_connected = true;
        peer->link = link->id;
        peer->docs_in += now.docs_in;
        peer->docs_out += now.docs_out;
        peer->payload_in += now.payload_in;
        peer->payload_out += now.payload_out;
        peer->last_contact_ms = now.last_heard_ms > peer->last_contact_ms
                                    ? now.last_heard_ms
                                    : peer->last_contact_ms;
    }
    out->session_count++;
    out->memory_bytes += lia_session_memory(link->session);
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
    struct lia_peer_report report;
    liana_status status = lia_known_report(peer->known, arena, &report);

    if (!status) {
        status = report_subscriptions(peer, arena, &report);
    }
    if (status) {
        return status;
    }
    report.memory_bytes += peer->recent.bytes;
    for (const struct lia_peer_link *link = peer->links; link; link = link->next) {
        if (!link->is_closed) {
            add_link(link, &report);
        }
    }
    *out = report;
    return LIANA_OK;
}
