/* SPDX-License-Identifier: Apache-2.0 */
#include "api/handle.h"

#define PUBLISH_BYTES_MAX ((size_t)64 * 1024)
#define PUBLISH_NAME_MAX  ((size_t)150)

liana_status liana_subscribe(liana_db *db,
                             struct liana_str statement,
                             struct liana_slice params,
                             uint64_t *out_id,
                             struct liana_error *err)
{
    if (!db || !statement.ptr || (params.len && !params.ptr) || !out_id) {
        return lia_api_invalid(
            err, "liana_subscribe: no handle, statement or place for the id");
    }
    return db->ops->subscribe(db, statement, params, out_id, err);
}

liana_status liana_unsubscribe(liana_db *db, uint64_t id, struct liana_error *err)
{
    return db ? db->ops->unsubscribe(db, id, err)
              : lia_api_invalid(err, "liana_unsubscribe: no handle");
}

liana_status liana_sync_start(liana_db *db,
                              const struct liana_sync_options *options,
                              struct liana_error *err)
{
    if (!db || !options || options->version != 1 ||
        !lia_api_are_texts(options->listen, options->listen_count) ||
        !lia_api_are_texts(options->dial, options->dial_count)) {
        return lia_api_invalid(err,
                               "liana_sync_start: no handle, or the options are not "
                               "LIANA_SYNC_OPTIONS_INIT with fields changed");
    }
    return db->ops->sync_start(db, options, err);
}

liana_status liana_sync_stop(liana_db *db, struct liana_error *err)
{
    return db ? db->ops->sync_stop(db, err)
              : lia_api_invalid(err, "liana_sync_stop: no handle");
}

liana_status liana_stats(liana_db *db, liana_bytes **out, struct liana_error *err)
{
    return db && out ? db->ops->stats(db, out, err)
                     : lia_api_invalid(err, "liana_stats: no handle or no place");
}

liana_status liana_stats_publish(liana_db *db,
                                 struct liana_str name,
                                 struct liana_slice document,
                                 struct liana_error *err)
{
    if (!db || !name.ptr || name.len == 0 || name.len > PUBLISH_NAME_MAX ||
        memchr(name.ptr, 0, name.len) || (document.len && !document.ptr)) {
        return lia_api_invalid(
            err, "liana_stats_publish: no handle, or no name of 1 to 150 bytes");
    }
    if (document.len > PUBLISH_BYTES_MAX) {
        return lia_err(err, LIANA_ETOOLARGE, "liana_stats_publish: more than 64 KiB");
    }
    return db->ops->publish(db, name, document, err);
}

liana_status liana_poll(liana_db *db,
                        int32_t timeout_ms,
                        struct liana_event *out,
                        struct liana_error *err)
{
    return db && out ? db->ops->poll(db, timeout_ms, out, err)
                     : lia_api_invalid(
                           err, "liana_poll: no handle or no place for the event");
}

liana_status liana_fd(liana_db *db, int *out, struct liana_error *err)
{
    return db && out ? db->ops->fd(db, out, err)
                     : lia_api_invalid(err, "liana_fd: no handle or no place");
}
