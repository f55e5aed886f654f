/* SPDX-License-Identifier: Apache-2.0 */
#include "api/serve_internal.h"

/* ---- what is held ---- */

liana_status lia_lent_add(struct lia_serve_session *s,
                          enum lia_lent_kind kind,
                          void *handle,
                          struct lia_lent **out)
{
    struct lia_lent *h = lia_mem_zalloc(&s->local->alloc, sizeof(*h));

    if (!h) {
        return LIANA_ENOMEM;
    }
    *h = (struct lia_lent){s->held, kind, ++s->last_id, handle, 0};
    s->held = h;
    *out = h;
    return LIANA_OK;
}

struct lia_lent *lia_lent_find(struct lia_serve_session *s,
                               enum lia_lent_kind kind,
                               uint64_t id)
{
    for (struct lia_lent *h = s->held; h; h = h->next) {
        if (h->kind == kind && h->id == id) {
            return h;
        }
    }
    return NULL;
}

liana_status lia_lent_get(struct lia_serve_session *s,
                          enum lia_lent_kind kind,
                          uint64_t id,
                          struct lia_lent **out,
                          struct liana_error *err)
{
    *out = lia_lent_find(s, kind, id);
    return *out ? LIANA_OK
                : lia_err(err, LIANA_ENOTFOUND, "nothing is open under the number %llu",
                          (unsigned long long)id);
}

void lia_lent_forget(struct lia_serve_session *s, struct lia_lent *held)
{
    struct lia_lent **at;

    for (at = &s->held; *at != held; at = &(*at)->next) {
    }
    *at = held->next;
    lia_mem_free(&s->local->alloc, held, sizeof(*held));
}

void lia_lent_end(struct lia_serve_session *s, struct lia_lent *held)
{
    switch (held->kind) {
    case LIA_LENT_RESULT: liana_result_free(held->handle); break;
    case LIA_LENT_TXN: liana_rollback(held->handle); break;
    case LIA_LENT_FEED: liana_feed_close(held->handle); break;
    }
    lia_lent_forget(s, held);
}

/* ---- a client comes and goes ---- */

static liana_status attach(void *ctx, void **out_session, struct liana_error *err)
{
    struct lia_local *local = ctx;
    struct lia_serve_session *s = lia_mem_zalloc(&local->alloc, sizeof(*s));
    liana_status status = s ? lia_mutex_init(&s->mutex) : LIANA_ENOMEM;

    if (status) {
        lia_mem_free(&local->alloc, s, sizeof(*s));
        return lia_err_plain(err, status);
    }
    s->local = local;
    status = lia_local_share(local, &s->db, err);
    if (status) {
        lia_mutex_deinit(&s->mutex);
        lia_mem_free(&local->alloc, s, sizeof(*s));
        return status;
    }
    *out_session = s;
    return LIANA_OK;
}

static void detach(void *session)
{
    struct lia_serve_session *s = session;
    struct lia_local *local = s->local;

    while (s->held) {
        lia_lent_end(s, s->held);
    }
    LIA_IGNORE(liana_close(s->db, NULL)); /* nothing is open any more */
    lia_mutex_deinit(&s->mutex);
    lia_mem_free(&local->alloc, s, sizeof(*s));
}

static void cancel(void *session)
{
    struct lia_serve_session *s = session;

    lia_mutex_lock(&s->mutex);
    liana_feed_cancel(s->waiting);
    lia_mutex_unlock(&s->mutex);
    lia_queue_end(&lia_local_of(s->db)->queue);
}

/* ---- sync ---- */

static liana_status subscribe(void *session,
                              struct liana_slice body,
                              struct lia_control_reply *reply,
                              struct liana_error *err)
{
    struct lia_serve_session *s = session;
    uint64_t id;
    liana_status status = liana_subscribe(s->db, lia_field_text(body, "statement"),
                                          lia_field_document(body, "params"), &id, err);

    if (!status) {
        lia_field_answer(lia_control_reply_body(reply), "subscription", id);
    }
    return status;
}

static liana_status unsubscribe(void *session,
                                struct liana_slice body,
                                struct lia_control_reply *reply,
                                struct liana_error *err)
{
    struct lia_serve_session *s = session;

    (void)reply;
    return liana_unsubscribe(s->db, lia_field_number(body, "subscription"), err);
}

static liana_status sync_start(void *session,
                               struct liana_slice body,
                               struct lia_control_reply *reply,
                               struct liana_error *err)
{
    struct lia_serve_session *s = session;
    struct liana_sync_options options = LIANA_SYNC_OPTIONS_INIT;
    struct liana_str listen[LIA_SERVE_NAMES_MAX];
    struct liana_str dial[LIA_SERVE_NAMES_MAX];
    liana_status status = lia_field_texts(body, "listen", listen, LIA_SERVE_NAMES_MAX,
                                          &options.listen_count, err);

    (void)reply;
    if (!status) {
        status = lia_field_texts(body, "dial", dial, LIA_SERVE_NAMES_MAX,
                                 &options.dial_count, err);
    }
    if (status) {
        return status;
    }
    options.listen = listen;
    options.dial = dial;
    return liana_sync_start(s->db, &options, err);
}

static liana_status sync_stop(void *session,
                              struct liana_slice body,
                              struct lia_control_reply *reply,
                              struct liana_error *err)
{
    struct lia_serve_session *s = session;

    (void)body;
    (void)reply;
    return liana_sync_stop(s->db, err);
}

static liana_status stats(void *session,
                          struct liana_slice body,
                          struct lia_control_reply *reply,
                          struct liana_error *err)
{
    struct lia_serve_session *s = session;
    liana_bytes *bytes;
    liana_status status = liana_stats(s->db, &bytes, err);

    (void)body;
    if (!status) {
        lia_buf_slice_add(lia_control_reply_body(reply), liana_bytes_slice(bytes));
        liana_bytes_free(bytes);
    }
    return status;
}

static liana_status stats_publish(void *session,
                                  struct liana_slice body,
                                  struct lia_control_reply *reply,
                                  struct liana_error *err)
{
    struct lia_serve_session *s = session;

    (void)reply;
    return liana_stats_publish(s->db, lia_field_text(body, "name"),
                               lia_field_document(body, "document"), err);
}

static liana_status poll_event(void *session,
                               struct liana_slice body,
                               struct lia_control_reply *reply,
                               struct liana_error *err)
{
    struct lia_serve_session *s = session;
    struct lia_buf *out = lia_control_reply_body(reply);
    struct liana_event event;
    size_t mark;
    liana_status status =
        liana_poll(s->db, (int32_t)lia_field_number(body, "timeout_ms"), &event, err);

    if (status) {
        return status;
    }
    mark = lia_bson_begin(out);
    lia_field_add(out, "kind", (uint64_t)event.kind);
    lia_field_add(out, "status", (uint64_t)(int64_t)event.status);
    lia_field_add(out, "seq", event.seq);
    lia_field_add(out, "subscription", event.subscription);
    lia_bson_add_str(out, lia_str("peer"), lia_str(event.peer));
    lia_bson_add_str(out, lia_str("name"), lia_str(event.name));
    lia_bson_add_str(out, lia_str("text"), lia_str(event.text));
    lia_bson_end(out, mark);
    return LIANA_OK;
}

liana_status lia_serve(struct lia_local *local, struct liana_error *err)
{
    const struct lia_control_handlers handlers = {.ctx = local,
                                                  .attach = attach,
                                                  .detach = detach,
                                                  .cancel = cancel,
                                                  .execute = lia_serve_execute,
                                                  .next = lia_serve_next,
                                                  .free = lia_serve_free,
                                                  .begin = lia_serve_begin,
                                                  .commit = lia_serve_commit,
                                                  .rollback = lia_serve_rollback,
                                                  .feed_open = lia_serve_feed_open,
                                                  .feed_next = lia_serve_feed_next,
                                                  .feed_close = lia_serve_feed_close,
                                                  .subscribe = subscribe,
                                                  .unsubscribe = unsubscribe,
                                                  .sync_start = sync_start,
                                                  .sync_stop = sync_stop,
                                                  .stats = stats,
                                                  .stats_publish = stats_publish,
                                                  .poll = poll_event};

    local->handlers = handlers;
    return lia_control_server_open(local->loop, local->path, &local->handlers,
                                   &local->server, err);
}
