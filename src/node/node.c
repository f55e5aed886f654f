/* SPDX-License-Identifier: Apache-2.0 */
#include "node/internal.h"

/* ---- carrying out what the peer says ---- */

uint64_t lia_node_now(const struct lia_node *node)
{
    return node->env->mono_ms(node->env->ctx);
}

static void carry_out(struct lia_node *node, const struct lia_peer_output *out)
{
    struct lia_node_link *link;

    switch (out->kind) {
    case LIA_PEER_SEND:
        link = lia_node_link_by_id(node, out->link);
        if (link && link->is_known) {
            lia_node_link_send(link, out->bytes);
        }
        break;
    case LIA_PEER_CLOSE:
        link = lia_node_link_by_id(node, out->link);
        if (link && link->is_known) {
            lia_node_link_closed_by_peer(link, &out->error);
        }
        break;
    case LIA_PEER_JOB: lia_jobs_push(&node->jobs, out->job); break;
    case LIA_PEER_EVENT: lia_node_tell_peer(node, out); break;
    }
}

static void set_timer(struct lia_node *node)
{
    uint64_t deadline = lia_peer_deadline(node->peer);
    uint64_t now = lia_node_now(node);

    if (deadline == UINT64_MAX) {
        lia_timer_clear(&node->timer);
    } else {
        lia_timer_set(&node->timer, deadline > now ? deadline - now : 0);
    }
}

void lia_node_pump(struct lia_node *node)
{
    struct lia_peer_output out;

    do {
        while (lia_peer_next(node->peer, &out)) {
            carry_out(node, &out);
        }
    } while (lia_node_links_settle(node));
    if (node->state == LIA_NODE_RUNS) {
        set_timer(node);
    } else {
        lia_node_check_closed(node);
    }
}

static void on_timer(void *ctx)
{
    struct lia_node *node = ctx;

    lia_peer_tick(node->peer, lia_node_now(node));
    lia_node_pump(node);
}

static void on_job_done(void *ctx, struct lia_job *job)
{
    struct lia_node *node = ctx;

    lia_peer_job_done(node->peer, job, lia_node_now(node));
    lia_node_pump(node);
}

/* From any thread: a commit became durable. */
static void wake(void *ctx)
{
    struct lia_node *node = ctx;

    if (!atomic_exchange(&node->is_wake_posted, true)) {
        lia_loop_post(node->loop, &node->wake);
    }
}

static void on_wake(struct lia_task *task)
{
    struct lia_node *node = lia_task_owner(task, struct lia_node, wake);

    atomic_store(&node->is_wake_posted, false);
    if (node->peer) {
        lia_peer_wake(node->peer, lia_node_now(node));
        lia_node_pump(node);
    }
}

/* ---- subscriptions ---- */

struct subscribing {
    struct lia_node *node;
    struct liana_str collection;
    struct liana_slice query;
    uint64_t id;
    uint64_t *out_id;
    struct liana_error *err;
    liana_status status;
};

static void do_subscribe(void *ctx)
{
    struct subscribing *s = ctx;

    s->status = lia_peer_subscribe(s->node->peer, s->collection, s->query,
                                   lia_node_now(s->node), &s->id, s->err);
    if (!s->status) {
        *s->out_id = s->id;
    }
    lia_node_pump(s->node);
}

liana_status lia_node_subscribe(struct lia_node *node,
                                struct liana_str collection,
                                struct liana_slice query,
                                uint64_t *out_id,
                                struct liana_error *err)
{
    struct subscribing s = {.node = node,
                            .collection = collection,
                            .query = query,
                            .out_id = out_id,
                            .err = err};

    lia_loop_call(node->loop, do_subscribe, &s);
    return s.status;
}

static void do_unsubscribe(void *ctx)
{
    struct subscribing *s = ctx;

    s->status =
        lia_peer_unsubscribe(s->node->peer, s->id, lia_node_now(s->node), s->err);
    lia_node_pump(s->node);
}

liana_status lia_node_unsubscribe(struct lia_node *node,
                                  uint64_t id,
                                  struct liana_error *err)
{
    struct subscribing s = {.node = node, .id = id, .err = err};

    lia_loop_call(node->loop, do_unsubscribe, &s);
    return s.status;
}

/* ---- the end ---- */

static void on_timer_closed(void *ctx)
{
    struct lia_node *node = ctx;

    lia_mutex_lock(&node->mutex);
    node->is_closed = true;
    lia_cond_signal(&node->cond);
    lia_mutex_unlock(&node->mutex);
}

void lia_node_check_closed(struct lia_node *node)
{
    if (node->state == LIA_NODE_CLOSES && !node->ports && !node->dialers &&
        !node->links && lia_peer_is_closed(node->peer)) {
        node->state = LIA_NODE_CLOSED;
        lia_timer_close(&node->timer, on_timer_closed);
    }
}

/* The peer says goodbye on the links that it knows before anything else ends them. */
static void do_close(void *ctx)
{
    struct lia_node *node = ctx;

    node->state = LIA_NODE_CLOSES;
    lia_timer_clear(&node->timer);
    lia_peer_close(node->peer);
    lia_node_pump(node);
    for (struct lia_port *port = node->ports; port; port = port->next) {
        lia_port_close(port);
    }
    for (struct lia_dialer *dialer = node->dialers; dialer; dialer = dialer->next) {
        lia_dialer_close(dialer);
    }
    for (struct lia_node_link *link = node->links; link; link = link->next) {
        lia_node_link_end(link);
    }
    lia_node_pump(node);
}

static void do_free_peer(void *ctx)
{
    struct lia_node *node = ctx;

    lia_peer_free(node->peer);
    node->peer = NULL;
}

static void nothing(void *ctx)
{
    (void)ctx;
}

static void free_node(struct lia_node *node)
{
    lia_tls_config_deinit(&node->config.tls);
    lia_cond_deinit(&node->cond);
    lia_mutex_deinit(&node->mutex);
    lia_mem_free(node->env->alloc, node, sizeof(*node));
}

void lia_node_stop(struct lia_node *node)
{
    lia_loop_call(node->loop, do_close, node);
    lia_mutex_lock(&node->mutex);
    while (!node->is_closed) {
        lia_cond_wait(&node->cond, &node->mutex);
    }
    lia_mutex_unlock(&node->mutex);
    lia_jobs_stop(&node->jobs);
    lia_loop_call(node->loop, do_free_peer, node);
    /* A wake that was posted before the peer was gone has run when this has. */
    lia_loop_call(node->loop, nothing, NULL);
    free_node(node);
}

/* ---- the beginning ---- */

struct beginning {
    struct lia_node *node;
    struct liana_error *err;
    liana_status status;
};

/* On the loop: the first wake may come as soon as there is a peer. */
static void do_begin(void *ctx)
{
    struct beginning *begin = ctx;
    struct lia_node *node = begin->node;
    struct lia_peer_options options = {.env = node->env,
                                       .db = node->options.db,
                                       .auth = &node->auth,
                                       .known = node->options.known,
                                       .sessions_max = LIA_NODE_SESSIONS_MAX,
                                       .name = node->options.name,
                                       .wake = wake,
                                       .wake_ctx = node};

    memcpy(options.id, node->options.identity->peer_id, sizeof(options.id));
    begin->status = lia_peer_new(&options, &node->peer, begin->err);
    if (!begin->status) {
        lia_timer_init(&node->timer, node->loop, on_timer, node);
        lia_node_pump(node);
    }
}

static liana_status init_sync(struct lia_node *node)
{
    liana_status status = lia_mutex_init(&node->mutex);

    if (!status) {
        status = lia_cond_init(&node->cond);
        if (status) {
            lia_mutex_deinit(&node->mutex);
        }
    }
    return status;
}

static struct lia_node *new_node(const struct lia_node_options *options)
{
    const struct lia_env *env = options->env;
    struct lia_node *node = lia_mem_zalloc(env->alloc, sizeof(*node));

    if (!node) {
        return NULL;
    }
    node->options = *options;
    node->env = env;
    node->loop = options->loop;
    node->auth = lia_auth_of(options->trust);
    node->wake.run = on_wake;
    node->config.handshake_ms =
        options->handshake_ms ? options->handshake_ms : LIA_LINK_HANDSHAKE_MS;
    node->config.linger_ms =
        options->linger_ms ? options->linger_ms : LIA_LINK_LINGER_MS;
    if (init_sync(node)) {
        lia_mem_free(env->alloc, node, sizeof(*node));
        return NULL;
    }
    return node;
}

liana_status lia_node_start(const struct lia_node_options *options,
                            struct lia_node **out,
                            struct liana_error *err)
{
    struct lia_node *node = new_node(options);
    struct beginning begin = {.node = node, .err = err};
    liana_status status;

    if (!node) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    status = lia_tls_config_init(&node->config.tls, options->identity->key,
                                 options->identity->certificate, err);
    if (!status) {
        status = lia_jobs_start(&node->jobs, node->loop,
                                options->readers ? options->readers : 1, on_job_done,
                                node, err);
    }
    if (status) {
        free_node(node);
        return status;
    }
    lia_loop_call(node->loop, do_begin, &begin);
    if (begin.status) {
        lia_jobs_stop(&node->jobs);
        free_node(node);
        return begin.status;
    }
    if (options->trust->mode == LIA_TRUST_OPEN) {
        lia_log(node->env, LIA_LOG_WARN, "node",
                "trust mode 'open': whoever reaches this peer may read and write");
    }
    *out = node;
    return LIANA_OK;
}
