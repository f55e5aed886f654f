/* SPDX-License-Identifier: Apache-2.0 */
#include "db/retain.h"

#include "crdt/mutant.h"

#include "db/internal.h"

/*
 * Retention at work (docs/adr/0027). Each collection that declares some has a row in
 * `retention`, which follows the collection's feed: what changed since is taken in, and has
 * a row in `aged` as long as it lives here (two triggers keep their number and size). So a
 * commit pays nothing, a declaration that comes later finds what is there already, and what
 * is oldest is found in an index.
 *
 * A round goes through all collections by id, a piece of it in one transaction; where it
 * stands is in memory only. Documents that no longer match what this store subscribes to
 * (interest.c) wait in `unmatched` and are looked at when the collections are through.
 */

#define LOOKS        ((size_t)64)  /* documents that are looked at in one piece */
#define TAKES        ((size_t)256) /* that are taken in */
#define ROUND_MS_MIN ((uint64_t)1000)
#define ROUND_MS     ((uint64_t)60 * 1000)

/* A document that this store wrote under its present actor is evicted at the price of a new
 * one, which every store of the mesh will know of: so once a day, and many together. */
#define RENEW_MS ((uint64_t)24 * 60 * 60 * 1000)

/* Behind every row of a commit. */
#define PLACE_LAST ((uint64_t)INT64_MAX)

/* One piece. */
struct piece {
    struct lia_txn *txn;
    struct lia_retain_walk *walk;
    struct lia_upkeep *out;
    struct liana_error *err;
    uint64_t now_ms; /* 0: not known */
    uint64_t due_ms; /* the earliest at which something will be too old */
    size_t looks;    /* that are left */
    bool may_renew;
};

/* The row of a collection. */
struct state {
    bool is_there;
    uint64_t seq;
    uint64_t place;
    struct lia_retained has;
};

static liana_status read_state(struct piece *p, uint32_t id, struct state *out)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status =
        lia_conn_prepare(p->txn->conn,
                         lia_str("SELECT seq, place, documents, bytes FROM retention "
                                 "WHERE collection = ?1"),
                         &stmt, p->err);

    *out = (struct state){0};
    if (status) {
        return status;
    }
    lia_bind_u64(stmt, 1, id);
    status = lia_conn_step(p->txn->conn, stmt, p->err);
    if (!status) {
        *out = (struct state){true,
                              lia_column_u64(stmt, 0),
                              lia_column_u64(stmt, 1),
                              {lia_column_u64(stmt, 2), lia_column_u64(stmt, 3)}};
    }
    lia_conn_done(p->txn->conn, stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

static liana_status put_place(struct piece *p,
                              uint32_t id,
                              uint64_t seq,
                              uint64_t place)
{
    return lia_books_run(p->txn->conn, p->err,
                         "INSERT INTO retention "
                         "(collection, seq, place, documents, bytes, renewed_ms) "
                         "VALUES (?1, ?2, ?3, 0, 0, 0) ON CONFLICT DO UPDATE SET "
                         "seq = excluded.seq, place = excluded.place",
                         "uuu", (uint64_t)id, seq, place);
}

/* ---- taking in ---- */

struct taken {
    uint64_t seq;
    uint64_t place;
    struct liana_slice key;
    bool is_living;
    uint64_t hlc;
    uint64_t bytes;
};

static uint64_t newest_of(struct lia_vector v)
{
    uint64_t newest = 0;

    for (size_t i = 0; i < v.count; i++) {
        newest = v.entries[i].hlc > newest ? v.entries[i].hlc : newest;
    }
    return newest;
}

static liana_status read_taken(struct piece *p,
                               const struct lia_coll *coll,
                               sqlite3_stmt *stmt,
                               struct taken *out)
{
    struct liana_slice body = lia_column_slice(stmt, 3);
    struct liana_slice clock = lia_column_slice(stmt, 4);
    struct lia_doc_info info;
    liana_status status;

    *out = (struct taken){.seq = lia_column_u64(stmt, 0),
                          .place = lia_column_u64(stmt, 1),
                          .is_living = body.len > 0,
                          .bytes = body.len + clock.len};
    lia_arena_reset(&p->txn->scratch);
    status = lia_row_info(p->txn, coll, clock, &info, p->err);
    if (status) {
        return status;
    }
    out->hlc = newest_of(info.vector);
    return lia_arena_copy(&p->txn->arena, lia_column_slice(stmt, 2), &out->key)
               ? LIANA_OK
               : lia_err_plain(p->err, LIANA_ENOMEM);
}

static liana_status read_changed(struct piece *p,
                                 const struct lia_coll *coll,
                                 const struct state *from,
                                 struct taken *out,
                                 size_t *out_count)
{
    sqlite3_stmt *stmt = NULL;
    size_t count = 0;
    liana_status status = lia_conn_prepare(p->txn->conn, coll->sql_walk, &stmt, p->err);

    if (status) {
        return status;
    }
    lia_bind_u64(stmt, 1, from->seq);
    lia_bind_u64(stmt, 2, from->place);
    lia_bind_u64(stmt, 3, p->txn->db->state.seq);
    while (!status && count < TAKES) {
        status = lia_conn_step(p->txn->conn, stmt, p->err);
        if (!status) {
            status = read_taken(p, coll, stmt, &out[count]);
            count += !status;
        }
    }
    lia_conn_done(p->txn->conn, stmt);
    *out_count = count;
    return status == LIANA_EEND ? LIANA_OK : status;
}

liana_status lia_retain_drop(struct lia_txn *txn,
                             const struct lia_coll *coll,
                             struct liana_slice key,
                             struct liana_error *err)
{
    return lia_books_run(txn->conn, err,
                         "DELETE FROM aged WHERE collection = ?1 AND key = ?2", "us",
                         (uint64_t)coll->pub.id, key);
}

/* What comes in behind where the round stands stays in it, or it would count as one of those
 * ahead, and one of these too many would go. */
static void pass_over(struct lia_retain_walk *walk, const struct taken *row)
{
    if (row->hlc < walk->hlc && !LIA_MUTANT(206)) {
        walk->passed.documents++;
        walk->passed.bytes += row->bytes;
    }
}

static liana_status take(struct piece *p,
                         const struct lia_coll *coll,
                         const struct taken *row)
{
    liana_status status = lia_retain_drop(p->txn, coll, row->key, p->err);

    if (status || !row->is_living) {
        return status;
    }
    pass_over(p->walk, row);
    return lia_books_run(p->txn->conn, p->err,
                         "INSERT INTO aged (collection, key, hlc, bytes) "
                         "VALUES (?1, ?2, ?3, ?4)",
                         "usuu", (uint64_t)coll->pub.id, row->key, row->hlc,
                         row->bytes);
}

/* `*out_done`: all that is committed is in. */
static liana_status take_in(struct piece *p,
                            const struct lia_coll *coll,
                            const struct state *from,
                            bool *out_done)
{
    const uint64_t head = p->txn->db->state.seq;
    struct taken *rows = lia_arena_array(&p->txn->arena, TAKES, sizeof(*rows));
    size_t count = 0;
    liana_status status = rows ? put_place(p, coll->pub.id, from->seq, from->place)
                               : lia_err_plain(p->err, LIANA_ENOMEM);

    if (!status) {
        status = read_changed(p, coll, from, rows, &count);
    }
    for (size_t i = 0; i < count && !status; i++) {
        status = take(p, coll, &rows[i]);
    }
    if (status) {
        return status;
    }
    *out_done = count < TAKES;
    return *out_done
               ? put_place(p, coll->pub.id, head, PLACE_LAST)
               : put_place(p, coll->pub.id, rows[count - 1].seq, rows[count - 1].place);
}

/* Nothing is declared any more. */
static liana_status take_out(struct piece *p,
                             const struct lia_coll *coll,
                             bool *out_done)
{
    liana_status status =
        lia_books_run(p->txn->conn, p->err,
                      "DELETE FROM aged WHERE n IN "
                      "(SELECT n FROM aged WHERE collection = ?1 LIMIT ?2)",
                      "uu", (uint64_t)coll->pub.id, (uint64_t)TAKES);

    *out_done = !status && sqlite3_changes(p->txn->conn->sqlite) < (int)TAKES;
    return *out_done ? lia_books_run(p->txn->conn, p->err,
                                     "DELETE FROM retention WHERE collection = ?1", "u",
                                     (uint64_t)coll->pub.id)
                     : status;
}

/* ---- evicting ---- */

static liana_status read_renewed(struct piece *p, uint64_t *out)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        p->txn->conn, lia_str("SELECT coalesce(max(renewed_ms), 0) FROM retention"),
        &stmt, p->err);

    if (!status) {
        status = lia_conn_step(p->txn->conn, stmt, p->err);
    }
    if (!status) {
        *out = lia_column_u64(stmt, 0);
    }
    lia_conn_done(p->txn->conn, stmt);
    return status;
}

static liana_status note_renewal(struct piece *p, const struct lia_coll *coll)
{
    p->may_renew = false;
    return lia_books_run(p->txn->conn, p->err,
                         "INSERT INTO retention "
                         "(collection, seq, place, documents, bytes, renewed_ms) "
                         "VALUES (?1, 0, 0, 0, 0, ?2) ON CONFLICT DO UPDATE SET "
                         "renewed_ms = excluded.renewed_ms",
                         "uu", (uint64_t)coll->pub.id, lia_db_wall(p->txn->db));
}

static bool has_seed(struct lia_vector v)
{
    for (size_t i = 0; i < v.count; i++) {
        if (v.entries[i].hlc <= LIA_HLC_INITIAL_MAX) {
            return true;
        }
    }
    return false;
}

/* `*out_gone`: it is not here any more. */
static liana_status evict(struct piece *p,
                          const struct lia_coll *coll,
                          struct liana_slice key,
                          const struct lia_row *row,
                          enum lia_excess excess,
                          bool *out_gone)
{
    struct lia_keeping *keeping;
    struct lia_doc_info info;
    bool must_renew;
    bool may;
    liana_status status = lia_txn_keeping(p->txn, coll->pub.name, &keeping, p->err);

    if (status) {
        return status;
    }
    status = lia_row_info(p->txn, coll, row->doc.clock, &info, p->err);
    if (status) {
        return status;
    }
    must_renew = lia_keep_must_renew(info.vector, p->txn->stamp.actor);
    may = lia_keep_may_evict(&keeping->keep, &info) || LIA_MUTANT(205) ||
          (excess == LIA_EXCESS_ANY && !has_seed(info.vector));
    if (!may || (must_renew && !p->may_renew)) {
        return LIANA_OK;
    }
    *out_gone = true;
    status = lia_row_drop(p->txn, coll, key, row, &info, p->err);
    p->out->evicted += !status;
    return status || !must_renew ? status : note_renewal(p, coll);
}

struct entry {
    uint64_t n;
    struct liana_slice key;
    uint64_t hlc;
    uint64_t bytes;
};

static liana_status read_entry(struct piece *p, sqlite3_stmt *stmt, struct entry *out)
{
    liana_status status = lia_conn_step(p->txn->conn, stmt, p->err);

    if (status) {
        return status;
    }
    *out = (struct entry){.n = lia_column_u64(stmt, 0),
                          .hlc = lia_column_u64(stmt, 2),
                          .bytes = lia_column_u64(stmt, 3)};
    return lia_arena_copy(&p->txn->arena, lia_column_slice(stmt, 1), &out->key)
               ? LIANA_OK
               : lia_err_plain(p->err, LIANA_ENOMEM);
}

/* The oldest after where the round stands. */
static liana_status read_oldest(struct piece *p,
                                const struct lia_coll *coll,
                                struct entry *out,
                                size_t *out_count)
{
    static const char SQL[] = "SELECT n, key, hlc, bytes FROM aged "
                              "WHERE collection = ?1 AND (hlc, n) > (?2, ?3) "
                              "ORDER BY hlc, n LIMIT ?4";
    sqlite3_stmt *stmt = NULL;
    size_t count = 0;
    liana_status status = lia_conn_prepare(p->txn->conn, lia_str(SQL), &stmt, p->err);

    if (status) {
        return status;
    }
    lia_bind_u64(stmt, 1, coll->pub.id);
    lia_bind_u64(stmt, 2, p->walk->hlc);
    lia_bind_u64(stmt, 3, p->walk->n);
    lia_bind_u64(stmt, 4, p->looks);
    while (!status && count < p->looks) {
        status = read_entry(p, stmt, &out[count]);
        count += !status;
    }
    lia_conn_done(p->txn->conn, stmt);
    *out_count = count;
    return status == LIANA_EEND ? LIANA_OK : status;
}

/* Looks at one that is in excess. */
static liana_status look_at(struct piece *p,
                            const struct lia_coll *coll,
                            const struct entry *entry,
                            enum lia_excess excess,
                            bool *out_gone)
{
    struct lia_row row = {0};
    liana_status status;

    lia_arena_reset(&p->txn->scratch);
    status =
        lia_row_get(p->txn->conn, coll, entry->key, &p->txn->scratch, &row, p->err);
    p->looks--;
    p->out->looked_at++;
    if (!status && row.seq && row.doc.body.len) {
        return evict(p, coll, entry->key, &row, excess, out_gone);
    }
    *out_gone = true;
    return status ? status : lia_retain_drop(p->txn, coll, entry->key, p->err);
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/* `*out_done`: nothing more is in excess. */
static liana_status let_go(struct piece *p,
                           const struct lia_coll *coll,
                           const struct lia_collection_options *options,
                           const struct lia_retained *has,
                           bool *out_done)
{
    struct lia_retain_walk *walk = p->walk;
    struct lia_retained left = {less(has->documents, walk->passed.documents),
                                less(has->bytes, walk->passed.bytes)};
    struct entry *entries =
        lia_arena_array(&p->txn->arena, p->looks + 1, sizeof(*entries));
    const size_t wanted = p->looks;
    size_t count = 0;
    liana_status status = entries ? read_oldest(p, coll, entries, &count)
                                  : lia_err_plain(p->err, LIANA_ENOMEM);

    for (size_t i = 0; i < count && !status; i++) {
        enum lia_excess excess =
            lia_retain_judge(options, &left, entries[i].hlc, p->now_ms);
        bool is_gone = false;

        if (excess == LIA_EXCESS_NONE) {
            uint64_t due_ms = lia_retain_due_ms(options, entries[i].hlc);

            p->due_ms = due_ms < p->due_ms ? due_ms : p->due_ms;
            *out_done = true;
            return LIANA_OK;
        }
        status = look_at(p, coll, &entries[i], excess, &is_gone);
        left.documents = less(left.documents, 1);
        left.bytes = less(left.bytes, entries[i].bytes);
        walk->hlc = entries[i].hlc;
        walk->n = entries[i].n;
        if (!is_gone) {
            walk->passed.documents++;
            walk->passed.bytes += entries[i].bytes;
            walk->waiting++;
            p->out->passed_over++;
        }
    }
    *out_done = !status && count < wanted;
    return status;
}

/* ---- a round ---- */

static liana_status one_collection(struct piece *p,
                                   const struct lia_coll *coll,
                                   bool *out_done)
{
    const struct lia_schema *schema;
    struct state state;
    bool is_in = false;
    liana_status status = lia_txn_schema(p->txn, coll->pub.name, &schema, p->err);

    if (!status) {
        status = read_state(p, coll->pub.id, &state);
    }
    *out_done = true;
    if (status) {
        return status;
    }
    if (!lia_retain_has_rules(&schema->options)) {
        return state.is_there ? take_out(p, coll, out_done) : LIANA_OK;
    }
    if (state.seq < p->txn->db->state.seq || state.place < PLACE_LAST) {
        status = take_in(p, coll, &state, &is_in);
        if (!status && is_in) {
            status = read_state(p, coll->pub.id, &state);
        }
        if (status || !is_in) {
            *out_done = false;
            return status;
        }
    }
    *out_done = false;
    return p->looks ? let_go(p, coll, &schema->options, &state.has, out_done)
                    : LIANA_OK;
}

/* The one of the least id after that. */
static const struct lia_coll *collection_after(struct lia_txn *txn, uint32_t id)
{
    const struct lia_coll *best = NULL;

    for (const struct lia_coll *c = txn->db->collections; c; c = c->next) {
        if (c->pub.id > id && (!best || c->pub.id < best->pub.id) &&
            !lia_coll_is_system(c->pub.name) && !lia_name_is_reserved(c->pub.name)) {
            best = c;
        }
    }
    return best;
}

static liana_status all_collections(struct piece *p, bool *out_done)
{
    const struct lia_coll *coll;
    liana_status status = LIANA_OK;
    bool is_done = true;

    while (!status && is_done && (coll = collection_after(p->txn, p->walk->after))) {
        status = one_collection(p, coll, &is_done);
        if (!status && is_done) {
            *p->walk = (struct lia_retain_walk){.after = coll->pub.id,
                                                .waiting = p->walk->waiting};
        }
    }
    *out_done = !status && is_done;
    return status;
}

/* ---- what no longer matches ---- */

static const struct lia_coll *coll_of(struct lia_txn *txn, uint64_t id)
{
    const struct lia_coll *coll = txn->db->collections;

    while (coll && coll->pub.id != id) {
        coll = coll->next;
    }
    return coll;
}

/* `*out_gone`: the entry has no more to say. */
static liana_status look_at_unmatched(struct piece *p,
                                      const struct lia_coll *coll,
                                      struct liana_slice key,
                                      bool *out_gone)
{
    const struct lia_schema *schema;
    struct lia_row row = {0};
    bool is_asked = false;
    bool is_wanted = false;
    liana_status status;

    lia_arena_reset(&p->txn->scratch);
    status = lia_txn_schema(p->txn, coll->pub.name, &schema, p->err);
    if (!status) {
        status = lia_row_get(p->txn->conn, coll, key, &p->txn->scratch, &row, p->err);
    }
    if (status || row.doc.body.len == 0 ||
        schema->options.on_unmatch != LIA_UNMATCHED_GO) {
        *out_gone = true;
        return status;
    }
    status = lia_interest_wants(p->txn->db, coll, row.doc.body, &is_asked, &is_wanted,
                                p->err);
    if (status || is_wanted || !is_asked) {
        *out_gone = is_wanted; /* before anybody subscribes, nothing is known */
        return status;
    }
    return evict(p, coll, key, &row, LIA_EXCESS_KEPT, out_gone);
}

static liana_status read_unmatched(struct piece *p,
                                   struct entry *out,
                                   size_t *out_count)
{
    static const char SQL[] = "SELECT n, key, collection, 0 FROM unmatched "
                              "WHERE n > ?1 ORDER BY n LIMIT ?2";
    sqlite3_stmt *stmt = NULL;
    size_t count = 0;
    liana_status status = lia_conn_prepare(p->txn->conn, lia_str(SQL), &stmt, p->err);

    if (status) {
        return status;
    }
    lia_bind_u64(stmt, 1, p->walk->n);
    lia_bind_u64(stmt, 2, p->looks);
    while (!status && count < p->looks) {
        status = read_entry(p, stmt, &out[count]);
        count += !status;
    }
    lia_conn_done(p->txn->conn, stmt);
    *out_count = count;
    return status == LIANA_EEND ? LIANA_OK : status;
}

static liana_status all_unmatched(struct piece *p, bool *out_done)
{
    struct entry *entries =
        lia_arena_array(&p->txn->arena, p->looks + 1, sizeof(*entries));
    const size_t wanted = p->looks;
    size_t count = 0;
    liana_status status = entries ? read_unmatched(p, entries, &count)
                                  : lia_err_plain(p->err, LIANA_ENOMEM);

    for (size_t i = 0; i < count && !status; i++) {
        const struct lia_coll *coll = coll_of(p->txn, entries[i].hlc);
        bool is_gone = !coll;

        if (coll) {
            status = look_at_unmatched(p, coll, entries[i].key, &is_gone);
        }
        if (!status && is_gone) {
            status =
                lia_books_run(p->txn->conn, p->err,
                              "DELETE FROM unmatched WHERE n = ?1", "u", entries[i].n);
        }
        p->walk->n = entries[i].n;
        p->out->looked_at++;
        p->out->passed_over += !is_gone;
        p->walk->waiting += !is_gone;
        p->looks--;
    }
    *out_done = !status && count < wanted;
    return status;
}

/* When the next round begins. */
static uint64_t next_round(const struct piece *p)
{
    uint64_t ms = ROUND_MS;

    if (p->now_ms && p->due_ms != UINT64_MAX) {
        uint64_t wait = less(p->due_ms, p->now_ms);

        ms = wait < ms ? wait : ms;
    }
    return ms < ROUND_MS_MIN ? ROUND_MS_MIN : ms;
}

static liana_status begin(struct piece *p)
{
    uint64_t renewed_ms = 0;
    liana_status status;

    status = lia_retain_now(p->txn, &p->now_ms, p->err);
    if (!status) {
        status = read_renewed(p, &renewed_ms);
    }
    p->may_renew = !status && (lia_db_wall(p->txn->db) < renewed_ms ||
                               lia_db_wall(p->txn->db) - renewed_ms >= RENEW_MS);
    return status;
}

liana_status lia_retain_some(struct lia_txn *txn,
                             struct lia_retain_walk *walk,
                             struct lia_upkeep *out,
                             struct liana_error *err)
{
    struct lia_retain_walk at = *walk;
    struct piece p = {.txn = txn,
                      .walk = &at,
                      .out = out,
                      .err = err,
                      .due_ms = walk->due_ms ? walk->due_ms : UINT64_MAX,
                      .looks = LOOKS};
    bool is_done = false;
    liana_status status;

    if (txn->db->identity.is_keeper) {
        out->next_ms = UINT64_MAX;
        return LIANA_OK;
    }
    status = begin(&p);
    if (!status && !at.is_unmatched) {
        status = all_collections(&p, &is_done);
        if (!status && is_done) {
            at = (struct lia_retain_walk){.is_unmatched = true, .waiting = at.waiting};
        }
    }
    if (!status && at.is_unmatched && p.looks) {
        status = all_unmatched(&p, &is_done);
        if (!status && is_done) {
            out->next_ms = next_round(&p);
            at = (struct lia_retain_walk){.waiting = at.waiting};
            p.due_ms = 0;
        }
    }
    if (!status) {
        at.due_ms = p.due_ms;
        *walk = at;
    }
    return status;
}
