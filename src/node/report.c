/* SPDX-License-Identifier: Apache-2.0 */
#include "node/internal.h"

const char *lia_link_state_name(enum lia_link_state state)
{
    switch (state) {
    case LIA_LINK_CONNECTING: return "connecting";
    case LIA_LINK_HANDSHAKE: return "handshake";
    case LIA_LINK_UP: return "up";
    case LIA_LINK_WAITING: return "waiting";
    }
    return "unknown";
}

static const char *copy_text(struct lia_arena *arena, const char *text)
{
    struct liana_slice out;

    return lia_arena_copy(arena, lia_slice(text, strlen(text) + 1), &out)
               ? (const char *)out.ptr
               : NULL;
}

static void add_counts(struct lia_link_report *out, const struct lia_node_link *link)
{
    struct lia_link_facts facts;
    uint64_t in;
    uint64_t sent;

    lia_net_link_wire(link->net, &in, &sent);
    out->wire_in += in;
    out->wire_out += sent;
    if (link->is_known && lia_peer_link_facts(link->node->peer, link->id, &facts)) {
        out->payload_in += facts.payload_in;
        out->payload_out += facts.payload_out;
    } else {
        out->payload_in += link->payload_in;
        out->payload_out += link->payload_out;
    }
    if (link->state == LIA_LINK_UP) {
        out->link = link->id;
        out->has_remote = true;
        memcpy(out->remote, link->remote, sizeof(out->remote));
    }
}

static liana_status report_listen(const struct lia_node *node,
                                  struct lia_arena *arena,
                                  struct lia_node_report *out)
{
    const char **texts;
    size_t count = 0;

    for (const struct lia_port *port = node->ports; port; port = port->next) {
        count += !port->is_closing;
    }
    texts = lia_arena_array(arena, count, sizeof(*texts));
    if (!texts) {
        return LIANA_ENOMEM;
    }
    out->listen = texts;
    for (const struct lia_port *port = node->ports; port; port = port->next) {
        if (!port->is_closing) {
            texts[out->listen_count] = copy_text(arena, port->text);
            if (!texts[out->listen_count++]) {
                return LIANA_ENOMEM;
            }
        }
    }
    return LIANA_OK;
}

static liana_status report_dialer(const struct lia_dialer *dialer,
                                  struct lia_arena *arena,
                                  struct lia_link_report *out)
{
    *out = (struct lia_link_report){.address = copy_text(arena, dialer->text),
                                    .is_dialed = true,
                                    .state = dialer->state,
                                    .since_ms = dialer->since_ms,
                                    .wire_in = dialer->wire_in,
                                    .wire_out = dialer->wire_out,
                                    .payload_in = dialer->payload_in,
                                    .payload_out = dialer->payload_out,
                                    .error = dialer->error};
    if (dialer->link) {
        add_counts(out, dialer->link);
    }
    if (dialer->is_resting) {
        out->has_remote = true;
        memcpy(out->remote, dialer->remote, sizeof(out->remote));
    }
    return out->address ? LIANA_OK : LIANA_ENOMEM;
}

static liana_status report_link_in(const struct lia_node_link *link,
                                   struct lia_arena *arena,
                                   struct lia_link_report *out)
{
    *out = (struct lia_link_report){
        .address = copy_text(arena, lia_net_link_remote(link->net)),
        .state = link->state,
        .since_ms = link->since_ms,
        .error = link->error};
    add_counts(out, link);
    return out->address ? LIANA_OK : LIANA_ENOMEM;
}

static liana_status report_links(const struct lia_node *node,
                                 struct lia_arena *arena,
                                 struct lia_node_report *out)
{
    struct lia_link_report *links;
    liana_status status = LIANA_OK;
    size_t count = 0;

    for (const struct lia_dialer *d = node->dialers; d; d = d->next) {
        count++;
    }
    for (const struct lia_node_link *l = node->links; l; l = l->next) {
        count += !l->dialer;
    }
    links = lia_arena_array(arena, count, sizeof(*links));
    if (!links) {
        return LIANA_ENOMEM;
    }
    out->links = links;
    for (const struct lia_dialer *d = node->dialers; d && !status; d = d->next) {
        if (!d->is_closing) {
            status = report_dialer(d, arena, &links[out->link_count++]);
        }
    }
    for (const struct lia_node_link *l = node->links; l && !status; l = l->next) {
        if (!l->dialer && !l->is_closing) {
            status = report_link_in(l, arena, &links[out->link_count++]);
        }
    }
    return status;
}

/* To each peer what its links have carried that are not gone. */
static void add_links(const struct lia_node *node, struct lia_peer_report *out)
{
    for (const struct lia_node_link *l = node->links; l; l = l->next) {
        for (size_t i = 0; l->has_remote && i < out->peer_count; i++) {
            uint64_t in;
            uint64_t sent;

            if (memcmp(out->peers[i].remote, l->remote, LIA_PEER_ID_BYTES) == 0) {
                lia_net_link_wire(l->net, &in, &sent);
                out->peers[i].wire_in += in;
                out->peers[i].wire_out += sent;
            }
        }
    }
}

struct reporting {
    struct lia_node *node;
    struct lia_arena *arena;
    struct lia_node_report out;
    liana_status status;
};

static void do_report(void *ctx)
{
    struct reporting *r = ctx;

    r->status = report_listen(r->node, r->arena, &r->out);
    if (!r->status) {
        r->status = report_links(r->node, r->arena, &r->out);
    }
    if (!r->status) {
        r->status = lia_peer_report(r->node->peer, r->arena, &r->out.peer);
    }
    if (!r->status) {
        add_links(r->node, &r->out.peer);
    }
}

liana_status lia_node_report(struct lia_node *node,
                             struct lia_arena *arena,
                             struct lia_node_report *out)
{
    struct reporting r = {.node = node, .arena = arena};

    lia_loop_call(node->loop, do_report, &r);
    if (!r.status) {
        *out = r.out;
    }
    return r.status;
}
