/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_MONGO_REPORT_H
#define LIA_MONGO_REPORT_H
/*
 * mongo/report - the connector's state as a document, for `apps.mongo` in the
 * statistics:
 *
 *     {state, server, position, written, deleted, refused, dead, attempts: int64,
 *      lag: {median_ms, p99_ms, max_ms: int64}, error: {status, message} or null}
 *
 * Ownership: the caller destroys the document. Threads: any.
 */
#include <bson/bson.h>

#include "mongo/mongo.h"

bson_t *lia_mongo_report(const struct lia_mongo_status *status, const char *server);

#endif
