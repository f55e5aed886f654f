/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/keepers.h"

#include <stdlib.h>

static struct sim_link *find(struct sim_world *w, uint64_t id, int *end)
{
    for (uint32_t l = 0; l < SIM_LINKS; l++) {
        for (*end = 0; *end < 2; (*end)++) {
            if (w->links[l].is_used && w->links[l].ids[*end] == id) {
                return &w->links[l];
            }
        }
    }
    return NULL;
}

static uint32_t index_of(const struct sim_world *w, const struct sim_link *link)
{
    return (uint32_t)(link - w->links);
}

static void drop_chunks(struct sim_link *link, int end)
{
    while (link->first[end]) {
        struct sim_chunk *next = link->first[end]->next;

        free(link->first[end]);
        link->first[end] = next;
    }
    link->last[end] = &link->first[end];
}

/* Gone at both ends: the place is free, and the edge is dialled again in a while. */
static void release(struct sim_world *w, struct sim_link *link)
{
    if (link->is_up[0] || link->is_up[1]) {
        return;
    }
    drop_chunks(link, 0);
    drop_chunks(link, 1);
    link->is_used = false;
    if (--w->edges[link->edge].links == 0) {
        sim_after(w, 100 + sim_draw(w, 3000), SIM_DIAL, link->edge, 0, 0, NULL);
    }
}

void sim_net_dial(struct sim_world *w, uint32_t e)
{
    struct sim_edge *edge = &w->edges[e];
    struct sim_link *link = w->links;
    int dialer = (int)sim_draw(w, 2);

    if (!w->nodes[edge->nodes[0]].is_up || !w->nodes[edge->nodes[1]].is_up ||
        sim_is_away(w, edge->nodes[0]) || sim_is_away(w, edge->nodes[1])) {
        sim_after(w, 500, SIM_DIAL, e, 0, 0, NULL);
        return;
    }
    if (edge->links >= 2 || (edge->links && w->is_calm) ||
        (w->is_calm && w->breakage == SIM_BREAK_QUIET)) {
        return;
    }
    while (link->is_used) {
        link++;
        LIA_ASSERT(link < w->links + SIM_LINKS);
    }
    *link = (struct sim_link){.is_used = true,
                              .generation = ++w->generation,
                              .nodes = {edge->nodes[0], edge->nodes[1]},
                              .edge = e};
    edge->links++;
    sim_note(w, "link %u: node %d - node %d", index_of(w, link), link->nodes[0],
             link->nodes[1]);
    for (int i = 0; i < 2; i++) {
        link->ids[i] = ++w->link_id;
        link->last[i] = &link->first[i];
        link->is_up[i] = true;
    }
    for (int i = 0; i < 2; i++) {
        struct lia_link info = {.id = link->ids[i], .is_dialer = i == dialer};

        info.remote[0] = (uint8_t)(link->nodes[1 - i] + 1);
        lia_peer_link_up(w->nodes[link->nodes[i]].peer, &info, w->now);
        sim_node_outputs(w, link->nodes[i]);
    }
}

/* Bytes stay in order, in pieces that take their time. */
void sim_net_send(struct sim_world *w, int node, uint64_t id, struct liana_slice bytes)
{
    int from;
    struct sim_link *link = find(w, id, &from);

    if (!link) {
        sim_fail(w, "node %d sends on link id %llu, which is gone", node,
                 (unsigned long long)id);
    }
    while (bytes.len && link->is_up[1 - from]) {
        int to = 1 - from;
        size_t n = 1 + (size_t)sim_draw(w, bytes.len);
        struct sim_chunk *chunk = malloc(sizeof(*chunk) + n);
        uint64_t at = w->now + 1 + sim_draw(w, w->knobs.delay_ms);

        LIA_ASSERT(chunk);
        chunk->next = NULL;
        chunk->len = n;
        memcpy(chunk->bytes, bytes.ptr, n);
        bytes = lia_slice(bytes.ptr + n, bytes.len - n);
        *link->last[to] = chunk;
        link->last[to] = &chunk->next;
        at = at > link->busy_until[to] ? at : link->busy_until[to];
        link->busy_until[to] = at;
        sim_after(w, at - w->now, SIM_DELIVER, index_of(w, link), (uint32_t)to,
                  link->generation, NULL);
    }
}

void sim_net_deliver(struct sim_world *w, uint32_t l, uint32_t end, uint64_t generation)
{
    struct sim_link *link = &w->links[l];
    struct sim_chunk *chunk = link->first[end];
    int node = link->nodes[end];

    if (!link->is_used || link->generation != generation || !chunk) {
        return;
    }
    link->first[end] = chunk->next;
    if (!link->first[end]) {
        link->last[end] = &link->first[end];
    }
    if (link->is_up[end] && !link->is_mute[end] && w->nodes[node].is_up) {
        sim_note(w, "link %u: %zu bytes to node %d", l, chunk->len, node);
        w->messages += w->is_calm;
        lia_peer_link_bytes(w->nodes[node].peer, link->ids[end],
                            lia_slice(chunk->bytes, chunk->len), w->now);
        sim_node_outputs(w, node);
    }
    free(chunk);
}

/* A peer closed its end: the other sees it behind what was sent. */
void sim_net_closed(struct sim_world *w, int node, uint64_t id)
{
    int end;
    struct sim_link *link = find(w, id, &end);

    (void)node;
    LIA_ASSERT(link);
    link->is_up[end] = false;
    if (link->is_up[1 - end]) {
        uint64_t at = w->now + 1 + sim_draw(w, w->knobs.delay_ms);

        at = at > link->busy_until[1 - end] ? at : link->busy_until[1 - end] + 1;
        sim_after(w, at - w->now, SIM_DOWN, index_of(w, link), (uint32_t)(1 - end),
                  link->generation, NULL);
    }
    release(w, link);
}

void sim_net_down(struct sim_world *w, uint32_t l, uint32_t end, uint64_t generation)
{
    struct sim_link *link = &w->links[l];
    int node = link->nodes[end];

    if (!link->is_used || link->generation != generation || !link->is_up[end]) {
        return;
    }
    link->is_up[end] = false;
    sim_note(w, "link %u: down at node %d", l, node);
    if (w->nodes[node].is_up) {
        lia_peer_link_down(w->nodes[node].peer, link->ids[end], LIANA_ENETWORK, w->now);
    }
    if (link->is_up[1 - end]) {
        sim_after(w, 1 + sim_draw(w, 2 * w->knobs.delay_ms), SIM_DOWN, l, 1 - end,
                  link->generation, NULL);
    }
    release(w, link);
    if (w->nodes[node].is_up) {
        sim_node_outputs(w, node);
    }
}

void sim_net_cut(struct sim_world *w, uint32_t l)
{
    struct sim_link *link = &w->links[l];

    sim_note(w, "link %u: cut", l);
    for (uint32_t end = 0; end < 2; end++) {
        drop_chunks(link, (int)end);
        link->is_mute[end] = true; /* what is still sent goes nowhere */
        if (link->is_up[end]) {
            sim_after(w, 1 + sim_draw(w, 2 * w->knobs.delay_ms), SIM_DOWN, l, end,
                      link->generation, NULL);
        }
    }
}

/* The node is gone; the others find out. */
void sim_net_cut_node(struct sim_world *w, int node)
{
    for (uint32_t l = 0; l < SIM_LINKS; l++) {
        struct sim_link *link = &w->links[l];

        for (int end = 0; link->is_used && end < 2; end++) {
            if (link->nodes[end] != node || !link->is_up[end]) {
                continue;
            }
            link->is_up[end] = false;
            if (link->is_up[1 - end]) {
                sim_after(w, 1 + sim_draw(w, 5000), SIM_DOWN, l, (uint32_t)(1 - end),
                          link->generation, NULL);
            }
            release(w, link);
        }
    }
}

void sim_net_part_node(struct sim_world *w, int node)
{
    for (uint32_t l = 0; l < SIM_LINKS; l++) {
        const struct sim_link *link = &w->links[l];

        if (link->is_used && (link->nodes[0] == node || link->nodes[1] == node)) {
            sim_net_cut(w, l);
        }
    }
}

void sim_net_mute(struct sim_world *w, uint32_t l, int end, bool is_mute)
{
    struct sim_link *link = &w->links[l];

    if (!link->is_used || link->is_mute[end] == is_mute) {
        return;
    }
    sim_note(w, "link %u: %s to node %d", l, is_mute ? "mute" : "cut after silence",
             link->nodes[end]);
    if (is_mute) {
        link->is_mute[end] = true;
    } else {
        sim_net_cut(w, l); /* bytes are missing: it cannot go on */
    }
}

void sim_net_deinit(struct sim_world *w)
{
    for (uint32_t l = 0; l < SIM_LINKS; l++) {
        if (w->links[l].is_used) {
            drop_chunks(&w->links[l], 0);
            drop_chunks(&w->links[l], 1);
        }
    }
}
