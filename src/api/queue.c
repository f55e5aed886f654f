/* SPDX-License-Identifier: Apache-2.0 */
#include "api/queue.h"

liana_status lia_queue_init(struct lia_queue *queue,
                            const struct liana_allocator *a,
                            struct liana_error *err)
{
    liana_status status;

    *queue = (struct lia_queue){.alloc = a};
    status = lia_wake_init(&queue->wake, err);
    if (status) {
        return status;
    }
    status = lia_mutex_init(&queue->mutex);
    if (!status) {
        status = lia_cond_init(&queue->moved);
        if (status) {
            lia_mutex_deinit(&queue->mutex);
        }
    }
    if (status) {
        lia_wake_deinit(&queue->wake);
    }
    return lia_err_plain(err, status);
}

static void drop_oldest(struct lia_queue *queue)
{
    struct lia_queued *first = queue->oldest;

    queue->oldest = first->next;
    if (!queue->oldest) {
        queue->newest = NULL;
    }
    queue->count--;
    lia_mem_free(queue->alloc, first, sizeof(*first));
}

void lia_queue_deinit(struct lia_queue *queue)
{
    while (queue->oldest) {
        drop_oldest(queue);
    }
    lia_cond_deinit(&queue->moved);
    lia_mutex_deinit(&queue->mutex);
    lia_wake_deinit(&queue->wake);
}

static void show(struct lia_queue *queue)
{
    lia_wake_set(&queue->wake);
    lia_cond_broadcast(&queue->moved);
}

void lia_queue_commit(struct lia_queue *queue, uint64_t seq)
{
    lia_mutex_lock(&queue->mutex);
    if (queue->is_used && seq > queue->commit_seq) {
        if (queue->commit_seq == 0) {
            show(queue);
        }
        queue->commit_seq = seq;
    }
    lia_mutex_unlock(&queue->mutex);
}

void lia_queue_add(struct lia_queue *queue, const struct liana_event *event)
{
    struct lia_queued *queued;

    lia_mutex_lock(&queue->mutex);
    if (queue->is_used) {
        queued = lia_mem_alloc(queue->alloc, sizeof(*queued));
        if (queued) {
            queued->event = *event;
            queued->next = NULL;
            if (queue->newest) {
                queue->newest->next = queued;
            } else {
                queue->oldest = queued;
            }
            queue->newest = queued;
            queue->count++;
        }
        if (!queued || queue->count > LIA_QUEUE_MAX) {
            queue->is_lossy = true;
            if (queue->oldest) {
                drop_oldest(queue);
            }
        }
        show(queue);
    }
    lia_mutex_unlock(&queue->mutex);
}

static bool take_one(struct lia_queue *queue, struct liana_event *out)
{
    if (queue->is_lossy) {
        queue->is_lossy = false;
        *out = (struct liana_event){.kind = LIANA_EVENT_LOST};
    } else if (queue->oldest) {
        *out = queue->oldest->event;
        drop_oldest(queue);
    } else if (queue->commit_seq) {
        *out =
            (struct liana_event){.kind = LIANA_EVENT_COMMIT, .seq = queue->commit_seq};
        queue->commit_seq = 0;
    } else {
        return false;
    }
    if (!queue->oldest && !queue->commit_seq) {
        lia_wake_clear(&queue->wake);
    }
    return true;
}

liana_status lia_queue_take(struct lia_queue *queue,
                            int32_t timeout_ms,
                            struct liana_event *out)
{
    struct lia_deadline deadline =
        lia_deadline_in(timeout_ms > 0 ? (uint64_t)timeout_ms : 0);
    liana_status status = LIANA_OK;
    bool is_over = timeout_ms == 0;

    lia_mutex_lock(&queue->mutex);
    queue->is_used = true;
    while (!take_one(queue, out)) {
        if (queue->is_ended || is_over) {
            status = queue->is_ended ? LIANA_ECANCELED : LIANA_ETIMEOUT;
            break;
        }
        if (timeout_ms < 0) {
            lia_cond_wait(&queue->moved, &queue->mutex);
        } else {
            is_over = !lia_cond_wait_until(&queue->moved, &queue->mutex, &deadline);
        }
    }
    lia_mutex_unlock(&queue->mutex);
    return status;
}

int lia_queue_fd(struct lia_queue *queue)
{
    lia_mutex_lock(&queue->mutex);
    queue->is_used = true;
    lia_mutex_unlock(&queue->mutex);
    return lia_wake_fd(&queue->wake);
}

void lia_queue_end(struct lia_queue *queue)
{
    lia_mutex_lock(&queue->mutex);
    queue->is_ended = true;
    lia_cond_broadcast(&queue->moved);
    lia_mutex_unlock(&queue->mutex);
}
