/* SPDX-License-Identifier: Apache-2.0 */
#include "mongo/connector.h"

#include <bson/bson.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mongo/lag.h"
#include "mongo/report.h"

#define PAUSE_FIRST_MS 100
#define PAUSE_MAX_MS   5000
#define IDLE_MS        1000 /* how often an idle connector looks up */

/* What was refused is tried again when something else was written, which may have been in
 * its way, and at times, since somebody may have changed a rule. Trying takes at most a
 * fifth of the time. */
#define RETRY_EVERY_MS 60000
#define RETRY_REST     4

struct lia_mongo {
    struct lia_mongo_source source;
    struct lia_mongo_server *server;
    struct lia_mongo_target target;
    liana_log_fn log;
    void *log_ctx;
    char app[160]; /* its name in the statistics */
    pthread_t thread;
    uint32_t pause_ms;      /* the thread's, */
    bool may_go_through;    /* what was refused: something was written since */
    int64_t retry_from_us;  /* not earlier than this */
    int64_t retry_until_us; /* in any case then */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    bool is_stopping;
    struct lia_mongo_status status;
    struct lia_mongo_lag lag;
};

/* ---- what others see ---- */

static void say(struct lia_mongo *m, int32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(struct lia_mongo *m, int32_t level, const char *format, ...)
{
    char text[400];
    va_list args;

    if (!m->log) {
        return;
    }
    va_start(args, format);
    if (vsnprintf(text, sizeof(text), format, args) >= 0) {
        m->log(m->log_ctx, level, "mongo", text);
    }
    va_end(args);
}

void lia_mongo_status(struct lia_mongo *m, struct lia_mongo_status *out)
{
    pthread_mutex_lock(&m->lock);
    *out = m->status;
    pthread_mutex_unlock(&m->lock);
}

static void publish(struct lia_mongo *m)
{
    struct lia_mongo_status status;
    bson_t *document;

    lia_mongo_status(m, &status);
    document = lia_mongo_report(&status, lia_mongo_server_name(m->server));
    m->source.publish(m->source.ctx, (struct liana_str){m->app, strlen(m->app)},
                      (struct liana_slice){bson_get_data(document), document->len});
    bson_destroy(document);
}

static void set_state(struct lia_mongo *m,
                      enum lia_mongo_state state,
                      const struct liana_error *error)
{
    bool is_new;

    pthread_mutex_lock(&m->lock);
    is_new = m->status.state != state;
    m->status.state = state;
    m->status.error = error ? *error : (struct liana_error)LIANA_ERROR_INIT;
    pthread_mutex_unlock(&m->lock);
    if (is_new && error) {
        say(m, LIANA_LOG_WARN, "%s: %s", lia_mongo_state_name(state), error->message);
    } else if (is_new) {
        say(m, LIANA_LOG_DEBUG, "%s", lia_mongo_state_name(state));
    }
    publish(m);
}

static uint64_t age_ms(int64_t written_ms, int64_t now_ms)
{
    return now_ms > written_ms ? (uint64_t)(now_ms - written_ms) : 0;
}

static int64_t wall_ms(void)
{
    struct timeval now;

    bson_gettimeofday(&now);
    return (int64_t)now.tv_sec * 1000 + now.tv_usec / 1000;
}

/* Everything of the plan is acknowledged. */
static void count(struct lia_mongo *m,
                  const struct lia_mongo_plan *plan,
                  uint64_t position)
{
    int64_t now = wall_ms();

    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < plan->count; i++) {
        const struct lia_mongo_write *write = &plan->writes[i];

        if (write->outcome == LIA_MONGO_BURIED) {
            m->status.refused++;
        } else if (write->change->document.len == 0) {
            m->status.deleted++;
        } else {
            m->status.written++;
        }
        if (write->change->written_ms > 0) {
            lia_mongo_lag_add(&m->lag, age_ms(write->change->written_ms, now));
        }
    }
    m->status.position = position;
    m->status.attempts = 0;
    m->status.dead = lia_mongo_server_dead(m->server);
    m->status.lag_median_ms = lia_mongo_lag_percentile(&m->lag, 50);
    m->status.lag_p99_ms = lia_mongo_lag_percentile(&m->lag, 99);
    m->status.lag_max_ms = m->lag.max_ms;
    pthread_mutex_unlock(&m->lock);
}

static void report_refusals(struct lia_mongo *m, const struct lia_mongo_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct lia_mongo_write *write = &plan->writes[i];

        if (write->outcome == LIA_MONGO_BURIED) {
            say(m, LIANA_LOG_WARN,
                "a document of %.*s is refused and kept in _liana.dead: %s (code %d)",
                (int)write->change->collection.len, write->change->collection.ptr,
                write->reason, (int)write->code);
        }
    }
}

/* ---- the thread ---- */

static bool is_stopping(struct lia_mongo *m)
{
    bool answer;

    pthread_mutex_lock(&m->lock);
    answer = m->is_stopping;
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
    status = lia_mongo_apply(&m->target, &plan, page->position, err);
    if (!status) {
        m->pause_ms = PAUSE_FIRST_MS;
        m->may_go_through = true;
        count(m, &plan, page->position);
        report_refusals(m, &plan);
        publish(m);
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
    status = lia_mongo_retry(m->server, &revived, &is_more, err);
    m->may_go_through = is_more || (status && m->may_go_through);
    m->retry_from_us = bson_get_monotonic_time();
    m->retry_from_us += RETRY_REST * (m->retry_from_us - began);
    m->retry_until_us = m->retry_from_us + (int64_t)RETRY_EVERY_MS * 1000;
    pthread_mutex_lock(&m->lock);
    m->status.written += revived;
    m->status.dead = lia_mongo_server_dead(m->server);
    pthread_mutex_unlock(&m->lock);
    if (revived) {
        say(m, LIANA_LOG_INFO, "%llu documents that were refused went through",
            (unsigned long long)revived);
        publish(m);
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
        set_state(m, LIA_MONGO_OK, NULL);
    }
}

static void begin_page(struct lia_mongo *m)
{
    struct lia_mongo_status status;

    lia_mongo_status(m, &status);
    if (status.state != LIA_MONGO_LAGGING) {
        set_state(m, LIA_MONGO_LAGGING, NULL);
    }
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
            if (status) {
                return status;
            }
            idle(m);
            timeout_ms = IDLE_MS;
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

static liana_status begin(struct lia_mongo *m, struct liana_error *err)
{
    char store[65];
    uint64_t position = 0;
    liana_status status = m->source.identity(m->source.ctx, store, err);

    if (!status) {
        status = lia_mongo_server_begin(m->server, store, &position, err);
    }
    if (status) {
        return status;
    }
    say(m, LIANA_LOG_INFO, "connected to %s, going on behind seq %llu",
        lia_mongo_server_name(m->server), (unsigned long long)position);
    status = m->source.open(m->source.ctx, position, err);
    if (status == LIANA_ERANGE) {
        say(m, LIANA_LOG_WARN, "seq %llu is beyond the store: starting again",
            (unsigned long long)position);
        *err = (struct liana_error)LIANA_ERROR_INIT;
        position = 0;
        status = m->source.open(m->source.ctx, position, err);
    }
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

static void *run(void *arg)
{
    struct lia_mongo *m = arg;
    struct liana_error err = LIANA_ERROR_INIT;

    set_state(m, LIA_MONGO_STARTING, NULL);
    while (!is_stopping(m)) {
        liana_status status;

        err = (struct liana_error)LIANA_ERROR_INIT;
        status = begin(m, &err);
        if (!status) {
            status = follow(m, &err);
        }
        m->source.close(m->source.ctx);
        if (!may_try_again(status)) {
            break;
        }
        set_state(m,
                  status == LIANA_EAUTH ? LIA_MONGO_NOT_ALLOWED : LIA_MONGO_UNREACHABLE,
                  &err);
        if (!wait_a_while(m)) {
            break;
        }
    }
    set_state(m, LIA_MONGO_STOPPED, is_stopping(m) ? NULL : &err);
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
    m->may_go_through = true; /* nobody knows what happened meanwhile */
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

void lia_mongo_stop(struct lia_mongo *m)
{
    if (!m) {
        return;
    }
    pthread_mutex_lock(&m->lock);
    m->is_stopping = true;
    pthread_cond_broadcast(&m->wake);
    pthread_mutex_unlock(&m->lock);
    m->source.cancel(m->source.ctx);
    pthread_join(m->thread, NULL);
    m->source.free(m->source.ctx);
    lia_mongo_server_free(m->server);
    pthread_cond_destroy(&m->wake);
    pthread_mutex_destroy(&m->lock);
    free(m);
}
