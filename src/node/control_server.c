/* SPDX-License-Identifier: Apache-2.0 */
#include "node/control_server.h"

#include "base/file.h"
#include "net/local_socket.h"
#include "net/transport.h"
#include "node/control_conn.h"

struct lia_control_server {
    struct lia_loop *loop;
    const struct lia_control_handlers *handlers;
    struct lia_address address;

    /* the loop's */
    struct lia_acceptor *acceptor; /* NULL once it is closed */
    struct lia_control_conn *conns;
    size_t conn_count;
    bool is_closing;

    struct lia_mutex mutex; /* guards is_closed; a leaf */
    struct lia_cond cond;
    bool is_closed;
};

static void finish(struct lia_control_server *server)
{
    if (server->is_closing && !server->acceptor && !server->conns) {
        lia_mutex_lock(&server->mutex);
        server->is_closed = true;
        lia_cond_signal(&server->cond);
        lia_mutex_unlock(&server->mutex);
    }
}

/* ---- clients ---- */

static void on_conn_closed(void *ctx, struct lia_control_conn *conn)
{
    struct lia_control_server *server = ctx;
    struct lia_control_conn **at = &server->conns;

    while (*at != conn) {
        at = lia_control_conn_next(*at);
    }
    *at = *lia_control_conn_next(conn);
    server->conn_count--;
    finish(server);
}

static const struct lia_control_conn_events conn_events = {.closed = on_conn_closed};

static void on_accepted(void *ctx, struct lia_stream *stream)
{
    struct lia_control_server *server = ctx;
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_control_conn *conn;

    if (server->is_closing || server->conn_count >= LIA_CONTROL_CLIENTS_MAX) {
        lia_err(&err, LIANA_ELIMIT, "%d clients are attached to the store already",
                LIA_CONTROL_CLIENTS_MAX);
        lia_control_refuse(stream, &err);
        return;
    }
    if (lia_control_conn_open(stream, server->handlers, &conn_events, server, &conn)) {
        lia_log(lia_loop_env(server->loop), LIA_LOG_WARN, "control",
                "no memory for another client");
        return;
    }
    *lia_control_conn_next(conn) = server->conns;
    server->conns = conn;
    server->conn_count++;
}

static void on_accept_failed(void *ctx,
                             liana_status status,
                             const struct liana_error *err)
{
    struct lia_control_server *server = ctx;

    (void)status;
    lia_log(lia_loop_env(server->loop), LIA_LOG_WARN, "control", "%s", err->message);
}

static void on_acceptor_closed(void *ctx)
{
    struct lia_control_server *server = ctx;

    server->acceptor = NULL;
    finish(server);
}

static const struct lia_acceptor_events acceptor_events = {
    .accepted = on_accepted,
    .failed = on_accept_failed,
    .closed = on_acceptor_closed,
};

/* ---- opening ---- */

/* A socket without a server behind it is what a crash left. */
static liana_status free_path(const char *path, struct liana_error *err)
{
    struct lia_local_socket probe;
    bool is_socket;
    liana_status status;

    if (!lia_file_exists(path, &is_socket)) {
        return LIANA_OK;
    }
    if (!is_socket) {
        return lia_err(err, LIANA_EEXISTS, "%s is there and is no socket", path);
    }
    status = lia_local_connect(path, &probe, NULL);
    if (!status) {
        lia_local_close(&probe);
        return lia_err(err, LIANA_EADDRINUSE, "%s is served by another process", path);
    }
    if (status != LIANA_ENOTFOUND) {
        return lia_err(err, status, "cannot tell whether %s is served", path);
    }
    return lia_file_remove(path, err);
}

struct opening {
    struct lia_control_server *server;
    liana_status status;
    struct liana_error *err;
};

static void do_listen(void *ctx)
{
    struct opening *opening = ctx;
    struct lia_control_server *server = opening->server;

    opening->status = lia_transport_unix_socket.listen(server->loop, &server->address,
                                                       &acceptor_events, server,
                                                       &server->acceptor, opening->err);
}

static liana_status set_address(struct lia_control_server *server,
                                const char *folder,
                                struct liana_error *err)
{
    struct lia_address *address = &server->address;
    struct lia_buf path;
    liana_status status;

    lia_buf_init_max(&path, lia_loop_env(server->loop)->alloc, sizeof(address->host));
    lia_path_join(&path, folder, LIA_CONTROL_FILE);
    status = path.status;
    if (!status) {
        memcpy(address->host, path.ptr, path.len);
        memcpy(address->scheme, lia_transport_unix_socket.scheme,
               strlen(lia_transport_unix_socket.scheme) + 1);
    } else {
        lia_err(err, status, "cannot serve %s: %s", folder, liana_status_text(status));
    }
    lia_buf_deinit(&path);
    return status;
}

static liana_status listen_in(struct lia_control_server *server,
                              const char *folder,
                              struct liana_error *err)
{
    struct opening opening = {.server = server, .err = err};
    liana_status status = set_address(server, folder, err);

    if (!status) {
        status = free_path(server->address.host, err);
    }
    if (!status) {
        lia_loop_call(server->loop, do_listen, &opening);
        status = opening.status;
    }
    return status;
}

static void free_server(struct lia_control_server *server)
{
    lia_cond_deinit(&server->cond);
    lia_mutex_deinit(&server->mutex);
    lia_mem_free(lia_loop_env(server->loop)->alloc, server, sizeof(*server));
}

static liana_status new_server(struct lia_loop *loop, struct lia_control_server **out)
{
    const struct liana_allocator *alloc = lia_loop_env(loop)->alloc;
    struct lia_control_server *server = lia_mem_zalloc(alloc, sizeof(*server));
    liana_status status = server ? lia_mutex_init(&server->mutex) : LIANA_ENOMEM;

    if (!status) {
        status = lia_cond_init(&server->cond);
        if (status) {
            lia_mutex_deinit(&server->mutex);
        }
    }
    if (status) {
        lia_mem_free(alloc, server, sizeof(*server));
        return status;
    }
    server->loop = loop;
    *out = server;
    return LIANA_OK;
}

liana_status lia_control_server_open(struct lia_loop *loop,
                                     const char *folder,
                                     const struct lia_control_handlers *handlers,
                                     struct lia_control_server **out,
                                     struct liana_error *err)
{
    struct lia_control_server *server;
    liana_status status = new_server(loop, &server);

    if (status) {
        return lia_err_plain(err, status);
    }
    server->handlers = handlers;
    status = listen_in(server, folder, err);
    if (status) {
        free_server(server);
        return status;
    }
    *out = server;
    return LIANA_OK;
}

/* ---- closing ---- */

static void do_close(void *ctx)
{
    struct lia_control_server *server = ctx;

    server->is_closing = true;
    lia_transport_unix_socket.close(server->acceptor);
    for (struct lia_control_conn *conn = server->conns; conn;
         conn = *lia_control_conn_next(conn)) {
        lia_control_conn_close(conn);
    }
}

void lia_control_server_close(struct lia_control_server *server)
{
    lia_loop_call(server->loop, do_close, server);
    lia_mutex_lock(&server->mutex);
    while (!server->is_closed) {
        lia_cond_wait(&server->cond, &server->mutex);
    }
    lia_mutex_unlock(&server->mutex);
    free_server(server);
}
