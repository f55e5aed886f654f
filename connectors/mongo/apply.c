/* SPDX-License-Identifier: Apache-2.0 */
#include "mongo/apply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct work {
    const struct lia_mongo_target *target;
    struct lia_mongo_write **batch; /* what is sent together */
    struct lia_mongo_refusal *refusals;
    struct liana_error *err;
};

liana_status lia_mongo_err(struct liana_error *err,
                           liana_status status,
                           int32_t code,
                           const char *format,
                           ...)
{
    va_list args;

    if (err && !err->status) {
        err->status = status;
        err->subcode = code;
        va_start(args, format);
        if (vsnprintf(err->message, sizeof(err->message), format, args) < 0) {
            err->message[0] = '\0';
        }
        va_end(args);
    }
    return status;
}

/* A failure that is about the server and not about what was written. */
static liana_status give_up(struct work *w,
                            enum lia_mongo_class class,
                            int32_t code,
                            const char *reason)
{
    return lia_mongo_err(w->err,
                         class == LIA_MONGO_AUTH ? LIANA_EAUTH : LIANA_EUNREACHABLE,
                         code, "MongoDB: %s", reason);
}

static liana_status take_refusals(struct work *w,
                                  struct lia_mongo_write **writes,
                                  size_t count,
                                  const struct lia_mongo_reply *reply)
{
    for (size_t i = 0; i < count; i++) {
        writes[i]->outcome = LIA_MONGO_DONE;
    }
    for (size_t i = 0; i < reply->refusal_count; i++) {
        const struct lia_mongo_refusal *refusal = &reply->refusals[i];
        enum lia_mongo_class class = lia_mongo_classify(refusal->code);

        if (class == LIA_MONGO_AGAIN || class == LIA_MONGO_AUTH) {
            return give_up(w, class, refusal->code, refusal->reason);
        }
        if (refusal->index < count) {
            lia_mongo_refuse(writes[refusal->index], refusal->code, refusal->reason);
        }
    }
    return LIANA_OK;
}

/* Sends writes of one collection. A command that is refused as a whole is halved until
 * the write that it is about is alone; nesting is at most log2 of a page. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static liana_status deliver(struct work *w,
                            struct lia_mongo_write **writes,
                            size_t count)
{
    struct lia_mongo_reply reply = {.refusals = w->refusals};
    liana_status status = w->target->write(w->target->ctx, writes, count, &reply);

    if (status) {
        return lia_mongo_err(w->err, status, reply.code, "MongoDB: %s", reply.reason);
    }
    if (!reply.failed) {
        return take_refusals(w, writes, count, &reply);
    }
    if (reply.class == LIA_MONGO_AGAIN || reply.class == LIA_MONGO_AUTH) {
        return give_up(w, reply.class, reply.code, reply.reason);
    }
    if (reply.class == LIA_MONGO_NAMESPACE || count == 1) {
        for (size_t i = 0; i < count; i++) {
            lia_mongo_refuse(writes[i], reply.code, reply.reason);
        }
        return LIANA_OK;
    }
    status = deliver(w, writes, count / 2);
    return status ? status : deliver(w, writes + count / 2, count - count / 2);
}

/* The writes of plan[from..from+count) with this outcome, into the batch. */
static size_t gather(struct work *w,
                     struct lia_mongo_plan *plan,
                     size_t from,
                     size_t count,
                     enum lia_mongo_outcome outcome)
{
    size_t n = 0;

    for (size_t i = from; i < from + count; i++) {
        /* What never went to the server (code 0) need not go again. */
        if (plan->writes[i].outcome == outcome &&
            (outcome != LIA_MONGO_BURIED || plan->writes[i].code != 0)) {
            w->batch[n++] = &plan->writes[i];
        }
    }
    return n;
}

static liana_status deliver_all(struct work *w,
                                struct lia_mongo_plan *plan,
                                enum lia_mongo_outcome outcome)
{
    size_t run;

    for (size_t from = 0; from < plan->count; from += run) {
        size_t count;
        liana_status status;

        run = lia_mongo_plan_run(plan, from);
        count = gather(w, plan, from, run, outcome);
        status = count ? deliver(w, w->batch, count) : LIANA_OK;
        if (status) {
            return status;
        }
    }
    return LIANA_OK;
}

static size_t gather_all(struct work *w,
                         struct lia_mongo_plan *plan,
                         enum lia_mongo_outcome outcome)
{
    size_t n = 0;

    for (size_t i = 0; i < plan->count; i++) {
        if (plan->writes[i].outcome == outcome) {
            w->batch[n++] = &plan->writes[i];
        }
    }
    return n;
}

static liana_status revive(struct work *w, struct lia_mongo_plan *plan)
{
    size_t count = gather_all(w, plan, LIA_MONGO_DONE);

    return count ? w->target->revive(w->target->ctx, w->batch, count, w->err)
                 : LIANA_OK;
}

static liana_status settle(struct work *w,
                           struct lia_mongo_plan *plan,
                           uint64_t position)
{
    const struct lia_mongo_target *target = w->target;
    size_t count = gather_all(w, plan, LIA_MONGO_BURIED);
    liana_status status = LIANA_OK;

    if (count) {
        status = target->bury(target->ctx, w->batch, count, w->err);
    }
    if (!status) {
        status = revive(w, plan);
    }
    return status ? status : target->keep_position(target->ctx, position, w->err);
}

/* Sends everything; what is refused once more, behind the rest. */
static liana_status deliver_plan(struct work *w, struct lia_mongo_plan *plan)
{
    liana_status status = deliver_all(w, plan, LIA_MONGO_OPEN);

    return status ? status : deliver_all(w, plan, LIA_MONGO_BURIED);
}

static liana_status work_begin(struct work *w,
                               const struct lia_mongo_target *target,
                               const struct lia_mongo_plan *plan,
                               struct liana_error *err)
{
    *w = (struct work){.target = target, .err = err};
    w->batch = calloc(plan->count + 1, sizeof(struct lia_mongo_write *));
    w->refusals = calloc(plan->count + 1, sizeof(*w->refusals));
    return w->batch && w->refusals ? LIANA_OK : LIANA_ENOMEM;
}

static liana_status work_end(struct work *w, liana_status status)
{
    free(w->batch);
    free(w->refusals);
    return status ? lia_mongo_err(w->err, status, 0, "%s", liana_status_text(status))
                  : LIANA_OK;
}

liana_status lia_mongo_apply(const struct lia_mongo_target *target,
                             struct lia_mongo_plan *plan,
                             uint64_t position,
                             struct liana_error *err)
{
    struct work w;
    liana_status status = work_begin(&w, target, plan, err);

    if (!status) {
        status = deliver_plan(&w, plan);
    }
    if (!status) {
        status = settle(&w, plan, position);
    }
    return work_end(&w, status);
}

liana_status lia_mongo_apply_again(const struct lia_mongo_target *target,
                                   struct lia_mongo_plan *plan,
                                   struct liana_error *err)
{
    struct work w;
    liana_status status = work_begin(&w, target, plan, err);

    if (!status) {
        status = deliver_plan(&w, plan);
    }
    if (!status) {
        status = revive(&w, plan);
    }
    return work_end(&w, status);
}
