/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_MONGO_CONNECTOR_H
#define LIA_MONGO_CONNECTOR_H
/*
 * mongo/connector - the thread between a source of changes and a MongoDB server.
 *
 *     begin: reach the server, read the position, open the source there
 *        |        ^
 *        v        | pause, doubled from 0.1 to 5 s
 *     follow: page -> plan -> apply -> page ... --- server away ---+
 *        |
 *        +-- cancelled, or the source failed --> stopped
 *
 * After a failure the source is opened again at the kept position: what changed meanwhile
 * has collapsed into newest states, and nothing old is written again.
 *
 * A stop does not wait for a server that does not answer: the thread is left behind in
 * its call (away.c), with the server object and what it is sending, and frees them when
 * the call ends, which its timeout sees to. The store is free at once.
 *
 * Ownership: source and server are the connector's from a successful start on; stop frees
 * them, or leaves the server to the thread. Threads: as mongo/mongo.h.
 */
#include "mongo/mongo.h"
#include "mongo/source.h"
#include "mongo/target.h"

LIANA_MUST_CHECK liana_status
lia_mongo_connector_start(const struct lia_mongo_source *source,
                          struct lia_mongo_server *server,
                          const struct lia_mongo_options *options,
                          struct lia_mongo **out,
                          struct liana_error *err);

#endif
