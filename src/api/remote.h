/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_API_REMOTE_H
#define LIA_API_REMOTE_H
/*
 * api/remote - a store that another process holds, over its control socket.
 *
 * A connection does one request at a time, so what may wait has one of its own: each
 * transaction, each feed, the queue of events. The bodies are those of api/serve.h.
 *
 * Ownership: each handle owns its connection. Threads: as the public headers say.
 */
#include "api/handle.h"
#include "base/env.h"

/* `env` is copied; its allocator and ctx are borrowed until close. */
LIANA_MUST_CHECK liana_status lia_remote_open(const struct lia_env *env,
                                              struct liana_str path,
                                              liana_db **out,
                                              struct liana_error *err);

#endif
