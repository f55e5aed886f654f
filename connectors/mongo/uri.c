/* SPDX-License-Identifier: Apache-2.0 */
#include "mongo/uri.h"

#include <string.h>

#include "mongo/apply.h"

/* ---- messages ---- */

/* Whether text[0..len) stands in the user's name and password, which end at the last @. */
static bool is_secret(const char *uri, const char *text, size_t len)
{
    const char *end = strrchr(uri, '@');

    for (const char *at = uri; end && at + len <= end; at++) {
        if (memcmp(at, text, len) == 0) {
            return true;
        }
    }
    return false;
}

/* libmongoc quotes what it does not understand: Password "..." must not have ... */
static void mask(const char *uri, char *message)
{
    for (char *quote = strchr(message, '"'); quote; quote = strchr(quote + 1, '"')) {
        char *text = quote + 1;
        char *close = strrchr(text, '"');

        if (close && is_secret(uri, text, (size_t)(close - text))) {
            memset(text, '*', (size_t)(close - text));
        }
    }
}

static liana_status bad_uri(const char *uri,
                            bson_error_t *error,
                            struct liana_error *err)
{
    mask(uri, error->message);
    return lia_mongo_err(err, LIANA_EINVAL, 0, "MongoDB URI: %s", error->message);
}

/* ---- URIs ---- */

static void default_option(mongoc_uri_t *uri, const char *option, int32_t ms)
{
    if (!mongoc_uri_has_option(uri, option)) {
        mongoc_uri_set_option_as_int32(uri, option, ms);
    }
}

liana_status lia_mongo_uri_parse(const char *text,
                                 uint32_t selection_timeout_ms,
                                 mongoc_uri_t **out,
                                 struct liana_error *err)
{
    bson_error_t error = {0};
    mongoc_uri_t *uri = mongoc_uri_new_with_error(text, &error);

    if (!uri) {
        return bad_uri(text, &error, err);
    }
    default_option(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS,
                   (int32_t)selection_timeout_ms);
    default_option(uri, MONGOC_URI_CONNECTTIMEOUTMS, 5000);
    default_option(uri, MONGOC_URI_SOCKETTIMEOUTMS, 30000);
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_SERVERSELECTIONTRYONCE, false);
    *out = uri;
    return LIANA_OK;
}

liana_status lia_mongo_uri_connect(const mongoc_uri_t *uri,
                                   mongoc_client_t **out,
                                   struct liana_error *err)
{
    bson_error_t error = {0};
    mongoc_client_t *client = mongoc_client_new_from_uri_with_error(uri, &error);

    if (!client) {
        return bad_uri(mongoc_uri_get_string(uri), &error, err);
    }
    mongoc_client_set_error_api(client, MONGOC_ERROR_API_VERSION_2);
    mongoc_client_set_appname(client, "liana");
    *out = client;
    return LIANA_OK;
}

/* MongoDB's own rule; not every server that speaks its protocol holds to it. */
liana_status lia_mongo_check_database(struct liana_str name, struct liana_error *err)
{
    static const char forbidden[] = "/\\. \"$";
    bool is_right = name.len > 0 && name.len <= 63;

    for (size_t i = 0; i < name.len; i++) {
        is_right = is_right && !memchr(forbidden, name.ptr[i], sizeof(forbidden));
    }
    return is_right ? LIANA_OK
                    : lia_mongo_err(err, LIANA_EINVAL, 0,
                                    "MongoDB database '%.*s': a name has 1 to 63 bytes "
                                    "and none of / \\ . \" $ or blank",
                                    (int)name.len, name.ptr);
}
