/* SPDX-License-Identifier: Apache-2.0 */
#include "api/bytes.h"
#include "api/remote_internal.h"

void lia_remote_use(struct lia_remote_db *db, int change)
{
    lia_mutex_lock(&db->mutex);
    db->uses = change > 0 ? db->uses + 1 : db->uses - 1;
    lia_mutex_unlock(&db->mutex);
}

liana_status lia_remote_call(struct lia_control_client *client,
                             enum lia_control_kind kind,
                             const struct lia_buf *body,
                             lia_control_part_fn part,
                             void *part_ctx,
                             struct lia_buf *reply,
                             struct liana_error *err)
{
    struct lia_control_call call = {
        .kind = kind, .part = part, .part_ctx = part_ctx, .reply = reply};

    if (body && body->status) {
        return lia_err_plain(err, body->status);
    }
    if (body) {
        call.body = lia_buf_slice(body);
    }
    if (reply) {
        lia_buf_reset(reply);
    }
    return lia_control_call(client, &call, err);
}

liana_status lia_remote_ask(struct lia_control_client *client,
                            enum lia_control_kind kind,
                            struct lia_buf *body,
                            const char *name,
                            uint64_t *out,
                            struct liana_error *err)
{
    struct lia_buf reply;
    liana_status status;

    lia_buf_init(&reply, body->alloc);
    status = lia_remote_call(client, kind, body, NULL, NULL, &reply, err);
    if (!status && out) {
        *out = lia_field_number(lia_buf_slice(&reply), name);
    }
    lia_buf_deinit(&reply);
    lia_buf_deinit(body);
    return status;
}

/* ---- subscriptions and sync ---- */

static liana_status subscribe(liana_db *db,
                              struct liana_str statement,
                              struct liana_slice params,
                              uint64_t *out_id,
                              struct liana_error *err)
{
    struct lia_remote_db *r = (struct lia_remote_db *)db;
    struct lia_buf body;
    size_t mark;

    lia_buf_init(&body, r->env.alloc);
    mark = lia_bson_begin(&body);
    lia_bson_add_str(&body, lia_str("statement"), statement);
    if (params.len) {
        lia_bson_add(&body, lia_str("params"),
                     (struct lia_value){LIA_BSON_DOCUMENT, params});
    }
    lia_bson_end(&body, mark);
    return lia_remote_ask(r->client, LIA_CONTROL_SUBSCRIBE, &body, "subscription",
                          out_id, err);
}

static liana_status unsubscribe(liana_db *db, uint64_t id, struct liana_error *err)
{
    struct lia_remote_db *r = (struct lia_remote_db *)db;
    struct lia_buf body;

    lia_buf_init(&body, r->env.alloc);
    lia_field_answer(&body, "subscription", id);
    return lia_remote_ask(r->client, LIA_CONTROL_UNSUBSCRIBE, &body, NULL, NULL, err);
}

static liana_status sync_start(liana_db *db,
                               const struct liana_sync_options *options,
                               struct liana_error *err)
{
    struct lia_remote_db *r = (struct lia_remote_db *)db;
    struct lia_buf body;
    size_t mark;

    lia_buf_init(&body, r->env.alloc);
    mark = lia_bson_begin(&body);
    lia_field_add_texts(&body, "listen", options->listen, options->listen_count);
    lia_field_add_texts(&body, "dial", options->dial, options->dial_count);
    lia_bson_end(&body, mark);
    return lia_remote_ask(r->client, LIA_CONTROL_SYNC_START, &body, NULL, NULL, err);
}

static liana_status sync_stop(liana_db *db, struct liana_error *err)
{
    struct lia_remote_db *r = (struct lia_remote_db *)db;

    return lia_remote_call(r->client, LIA_CONTROL_SYNC_STOP, NULL, NULL, NULL, NULL,
                           err);
}

/* ---- statistics ---- */

static liana_status stats(liana_db *db, liana_bytes **out, struct liana_error *err)
{
    struct lia_remote_db *r = (struct lia_remote_db *)db;
    struct lia_buf reply;
    liana_status status;

    lia_buf_init(&reply, r->env.alloc);
    status =
        lia_remote_call(r->client, LIA_CONTROL_STATS, NULL, NULL, NULL, &reply, err);
    if (!status) {
        status = lia_bytes_of(&reply, out, err);
    }
    lia_buf_deinit(&reply);
    return status;
}

static liana_status publish(liana_db *db,
                            struct liana_str name,
                            struct liana_slice document,
                            struct liana_error *err)
{
    struct lia_remote_db *r = (struct lia_remote_db *)db;
    struct lia_buf body;
    size_t mark;

    lia_buf_init(&body, r->env.alloc);
    mark = lia_bson_begin(&body);
    lia_bson_add_str(&body, lia_str("name"), name);
    if (document.len) {
        lia_bson_add(&body, lia_str("document"),
                     (struct lia_value){LIA_BSON_DOCUMENT, document});
    }
    lia_bson_end(&body, mark);
    return lia_remote_ask(r->client, LIA_CONTROL_STATS_PUBLISH, &body, NULL, NULL, err);
}

/* ---- events ---- */

static liana_status need_poll(struct lia_remote_db *r,
                              struct lia_control_client **out,
                              struct liana_error *err)
{
    liana_status status = LIANA_OK;

    lia_mutex_lock(&r->mutex);
    if (!r->poll) {
        status = lia_control_connect(&r->env, r->path, &r->poll, err);
    }
    *out = r->poll;
    lia_mutex_unlock(&r->mutex);
    return status;
}

static void read_text(struct liana_slice body, const char *name, char *out, size_t size)
{
    struct liana_str text = lia_field_text(body, name);
    size_t len = text.len < size ? text.len : size - 1;

    memcpy(out, text.ptr, len);
    out[len] = '\0';
}

static liana_status poll_event(liana_db *db,
                               int32_t timeout_ms,
                               struct liana_event *out,
                               struct liana_error *err)
{
    struct lia_remote_db *r = (struct lia_remote_db *)db;
    struct lia_control_client *client;
    struct lia_buf body;
    struct lia_buf reply;
    liana_status status = need_poll(r, &client, err);

    if (status) {
        return status;
    }
    lia_buf_init(&body, r->env.alloc);
    lia_buf_init(&reply, r->env.alloc);
    lia_field_answer(&body, "timeout_ms", (uint64_t)(int64_t)timeout_ms);
    status = lia_remote_call(client, LIA_CONTROL_POLL, &body, NULL, NULL, &reply, err);
    if (!status) {
        struct liana_slice got = lia_buf_slice(&reply);

        *out = (struct liana_event){
            .kind = (int32_t)lia_field_number(got, "kind"),
            .status = (liana_status)(int64_t)lia_field_number(got, "status"),
            .seq = lia_field_number(got, "seq"),
            .subscription = lia_field_number(got, "subscription")};
        read_text(got, "peer", out->peer, sizeof(out->peer));
        read_text(got, "name", out->name, sizeof(out->name));
        read_text(got, "text", out->text, sizeof(out->text));
    }
    lia_buf_deinit(&reply);
    lia_buf_deinit(&body);
    return status;
}

static liana_status event_fd(liana_db *db, int *out, struct liana_error *err)
{
    (void)db;
    (void)out;
    return lia_err(err, LIANA_EMISUSE,
                   "an attached handle has no descriptor: liana_poll");
}

static liana_status upkeep(liana_db *db, uint64_t *out_ms, struct liana_error *err)
{
    (void)db;
    (void)out_ms;
    return lia_err(err, LIANA_EMISUSE,
                   "an attached handle has no upkeep: whoever holds the store does it");
}

/* ---- opening and closing ---- */

static void free_remote(struct lia_remote_db *r)
{
    const struct liana_allocator *a = r->env.alloc;

    lia_control_disconnect(r->poll);
    lia_control_disconnect(r->client);
    lia_mutex_deinit(&r->mutex);
    lia_mem_free(a, r->path, strlen(r->path) + 1);
    lia_mem_free(a, r, sizeof(*r));
}

static liana_status close_remote(liana_db *db, struct liana_error *err)
{
    struct lia_remote_db *r = (struct lia_remote_db *)db;
    liana_status status;
    size_t uses;

    lia_mutex_lock(&r->mutex);
    uses = r->uses;
    lia_mutex_unlock(&r->mutex);
    status = lia_api_check_unused(r->path, uses, err);
    if (!status) {
        free_remote(r);
    }
    return status;
}

static const struct lia_db_ops ops = {.close = close_remote,
                                      .execute = lia_remote_execute,
                                      .begin = lia_remote_begin,
                                      .feed = lia_remote_feed,
                                      .subscribe = subscribe,
                                      .unsubscribe = unsubscribe,
                                      .sync_start = sync_start,
                                      .sync_stop = sync_stop,
                                      .stats = stats,
                                      .publish = publish,
                                      .poll = poll_event,
                                      .fd = event_fd,
                                      .upkeep = upkeep};

liana_status lia_remote_open(const struct lia_env *env,
                             struct liana_str path,
                             liana_db **out,
                             struct liana_error *err)
{
    struct lia_remote_db *r = lia_mem_zalloc(env->alloc, sizeof(*r));
    liana_status status;

    if (!r) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    r->base.ops = &ops;
    r->env = *env;
    r->path = lia_mem_zalloc(env->alloc, path.len + 1);
    status = r->path ? lia_mutex_init(&r->mutex) : LIANA_ENOMEM;
    if (status) {
        lia_mem_free(env->alloc, r->path, path.len + 1);
        lia_mem_free(env->alloc, r, sizeof(*r));
        return lia_err_plain(err, status);
    }
    memcpy(r->path, path.ptr, path.len);
    status = lia_control_connect(&r->env, r->path, &r->client, err);
    if (status) {
        free_remote(r);
        return status;
    }
    *out = &r->base;
    return LIANA_OK;
}
