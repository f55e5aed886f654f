/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replacing the addresses of a running node, all or nothing: what can fail (parsing,
 * names, listening, memory) is done first, and only then does anything end.
 */
#include "node/internal.h"

struct change {
    struct lia_node *node;
    const struct lia_address *listen;
    size_t listen_count;
    const struct lia_address *dial;
    size_t dial_count;
    struct liana_error *err;
    liana_status status;
};

static struct lia_port *find_port(struct lia_node *node,
                                  const struct lia_address *asked)
{
    for (struct lia_port *port = node->ports; port; port = port->next) {
        if (!port->is_closing && (lia_address_equal(&port->asked, asked) ||
                                  lia_address_equal(&port->real, asked))) {
            return port;
        }
    }
    return NULL;
}

static struct lia_dialer *find_dialer(struct lia_node *node,
                                      const struct lia_address *address)
{
    for (struct lia_dialer *dialer = node->dialers; dialer; dialer = dialer->next) {
        if (!dialer->is_closing && lia_address_equal(&dialer->address, address)) {
            return dialer;
        }
    }
    return NULL;
}

/* Marks what stays and makes what is new, which stands first in the lists. */
static liana_status add_new(struct change *change)
{
    liana_status status = LIANA_OK;

    for (size_t i = 0; i < change->listen_count && !status; i++) {
        struct lia_port *port = find_port(change->node, &change->listen[i]);

        if (!port) {
            status =
                lia_port_open(change->node, &change->listen[i], &port, change->err);
        }
        if (!status) {
            port->is_kept = true;
        }
    }
    for (size_t i = 0; i < change->dial_count && !status; i++) {
        struct lia_dialer *dialer = find_dialer(change->node, &change->dial[i]);

        if (!dialer) {
            status =
                lia_dialer_open(change->node, &change->dial[i], &dialer, change->err);
        }
        if (!status) {
            dialer->is_kept = true;
        }
    }
    return status;
}

static void close_new(struct lia_node *node,
                      const struct lia_port *old_port,
                      const struct lia_dialer *old_dialer)
{
    for (struct lia_port *port = node->ports; port != old_port; port = port->next) {
        lia_port_close(port);
    }
    for (struct lia_dialer *dialer = node->dialers; dialer != old_dialer;
         dialer = dialer->next) {
        lia_dialer_close(dialer);
    }
}

static void begin_new(struct lia_node *node,
                      const struct lia_port *old_port,
                      const struct lia_dialer *old_dialer)
{
    for (struct lia_port *port = node->ports; port != old_port; port = port->next) {
        struct lia_node_event event = {.kind = LIA_NODE_LISTENING,
                                       .address = port->text};

        lia_node_tell(node, &event);
    }
    for (struct lia_dialer *dialer = node->dialers; dialer != old_dialer;
         dialer = dialer->next) {
        struct lia_node_event event = {.kind = LIA_NODE_DIALING,
                                       .address = dialer->text};

        lia_node_tell(node, &event);
        lia_dialer_begin(dialer);
    }
}

static void close_unkept(struct lia_node *node)
{
    for (struct lia_port *port = node->ports; port; port = port->next) {
        if (!port->is_kept) {
            lia_port_close(port);
        }
    }
    for (struct lia_dialer *dialer = node->dialers; dialer; dialer = dialer->next) {
        if (!dialer->is_kept) {
            lia_dialer_close(dialer);
        }
    }
}

static void forget_marks(struct lia_node *node)
{
    for (struct lia_port *port = node->ports; port; port = port->next) {
        port->is_kept = false;
    }
    for (struct lia_dialer *dialer = node->dialers; dialer; dialer = dialer->next) {
        dialer->is_kept = false;
    }
}

static void do_change(void *ctx)
{
    struct change *change = ctx;
    struct lia_node *node = change->node;
    const struct lia_port *old_port = node->ports;
    const struct lia_dialer *old_dialer = node->dialers;

    change->status = add_new(change);
    if (change->status) {
        close_new(node, old_port, old_dialer);
    } else {
        begin_new(node, old_port, old_dialer);
        close_unkept(node);
    }
    forget_marks(node);
    lia_node_pump(node);
}

/* Parsed; `resolves`: host names replaced, which may ask a name server. */
static liana_status parse(const struct liana_str *texts,
                          size_t count,
                          bool resolves,
                          struct lia_address *out,
                          struct liana_error *err)
{
    liana_status status = LIANA_OK;

    for (size_t i = 0; i < count && !status; i++) {
        const struct lia_transport *transport;

        status = lia_address_parse(texts[i], &out[i], err);
        if (!status) {
            status = lia_transport_find(&out[i], &transport, err);
        }
        if (!status && resolves) {
            status = transport->resolve(&out[i], err);
        }
    }
    return status;
}

liana_status lia_node_set_addresses(struct lia_node *node,
                                    const struct liana_str *listen,
                                    size_t listen_count,
                                    const struct liana_str *dial,
                                    size_t dial_count,
                                    struct liana_error *err)
{
    struct change change = {.node = node,
                            .listen_count = listen_count,
                            .dial_count = dial_count,
                            .err = err};
    struct lia_address *addresses;
    struct lia_arena arena;
    liana_status status;

    lia_arena_init(&arena, node->env->alloc);
    addresses = lia_arena_array(&arena, listen_count + dial_count, sizeof(*addresses));
    status = addresses ? LIANA_OK : lia_err_plain(err, LIANA_ENOMEM);
    if (!status) {
        status = parse(listen, listen_count, true, addresses, err);
    }
    if (!status) {
        status = parse(dial, dial_count, false, addresses + listen_count, err);
    }
    if (!status) {
        change.listen = addresses;
        change.dial = addresses + listen_count;
        lia_loop_call(node->loop, do_change, &change);
        status = change.status;
    }
    lia_arena_deinit(&arena);
    return status;
}
