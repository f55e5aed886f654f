/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "api/bytes.h"
#include "api/local.h"
#include "codec/bson.h"
#include "db/renew.h"
#include "db/trouble.h"

/* ---- what users show ---- */

static void free_shown(struct lia_local *local, struct lia_shown *shown)
{
    if (shown) {
        liana_bytes_free(shown->document);
        lia_mem_free(&local->alloc, shown, sizeof(*shown));
    }
}

static struct lia_shown *new_shown(struct lia_local *local,
                                   const void *user,
                                   struct liana_str name,
                                   struct liana_slice document)
{
    struct lia_shown *shown = lia_mem_zalloc(&local->alloc, sizeof(*shown));

    if (!shown) {
        return NULL;
    }
    shown->user = user;
    memcpy(shown->name, name.ptr, name.len);
    shown->document = lia_bytes_new(&local->alloc, document);
    if (!shown->document) {
        free_shown(local, shown);
        return NULL;
    }
    return shown;
}

/* Takes one out of the list; NULL if it is not there. With `mutex` held. */
static struct lia_shown *take_shown(struct lia_local *local, const char *name)
{
    struct lia_shown **at = &local->shown;
    struct lia_shown *found;

    while (*at && strcmp((*at)->name, name) != 0) {
        at = &(*at)->next;
    }
    found = *at;
    if (found) {
        *at = found->next;
    }
    return found;
}

liana_status lia_local_publish(liana_db *db,
                               struct liana_str name,
                               struct liana_slice document,
                               struct liana_error *err)
{
    struct lia_local *local = lia_local_of(db)->local;
    char text[sizeof(local->shown->name)] = {0};
    struct lia_shown *added = NULL;
    struct lia_shown *old;

    if (document.len) {
        liana_status status = lia_bson_check(document, &local->alloc, err);

        if (status) {
            return status;
        }
        added = new_shown(local, db, name, document);
        if (!added) {
            return lia_err_plain(err, LIANA_ENOMEM);
        }
    }
    memcpy(text, name.ptr, name.len);
    lia_mutex_lock(&local->mutex);
    old = take_shown(local, text);
    if (added) {
        added->next = local->shown;
        local->shown = added;
    }
    lia_mutex_unlock(&local->mutex);
    free_shown(local, old);
    return LIANA_OK;
}

void lia_local_hide_all(struct lia_local_db *user)
{
    struct lia_local *local = user->local;
    struct lia_shown **at = &local->shown;

    lia_mutex_lock(&local->mutex);
    while (*at) {
        struct lia_shown *shown = *at;

        if (shown->user == user) {
            *at = shown->next;
            free_shown(local, shown);
        } else {
            at = &shown->next;
        }
    }
    lia_mutex_unlock(&local->mutex);
}

/* ---- the document ---- */

static void add_text(struct lia_buf *out, const char *name, const char *text)
{
    lia_bson_add_str(out, lia_str(name), lia_str(text));
}

static void add_count(struct lia_buf *out, const char *name, uint64_t value)
{
    lia_bson_add_int64(out, lia_str(name), (int64_t)value);
}

static void add_flag(struct lia_buf *out, const char *name, bool value)
{
    lia_bson_add_bool(out, lia_str(name), value);
}

static void add_hex(struct lia_buf *out,
                    const char *name,
                    const uint8_t *id,
                    size_t len)
{
    char text[33];

    for (size_t i = 0; i < len; i++) {
        static const char digits[] = "0123456789abcdef";

        text[2 * i] = digits[id[i] >> 4];
        text[2 * i + 1] = digits[id[i] & 15];
    }
    text[2 * len] = '\0';
    add_text(out, name, text);
}

static void add_hex64(struct lia_buf *out, const char *name, uint64_t v)
{
    uint8_t bytes[8];

    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(v >> (56 - 8 * i));
    }
    add_hex(out, name, bytes, sizeof(bytes));
}

static size_t begin(struct lia_buf *out, uint8_t type, const char *name)
{
    return lia_bson_begin_in(out, type, lia_str(name));
}

static size_t begin_element(struct lia_buf *out, size_t index)
{
    char text[12];

    return lia_bson_begin_in(out, LIA_BSON_DOCUMENT,
                             lia_bson_index_name((uint32_t)index, text));
}

/* Of the database as it is read now; what its log holds twice does not count. */
static liana_status size_of(struct lia_txn *txn, uint64_t *out, struct liana_error *err)
{
    struct lia_conn *conn = lia_txn_conn(txn);
    sqlite3_stmt *stmt;
    liana_status status = lia_conn_prepare(
        conn,
        lia_str(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"),
        &stmt, err);

    if (status) {
        return status;
    }
    status = lia_conn_step(conn, stmt, err);
    if (!status) {
        *out = lia_column_u64(stmt, 0);
    }
    lia_conn_done(conn, stmt);
    return status;
}

static liana_status add_store(struct lia_buf *out,
                              struct lia_local *local,
                              struct lia_txn *txn,
                              struct liana_error *err)
{
    struct lia_db_identity id = lia_db_identity(local->db);
    struct lia_store *store = lia_db_store(local->db);
    size_t mark = begin(out, LIA_BSON_DOCUMENT, "store");
    uint64_t bytes = 0;
    liana_status status = size_of(txn, &bytes, err);

    add_text(out, "path", local->path);
    add_hex(out, "peer", local->identity.peer_id, LIA_PEER_ID_BYTES);
    add_hex(out, "database", id.database, LIA_DATABASE_ID_BYTES);
    add_text(out, "name", local->name);
    add_count(out, "seq", lia_store_head(store).committed.seq);
    add_count(out, "bytes", bytes);
    add_hex64(out, "epoch", id.epoch);
    add_text(out, "durability",
             lia_store_durability(store) == LIA_NORMAL ? "normal" : "full");
    add_text(out, "trust",
             local->has_trust ? lia_trust_mode_name(local->trust.mode) : "none");
    add_flag(out, "keeper", id.is_keeper);
    lia_bson_end(out, mark);
    mark = begin(out, LIA_BSON_DOCUMENT, "at_rest");
    add_flag(out, "encrypted", false);
    lia_bson_end(out, mark);
    return status;
}

/* Living documents and tombstones of one collection, counted by SQLite. */
static liana_status count_rows(struct lia_txn *txn,
                               const struct lia_collection *c,
                               uint64_t counts[2],
                               struct liana_error *err)
{
    struct lia_conn *conn = lia_txn_conn(txn);
    sqlite3_stmt *stmt;
    char sql[120];
    liana_status status;
    int len = snprintf(sql, sizeof(sql), "SELECT count(body), count(*) FROM %.*s",
                       LIA_STR_ARG(c->table));

    status = lia_conn_prepare(conn, (struct liana_str){sql, (size_t)len}, &stmt, err);
    if (status) {
        return status;
    }
    status = lia_conn_step(conn, stmt, err);
    if (!status) {
        counts[0] = lia_column_u64(stmt, 0);
        counts[1] = lia_column_u64(stmt, 1) - counts[0];
    }
    lia_conn_done(conn, stmt);
    return status;
}

static liana_status add_collections(struct lia_buf *out,
                                    struct lia_txn *txn,
                                    struct lia_arena *arena,
                                    struct liana_error *err)
{
    const struct lia_collection **collections;
    size_t mark = begin(out, LIA_BSON_ARRAY, "collections");
    size_t count = 0;
    liana_status status = lia_txn_collections(txn, arena, &collections, &count);

    for (size_t i = 0; i < count && !status; i++) {
        size_t one = begin_element(out, i);
        uint64_t counts[2] = {0};

        status = count_rows(txn, collections[i], counts, err);
        lia_bson_add_str(out, lia_str("name"), collections[i]->name);
        add_count(out, "documents", counts[0]);
        add_count(out, "tombstones", counts[1]);
        lia_bson_end(out, one);
    }
    lia_bson_end(out, mark);
    return lia_err_plain(err, status);
}

static liana_status add_trouble(struct lia_buf *out,
                                struct lia_txn *txn,
                                struct liana_error *err)
{
    struct lia_trouble t = {0};
    liana_status status = lia_txn_trouble(txn, &t, err);
    size_t mark = begin(out, LIA_BSON_DOCUMENT, "conflicts");

    add_count(out, "rows", t.conflicts.kept);
    add_count(out, "last", t.conflicts.last);
    add_count(out, "dropped", t.conflicts.dropped);
    lia_bson_end(out, mark);
    mark = begin(out, LIA_BSON_DOCUMENT, "flagged");
    add_count(out, "too_large", t.too_large);
    add_count(out, "clamped", t.clamped);
    lia_bson_end(out, mark);
    add_count(out, "owed", t.owed);
    return status;
}

static void add_clock(struct lia_buf *out, struct lia_local *local)
{
    static const char *const sources[] = {[LIA_TIME_UNKNOWN] = "unknown",
                                          [LIA_TIME_SYSTEM] = "system",
                                          [LIA_TIME_PEER] = "peer"};
    uint64_t now_ms;
    enum lia_time_source source = lia_db_time(local->db, &now_ms);
    size_t mark = begin(out, LIA_BSON_DOCUMENT, "clock");

    add_text(out, "source", sources[source]);
    add_count(out, "now_ms", now_ms);
    lia_bson_end(out, mark);
}

static void add_retention(struct lia_buf *out, struct lia_local *local)
{
    struct lia_retention_stats r = lia_db_retention_stats(local->db);
    size_t mark = begin(out, LIA_BSON_DOCUMENT, "retention");

    add_count(out, "evicted", r.evicted);
    add_count(out, "waiting", r.waiting);
    lia_bson_end(out, mark);
}

/* New identities that the store has taken for its writes, newest first. */
static liana_status add_renewals(struct lia_buf *out,
                                 struct lia_local *local,
                                 struct lia_arena *arena,
                                 struct liana_error *err)
{
    static const char *const reasons[] = {
        [LIA_RENEWED_FILE] = "the store's file is another one",
        [LIA_RENEWED_UNCLEAN] = "it ended without waiting for its disk",
        [LIA_RENEWED_HISTORY] = "it was copied or put back",
        [LIA_RENEWED_STAMP] = "another store wrote under its identity",
        [LIA_RENEWED_CLOCK] = "its clock was ahead"};
    const struct lia_renewal *all = NULL;
    size_t count = 0;
    size_t mark;
    liana_status status = lia_db_renewals(local->db, arena, 10, &all, &count, err);

    mark = begin(out, LIA_BSON_ARRAY, "renewals");
    for (size_t i = 0; i < count && !status; i++) {
        size_t one = begin_element(out, i);

        add_count(out, "at_ms", all[i].at_ms);
        add_text(out, "reason", reasons[all[i].reason]);
        add_flag(out, "mending", all[i].is_mending);
        lia_bson_end(out, one);
    }
    lia_bson_end(out, mark);
    return status;
}

/* What is in the store, by one snapshot. */
static liana_status add_contents(struct lia_buf *out,
                                 struct lia_local *local,
                                 struct lia_arena *arena,
                                 struct liana_error *err)
{
    struct lia_txn_options options = lia_txn_options(local->db, LIA_READ);
    struct lia_txn *txn;
    bool has_evicted = false;
    liana_status status = lia_txn_begin(local->db, &options, &txn, err);

    if (status) {
        return status;
    }
    status = add_store(out, local, txn, err);
    if (!status) {
        status = add_collections(out, txn, arena, err);
    }
    if (!status) {
        status = add_trouble(out, txn, err);
    }
    lia_txn_rollback(txn);
    if (!status) {
        status = lia_db_has_evicted(local->db, &has_evicted, err);
    }
    add_flag(out, "evicted", has_evicted);
    add_clock(out, local);
    add_retention(out, local);
    return status ? status : add_renewals(out, local, arena, err);
}

static void add_links(struct lia_buf *out, const struct lia_node_report *report)
{
    size_t mark = begin(out, LIA_BSON_ARRAY, "links");

    for (size_t i = 0; i < report->link_count; i++) {
        const struct lia_link_report *link = &report->links[i];
        size_t one = begin_element(out, i);

        add_hex(out, "peer", link->remote, link->has_remote ? LIA_PEER_ID_BYTES : 0);
        add_text(out, "address", link->address);
        add_flag(out, "dialled", link->is_dialed);
        add_text(out, "state", lia_link_state_name(link->state));
        add_count(out, "since_ms", link->since_ms);
        add_count(out, "wire_in", link->wire_in);
        add_count(out, "wire_out", link->wire_out);
        add_count(out, "payload_in", link->payload_in);
        add_count(out, "payload_out", link->payload_out);
        add_text(out, "error", link->error.message);
        lia_bson_end(out, one);
    }
    lia_bson_end(out, mark);
}

static void add_peers(struct lia_buf *out, const struct lia_peer_report *report)
{
    size_t mark = begin(out, LIA_BSON_ARRAY, "peers");

    for (size_t i = 0; i < report->peer_count; i++) {
        const struct lia_peer_status *peer = &report->peers[i];
        size_t one = begin_element(out, i);

        add_hex(out, "peer", peer->remote, LIA_PEER_ID_BYTES);
        lia_bson_add_str(out, lia_str("name"), peer->name);
        add_flag(out, "connected", peer->is_connected);
        add_count(out, "acked", peer->acked);
        add_count(out, "seen", peer->seen);
        add_count(out, "docs_in", peer->docs_in);
        add_count(out, "docs_out", peer->docs_out);
        add_count(out, "wire_in", peer->wire_in);
        add_count(out, "wire_out", peer->wire_out);
        add_count(out, "payload_in", peer->payload_in);
        add_count(out, "payload_out", peer->payload_out);
        lia_bson_add_int64(out, lia_str("clock_ahead_ms"), peer->clock_ahead_ms);
        add_text(out, "error", peer->error.message);
        lia_bson_end(out, one);
    }
    lia_bson_end(out, mark);
}

static const struct lia_subscription_status *find_status(
    const struct lia_peer_report *report,
    uint64_t id)
{
    for (size_t i = 0; i < report->subscription_count; i++) {
        if (report->subscriptions[i].id == id) {
            return &report->subscriptions[i];
        }
    }
    return NULL;
}

static void add_subs(struct lia_buf *out,
                     const struct lia_local *local,
                     const struct lia_peer_report *report)
{
    size_t mark = begin(out, LIA_BSON_ARRAY, "subscriptions");
    size_t index = 0;

    for (const struct lia_sub *sub = local->subs; sub; sub = sub->next) {
        const struct lia_subscription_status *status =
            find_status(report, sub->node_id);
        size_t one = begin_element(out, index++);

        add_count(out, "id", sub->id);
        lia_bson_add_str(out, lia_str("statement"), sub->statement);
        add_count(out, "have", status ? status->have : 0);
        add_count(out, "expected", status ? status->expected : 0);
        add_flag(out, "up_to_date", status && status->is_up_to_date);
        lia_bson_end(out, one);
    }
    lia_bson_end(out, mark);
}

static void add_sync(struct lia_buf *out,
                     const struct lia_node_report *report,
                     bool runs)
{
    size_t mark = begin(out, LIA_BSON_DOCUMENT, "sync");
    size_t list;

    add_flag(out, "running", runs);
    list = begin(out, LIA_BSON_ARRAY, "listen");
    for (size_t i = 0; i < report->listen_count; i++) {
        char text[12];

        lia_bson_add_str(out, lia_bson_index_name((uint32_t)i, text),
                         lia_str(report->listen[i]));
    }
    lia_bson_end(out, list);
    lia_bson_end(out, mark);
}

static liana_status add_node(struct lia_buf *out,
                             struct lia_local *local,
                             struct lia_arena *arena,
                             struct liana_error *err)
{
    struct lia_node_report report = {0};
    liana_status status;

    lia_mutex_lock(&local->sync);
    status = local->node ? lia_node_report(local->node, arena, &report)
                         : lia_known_report(&local->known, arena, &report.peer);
    if (!status) {
        add_sync(out, &report, local->node != NULL);
        add_links(out, &report);
        add_peers(out, &report.peer);
        add_subs(out, local, &report.peer);
    }
    lia_mutex_unlock(&local->sync);
    return lia_err_plain(err, status);
}

static void add_apps(struct lia_buf *out, struct lia_local *local)
{
    size_t mark = begin(out, LIA_BSON_DOCUMENT, "apps");

    lia_mutex_lock(&local->mutex);
    for (const struct lia_shown *shown = local->shown; shown; shown = shown->next) {
        lia_bson_add(
            out, lia_str(shown->name),
            (struct lia_value){LIA_BSON_DOCUMENT, liana_bytes_slice(shown->document)});
    }
    lia_mutex_unlock(&local->mutex);
    lia_bson_end(out, mark);
}

liana_status lia_local_stats(liana_db *db, liana_bytes **out, struct liana_error *err)
{
    struct lia_local *local = lia_local_of(db)->local;
    struct lia_arena arena;
    struct lia_buf buf;
    size_t mark;
    liana_status status;

    lia_arena_init(&arena, &local->alloc);
    lia_buf_init(&buf, &local->alloc);
    mark = lia_bson_begin(&buf);
    add_text(&buf, "version", liana_version());
    status = add_contents(&buf, local, &arena, err);
    if (!status) {
        status = add_node(&buf, local, &arena, err);
    }
    add_apps(&buf, local);
    lia_bson_end(&buf, mark);
    if (!status) {
        status = lia_bytes_of(&buf, out, err);
    }
    lia_buf_deinit(&buf);
    lia_arena_deinit(&arena);
    return status;
}
