/* SPDX-License-Identifier: Apache-2.0 */
#include "db/internal.h"

/*
 * A page is a merge of one walk per collection by (seq, collection id, rowid). Every row
 * is looked at once for all interests in its collection.
 */

struct walk {
    const struct lia_coll *coll;
    sqlite3_stmt *stmt;
    bool is_done;
    uint64_t seq; /* of the row it stands on */
    uint64_t row;
};

/* What an interest follows. */
struct followed {
    struct lia_reg *reg; /* NULL: none */
    /* With a predicate: what left later the reader may hold. */
    uint64_t left_after;
};

struct feeding {
    struct lia_db *db;
    struct lia_conn *conn;
    struct lia_arena *arena;
    const struct lia_feed_query *query;
    struct followed *followed; /* per interest */
    struct walk *walks;
    size_t walk_count;
    uint64_t head;        /* newest seq of the snapshot */
    struct lia_buf items; /* struct lia_feed_item */
    struct lia_buf hits;  /* of the row at hand */
    size_t bytes;
    size_t rows;
    size_t whole_items;  /* items of whole commits */
    uint64_t whole_upto; /* everything up to here is in the page */
    uint64_t last_seq;   /* of the row looked at last; 0: none yet */
    uint32_t last_coll;
    uint64_t last_row;
};

/* ---- what is followed ---- */

static liana_status unknown(uint64_t registration, struct liana_error *err)
{
    return lia_err(err, LIANA_ENOTFOUND, "there is no registration %llu of this peer",
                   (unsigned long long)registration);
}

/* What left up to `acked` is nothing that the peer holds (register.c). Read on the snapshot
 * of the page: the log is trimmed in the transaction that moves it. */
static liana_status read_acked(struct feeding *f,
                               const struct lia_interest *interest,
                               uint64_t *out,
                               struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        f->conn,
        lia_str("SELECT acked FROM registrant WHERE registration = ?1 AND peer = ?2"),
        &stmt, err);

    if (status) {
        return status;
    }
    lia_bind_u64(stmt, 1, interest->registration);
    lia_bind_slice(stmt, 2, interest->peer);
    status = lia_conn_step(f->conn, stmt, err);
    if (!status) {
        *out = lia_column_u64(stmt, 0);
    } else if (status == LIANA_EEND) {
        status = unknown(interest->registration, err);
    }
    lia_conn_done(f->conn, stmt);
    return status;
}

static liana_status find_reg(struct feeding *f,
                             const struct lia_interest *interest,
                             struct followed *out,
                             struct liana_error *err)
{
    out->left_after = interest->after_seq;
    if (!interest->registration) {
        return LIANA_OK;
    }
    out->reg = lia_reg_get(f->db, interest->registration);
    if (!out->reg) {
        return unknown(interest->registration, err);
    }
    if (out->reg->predicate) {
        uint64_t acked = 0;
        liana_status status = read_acked(f, interest, &acked, err);

        if (status) {
            return status;
        }
        out->left_after = acked > interest->after_seq ? acked : interest->after_seq;
    }
    return LIANA_OK;
}

static liana_status find_regs(struct feeding *f, struct liana_error *err)
{
    const struct lia_feed_query *q = f->query;
    liana_status status = LIANA_OK;

    f->followed = lia_arena_array(f->arena, q->interest_count, sizeof(*f->followed));
    if (!f->followed) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    for (size_t i = 0; i < q->interest_count && !status; i++) {
        status = find_reg(f, &q->interests[i], &f->followed[i], err);
    }
    return status;
}

static struct liana_str collection_of(const struct feeding *f, size_t interest)
{
    const struct lia_reg *reg = f->followed[interest].reg;

    return reg ? (struct liana_str){reg->collection, reg->collection_len}
               : f->query->interests[interest].collection;
}

static bool follows(const struct feeding *f, size_t interest, const struct lia_coll *c)
{
    struct liana_str name = collection_of(f, interest);

    return name.len == 0 ? !lia_coll_is_system(c->pub.name)
                         : lia_str_equal(name, c->pub.name);
}

/* The least after_seq of those that follow the collection; false: nobody does. */
static bool least_after(const struct feeding *f,
                        const struct lia_coll *coll,
                        uint64_t *out)
{
    bool is_followed = false;

    for (size_t i = 0; i < f->query->interest_count; i++) {
        uint64_t after = f->query->interests[i].after_seq;

        if (follows(f, i, coll)) {
            *out = is_followed && *out < after ? *out : after;
            is_followed = true;
        }
    }
    return is_followed;
}

/* ---- walks ---- */

static liana_status step(struct feeding *f, struct walk *w, struct liana_error *err)
{
    liana_status status = lia_conn_step(f->conn, w->stmt, err);

    if (status == LIANA_EEND) {
        w->is_done = true;
        return LIANA_OK;
    }
    if (!status) {
        w->seq = lia_column_u64(w->stmt, 0);
        w->row = lia_column_u64(w->stmt, 1);
    }
    return status;
}

/* The first row is the one after (seq, row). */
static void start_of(const struct lia_feed_at *from,
                     uint32_t collection,
                     uint64_t after,
                     uint64_t *out_seq,
                     uint64_t *out_row)
{
    *out_seq = after;
    *out_row = INT64_MAX;
    if (from->seq > after) {
        *out_seq = from->seq;
        *out_row = collection == from->collection  ? from->row
                   : collection > from->collection ? 0
                                                   : INT64_MAX;
    }
}

static liana_status start_walk(struct feeding *f,
                               const struct lia_coll *coll,
                               uint64_t after,
                               struct liana_error *err)
{
    struct walk *w = &f->walks[f->walk_count];
    uint64_t seq;
    uint64_t row;
    liana_status status = lia_conn_prepare(f->conn, coll->sql_walk, &w->stmt, err);

    if (status) {
        return status;
    }
    f->walk_count++;
    w->coll = coll;
    start_of(&f->query->from, coll->pub.id, after, &seq, &row);
    lia_bind_u64(w->stmt, 1, seq);
    lia_bind_u64(w->stmt, 2, row);
    lia_bind_u64(w->stmt, 3, f->head);
    return step(f, w, err);
}

static liana_status start_walks(struct feeding *f,
                                uint32_t ids,
                                struct liana_error *err)
{
    const struct lia_collection **all = NULL;
    liana_status status;
    size_t count = 0;

    status = lia_err_plain(err, lia_db_collections(f->db, f->arena, &all, &count));
    if (status) {
        return status;
    }
    f->walks = lia_arena_array(f->arena, count, sizeof(*f->walks));
    if (!f->walks) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    for (size_t i = 0; i < count && !status && all[i]->id <= ids; i++) {
        uint64_t after = 0;

        if (least_after(f, lia_coll_of(all[i]), &after)) {
            status = start_walk(f, lia_coll_of(all[i]), after, err);
        }
    }
    return status;
}

/* Walks are in order of collection id, so the first of the least seq is next. */
static struct walk *next_walk(struct feeding *f)
{
    struct walk *next = NULL;

    for (size_t i = 0; i < f->walk_count; i++) {
        struct walk *w = &f->walks[i];

        if (!w->is_done && (!next || w->seq < next->seq)) {
            next = w;
        }
    }
    return next;
}

/* ---- rows ---- */

static liana_status left_since(struct feeding *f,
                               const struct lia_reg *reg,
                               struct liana_slice key,
                               uint64_t after,
                               bool *out,
                               struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status =
        lia_conn_prepare(f->conn,
                         lia_str("SELECT 1 FROM departed "
                                 "WHERE registration = ?1 AND key = ?2 AND seq > ?3"),
                         &stmt, err);

    if (status) {
        return status;
    }
    lia_bind_u64(stmt, 1, reg->id);
    lia_bind_slice(stmt, 2, key);
    lia_bind_u64(stmt, 3, after);
    status = lia_conn_step(f->conn, stmt, err);
    lia_conn_done(f->conn, stmt);
    *out = status == LIANA_OK;
    return status == LIANA_EEND ? LIANA_OK : status;
}

/* Whether, and how, the row concerns one interest. */
static liana_status look_for(struct feeding *f,
                             size_t interest,
                             struct liana_slice key,
                             struct liana_slice body,
                             enum lia_feed_kind *out_kind,
                             bool *out_hit,
                             struct liana_error *err)
{
    const struct followed *followed = &f->followed[interest];
    const struct lia_reg *reg = followed->reg;
    bool is_in = true;
    liana_status status = LIANA_OK;

    if (reg) {
        status = lia_err_plain(err, lia_reg_matches(f->db, reg, body, &is_in));
    }
    *out_kind = is_in ? LIA_FEED_MATCHES : LIA_FEED_LEFT;
    *out_hit = is_in;
    return status || is_in
               ? status
               : left_since(f, reg, key, followed->left_after, out_hit, err);
}

static liana_status find_hits(struct feeding *f,
                              const struct walk *w,
                              struct liana_slice key,
                              struct liana_slice body,
                              struct liana_error *err)
{
    liana_status status = LIANA_OK;

    lia_buf_reset(&f->hits);
    for (size_t i = 0; i < f->query->interest_count && !status; i++) {
        struct lia_feed_hit hit = {.interest = (uint32_t)i};
        bool is_hit = false;

        if (w->seq > f->query->interests[i].after_seq && follows(f, i, w->coll)) {
            status = look_for(f, i, key, body, &hit.kind, &is_hit, err);
        }
        if (is_hit) {
            lia_buf_bytes(&f->hits, &hit, sizeof(hit));
        }
    }
    return status ? status : lia_err_plain(err, f->hits.status);
}

static liana_status add_item(struct feeding *f,
                             const struct walk *w,
                             struct liana_slice key,
                             struct lia_doc doc)
{
    struct lia_feed_item item = {.seq = w->seq, .collection = &w->coll->pub};
    struct liana_slice hits;

    if (!lia_arena_copy(f->arena, key, &item.key) ||
        !lia_arena_copy(f->arena, doc.body, &item.doc.body) ||
        !lia_arena_copy(f->arena, doc.clock, &item.doc.clock) ||
        !lia_arena_copy(f->arena, lia_buf_slice(&f->hits), &hits)) {
        return LIANA_ENOMEM;
    }
    item.hits = (const struct lia_feed_hit *)(const void *)hits.ptr;
    item.hit_count = hits.len / sizeof(*item.hits);
    f->bytes += key.len + doc.body.len + doc.clock.len;
    lia_buf_bytes(&f->items, &item, sizeof(item));
    return f->items.status;
}

static liana_status look_at(struct feeding *f, struct walk *w, struct liana_error *err)
{
    struct liana_slice key = lia_column_slice(w->stmt, 2);
    struct liana_slice body = lia_column_slice(w->stmt, 3);
    liana_status status = find_hits(f, w, key, body, err);

    if (!status && f->hits.len) {
        status = lia_err_plain(
            err,
            add_item(f, w, key, (struct lia_doc){body, lia_column_slice(w->stmt, 4)}));
    }
    f->rows++;
    f->last_seq = w->seq;
    f->last_coll = w->coll->pub.id;
    f->last_row = w->row;
    return status;
}

static bool is_full(const struct feeding *f)
{
    return f->last_seq && (f->bytes >= f->query->bytes_max ||
                           (f->query->rows_max && f->rows >= f->query->rows_max));
}

static size_t item_count(const struct feeding *f)
{
    return f->items.len / sizeof(struct lia_feed_item);
}

/* Until everything is in the page or the page is full. */
static liana_status fill(struct feeding *f, bool *out_complete, struct liana_error *err)
{
    liana_status status = LIANA_OK;
    struct walk *w;

    while (!status && (w = next_walk(f)) != NULL) {
        if (f->last_seq && w->seq > f->last_seq) {
            f->whole_items = item_count(f);
            f->whole_upto = w->seq - 1;
        }
        if (is_full(f)) {
            *out_complete = false;
            return LIANA_OK;
        }
        status = look_at(f, w, err);
        if (!status) {
            status = step(f, w, err);
        }
    }
    *out_complete = true;
    return status;
}

/* ---- the page ---- */

/* A page that is full inside a commit is cut back to the commit before, if it has one. */
static void close_page(struct feeding *f, bool is_complete, struct lia_feed_page *out)
{
    size_t count = item_count(f);

    out->head = f->head;
    if (is_complete) {
        out->upto = f->head;
    } else if (f->whole_upto) {
        out->upto = f->whole_upto;
        count = f->whole_items;
    } else {
        out->upto = f->last_seq - 1;
        out->is_cut = true;
    }
    out->next = out->is_cut
                    ? (struct lia_feed_at){f->last_seq, f->last_coll, f->last_row}
                    : (struct lia_feed_at){out->upto + 1, 0, 0};
    out->item_count = count;
}

static liana_status copy_items(struct feeding *f, struct lia_feed_page *out)
{
    struct liana_slice items = lia_buf_slice(&f->items);
    struct liana_slice copy;

    items.len = out->item_count * sizeof(*out->items);
    if (!lia_arena_copy(f->arena, items, &copy)) {
        return LIANA_ENOMEM;
    }
    out->items = (const struct lia_feed_item *)(const void *)copy.ptr;
    return LIANA_OK;
}

/* What may be told to this reader (crdt/keep.h). */
static liana_status claim(struct feeding *f,
                          const struct lia_interest *interest,
                          const struct lia_reg *reg,
                          struct lia_feed_marks *out,
                          struct liana_error *err)
{
    struct liana_str name = {reg->collection, reg->collection_len};
    struct lia_keeping keeping;
    liana_status status =
        lia_keeping_read(f->conn, f->db, f->arena, name, &keeping, err);

    if (status) {
        return status;
    }
    out->kept = keeping.keep.kept;
    out->forgotten = keeping.keep.forgotten;
    return reg->predicate
               ? LIANA_OK
               : lia_err_plain(err, lia_keep_claim(f->arena, &keeping.keep,
                                                   interest->reflects, &out->marks));
}

static liana_status add_marks(struct feeding *f,
                              struct lia_feed_page *out,
                              struct liana_error *err)
{
    struct lia_feed_marks *marks =
        lia_arena_array(f->arena, f->query->interest_count, sizeof(*marks));
    liana_status status = LIANA_OK;
    size_t count = 0;

    if (!marks) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    for (size_t i = 0; i < f->query->interest_count && !status; i++) {
        const struct lia_interest *interest = &f->query->interests[i];

        if (interest->wants_marks && f->followed[i].reg) {
            marks[count].interest = (uint32_t)i;
            status = claim(f, interest, f->followed[i].reg, &marks[count++], err);
        }
    }
    out->marks = marks;
    out->marks_count = count;
    return status;
}

static liana_status read_snapshot(struct feeding *f,
                                  uint32_t *out_ids,
                                  struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        f->conn, lia_str("SELECT seq, (SELECT max(id) FROM collection) FROM state"),
        &stmt, err);

    if (!status) {
        status = lia_conn_step(f->conn, stmt, err);
    }
    if (!status) {
        f->head = lia_column_u64(stmt, 0);
        *out_ids = (uint32_t)lia_column_u64(stmt, 1);
    }
    lia_conn_done(f->conn, stmt);
    lia_coll_await(f->db, *out_ids);
    return status;
}

static liana_status add_facts(struct feeding *f,
                              struct lia_feed_page *out,
                              struct liana_error *err)
{
    struct lia_feed_facts *facts =
        lia_arena_array(f->arena, f->query->interest_count, sizeof(*facts));
    liana_status status = facts ? LIANA_OK : lia_err_plain(err, LIANA_ENOMEM);

    for (size_t i = 0; i < f->query->interest_count && !status; i++) {
        struct lia_keeping keeping = {0};
        struct liana_str name = collection_of(f, i);

        if (name.len) {
            status = lia_keeping_brief(f->conn, f->db, name, &keeping, err);
        } else {
            status = lia_keep_forgotten_of_all(f->conn, &keeping.forgotten_seq, err);
        }
        facts[i] =
            (struct lia_feed_facts){keeping.keep.is_whole, keeping.forgotten_seq};
    }
    out->facts = facts;
    return status;
}

static liana_status make_page(struct feeding *f,
                              struct lia_feed_page *out,
                              struct liana_error *err)
{
    bool is_complete = false;
    uint32_t ids = 0;
    liana_status status = find_regs(f, err);

    if (!status) {
        status = read_snapshot(f, &ids, err);
    }
    if (!status) {
        status = start_walks(f, ids, err);
    }
    if (!status) {
        status = fill(f, &is_complete, err);
    }
    if (status) {
        return status;
    }
    close_page(f, is_complete, out);
    status = lia_err_plain(err, copy_items(f, out));
    if (!status) {
        status = add_facts(f, out, err);
    }
    if (!status && is_complete) {
        status = add_marks(f, out, err);
    }
    return status;
}

liana_status lia_db_feed(struct lia_db *db,
                         struct lia_arena *arena,
                         const struct lia_feed_query *query,
                         struct lia_feed_page *out,
                         struct liana_error *err)
{
    struct feeding f = {.db = db, .arena = arena, .query = query};
    struct lia_feed_page page = {0};
    liana_status status = lia_store_read_begin(db->store, &f.conn, err);

    if (status) {
        return status;
    }
    lia_buf_init(&f.items, db->env->alloc);
    lia_buf_init(&f.hits, db->env->alloc);
    status = make_page(&f, &page, err);
    for (size_t i = 0; i < f.walk_count; i++) {
        lia_conn_done(f.conn, f.walks[i].stmt);
    }
    for (size_t i = 0; f.followed && i < query->interest_count; i++) {
        lia_reg_put(db, f.followed[i].reg);
    }
    lia_buf_deinit(&f.items);
    lia_buf_deinit(&f.hits);
    lia_store_read_end(db->store, f.conn);
    if (!status) {
        *out = page;
    }
    return status;
}
