/* SPDX-License-Identifier: Apache-2.0 */
#include "node/internal.h"

static void on_accepted(void *ctx, struct lia_stream *stream)
{
    struct lia_port *port = ctx;
    struct lia_node *node = port->node;
    struct liana_error err = LIANA_ERROR_INIT;

    if (port->is_closing || node->state != LIA_NODE_RUNS) {
        lia_stream_close(stream);
        return;
    }
    if (node->links_in >= LIA_NODE_LINKS_IN_MAX) {
        lia_log(node->env, LIA_LOG_WARN, "node", "%s: %d links came in already",
                port->text, LIA_NODE_LINKS_IN_MAX);
        lia_stream_close(stream);
        return;
    }
    if (lia_node_link_open(node, stream, port, NULL, &err)) {
        lia_log(node->env, LIA_LOG_WARN, "node", "%s: %s", port->text, err.message);
    }
}

static void on_failed(void *ctx, liana_status status, const struct liana_error *err)
{
    struct lia_port *port = ctx;

    (void)status;
    lia_log(port->node->env, LIA_LOG_WARN, "node", "%s", err->message);
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
            lia_node_link_end(link, NULL);
        }
    }
}
