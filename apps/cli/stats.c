/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/stats.h"

#include <stdarg.h>

#include "cli/error.h"

liana_status cli_stats_read(liana_db *db,
                            struct cli_stats *out,
                            struct liana_error *err)
{
    liana_bytes *bytes;
    struct liana_slice slice;
    liana_status status = liana_stats(db, &bytes, err);

    if (status) {
        return status;
    }
    slice = liana_bytes_slice(bytes);
    if (!bson_init_static(&out->document, slice.ptr, slice.len)) {
        liana_bytes_free(bytes);
        return cli_err(err, LIANA_EINTERNAL, "the statistics are no BSON");
    }
    out->bytes = bytes;
    return LIANA_OK;
}

void cli_stats_free(struct cli_stats *stats)
{
    liana_bytes_free(stats->bytes);
    stats->bytes = NULL;
}

static bool find(const struct cli_stats *stats,
                 bson_iter_t *out,
                 const char *format,
                 va_list args) __attribute__((format(printf, 3, 0)));

static bool find(const struct cli_stats *stats,
                 bson_iter_t *out,
                 const char *format,
                 va_list args)
{
    char path[160];
    bson_iter_t root;

    return vsnprintf(path, sizeof(path), format, args) >= 0 &&
           bson_iter_init(&root, &stats->document) &&
           bson_iter_find_descendant(&root, path, out);
}

const char *cli_stats_text(const struct cli_stats *stats, const char *format, ...)
{
    bson_iter_t it;
    va_list args;
    bool is_there;

    va_start(args, format);
    is_there = find(stats, &it, format, args);
    va_end(args);
    return is_there && BSON_ITER_HOLDS_UTF8(&it) ? bson_iter_utf8(&it, NULL) : "";
}

int64_t cli_stats_number(const struct cli_stats *stats, const char *format, ...)
{
    bson_iter_t it;
    va_list args;
    bool is_there;

    va_start(args, format);
    is_there = find(stats, &it, format, args);
    va_end(args);
    return is_there ? bson_iter_as_int64(&it) : 0;
}

size_t cli_stats_count(const struct cli_stats *stats, const char *path)
{
    bson_iter_t root;
    bson_iter_t it;
    bson_iter_t each;
    size_t count = 0;

    if (bson_iter_init(&root, &stats->document) &&
        bson_iter_find_descendant(&root, path, &it) && BSON_ITER_HOLDS_ARRAY(&it) &&
        bson_iter_recurse(&it, &each)) {
        while (bson_iter_next(&each)) {
            count++;
        }
    }
    return count;
}
