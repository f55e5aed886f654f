/* SPDX-License-Identifier: Apache-2.0 */
#include "api/local.h"

#include "api/bytes.h"
#include "api/serve.h"
#include "base/hash.h"
#include "base/limits.h"
#include "codec/utf8.h"

struct lia_local_db *lia_local_of(liana_db *db)
{
    return (struct lia_local_db *)db;
}

void lia_local_use(struct lia_local_db *user, int change)
{
    lia_mutex_lock(&user->local->mutex);
    user->uses = change > 0 ? user->uses + 1 : user->uses - 1;
    lia_mutex_unlock(&user->local->mutex);
}

/* ---- what every user can do ---- */

static liana_status poll_event(liana_db *db,
                               int32_t timeout_ms,
                               struct liana_event *out,
                               struct liana_error *err)
{
    return lia_err_plain(err,
                         lia_queue_take(&lia_local_of(db)->queue, timeout_ms, out));
}

static liana_status event_fd(liana_db *db, int *out, struct liana_error *err)
{
    (void)err;
    *out = lia_queue_fd(&lia_local_of(db)->queue);
    return LIANA_OK;
}

static liana_status upkeep(liana_db *db, uint64_t *out_ms, struct liana_error *err)
{
    struct lia_upkeep done;
    liana_status status = lia_db_upkeep(lia_local_of(db)->local->db, &done, err);

    if (!status) {
        *out_ms = done.next_ms;
    }
    return status;
}

static liana_status close_user(liana_db *db, struct liana_error *err);

static const struct lia_db_ops ops = {.close = close_user,
                                      .execute = lia_local_execute,
                                      .begin = lia_local_begin,
                                      .feed = lia_local_feed,
                                      .subscribe = lia_local_subscribe,
                                      .unsubscribe = lia_local_unsubscribe,
                                      .sync_start = lia_local_sync_start,
                                      .sync_stop = lia_local_sync_stop,
                                      .stats = lia_local_stats,
                                      .publish = lia_local_publish,
                                      .poll = poll_event,
                                      .fd = event_fd,
                                      .upkeep = upkeep};

liana_status lia_local_share(struct lia_local *local,
                             liana_db **out,
                             struct liana_error *err)
{
    struct lia_local_db *user = lia_mem_zalloc(&local->alloc, sizeof(*user));
    liana_status status;

    if (!user) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    status = lia_queue_init(&user->queue, &local->alloc, err);
    if (status) {
        lia_mem_free(&local->alloc, user, sizeof(*user));
        return status;
    }
    user->base.ops = &ops;
    user->local = local;
    lia_mutex_lock(&local->mutex);
    user->queue.next = local->queues;
    local->queues = &user->queue;
    lia_mutex_unlock(&local->mutex);
    *out = &user->base;
    return LIANA_OK;
}

static void free_user(struct lia_local_db *user)
{
    struct lia_local *local = user->local;
    struct lia_queue **at;

    lia_local_unsubscribe_all(user);
    lia_local_hide_all(user);
    lia_mutex_lock(&local->mutex);
    for (at = &local->queues; *at != &user->queue; at = &(*at)->next) {
    }
    *at = user->queue.next;
    lia_mutex_unlock(&local->mutex);
    lia_queue_deinit(&user->queue);
    lia_mem_free(&local->alloc, user, sizeof(*user));
}

/* ---- the core ---- */

static void on_commit(void *ctx)
{
    struct lia_local *local = ctx;
    uint64_t seq = lia_store_head(lia_db_store(local->db)).durable.seq;

    lia_mutex_lock(&local->mutex);
    local->moves++;
    lia_cond_broadcast(&local->moved);
    for (struct lia_queue *q = local->queues; q; q = q->next) {
        lia_queue_commit(q, seq);
    }
    lia_mutex_unlock(&local->mutex);
}

static void log_line(void *ctx,
                     enum lia_log_level level,
                     const char *part,
                     const char *text)
{
    struct lia_local *local = ctx;

    local->log(local->log_ctx, (int32_t)level, part, text);
}

static char *copy_text(const struct liana_allocator *a, struct liana_str from)
{
    char *text = lia_mem_alloc(a, from.len + 1);

    if (text) {
        memcpy(text, from.ptr, from.len);
        text[from.len] = '\0';
    }
    return text;
}

static struct liana_str folder_name(const char *path)
{
    size_t end = strlen(path);
    size_t start;

    while (end > 1 && path[end - 1] == '/') {
        end--;
    }
    start = end;
    while (start > 0 && path[start - 1] != '/') {
        start--;
    }
    return (struct liana_str){path + start, end - start};
}

/* As the wire demands it of names. */
static liana_status check_name(struct liana_str name, struct liana_error *err)
{
    if (name.len > LIA_NAME_BYTES_MAX) {
        return lia_err(err, LIANA_EINVAL, "the peer's name is longer than %d bytes",
                       LIA_NAME_BYTES_MAX);
    }
    return name.len == 0 || (lia_utf8_valid(lia_str_slice(name)) &&
                             !memchr(name.ptr, 0, name.len))
               ? LIANA_OK
               : lia_err(err, LIANA_EINVAL, "the peer's name is not UTF-8 text");
}

/* The one that is given is kept; else the one that is kept, else the folder's. */
static liana_status set_name(struct lia_local *local,
                             struct liana_str name,
                             struct liana_error *err)
{
    liana_status status = LIANA_OK;

    if (name.len && !lia_str_equal(name, lia_db_name(local->db))) {
        status = lia_db_set_name(local->db, name, err);
    }
    if (status) {
        return status;
    }
    name = lia_db_name(local->db);
    if (name.len == 0) {
        name = folder_name(local->path);
        name.len = name.len > LIA_NAME_BYTES_MAX ? LIA_NAME_BYTES_MAX : name.len;
        name.len = lia_utf8_valid_len(lia_str_slice(name));
    }
    memcpy(local->name, name.ptr, name.len);
    local->name[name.len] = '\0';
    return LIANA_OK;
}

static liana_status set_trust(struct lia_local *local,
                              const struct liana_open_options *options,
                              struct liana_error *err)
{
    struct liana_slice key = options->shared_key;

    local->has_trust = options->trust != LIANA_TRUST_NONE;
    if (options->trust == LIANA_TRUST_SHARED_KEY) {
        local->trust.mode = LIA_TRUST_SHARED_KEY;
        if (key.len == LIA_SHARED_KEY_BYTES) {
            memcpy(local->trust.key.bytes, key.ptr, key.len);
            return LIANA_OK;
        }
        return lia_shared_key_parse(lia_slice_str(key), &local->trust.key, err);
    }
    if (key.len) {
        return lia_err(err, LIANA_EINVAL,
                       "a shared key needs the trust LIANA_TRUST_SHARED_KEY");
    }
    if (options->trust == LIANA_TRUST_OPEN) {
        local->trust.mode = LIA_TRUST_OPEN; /* the node warns of it */
    } else if (options->trust != LIANA_TRUST_NONE) {
        return lia_err(err, LIANA_EINVAL, "there is no such trust");
    }
    return LIANA_OK;
}

static bool is_hex_id(struct liana_str text, uint8_t out[LIA_DATABASE_ID_BYTES])
{
    if (text.len != (size_t)LIA_DATABASE_ID_BYTES * 2) {
        return false;
    }
    memset(out, 0, LIA_DATABASE_ID_BYTES);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0) {
            return false;
        }
        out[i / 2] = (uint8_t)(out[i / 2] << 4 | digit);
    }
    return true;
}

/* The id itself, or the hash of a name. */
static liana_status database_id(struct liana_str text,
                                uint8_t id[LIA_DATABASE_ID_BYTES],
                                struct liana_slice *out,
                                struct liana_error *err)
{
    *out = (struct liana_slice){NULL, 0};
    if (text.len > LIA_NAME_BYTES_MAX) {
        return lia_err(err, LIANA_EINVAL, "the database's name is longer than %d bytes",
                       LIA_NAME_BYTES_MAX);
    }
    if (text.len) {
        if (!is_hex_id(text, id)) {
            lia_hash(lia_str_slice(text), id, LIA_DATABASE_ID_BYTES);
        }
        *out = lia_slice(id, LIA_DATABASE_ID_BYTES);
    }
    return LIANA_OK;
}

/* Only the store itself knows whether a folder holds one. */
static liana_status check_new(const struct lia_db_options *options,
                              struct liana_error *err)
{
    struct lia_db_options there = *options;
    struct liana_error why = LIANA_ERROR_INIT;
    struct lia_db *db;
    liana_status status;

    there.store.create = false;
    status = lia_db_open(&there, &db, &why);
    if (status == LIANA_ENOTFOUND) {
        return LIANA_OK;
    }
    if (!status) {
        LIA_IGNORE(lia_db_close(db, NULL)); /* nothing was written */
    }
    return status ? lia_err_sub(err, status, why.subcode, "%s", why.message)
                  : lia_err(err, LIANA_EEXISTS, "%s: there is a store already",
                            options->store.path);
}

static liana_status open_db(struct lia_local *local,
                            const struct liana_open_options *options,
                            struct liana_error *err)
{
    struct lia_db_options db = {
        .store = {.env = &local->env,
                  .path = local->path,
                  .create = (options->flags & LIANA_OPEN_CREATE) != 0,
                  .durability = options->durability == LIANA_DURABILITY_NORMAL
                                    ? LIA_NORMAL
                                    : LIA_FULL},
        .is_keeper = (options->flags & LIANA_OPEN_KEEPER) != 0,
        .tombstone_ttl_ms = options->tombstone_ttl_ms,
        .time_floor_ms = (uint64_t)LIANA_SOURCE_SECONDS * 1000,
        .clock_ahead_ms = options->clock_max_ahead_ms,
        .conflicts_max = options->conflicts_max};
    const struct lia_listener_options listener = {
        .wake = on_commit, .ctx = local, .is_wake_only = true};
    uint8_t id[LIA_DATABASE_ID_BYTES];
    uint64_t seq;
    liana_status status = database_id(options->database, id, &db.database, err);

    if (status) {
        return status;
    }
    status =
        (options->flags & LIANA_OPEN_EXCLUSIVE) != 0 ? check_new(&db, err) : LIANA_OK;
    if (!status) {
        status = lia_db_open(&db, &local->db, err);
    }
    if (!status) {
        status = lia_identity_open(&local->env, local->path, &local->identity, err);
    }
    return status ? status
                  : lia_db_listen(local->db, &listener, &local->listener, &seq, err);
}

liana_status lia_local_need_loop(struct lia_local *local, struct liana_error *err)
{
    return local->loop ? LIANA_OK
                       : lia_loop_start(&local->env, "liana", &local->loop, err);
}

static liana_status init_locks(struct lia_local *local, struct liana_error *err)
{
    liana_status status = lia_mutex_init(&local->sync);

    if (status) {
        return lia_err_plain(err, status);
    }
    status = lia_mutex_init(&local->mutex);
    if (!status) {
        status = lia_cond_init(&local->moved);
        if (status) {
            lia_mutex_deinit(&local->mutex);
        }
    }
    if (status) {
        lia_mutex_deinit(&local->sync);
    }
    return lia_err_plain(err, status);
}

static void free_local(struct lia_local *local)
{
    struct liana_allocator a = local->alloc;

    lia_known_deinit(&local->known);
    lia_shared_key_deinit(&local->trust.key);
    lia_identity_deinit(&local->identity);
    lia_cond_deinit(&local->moved);
    lia_mutex_deinit(&local->mutex);
    lia_mutex_deinit(&local->sync);
    lia_mem_free(&a, local->path, strlen(local->path) + 1);
    lia_mem_free(&a, local, sizeof(*local));
}

static void stop_serving(struct lia_local *local)
{
    if (local->server) {
        lia_control_server_close(local->server);
        local->server = NULL;
    }
}

/* In reverse of opening; also of a core that is half open. */
static liana_status close_local(struct lia_local *local, struct liana_error *err)
{
    liana_status status;

    stop_serving(local);
    if (local->node) {
        lia_node_stop(local->node);
    }
    if (local->loop) {
        lia_loop_stop(local->loop);
    }
    lia_db_unlisten(local->listener);
    status = local->db ? lia_db_close(local->db, err) : LIANA_OK;
    free_local(local);
    return status;
}

static struct lia_local *new_local(struct liana_str path,
                                   const struct liana_open_options *options,
                                   struct liana_error *err)
{
    const struct liana_allocator *a =
        options->allocator ? options->allocator : &lia_mem_libc;
    struct lia_local *local = lia_mem_zalloc(a, sizeof(*local));

    if (!local) {
        lia_err_plain(err, LIANA_ENOMEM);
        return NULL;
    }
    local->alloc = *a;
    lia_known_init(&local->known, &local->alloc);
    local->identity = (struct lia_identity)LIA_IDENTITY_INIT;
    local->log = options->log;
    local->log_ctx = options->log_ctx;
    local->path = copy_text(a, path);
    if (!local->path || lia_env_system(&local->env) || init_locks(local, err)) {
        lia_err_plain(err, LIANA_ENOMEM);
        lia_mem_free(a, local->path, path.len + 1);
        lia_mem_free(a, local, sizeof(*local));
        return NULL;
    }
    local->env.alloc = &local->alloc;
    if (options->log) {
        local->env.ctx = local;
        local->env.log = log_line;
        local->env.log_level = (enum lia_log_level)options->log_level;
    }
    return local;
}

static liana_status open_parts(struct lia_local *local,
                               const struct liana_open_options *options,
                               struct liana_error *err)
{
    liana_status status = check_name(options->name, err);

    if (!status) {
        status = set_trust(local, options, err);
    }
    if (!status) {
        status = open_db(local, options, err);
    }
    if (!status) {
        status = set_name(local, options->name, err);
    }
    if (!status && (options->flags & LIANA_OPEN_SERVE) != 0) {
        status = lia_local_need_loop(local, err);
        if (!status) {
            status = lia_serve(local, err);
        }
    }
    return status;
}

liana_status lia_local_open(struct liana_str path,
                            const struct liana_open_options *options,
                            liana_db **out,
                            struct liana_error *err)
{
    struct liana_error ours = LIANA_ERROR_INIT;
    struct lia_local *local = new_local(path, options, &ours);
    liana_db *db = NULL;
    liana_status status = local ? open_parts(local, options, &ours) : ours.status;

    if (!status) {
        status = lia_local_share(local, &db, &ours);
    }
    if (status) {
        if (local) {
            LIA_IGNORE(close_local(local, NULL)); /* the first failure counts */
        }
        return lia_err_sub(err, status, ours.subcode, "%s", ours.message);
    }
    lia_local_of(db)->is_app = true;
    *out = db;
    return LIANA_OK;
}

static liana_status close_user(liana_db *db, struct liana_error *err)
{
    struct lia_local_db *user = lia_local_of(db);
    struct lia_local *local = user->local;
    bool is_app = user->is_app;
    liana_status status;
    size_t uses;

    lia_mutex_lock(&local->mutex);
    uses = user->uses;
    lia_mutex_unlock(&local->mutex);
    status = lia_api_check_unused(local->path, uses, err);
    if (status) {
        return status;
    }
    if (is_app) {
        /* Clients first: they use the core. */
        stop_serving(local);
    }
    free_user(user);
    return is_app ? close_local(local, err) : LIANA_OK;
}
