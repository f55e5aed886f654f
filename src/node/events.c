/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens, told to the log and to the owner: one line and one event each. A session
 * that ends is told by the peer's DOWN, a link that never carried one by LINK_FAILED; an
 * address or a stranger that fails again and again is told as node/outage.h says.
 */
#include <stdio.h>

#include "node/internal.h"

/* A stranger that was not seen for so long is a new one. */
#define KNOCK_FORGOTTEN_MS 600000

static enum lia_log_level level_of(const struct lia_node_event *event)
{
    switch (event->kind) {
    case LIA_NODE_LINK_FAILED:
    case LIA_NODE_REFUSED: return LIA_LOG_WARN;
    case LIA_NODE_PEER_DOWN: return event->error.status ? LIA_LOG_WARN : LIA_LOG_INFO;
    default: return LIA_LOG_INFO;
    }
}

/* Its name, which others may have too, and the beginning of its id, which they have not. */
static void name_peer(const struct lia_node_event *event, char *out, size_t size)
{
    char id[LIA_PEER_ID_TEXT];

    lia_peer_id_text(event->remote, id);
    if (event->name.len > 0) {
        snprintf(out, size, "%.*s (%.8s)", LIA_STR_ARG(event->name), id);
    } else {
        snprintf(out, size, "%s", id);
    }
}

static void log_event(struct lia_node *node, const struct lia_node_event *event)
{
    enum lia_log_level level = level_of(event);
    const char *text = event->error.message;
    char peer[LIA_NAME_BYTES_MAX + LIA_PEER_ID_TEXT];

    name_peer(event, peer, sizeof(peer));
    switch (event->kind) {
    case LIA_NODE_PEER_UP:
        lia_log(node->env, level, "node", "peer %s is up%s%s", peer, *text ? " " : "",
                text);
        break;
    case LIA_NODE_PEER_DOWN:
        lia_log(node->env, level, "node", "peer %s %s: %s", peer,
                event->error.status ? "is down" : "left", text);
        break;
    case LIA_NODE_UP_TO_DATE:
        lia_log(node->env, level, "node", "up to date with peer %s", peer);
        break;
    case LIA_NODE_REFUSED:
        lia_log(node->env, level, "node", "refused a document of peer %s: %s", peer,
                text);
        break;
    case LIA_NODE_LINK_FAILED: lia_log(node->env, level, "node", "%s", text); break;
    case LIA_NODE_LISTENING:
        lia_log(node->env, level, "node", "listening on %s", event->address);
        break;
    case LIA_NODE_DIALING:
        lia_log(node->env, level, "node", "dialing %s", event->address);
        break;
    }
}

void lia_node_tell(struct lia_node *node, const struct lia_node_event *event)
{
    log_event(node, event);
    if (node->options.event) {
        node->options.event(node->options.event_ctx, event);
    }
}

/* ---- failures ---- */

static void name_address(struct liana_error *err, const char *address)
{
    if (!strstr(err->message, address)) {
        lia_err_prefix(err, "%s", address);
    }
}

static void add_history(const struct lia_outage *outage,
                        uint64_t now,
                        struct liana_error *err)
{
    size_t len = strlen(err->message);
    char time[LIA_DURATION_TEXT];

    if (outage->failures > 1) {
        lia_duration_text(lia_outage_ms(outage, now), time);
        snprintf(err->message + len, sizeof(err->message) - len, "; %u attempts in %s",
                 outage->failures, time);
    }
}

void lia_node_tell_failure(struct lia_node *node,
                           struct lia_outage *outage,
                           const char *address,
                           const struct liana_error *why)
{
    struct lia_node_event event = {
        .kind = LIA_NODE_LINK_FAILED, .address = address, .error = *why};
    uint64_t now = lia_node_now(node);

    name_address(&event.error, address);
    if (lia_outage_fail(outage, why->status, now)) {
        add_history(outage, now, &event.error);
        lia_node_tell(node, &event);
    } else {
        lia_log(node->env, LIA_LOG_DEBUG, "node", "%s", event.error.message);
    }
}

/* The outage of one machine that knocks in vain, for one reason: many devices may stand
 * behind one address. The one that was quiet longest gives way. */
static struct lia_outage *outage_of(struct lia_node *node,
                                    uint64_t group,
                                    liana_status why)
{
    uint64_t now = lia_node_now(node);
    struct lia_knock *oldest = node->knocks;

    for (struct lia_knock *k = node->knocks; k < node->knocks + LIA_NODE_KNOCKS; k++) {
        if (k->group == group && k->why == why) {
            oldest = k;
            break;
        }
        oldest = k->last < oldest->last ? k : oldest;
    }
    if (oldest->group != group || oldest->why != why ||
        now > oldest->last + KNOCK_FORGOTTEN_MS) {
        *oldest = (struct lia_knock){.group = group, .why = why};
    }
    oldest->last = now;
    return &oldest->outage;
}

void lia_node_tell_stranger(struct lia_node *node,
                            uint64_t group,
                            const char *address,
                            const struct liana_error *why)
{
    lia_node_tell_failure(node, outage_of(node, group, why->status), address, why);
}

/* ---- what the peer says ---- */

static void tell_up(struct lia_node_event *event, uint64_t away_ms)
{
    char time[LIA_DURATION_TEXT];

    if (away_ms > 0) {
        lia_duration_text(away_ms, time);
        snprintf(event->error.message, sizeof(event->error.message), "after %s", time);
    }
}

/* What the link saw says more than what the session concludes from it. */
static void tell_down(struct lia_node_event *event, const struct lia_node_link *link)
{
    if (event->error.status && link) {
        if (link->error.status) {
            event->error = link->error;
        }
        name_address(&event->error, lia_node_link_address(link));
    }
}

void lia_node_tell_peer(struct lia_node *node, const struct lia_peer_output *out)
{
    static const enum lia_node_event_kind kinds[] = {
        [LIA_PEER_UP] = LIA_NODE_PEER_UP,
        [LIA_PEER_DOWN] = LIA_NODE_PEER_DOWN,
        [LIA_PEER_UP_TO_DATE] = LIA_NODE_UP_TO_DATE,
        [LIA_PEER_REFUSED] = LIA_NODE_REFUSED,
    };
    struct lia_node_event event = {.kind = kinds[out->event],
                                   .subscription = out->subscription,
                                   .seq = out->seq,
                                   .name = out->name,
                                   .error = out->error};
    struct lia_node_link *link = lia_node_link_by_id(node, out->link);
    uint64_t now = lia_node_now(node);

    memcpy(event.remote, out->remote, sizeof(event.remote));
    if (out->event == LIA_PEER_UP) {
        uint64_t dialed_ms =
            link && link->dialer ? lia_outage_ms(&link->dialer->outage, now) : 0;

        tell_up(&event, out->away_ms > dialed_ms ? out->away_ms : dialed_ms);
    } else if (out->event == LIA_PEER_DOWN) {
        tell_down(&event, link);
        if (link && link->dialer) {
            lia_outage_begin(&link->dialer->outage, now);
        }
    }
    lia_node_tell(node, &event);
}
