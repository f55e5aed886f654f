/* SPDX-License-Identifier: Apache-2.0 */
#include "node/internal.h"

const char *lia_node_link_address(const struct lia_node_link *link)
{
    return link->dialer ? link->dialer->text : lia_net_link_remote(link->net);
}

/* ---- the end of a link ---- */

static void remember(struct lia_node_link *link, const struct liana_error *why)
{
    if (why && why->status) {
        link->error = *why;
        if (link->dialer) {
            link->dialer->error = *why;
        }
    }
}

static void close_net(struct lia_node_link *link)
{
    if (!link->is_closing) {
        link->is_closing = true;
        lia_net_link_close(link->net);
    }
}

/* Of a link that carried no session; the end of one that did is told by the peer. */
static void tell_failed(struct lia_node_link *link, const struct liana_error *why)
{
    const char *address = lia_node_link_address(link);

    if (link->has_session || link->is_failed) {
        return;
    }
    link->is_failed = true;
    if (link->dialer) {
        lia_node_tell_failure(link->node, &link->dialer->outage, address, why);
    } else {
        lia_node_tell_stranger(link->node, link->group, address, why);
    }
}

/* What the peer knows of the link. */
static void look(struct lia_node_link *link)
{
    struct lia_link_facts facts;

    if (!lia_peer_link_facts(link->node->peer, link->id, &facts)) {
        return;
    }
    link->payload_in = facts.payload_in;
    link->payload_out = facts.payload_out;
    if (facts.is_member && !link->is_member) {
        link->is_member = true;
        lia_net_link_admit(link->net);
    }
    if (facts.has_session && !link->has_session) {
        link->has_session = true;
        if (link->dialer) {
            lia_dialer_link_used(link->dialer);
        }
    }
}

/* The peer hears nothing more of it after this. */
static void forget(struct lia_node_link *link, liana_status reason)
{
    if (link->is_known) {
        look(link);
        link->is_known = false;
        lia_peer_link_down(link->node->peer, link->id, reason,
                           lia_node_now(link->node));
    }
}

void lia_node_link_end(struct lia_node_link *link)
{
    if (link->is_known) {
        /* With a goodbye: its CLOSE comes back here by the next pump. */
        lia_peer_link_close(link->node->peer, link->id, lia_node_now(link->node));
    } else {
        close_net(link);
    }
}

void lia_node_link_drop(struct lia_node_link *link)
{
    forget(link, LIANA_OK);
    link->is_closing = true;
    link->is_dropped = true;
    lia_net_link_drop(link->net);
}

void lia_node_link_closed_by_peer(struct lia_node_link *link,
                                  const struct liana_error *why)
{
    look(link);
    link->is_known = false;
    remember(link, why);
    /* Of two links to one peer one is kept; the other has not failed. */
    if (why->status && why->status != LIANA_EEXISTS) {
        tell_failed(link, why);
    }
    close_net(link);
}

/* What broke while the peer knew it, or before. */
static void fail(struct lia_node_link *link, const struct liana_error *why)
{
    remember(link, why);
    if (link->is_known) {
        look(link);
    }
    tell_failed(link, why);
    forget(link, why->status);
    close_net(link);
}

/* ---- what the net says ---- */

static void on_up(void *ctx, const struct lia_tls_peer *tls)
{
    struct lia_node_link *link = ctx;
    struct lia_node *node = link->node;
    struct lia_link facts = {.id = link->id,
                             .is_dialer = link->dialer != NULL,
                             .address = lia_str(lia_net_link_remote(link->net))};

    lia_peer_id_of(tls->public_key, link->remote);
    if (memcmp(link->remote, node->options.identity->peer_id, LIA_PEER_ID_BYTES) == 0) {
        struct liana_error why = LIANA_ERROR_INIT;

        lia_err(&why, LIANA_EINVAL, "%s is this store itself",
                lia_node_link_address(link));
        fail(link, &why);
        return;
    }
    link->has_remote = true;
    memcpy(facts.remote, link->remote, sizeof(facts.remote));
    memcpy(facts.exporter, tls->exporter, sizeof(facts.exporter));
    link->state = LIA_LINK_UP;
    link->since_ms = node->env->wall_ms(node->env->ctx);
    link->up_at = lia_node_now(node);
    link->is_known = true;
    if (link->dialer) {
        lia_dialer_link_up(link->dialer);
    }
    lia_peer_link_up(node->peer, &facts, lia_node_now(node));
    lia_mem_wipe(facts.exporter, sizeof(facts.exporter));
    lia_node_pump(node);
}

static void on_bytes(void *ctx, struct liana_slice bytes)
{
    struct lia_node_link *link = ctx;

    if (link->is_known) {
        lia_peer_link_bytes(link->node->peer, link->id, bytes,
                            lia_node_now(link->node));
        lia_node_pump(link->node);
    }
}

static void on_down(void *ctx, liana_status reason, const struct liana_error *err)
{
    struct lia_node_link *link = ctx;
    struct liana_error why = *err;

    if (!reason) {
        /* In order for TLS, but a session ends with a goodbye. */
        lia_err(&why, LIANA_ECLOSED, "%s closed the connection",
                lia_node_link_address(link));
    }
    fail(link, &why);
    lia_node_pump(link->node);
}

static void count_cost(const struct lia_node_link *link)
{
    uint64_t in;
    uint64_t out;

    if (link->has_remote) {
        lia_net_link_wire(link->net, &in, &out);
        lia_peer_link_cost(link->node->peer, link->remote, in, out);
    }
}

static void on_closed(void *ctx)
{
    struct lia_node_link *link = ctx;
    struct lia_node *node = link->node;
    struct lia_node_link **at = &node->links;

    while (*at != link) {
        at = &(*at)->next;
    }
    *at = link->next;
    count_cost(link);
    if (link->dialer) {
        lia_dialer_link_gone(link->dialer);
    }
    if (link->has_remote) {
        lia_dialers_wake(node, link->remote);
    }
    lia_mem_free(node->env->alloc, link, sizeof(*link));
    lia_node_check_closed(node);
}

static const struct lia_net_link_events events = {
    .up = on_up,
    .bytes = on_bytes,
    .down = on_down,
    .closed = on_closed,
};

/* ---- what the peer says ---- */

liana_status lia_node_link_open(struct lia_node *node,
                                struct lia_stream *stream,
                                struct lia_port *port,
                                struct lia_dialer *dialer,
                                struct liana_error *err)
{
    struct lia_node_link *link = lia_mem_zalloc(node->env->alloc, sizeof(*link));
    liana_status status;

    if (!link) {
        lia_stream_close(stream);
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    link->node = node;
    link->id = ++node->last_link;
    link->port = port;
    link->dialer = dialer;
    link->group = stream->group;
    link->state = LIA_LINK_HANDSHAKE;
    link->since_ms = node->env->wall_ms(node->env->ctx);
    status = lia_net_link_new(&node->config, stream, dialer != NULL, &events, link,
                              &link->net, err);
    if (status) {
        lia_mem_free(node->env->alloc, link, sizeof(*link));
        return status;
    }
    link->next = node->links;
    node->links = link;
    if (dialer) {
        dialer->link = link;
    }
    return LIANA_OK;
}

struct lia_node_link *lia_node_link_by_id(struct lia_node *node, uint64_t id)
{
    struct lia_node_link *link = node->links;

    while (link && link->id != id) {
        link = link->next;
    }
    return link;
}

bool lia_node_is_linked(const struct lia_node *node,
                        const uint8_t remote[LIA_PEER_ID_BYTES])
{
    const struct lia_node_link *link = node->links;

    while (link && !(link->is_known && link->has_session &&
                     memcmp(link->remote, remote, LIA_PEER_ID_BYTES) == 0)) {
        link = link->next;
    }
    return link != NULL;
}

void lia_node_link_send(struct lia_node_link *link, struct liana_slice bytes)
{
    if (!link->broken) {
        link->broken = lia_net_link_send(link->net, bytes);
        link->is_dirty = true;
    }
}

/* A send that failed: only now, because the peer was giving its outputs. */
static void tell_broken(struct lia_node_link *link)
{
    struct liana_error why = LIANA_ERROR_INIT;

    if (link->broken == LIANA_ELIMIT) {
        lia_err(&why, LIANA_ELIMIT, "%s does not read what is sent to it",
                lia_node_link_address(link));
    } else {
        lia_err(&why, link->broken, "cannot send to %s: %s",
                lia_node_link_address(link), liana_status_text(link->broken));
    }
    fail(link, &why);
}

bool lia_node_links_settle(struct lia_node *node)
{
    bool has_told = false;

    for (struct lia_node_link *link = node->links; link; link = link->next) {
        if (link->is_known && !link->has_session) {
            look(link);
        }
        if (link->is_dirty && !link->broken && link->is_known) {
            link->broken = lia_net_link_flush(link->net);
        }
        link->is_dirty = false;
        if (link->broken && link->is_known) {
            tell_broken(link);
            has_told = true;
        }
    }
    return has_told;
}
