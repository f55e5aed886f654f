/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "mongo/internal.h"

/*
 * What the feed could not tell: deletes that were forgotten before the connector came to
 * them. They are noted beside the position, before it moves on, and stay noted until they
 * are settled: by somebody's order, since neither the store nor MongoDB knows who has put
 * a document there that the store does not have.
 */

/* ---- noting ---- */

static void show(struct lia_mongo *m)
{
    pthread_mutex_lock(&m->lock);
    m->status.missed = *lia_mongo_server_missed(m->server);
    pthread_mutex_unlock(&m->lock);
}

void lia_mongo_say_missed(struct lia_mongo *m)
{
    const struct lia_mongo_missed *missed = lia_mongo_server_missed(m->server);

    show(m);
    if (missed->is_set) {
        lia_mongo_say(m, LIANA_LOG_WARN,
                      "deletes behind seq %" PRIu64 " may be missing in %s: documents "
                      "that were deleted may be there still; --mongo-settle "
                      "deletes them (docs/mongodb.md, 'Missed deletes')",
                      missed->after, lia_mongo_server_name(m->server));
    }
}

liana_status lia_mongo_note_missed(struct lia_mongo *m,
                                   uint64_t after,
                                   uint64_t position,
                                   struct liana_error *err)
{
    const struct lia_mongo_missed *known = lia_mongo_server_missed(m->server);
    struct lia_mongo_missed missed = *known;

    if (!known->is_set || after < known->after) {
        missed.after = after;
    }
    if (!known->is_set) {
        missed.is_set = true;
        missed.at_ms = lia_mongo_wall_ms();
    }
    lia_mongo_server_set_missed(m->server, missed);
    lia_mongo_say_missed(m);
    lia_mongo_publish(m);
    return lia_mongo_away_keep(m, position, err);
}

/* ---- settling ---- */

struct settling {
    struct lia_mongo *m;
    struct liana_str collection;
    struct liana_change gone[LIA_MONGO_IDS_MAX]; /* of the page at hand */
    size_t count;
    uint64_t deleted;
    uint64_t unknown; /* an _id that cannot be looked up for certain */
};

/* Kinds of _id that a query finds by value without a doubt. */
static bool is_plain(const bson_iter_t *id)
{
    switch (bson_iter_type(id)) {
    case BSON_TYPE_UTF8:
    case BSON_TYPE_INT32:
    case BSON_TYPE_INT64:
    case BSON_TYPE_OID: return true;
    default: return false;
    }
}

static liana_status look_at(struct settling *s,
                            bson_iter_t *it,
                            struct liana_error *err)
{
    struct liana_slice document;
    bson_iter_t id;
    uint32_t len;
    bool is_here = true;
    liana_status status;

    bson_iter_document(it, &len, &document.ptr);
    document.len = len;
    if (!bson_iter_init_from_data(&id, document.ptr, document.len) ||
        !bson_iter_find(&id, "_id")) {
        return LIANA_OK;
    }
    status =
        s->m->source.is_here(s->m->source.ctx, s->collection, document, &is_here, err);
    if (!status && !is_here && is_plain(&id)) {
        s->gone[s->count++] =
            (struct liana_change){.collection = s->collection, .id = document};
    } else if (!status && !is_here) {
        s->unknown++;
    }
    return status;
}

static liana_status delete_gone(struct settling *s, struct liana_error *err)
{
    struct liana_page page = {s->gone, s->count, s->m->status.position};
    struct lia_mongo_plan plan;
    liana_status status =
        lia_mongo_plan_make(&page, lia_mongo_server_document_max(s->m->server), &plan);

    if (status) {
        return lia_mongo_err(err, status, 0, "out of memory");
    }
    status = lia_mongo_away_apply(s->m, &plan, page.position, err);
    if (!status) {
        s->deleted += s->count;
        lia_mongo_count(s->m, &plan, page.position);
    }
    lia_mongo_plan_deinit(&plan);
    return status;
}

/* One page of MongoDB's _ids; `ids` holds what `gone` points at. */
static liana_status settle_page(struct settling *s,
                                const bson_t *ids,
                                struct liana_error *err)
{
    liana_status status = LIANA_OK;
    bson_iter_t it;

    s->count = 0;
    bson_iter_init(&it, ids);
    while (!status && bson_iter_next(&it)) {
        status = look_at(s, &it, err);
    }
    return status || s->count == 0 ? status : delete_gone(s, err);
}

static liana_status settle_collection(struct settling *s, struct liana_error *err)
{
    liana_status status = LIANA_OK;
    bool is_first = true;
    bool is_more = true;

    while (!status && is_more) {
        bson_t ids = BSON_INITIALIZER;

        status = lia_mongo_away_ids(s->m, s->collection, is_first, &ids, &is_more, err);
        if (!status) {
            status = settle_page(s, &ids, err);
        }
        bson_destroy(&ids);
        is_first = false;
    }
    return status;
}

static liana_status settle_all(struct settling *s,
                               const bson_t *names,
                               struct liana_error *err)
{
    liana_status status = LIANA_OK;
    bson_iter_t it;

    bson_iter_init(&it, names);
    while (!status && bson_iter_next(&it)) {
        uint32_t len;
        const char *name = bson_iter_utf8(&it, &len);

        s->collection = (struct liana_str){name, len};
        status = settle_collection(s, err);
    }
    return status;
}

static liana_status end_settling(struct settling *s, struct liana_error *err)
{
    struct lia_mongo *m = s->m;
    liana_status status = LIANA_OK;

    lia_mongo_say(m, LIANA_LOG_INFO,
                  "settled: %" PRIu64
                  " document%s that the store does not have deleted "
                  "in MongoDB",
                  s->deleted, s->deleted == 1 ? "" : "s");
    if (s->unknown) {
        lia_mongo_say(m, LIANA_LOG_WARN,
                      "not settled: %" PRIu64
                      " more whose _id is no string, integer or "
                      "ObjectId; look at them yourself (docs/mongodb.md)",
                      s->unknown);
    }
    if (s->unknown == 0) {
        lia_mongo_server_set_missed(m->server, (struct lia_mongo_missed){0});
        show(m);
        status = lia_mongo_away_keep(m, m->status.position, err);
    }
    pthread_mutex_lock(&m->lock);
    m->has_settled = !status;
    m->status.is_settling = !m->has_settled;
    pthread_mutex_unlock(&m->lock);
    lia_mongo_publish(m);
    return status;
}

static liana_status settle(struct lia_mongo *m, struct liana_error *err)
{
    struct settling s = {.m = m};
    bson_t names = BSON_INITIALIZER;
    liana_status status;

    status = m->source.names(m->source.ctx, &names, err);
    if (!status) {
        status = settle_all(&s, &names, err);
    }
    if (!status) {
        status = end_settling(&s, err);
    }
    bson_destroy(&names);
    return status;
}

liana_status lia_mongo_settle(struct lia_mongo *m, struct liana_error *err)
{
    return m->wants_settling && !m->has_settled ? settle(m, err) : LIANA_OK;
}
