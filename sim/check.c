/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/past.h"

#include <stdlib.h>

#include "base/hash.h"
#include "codec/key.h"
#include "peer/internal.h"

#define ON_HAND 1000

struct liana_str sim_collection(uint32_t doc)
{
    return lia_str(doc < SIM_SALES ? "sales" : "stock");
}

/* The key of `_id: doc`: made once. */
struct liana_slice sim_key(struct sim_world *w, uint32_t doc)
{
    static uint8_t keys[SIM_DOCS][32];
    static size_t lens[SIM_DOCS];

    (void)w;
    if (lens[doc] == 0) {
        struct lia_scratch scratch;
        struct lia_buf buf;

        lia_buf_init(&buf, &lia_mem_libc);
        LIA_ASSERT(
            !lia_key_of_id(lia_value_of_int32((int32_t)doc, &scratch), &buf, NULL));
        LIA_ASSERT(buf.len <= sizeof(keys[doc]));
        memcpy(keys[doc], buf.ptr, buf.len);
        lens[doc] = buf.len;
        lia_buf_deinit(&buf);
    }
    return lia_slice(keys[doc], lens[doc]);
}

static uint32_t doc_of(struct sim_world *w,
                       struct liana_str collection,
                       struct liana_slice key)
{
    uint32_t first = collection.ptr[1] == 't' ? SIM_SALES : 0;
    uint32_t end = first ? SIM_DOCS : SIM_SALES;

    for (uint32_t d = first; d < end; d++) {
        if (lia_slice_cmp(sim_key(w, d), key) == 0) {
            return d;
        }
    }
    sim_fail(w, "a document that nobody wrote");
}

static struct lia_vector seen_vector(const struct sim_seen *seen)
{
    return (struct lia_vector){seen->entries, seen->count};
}

static void remember(struct sim_world *w, struct sim_seen *seen, struct lia_vector v)
{
    if (v.count > sizeof(seen->entries) / sizeof(seen->entries[0])) {
        sim_fail(w, "a vector of %zu actors", v.count);
    }
    seen->is_held = true;
    seen->count = v.count;
    memcpy(seen->entries, v.entries, v.count * sizeof(v.entries[0]));
}

/* ---- equal vectors, equal bytes ---- */

static void check_bytes(struct sim_world *w,
                        int n,
                        uint32_t doc,
                        struct lia_vector v,
                        struct lia_doc d)
{
    struct lia_buf buf;
    struct sim_state *state;
    uint64_t key;
    uint64_t bytes;

    lia_buf_init(&buf, &lia_mem_libc);
    lia_buf_u32(&buf, doc);
    lia_vector_encode(&buf, v);
    key = lia_hash64(lia_buf_slice(&buf));
    lia_buf_reset(&buf);
    lia_buf_prefixed(&buf, d.clock);
    lia_buf_prefixed(&buf, d.body);
    bytes =
        lia_hash64(lia_buf_slice(&buf)) + (w->breakage == SIM_BREAK_STATE && n == 0);
    lia_buf_deinit(&buf);
    for (state = w->states[key % 4096]; state; state = state->next) {
        if (state->key == key && state->bytes != bytes && !w->past) {
            sim_fail(w, "document %u: equal vectors, other bytes", doc);
        }
        if (state->key == key) {
            return;
        }
    }
    state = LIA_ARENA_NEW(&w->arena, struct sim_state);
    LIA_ASSERT(state);
    *state = (struct sim_state){w->states[key % 4096], key, bytes};
    w->states[key % 4096] = state;
}

/* Nothing leaves a store before it is durable there. */
static void check_durable(struct sim_world *w, int n, uint32_t doc, struct lia_vector v)
{
    for (size_t i = w->checked; w->breakage != SIM_BREAK_UNDONE && i < w->txn_count;
         i++) {
        const struct sim_txn *t = &w->txns[i];

        for (size_t d = 0; t->is_open && t->node != n && d < t->count &&
                           !sim_past_doubts(w, t->stamp);
             d++) {
            if (t->docs[d] == doc && lia_vector_covers(v, t->stamp)) {
                sim_fail(w, "node %d: document %u left node %d before it was durable",
                         n, doc, t->node);
            }
        }
    }
}

static void check_change(struct sim_world *w,
                         int n,
                         struct lia_arena *arena,
                         const struct lia_commit_change *change)
{
    uint32_t doc = doc_of(w, change->collection->name, change->key);
    struct sim_seen *seen = &w->nodes[n].seen[doc];
    struct lia_doc_info info;

    if (lia_doc_info(arena, change->after.clock, &info)) {
        sim_fail(w, "node %d: document %u: a clock that is none", n, doc);
    }
    if (!lia_vector_equal(change->before, seen_vector(seen))) {
        sim_fail(w, "node %d: document %u changed and no commit said so", n, doc);
    }
    if (w->breakage == SIM_BREAK_BACK && change->before.count) {
        info.vector.count = 0;
    }
    if (!lia_vector_geq(info.vector, change->before)) {
        sim_fail(w, "node %d: document %u went back", n, doc);
    }
    check_bytes(w, n, doc, info.vector, change->after);
    check_durable(w, n, doc, info.vector);
    remember(w, seen, info.vector);
    sim_note(w, "node %d: document %u, %zu actors, hlc %llu", n, doc, info.vector.count,
             (unsigned long long)lia_vector_max_hlc(info.vector));
}

/* ---- whole transactions ---- */

static bool covers(const struct sim_world *w,
                   int n,
                   uint32_t doc,
                   struct lia_stamp stamp)
{
    return lia_vector_covers(seen_vector(&w->nodes[n].seen[doc]), stamp);
}

/* The node gets every change of the document. */
static bool gets_all(const struct sim_world *w, int n, uint32_t doc)
{
    return doc >= SIM_SALES || !sim_is_narrow(w, n);
}

/* True when the transaction is at the node, whole. */
static bool check_whole(struct sim_world *w, int n, const struct sim_txn *t)
{
    bool is_there = true;
    bool has_first = false;

    for (size_t i = 0; i < t->count; i++) {
        bool is_this = covers(w, n, t->docs[i], t->stamp);

        if (!gets_all(w, n, t->docs[i])) {
            continue;
        }
        /* A store that is filled again is filled as it comes. */
        if (has_first && is_this != is_there && !w->past) {
            sim_fail(w, "node %d: transaction %llu of node %d is torn: document %u", n,
                     (unsigned long long)t->stamp.hlc, t->node, t->docs[i]);
        }
        is_there = is_this && (!has_first || is_there);
        has_first = true;
    }
    return is_there;
}

/* Documents that were written together are seen together, after each commit. Not promised
 * of the first fill. */
static void check_transactions(struct sim_world *w, int n)
{
    const uint32_t all = (1U << w->knobs.nodes) - 1;

    for (size_t i = w->checked; w->is_filled && i < w->txn_count; i++) {
        struct sim_txn *t = &w->txns[i];

        if (t->is_certain && !(t->whole >> n & 1) &&
            (sim_past_doubts(w, t->stamp) || check_whole(w, n, t))) {
            t->whole |= 1U << n;
        }
    }
    while (w->checked < w->txn_count && !w->txns[w->checked].is_open &&
           (!w->txns[w->checked].is_certain || w->txns[w->checked].whole == all)) {
        w->checked++;
    }
}

/* What was not waited for is certain once it is durable. */
static void settle_durable(struct sim_world *w, int n, struct lia_stamp stamp)
{
    for (size_t i = w->txn_count; i > w->checked && stamp.hlc; i--) {
        struct sim_txn *t = &w->txns[i - 1];

        if (t->is_open && t->node == n && lia_stamp_cmp(t->stamp, stamp) == 0) {
            t->is_open = false;
            t->is_certain = true;
        }
    }
}

static void check_event(struct sim_world *w,
                        int n,
                        struct lia_arena *arena,
                        const struct lia_commit_event *event)
{
    for (size_t c = 0; c < event->change_count; c++) {
        check_change(w, n, arena, &event->changes[c]);
    }
    settle_durable(w, n, event->stamp);
    check_transactions(w, n);
}

void sim_check_commits(struct sim_world *w, int n)
{
    struct lia_arena arena;
    struct lia_taken taken = {0};

    lia_arena_init(&arena, &lia_mem_libc);
    do {
        lia_arena_reset(&arena);
        if (!w->nodes[n].is_up ||
            lia_db_take(w->nodes[n].listener, &arena, LIA_MIB, &taken)) {
            break;
        }
        if (taken.missed_upto) {
            sim_fail(w, "node %d: the checker missed commits", n);
        }
        for (size_t e = 0; e < taken.event_count; e++) {
            check_event(w, n, &arena, &taken.events[e]);
        }
    } while (taken.has_more);
    lia_arena_deinit(&arena);
}

/* ---- whole stores ---- */

static struct lia_held *read_all(struct sim_world *w, int n, struct lia_arena *arena)
{
    struct lia_key *keys = lia_arena_array(arena, SIM_DOCS, sizeof(*keys));
    struct lia_held *held = lia_arena_array(arena, SIM_DOCS, sizeof(*held));
    struct liana_error err = LIANA_ERROR_INIT;

    LIA_ASSERT(keys && held);
    for (uint32_t d = 0; d < SIM_DOCS; d++) {
        keys[d] = (struct lia_key){sim_collection(d), sim_key(w, d)};
    }
    if (lia_db_docs(w->nodes[n].db, arena, keys, SIM_DOCS, held, &err)) {
        sim_fail(w, "node %d cannot be read: %s", n, err.message);
    }
    return held;
}

static void check_integrity(struct sim_world *w, int n)
{
    struct lia_conn *conn;
    sqlite3_stmt *stmt;
    struct lia_txn_options options = lia_txn_options(w->nodes[n].db, LIA_READ);
    struct lia_txn *txn;

    LIA_ASSERT(!lia_txn_begin(w->nodes[n].db, &options, &txn, NULL));
    conn = lia_txn_conn(txn);
    LIA_ASSERT(!lia_conn_prepare(conn, lia_str("PRAGMA integrity_check"), &stmt, NULL));
    LIA_ASSERT(!lia_conn_step(conn, stmt, NULL));
    if (lia_slice_cmp(lia_str_slice(lia_column_str(stmt, 0)),
                      lia_str_slice(lia_str("ok"))) != 0) {
        sim_fail(w, "node %d: the database file is damaged", n);
    }
    lia_conn_done(conn, stmt);
    lia_txn_rollback(txn);
}

/* A transaction whose commit failed has survived, or not: now it is known. */
static void settle_open(struct sim_world *w, int n)
{
    for (size_t i = w->txn_count; i > 0; i--) {
        struct sim_txn *t = &w->txns[i - 1];

        if (t->is_open && t->node == n) {
            t->is_open = false;
            t->is_certain =
                t->count &&
                lia_vector_covers(seen_vector(&w->nodes[n].seen[t->docs[0]]), t->stamp);
        }
    }
}

void sim_check_reopened(struct sim_world *w, int n)
{
    struct lia_arena arena;
    struct lia_held *held;

    lia_arena_init(&arena, &lia_mem_libc);
    check_integrity(w, n);
    held = read_all(w, n, &arena);
    for (uint32_t d = 0; d < SIM_DOCS; d++) {
        struct sim_seen *seen = &w->nodes[n].seen[d];
        struct lia_doc_info info = {0};

        if (held[d].seq && lia_doc_info(&arena, held[d].doc.clock, &info)) {
            sim_fail(w, "node %d: document %u: a clock that is none", n, d);
        }
        if (sim_past_is_back(w, n)) {
            *seen = (struct sim_seen){.is_held = false};
        } else if (!lia_vector_geq(info.vector, seen_vector(seen))) {
            sim_fail(w, "node %d: document %u was acknowledged and is lost", n, d);
        }
        if (held[d].seq) {
            check_bytes(w, n, d, info.vector, held[d].doc);
            remember(w, seen, info.vector);
        }
    }
    if (sim_past_is_back(w, n)) {
        sim_past_settle(w, n);
    } else {
        settle_open(w, n);
    }
    lia_arena_deinit(&arena);
}

/* ---- what holds at every moment ---- */

static void check_mark(struct sim_world *w, int n, uint32_t c, struct lia_stamp mark)
{
    for (size_t i = 0; i < w->txn_count; i++) {
        const struct sim_txn *t = &w->txns[i];

        if (!t->is_certain || t->stamp.actor != mark.actor || t->stamp.hlc > mark.hlc ||
            sim_past_doubts(w, t->stamp)) {
            continue;
        }
        for (size_t d = 0; d < t->count; d++) {
            if ((t->docs[d] >= SIM_SALES) == (c == 1) &&
                !covers(w, n, t->docs[d], t->stamp)) {
                sim_fail(w, "node %d: its marks claim document %u of node %d", n,
                         t->docs[d], t->node);
            }
        }
    }
}

static void check_marks(struct sim_world *w, int n)
{
    struct sim_node *node = &w->nodes[n];
    const uint64_t own = lia_db_identity(node->db).actor;
    struct lia_arena arena;

    lia_arena_init(&arena, &lia_mem_libc);
    for (uint32_t c = 0; c < SIM_NAMES; c++) {
        struct lia_name hash = lia_topic_name(
            (struct lia_topic){sim_collection(c * SIM_SALES), lia_slice(NULL, 0)});
        struct lia_vector marks;
        uint64_t sum = 0;

        if (lia_db_marks(node->db, &arena, lia_name_slice(&hash), &marks, NULL)) {
            sim_fail(w, "node %d: marks cannot be read", n);
        }
        for (size_t i = 0; i < marks.count; i++) {
            uint64_t hlc = marks.entries[i].hlc +
                           (w->breakage == SIM_BREAK_MARKS ? UINT64_C(1) << 32 : 0);

            check_mark(w, n, c, (struct lia_stamp){hlc, marks.entries[i].actor});
            /* Of one's own, a crash may take back what is not durable yet. */
            sum += marks.entries[i].actor == own ? 0 : hlc >> 16;
        }
        if (sum < node->marks_sum[c] && !w->past) {
            sim_fail(w, "node %d: its marks went back", n);
        }
        node->marks_sum[c] = sum;
    }
    lia_arena_deinit(&arena);
}

static void check_memory(struct sim_world *w, int n)
{
    struct lia_peer_report report;
    struct lia_arena arena;

    lia_arena_init(&arena, &lia_mem_libc);
    LIA_ASSERT(!lia_peer_report(w->nodes[n].peer, &arena, &report));
    if (report.memory_bytes > w->memory_max) {
        w->memory_max = report.memory_bytes;
    }
    lia_arena_deinit(&arena);
}

void sim_check_now(struct sim_world *w)
{
    for (int n = 0; n < (int)w->knobs.nodes; n++) {
        if (w->nodes[n].is_up && !w->nodes[n].is_failing) {
            check_memory(w, n);
            check_marks(w, n);
        }
    }
}

/* ---- the end ---- */

/* All of it is durable, and so was seen. */
static bool is_settled(const struct sim_node *node)
{
    struct lia_store_head head = lia_store_head(lia_db_store(node->db));

    return head.durable.seq == head.committed.seq;
}

static bool is_wanted(struct liana_slice body)
{
    struct lia_value till;

    return body.len && lia_bson_find(body, lia_str("till"), &till) &&
           lia_value_int64(till) < SIM_TILL_MAX;
}

static bool is_same(const struct lia_held *a, const struct lia_held *b)
{
    return lia_slice_cmp(a->doc.body, b->doc.body) == 0 &&
           lia_slice_cmp(a->doc.clock, b->doc.clock) == 0;
}

/* A narrow node holds what it subscribed to, as it is, and knows of everything that has left
 * that. */
static bool is_as_subscribed(const struct lia_held *mine, const struct lia_held *whole)
{
    return is_wanted(whole->doc.body) ? is_same(mine, whole)
                                      : !is_wanted(mine->doc.body);
}

static bool are_narrow_settled(struct sim_world *w)
{
    struct lia_held *whole = NULL;
    struct lia_arena arena;
    bool answer = true;

    lia_arena_init(&arena, &lia_mem_libc);
    for (int n = 1; n < (int)w->knobs.nodes && answer; n++) {
        struct lia_held *mine;

        if (!sim_is_narrow(w, n)) {
            continue;
        }
        whole = whole ? whole : read_all(w, 0, &arena);
        mine = read_all(w, n, &arena);
        for (uint32_t d = 0; d < SIM_SALES && answer; d++) {
            answer = is_as_subscribed(&mine[d], &whole[d]);
        }
    }
    lia_arena_deinit(&arena);
    return answer;
}

bool sim_check_equal(struct sim_world *w)
{
    for (int n = 0; n < (int)w->knobs.nodes; n++) {
        if (!w->nodes[n].is_up || !is_settled(&w->nodes[n])) {
            return false;
        }
        for (uint32_t d = 0; d < SIM_DOCS; d++) {
            if (gets_all(w, n, d) &&
                !lia_vector_equal(seen_vector(&w->nodes[n].seen[d]),
                                  seen_vector(&w->nodes[0].seen[d]))) {
                return false;
            }
        }
    }
    return are_narrow_settled(w);
}

/* Of what is in doubt vectors prove nothing: it is there, or what came later of it. */
static void check_there(struct sim_world *w,
                        int n,
                        const struct sim_txn *t,
                        const struct lia_held *held)
{
    for (size_t i = 0; i < t->count; i++) {
        if (!held[t->docs[i]].seq || w->breakage == SIM_BREAK_GONE) {
            sim_fail(w, "node %d: document %u of node %d is gone", n, t->docs[i],
                     t->node);
        }
    }
}

static void check_counter(struct sim_world *w, uint32_t doc, struct lia_doc d)
{
    struct lia_value value;
    int64_t expected = ON_HAND - (w->breakage == SIM_BREAK_COUNT);

    for (size_t i = 0; i < w->txn_count; i++) {
        for (size_t n = 0; w->txns[i].is_certain && n < w->txns[i].count; n++) {
            expected += w->txns[i].docs[n] == doc ? w->txns[i].amounts[n] : 0;
        }
    }
    if (!lia_bson_find(d.body, lia_str("onHand"), &value) ||
        lia_value_int64(value) != expected) {
        sim_fail(w, "stock %u: an increment was lost, or came twice", doc);
    }
}

/* Puts a till that is subscribed to where another was. */
static void alter_till(struct lia_arena *arena, struct lia_held *held)
{
    struct liana_slice body;
    struct lia_value till;

    if (!held->doc.body.len || is_wanted(held->doc.body) ||
        !lia_arena_copy(arena, held->doc.body, &body) ||
        !lia_bson_find(body, lia_str("till"), &till)) {
        return;
    }
    *(uint8_t *)(uintptr_t)till.data.ptr = 1;
    held->doc.body = body;
}

void sim_check_end(struct sim_world *w)
{
    struct lia_arena arena;
    struct lia_held *first;

    lia_arena_init(&arena, &lia_mem_libc);
    first = read_all(w, 0, &arena);
    if (w->breakage == SIM_BREAK_BYTES) {
        struct liana_slice body;

        LIA_ASSERT(lia_arena_copy(&arena, first[SIM_SALES].doc.body, &body));
        *(uint8_t *)(uintptr_t)(body.ptr + body.len - 3) ^= 1;
        first[SIM_SALES].doc.body = body;
    }
    for (int n = 0; n < (int)w->knobs.nodes; n++) {
        struct lia_held *held = read_all(w, n, &arena);

        check_integrity(w, n);
        for (uint32_t d = 0; d < SIM_DOCS; d++) {
            if (gets_all(w, n, d) && !is_same(&held[d], &first[d])) {
                sim_fail(w, "document %u: node %d and node 0 differ", d, n);
            }
            if (!gets_all(w, n, d) && w->breakage == SIM_BREAK_STAYS) {
                alter_till(&arena, &held[d]);
            }
            if (!gets_all(w, n, d) && !is_as_subscribed(&held[d], &first[d])) {
                sim_fail(w, "document %u: node %d: is not what it subscribed to", d, n);
            }
        }
        for (size_t i = 0; i < w->txn_count; i++) {
            if (w->txns[i].is_certain && sim_past_doubts(w, w->txns[i].stamp)) {
                check_there(w, n, &w->txns[i], held);
            } else if (w->txns[i].is_certain && w->txns[i].count &&
                       !check_whole(w, n, &w->txns[i])) {
                sim_fail(w, "node %d: an acknowledged transaction is missing", n);
            }
        }
    }
    for (uint32_t d = SIM_SALES; d < SIM_DOCS; d++) {
        if (sim_past_counts(w, d)) {
            check_counter(w, d, first[d].doc);
        }
    }
    lia_arena_deinit(&arena);
}
