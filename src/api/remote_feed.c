/* SPDX-License-Identifier: Apache-2.0 */
#include "api/remote_internal.h"
#include "base/reader.h"

struct remote_feed {
    struct liana_feed base;
    struct lia_remote_db *db;
    struct lia_control_client *client;
    uint64_t id;
    struct lia_buf parts; /* the page's documents, one behind the other */
    size_t part_count;
    struct liana_change *changes;
    size_t room;
    struct lia_mutex mutex;
    bool is_cancelled;
};

/* ---- a page ---- */

static liana_status take_part(void *ctx, struct liana_slice document)
{
    struct remote_feed *f = ctx;

    lia_buf_slice_add(&f->parts, document);
    f->part_count++;
    return f->parts.status;
}

static bool has_room(struct remote_feed *f)
{
    const struct liana_allocator *a = f->db->env.alloc;
    struct liana_change *changes;

    if (f->part_count <= f->room) {
        return true;
    }
    changes = lia_mem_realloc(a, f->changes, f->room * sizeof(*changes),
                              f->part_count * sizeof(*changes));
    if (!changes) {
        return false;
    }
    f->changes = changes;
    f->room = f->part_count;
    return true;
}

static struct liana_change change_of(struct liana_slice part)
{
    return (struct liana_change){.seq = lia_field_number(part, "seq"),
                                 .collection = lia_field_text(part, "collection"),
                                 .id = lia_field_document(part, "id"),
                                 .document = lia_field_document(part, "document"),
                                 .written_ms =
                                     (int64_t)lia_field_number(part, "written_ms")};
}

static void read_changes(struct remote_feed *f)
{
    struct liana_slice all = lia_buf_slice(&f->parts);
    size_t at = 0;

    for (size_t i = 0; i < f->part_count; i++) {
        struct lia_reader head = lia_reader(lia_slice_sub(all, at, 4));
        struct liana_slice part = lia_slice_sub(all, at, lia_reader_u32(&head));

        f->changes[i] = change_of(part);
        at += part.len;
    }
}

static bool is_cancelled(struct remote_feed *f)
{
    bool answer;

    lia_mutex_lock(&f->mutex);
    answer = f->is_cancelled;
    lia_mutex_unlock(&f->mutex);
    return answer;
}

static liana_status ask(struct remote_feed *f,
                        int32_t timeout_ms,
                        bool *out_timed_out,
                        struct liana_error *err)
{
    struct lia_buf body;
    struct lia_buf reply;
    size_t mark;
    liana_status status;

    lia_buf_init(&body, f->db->env.alloc);
    lia_buf_init(&reply, f->db->env.alloc);
    mark = lia_bson_begin(&body);
    lia_field_add(&body, "feed", f->id);
    lia_field_add(&body, "timeout_ms", (uint64_t)(int64_t)timeout_ms);
    lia_field_add(&body, "position", f->base.position);
    lia_bson_end(&body, mark);
    lia_buf_reset(&f->parts);
    f->part_count = 0;
    status = lia_remote_call(f->client, LIA_CONTROL_FEED_NEXT, &body, take_part, f,
                             &reply, err);
    if (!status && !has_room(f)) {
        status = lia_err_plain(err, LIANA_ENOMEM);
    }
    if (!status) {
        read_changes(f);
        f->base.position = lia_field_number(lia_buf_slice(&reply), "position");
        *out_timed_out = lia_field_flag(lia_buf_slice(&reply), "timed_out");
    }
    lia_buf_deinit(&reply);
    lia_buf_deinit(&body);
    return status;
}

/* How long the other end waits before it says that nothing came: a cancel that was asked
 * for between two requests is seen then. */
#define TURN_MS 1000

static int32_t turn(int32_t left_ms)
{
    return left_ms < 0 || left_ms > TURN_MS ? TURN_MS : left_ms;
}

static liana_status next(liana_feed *feed,
                         int32_t timeout_ms,
                         struct liana_page *out,
                         struct liana_error *err)
{
    struct remote_feed *f = (struct remote_feed *)feed;
    bool timed_out = true;

    for (;;) {
        int32_t wait_ms = turn(timeout_ms);
        liana_status status = is_cancelled(f) ? lia_err_plain(err, LIANA_ECANCELED)
                                              : ask(f, wait_ms, &timed_out, err);

        if (status) {
            return status;
        }
        if (!timed_out) {
            *out = (struct liana_page){f->changes, f->part_count, feed->position};
            return LIANA_OK;
        }
        if (timeout_ms >= 0) {
            timeout_ms -= wait_ms;
            if (timeout_ms == 0) {
                return lia_err_plain(err, LIANA_ETIMEOUT);
            }
        }
    }
}

static void cancel(liana_feed *feed)
{
    struct remote_feed *f = (struct remote_feed *)feed;

    lia_mutex_lock(&f->mutex);
    f->is_cancelled = true;
    lia_mutex_unlock(&f->mutex);
    lia_control_cancel(f->client);
}

/* ---- opening and closing ---- */

static void close_feed(liana_feed *feed)
{
    struct remote_feed *f = (struct remote_feed *)feed;
    const struct liana_allocator *a = f->db->env.alloc;

    lia_control_disconnect(f->client);
    lia_buf_deinit(&f->parts);
    lia_mem_free(a, f->changes, f->room * sizeof(*f->changes));
    lia_mutex_deinit(&f->mutex);
    lia_remote_use(f->db, -1);
    lia_mem_free(a, f, sizeof(*f));
}

static const struct lia_feed_ops feed_ops = {next, cancel, close_feed};

static liana_status ask_open(struct remote_feed *f,
                             const struct liana_feed_options *options,
                             struct liana_error *err)
{
    struct lia_buf body;
    size_t mark;

    lia_buf_init(&body, f->db->env.alloc);
    mark = lia_bson_begin(&body);
    lia_field_add(&body, "since", options->since);
    lia_field_add_texts(&body, "collections", options->collections,
                        options->collection_count);
    lia_field_add(&body, "page_changes", options->page_changes);
    lia_field_add(&body, "page_bytes", options->page_bytes);
    lia_field_add(&body, "begun", options->begun);
    lia_bson_end(&body, mark);
    return lia_remote_ask(f->client, LIA_CONTROL_FEED_OPEN, &body, "feed", &f->id, err);
}

liana_status lia_remote_feed(liana_db *db,
                             const struct liana_feed_options *options,
                             liana_feed **out,
                             struct liana_error *err)
{
    struct lia_remote_db *r = (struct lia_remote_db *)db;
    struct remote_feed *f = lia_mem_zalloc(r->env.alloc, sizeof(*f));
    liana_status status = f ? lia_mutex_init(&f->mutex) : LIANA_ENOMEM;

    if (status) {
        lia_mem_free(r->env.alloc, f, sizeof(*f));
        return lia_err_plain(err, status);
    }
    f->base.ops = &feed_ops;
    f->base.position = options->since;
    f->db = r;
    lia_buf_init(&f->parts, r->env.alloc);
    lia_remote_use(r, 1);
    status = lia_control_connect(&r->env, r->path, &f->client, err);
    if (!status) {
        status = ask_open(f, options, err);
    }
    if (status) {
        close_feed(&f->base);
        return status;
    }
    *out = &f->base;
    return LIANA_OK;
}
