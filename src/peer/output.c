/* SPDX-License-Identifier: Apache-2.0 */
#include "peer/internal.h"

static void append(struct lia_peer *peer, struct lia_output *output)
{
    output->next = NULL;
    *peer->last = output;
    peer->last = &output->next;
}

struct lia_output *lia_output_add(struct lia_peer *peer,
                                  enum lia_peer_output_kind kind,
                                  struct liana_slice bytes)
{
    size_t size = sizeof(struct lia_output) + bytes.len;
    struct lia_output *output = lia_mem_zalloc(peer->alloc, size);

    if (!output) {
        return NULL;
    }
    output->size = size;
    output->what.kind = kind;
    if (bytes.len) {
        memcpy(output + 1, bytes.ptr, bytes.len);
        output->what.bytes = lia_slice(output + 1, bytes.len);
    }
    append(peer, output);
    return output;
}

void lia_output_close(struct lia_peer *peer,
                      struct lia_peer_link *link,
                      const struct liana_error *why)
{
    link->close = (struct lia_output){.what = {.kind = LIA_PEER_CLOSE}};
    link->close.what.link = link->id;
    link->close.what.error = *why;
    link->close.is_silent = link->is_down;
    memcpy(link->close.what.remote, link->remote->id, LIA_PEER_ID_BYTES);
    append(peer, &link->close);
}

void lia_output_event(struct lia_peer *peer,
                      enum lia_peer_event_kind event,
                      const struct lia_peer_link *link,
                      const struct liana_error *error)
{
    struct lia_output *output =
        lia_output_add(peer, LIA_PEER_EVENT, lia_slice(NULL, 0));

    if (!output) {
        return; /* the state is in the report */
    }
    output->what.event = event;
    output->what.link = link->id;
    memcpy(output->what.remote, link->remote->id, LIA_PEER_ID_BYTES);
    output->what.name = (struct liana_str){link->remote->name, link->remote->name_len};
    if (event == LIA_PEER_UP && link->remote->down_at) {
        output->what.away_ms = peer->now - link->remote->down_at;
    }
    if (error) {
        output->what.error = *error;
    }
}

bool lia_output_job(struct lia_peer *peer, struct lia_job *job)
{
    struct lia_output *output = lia_output_add(peer, LIA_PEER_JOB, lia_slice(NULL, 0));

    if (!output) {
        lia_job_free(job);
        return false;
    }
    output->what.job = job;
    output->what.link = job->link;
    peer->jobs_out++;
    return true;
}

void lia_output_drop_waiting(struct lia_peer_link *link)
{
    while (link->answered) {
        struct lia_request *next = link->answered->next;

        lia_request_free(link->answered);
        link->answered = next;
    }
    while (link->held) {
        struct lia_job *next = *lia_job_next(link->held);

        lia_job_free(link->held);
        link->held = next;
    }
}

/* A CLOSE output is part of its link, which goes with it. */
static void free_link(struct lia_peer *peer, struct lia_peer_link *link)
{
    struct lia_peer_link **at = &peer->links;

    while (*at != link) {
        at = &(*at)->next;
    }
    *at = link->next;
    lia_output_drop_waiting(link);
    lia_session_free(link->session);
    lia_known_release(peer->known, link->remote);
    lia_mem_free(peer->alloc, link->address, link->info.address.len + 1);
    lia_mem_wipe(link->info.exporter, sizeof(link->info.exporter));
    lia_mem_free(peer->alloc, link, sizeof(*link));
}

static void free_output(struct lia_peer *peer, struct lia_output *output)
{
    struct lia_peer_link *link = peer->links;

    while (link && &link->close != output) {
        link = link->next;
    }
    if (link) {
        free_link(peer, link);
    } else {
        lia_mem_free(peer->alloc, output, output->size);
    }
}

bool lia_peer_next(struct lia_peer *peer, struct lia_peer_output *out)
{
    do {
        if (peer->given) {
            free_output(peer, peer->given);
            peer->given = NULL;
        }
        if (!peer->first) {
            return false;
        }
        peer->given = peer->first;
        peer->first = peer->given->next;
        if (!peer->first) {
            peer->last = &peer->first;
        }
    } while (peer->given->is_silent);
    *out = peer->given->what;
    return true;
}

void lia_output_deinit(struct lia_peer *peer)
{
    struct lia_peer_output out;

    while (lia_peer_next(peer, &out)) {
        if (out.kind == LIA_PEER_JOB) {
            lia_job_free(out.job);
        }
    }
    while (peer->links) {
        free_link(peer, peer->links);
    }
}
