/* SPDX-License-Identifier: Apache-2.0 */
#include "node/internal.h"

static void enter(struct lia_dialer *dialer, enum lia_link_state state)
{
    const struct lia_env *env = dialer->node->env;

    dialer->state = state;
    dialer->since_ms = env->wall_ms(env->ctx);
}

static void finish(struct lia_dialer *dialer)
{
    struct lia_node *node = dialer->node;
    struct lia_dialer **at = &node->dialers;

    if (dialer->dial || dialer->link || !dialer->is_timer_closed) {
        return;
    }
    while (*at != dialer) {
        at = &(*at)->next;
    }
    *at = dialer->next;
    lia_mem_free(node->env->alloc, dialer, sizeof(*dialer));
    lia_node_check_closed(node);
}

/* Until the next attempt, after a link that was up for `up_ms`. */
static void pause(struct lia_dialer *dialer, uint64_t up_ms)
{
    uint64_t delay_ms = lia_backoff_next(&dialer->backoff, dialer->node->env, up_ms);

    enter(dialer, LIA_LINK_WAITING);
    lia_timer_set(&dialer->timer, delay_ms);
    lia_log(dialer->node->env, LIA_LOG_DEBUG, "node", "%s is dialled again in %llu ms",
            dialer->text, (unsigned long long)delay_ms);
}

static void fail(struct lia_dialer *dialer, const struct liana_error *err)
{
    dialer->error = *err;
    lia_node_tell_failure(dialer->node, &dialer->outage, dialer->text, err);
    pause(dialer, 0);
}

static void on_dialed(void *ctx,
                      liana_status status,
                      struct lia_stream *stream,
                      const struct liana_error *dial_err)
{
    struct lia_dialer *dialer = ctx;
    struct liana_error err = *dial_err;

    dialer->dial = NULL;
    if (dialer->is_closing) {
        if (stream) {
            lia_stream_close(stream);
        }
        finish(dialer);
        return;
    }
    if (!status) {
        status = lia_node_link_open(dialer->node, stream, NULL, dialer, &err);
    }
    if (status) {
        fail(dialer, &err);
    } else {
        enter(dialer, LIA_LINK_HANDSHAKE);
    }
}

void lia_dialer_begin(struct lia_dialer *dialer)
{
    struct liana_error err = LIANA_ERROR_INIT;

    enter(dialer, LIA_LINK_CONNECTING);
    if (dialer->transport->dial(dialer->node->loop, &dialer->address, on_dialed, dialer,
                                &dialer->dial, &err)) {
        dialer->dial = NULL;
        fail(dialer, &err);
    }
}

static void on_timer(void *ctx)
{
    lia_dialer_begin(ctx);
}

void lia_dialer_link_up(struct lia_dialer *dialer)
{
    dialer->error = (struct liana_error)LIANA_ERROR_INIT;
    enter(dialer, LIA_LINK_UP);
}

void lia_dialer_link_used(struct lia_dialer *dialer)
{
    lia_outage_end(&dialer->outage, lia_node_now(dialer->node));
}

static void rest(struct lia_dialer *dialer, const struct lia_node_link *link)
{
    dialer->is_resting = true;
    memcpy(dialer->remote, link->remote, sizeof(dialer->remote));
    lia_outage_end(&dialer->outage, lia_node_now(dialer->node));
    enter(dialer, LIA_LINK_WAITING);
}

void lia_dialers_wake(struct lia_node *node, const uint8_t remote[LIA_PEER_ID_BYTES])
{
    if (lia_node_is_linked(node, remote)) {
        return;
    }
    for (struct lia_dialer *dialer = node->dialers; dialer; dialer = dialer->next) {
        if (dialer->is_resting && !dialer->is_closing &&
            memcmp(dialer->remote, remote, LIA_PEER_ID_BYTES) == 0) {
            dialer->is_resting = false;
            dialer->backoff = (struct lia_backoff){0};
            pause(dialer, 0);
        }
    }
}

void lia_dialer_link_gone(struct lia_dialer *dialer)
{
    struct lia_node_link *link = dialer->link;
    uint64_t up_ms = link->up_at ? lia_node_now(dialer->node) - link->up_at : 0;
    uint64_t in;
    uint64_t out;

    lia_net_link_wire(link->net, &in, &out);
    dialer->wire_in += in;
    dialer->wire_out += out;
    dialer->payload_in += link->payload_in;
    dialer->payload_out += link->payload_out;
    dialer->link = NULL;
    if (dialer->is_closing) {
        finish(dialer);
        return;
    }
    if (link->error.status == LIANA_EEXISTS &&
        lia_node_is_linked(dialer->node, link->remote)) {
        rest(dialer, link);
    } else {
        pause(dialer, up_ms);
    }
}

liana_status lia_dialer_open(struct lia_node *node,
                             const struct lia_address *address,
                             struct lia_dialer **out,
                             struct liana_error *err)
{
    struct lia_dialer *dialer = lia_mem_zalloc(node->env->alloc, sizeof(*dialer));
    liana_status status;

    if (!dialer) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    status = lia_transport_find(address, &dialer->transport, err);
    if (status) {
        lia_mem_free(node->env->alloc, dialer, sizeof(*dialer));
        return status;
    }
    dialer->node = node;
    dialer->address = *address;
    lia_address_format(address, dialer->text);
    enter(dialer, LIA_LINK_WAITING);
    lia_timer_init(&dialer->timer, node->loop, on_timer, dialer);
    dialer->next = node->dialers;
    node->dialers = dialer;
    *out = dialer;
    return LIANA_OK;
}

static void on_timer_closed(void *ctx)
{
    struct lia_dialer *dialer = ctx;

    dialer->is_timer_closed = true;
    finish(dialer);
}

void lia_dialer_close(struct lia_dialer *dialer)
{
    if (dialer->is_closing) {
        return;
    }
    dialer->is_closing = true;
    lia_timer_close(&dialer->timer, on_timer_closed);
    if (dialer->dial) {
        dialer->transport->cancel(dialer->dial);
    }
    if (dialer->link) {
        lia_node_link_end(dialer->link);
    }
}
