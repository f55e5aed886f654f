/* SPDX-License-Identifier: Apache-2.0 */
#include "net/transports/tcp/lookup.h"

#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/thread.h"
#include "net/address.h"

struct lia_lookup {
    struct lia_task task;
    struct lia_loop *loop; /* not to be touched once cancelled */
    lia_lookup_fn done;
    void *ctx;
    char host[LIA_HOST_MAX];
    char port[8];
    struct lia_thread thread;

    struct lia_mutex mutex; /* guards the rest; before the loop's own */
    bool is_cancelled;
    int rc;
    struct addrinfo *list;
};

static void free_lookup(struct lia_lookup *lookup)
{
    lia_mutex_deinit(&lookup->mutex);
    lia_mem_free(&lia_mem_libc, lookup, sizeof(*lookup));
}

static void on_result(struct lia_task *task)
{
    struct lia_lookup *lookup = lia_task_owner(task, struct lia_lookup, task);
    struct lia_lookup last;

    lia_mutex_lock(&lookup->mutex); /* the thread has let go of it */
    last = *lookup;
    lia_mutex_unlock(&lookup->mutex);
    free_lookup(lookup);
    if (!last.is_cancelled) {
        last.done(last.ctx, last.rc, last.list);
    } else if (last.rc == 0) {
        freeaddrinfo(last.list);
    }
}

static void look_up(void *arg)
{
    /* No AI_ADDRCONFIG: a machine whose one interface is the loopback must find
     * localhost. */
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct lia_lookup *lookup = arg;
    struct addrinfo *list = NULL;
    int rc = getaddrinfo(lookup->host, lookup->port, &hints, &list);
    bool is_cancelled;

    lia_mutex_lock(&lookup->mutex);
    is_cancelled = lookup->is_cancelled;
    if (!is_cancelled) {
        lookup->rc = rc;
        lookup->list = list;
        lia_loop_post(lookup->loop, &lookup->task);
    }
    lia_mutex_unlock(&lookup->mutex);
    if (is_cancelled) {
        if (rc == 0) {
            freeaddrinfo(list);
        }
        free_lookup(lookup);
    }
}

static liana_status start_thread(struct lia_lookup *lookup)
{
    liana_status status;

    /* Held until the thread is detached, for it may free all this. */
    lia_mutex_lock(&lookup->mutex);
    status = lia_thread_start(&lookup->thread, "liana-lookup", look_up, lookup);
    if (!status) {
        lia_thread_detach(&lookup->thread);
    }
    lia_mutex_unlock(&lookup->mutex);
    return status;
}

liana_status lia_lookup_start(struct lia_loop *loop,
                              const char *host,
                              uint16_t port,
                              lia_lookup_fn done,
                              void *ctx,
                              struct lia_lookup **out)
{
    struct lia_lookup *lookup = lia_mem_zalloc(&lia_mem_libc, sizeof(*lookup));
    liana_status status = lookup ? lia_mutex_init(&lookup->mutex) : LIANA_ENOMEM;

    if (status) {
        lia_mem_free(&lia_mem_libc, lookup, sizeof(*lookup));
        return status;
    }
    lookup->task.run = on_result;
    lookup->loop = loop;
    lookup->done = done;
    lookup->ctx = ctx;
    snprintf(lookup->host, sizeof(lookup->host), "%s", host);
    snprintf(lookup->port, sizeof(lookup->port), "%u", port);
    status = start_thread(lookup);
    if (status) {
        free_lookup(lookup);
        return status;
    }
    *out = lookup;
    return LIANA_OK;
}

void lia_lookup_cancel(struct lia_lookup *lookup)
{
    lia_mutex_lock(&lookup->mutex);
    lookup->is_cancelled = true;
    lia_mutex_unlock(&lookup->mutex);
}
