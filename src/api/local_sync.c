/* SPDX-License-Identifier: Apache-2.0 */
#include "api/local.h"
#include "base/limits.h"
#include "db/schema.h"
#include "lang/subscription.h"

/* ---- events, on the loop ---- */

static int32_t kind_of(enum lia_node_event_kind kind)
{
    switch (kind) {
    case LIA_NODE_PEER_UP: return LIANA_EVENT_PEER_UP;
    case LIA_NODE_PEER_DOWN: return LIANA_EVENT_PEER_DOWN;
    case LIA_NODE_UP_TO_DATE: return LIANA_EVENT_UP_TO_DATE;
    case LIA_NODE_REFUSED: return LIANA_EVENT_REFUSED;
    case LIA_NODE_LINK_FAILED: return LIANA_EVENT_LINK_FAILED;
    case LIA_NODE_LISTENING:
    case LIA_NODE_DIALING: break;
    }
    return 0; /* the app asked for it and knows */
}

static void copy_text(struct liana_str from, char *out, size_t size)
{
    size_t len = from.len < size ? from.len : size - 1;

    if (len > 0) {
        memcpy(out, from.ptr, len);
    }
    out[len] = '\0';
}

/* The number that the app knows. With `mutex` held, on the loop, where node_id is set. */
static uint64_t sub_id(const struct lia_local *local, uint64_t node_id)
{
    const struct lia_sub *sub = local->subs;

    while (sub && (node_id == 0 || sub->node_id != node_id)) {
        sub = sub->next;
    }
    return sub ? sub->id : 0;
}

/* Of the subscription that no app made. */
static bool is_unasked(const struct lia_local *local, const struct lia_node_event *from)
{
    return from->subscription && from->subscription == local->declared_id;
}

static void on_event(void *ctx, const struct lia_node_event *from)
{
    struct lia_local *local = ctx;
    struct liana_event event = {
        .kind = kind_of(from->kind), .status = from->error.status, .seq = from->seq};

    if (event.kind == 0 || is_unasked(local, from)) {
        return;
    }
    if (event.kind != LIANA_EVENT_LINK_FAILED) {
        lia_peer_id_text(from->remote, event.peer);
    }
    copy_text(lia_str(from->error.message), event.text, sizeof(event.text));
    copy_text(from->name, event.name, sizeof(event.name));
    lia_mutex_lock(&local->mutex);
    event.subscription = sub_id(local, from->subscription);
    for (struct lia_queue *q = local->queues; q; q = q->next) {
        lia_queue_add(q, &event);
    }
    lia_mutex_unlock(&local->mutex);
}

/* ---- subscriptions ---- */

static void free_sub(struct lia_local *local, struct lia_sub *sub)
{
    if (sub) {
        lia_mem_free(&local->alloc, sub->block, sub->block_size);
        lia_mem_free(&local->alloc, sub, sizeof(*sub));
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ';';
}

/* What people wrote, without what stands around it. */
static struct liana_str trim(struct liana_str text)
{
    while (text.len > 0 && is_blank(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.ptr[text.len - 1])) {
        text.len--;
    }
    return text;
}

/* Appends to the block. */
static struct liana_str put(struct lia_sub *sub, struct liana_str text)
{
    struct liana_str out = {sub->block + sub->block_len, text.len};

    if (text.len > 0) {
        memcpy(sub->block + sub->block_len, text.ptr, text.len);
    }
    sub->block_len += text.len;
    return out;
}

static struct lia_sub *new_sub(struct lia_local *local,
                               const struct lia_subscription_query *query,
                               struct liana_str written)
{
    struct lia_sub *sub = lia_mem_zalloc(&local->alloc, sizeof(*sub));
    struct liana_str name = query->collection;
    struct liana_str text = query->canonical;

    if (!sub) {
        return NULL;
    }
    written = trim(written);
    sub->block_size = name.len + text.len + written.len + 1;
    sub->block = lia_mem_alloc(&local->alloc, sub->block_size);
    if (!sub->block) {
        free_sub(local, sub);
        return NULL;
    }
    sub->collection = put(sub, name);
    sub->statement = put(sub, written);
    if (query->where) {
        sub->query = lia_str_slice(put(sub, text));
    }
    return sub;
}

/* The list is read by the loop as well. Both with `sync` held. */
static void link_sub(struct lia_local *local, struct lia_sub *sub)
{
    lia_mutex_lock(&local->mutex);
    sub->next = local->subs;
    local->subs = sub;
    lia_mutex_unlock(&local->mutex);
}

static void unlink_sub(struct lia_local *local, const struct lia_sub *sub)
{
    struct lia_sub **at = &local->subs;

    lia_mutex_lock(&local->mutex);
    while (*at != sub) {
        at = &(*at)->next;
    }
    *at = sub->next;
    lia_mutex_unlock(&local->mutex);
}

/* With `sync` held. */
static void end_sub(struct lia_local *local, struct lia_sub *sub)
{
    unlink_sub(local, sub);
    lia_db_interest_remove(local->db, sub->interest);
    free_sub(local, sub);
}

/* With `sync` held. */
static liana_status tell_node(struct lia_local *local,
                              struct lia_sub *sub,
                              struct liana_error *err)
{
    return lia_node_subscribe(local->node, sub->collection, sub->query, &sub->node_id,
                              err);
}

/* One is the library's own. */
#define APP_SUBSCRIPTIONS_MAX (LIA_SUBSCRIPTIONS_MAX - 1)

/* With `sync` held. */
static size_t count_subs(const struct lia_local *local)
{
    size_t count = 0;

    for (const struct lia_sub *sub = local->subs; sub; sub = sub->next) {
        count++;
    }
    return count;
}

/* Takes it. */
static liana_status add_sub(struct lia_local *local,
                            struct lia_sub *sub,
                            uint64_t *out_id,
                            struct liana_error *err)
{
    liana_status status = LIANA_OK;

    lia_mutex_lock(&local->sync);
    if (count_subs(local) >= APP_SUBSCRIPTIONS_MAX) {
        lia_mutex_unlock(&local->sync);
        free_sub(local, sub);
        return lia_err(err, LIANA_ELIMIT, "%s has %d subscriptions already",
                       local->path, APP_SUBSCRIPTIONS_MAX);
    }
    status = lia_db_interest_add(local->db, sub->collection, sub->query, &sub->interest,
                                 err);
    if (status) {
        lia_mutex_unlock(&local->sync);
        free_sub(local, sub);
        return status;
    }
    sub->id = ++local->last_sub;
    link_sub(local, sub);
    if (local->node) {
        status = tell_node(local, sub, err);
    }
    if (status) {
        end_sub(local, sub);
    } else {
        *out_id = sub->id;
    }
    lia_mutex_unlock(&local->sync);
    return status;
}

liana_status lia_local_subscribe(liana_db *db,
                                 struct liana_str statement,
                                 struct liana_slice params,
                                 uint64_t *out_id,
                                 struct liana_error *err)
{
    struct lia_local *local = lia_local_of(db)->local;
    struct lia_subscription_query query;
    struct lia_sub *sub = NULL;
    struct lia_arena arena;
    liana_status status;

    lia_arena_init(&arena, &local->alloc);
    status = lia_lang_check_subscription(&arena, statement, params, &query, err);
    if (!status) {
        sub = new_sub(local, &query, statement);
        status = sub ? LIANA_OK : lia_err_plain(err, LIANA_ENOMEM);
    }
    if (!status) {
        sub->user = db;
        status = add_sub(local, sub, out_id, err);
    }
    lia_arena_deinit(&arena);
    return status;
}

/* With `sync` held. */
static liana_status remove_sub(struct lia_local *local,
                               struct lia_sub *sub,
                               struct liana_error *err)
{
    const uint64_t node_id = sub->node_id;

    end_sub(local, sub);
    return local->node ? lia_node_unsubscribe(local->node, node_id, err) : LIANA_OK;
}

liana_status lia_local_unsubscribe(liana_db *db, uint64_t id, struct liana_error *err)
{
    struct lia_local *local = lia_local_of(db)->local;
    struct lia_sub *sub;
    liana_status status;

    lia_mutex_lock(&local->sync);
    for (sub = local->subs; sub; sub = sub->next) {
        if (sub->id == id && sub->user == db) {
            break;
        }
    }
    status = sub ? remove_sub(local, sub, err)
                 : lia_err(err, LIANA_ENOTFOUND, "this handle has no subscription %llu",
                           (unsigned long long)id);
    lia_mutex_unlock(&local->sync);
    return status;
}

void lia_local_unsubscribe_all(struct lia_local_db *user)
{
    struct lia_local *local = user->local;
    struct lia_sub *sub;

    lia_mutex_lock(&local->sync);
    sub = local->subs;
    while (sub) {
        struct lia_sub *next = sub->next;

        if (sub->user == user) {
            LIA_IGNORE(remove_sub(local, sub, NULL)); /* it is gone in any case */
        }
        sub = next;
    }
    lia_mutex_unlock(&local->sync);
}

/* ---- the node ---- */

/* With `sync` held. Whoever syncs holds what is declared of all collections: a writer must
 * know it whatever it subscribes to (docs/adr/0050). */
static liana_status start_node(struct lia_local *local, struct liana_error *err)
{
    const struct lia_node_options options = {.env = &local->env,
                                             .loop = local->loop,
                                             .db = local->db,
                                             .identity = &local->identity,
                                             .trust = &local->trust,
                                             .known = &local->known,
                                             .name = lia_str(local->name),
                                             .event = on_event,
                                             .event_ctx = local};
    liana_status status = lia_node_start(&options, &local->node, err);

    if (!status) {
        status =
            lia_node_subscribe(local->node, lia_str(LIA_COLLECTIONS),
                               (struct liana_slice){NULL, 0}, &local->declared_id, err);
    }
    for (struct lia_sub *sub = local->subs; sub && !status; sub = sub->next) {
        status = tell_node(local, sub, err);
    }
    return status;
}

/* With `sync` held. */
static void stop_node(struct lia_local *local)
{
    if (local->node) {
        lia_node_stop(local->node);
        local->node = NULL;
    }
}

liana_status lia_local_sync_start(liana_db *db,
                                  const struct liana_sync_options *options,
                                  struct liana_error *err)
{
    struct lia_local *local = lia_local_of(db)->local;
    bool is_new;
    liana_status status = LIANA_OK;

    if (!local->has_trust) {
        return lia_err(err, LIANA_EMISUSE,
                       "%s was opened without a trust, so it does not sync",
                       local->path);
    }
    lia_mutex_lock(&local->sync);
    is_new = !local->node;
    if (is_new) {
        status = lia_local_need_loop(local, err);
        if (!status) {
            status = start_node(local, err);
        }
    }
    if (!status) {
        status =
            lia_node_set_addresses(local->node, options->listen, options->listen_count,
                                   options->dial, options->dial_count, err);
    }
    if (status && is_new) {
        stop_node(local);
    }
    lia_mutex_unlock(&local->sync);
    return status;
}

liana_status lia_local_sync_stop(liana_db *db, struct liana_error *err)
{
    struct lia_local *local = lia_local_of(db)->local;

    (void)err;
    lia_mutex_lock(&local->sync);
    stop_node(local);
    lia_mutex_unlock(&local->sync);
    return LIANA_OK;
}
