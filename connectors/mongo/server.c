/* SPDX-License-Identifier: Apache-2.0 */
#include "mongo/server.h"

#include <stdlib.h>
#include <string.h>

#include "mongo/target.h"
#include "mongo/uri.h"

#define DOCUMENT_DEFAULT ((size_t)16 * 1024 * 1024)

/* ---- errors ---- */

bool lia_mongo_is_network(const bson_error_t *error)
{
    return error->domain == MONGOC_ERROR_STREAM ||
           error->domain == MONGOC_ERROR_SERVER_SELECTION ||
           error->domain == MONGOC_ERROR_PROTOCOL ||
           (error->domain == MONGOC_ERROR_CLIENT &&
            error->code != MONGOC_ERROR_CLIENT_AUTHENTICATE);
}

static bool is_login(const bson_error_t *error)
{
    return (error->domain == MONGOC_ERROR_CLIENT &&
            error->code == MONGOC_ERROR_CLIENT_AUTHENTICATE) ||
           error->domain == MONGOC_ERROR_SASL || error->domain == MONGOC_ERROR_SCRAM;
}

enum lia_mongo_class lia_mongo_class_of(const bson_error_t *error, const bson_t *reply)
{
    if (is_login(error)) {
        return LIA_MONGO_AUTH;
    }
    if (lia_mongo_is_network(error) ||
        (reply && (mongoc_error_has_label(reply, "RetryableWriteError") ||
                   mongoc_error_has_label(reply, "TransientTransactionError")))) {
        return LIA_MONGO_AGAIN;
    }
    return lia_mongo_classify((int32_t)error->code);
}

liana_status lia_mongo_fail(struct liana_error *err,
                            const bson_error_t *error,
                            const bson_t *reply,
                            const char *what)
{
    bool is_auth = lia_mongo_class_of(error, reply) == LIA_MONGO_AUTH;

    return lia_mongo_err(err, is_auth ? LIANA_EAUTH : LIANA_EUNREACHABLE,
                         (int32_t)error->code, "MongoDB, %s: %s", what, error->message);
}

/* ---- opening ---- */

static char *describe(const mongoc_uri_t *uri, const char *database)
{
    const mongoc_host_list_t *hosts = mongoc_uri_get_hosts(uri);
    const char *service = mongoc_uri_get_srv_hostname(uri);

    return bson_strdup_printf("%s%s/%s", service ? service : hosts->host_and_port,
                              !service && hosts->next ? ",..." : "", database);
}

/* libmongoc prints by itself otherwise; what matters comes back as an error too. */
static void say_nothing(mongoc_log_level_t level,
                        const char *domain,
                        const char *message,
                        void *ctx)
{
    (void)level;
    (void)domain;
    (void)message;
    (void)ctx;
}

/* What is asked of a server, and where. */
static liana_status prepare(struct lia_mongo_server *s,
                            const struct lia_mongo_server_options *options,
                            const mongoc_uri_t *uri,
                            struct liana_error *err)
{
    const char *database = options->database;

    if (!database || !*database) {
        database = mongoc_uri_get_database(uri);
    }
    s->database = bson_strdup(database && *database ? database : "liana");
    s->connector = bson_strdup(options->connector);
    s->name = describe(uri, s->database);
    s->document_max = DOCUMENT_DEFAULT;
    s->majority = mongoc_write_concern_new();
    mongoc_write_concern_set_w(s->majority, MONGOC_WRITE_CONCERN_W_MAJORITY);
    mongoc_write_concern_set_wtimeout_int64(s->majority, 20000);
    return lia_mongo_check_database(
        (struct liana_str){s->database, strlen(s->database)}, err);
}

liana_status lia_mongo_server_new(const struct lia_mongo_server_options *options,
                                  struct lia_mongo_server **out,
                                  struct liana_error *err)
{
    struct lia_mongo_server *s;
    mongoc_uri_t *uri;
    liana_status status;

    mongoc_init();
    mongoc_log_set_handler(say_nothing, NULL);
    status =
        lia_mongo_uri_parse(options->uri, options->selection_timeout_ms, &uri, err);
    if (status) {
        return status;
    }
    s = calloc(1, sizeof(*s));
    status = s ? prepare(s, options, uri, err)
               : lia_mongo_err(err, LIANA_ENOMEM, 0, "out of memory");
    if (!status) {
        status = lia_mongo_uri_connect(uri, &s->client, err);
    }
    mongoc_uri_destroy(uri);
    if (status) {
        lia_mongo_server_free(s);
        return status;
    }
    *out = s;
    return LIANA_OK;
}

void lia_mongo_server_free(struct lia_mongo_server *s)
{
    if (!s) {
        return;
    }
    bson_destroy(s->retried);
    lia_mongo_end_walk(s);
    mongoc_client_destroy(s->client);
    mongoc_write_concern_destroy(s->majority);
    bson_free(s->database);
    bson_free(s->connector);
    bson_free(s->name);
    free(s);
}

const char *lia_mongo_server_name(const struct lia_mongo_server *s)
{
    return s->name;
}

size_t lia_mongo_server_document_max(const struct lia_mongo_server *s)
{
    return s->document_max;
}

uint64_t lia_mongo_server_dead(const struct lia_mongo_server *s)
{
    return s->dead;
}

void lia_mongo_server_set_missed(struct lia_mongo_server *s,
                                 struct lia_mongo_missed missed)
{
    s->missed = missed;
}

const struct lia_mongo_missed *lia_mongo_server_missed(const struct lia_mongo_server *s)
{
    return &s->missed;
}

void lia_mongo_server_set_begun(struct lia_mongo_server *s, uint64_t seq)
{
    s->begun = seq;
}

uint64_t lia_mongo_server_begun(const struct lia_mongo_server *s)
{
    return s->begun;
}

mongoc_collection_t *lia_mongo_collection(const struct lia_mongo_server *s,
                                          const char *name)
{
    mongoc_collection_t *c = mongoc_client_get_collection(s->client, s->database, name);

    mongoc_collection_set_write_concern(c, s->majority);
    return c;
}

/* ---- begin ---- */

static bool say_hello(struct lia_mongo_server *s, struct liana_error *err)
{
    bson_error_t error = {0};
    bson_t reply;
    bson_t *hello = BCON_NEW("hello", BCON_INT32(1));
    bson_iter_t it;
    bool ok =
        mongoc_client_command_simple(s->client, "admin", hello, NULL, &reply, &error);

    if (!ok && !lia_mongo_is_network(&error) && !is_login(&error)) {
        /* Before MongoDB 4.4.2 and 5.0 the command has another name. */
        bson_destroy(hello);
        bson_destroy(&reply);
        hello = BCON_NEW("isMaster", BCON_INT32(1));
        ok = mongoc_client_command_simple(s->client, "admin", hello, NULL, &reply,
                                          &error);
    }
    if (ok && bson_iter_init_find(&it, &reply, "maxBsonObjectSize")) {
        s->document_max = (size_t)bson_iter_as_int64(&it);
    }
    if (!ok) {
        lia_mongo_fail(err, &error, &reply, s->name);
    }
    bson_destroy(&reply);
    bson_destroy(hello);
    return ok;
}

static bson_t *checkpoint_id(const struct lia_mongo_server *s)
{
    return BCON_NEW("_id", "{", "connector", BCON_UTF8(s->connector), "store",
                    BCON_UTF8(s->store), "}");
}

static void read_missed(const bson_t *checkpoint, struct lia_mongo_missed *out)
{
    bson_iter_t root;
    bson_iter_t after;
    bson_iter_t at;

    *out = (struct lia_mongo_missed){0};
    if (bson_iter_init(&root, checkpoint) &&
        bson_iter_find_descendant(&root, "missed.after", &after) &&
        bson_iter_init(&root, checkpoint) &&
        bson_iter_find_descendant(&root, "missed.at", &at)) {
        *out = (struct lia_mongo_missed){true, (uint64_t)bson_iter_as_int64(&after),
                                         bson_iter_date_time(&at)};
    }
}

static bool read_position(struct lia_mongo_server *s,
                          uint64_t *out,
                          struct liana_error *err)
{
    mongoc_collection_t *c = lia_mongo_collection(s, "_liana.checkpoint");
    bson_t *filter = checkpoint_id(s);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(c, filter, NULL, NULL);
    const bson_t *document;
    bson_error_t error = {0};
    bson_iter_t it;
    uint64_t position = 0;
    bool ok;

    if (mongoc_cursor_next(cursor, &document) &&
        bson_iter_init_find(&it, document, "seq")) {
        position = (uint64_t)bson_iter_as_int64(&it);
        s->begun = bson_iter_init_find(&it, document, "begun")
                       ? (uint64_t)bson_iter_as_int64(&it)
                       : 0;
        read_missed(document, &s->missed);
    }
    ok = !mongoc_cursor_error(cursor, &error);
    if (ok) {
        *out = position;
    } else {
        lia_mongo_fail(err, &error, NULL, "_liana.checkpoint");
    }
    mongoc_cursor_destroy(cursor);
    bson_destroy(filter);
    mongoc_collection_destroy(c);
    return ok;
}

liana_status lia_mongo_server_begin(struct lia_mongo_server *s,
                                    const char *store,
                                    uint64_t *out_position,
                                    struct liana_error *err)
{
    struct liana_error ours = LIANA_ERROR_INIT;

    snprintf(s->store, sizeof(s->store), "%s", store);
    if (say_hello(s, &ours) && lia_mongo_count_dead(s, &ours) &&
        read_position(s, out_position, &ours)) {
        return LIANA_OK;
    }
    return lia_mongo_err(err, ours.status, ours.subcode, "%s", ours.message);
}

/* ---- the position ---- */

static void append_missed(bson_t *out, const struct lia_mongo_missed *missed)
{
    bson_t inner;

    if (missed->is_set) {
        BSON_APPEND_DOCUMENT_BEGIN(out, "missed", &inner);
        BSON_APPEND_INT64(&inner, "after", (int64_t)missed->after);
        BSON_APPEND_DATE_TIME(&inner, "at", missed->at_ms);
        bson_append_document_end(out, &inner);
    }
}

static liana_status keep_position(void *ctx, uint64_t position, struct liana_error *err)
{
    struct lia_mongo_server *s = ctx;
    mongoc_collection_t *c = lia_mongo_collection(s, "_liana.checkpoint");
    bson_t *filter = checkpoint_id(s);
    bson_t *document = checkpoint_id(s);
    bson_t *opts = BCON_NEW("upsert", BCON_BOOL(true));
    bson_error_t error = {0};
    bson_t reply;
    liana_status status = LIANA_OK;

    BSON_APPEND_INT64(document, "seq", (int64_t)position);
    bson_append_now_utc(document, "at", -1);
    BSON_APPEND_INT64(document, "begun", (int64_t)s->begun);
    append_missed(document, &s->missed);
    if (!mongoc_collection_replace_one(c, filter, document, opts, &reply, &error)) {
        status = lia_mongo_fail(err, &error, &reply, "_liana.checkpoint");
    }
    bson_destroy(&reply);
    bson_destroy(opts);
    bson_destroy(document);
    bson_destroy(filter);
    mongoc_collection_destroy(c);
    return status;
}

struct lia_mongo_target lia_mongo_server_target(struct lia_mongo_server *s)
{
    return (struct lia_mongo_target){s, lia_mongo_bulk, lia_mongo_bury,
                                     lia_mongo_revive, keep_position};
}
