/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

void lia_store_fail(struct lia_store *store, const struct liana_error *why)
{
    bool is_first;

    lia_mutex_lock(&store->mutex);
    is_first = store->failure.status == LIANA_OK;
    if (is_first) {
        store->failure = *why;
    }
    lia_cond_broadcast(&store->changed);
    lia_mutex_unlock(&store->mutex);
    if (is_first) {
        lia_log(store->env, LIA_LOG_ERROR, "store",
                "no more writes until the store is opened again: %s", why->message);
    }
}

/* With the mutex held. */
static liana_status failed(const struct lia_store *store, struct liana_error *err)
{
    if (!store->failure.status) {
        return LIANA_OK;
    }
    return lia_err_sub(err, LIANA_EIO, store->failure.subcode,
                       "no writes until the store is opened again: %s",
                       store->failure.message);
}

liana_status lia_store_failed(struct lia_store *store, struct liana_error *err)
{
    liana_status status;

    lia_mutex_lock(&store->mutex);
    status = failed(store, err);
    lia_mutex_unlock(&store->mutex);
    return status;
}

void lia_store_on_durable(struct lia_store *store, lia_store_durable_fn fn, void *ctx)
{
    store->on_durable = fn;
    store->on_durable_ctx = ctx;
}

static void tell(struct lia_store *store)
{
    if (store->on_durable) {
        store->on_durable(store->on_durable_ctx);
    }
}

void lia_store_start_seq(struct lia_store *store, uint64_t seq)
{
    lia_mutex_lock(&store->mutex);
    store->committed.seq = seq;
    if (store->durability == LIA_MEMORY) {
        store->durable.seq = seq;
    }
    lia_mutex_unlock(&store->mutex);
}

void lia_store_committed(struct lia_store *store,
                         uint64_t seq,
                         struct lia_store_mark *out)
{
    lia_mutex_lock(&store->mutex);
    store->committed.commit++;
    store->committed.seq = seq ? seq : store->committed.seq;
    if (store->durability == LIA_MEMORY) {
        store->durable = store->committed;
    }
    *out = store->committed;
    lia_mutex_unlock(&store->mutex);
    if (store->durability == LIA_MEMORY) {
        tell(store);
    }
}

struct lia_store_head lia_store_head(struct lia_store *store)
{
    struct lia_store_head head;

    lia_mutex_lock(&store->mutex);
    head = (struct lia_store_head){store->committed, store->durable};
    lia_mutex_unlock(&store->mutex);
    return head;
}

/* One sync for everything that is committed when it begins. Called and answered with the
 * mutex held; it is let go for the sync itself. */
static void sync_once(struct lia_store *store)
{
    struct lia_store_mark target = store->committed;
    struct liana_error why = LIANA_ERROR_INIT;
    int code;

    store->is_syncing = true;
    lia_mutex_unlock(&store->mutex);
    code = store->wal->pMethods->xSync(store->wal, SQLITE_SYNC_NORMAL);
    if (code) {
        LIA_IGNORE(lia_err_sub(&why, LIANA_EIO, code, "%s-wal: sync failed: %s",
                               store->file, sqlite3_errstr(code))); /* fills `why` */
        lia_store_fail(store, &why);
    }
    lia_mutex_lock(&store->mutex);
    store->is_syncing = false;
    if (!code) {
        store->durable = target;
    }
    lia_cond_broadcast(&store->changed);
    lia_mutex_unlock(&store->mutex);
    if (!code) {
        tell(store);
    }
    lia_mutex_lock(&store->mutex);
}

liana_status lia_store_wait_durable(struct lia_store *store,
                                    uint64_t commit,
                                    struct liana_error *err)
{
    liana_status status = LIANA_OK;

    lia_mutex_lock(&store->mutex);
    while (!status && store->durable.commit < commit) {
        status = failed(store, err);
        if (status) {
            break;
        }
        if (store->is_syncing) {
            lia_cond_wait(&store->changed, &store->mutex);
        } else {
            sync_once(store);
        }
    }
    lia_mutex_unlock(&store->mutex);
    return status;
}

liana_status lia_store_sync(struct lia_store *store, struct liana_error *err)
{
    return lia_store_wait_durable(store, lia_store_head(store).committed.commit, err);
}
