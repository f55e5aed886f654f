/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_MONGO_INTERNAL_H
#define LIA_MONGO_INTERNAL_H
/*
 * mongo/internal - the connector's own state, shared by connector.c (the thread), away.c
 * (its calls of the server) and view.c (what others see of it).
 *
 * Ownership: mongo/connector.h. Threads: the connector's, but for what stands below `lock`.
 */
#include <bson/bson.h>
#include <pthread.h>

#include "mongo/connector.h"
#include "mongo/lag.h"

struct lia_mongo {
    struct lia_mongo_source source;
    struct lia_mongo_server *server;
    struct lia_mongo_target target;
    liana_log_fn log;
    void *log_ctx;
    char app[160]; /* its name in the statistics */
    pthread_t thread;
    uint32_t stop_ms;
    uint32_t pause_ms;      /* the thread's, */
    bool may_go_through;    /* what was refused: something was written since */
    int64_t retry_from_us;  /* not earlier than this */
    int64_t retry_until_us; /* in any case then */
    bool wants_settling;    /* and: */
    bool has_settled;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    bool is_stopping;
    bool is_away;   /* in a call of the server: it uses nothing but its own memory */
    bool is_left;   /* it was away too long: it ends alone, and frees all */
    bool has_ended; /* and uses nothing any more */
    struct lia_mongo_status status;
    struct lia_mongo_lag lag;
};

/* ---- view.c ---- */

void lia_mongo_say(struct lia_mongo *m, int32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void lia_mongo_publish(struct lia_mongo *m);

/* `error` may be NULL. */
void lia_mongo_set_state(struct lia_mongo *m,
                         enum lia_mongo_state state,
                         const struct liana_error *error);

/* Everything of the plan is acknowledged. */
void lia_mongo_count(struct lia_mongo *m,
                     const struct lia_mongo_plan *plan,
                     uint64_t position);

int64_t lia_mongo_wall_ms(void);

/* ---- missed.c ---- */

/* Shows what is known of missed deletes, and says it if there are any. */
void lia_mongo_say_missed(struct lia_mongo *m);

/* Deletes behind `after` may be missed: keeps that beside `position`. */
LIANA_MUST_CHECK liana_status lia_mongo_note_missed(struct lia_mongo *m,
                                                    uint64_t after,
                                                    uint64_t position,
                                                    struct liana_error *err);

/* Once, if it was asked for; when everything up to the position is in MongoDB. */
LIANA_MUST_CHECK liana_status lia_mongo_settle(struct lia_mongo *m,
                                               struct liana_error *err);

/* ---- away.c ---- */

/* Calls of the server. LIANA_ECANCELED when the connector is to stop, or was left behind
 * meanwhile: then the source, the log and the status are not to be touched any more. */
LIANA_MUST_CHECK liana_status lia_mongo_away_begin(struct lia_mongo *m,
                                                   const char *store,
                                                   uint64_t *out_position,
                                                   struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_mongo_away_apply(struct lia_mongo *m,
                                                   struct lia_mongo_plan *plan,
                                                   uint64_t position,
                                                   struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_mongo_away_keep(struct lia_mongo *m,
                                                  uint64_t position,
                                                  struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_mongo_away_ids(struct lia_mongo *m,
                                                 struct liana_str collection,
                                                 bool is_first,
                                                 bson_t *out,
                                                 bool *out_more,
                                                 struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_mongo_away_retry(struct lia_mongo *m,
                                                   uint64_t *out_revived,
                                                   bool *out_more,
                                                   struct liana_error *err);

/* The thread says that it has ended. True: it was left behind, and is to free all. */
bool lia_mongo_away_end(struct lia_mongo *m);

/* Tells the thread to stop, and waits for its end, but if a server does not answer
 * no longer than `stop_ms`: then it answers false, and `m` is the thread's. */
bool lia_mongo_away_stop(struct lia_mongo *m);

#endif
