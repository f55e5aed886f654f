/* SPDX-License-Identifier: Apache-2.0 */
#include "mongo/connector.h"

#include <bson/bson.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mongo/internal.h"

#define PAUSE_FIRST_MS 100
#define PAUSE_MAX_MS   5000
#define IDLE_MS        1000 /* how often an idle connector looks up */
#define STOP_MS        1500

/* What was refused is tried again when something else was written, which may have been in
 * its way, and at times, since somebody may have changed a rule. Trying takes at most a
 * fifth of the time. */
#define RETRY_EVERY_MS 60000
#define RETRY_REST     4

/* ---- the thread ---- */

static bool is_stopping(struct lia_mongo *m)
{
    bool answer;

    pthread_mutex_lock(&m->lock);
    answer = m->is_stopping;
    pthread_mutex_unlock(&m->lock);
    return answer;
}

static bool is_left(struct lia_mongo *m)
{
    bool answer;

    pthread_mutex_lock(&m->lock);
    answer = m->is_left;
    pthread_mutex_unlock(&m->lock);
    return answer;
}

static liana_status write_page(struct lia_mongo *m,
                               const struct liana_page *page,
                               struct liana_error *err)
{
    struct lia_mongo_plan plan;
    liana_status status =
        lia_mongo_plan_make(page, lia_mongo_server_document_max(m->server), &plan);

    if (status) {
        return lia_mongo_err(err, status, 0, "out of memory");
    }
    status = lia_mongo_away_apply(m, &plan, page->position, err);
    if (!status) {
        m->pause_ms = PAUSE_FIRST_MS;
        m->may_go_through = true;
        lia_mongo_count(m, &plan, page->position);
    }
    lia_mongo_plan_deinit(&plan);
    return status;
}

static liana_status try_again(struct lia_mongo *m, struct liana_error *err)
{
    int64_t began = bson_get_monotonic_time();
    uint64_t revived = 0;
    bool is_more = false;
    liana_status status;

    if (lia_mongo_server_dead(m->server) == 0 || began < m->retry_from_us ||
        (!m->may_go_through && began < m->retry_until_us)) {
        return LIANA_OK;
    }
    status = lia_mongo_away_retry(m, &revived, &is_more, err);
    if (status == LIANA_ECANCELED) {
        return status;
    }
    m->may_go_through = is_more || (status && m->may_go_through);
    m->retry_from_us = bson_get_monotonic_time();
    m->retry_from_us += RETRY_REST * (m->retry_from_us - began);
    m->retry_until_us = m->retry_from_us + (int64_t)RETRY_EVERY_MS * 1000;
    pthread_mutex_lock(&m->lock);
    m->status.written += revived;
    m->status.dead = lia_mongo_server_dead(m->server);
    pthread_mutex_unlock(&m->lock);
    if (revived) {
        lia_mongo_say(m, LIANA_LOG_INFO,
                      "%llu documents that were refused went through",
                      (unsigned long long)revived);
        lia_mongo_publish(m);
    }
    return status;
}

/* An idle feed may have passed commits that had nothing for MongoDB. */
static void idle(struct lia_mongo *m)
{
    uint64_t position = m->source.position(m->source.ctx);
    bool is_new;

    pthread_mutex_lock(&m->lock);
    is_new = m->status.position != position || m->status.state != LIA_MONGO_OK;
    m->status.position = position;
    pthread_mutex_unlock(&m->lock);
    if (is_new) {
        lia_mongo_set_state(m, LIA_MONGO_OK, NULL);
    }
}

static void begin_page(struct lia_mongo *m)
{
    struct lia_mongo_status status;

    lia_mongo_status(m, &status);
    if (status.state != LIA_MONGO_LAGGING) {
        lia_mongo_set_state(m, LIA_MONGO_LAGGING, NULL);
    }
}

static liana_status note_forgotten(struct lia_mongo *m, struct liana_error *err)
{
    uint64_t position = m->source.position(m->source.ctx);

    return lia_mongo_note_missed(m, position, position, err);
}

/* Until the server or the source fails. A page that is there at once is written before
 * anybody is told that all is done. */
static liana_status follow(struct lia_mongo *m, struct liana_error *err)
{
    struct liana_page page;
    int32_t timeout_ms = 0;

    for (;;) {
        struct liana_error why = LIANA_ERROR_INIT;
        liana_status status = m->source.next(m->source.ctx, timeout_ms, &page, &why);

        if (status == LIANA_ETIMEOUT) {
            status = try_again(m, err);
            if (!status) {
                status = lia_mongo_settle(m, err);
            }
            if (status) {
                return status;
            }
            idle(m);
            timeout_ms = IDLE_MS;
            continue;
        }
        if (status == LIANA_EFORGOTTEN) {
            status = note_forgotten(m, err);
            if (status) {
                return status;
            }
            timeout_ms = 0;
            continue;
        }
        if (status) {
            return lia_mongo_err(err, status, why.subcode, "%s", why.message);
        }
        begin_page(m);
        status = write_page(m, &page, err);
        if (status) {
            return status;
        }
        timeout_ms = 0;
    }
}

/* Starts to read behind `*position`; from the beginning if the store does not go so far. */
static liana_status open_source(struct lia_mongo *m,
                                uint64_t *position,
                                uint64_t newest,
                                struct liana_error *err)
{
    liana_status status;

    if (*position == 0) {
        lia_mongo_server_set_begun(m->server, newest);
    }
    status = m->source.open(m->source.ctx, *position, lia_mongo_server_begun(m->server),
                            err);
    if (status != LIANA_ERANGE) {
        return status;
    }
    lia_mongo_say(m, LIANA_LOG_WARN, "seq %llu is beyond the store: starting again",
                  (unsigned long long)*position);
    *err = (struct liana_error)LIANA_ERROR_INIT;
    *position = 0;
    lia_mongo_server_set_begun(m->server, newest);
    status = lia_mongo_note_missed(m, 0, 0, err);
    return status ? status : m->source.open(m->source.ctx, 0, newest, err);
}

static liana_status begin(struct lia_mongo *m, struct liana_error *err)
{
    char store[65];
    uint64_t newest = 0;
    uint64_t position = 0;
    liana_status status = m->source.identity(m->source.ctx, store, &newest, err);

    if (!status) {
        status = lia_mongo_away_begin(m, store, &position, err);
    }
    if (status) {
        return status;
    }
    lia_mongo_say(m, LIANA_LOG_INFO, "connected to %s, going on behind seq %llu",
                  lia_mongo_server_name(m->server), (unsigned long long)position);
    lia_mongo_say_missed(m);
    status = open_source(m, &position, newest, err);
    pthread_mutex_lock(&m->lock);
    m->status.position = position;
    m->status.attempts = 0;
    m->status.dead = lia_mongo_server_dead(m->server);
    pthread_mutex_unlock(&m->lock);
    return status;
}

/* Waits before the next attempt, longer each time; false when it is time to stop. */
static bool wait_a_while(struct lia_mongo *m)
{
    struct timespec until;
    int64_t end = bson_get_monotonic_time() + (int64_t)m->pause_ms * 1000;
    bool answer;

    until.tv_sec = (time_t)(end / 1000000);
    until.tv_nsec = (long)(end % 1000000) * 1000;
    pthread_mutex_lock(&m->lock);
    m->status.attempts++;
    while (!m->is_stopping &&
           pthread_cond_timedwait(&m->wake, &m->lock, &until) != ETIMEDOUT) {
    }
    answer = !m->is_stopping;
    pthread_mutex_unlock(&m->lock);
    m->pause_ms = m->pause_ms * 2 < PAUSE_MAX_MS ? m->pause_ms * 2 : PAUSE_MAX_MS;
    return answer;
}

static bool may_try_again(liana_status status)
{
    return status == LIANA_EUNREACHABLE || status == LIANA_EAUTH ||
           status == LIANA_ENOMEM;
}

static void free_all(struct lia_mongo *m)
{
    lia_mongo_server_free(m->server);
    pthread_cond_destroy(&m->wake);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static void work(struct lia_mongo *m)
{
    struct liana_error err = LIANA_ERROR_INIT;

    lia_mongo_set_state(m, LIA_MONGO_STARTING, NULL);
    while (!is_stopping(m)) {
        liana_status status;

        err = (struct liana_error)LIANA_ERROR_INIT;
        status = begin(m, &err);
        if (!status) {
            status = follow(m, &err);
        }
        if (is_left(m)) {
            return;
        }
        m->source.close(m->source.ctx);
        if (!may_try_again(status)) {
            break;
        }
        lia_mongo_set_state(
            m, status == LIANA_EAUTH ? LIA_MONGO_NOT_ALLOWED : LIA_MONGO_UNREACHABLE,
            &err);
        if (!wait_a_while(m)) {
            break;
        }
    }
    lia_mongo_set_state(m, LIA_MONGO_STOPPED, is_stopping(m) ? NULL : &err);
}

static void *run(void *arg)
{
    struct lia_mongo *m = arg;

    work(m);
    if (lia_mongo_away_end(m)) {
        free_all(m);
    }
    return NULL;
}

/* ---- start and stop ---- */

static void init_locks(struct lia_mongo *m)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&m->wake, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&m->lock, NULL);
}

liana_status lia_mongo_connector_start(const struct lia_mongo_source *source,
                                       struct lia_mongo_server *server,
                                       const struct lia_mongo_options *options,
                                       struct lia_mongo **out,
                                       struct liana_error *err)
{
    struct lia_mongo *m = calloc(1, sizeof(*m));
    bool has_name = options->name.len > 0;

    if (!m) {
        return lia_mongo_err(err, LIANA_ENOMEM, 0, "out of memory");
    }
    m->source = *source;
    m->server = server;
    m->target = lia_mongo_server_target(server);
    m->pause_ms = PAUSE_FIRST_MS;
    m->stop_ms = options->stop_ms ? options->stop_ms : STOP_MS;
    m->may_go_through = true; /* nobody knows what happened meanwhile */
    m->wants_settling = options->settle;
    m->status.is_settling = options->settle;
    m->log = options->log;
    m->log_ctx = options->log_ctx;
    snprintf(m->app, sizeof(m->app), "mongo%s%.*s", has_name ? "." : "",
             (int)options->name.len, has_name ? options->name.ptr : "");
    init_locks(m);
    if (pthread_create(&m->thread, NULL, run, m)) {
        pthread_cond_destroy(&m->wake);
        pthread_mutex_destroy(&m->lock);
        free(m);
        return lia_mongo_err(err, LIANA_ELIMIT, 0, "the system has no more threads");
    }
    *out = m;
    return LIANA_OK;
}

bool lia_mongo_stop(struct lia_mongo *m)
{
    struct lia_mongo_source source;
    pthread_t thread;

    if (!m) {
        return true;
    }
    source = m->source;
    thread = m->thread;
    if (lia_mongo_away_stop(m)) {
        pthread_join(thread, NULL);
        source.free(source.ctx);
        free_all(m);
        return true;
    }
    pthread_detach(thread);
    source.close(source.ctx);
    source.free(source.ctx);
    return false;
}
