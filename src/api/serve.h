/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_API_SERVE_H
#define LIA_API_SERVE_H
/*
 * api/serve - the requests of control.def, answered by the same functions that an app calls.
 *
 * Each client is a user of the store with a handle of its own (api/local). Bodies, fields
 * in any order; a missing number is 0, a missing document empty:
 *
 *     EXECUTE      {statement, params: document, txn}     parts: rows; {result, mutations,
 *                                                         waiting, seq, ended: bool}
 *     NEXT         {result}                               parts: rows; {ended}
 *     FREE         {result}                               {}
 *     BEGIN        {read_only: bool, durability, timeout_ms}   {txn}
 *     COMMIT       {txn}                                  {seq}
 *     ROLLBACK     {txn}                                  {}
 *     FEED_OPEN    {since, collections: [string], page_changes, page_bytes,
 *                   begun}                                {feed}
 *     FEED_NEXT    {feed, timeout_ms, position}           parts: {seq, collection, id:
 *                                                         document, document, written_ms};
 *                                                         {position, timed_out: bool}
 *     FEED_CLOSE   {feed}                                 {}
 *     SUBSCRIBE    {statement, params}                    {subscription}
 *     UNSUBSCRIBE  {subscription}                         {}
 *     SYNC_START   {listen: [string], dial: [string]}     {}
 *     SYNC_STOP    {}                                     {}
 *     STATS        {}                                     the statistics
 *     STATS_PUBLISH {name, document}                      {}
 *     POLL         {timeout_ms}                           {kind, status, seq, subscription,
 *                                                         peer, name, text}
 *
 * Numbers are int64. An ended result is freed at once and has no id (0).
 * Ownership: the server is the core's. Threads: as node/control_server.h.
 */
#include "api/local.h"

/* Rows of one answer: about this many bytes. */
#define LIA_SERVE_ROWS_BYTES ((size_t)256 * 1024)

LIANA_MUST_CHECK liana_status lia_serve(struct lia_local *local,
                                        struct liana_error *err);

#endif
