/* SPDX-License-Identifier: Apache-2.0 */
#include "api/handle.h"

/* None of them empty: that would mean all collections. */
static bool are_names(const struct liana_str *names, size_t count)
{
    bool are = lia_api_are_texts(names, count);

    for (size_t i = 0; i < count && are; i++) {
        are = names[i].len > 0;
    }
    return are;
}

liana_status liana_feed_open(liana_db *db,
                             const struct liana_feed_options *options,
                             liana_feed **out,
                             struct liana_error *err)
{
    static const struct liana_feed_options usual = LIANA_FEED_OPTIONS_INIT;

    options = options ? options : &usual;
    if (!db || !out) {
        return lia_api_invalid(err,
                               "liana_feed_open: no handle or no place for the feed");
    }
    if (options->version != 1 ||
        !are_names(options->collections, options->collection_count)) {
        return lia_api_invalid(
            err, "liana_feed_open: the options are not LIANA_FEED_OPTIONS_INIT with "
                 "fields changed");
    }
    return db->ops->feed(db, options, out, err);
}

liana_status liana_feed_next(liana_feed *feed,
                             int32_t timeout_ms,
                             struct liana_page *out,
                             struct liana_error *err)
{
    if (!feed || !out) {
        return lia_api_invalid(err,
                               "liana_feed_next: no feed or no place for the page");
    }
    return feed->ops->next(feed, timeout_ms, out, err);
}

uint64_t liana_feed_position(const liana_feed *feed)
{
    return feed ? feed->position : 0;
}

void liana_feed_cancel(liana_feed *feed)
{
    if (feed) {
        feed->ops->cancel(feed);
    }
}

void liana_feed_close(liana_feed *feed)
{
    if (feed) {
        feed->ops->close(feed);
    }
}
