/* SPDX-License-Identifier: Apache-2.0 */
#include "db/internal.h"

#include "base/limits.h"

/* One commit that waits to be taken, with all its memory. */
struct lia_event {
    struct lia_event *newer;
    uint64_t commit;
    size_t bytes;
    bool has_before_body;
    struct lia_arena arena;
    struct lia_commit_event pub;
};

struct lia_listener {
    struct lia_listener *next;
    struct lia_db *db;
    struct lia_listener_options options;
    uint64_t taken_commit; /* everything up to here was taken, or is missed */
    uint64_t missed_seq;   /* 0: nothing is missed */
    uint64_t missed_commit;
};

liana_status lia_listening_init(struct lia_listening *listen)
{
    *listen = (struct lia_listening){0};
    return lia_mutex_init(&listen->mutex);
}

void lia_listen_drop(struct lia_db *db, struct lia_event *event)
{
    if (event) {
        lia_arena_deinit(&event->arena);
        lia_mem_free(db->env->alloc, event, sizeof(*event));
    }
}

static void drop_oldest(struct lia_db *db)
{
    struct lia_listening *listen = &db->listen;
    struct lia_event *event = listen->oldest;

    listen->oldest = event->newer;
    if (!listen->oldest) {
        listen->newest = NULL;
    }
    listen->bytes -= event->bytes;
    lia_listen_drop(db, event);
}

void lia_listening_deinit(struct lia_db *db)
{
    LIA_ASSERT(!db->listen.listeners);
    while (db->listen.oldest) {
        drop_oldest(db);
    }
    lia_mutex_deinit(&db->listen.mutex);
}

/* ---- what a transaction tells ---- */

void lia_listen_start(struct lia_db *db, struct lia_story *out)
{
    lia_mutex_lock(&db->listen.mutex);
    for (struct lia_listener *l = db->listen.listeners; l; l = l->next) {
        out->is_told |= !l->options.is_wake_only;
        out->wants_before_body |= l->options.wants_before_body;
    }
    lia_mutex_unlock(&db->listen.mutex);
}

static bool keep_vector(struct lia_arena *arena,
                        struct lia_vector from,
                        struct lia_vector *out)
{
    struct liana_slice copy;
    const size_t bytes = from.count * sizeof(*from.entries);

    if (!lia_arena_copy(arena, lia_slice(from.entries, bytes), &copy)) {
        return false;
    }
    *out = (struct lia_vector){(const struct lia_vector_entry *)(const void *)copy.ptr,
                               from.count};
    return true;
}

liana_status lia_listen_touch(struct lia_txn *txn,
                              const struct lia_coll *coll,
                              struct liana_slice key,
                              struct lia_doc before,
                              bool is_shown)
{
    struct lia_story *story = &txn->story;
    struct lia_doc_info info;
    struct lia_touched *touched;
    liana_status status;

    if (story->is_lost) {
        return LIANA_OK;
    }
    status = lia_doc_info(&txn->scratch, before.clock, &info);
    touched = status ? NULL : LIA_ARENA_NEW(&txn->arena, struct lia_touched);
    if (status || !touched) {
        return status ? status : LIANA_ENOMEM;
    }
    if (!lia_arena_copy(&txn->arena, key, &touched->key) ||
        !keep_vector(&txn->arena, info.vector, &touched->before) ||
        (story->wants_before_body &&
         !lia_arena_copy(&txn->arena, before.body, &touched->before_body))) {
        return LIANA_ENOMEM;
    }
    touched->coll = coll;
    touched->is_shown = is_shown;
    touched->older = story->newest;
    story->newest = touched;
    story->count++;
    story->bytes += sizeof(*touched) + key.len + touched->before_body.len +
                    info.vector.count * sizeof(*info.vector.entries);
    story->is_lost = story->bytes > LIA_LISTEN_BYTES_MAX;
    return LIANA_OK;
}

/* The event with room for the changes; its arrays are filled by the caller. */
static struct lia_event *new_event(struct lia_txn *txn,
                                   struct lia_commit_change **out_changes)
{
    const struct lia_story *story = &txn->story;
    struct lia_event *event = lia_mem_zalloc(txn->db->env->alloc, sizeof(*event));

    if (!event) {
        return NULL;
    }
    lia_arena_init(&event->arena, txn->db->env->alloc);
    *out_changes = lia_arena_array(&event->arena, story->count, sizeof(**out_changes));
    if (!*out_changes) {
        lia_listen_drop(txn->db, event);
        return NULL;
    }
    event->bytes = sizeof(*event) + story->bytes;
    event->has_before_body = story->wants_before_body;
    event->pub = (struct lia_commit_event){
        .seq = txn->state.seq,
        .stamp = txn->is_own ? txn->stamp : LIA_STAMP_NONE,
        .origin = txn->options.origin,
    };
    return event;
}

static liana_status fill_change(struct lia_txn *txn,
                                struct lia_event *event,
                                const struct lia_touched *touched,
                                struct lia_commit_change *out,
                                struct liana_error *err)
{
    struct lia_arena *arena = &event->arena;
    struct lia_row row;
    liana_status status =
        lia_row_get(txn->conn, touched->coll, touched->key, arena, &row, err);

    if (status) {
        return status;
    }
    out->collection = &touched->coll->pub;
    out->after = row.doc;
    event->bytes += row.doc.body.len + row.doc.clock.len;
    return lia_arena_copy(arena, touched->key, &out->key) &&
                   keep_vector(arena, touched->before, &out->before) &&
                   lia_arena_copy(arena, touched->before_body, &out->before_body)
               ? LIANA_OK
               : lia_err_plain(err, LIANA_ENOMEM);
}

/* It was shown again, and is as it was. */
static liana_status is_unchanged(struct lia_txn *txn,
                                 const struct lia_touched *touched,
                                 const struct lia_commit_change *change,
                                 bool *out)
{
    struct lia_doc_info info = {0};
    liana_status status = touched->is_shown
                              ? lia_doc_info(&txn->scratch, change->after.clock, &info)
                              : LIANA_OK;

    *out =
        !status && touched->is_shown && lia_vector_equal(info.vector, change->before);
    return status;
}

static liana_status copy_marks(struct lia_arena *arena,
                               const struct lia_batch_marks *from,
                               size_t count,
                               struct lia_commit_event *out)
{
    struct lia_batch_marks *marks = lia_arena_array(arena, count, sizeof(*marks));

    for (size_t i = 0; marks && i < count; i++) {
        if (!lia_arena_copy(arena, from[i].subscription, &marks[i].subscription) ||
            !keep_vector(arena, from[i].marks, &marks[i].marks)) {
            return LIANA_ENOMEM;
        }
    }
    out->marks = marks;
    out->marks_count = count;
    return marks ? LIANA_OK : LIANA_ENOMEM;
}

static size_t marks_bytes(const struct lia_story *story)
{
    size_t bytes = story->marks_count * sizeof(*story->marks);

    for (size_t i = 0; i < story->marks_count; i++) {
        bytes += story->marks[i].subscription.len +
                 story->marks[i].marks.count * sizeof(struct lia_vector_entry);
    }
    return bytes;
}

liana_status lia_listen_make(struct lia_txn *txn,
                             struct lia_event **out,
                             struct liana_error *err)
{
    struct lia_story *story = &txn->story;
    struct lia_commit_change *changes = NULL;
    struct lia_event *event;
    liana_status status = LIANA_OK;
    size_t first = story->count; /* of those that are changes */

    /* Marks alone are few and need nothing from the transaction's beginning: who has come
     * since then hears of them as well. */
    if (txn->is_changed ? !story->is_told || story->is_lost : !story->marks_count) {
        return LIANA_OK;
    }
    event = new_event(txn, &changes);
    if (!event) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    for (const struct lia_touched *t = story->newest; t && !status; t = t->older) {
        bool is_none = false;

        status = fill_change(txn, event, t, &changes[first - 1], err);
        if (!status) {
            status =
                lia_err_plain(err, is_unchanged(txn, t, &changes[first - 1], &is_none));
        }
        first -= !is_none;
        if (!status && event->bytes > LIA_LISTEN_BYTES_MAX) {
            lia_listen_drop(txn->db, event); /* the feed has it */
            return LIANA_OK;
        }
    }
    event->pub.changes = changes + first;
    event->pub.change_count = story->count - first;
    if (!status) {
        status = lia_err_plain(err, copy_marks(&event->arena, story->marks,
                                               story->marks_count, &event->pub));
        event->bytes += marks_bytes(story);
    }
    if (status) {
        lia_listen_drop(txn->db, event);
        return status;
    }
    *out = event;
    return LIANA_OK;
}

/* ---- from commits to listeners ---- */

/* A listener that has not taken what goes away has missed it. */
static void miss(struct lia_listener *listener, uint64_t commit, uint64_t seq)
{
    if (listener->taken_commit < commit) {
        listener->taken_commit = commit;
        listener->missed_commit = commit;
        listener->missed_seq = seq;
    }
}

static void all_miss(struct lia_listening *listen, uint64_t commit, uint64_t seq)
{
    for (struct lia_listener *l = listen->listeners; l; l = l->next) {
        miss(l, commit, seq);
    }
}

/* The transaction began before these listened, and has not kept what they want. Marks
 * come without bodies: an event of marks alone is for everybody. */
static void some_miss(struct lia_listening *listen, const struct lia_event *event)
{
    for (struct lia_listener *l = listen->listeners; l; l = l->next) {
        if (l->options.wants_before_body && !event->has_before_body &&
            event->pub.change_count) {
            miss(l, event->commit, event->pub.seq);
        }
    }
}

/* Lets go of what every listener has taken. */
static void drop_taken(struct lia_db *db)
{
    uint64_t taken = UINT64_MAX;

    for (struct lia_listener *l = db->listen.listeners; l; l = l->next) {
        taken = l->taken_commit < taken ? l->taken_commit : taken;
    }
    while (db->listen.oldest && db->listen.oldest->commit <= taken) {
        drop_oldest(db);
    }
}

static void append(struct lia_listening *listen, struct lia_event *event)
{
    if (listen->newest) {
        listen->newest->newer = event;
    } else {
        listen->oldest = event;
    }
    listen->newest = event;
    listen->bytes += event->bytes;
}

void lia_listen_publish(struct lia_db *db,
                        struct lia_store_mark mark,
                        struct lia_event *event,
                        bool is_lost,
                        bool is_waited)
{
    struct lia_listening *listen = &db->listen;

    lia_mutex_lock(&listen->mutex);
    listen->commit = mark.commit;
    listen->seq = mark.seq;
    if (event) {
        event->commit = mark.commit;
        append(listen, event);
        some_miss(listen, event);
    } else if (is_lost) {
        all_miss(listen, mark.commit, mark.seq);
    }
    drop_taken(db);
    while (listen->bytes > LIA_LISTEN_BYTES_MAX) {
        all_miss(listen, listen->oldest->commit, listen->oldest->pub.seq);
        drop_oldest(db);
    }
    lia_mutex_unlock(&listen->mutex);
    /* The sync was faster than this, or nobody asks for one. */
    if (!is_waited || lia_store_head(db->store).durable.commit >= mark.commit) {
        lia_listen_wake(db);
    }
}

void lia_listen_wake(void *ctx)
{
    struct lia_db *db = ctx;

    lia_mutex_lock(&db->listen.mutex);
    for (struct lia_listener *l = db->listen.listeners; l; l = l->next) {
        if (l->options.wake) {
            l->options.wake(l->options.ctx);
        }
    }
    lia_mutex_unlock(&db->listen.mutex);
}

liana_status lia_db_listen(struct lia_db *db,
                           const struct lia_listener_options *options,
                           struct lia_listener **out,
                           uint64_t *out_seq,
                           struct liana_error *err)
{
    struct lia_listener *listener = lia_mem_zalloc(db->env->alloc, sizeof(*listener));

    if (!listener) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    listener->db = db;
    listener->options = *options;
    lia_mutex_lock(&db->listen.mutex);
    listener->taken_commit = options->is_wake_only ? UINT64_MAX : db->listen.commit;
    listener->next = db->listen.listeners;
    db->listen.listeners = listener;
    *out_seq = db->listen.seq;
    lia_mutex_unlock(&db->listen.mutex);
    *out = listener;
    return LIANA_OK;
}

void lia_db_unlisten(struct lia_listener *listener)
{
    struct lia_db *db;
    struct lia_listener **at;

    if (!listener) {
        return;
    }
    db = listener->db;
    lia_mutex_lock(&db->listen.mutex);
    for (at = &db->listen.listeners; *at != listener; at = &(*at)->next) {
    }
    *at = listener->next;
    drop_taken(db);
    lia_mutex_unlock(&db->listen.mutex);
    lia_mem_free(db->env->alloc, listener, sizeof(*listener));
}

/* ---- taking ---- */

static bool copy_event(struct lia_arena *arena,
                       const struct lia_commit_event *from,
                       struct lia_commit_event *out)
{
    struct lia_commit_change *changes =
        lia_arena_array(arena, from->change_count, sizeof(*changes));

    *out = *from;
    out->changes = changes;
    for (size_t i = 0; changes && i < from->change_count; i++) {
        const struct lia_commit_change *c = &from->changes[i];

        changes[i].collection = c->collection;
        if (!lia_arena_copy(arena, c->key, &changes[i].key) ||
            !keep_vector(arena, c->before, &changes[i].before) ||
            !lia_arena_copy(arena, c->before_body, &changes[i].before_body) ||
            !lia_arena_copy(arena, c->after.body, &changes[i].after.body) ||
            !lia_arena_copy(arena, c->after.clock, &changes[i].after.clock)) {
            return false;
        }
    }
    return changes &&
           copy_marks(arena, from->marks, from->marks_count, out) == LIANA_OK;
}

static bool is_due(const struct lia_listener *listener,
                   const struct lia_event *event,
                   uint64_t durable)
{
    return event->commit > listener->taken_commit && event->commit <= durable;
}

/* How many durable events there are from `first` on, until `bytes_max` is reached. */
static size_t count_due(const struct lia_listener *listener,
                        uint64_t durable,
                        size_t bytes_max,
                        const struct lia_event **out_first,
                        bool *out_more)
{
    const struct lia_event *event = listener->db->listen.oldest;
    size_t bytes = 0;
    size_t count = 0;

    while (event && event->commit <= listener->taken_commit) {
        event = event->newer;
    }
    *out_first = event;
    while (event && is_due(listener, event, durable) &&
           (count == 0 || bytes + event->bytes <= bytes_max)) {
        bytes += event->bytes;
        count++;
        event = event->newer;
    }
    *out_more = event && is_due(listener, event, durable);
    return count;
}

/* With the lock held. */
static liana_status take(struct lia_listener *listener,
                         struct lia_arena *arena,
                         size_t bytes_max,
                         struct lia_taken *out)
{
    uint64_t durable = lia_store_head(listener->db->store).durable.commit;
    const struct lia_event *event = NULL;
    struct lia_taken taken = {0};
    struct lia_commit_event *events;
    uint64_t taken_commit = listener->taken_commit;

    if (listener->missed_commit > durable) {
        *out = taken; /* what was missed comes when it is durable, then the rest */
        return LIANA_OK;
    }
    taken.missed_upto = listener->missed_seq;
    taken.event_count =
        count_due(listener, durable, bytes_max, &event, &taken.has_more);
    events = lia_arena_array(arena, taken.event_count, sizeof(*events));
    for (size_t i = 0; events && i < taken.event_count; i++, event = event->newer) {
        if (!copy_event(arena, &event->pub, &events[i])) {
            return LIANA_ENOMEM;
        }
        taken_commit = event->commit;
    }
    if (!events) {
        return LIANA_ENOMEM;
    }
    taken.events = events;
    listener->taken_commit = taken_commit;
    listener->missed_seq = 0;
    listener->missed_commit = 0;
    drop_taken(listener->db);
    *out = taken;
    return LIANA_OK;
}

liana_status lia_db_take(struct lia_listener *listener,
                         struct lia_arena *arena,
                         size_t bytes_max,
                         struct lia_taken *out)
{
    struct lia_mutex *mutex = &listener->db->listen.mutex;
    liana_status status;

    lia_mutex_lock(mutex);
    status = take(listener, arena, bytes_max, out);
    lia_mutex_unlock(mutex);
    return status;
}
