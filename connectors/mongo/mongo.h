/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_MONGO_MONGO_H
#define LIA_MONGO_MONGO_H
/*
 * mongo/mongo - the MongoDB connector: everything in a store, as plain documents in a
 * MongoDB database.
 *
 * A thread follows the change feed of an open or attached store and writes to MongoDB:
 * collection by collection under the same name, document by document with the same _id,
 * fields and BSON types. Its place is kept in MongoDB (`_liana.checkpoint`), so it goes
 * on there after any end, and doing something twice changes nothing. A document that
 * MongoDB refuses is kept in `_liana.dead` with its bytes and the reason, is tried again
 * when it changes, when something else was written, and every minute, and holds nothing
 * else up. While MongoDB cannot be reached the
 * connector tries again after 0.1 to 5 seconds; nothing is lost, since the store is the
 * queue.
 *
 * Rules: MongoDB is written, not read: changes made there by others are overwritten by
 * the next change of the same document and are not brought into the store. One connector
 * per store and name at a time.
 *
 * Ownership: options are copied; `db` must outlive the connector. Threads: start, stop
 * and status from any; log calls come from the connector's thread.
 */
#include "liana/liana.h"

struct lia_mongo;

struct lia_mongo_options {
    struct liana_str uri; /* mongodb:// or mongodb+srv:// */
    /* Empty: the database in the URI, else "liana". */
    struct liana_str database;
    /* Of this connector among several on one store, at most 120 bytes; empty: "default".
     * Also its name in the store's statistics (`apps.mongo` or `apps.mongo.NAME`). */
    struct liana_str name;
    /* Only these; none: all but the system's. */
    const struct liana_str *collections;
    size_t collection_count;
    /* How long one attempt to reach a server may take, if the URI does not say
     * (serverSelectionTimeoutMS); 0: 2,000. */
    uint32_t selection_timeout_ms;
    /* How long lia_mongo_stop waits for a server that does not answer; 0: 1,500. */
    uint32_t stop_ms;
    /* When MongoDB has all that the store has, go through the _ids of the collections there
     * and delete what the store does not have: missed deletes. For who knows that nobody else
     * puts documents into them. LIANA_EMISUSE ends the connector where the store has evicted
     * something: what it lacks may live. */
    bool settle;
    liana_log_fn log; /* may be NULL */
    void *log_ctx;
};

/* Deletes may have been missed: the store had forgotten them when the connector came back
 * (LIANA_EFORGOTTEN), or was put back to an earlier state. Kept in MongoDB until settled. */
struct lia_mongo_missed {
    bool is_set;
    uint64_t after; /* those behind this seq of the store */
    int64_t at_ms;  /* since 1970: when this was noticed */
};

enum lia_mongo_state {
    LIA_MONGO_STARTING,
    LIA_MONGO_OK,          /* MongoDB has all that the store has */
    LIA_MONGO_LAGGING,     /* writing */
    LIA_MONGO_UNREACHABLE, /* trying again; `error` says why */
    LIA_MONGO_NOT_ALLOWED, /* the same, because of a login or a right */
    LIA_MONGO_STOPPED      /* for good: lia_mongo_stop, or the store's end; `error` */
};

struct lia_mongo_status {
    enum lia_mongo_state state;
    uint64_t position; /* seq of the store up to which MongoDB has everything */
    uint64_t written;  /* acknowledged replaces, deletes and refusals since start */
    uint64_t deleted;
    uint64_t refused;
    uint64_t dead;     /* documents in _liana.dead now */
    uint64_t attempts; /* to reach the server, since it was last reached */
    /* From the commit at the peer that made a change (by its clock) until MongoDB
     * acknowledged it; of single changes, since start. */
    uint64_t lag_median_ms;
    uint64_t lag_p99_ms;
    uint64_t lag_max_ms;
    struct lia_mongo_missed missed;
    bool is_settling;         /* it is to settle, and has not been through yet */
    struct liana_error error; /* the last one; status 0 when all is well */
};

/* "ok", "unreachable", ...; static. */
const char *lia_mongo_state_name(enum lia_mongo_state state);

/* Whether MongoDB takes the name for a database. LIANA_EINVAL. */
LIANA_MUST_CHECK liana_status lia_mongo_check_database(struct liana_str name,
                                                       struct liana_error *err);

/* Checks the options and starts the thread; that the server is not there is no failure
 * of start. LIANA_EINVAL (the URI does not parse; it is named without its password),
 * LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_mongo_start(liana_db *db,
                                              const struct lia_mongo_options *options,
                                              struct lia_mongo **out,
                                              struct liana_error *err);

void lia_mongo_status(struct lia_mongo *mongo, struct lia_mongo_status *out);

/* Ends the connector: between two commands, or when the server answers, or after
 * `stop_ms`. What was not acknowledged is done again at the next start. `mongo` and the
 * store are done with in any case. False: the server has not answered, and a thread is left
 * behind in libmongoc until its timeout (30 s, or the URI's socketTimeoutMS); call
 * lia_mongo_library_end no more, and leave the process with _exit. NULL is allowed. */
bool lia_mongo_stop(struct lia_mongo *mongo);

/* Looks at a database before a connector is let loose on it: reaches the server within
 * `options.selection_timeout_ms` and answers whether one of the collections in `options`
 * exists there; with `drop` they and the connectors' own (`_liana....`) are dropped first.
 * LIANA_EUNREACHABLE, LIANA_EAUTH, LIANA_EINVAL. */
LIANA_MUST_CHECK liana_status lia_mongo_look(const struct lia_mongo_options *options,
                                             bool drop,
                                             bool *out_used,
                                             struct liana_error *err);

/* Gives back what libmongoc holds for the process; the last call of a program, after
 * which no connector can be started. */
void lia_mongo_library_end(void);

#endif
