/* SPDX-License-Identifier: Apache-2.0 */
#include <bson/bson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mongo/internal.h"
#include "mongo/report.h"

void lia_mongo_say(struct lia_mongo *m, int32_t level, const char *format, ...)
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

void lia_mongo_publish(struct lia_mongo *m)
{
    struct lia_mongo_status status;
    bson_t *document;

    lia_mongo_status(m, &status);
    document = lia_mongo_report(&status, lia_mongo_server_name(m->server));
    m->source.publish(m->source.ctx, (struct liana_str){m->app, strlen(m->app)},
                      (struct liana_slice){bson_get_data(document), document->len});
    bson_destroy(document);
}

void lia_mongo_set_state(struct lia_mongo *m,
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
        lia_mongo_say(m, LIANA_LOG_WARN, "%s: %s", lia_mongo_state_name(state),
                      error->message);
    } else if (is_new) {
        lia_mongo_say(m, LIANA_LOG_DEBUG, "%s", lia_mongo_state_name(state));
    }
    lia_mongo_publish(m);
}

static uint64_t age_ms(int64_t written_ms, int64_t now_ms)
{
    return now_ms > written_ms ? (uint64_t)(now_ms - written_ms) : 0;
}

int64_t lia_mongo_wall_ms(void)
{
    struct timeval now;

    bson_gettimeofday(&now);
    return (int64_t)now.tv_sec * 1000 + now.tv_usec / 1000;
}

static void count(struct lia_mongo *m,
                  const struct lia_mongo_plan *plan,
                  uint64_t position)
{
    int64_t now = lia_mongo_wall_ms();

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
            lia_mongo_say(
                m, LIANA_LOG_WARN,
                "a document of %.*s is refused and kept in _liana.dead: %s (code %d)",
                (int)write->change->collection.len, write->change->collection.ptr,
                write->reason, (int)write->code);
        }
    }
}

void lia_mongo_count(struct lia_mongo *m,
                     const struct lia_mongo_plan *plan,
                     uint64_t position)
{
    count(m, plan, position);
    report_refusals(m, plan);
    lia_mongo_publish(m);
}
