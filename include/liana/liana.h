/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIANA_H
#define LIANA_H
/*
 * liana - an offline-first document database for devices: the whole public API.
 *
 *     liana/error.h     statuses, struct liana_error
 *     liana/types.h     slices, strings, allocator, bytes
 *     liana/db.h        open, attach, statements, results, transactions
 *     liana/changes.h   the change feed
 *     liana/sync.h      subscriptions, links to other peers, statistics, events
 *     liana/json.h      Extended JSON to and from BSON
 *
 * Rules, the same everywhere. C99. A call answers LIANA_OK or a negative status, and
 * fills in the caller's struct liana_error if one is given (NULL is allowed); the error
 * must be LIANA_ERROR_INIT or zeroed before each call, for the first message written
 * stays. On failure outputs are untouched. A wrong argument is LIANA_EINVAL, never an
 * abort. Out of memory is LIANA_ENOMEM and leaves the database as it was. Documents
 * cross as BSON bytes (bsonspec.org), text as UTF-8 with a length. Option structs begin
 * with a version and are started with their _INIT; NULL options mean all defaults.
 *
 * Ownership: arguments are borrowed for the call. What a function gives with `out` is
 * the caller's and has its own close, free, commit or rollback, which all accept NULL.
 * Slices inside such an object are valid as long as its comment says.
 *
 * Threads: a liana_db may be used from any number of threads at once. A transaction, a
 * result and a feed may move between threads but belong to one at a time. Nothing calls
 * back into the app, except the log and allocator functions that it gave itself. There
 * is no global and no thread-local state.
 */
#include "liana/changes.h"
#include "liana/db.h"
#include "liana/error.h"
#include "liana/json.h"
#include "liana/sync.h"
#include "liana/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LIANA_VERSION_MAJOR 0
#define LIANA_VERSION_MINOR 1
#define LIANA_VERSION_PATCH 0

/* "0.1.0" of the library in use, which may be newer than the headers. Static. */
LIANA_API const char *liana_version(void);

#ifdef __cplusplus
}
#endif
#endif
