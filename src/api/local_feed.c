/* SPDX-License-Identifier: Apache-2.0 */
#include "api/local.h"
#include "base/limits.h"
#include "codec/key_id.h"

#define PAGE_CHANGES 1000
#define PAGE_BYTES   (4 * LIA_MIB)
#define SYNC_MS      1000
#define SYSTEM       "_liana."

struct local_feed {
    struct liana_feed base;
    struct lia_local_db *user;
    struct lia_arena arena; /* of the page that was given */
    struct lia_interest *interests;
    size_t interest_count;
    char *names; /* of the collections */
    size_t names_size;
    size_t changes_max;
    size_t bytes_max;
    /* The tombstones up to here that are forgotten concern this reader no more: it has
     * been told of them, or knew nothing when it began. */
    uint64_t told_seq;
    bool
        has_begun; /* false: told_seq of a reader that knows nothing is still to be set */
    bool is_cancelled; /* the core's mutex */
};

/* ---- one page ---- */

static bool is_system(struct liana_str collection)
{
    return collection.len >= strlen(SYSTEM) &&
           memcmp(collection.ptr, SYSTEM, strlen(SYSTEM)) == 0;
}

static bool is_wanted(const struct local_feed *f, const struct lia_feed_item *item)
{
    return f->interests[0].collection.len > 0 || !is_system(item->collection->name);
}

/* The _id as the document shows it; of a tombstone, a value equal to it. */
static liana_status id_of(struct lia_arena *arena,
                          const struct lia_feed_item *item,
                          struct liana_slice *out,
                          struct liana_error *err)
{
    struct lia_buf buf;
    struct lia_value id;
    size_t doc;
    liana_status status = LIANA_OK;

    lia_buf_init(&buf, arena->alloc);
    if (item->doc.body.len && lia_bson_find(item->doc.body, lia_str("_id"), &id)) {
        doc = lia_bson_begin(&buf);
        lia_bson_add(&buf, lia_str("_id"), id);
        lia_bson_end(&buf, doc);
    } else {
        status = lia_key_id(item->key, &buf, err);
    }
    if (!status && (buf.status || !lia_arena_copy(arena, lia_buf_slice(&buf), out))) {
        status = lia_err_plain(err, buf.status ? buf.status : LIANA_ENOMEM);
    }
    lia_buf_deinit(&buf);
    return status;
}

static liana_status make_change(struct lia_arena *arena,
                                const struct lia_feed_item *item,
                                struct liana_change *out,
                                struct liana_error *err)
{
    struct lia_doc_info info;
    liana_status status = lia_doc_info(arena, item->doc.clock, &info);

    if (status) {
        return lia_err_plain(err, status);
    }
    *out = (struct liana_change){
        .seq = item->seq,
        .collection = item->collection->name,
        .document = item->doc.body,
        .written_ms = (int64_t)lia_hlc_ms(lia_vector_max_hlc(info.vector))};
    return id_of(arena, item, &out->id, err);
}

/* Pages of the db, put one behind the other in a list that grows in the arena. */
struct gather {
    struct liana_change *changes;
    size_t count;
    size_t room;
};

static bool has_room(struct lia_arena *arena, struct gather *g, size_t more)
{
    struct liana_change *changes;
    size_t room = (g->count + more) * 2;

    if (g->count + more <= g->room) {
        return true;
    }
    changes = lia_arena_array(arena, room, sizeof(*changes));
    if (!changes) {
        return false;
    }
    if (g->count) {
        memcpy(changes, g->changes, g->count * sizeof(*changes));
    }
    g->changes = changes;
    g->room = room;
    return true;
}

static liana_status add_items(struct local_feed *f,
                              const struct lia_feed_page *page,
                              struct gather *g,
                              struct liana_error *err)
{
    liana_status status = LIANA_OK;

    if (!has_room(&f->arena, g, page->item_count)) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    for (size_t i = 0; i < page->item_count && !status; i++) {
        if (is_wanted(f, &page->items[i])) {
            status =
                make_change(&f->arena, &page->items[i], &g->changes[g->count], err);
            g->count += !status;
        }
    }
    return status;
}

/* Of all that the feed follows. */
static uint64_t forgotten_seq(const struct local_feed *f,
                              const struct lia_feed_page *page)
{
    uint64_t seq = 0;

    for (size_t i = 0; i < f->interest_count; i++) {
        seq = page->facts[i].forgotten_seq > seq ? page->facts[i].forgotten_seq : seq;
    }
    return seq;
}

/* On the page's snapshot, or a delete could be forgotten between the look and the page. */
static liana_status check_forgotten(struct local_feed *f,
                                    const struct lia_feed_page *page,
                                    struct liana_error *err)
{
    const uint64_t seq = forgotten_seq(f, page);

    if (!f->has_begun) {
        f->has_begun = true;
        f->told_seq = seq;
    }
    if (seq <= f->base.position || seq <= f->told_seq) {
        return LIANA_OK;
    }
    f->told_seq = seq;
    return lia_err(err, LIANA_EFORGOTTEN,
                   "deletes between seq %llu, where this reader is, and %llu are "
                   "forgotten: it may hold documents that are deleted here",
                   (unsigned long long)f->base.position, (unsigned long long)seq);
}

/* Up to a commit boundary: a page of the db that is cut inside a commit goes on. */
static liana_status read_page(struct local_feed *f,
                              struct liana_page *out,
                              uint64_t *out_reach,
                              struct liana_error *err)
{
    struct lia_feed_query query = {.interests = f->interests,
                                   .interest_count = f->interest_count,
                                   .bytes_max = f->bytes_max,
                                   .rows_max = f->changes_max};
    struct lia_feed_page page;
    struct gather g = {0};
    liana_status status;

    lia_arena_reset(&f->arena);
    for (size_t i = 0; i < f->interest_count; i++) {
        f->interests[i].after_seq = f->base.position;
    }
    do {
        status = lia_db_feed(f->user->local->db, &f->arena, &query, &page, err);
        if (!status) {
            status = check_forgotten(f, &page, err);
        }
        if (!status) {
            status = add_items(f, &page, &g, err);
        }
        query.from = page.next;
    } while (!status && page.is_cut);
    if (!status) {
        *out = (struct liana_page){g.changes, g.count, page.upto};
        *out_reach = page.head;
    }
    return status;
}

/* ---- waiting ---- */

/* Until something was committed after `moves` was looked at. False: the time is over. */
static bool wait_for_move(struct local_feed *f, uint64_t moves, int32_t timeout_ms)
{
    struct lia_deadline deadline =
        lia_deadline_in(timeout_ms > 0 ? (uint64_t)timeout_ms : 0);
    struct lia_local *local = f->user->local;
    bool answer = true;

    lia_mutex_lock(&local->mutex);
    while (answer && local->moves == moves && !f->is_cancelled) {
        if (timeout_ms < 0) {
            lia_cond_wait(&local->moved, &local->mutex);
        } else {
            answer = timeout_ms > 0 &&
                     lia_cond_wait_until(&local->moved, &local->mutex, &deadline);
        }
    }
    lia_mutex_unlock(&local->mutex);
    return answer;
}

static bool look(struct local_feed *f, uint64_t *moves)
{
    struct lia_local *local = f->user->local;
    bool is_cancelled;

    lia_mutex_lock(&local->mutex);
    *moves = local->moves;
    is_cancelled = f->is_cancelled;
    lia_mutex_unlock(&local->mutex);
    return !is_cancelled;
}

/* Of a timeout that began at `start`; -1: for ever. */
static int32_t time_left(const struct local_feed *f, uint64_t start, int32_t timeout_ms)
{
    const struct lia_env *env = &f->user->local->env;
    uint64_t passed = env->mono_ms(env->ctx) - start;

    if (timeout_ms < 0) {
        return -1;
    }
    return passed < (uint64_t)timeout_ms ? timeout_ms - (int32_t)passed : 0;
}

/* How long until somebody may sync the store for its feeds; 0: the caller does it now. */
static int32_t sync_due_in(struct lia_local *local)
{
    uint64_t now = local->env.mono_ms(local->env.ctx);
    uint64_t due;

    lia_mutex_lock(&local->mutex);
    due = local->synced_ms + SYNC_MS;
    if (now >= due) {
        local->synced_ms = now;
    }
    lia_mutex_unlock(&local->mutex);
    return now >= due ? 0 : (int32_t)(due - now);
}

/* A page is shown once all that it holds is durable. Writers who wait for their commits
 * make it so; in a store of durability `normal` nobody does: then it is synced here, at
 * most so often. */
static liana_status await_durable(struct local_feed *f,
                                  uint64_t reach,
                                  uint64_t start,
                                  int32_t timeout_ms,
                                  struct liana_error *err)
{
    struct lia_store *store = lia_db_store(f->user->local->db);
    uint64_t moves;

    while (look(f, &moves)) {
        int32_t left = time_left(f, start, timeout_ms);
        int32_t due;

        if (lia_store_head(store).durable.seq >= reach) {
            return LIANA_OK;
        }
        due = sync_due_in(f->user->local);
        if (due == 0) {
            return lia_store_sync(store, err);
        }
        if (left == 0) {
            return lia_err_plain(err, LIANA_ETIMEOUT);
        }
        LIA_IGNORE(wait_for_move(f, moves, /* the loop looks at what has moved */
                                 left < 0 || due < left ? due : left));
    }
    return lia_err_plain(err, LIANA_ECANCELED);
}

static liana_status next(liana_feed *feed,
                         int32_t timeout_ms,
                         struct liana_page *out,
                         struct liana_error *err)
{
    struct local_feed *f = (struct local_feed *)feed;
    const struct lia_env *env = &f->user->local->env;
    const uint64_t start = env->mono_ms(env->ctx);

    for (;;) {
        struct liana_page page;
        uint64_t reach;
        uint64_t moves;
        liana_status status;

        if (!look(f, &moves)) {
            return lia_err_plain(err, LIANA_ECANCELED);
        }
        status = read_page(f, &page, &reach, err);
        if (!status && page.count) {
            status = await_durable(f, reach, start, timeout_ms, err);
        }
        if (status) {
            return status;
        }
        if (page.position > feed->position &&
            lia_store_head(lia_db_store(f->user->local->db)).durable.seq >= reach) {
            feed->position = page.position;
        }
        if (page.count) {
            *out = page;
            return LIANA_OK;
        }
        if (!wait_for_move(f, moves, time_left(f, start, timeout_ms))) {
            return lia_err_plain(err, LIANA_ETIMEOUT);
        }
    }
}

static void cancel(liana_feed *feed)
{
    struct local_feed *f = (struct local_feed *)feed;
    struct lia_local *local = f->user->local;

    lia_mutex_lock(&local->mutex);
    f->is_cancelled = true;
    lia_cond_broadcast(&local->moved);
    lia_mutex_unlock(&local->mutex);
}

/* ---- opening and closing ---- */

static void close_feed(liana_feed *feed)
{
    struct local_feed *f = (struct local_feed *)feed;
    struct lia_local_db *user = f->user;
    const struct liana_allocator *a = &user->local->alloc;

    lia_arena_deinit(&f->arena);
    lia_mem_free(a, f->interests, f->interest_count * sizeof(*f->interests));
    lia_mem_free(a, f->names, f->names_size);
    lia_mem_free(a, f, sizeof(*f));
    lia_local_use(user, -1);
}

static const struct lia_feed_ops feed_ops = {next, cancel, close_feed};

static bool copy_collections(struct local_feed *f,
                             const struct liana_allocator *a,
                             const struct liana_feed_options *options)
{
    size_t at = 0;

    f->interest_count = options->collection_count ? options->collection_count : 1;
    for (size_t i = 0; i < options->collection_count; i++) {
        f->names_size += options->collections[i].len;
    }
    f->names_size++;
    f->interests = lia_mem_zalloc(a, f->interest_count * sizeof(*f->interests));
    f->names = lia_mem_alloc(a, f->names_size);
    if (!f->interests || !f->names) {
        return false;
    }
    for (size_t i = 0; i < options->collection_count; i++) {
        struct liana_str name = options->collections[i];

        if (name.len) {
            memcpy(f->names + at, name.ptr, name.len);
        }
        f->interests[i].collection = (struct liana_str){f->names + at, name.len};
        at += name.len;
    }
    return true;
}

static liana_status check_since(struct lia_local *local,
                                uint64_t since,
                                struct liana_error *err)
{
    uint64_t head = lia_store_head(lia_db_store(local->db)).committed.seq;

    return since <= head
               ? LIANA_OK
               : lia_err(err, LIANA_ERANGE,
                         "position %llu is beyond the store's %llu: it is of another "
                         "store, or of this one before it was restored",
                         (unsigned long long)since, (unsigned long long)head);
}

liana_status lia_local_feed(liana_db *db,
                            const struct liana_feed_options *options,
                            liana_feed **out,
                            struct liana_error *err)
{
    struct lia_local_db *user = lia_local_of(db);
    const struct liana_allocator *a = &user->local->alloc;
    struct local_feed *f;
    liana_status status = check_since(user->local, options->since, err);

    if (status) {
        return status;
    }
    f = lia_mem_zalloc(a, sizeof(*f));
    if (!f) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    lia_arena_init(&f->arena, a);
    f->base.ops = &feed_ops;
    f->base.position = options->since;
    f->has_begun = options->since > 0;
    f->told_seq = options->begun;
    f->user = user;
    f->changes_max = options->page_changes ? options->page_changes : PAGE_CHANGES;
    f->bytes_max = options->page_bytes ? options->page_bytes : PAGE_BYTES;
    lia_local_use(user, 1);
    if (!copy_collections(f, a, options)) {
        close_feed(&f->base);
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    *out = &f->base;
    return LIANA_OK;
}
