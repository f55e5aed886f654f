/* SPDX-License-Identifier: Apache-2.0 */
#include <bson/bson.h>
#include <errno.h>
#include <stdio.h>

#include "mongo/internal.h"

/*
 * A call of libmongoc cannot be broken off: at a server that does not answer it lasts for
 * its timeout, and closing the socket under it is not offered. So the thread says when it
 * goes there and when it is back.
 *
 *     here --- go_away ---> away --- come_back ---> here
 *               | false: to stop      | false: left behind
 *
 * Here it may use what belongs to others: the store, the log. Away it uses its own memory
 * alone, and can be left behind.
 */
static bool go_away(struct lia_mongo *m)
{
    bool answer;

    pthread_mutex_lock(&m->lock);
    answer = !m->is_stopping;
    m->is_away = answer;
    pthread_mutex_unlock(&m->lock);
    return answer;
}

static bool come_back(struct lia_mongo *m)
{
    bool answer;

    pthread_mutex_lock(&m->lock);
    m->is_away = false;
    answer = !m->is_left;
    pthread_cond_broadcast(&m->wake);
    pthread_mutex_unlock(&m->lock);
    return answer;
}

/* ---- the calls ---- */

static liana_status go_and_write(void *ctx,
                                 struct lia_mongo_write *const *writes,
                                 size_t count,
                                 struct lia_mongo_reply *out)
{
    struct lia_mongo *m = ctx;
    liana_status status;

    if (!go_away(m)) {
        return LIANA_ECANCELED;
    }
    status = m->target.write(m->target.ctx, writes, count, out);
    return come_back(m) ? status : LIANA_ECANCELED;
}

static liana_status go_and_bury(void *ctx,
                                struct lia_mongo_write *const *writes,
                                size_t count,
                                struct liana_error *err)
{
    struct lia_mongo *m = ctx;
    liana_status status;

    if (!go_away(m)) {
        return LIANA_ECANCELED;
    }
    status = m->target.bury(m->target.ctx, writes, count, err);
    return come_back(m) ? status : LIANA_ECANCELED;
}

static liana_status go_and_revive(void *ctx,
                                  struct lia_mongo_write *const *writes,
                                  size_t count,
                                  struct liana_error *err)
{
    struct lia_mongo *m = ctx;
    liana_status status;

    if (!go_away(m)) {
        return LIANA_ECANCELED;
    }
    status = m->target.revive(m->target.ctx, writes, count, err);
    return come_back(m) ? status : LIANA_ECANCELED;
}

static liana_status go_and_keep(void *ctx, uint64_t position, struct liana_error *err)
{
    struct lia_mongo *m = ctx;
    liana_status status;

    if (!go_away(m)) {
        return LIANA_ECANCELED;
    }
    status = m->target.keep_position(m->target.ctx, position, err);
    return come_back(m) ? status : LIANA_ECANCELED;
}

liana_status lia_mongo_away_apply(struct lia_mongo *m,
                                  struct lia_mongo_plan *plan,
                                  uint64_t position,
                                  struct liana_error *err)
{
    const struct lia_mongo_target target = {m, go_and_write, go_and_bury, go_and_revive,
                                            go_and_keep};

    return lia_mongo_apply(&target, plan, position, err);
}

liana_status lia_mongo_away_keep(struct lia_mongo *m,
                                 uint64_t position,
                                 struct liana_error *err)
{
    return go_and_keep(m, position, err);
}

liana_status lia_mongo_away_ids(struct lia_mongo *m,
                                struct liana_str collection,
                                bool is_first,
                                bson_t *out,
                                bool *out_more,
                                struct liana_error *err)
{
    liana_status status;

    if (!go_away(m)) {
        return LIANA_ECANCELED;
    }
    status = lia_mongo_server_ids(m->server, collection, is_first, out, out_more, err);
    return come_back(m) ? status : LIANA_ECANCELED;
}

liana_status lia_mongo_away_begin(struct lia_mongo *m,
                                  const char *store,
                                  uint64_t *out_position,
                                  struct liana_error *err)
{
    liana_status status;

    if (!go_away(m)) {
        return LIANA_ECANCELED;
    }
    status = lia_mongo_server_begin(m->server, store, out_position, err);
    return come_back(m) ? status : LIANA_ECANCELED;
}

liana_status lia_mongo_away_retry(struct lia_mongo *m,
                                  uint64_t *out_revived,
                                  bool *out_more,
                                  struct liana_error *err)
{
    liana_status status;

    if (!go_away(m)) {
        return LIANA_ECANCELED;
    }
    status = lia_mongo_retry(m->server, out_revived, out_more, err);
    return come_back(m) ? status : LIANA_ECANCELED;
}

/* ---- the end ---- */

bool lia_mongo_away_end(struct lia_mongo *m)
{
    bool answer;

    pthread_mutex_lock(&m->lock);
    answer = m->is_left;
    m->has_ended = true;
    pthread_cond_broadcast(&m->wake);
    pthread_mutex_unlock(&m->lock);
    return answer;
}

static struct timespec moment_in(uint32_t ms)
{
    int64_t end = bson_get_monotonic_time() + (int64_t)ms * 1000;

    return (struct timespec){.tv_sec = (time_t)(end / 1000000),
                             .tv_nsec = (long)(end % 1000000) * 1000};
}

/* With the lock held. A thread that is here ends by itself: it goes away no more. */
static void wait_for_end(struct lia_mongo *m)
{
    struct timespec until = moment_in(m->stop_ms);
    bool is_over = false;

    while (!m->has_ended && !(is_over && m->is_away)) {
        if (is_over) {
            pthread_cond_wait(&m->wake, &m->lock);
        } else {
            is_over = pthread_cond_timedwait(&m->wake, &m->lock, &until) == ETIMEDOUT;
        }
    }
}

bool lia_mongo_away_stop(struct lia_mongo *m)
{
    bool has_ended;

    pthread_mutex_lock(&m->lock);
    m->is_stopping = true;
    pthread_cond_broadcast(&m->wake);
    pthread_mutex_unlock(&m->lock);
    m->source.cancel(m->source.ctx);
    pthread_mutex_lock(&m->lock);
    wait_for_end(m);
    has_ended = m->has_ended;
    m->is_left = !has_ended;
    pthread_mutex_unlock(&m->lock);
    return has_ended;
}
