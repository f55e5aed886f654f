/* SPDX-License-Identifier: Apache-2.0 */
#include "net/transports/tcp/dial.h"

#include <netdb.h>

#include "net/timer.h"
#include "net/transports/tcp/lookup.h"
#include "net/transports/tcp/sockaddr.h"
#include "net/uv_error.h"

/* The dial lives until its timer is closed; what it waits for keeps it open:
 *
 *     lookup under way    its callback comes; cancelled, it is left to itself
 *     attempt under way   `is_waiting`; its callback comes, cancelled or not
 *     nothing under way   conclude() closes the timer, `done` follows
 */
struct tcp_dial {
    struct lia_dial base; /* first: a dial is its tcp_dial */

    struct lia_lookup *lookup;   /* under way; else NULL */
    struct addrinfo *list;       /* of the lookup; NULL for a numeric host */
    const struct addrinfo *next; /* of the list, to be tried */

    struct lia_timer timer; /* the attempt's */
    uv_connect_t connect;
    struct lia_uv_stream *stream; /* the attempt's */

    bool is_waiting;
    bool is_timed_out;
    liana_status status;
    struct liana_error err;
};

static void on_timer_closed(void *ctx)
{
    struct tcp_dial *d = ctx;
    struct tcp_dial last = *d;

    if (d->list) {
        freeaddrinfo(d->list);
    }
    lia_mem_free(lia_loop_env(d->base.loop)->alloc, d, sizeof(*d));
    if (last.base.is_cancelled && last.stream) {
        lia_stream_close(&last.stream->base);
        last.stream = NULL;
    }
    last.base.done(last.base.ctx,
                   last.base.is_cancelled ? LIANA_ECANCELED : last.status,
                   last.stream ? &last.stream->base : NULL, &last.err);
}

static void conclude(struct tcp_dial *d)
{
    lia_timer_close(&d->timer, on_timer_closed);
}

static void fail(struct tcp_dial *d, int rc)
{
    char text[LIA_ADDRESS_TEXT];

    lia_address_format(&d->base.address, text);
    d->err = (struct liana_error)LIANA_ERROR_INIT;
    if (d->is_timed_out) {
        d->status = lia_err(&d->err, LIANA_ETIMEOUT,
                            "cannot connect to %s: no answer within %d s", text,
                            LIA_TCP_ATTEMPT_MS / 1000);
    } else {
        d->status = lia_err_uv(&d->err, rc, "cannot connect to", text);
    }
}

static void try_next(struct tcp_dial *d);

static void on_connect(uv_connect_t *req, int rc)
{
    struct tcp_dial *d = req->data;

    lia_timer_clear(&d->timer);
    d->is_waiting = false;
    if (rc == 0 && !d->is_timed_out) {
        lia_tcp_connected(d->stream);
        d->status = LIANA_OK;
        conclude(d);
        return;
    }
    fail(d, rc);
    lia_stream_close(&d->stream->base);
    d->stream = NULL;
    try_next(d);
}

static int attempt(struct tcp_dial *d, const struct sockaddr *to)
{
    int rc;

    d->stream = lia_uv_stream_alloc(d->base.loop);
    if (!d->stream) {
        return UV_ENOMEM;
    }
    rc = uv_tcp_init(lia_loop_uv(d->base.loop), &d->stream->uv.tcp);
    if (rc) {
        lia_uv_stream_free(d->stream);
        d->stream = NULL;
        return rc;
    }
    lia_uv_stream_init(d->stream);
    d->connect.data = d;
    rc = uv_tcp_connect(&d->connect, &d->stream->uv.tcp, to, on_connect);
    if (rc) {
        lia_stream_close(&d->stream->base);
        d->stream = NULL;
        return rc;
    }
    d->is_waiting = true;
    d->is_timed_out = false;
    lia_timer_set(&d->timer, LIA_TCP_ATTEMPT_MS);
    return 0;
}

/* Ends the attempt that is under way: its callback comes with UV_ECANCELED, and goes on
 * from there. */
static void break_attempt(struct tcp_dial *d)
{
    struct lia_uv_stream *stream = d->stream;

    /* The stream's memory outlives the callback; d->stream is still set in it. */
    lia_stream_close(&stream->base);
}

static void on_attempt_timeout(void *ctx)
{
    struct tcp_dial *d = ctx;

    if (d->stream && d->is_waiting) {
        d->is_timed_out = true;
        break_attempt(d);
    }
}

static void try_next(struct tcp_dial *d)
{
    while (d->next && !d->base.is_cancelled) {
        const struct addrinfo *at = d->next;
        int rc;

        d->next = at->ai_next;
        rc = attempt(d, at->ai_addr);
        if (!rc) {
            return;
        }
        d->is_timed_out = false;
        fail(d, rc);
    }
    conclude(d);
}

static void fail_lookup(struct tcp_dial *d, int rc)
{
    d->err = (struct liana_error)LIANA_ERROR_INIT;
    d->status =
        lia_err_sub(&d->err, rc == EAI_MEMORY ? LIANA_ENOMEM : LIANA_EUNREACHABLE, rc,
                    "cannot find host %s: %s", d->base.address.host, gai_strerror(rc));
}

static void on_lookup(void *ctx, int rc, struct addrinfo *list)
{
    struct tcp_dial *d = ctx;

    d->lookup = NULL;
    if (rc) {
        fail_lookup(d, rc);
    } else {
        d->list = list;
        d->next = list;
    }
    try_next(d);
}

/* A numeric host is not looked up. */
static void begin(struct tcp_dial *d)
{
    const char *host = d->base.address.host[0] ? d->base.address.host : "localhost";
    uint16_t port = d->base.address.port;
    struct sockaddr_storage to;
    int rc;

    if (lia_sockaddr_numeric(host, port, &to)) {
        rc = attempt(d, (const struct sockaddr *)&to);
        if (rc) {
            fail(d, rc);
            conclude(d);
        }
        return;
    }
    d->status = lia_lookup_start(d->base.loop, host, port, on_lookup, d, &d->lookup);
    if (d->status) {
        lia_err(&d->err, d->status, "cannot look up host %s: %s", host,
                liana_status_text(d->status));
        conclude(d);
    }
}

liana_status lia_tcp_dial(struct lia_loop *loop,
                          const struct lia_address *address,
                          lia_dialed_fn done,
                          void *ctx,
                          struct lia_dial **out,
                          struct liana_error *err)
{
    struct tcp_dial *d = lia_mem_zalloc(lia_loop_env(loop)->alloc, sizeof(*d));

    if (!d) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    d->base.loop = loop;
    d->base.address = *address;
    d->base.done = done;
    d->base.ctx = ctx;
    lia_timer_init(&d->timer, loop, on_attempt_timeout, d);
    begin(d); /* whose failures are told by `done` */
    *out = &d->base;
    return LIANA_OK;
}

void lia_tcp_dial_cancel(struct lia_dial *dial)
{
    struct tcp_dial *d = (struct tcp_dial *)dial;

    if (d->base.is_cancelled) {
        return;
    }
    d->base.is_cancelled = true;
    if (d->lookup) {
        lia_lookup_cancel(d->lookup);
        d->lookup = NULL;
        conclude(d);
    } else if (d->is_waiting) {
        break_attempt(d);
    } /* else it is concluding */
}
