/* SPDX-License-Identifier: Apache-2.0 */
#include "mongo/report.h"

const char *lia_mongo_state_name(enum lia_mongo_state state)
{
    switch (state) {
    case LIA_MONGO_STARTING: return "starting";
    case LIA_MONGO_OK: return "ok";
    case LIA_MONGO_LAGGING: return "lagging";
    case LIA_MONGO_UNREACHABLE: return "unreachable";
    case LIA_MONGO_NOT_ALLOWED: return "not allowed";
    case LIA_MONGO_STOPPED: return "stopped";
    }
    return "unknown";
}

static void append_count(bson_t *out, const char *name, uint64_t value)
{
    bson_append_int64(out, name, -1, (int64_t)value);
}

bson_t *lia_mongo_report(const struct lia_mongo_status *status, const char *server)
{
    bson_t *out = bson_new();
    bson_t inner;

    BSON_APPEND_UTF8(out, "state", lia_mongo_state_name(status->state));
    BSON_APPEND_UTF8(out, "server", server);
    append_count(out, "position", status->position);
    append_count(out, "written", status->written);
    append_count(out, "deleted", status->deleted);
    append_count(out, "refused", status->refused);
    append_count(out, "dead", status->dead);
    append_count(out, "attempts", status->attempts);
    BSON_APPEND_DOCUMENT_BEGIN(out, "lag", &inner);
    append_count(&inner, "median_ms", status->lag_median_ms);
    append_count(&inner, "p99_ms", status->lag_p99_ms);
    append_count(&inner, "max_ms", status->lag_max_ms);
    bson_append_document_end(out, &inner);
    if (status->missed.is_set) {
        BSON_APPEND_DOCUMENT_BEGIN(out, "missed", &inner);
        append_count(&inner, "after", status->missed.after);
        BSON_APPEND_INT64(&inner, "at_ms", status->missed.at_ms);
        bson_append_document_end(out, &inner);
    } else {
        BSON_APPEND_NULL(out, "missed");
    }
    if (status->error.status) {
        BSON_APPEND_DOCUMENT_BEGIN(out, "error", &inner);
        BSON_APPEND_UTF8(&inner, "status", liana_status_name(status->error.status));
        BSON_APPEND_UTF8(&inner, "message", status->error.message);
        bson_append_document_end(out, &inner);
    } else {
        BSON_APPEND_NULL(out, "error");
    }
    return out;
}
