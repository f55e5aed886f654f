/* SPDX-License-Identifier: Apache-2.0 */
#include "net/link.h"

#include "base/buf.h"
#include "net/timer.h"

#define CHUNK_BYTES ((size_t)16 * 1024) /* through TLS at a time: bounds its buffers */

enum state { HANDSHAKE, UP, DOWN, LINGER, CLOSED };

struct lia_net_link {
    const struct liana_allocator *alloc;
    const struct lia_link_config *config;
    enum state state;
    struct lia_stream *stream; /* NULL once it is closed */
    struct lia_tls *tls;
    const struct lia_net_link_events *events;
    void *ctx;
    struct lia_buf pending; /* sent and not yet encrypted */
    struct lia_timer
        timer; /* until admitted, LINGER, or a failure that is still to be told */
    bool is_timer_closed;
    bool is_stream_ended;
    liana_status reason;
    struct liana_error err;
    uint64_t wire_in;
    uint64_t wire_out;
    char remote[LIA_ADDRESS_TEXT];
};

/* ---- going down ---- */

static void tell_down(struct lia_net_link *link)
{
    link->state = DOWN;
    link->events->down(link->ctx, link->reason, &link->err);
}

static void go_down(struct lia_net_link *link, liana_status reason)
{
    if (link->state == HANDSHAKE || link->state == UP) {
        link->reason = reason;
        lia_timer_clear(&link->timer);
        tell_down(link);
    }
}

/* From inside a call of the owner's: told a moment later. */
static void go_down_soon(struct lia_net_link *link, liana_status reason)
{
    link->state = DOWN;
    link->reason = reason;
    lia_timer_set(&link->timer, 0);
}

static void finish_closing(struct lia_net_link *link)
{
    if (link->stream || !link->is_timer_closed) {
        return;
    }
    link->events->closed(link->ctx);
    lia_tls_free(link->tls);
    lia_buf_deinit(&link->pending);
    lia_mem_free(link->alloc, link, sizeof(*link));
}

static void on_timer_closed(void *ctx)
{
    struct lia_net_link *link = ctx;

    link->is_timer_closed = true;
    finish_closing(link);
}

static void close_now(struct lia_net_link *link)
{
    link->state = CLOSED;
    lia_timer_close(&link->timer, on_timer_closed);
    lia_stream_close(link->stream);
}

/* ---- out ---- */

static liana_status send_output(struct lia_net_link *link)
{
    struct liana_slice out = lia_tls_output(link->tls);
    liana_status status = LIANA_OK;

    if (out.len > 0) {
        status = lia_stream_send(link->stream, out);
        lia_tls_sent(link->tls);
    }
    return status;
}

void lia_net_link_admit(struct lia_net_link *link)
{
    if (link->state == UP) {
        lia_timer_clear(&link->timer);
    }
}

liana_status lia_net_link_send(struct lia_net_link *link, struct liana_slice bytes)
{
    if (link->state != UP) {
        return LIANA_ECLOSED;
    }
    if (link->stream->queued + link->pending.len + bytes.len > LIA_LINK_QUEUE_MAX) {
        return LIANA_ELIMIT;
    }
    lia_buf_slice_add(&link->pending, bytes);
    if (link->pending.status) {
        return link->pending.status;
    }
    return link->pending.len >= CHUNK_BYTES ? lia_net_link_flush(link) : LIANA_OK;
}

liana_status lia_net_link_flush(struct lia_net_link *link)
{
    struct liana_slice rest = lia_buf_slice(&link->pending);
    liana_status status = link->pending.status;

    if (link->state != UP) {
        return LIANA_ECLOSED;
    }
    while (!status && rest.len > 0) {
        size_t n = rest.len < CHUNK_BYTES ? rest.len : CHUNK_BYTES;

        status = lia_tls_write(link->tls, lia_slice_sub(rest, 0, n), NULL);
        if (!status) {
            status = send_output(link);
        }
        rest = lia_slice_sub(rest, n, rest.len - n);
    }
    /* An idle session keeps no buffer. */
    lia_buf_deinit(&link->pending);
    lia_buf_init(&link->pending, link->alloc);
    return status;
}

/* ---- in ---- */

static void go_up(struct lia_net_link *link)
{
    link->state = UP;
    link->events->up(link->ctx, lia_tls_peer(link->tls));
}

/* Reads what TLS has, as long as the owner wants it. */
static void drain(struct lia_net_link *link)
{
    uint8_t clear[CHUNK_BYTES];

    for (;;) {
        liana_status status;
        size_t n;

        status = lia_tls_read(link->tls, clear, sizeof(clear), &n, &link->err);
        if (send_output(link) && !status) {
            status = lia_err(&link->err, LIANA_ECLOSED, "connection with %s broke",
                             link->remote);
        }
        if (status && status != LIANA_EEND) {
            lia_err_prefix(&link->err, "%s", link->remote);
            go_down(link, status);
            return;
        }
        if (link->state == HANDSHAKE && lia_tls_is_up(link->tls)) {
            go_up(link);
        }
        if (link->state != UP) {
            return;
        }
        if (status == LIANA_EEND) {
            go_down(link, LIANA_OK);
            return;
        }
        if (n == 0) {
            return;
        }
        link->events->bytes(link->ctx, lia_slice(clear, n));
        if (link->state != UP) {
            return;
        }
    }
}

static void on_bytes(void *ctx, struct liana_slice bytes)
{
    struct lia_net_link *link = ctx;

    while (bytes.len > 0 && (link->state == HANDSHAKE || link->state == UP)) {
        size_t n = bytes.len < CHUNK_BYTES ? bytes.len : CHUNK_BYTES;

        if (lia_tls_receive(link->tls, lia_slice_sub(bytes, 0, n))) {
            go_down(link, lia_err_plain(&link->err, LIANA_ENOMEM));
            return;
        }
        bytes = lia_slice_sub(bytes, n, bytes.len - n);
        drain(link);
    }
}

static void on_drained(void *ctx)
{
    struct lia_net_link *link = ctx;

    if (link->state == UP && link->events->drained) {
        link->events->drained(link->ctx);
    }
}

static void on_ended(void *ctx, liana_status reason, const struct liana_error *err)
{
    struct lia_net_link *link = ctx;

    link->is_stream_ended = true;
    if (link->state == LINGER) {
        close_now(link);
        return;
    }
    if (reason) {
        link->err = *err;
        go_down(link, reason);
    } else {
        /* Without close_notify: cut off by somebody, or by a crash. */
        go_down(link, lia_err(&link->err, LIANA_ECLOSED, "%s ended without goodbye",
                              link->remote));
    }
}

static void on_stream_closed(void *ctx)
{
    struct lia_net_link *link = ctx;

    link->wire_in = link->stream->bytes_in;
    link->wire_out = link->stream->bytes_out;
    link->stream = NULL;
    finish_closing(link);
}

static const struct lia_stream_events stream_events = {
    .bytes = on_bytes,
    .drained = on_drained,
    .ended = on_ended,
    .closed = on_stream_closed,
};

/* ---- life ---- */

static void on_timer(void *ctx)
{
    struct lia_net_link *link = ctx;

    switch (link->state) {
    case HANDSHAKE:
        go_down(link,
                lia_err(&link->err, LIANA_ETIMEOUT, "%s: no TLS handshake within %u ms",
                        link->remote, link->config->handshake_ms));
        break;
    case DOWN: tell_down(link); break;
    case LINGER: close_now(link); break;
    case UP:
        go_down(link, lia_err(&link->err, LIANA_ETIMEOUT,
                              "%s has not proved within %u ms that it may join",
                              link->remote, link->config->handshake_ms));
        break;
    case CLOSED: break;
    }
}

/* The dialer speaks first. */
static void begin(struct lia_net_link *link)
{
    liana_status status = lia_stream_start(link->stream, &stream_events, link);
    size_t n;

    if (!status) {
        status = lia_tls_read(link->tls, NULL, 0, &n, &link->err);
    }
    if (!status) {
        status = send_output(link);
    }
    if (status) {
        lia_err(&link->err, status, "connection with %s broke", link->remote);
        go_down_soon(link, status);
    } else {
        lia_timer_set(&link->timer, link->config->handshake_ms);
    }
}

liana_status lia_net_link_new(const struct lia_link_config *config,
                              struct lia_stream *stream,
                              bool is_dialer,
                              const struct lia_net_link_events *events,
                              void *ctx,
                              struct lia_net_link **out,
                              struct liana_error *err)
{
    const struct liana_allocator *alloc = lia_loop_env(stream->loop)->alloc;
    struct lia_net_link *link = lia_mem_zalloc(alloc, sizeof(*link));
    liana_status status = link ? LIANA_OK : lia_err_plain(err, LIANA_ENOMEM);

    if (!status) {
        status = lia_tls_new(alloc, &config->tls, is_dialer, &link->tls, err);
    }
    if (status) {
        lia_mem_free(alloc, link, sizeof(*link));
        lia_stream_close(stream);
        return status;
    }
    link->alloc = alloc;
    link->config = config;
    link->stream = stream;
    link->events = events;
    link->ctx = ctx;
    memcpy(link->remote, stream->remote, sizeof(link->remote));
    lia_buf_init(&link->pending, alloc);
    lia_timer_init(&link->timer, stream->loop, on_timer, link);
    begin(link);
    *out = link;
    return LIANA_OK;
}

void lia_net_link_pause(struct lia_net_link *link, bool paused)
{
    if (link->state == UP) {
        lia_stream_pause(link->stream, paused);
    }
}

void lia_net_link_close(struct lia_net_link *link)
{
    enum state before = link->state;
    bool is_broken = link->is_stream_ended;

    if (before == LINGER || before == CLOSED) {
        return;
    }
    if (before == UP) {
        is_broken = lia_net_link_flush(link) != LIANA_OK;
    }
    link->state = LINGER;
    lia_tls_finish(link->tls);
    if (is_broken || send_output(link)) {
        close_now(link);
        return;
    }
    /* Closing with unread bytes would make the system reset the connection, and take
     * what was just sent from the other side: wait for its end. */
    lia_stream_pause(link->stream, false);
    lia_stream_finish(link->stream);
    lia_timer_set(&link->timer, link->config->linger_ms);
}

void lia_net_link_drop(struct lia_net_link *link)
{
    if (link->state != CLOSED) {
        close_now(link);
    }
}

void lia_net_link_wire(const struct lia_net_link *link, uint64_t *in, uint64_t *out)
{
    *in = link->stream ? link->stream->bytes_in : link->wire_in;
    *out = link->stream ? link->stream->bytes_out : link->wire_out;
}

const char *lia_net_link_remote(const struct lia_net_link *link)
{
    return link->remote;
}
