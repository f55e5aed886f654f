/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/limits.h"
#include "codec/utf8.h"
#include "db/internal.h"

bool lia_coll_is_system(struct liana_str name)
{
    static const char RESERVED[] = "system:";
    const size_t reserved = sizeof(RESERVED) - 1;

    return name.len >= reserved && memcmp(name.ptr, RESERVED, reserved) == 0;
}

liana_status lia_coll_check_name(struct liana_str name, struct liana_error *err)
{
    const char *fault = NULL;

    if (name.len == 0) {
        fault = "is empty";
    } else if (name.len > LIA_NAME_BYTES_MAX) {
        fault = "is too long";
    } else if (memchr(name.ptr, '\0', name.len) || memchr(name.ptr, '$', name.len)) {
        fault = "holds a NUL or a $";
    } else if (lia_coll_is_system(name)) {
        fault = "is reserved";
    } else if (!lia_utf8_valid(lia_str_slice(name))) {
        fault = "is not UTF-8";
    }
    return fault ? lia_err(err, LIANA_EINVAL, "collection name '%.*s' %s",
                           LIA_STR_ARG(name), fault)
                 : LIANA_OK;
}

#define COLUMNS                                                                        \
    "(key BLOB NOT NULL UNIQUE, seq INTEGER NOT NULL, body BLOB, clock BLOB NOT NULL)"

/* Of the flags in a clock's head (docs/format/clock.md, a varint behind the version), those
 * for clamped and cut: rows that have one are found without a look at the others. */
#define FLAGGED                                                                        \
    "body IS NOT NULL AND unicode(hex(substr(clock,2,1)))>=56 AND "                    \
    "unicode(substr(hex(substr(clock,3,1)),2))>=52"

/* The texts of one collection stand one after the other in one block. */
enum {
    TEXT_NAME,
    TEXT_TABLE,
    TEXT_GET,
    TEXT_INSERT,
    TEXT_UPDATE,
    TEXT_WALK,
    TEXT_DELETE,
    TEXT_TOUCH,
    TEXT_FLAGGED,
    TEXTS
};

static const char *const FORMATS[TEXTS] = {
    [TEXT_TABLE] = "c%u",
    [TEXT_GET] = "SELECT seq, body, clock FROM c%u WHERE key = ?1",
    [TEXT_INSERT] = "INSERT INTO c%u (key, seq, body, clock) VALUES (?1, ?2, ?3, ?4)",
    [TEXT_UPDATE] = "UPDATE c%u SET seq = ?2, body = ?3, clock = ?4 WHERE key = ?1",
    [TEXT_DELETE] = "DELETE FROM c%u WHERE key = ?1",
    [TEXT_TOUCH] = "UPDATE c%u SET seq = ?2 WHERE key = ?1",
    [TEXT_FLAGGED] = "SELECT key, body, clock FROM c%1$u INDEXED BY c%1$u_flagged "
                     "WHERE " FLAGGED,
    /* Two searches of the index: one would read a large commit from its beginning for
     * every page that is cut inside it. */
    [TEXT_WALK] = ("SELECT seq, rowid, key, body, clock FROM c%1$u "
                   "WHERE seq = ?1 AND rowid > ?2 AND seq <= ?3 UNION ALL "
                   "SELECT seq, rowid, key, body, clock FROM c%1$u "
                   "WHERE seq > ?1 AND seq <= ?3 ORDER BY 1, 2"),
};

static struct lia_coll *make(const struct liana_allocator *a,
                             uint32_t id,
                             struct liana_str name)
{
    struct lia_coll *coll = lia_mem_zalloc(a, sizeof(*coll));
    struct liana_str texts[TEXTS];
    struct lia_buf buf;
    size_t ends[TEXTS];

    if (!coll) {
        return NULL;
    }
    lia_buf_init(&buf, a);
    lia_buf_bytes(&buf, name.ptr, name.len);
    ends[TEXT_NAME] = buf.len;
    for (size_t i = TEXT_TABLE; i < TEXTS; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        lia_buf_printf(&buf, FORMATS[i], id); /* the formats above */
#pragma GCC diagnostic pop
        ends[i] = buf.len;
    }
    if (buf.status) {
        lia_buf_deinit(&buf);
        lia_mem_free(a, coll, sizeof(*coll));
        return NULL;
    }
    for (size_t i = 0; i < TEXTS; i++) {
        size_t start = i ? ends[i - 1] : 0;

        texts[i] = lia_slice_str(lia_slice(buf.ptr + start, ends[i] - start));
    }
    *coll = (struct lia_coll){
        .pub = {id, texts[TEXT_NAME], texts[TEXT_TABLE]},
        .text = (char *)buf.ptr, /* taken from the buffer */
        .text_size = buf.cap,
        .sql_get = texts[TEXT_GET],
        .sql_insert = texts[TEXT_INSERT],
        .sql_update = texts[TEXT_UPDATE],
        .sql_walk = texts[TEXT_WALK],
        .sql_delete = texts[TEXT_DELETE],
        .sql_touch = texts[TEXT_TOUCH],
        .sql_flagged = texts[TEXT_FLAGGED],
    };
    return coll;
}

void lia_coll_free(const struct liana_allocator *a, struct lia_coll *coll)
{
    lia_mem_free(a, coll->text, coll->text_size);
    lia_mem_free(a, coll, sizeof(*coll));
}

void lia_coll_free_all(const struct liana_allocator *a, struct lia_coll *first)
{
    while (first) {
        struct lia_coll *next = first->next;

        lia_coll_free(a, first);
        first = next;
    }
}

/* A collection's table and indexes are as they were made, or the file is damaged. */
static const char LOAD[] =
    "SELECT c.id, c.name, t.sql IS NOT NULL AND i.sql IS NOT NULL AND "
    "f.sql IS NOT NULL FROM collection c "
    "LEFT JOIN sqlite_schema t ON t.sql = 'CREATE TABLE c' || c.id || ' " COLUMNS "' "
    "LEFT JOIN sqlite_schema i "
    "ON i.sql = 'CREATE INDEX c' || c.id || '_seq ON c' || c.id || ' (seq)' "
    "LEFT JOIN sqlite_schema f "
    "ON f.sql = 'CREATE INDEX c' || c.id || '_flagged ON c' || c.id || ' (seq) "
    "WHERE " FLAGGED "' "
    "ORDER BY c.id";

static liana_status load_row(struct lia_db *db,
                             sqlite3_stmt *stmt,
                             struct liana_error *err)
{
    struct liana_str name = lia_column_str(stmt, 1);
    struct lia_coll *coll;

    if (!lia_column_u64(stmt, 2)) {
        return lia_err(err, LIANA_ECORRUPT,
                       "%s: the table of collection %.*s is damaged",
                       lia_store_path(db->store), LIA_STR_ARG(name));
    }
    coll = make(db->env->alloc, (uint32_t)lia_column_u64(stmt, 0), name);
    if (!coll) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    coll->next = db->collections;
    db->collections = coll;
    return LIANA_OK;
}

liana_status lia_coll_load(struct lia_db *db,
                           struct lia_conn *conn,
                           struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(conn, lia_str(LOAD), &stmt, err);

    while (!status) {
        status = lia_conn_step(conn, stmt, err);
        if (!status) {
            status = load_row(db, stmt, err);
        }
    }
    lia_conn_done(conn, stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

void lia_coll_publish(struct lia_db *db, struct lia_coll *newest_first)
{
    struct lia_coll **end = &newest_first;

    while (*end) {
        end = &(*end)->next;
    }
    lia_mutex_lock(&db->mutex);
    *end = db->collections;
    db->collections = newest_first;
    lia_cond_broadcast(&db->published);
    lia_mutex_unlock(&db->mutex);
}

void lia_coll_await(struct lia_db *db, uint32_t id)
{
    lia_mutex_lock(&db->mutex);
    while (id && (!db->collections || db->collections->pub.id < id)) {
        lia_cond_wait(&db->published, &db->mutex);
    }
    lia_mutex_unlock(&db->mutex);
}

static const struct lia_coll *find_in(const struct lia_coll *first,
                                      struct liana_str name)
{
    while (first && !lia_str_equal(first->pub.name, name)) {
        first = first->next;
    }
    return first;
}

const struct lia_coll *lia_coll_find(struct lia_db *db, struct liana_str name)
{
    const struct lia_coll *found;

    lia_mutex_lock(&db->mutex);
    found = find_in(db->collections, name);
    lia_mutex_unlock(&db->mutex);
    return found;
}

static liana_status missing(struct liana_str name, struct liana_error *err)
{
    return lia_err(err, LIANA_ENOTFOUND, "there is no collection %.*s",
                   LIA_STR_ARG(name));
}

liana_status lia_db_collection(struct lia_db *db,
                               struct liana_str name,
                               const struct lia_collection **out,
                               struct liana_error *err)
{
    const struct lia_coll *coll = lia_coll_find(db, name);

    if (!coll) {
        return missing(name, err);
    }
    *out = &coll->pub;
    return LIANA_OK;
}

liana_status lia_db_collections(struct lia_db *db,
                                struct lia_arena *arena,
                                const struct lia_collection ***out,
                                size_t *out_count)
{
    const struct lia_collection **all;
    const struct lia_coll *first;
    size_t count = 0;

    lia_mutex_lock(&db->mutex);
    first = db->collections;
    lia_mutex_unlock(&db->mutex);
    /* Nodes stay until close, and what is behind one never changes. */
    for (const struct lia_coll *c = first; c; c = c->next) {
        count++;
    }
    all = lia_arena_array(arena, count, sizeof(struct lia_collection *));
    if (!all) {
        return LIANA_ENOMEM;
    }
    *out = all;
    *out_count = count;
    for (const struct lia_coll *c = first; c; c = c->next) {
        all[--count] = &c->pub;
    }
    return LIANA_OK;
}

liana_status lia_txn_collections(struct lia_txn *txn,
                                 struct lia_arena *arena,
                                 const struct lia_collection ***out,
                                 size_t *out_count)
{
    liana_status status = lia_db_collections(txn->db, arena, out, out_count);

    /* Ascending ids: those that came after the snapshot stand at the end. */
    while (!status && *out_count > 0 &&
           (*out)[*out_count - 1]->id > txn->collections_max) {
        (*out_count)--;
    }
    return status;
}

/* ---- within a transaction ---- */

static liana_status create_table(struct lia_conn *conn,
                                 const struct lia_coll *coll,
                                 struct liana_error *err)
{
    unsigned id = coll->pub.id;
    char sql[400];
    liana_status status;

    snprintf(sql, sizeof(sql),
             "CREATE TABLE c%u " COLUMNS ";CREATE INDEX c%u_seq ON c%u (seq);"
             "CREATE INDEX c%u_flagged ON c%u (seq) WHERE " FLAGGED,
             id, id, id, id, id);
    status = lia_conn_exec(conn, sql, err);
    return status ? status
                  : lia_books_run(conn, err,
                                  "INSERT INTO collection (id, name) VALUES (?1, ?2)",
                                  "ut", (uint64_t)coll->pub.id, coll->pub.name);
}

const struct lia_coll *lia_coll_within(struct lia_txn *txn, struct liana_str name)
{
    const struct lia_coll *coll = find_in(txn->created, name);

    return coll ? coll : lia_coll_find(txn->db, name);
}

static liana_status create(struct lia_txn *txn,
                           struct liana_str name,
                           const struct lia_coll **out,
                           struct liana_error *err)
{
    const struct liana_allocator *a = txn->db->env->alloc;
    const struct lia_coll *newest = txn->created ? txn->created : txn->db->collections;
    struct lia_coll *coll = make(a, newest ? newest->pub.id + 1 : 1, name);
    liana_status status =
        coll ? create_table(txn->conn, coll, err) : lia_err_plain(err, LIANA_ENOMEM);

    if (status) {
        if (coll) {
            lia_coll_free(a, coll);
        }
        return status;
    }
    coll->next = txn->created;
    txn->created = coll;
    *out = coll;
    return LIANA_OK;
}

static liana_status find_or_create(struct lia_txn *txn,
                                   struct liana_str name,
                                   const struct lia_coll **out,
                                   struct liana_error *err)
{
    *out = lia_coll_within(txn, name);
    return *out ? LIANA_OK : create(txn, name, out, err);
}

liana_status lia_coll_for_write(struct lia_txn *txn,
                                struct liana_str name,
                                const struct lia_coll **out,
                                struct liana_error *err)
{
    liana_status status = lia_coll_check_name(name, err);

    return status ? status : find_or_create(txn, name, out, err);
}

liana_status lia_coll_for_system(struct lia_txn *txn,
                                 struct liana_str name,
                                 const struct lia_coll **out,
                                 struct liana_error *err)
{
    return find_or_create(txn, name, out, err);
}

liana_status lia_txn_collection(struct lia_txn *txn,
                                struct liana_str name,
                                bool create_it,
                                const struct lia_collection **out,
                                struct liana_error *err)
{
    bool is_write = lia_txn_is_write(txn);
    const struct lia_coll *coll = NULL;
    liana_status status = lia_txn_enter(txn, false, err);

    if (status) {
        return status;
    }
    if (is_write && create_it) {
        status = lia_coll_for_write(txn, name, &coll, err);
    } else {
        coll = lia_coll_within(txn, name);
        if (!coll || (!is_write && coll->pub.id > txn->collections_max)) {
            status = missing(name, err);
        }
    }
    if (!status) {
        *out = &coll->pub;
    }
    return lia_txn_leave(txn, status);
}

liana_status lia_db_count_after(struct lia_db *db,
                                struct liana_str collection,
                                uint64_t seq,
                                uint64_t *out,
                                struct liana_error *err)
{
    const struct lia_coll *coll = lia_coll_find(db, collection);
    char sql[64];
    sqlite3_stmt *stmt = NULL;
    struct lia_conn *conn;
    liana_status status;

    if (!coll) {
        *out = 0;
        return LIANA_OK;
    }
    status = lia_store_read_begin(db->store, &conn, err);
    if (status) {
        return status;
    }
    snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM c%u WHERE seq > ?1", coll->pub.id);
    status = lia_conn_prepare(conn, lia_str(sql), &stmt, err);
    if (!status) {
        lia_bind_u64(stmt, 1, seq);
        status = lia_conn_step(conn, stmt, err);
    }
    if (!status) {
        *out = lia_column_u64(stmt, 0);
    }
    lia_conn_done(conn, stmt);
    lia_store_read_end(db->store, conn);
    return status;
}
