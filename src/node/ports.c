/* SPDX-License-Identifier: Apache-2.0 */
#include "node/internal.h"

/* ---- strangers ---- */

static bool is_stranger(const struct lia_node_link *link)
{
    return !link->dialer && !link->is_member && !link->is_dropped;
}

static size_t strangers_of(const struct lia_node *node, uint64_t group)
{
    size_t count = 0;

    for (const struct lia_node_link *link = node->links; link; link = link->next) {
        count += is_stranger(link) && link->group == group;
    }
    return count;
}

/* The one that came first of the machine that has most, if that has more than `most`. */
static struct lia_node_link *find_greedy(struct lia_node *node, size_t most)
{
    struct lia_node_link *found = NULL;

    for (struct lia_node_link *link = node->links; link; link = link->next) {
        size_t count = is_stranger(link) ? strangers_of(node, link->group) : 0;

        /* The list begins with the newest. */
        if (count > most || (found && count == most && link->group == found->group)) {
            most = count;
            found = link;
        }
    }
    return found;
}

/* For one stranger more of this machine: who has most makes room for who has less. */
static bool make_room(struct lia_node *node, uint64_t group)
{
    struct lia_node_link *greedy;
    size_t count = 0;

    for (const struct lia_node_link *link = node->links; link; link = link->next) {
        count += is_stranger(link);
    }
    if (count < LIA_NODE_STRANGERS_MAX) {
        lia_outage_end(&node->crowd, lia_node_now(node));
        return true;
    }
    greedy = find_greedy(node, strangers_of(node, group) + 1);
    if (greedy) {
        lia_node_link_drop(greedy);
    }
    return greedy != NULL;
}

static void refuse(struct lia_port *port, struct lia_stream *stream)
{
    struct liana_error err = LIANA_ERROR_INIT;

    lia_err(&err, LIANA_ELIMIT,
            "%s: %s is turned away: %d links wait there to prove who they are",
            port->text, stream->remote, LIA_NODE_STRANGERS_MAX);
    lia_node_tell_failure(port->node, &port->node->crowd, stream->remote, &err);
    lia_stream_close(stream);
}

/* ---- ports ---- */

static void on_accepted(void *ctx, struct lia_stream *stream)
{
    struct lia_port *port = ctx;
    struct lia_node *node = port->node;
    struct liana_error err = LIANA_ERROR_INIT;

    if (port->is_closing || node->state != LIA_NODE_RUNS) {
        lia_stream_close(stream);
        return;
    }
    if (!make_room(node, stream->group)) {
        refuse(port, stream);
    } else if (lia_node_link_open(node, stream, port, NULL, &err)) {
        lia_node_tell_failure(node, &port->outage, port->text, &err);
    } else {
        lia_outage_end(&port->outage, lia_node_now(node));
    }
    lia_node_pump(node); /* one may have been dropped that the peer knew */
}

static void on_failed(void *ctx, liana_status status, const struct liana_error *err)
{
    struct lia_port *port = ctx;

    (void)status;
    lia_node_tell_failure(port->node, &port->outage, port->text, err);
}

static void on_closed(void *ctx)
{
    struct lia_port *port = ctx;
    struct lia_node *node = port->node;
    struct lia_port **at = &node->ports;

    for (struct lia_node_link *link = node->links; link; link = link->next) {
        if (link->port == port) {
            link->port = NULL;
        }
    }
    while (*at != port) {
        at = &(*at)->next;
    }
    *at = port->next;
    lia_mem_free(node->env->alloc, port, sizeof(*port));
    lia_node_check_closed(node);
}

static const struct lia_acceptor_events events = {
    .accepted = on_accepted,
    .failed = on_failed,
    .closed = on_closed,
};

liana_status lia_port_open(struct lia_node *node,
                           const struct lia_address *address,
                           struct lia_port **out,
                           struct liana_error *err)
{
    struct lia_port *port = lia_mem_zalloc(node->env->alloc, sizeof(*port));
    liana_status status;

    if (!port) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    port->node = node;
    port->asked = *address;
    status = lia_transport_find(address, &port->transport, err);
    if (!status) {
        status = port->transport->listen(node->loop, address, &events, port,
                                         &port->acceptor, err);
    }
    if (status) {
        lia_mem_free(node->env->alloc, port, sizeof(*port));
        return status;
    }
    port->transport->address(port->acceptor, &port->real);
    lia_address_format(&port->real, port->text);
    port->next = node->ports;
    node->ports = port;
    *out = port;
    return LIANA_OK;
}

void lia_port_close(struct lia_port *port)
{
    if (port->is_closing) {
        return;
    }
    port->is_closing = true;
    port->transport->close(port->acceptor);
    for (struct lia_node_link *link = port->node->links; link; link = link->next) {
        if (link->port == port) {
            lia_node_link_end(link);
        }
    }
}
