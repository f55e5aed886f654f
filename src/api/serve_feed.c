/* SPDX-License-Identifier: Apache-2.0 */
#include "api/serve_internal.h"

liana_status lia_serve_feed_open(void *session,
                                 struct liana_slice body,
                                 struct lia_control_reply *reply,
                                 struct liana_error *err)
{
    struct lia_serve_session *s = session;
    struct liana_feed_options options = LIANA_FEED_OPTIONS_INIT;
    struct liana_str names[LIA_SERVE_NAMES_MAX];
    struct lia_lent *held;
    liana_feed *feed;
    liana_status status =
        lia_field_texts(body, "collections", names, LIA_SERVE_NAMES_MAX,
                        &options.collection_count, err);

    if (status) {
        return status;
    }
    options.collections = names;
    options.since = lia_field_number(body, "since");
    options.page_changes = (uint32_t)lia_field_number(body, "page_changes");
    options.page_bytes = (uint32_t)lia_field_number(body, "page_bytes");
    options.begun = lia_field_number(body, "begun");
    status = liana_feed_open(s->db, &options, &feed, err);
    if (status) {
        return status;
    }
    status = lia_lent_add(s, LIA_LENT_FEED, feed, &held);
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

static void set_waiting(struct lia_serve_session *s, liana_feed *feed)
{
    lia_mutex_lock(&s->mutex);
    s->waiting = feed;
    lia_mutex_unlock(&s->mutex);
}

liana_status lia_serve_feed_next(void *session,
                                 struct liana_slice body,
                                 struct lia_control_reply *reply,
                                 struct liana_error *err)
{
    struct lia_serve_session *s = session;
    struct lia_buf *out = lia_control_reply_body(reply);
    struct liana_page page = {0};
    struct lia_buf buf;
    struct lia_lent *held;
    size_t mark;
    bool timed_out;
    liana_status status =
        lia_lent_get(s, LIA_LENT_FEED, lia_field_number(body, "feed"), &held, err);

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

liana_status lia_serve_feed_close(void *session,
                                  struct liana_slice body,
                                  struct lia_control_reply *reply,
                                  struct liana_error *err)
{
    struct lia_serve_session *s = session;
    struct lia_lent *held =
        lia_lent_find(s, LIA_LENT_FEED, lia_field_number(body, "feed"));

    (void)reply;
    (void)err;
    if (held) {
        lia_lent_end(s, held);
    }
    return LIANA_OK;
}
