/* SPDX-License-Identifier: Apache-2.0 */
#include "api/serve.h"

#include "api/fields.h"
#include "codec/bson.h"

/* What a client holds open, under the number that it was given. */
enum held_kind { HELD_RESULT, HELD_TXN, HELD_FEED };

struct held {
    struct held *next;
    enum held_kind kind;
    uint64_t id;
    void *handle;
    uint64_t txn; /* of a result: its transaction, or 0 */
};

struct session {
    struct lia_local *local;
    liana_db *db;
    struct held *held;
    uint64_t last_id;

    struct lia_mutex mutex; /* of what the loop's cancel looks at */
    liana_feed *waiting;    /* the feed whose next page is being waited for */
};

/* ---- what is held ---- */

static liana_status hold(struct session *s,
                         enum held_kind kind,
                         void *handle,
                         struct held **out)
{
    struct held *h = lia_mem_zalloc(&s->local->alloc, sizeof(*h));

    if (!h) {
        return LIANA_ENOMEM;
    }
    *h = (struct held){s->held, kind, ++s->last_id, handle, 0};
    s->held = h;
    *out = h;
    return LIANA_OK;
}

static struct held *find(struct session *s, enum held_kind kind, uint64_t id)
{
    for (struct held *h = s->held; h; h = h->next) {
        if (h->kind == kind && h->id == id) {
            return h;
        }
    }
    return NULL;
}

static liana_status find_or_fail(struct session *s,
                                 enum held_kind kind,
                                 uint64_t id,
                                 struct held **out,
                                 struct liana_error *err)
{
    *out = find(s, kind, id);
    return *out ? LIANA_OK
                : lia_err(err, LIANA_ENOTFOUND, "nothing is open under the number %llu",
                          (unsigned long long)id);
}

static void let_go(struct session *s, struct held *held)
{
    struct held **at;

    for (at = &s->held; *at != held; at = &(*at)->next) {
    }
    *at = held->next;
    lia_mem_free(&s->local->alloc, held, sizeof(*held));
}

static void end_held(struct session *s, struct held *held)
{
    switch (held->kind) {
    case HELD_RESULT: liana_result_free(held->handle); break;
    case HELD_TXN: liana_rollback(held->handle); break;
    case HELD_FEED: liana_feed_close(held->handle); break;
    }
    let_go(s, held);
}

/* ---- a client comes and goes ---- */

static liana_status attach(void *ctx, void **out_session, struct liana_error *err)
{
    struct lia_local *local = ctx;
    struct session *s = lia_mem_zalloc(&local->alloc, sizeof(*s));
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
    struct session *s = session;
    struct lia_local *local = s->local;

    while (s->held) {
        end_held(s, s->held);
    }
    LIA_IGNORE(liana_close(s->db, NULL)); /* nothing is open any more */
    lia_mutex_deinit(&s->mutex);
    lia_mem_free(&local->alloc, s, sizeof(*s));
}

static void cancel(void *session)
{
    struct session *s = session;

    lia_mutex_lock(&s->mutex);
    liana_feed_cancel(s->waiting);
    lia_mutex_unlock(&s->mutex);
    lia_queue_end(&lia_local_of(s->db)->queue);
}

/* ---- statements ---- */

/* Rows until there are enough for one answer. */
static liana_status send_rows(liana_result *result,
                              struct lia_control_reply *reply,
                              bool *out_ended,
                              struct liana_error *err)
{
    size_t bytes = 0;
    struct liana_slice row;
    liana_status status = LIANA_OK;

    while (!status && bytes < LIA_SERVE_ROWS_BYTES) {
        status = liana_result_next(result, &row, err);
        if (!status) {
            bytes += row.len;
            status = lia_control_reply_part(reply, row);
        }
    }
    *out_ended = status == LIANA_EEND;
    if (*out_ended && err) {
        *err = (struct liana_error)LIANA_ERROR_INIT;
    }
    return *out_ended ? LIANA_OK : status;
}

static liana_status run_statement(struct session *s,
                                  struct liana_slice body,
                                  liana_result **out,
                                  struct liana_error *err)
{
    struct liana_str statement = lia_field_text(body, "statement");
    struct liana_slice params = lia_field_document(body, "params");
    uint64_t id = lia_field_number(body, "txn");
    struct held *txn;
    liana_status status;

    if (id == 0) {
        return liana_execute(s->db, statement, params, out, err);
    }
    status = find_or_fail(s, HELD_TXN, id, &txn, err);
    return status ? status
                  : liana_txn_execute(txn->handle, statement, params, out, err);
}

static liana_status execute(void *session,
                            struct liana_slice body,
                            struct lia_control_reply *reply,
                            struct liana_error *err)
{
    struct session *s = session;
    struct lia_buf *out = lia_control_reply_body(reply);
    liana_result *result;
    struct held *held = NULL;
    uint64_t mutations;
    uint64_t seq;
    size_t mark;
    bool ended;
    liana_status status = run_statement(s, body, &result, err);

    if (status) {
        return status;
    }
    mutations = liana_result_mutations(result);
    seq = liana_result_seq(result);
    status = send_rows(result, reply, &ended, err);
    if (!status && !ended) {
        status = hold(s, HELD_RESULT, result, &held);
    }
    if (!held) {
        liana_result_free(result);
    } else {
        held->txn = lia_field_number(body, "txn");
    }
    if (status) {
        return lia_err_plain(err, status);
    }
    mark = lia_bson_begin(out);
    lia_field_add(out, "result", held ? held->id : 0);
    lia_field_add(out, "mutations", mutations);
    lia_field_add(out, "seq", seq);
    lia_bson_add_bool(out, lia_str("ended"), ended);
    lia_bson_end(out, mark);
    return LIANA_OK;
}

static liana_status next(void *session,
                         struct liana_slice body,
                         struct lia_control_reply *reply,
                         struct liana_error *err)
{
    struct session *s = session;
    struct lia_buf *out = lia_control_reply_body(reply);
    struct held *held;
    size_t mark;
    bool ended;
    liana_status status =
        find_or_fail(s, HELD_RESULT, lia_field_number(body, "result"), &held, err);

    if (!status) {
        status = send_rows(held->handle, reply, &ended, err);
    }
    if (status) {
        return status;
    }
    if (ended) {
        end_held(s, held);
    }
    mark = lia_bson_begin(out);
    lia_bson_add_bool(out, lia_str("ended"), ended);
    lia_bson_end(out, mark);
    return LIANA_OK;
}

static liana_status free_result(void *session,
                                struct liana_slice body,
                                struct lia_control_reply *reply,
                                struct liana_error *err)
{
    struct session *s = session;
    struct held *held = find(s, HELD_RESULT, lia_field_number(body, "result"));

    (void)reply;
    (void)err;
    if (held) {
        end_held(s, held);
    }
    return LIANA_OK;
}

/* ---- transactions ---- */

static liana_status begin(void *session,
                          struct liana_slice body,
                          struct lia_control_reply *reply,
                          struct liana_error *err)
{
    struct session *s = session;
    struct liana_txn_options options = LIANA_TXN_OPTIONS_INIT;
    struct held *held;
    liana_txn *txn;
    liana_status status;

    options.read_only = lia_field_flag(body, "read_only");
    options.durability = (int32_t)lia_field_number(body, "durability");
    options.timeout_ms = (int32_t)lia_field_number(body, "timeout_ms");
    status = liana_begin(s->db, &options, &txn, err);
    if (status) {
        return status;
    }
    status = hold(s, HELD_TXN, txn, &held);
    if (status) {
        liana_rollback(txn);
        return lia_err_plain(err, status);
    }
    lia_field_answer(lia_control_reply_body(reply), "txn", held->id);
    return LIANA_OK;
}

/* Results of a transaction end with it; the client frees them later or never. */
static void end_results_of(struct session *s, uint64_t txn)
{
    struct held *h = s->held;

    while (h) {
        struct held *after = h->next;

        if (h->kind == HELD_RESULT && h->txn == txn) {
            end_held(s, h);
        }
        h = after;
    }
}

static liana_status commit(void *session,
                           struct liana_slice body,
                           struct lia_control_reply *reply,
                           struct liana_error *err)
{
    struct session *s = session;
    struct held *held;
    uint64_t seq = 0;
    liana_status status =
        find_or_fail(s, HELD_TXN, lia_field_number(body, "txn"), &held, err);

    if (status) {
        return status;
    }
    end_results_of(s, held->id);
    status = liana_commit(held->handle, &seq, err);
    let_go(s, held);
    if (!status) {
        lia_field_answer(lia_control_reply_body(reply), "seq", seq);
    }
    return status;
}

static liana_status rollback(void *session,
                             struct liana_slice body,
                             struct lia_control_reply *reply,
                             struct liana_error *err)
{
    struct session *s = session;
    struct held *held = find(s, HELD_TXN, lia_field_number(body, "txn"));

    (void)reply;
    (void)err;
    if (held) {
        end_results_of(s, held->id);
        end_held(s, held);
    }
    return LIANA_OK;
}

/* ---- feeds ---- */

#define NAMES_MAX 256

static liana_status feed_open(void *session,
                              struct liana_slice body,
                              struct lia_control_reply *reply,
                              struct liana_error *err)
{
    struct session *s = session;
    struct liana_feed_options options = LIANA_FEED_OPTIONS_INIT;
    struct liana_str names[NAMES_MAX];
    struct held *held;
    liana_feed *feed;
    liana_status status = lia_field_texts(body, "collections", names, NAMES_MAX,
                                          &options.collection_count, err);

    if (status) {
        return status;
    }
    options.collections = names;
    options.since = lia_field_number(body, "since");
    options.page_changes = (uint32_t)lia_field_number(body, "page_changes");
    options.page_bytes = (uint32_t)lia_field_number(body, "page_bytes");
    status = liana_feed_open(s->db, &options, &feed, err);
    if (status) {
        return status;
    }
    status = hold(s, HELD_FEED, feed, &held);
    if (status) {
        liana_feed_close(feed);
        return lia_err_plain(err, status);
    }
    lia_field_answer(lia_control_reply_body(reply), "feed", held->id);
    return LIANA_OK;
}

static liana_status send_change(struct lia_control_reply *reply,
                                const struct liana_change *change,
                                struct lia_buf *buf)
{
    size_t mark;

    lia_buf_reset(buf);
    mark = lia_bson_begin(buf);
    lia_field_add(buf, "seq", change->seq);
    lia_bson_add_str(buf, lia_str("collection"), change->collection);
    lia_bson_add(buf, lia_str("id"), (struct lia_value){LIA_BSON_DOCUMENT, change->id});
    if (change->document.len) {
        lia_bson_add(buf, lia_str("document"),
                     (struct lia_value){LIA_BSON_DOCUMENT, change->document});
    }
    lia_field_add(buf, "written_ms", (uint64_t)change->written_ms);
    lia_bson_end(buf, mark);
    return buf->status ? buf->status
                       : lia_control_reply_part(reply, lia_buf_slice(buf));
}

static void set_waiting(struct session *s, liana_feed *feed)
{
    lia_mutex_lock(&s->mutex);
    s->waiting = feed;
    lia_mutex_unlock(&s->mutex);
}

static liana_status feed_next(void *session,
                              struct liana_slice body,
                              struct lia_control_reply *reply,
                              struct liana_error *err)
{
    struct session *s = session;
    struct lia_buf *out = lia_control_reply_body(reply);
    struct liana_page page = {0};
    struct lia_buf buf;
    struct held *held;
    size_t mark;
    bool timed_out;
    liana_status status =
        find_or_fail(s, HELD_FEED, lia_field_number(body, "feed"), &held, err);

    if (status) {
        return status;
    }
    /* The client's: a page that did not reach it whole is given again. */
    ((liana_feed *)held->handle)->position = lia_field_number(body, "position");
    set_waiting(s, held->handle);
    status = lia_control_reply_is_canceled(reply)
                 ? lia_err_plain(err, LIANA_ECANCELED)
                 : liana_feed_next(held->handle,
                                   (int32_t)lia_field_number(body, "timeout_ms"), &page,
                                   err);
    set_waiting(s, NULL);
    timed_out = status == LIANA_ETIMEOUT;
    if (status && !timed_out) {
        return status;
    }
    status = LIANA_OK;
    lia_buf_init(&buf, &s->local->alloc);
    for (size_t i = 0; i < page.count && !status; i++) {
        status = send_change(reply, &page.changes[i], &buf);
    }
    lia_buf_deinit(&buf);
    if (status) {
        return lia_err_plain(err, status);
    }
    if (timed_out && err) {
        *err = (struct liana_error)LIANA_ERROR_INIT;
    }
    mark = lia_bson_begin(out);
    lia_field_add(out, "position", liana_feed_position(held->handle));
    lia_bson_add_bool(out, lia_str("timed_out"), timed_out);
    lia_bson_end(out, mark);
    return LIANA_OK;
}

static liana_status feed_close(void *session,
                               struct liana_slice body,
                               struct lia_control_reply *reply,
                               struct liana_error *err)
{
    struct session *s = session;
    struct held *held = find(s, HELD_FEED, lia_field_number(body, "feed"));

    (void)reply;
    (void)err;
    if (held) {
        end_held(s, held);
    }
    return LIANA_OK;
}

/* ---- sync ---- */

static liana_status subscribe(void *session,
                              struct liana_slice body,
                              struct lia_control_reply *reply,
                              struct liana_error *err)
{
    struct session *s = session;
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
    struct session *s = session;

    (void)reply;
    return liana_unsubscribe(s->db, lia_field_number(body, "subscription"), err);
}

static liana_status sync_start(void *session,
                               struct liana_slice body,
                               struct lia_control_reply *reply,
                               struct liana_error *err)
{
    struct session *s = session;
    struct liana_sync_options options = LIANA_SYNC_OPTIONS_INIT;
    struct liana_str listen[NAMES_MAX];
    struct liana_str dial[NAMES_MAX];
    liana_status status =
        lia_field_texts(body, "listen", listen, NAMES_MAX, &options.listen_count, err);

    (void)reply;
    if (!status) {
        status =
            lia_field_texts(body, "dial", dial, NAMES_MAX, &options.dial_count, err);
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
    struct session *s = session;

    (void)body;
    (void)reply;
    return liana_sync_stop(s->db, err);
}

static liana_status stats(void *session,
                          struct liana_slice body,
                          struct lia_control_reply *reply,
                          struct liana_error *err)
{
    struct session *s = session;
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
    struct session *s = session;

    (void)reply;
    return liana_stats_publish(s->db, lia_field_text(body, "name"),
                               lia_field_document(body, "document"), err);
}

static liana_status poll_event(void *session,
                               struct liana_slice body,
                               struct lia_control_reply *reply,
                               struct liana_error *err)
{
    struct session *s = session;
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
                                                  .execute = execute,
                                                  .next = next,
                                                  .free = free_result,
                                                  .begin = begin,
                                                  .commit = commit,
                                                  .rollback = rollback,
                                                  .feed_open = feed_open,
                                                  .feed_next = feed_next,
                                                  .feed_close = feed_close,
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
