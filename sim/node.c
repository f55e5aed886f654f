/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/keepers.h"

#include <stdio.h>

#include "peer/internal.h"
#include "sim/oracle.h"

/* ---- the machine's own world ---- */

static uint64_t node_wall(void *ctx)
{
    const struct sim_node *node = ctx;

    return (uint64_t)((int64_t)(SIM_START_MS + node->world->now) + node->skew_ms);
}

static uint64_t node_mono(void *ctx)
{
    return ((const struct sim_node *)ctx)->world->now;
}

static void node_random(void *ctx, void *out, size_t len)
{
    lia_rng_bytes(&((struct sim_node *)ctx)->rng, out, len);
}

static void node_log(void *ctx,
                     enum lia_log_level level,
                     const char *part,
                     const char *text)
{
    const struct sim_node *node = ctx;

    (void)level;
    sim_note(node->world, "node %d: %s: %s", node->index, part, text);
}

static void wake(void *ctx)
{
    struct sim_node *node = ctx;

    if (!node->is_waking) {
        node->is_waking = true;
        sim_after(node->world, sim_draw(node->world, 2), SIM_WAKE,
                  (uint32_t)node->index, 0, 0, NULL);
    }
}

static void no_wake(void *ctx)
{
    (void)ctx;
}

/* ---- while a log is synced ---- */

static struct lia_job *take_read(struct sim_world *w, struct sim_node *node)
{
    for (size_t i = 0; i < w->event_count; i++) {
        struct sim_event *e = &w->events[i];

        if (e->kind == SIM_JOB && e->a == (uint32_t)node->index && e->job &&
            e->c == node->generation && lia_job_kind(e->job) == LIA_JOB_READ &&
            !e->job->wants_sync) { /* which would wait for the sync that is going on */
            struct lia_job *job = e->job;

            e->job = NULL;
            return job;
        }
    }
    return NULL;
}

/* Reader threads see commits that are not durable yet. */
static void during_sync(void *ctx)
{
    struct sim_node *node = ctx;
    struct sim_world *w = node->world;
    struct lia_job *job;

    while (node->is_up && sim_chance(w, w->knobs.overlaps) &&
           (job = take_read(w, node)) != NULL) {
        sim_node_job(w, node->index, job, node->generation);
    }
}

/* ---- opening and crashing ---- */

bool sim_is_normal(const struct sim_world *w, int index)
{
    return w->knobs.normals >> index & 1;
}

bool sim_is_narrow(const struct sim_world *w, int index)
{
    return w->knobs.narrows >> index & 1;
}

/* What it wants of the collection of a document. */
static struct liana_slice query_of(const struct sim_world *w, int index, uint32_t doc)
{
    return doc < SIM_SALES && sim_is_narrow(w, index)
               ? lia_str_slice(lia_str("SELECT * FROM sales WHERE till < 50"))
               : lia_slice(NULL, 0);
}

static void open_db(struct sim_world *w, struct sim_node *node)
{
    static const uint8_t database[LIA_DATABASE_ID_BYTES] = "the simulated db";
    struct lia_test_disk *disk = &node->disks[node->disk];
    struct lia_db_options options = {
        .store = {.env = &node->env,
                  .path = "s",
                  .vfs = disk->name,
                  .create = true,
                  .durability = sim_is_normal(w, node->index) ? LIA_NORMAL : LIA_FULL},
        .database = {database, sizeof(database)},
        .is_keeper = sim_is_keeper(w, node->index),
        .clock_ahead_ms = w->breakage == SIM_BREAK_AHEAD ? SIM_START_MS : 0,
        .reader_wait_ms = sim_reader_wait_ms(w),
        .tombstone_ttl_ms = sim_tombstone_ttl_ms(w),
        .conflicts_max = 1000000, /* the oracle wants them all */
    };
    const struct lia_listener_options listen = {.wake = no_wake};
    struct liana_error err = LIANA_ERROR_INIT;
    uint64_t seq;

    if (lia_db_open(&options, &node->db, &err) ||
        lia_db_listen(node->db, &listen, &node->listener, &seq, &err)) {
        sim_fail(w, "node %d does not open: %s", node->index, err.message);
    }
    disk->during_sync = during_sync;
    disk->during_sync_ctx = node;
}

static void open_peer(struct sim_world *w, struct sim_node *node)
{
    struct lia_peer_options options = {
        .env = &node->env,
        .db = node->db,
        .name = {"sim", 3},
        .wake = wake,
        .wake_ctx = node,
        .window_bytes = w->knobs.window_bytes,
        .batch_bytes_max = w->knobs.batch_bytes,
        .recent_bytes_max = w->knobs.recent_bytes,
        .keepalive_ms = 2000,
        .timeout_ms = 6000,
    };
    struct liana_error err = LIANA_ERROR_INIT;
    uint64_t id;

    options.id[0] = (uint8_t)(node->index + 1);
    if (lia_peer_new(&options, &node->peer, &err)) {
        sim_fail(w, "node %d has no peer: %s", node->index, err.message);
    }
    if (w->oracle) { /* something is declared */
        LIA_ASSERT(!lia_peer_subscribe(node->peer, lia_str("_liana.collections"),
                                       lia_slice(NULL, 0), w->now, &id, NULL));
    }
    for (uint32_t c = 0; c < SIM_NAMES; c++) {
        LIA_ASSERT(!lia_peer_subscribe(node->peer, sim_collection(sim_first(c)),
                                       query_of(w, node->index, sim_first(c)), w->now,
                                       &id, NULL));
    }
}

static void new_disk_name(struct sim_node *node, char name[32])
{
    snprintf(name, 32, "sim-%d-%d", node->index, node->disk);
}

void sim_node_open(struct sim_world *w, int index)
{
    struct sim_node *node = &w->nodes[index];

    if (!node->world) {
        char name[32];

        node->world = w;
        node->index = index;
        node->rng = lia_rng(w->seed * 1000 + (uint64_t)index);
        node->env = (struct lia_env){.ctx = node,
                                     .alloc = &lia_mem_libc,
                                     .wall_ms = node_wall,
                                     .mono_ms = node_mono,
                                     .log = node_log,
                                     .log_level = LIA_LOG_WARN,
                                     .random = node_random};
        new_disk_name(node, name);
        lia_test_disk_init(&node->disks[0], name);
    }
    open_db(w, node);
    open_peer(w, node);
    node->is_up = true;
    node->is_failing = false;
    node->is_waking = false;
    node->tick_at = 0;
    node->generation++;
    node->write_busy_until = w->now;
    sim_note(w, "node %d: up, opening %llu", index,
             (unsigned long long)node->generation);
    if (node->generation > 1) {
        sim_check_reopened(w, index);
    }
}

static void stop(struct sim_world *w, struct sim_node *node)
{
    /* Its jobs die with it. */
    for (size_t i = 0; i < w->event_count; i++) {
        if (w->events[i].kind == SIM_JOB && w->events[i].a == (uint32_t)node->index) {
            lia_job_free(w->events[i].job);
            w->events[i].job = NULL;
        }
    }
    node->is_up = false;
    lia_peer_free(node->peer);
    lia_db_unlisten(node->listener);
    LIA_IGNORE(
        lia_db_close(node->db, NULL)); /* what it still writes is on the old disk */
    node->peer = NULL;
    node->db = NULL;
    node->listener = NULL;
}

/* Its sessions end with it: the next ones begin without. */
void sim_node_forget(struct sim_world *w, int index)
{
    struct sim_node *node = &w->nodes[index];
    liana_status status = LIANA_OK;

    sim_note(w, "node %d: loses its tokens", index);
    for (unsigned id = 1; id <= w->knobs.nodes; id++) {
        const uint8_t peer[LIA_PEER_ID_BYTES] = {(uint8_t)id};

        for (uint32_t c = 0; c < SIM_NAMES && !status; c++) {
            struct lia_name name = lia_name_of(sim_collection(sim_first(c)),
                                               query_of(w, index, sim_first(c)));

            status = lia_db_token_drop(node->db, lia_slice(peer, sizeof(peer)),
                                       lia_name_slice(&name), NULL);
        }
    }
    node->is_failing = node->is_failing || status == LIANA_EIO;
    sim_net_part_node(w, index);
}

/* Power is lost: what was not synced may be there or not. */
void sim_node_crash(struct sim_world *w, int index)
{
    struct sim_node *node = &w->nodes[index];

    sim_node_crash_to(w, index, &node->disks[node->disk]);
}

void sim_node_crash_to(struct sim_world *w, int index, const struct lia_test_disk *from)
{
    struct sim_node *node = &w->nodes[index];
    struct lia_test_disk *old = &node->disks[node->disk];
    char name[32];

    sim_note(w, "node %d: crash", index);
    sim_check_commits(w, index);
    node->disk = 1 - node->disk;
    new_disk_name(node, name);
    lia_test_disk_crash(from, &w->rng, &node->disks[node->disk], name);
    stop(w, node);
    lia_test_disk_deinit(old);
    sim_net_cut_node(w, index);
    if (w->breakage == SIM_BREAK_SYNC) { /* a new disk in place of the old one */
        lia_test_disk_deinit(&node->disks[node->disk]);
        lia_test_disk_init(&node->disks[node->disk], name);
    }
}

void sim_node_close(struct sim_world *w, int index)
{
    struct sim_node *node = &w->nodes[index];

    if (node->is_up) {
        stop(w, node);
    }
    lia_test_disk_deinit(&node->disks[0]);
    lia_test_disk_deinit(&node->disks[1]);
}

void sim_node_check_disk(struct sim_world *w, int index)
{
    struct sim_node *node = &w->nodes[index];

    if (node->is_up && node->is_failing) {
        sim_note(w, "node %d: its disk failed", index);
        sim_node_crash(w, index);
        sim_after(w, 500 + sim_draw(w, 1000), SIM_RESTART, (uint32_t)index, 0, 0, NULL);
    }
}

/* ---- stepping ---- */

static void give_job(struct sim_world *w, struct sim_node *node, struct lia_job *job)
{
    uint64_t ms = sim_draw(w, w->knobs.job_ms + 1u);

    if (lia_job_kind(job) == LIA_JOB_WRITE) { /* in order, one at a time */
        uint64_t start =
            node->write_busy_until > w->now ? node->write_busy_until : w->now;

        node->write_busy_until = start + ms;
        ms = start + ms - w->now;
    }
    sim_after(w, ms, SIM_JOB, (uint32_t)node->index, 0, node->generation, job);
}

void sim_node_outputs(struct sim_world *w, int index)
{
    struct sim_node *node = &w->nodes[index];
    struct lia_peer_output out;
    uint64_t due;

    while (lia_peer_next(node->peer, &out)) {
        switch (out.kind) {
        case LIA_PEER_SEND: sim_net_send(w, index, out.link, out.bytes); break;
        case LIA_PEER_CLOSE:
            sim_note(w, "node %d: closes link %llu: %s", index,
                     (unsigned long long)out.link, out.error.message);
            /* Two histories under one vector do not always merge (docs/adr/0025). */
            if ((out.error.status == LIANA_EPROTOCOL && !w->past) ||
                out.error.status == LIANA_EINTERNAL || out.error.status == LIANA_EGAP ||
                out.error.status == LIANA_ECORRUPT ||
                out.error.status == LIANA_ENOMEM) {
                sim_fail(w, "node %d: %s", index, out.error.message);
            }
            node->is_failing = node->is_failing || out.error.status == LIANA_EIO;
            sim_net_closed(w, index, out.link);
            break;
        case LIA_PEER_JOB: give_job(w, node, out.job); break;
        case LIA_PEER_EVENT: break;
        }
    }
    due = lia_peer_deadline(node->peer);
    if (due != UINT64_MAX && (node->tick_at == 0 || due < node->tick_at)) {
        node->tick_at = due > w->now ? due : w->now;
        sim_after(w, node->tick_at - w->now, SIM_TICK, (uint32_t)index, 0,
                  node->generation, NULL);
    }
}

static void forget_departures(struct sim_node *node)
{
    struct lia_txn_options options = lia_txn_options(node->db, LIA_WRITE);
    struct lia_txn *txn;
    sqlite3_stmt *stmt;

    options.wait_ms = 0;
    if (lia_txn_begin(node->db, &options, &txn, NULL)) {
        return;
    }
    if (!lia_conn_prepare(lia_txn_conn(txn), lia_str("DELETE FROM departed"), &stmt,
                          NULL)) {
        LIA_IGNORE(lia_conn_run(lia_txn_conn(txn), stmt, NULL)); /* it is damage */
    }
    LIA_IGNORE(lia_txn_commit(txn, NULL, NULL)); /* likewise */
}

void sim_node_job(struct sim_world *w,
                  int index,
                  struct lia_job *job,
                  uint64_t generation)
{
    struct sim_node *node = &w->nodes[index];
    bool is_write;
    bool is_early = false;

    if (!job || generation != node->generation) {
        lia_job_free(job);
        return;
    }
    is_write = lia_job_kind(job) == LIA_JOB_WRITE;
    sim_note(w, "node %d: job %s", index, is_write ? "writes" : "reads");
    if (is_write) {
        sim_restamp_look(w, index);
    }
    lia_job_run(job);
    if (w->breakage == SIM_BREAK_EARLY || w->breakage == SIM_BREAK_UNDONE) {
        is_early = job->reach > job->durable;
        job->reach = 0;
    }
    if (w->breakage == SIM_BREAK_LEAVES && is_write) {
        forget_departures(node);
    }
    sim_check_commits(w, index);
    lia_peer_job_done(node->peer, job, w->now);
    sim_node_outputs(w, index);
    if (w->breakage == SIM_BREAK_UNDONE && is_early && w->is_storm &&
        sim_chance(w, 300)) {
        w->nodes[index].is_failing = true; /* power is lost before it is durable */
    }
}

void sim_node_wake(struct sim_world *w, int index)
{
    struct sim_node *node = &w->nodes[index];

    node->is_waking = false;
    if (node->is_up) {
        lia_peer_wake(node->peer, w->now);
        sim_node_outputs(w, index);
    }
}

void sim_node_tick(struct sim_world *w, int index, uint64_t generation)
{
    struct sim_node *node = &w->nodes[index];

    if (!node->is_up || generation != node->generation || node->tick_at != w->now) {
        return; /* an earlier one was planned since */
    }
    node->tick_at = 0;
    lia_peer_tick(node->peer, w->now);
    sim_node_outputs(w, index);
}
