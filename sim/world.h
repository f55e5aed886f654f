/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_SIM_WORLD_H
#define LIA_SIM_WORLD_H
/*
 * sim/world - N real peers on real SQLite, and everything around them made of a seed.
 *
 * One thread, one seed, one heap of events (time, order of making). Time jumps to the
 * next event. What a seed decides: the topology, which faults there are and how hard
 * (half of all seeds have most of them off), every delay, every crash, every write.
 *
 *     world.c   events, the run and its phases
 *     node.c    a machine: disk, store, peer; its jobs, its crashes
 *     net.c     links: delays, cuts, one-way silence, two links between one pair
 *     work.h    what the apps do, and what they were promised
 *     oracle.h  what has to come of it
 *     past.h    runs in which stores are put back to what they were
 *     keepers.h runs in which some keep what others drop
 *     check.h   what must hold at every moment, and at the end
 *
 * A run: the stores meet (fill), faults and writes (storm), all heals (calm). At the end
 * of the calm all stores are equal, and nothing was lost.
 *
 * Rules: nothing here reads a clock or a random source but the world's. A check that
 * fails prints the seed, the time and what it saw, and ends the process with 1.
 * Ownership: sim_run owns everything for the time of the run. Threads: one.
 */
#include "base/testing/env.h"
#include "db/feed.h"
#include "peer/peer.h"
#include "store/testing/disk.h"

#define SIM_NODES    5
#define SIM_LINKS    64 /* alive at once */
#define SIM_EVENTS   8192
#define SIM_TXNS     4096
#define SIM_SALES    512
#define SIM_STOCK    12
#define SIM_DESK     8 /* documents that are written in every way */
#define SIM_SEATS    3 /* counters with a bound */
#define SIM_DOCS     (SIM_SALES + SIM_STOCK + SIM_DESK + SIM_SEATS)
#define SIM_NAMES    4    /* collections: "sales", "stock", "desk", "seats" */
#define SIM_TOUCH    4    /* stock documents in one transaction */
#define SIM_ON_HAND  1000 /* of each stock document, at first */
#define SIM_TILL_MAX 50   /* what narrow nodes want is below */

/* What a seed turns on. Chances are in 1,000 per second of a node or link. */
struct sim_knobs {
    unsigned nodes;
    unsigned topology; /* 0 line, 1 star, 2 ring, 3 tree with more links */
    unsigned delay_ms; /* of a link, at most */
    unsigned job_ms;   /* of a job, at most */
    unsigned crashes;
    unsigned cuts;
    unsigned mutes;   /* one direction falls silent and nobody is told */
    unsigned twins;   /* a second link between a pair */
    unsigned forgets; /* a node loses its tokens: it begins from nothing */
    unsigned disks;   /* a write or sync of the disk fails */
    unsigned clock_jumps;
    unsigned overlaps; /* of syncs of a log: jobs that read end meanwhile; in 1,000 */
    unsigned narrows;  /* bit n: node n wants only a part of the sales */
    unsigned normals;  /* bit n: the store of node n does not wait for its disk */
    unsigned writes;   /* transactions per second and node, in 1,000 */
    size_t window_bytes;
    size_t batch_bytes;
    size_t recent_bytes;
    uint64_t storm_ms;
};

/* When a run begins, by right clocks. */
#define SIM_START_MS UINT64_C(1767225600000)

/* Deliberate damage, to prove that a check can fail (main.c, --break). */
enum sim_breakage {
    SIM_BREAK_NOTHING,
    SIM_BREAK_SYNC, /* the disk forgets what was synced */
    SIM_BREAK_TORN, /* one document of a transaction is written apart from the others */
    SIM_BREAK_BYTES, /* a body is altered in one store */
    SIM_BREAK_MARKS, /* a store claims marks that it does not have */
    SIM_BREAK_QUIET, /* links are cut in the calm and not dialled again */
    SIM_BREAK_COUNT, /* an increment is counted that no store has */
    SIM_BREAK_BACK,  /* a document is seen without what it has seen */
    SIM_BREAK_STATE, /* the bytes of one store are seen altered, under the same vector */
    SIM_BREAK_STAYS,  /* a sale that left a subscription is seen as if it had not */
    SIM_BREAK_EARLY,  /* what was read is sent before it is durable */
    SIM_BREAK_LEAVES, /* stores forget what has left a subscription */
    SIM_BREAK_GONE,   /* a document of two histories is seen as if nobody had it */
    SIM_BREAK_UNDONE, /* as EARLY, and a loss of power undoes it; only that is looked at */
    SIM_BREAK_KEPT,     /* a node believes more to be kept than it was told */
    SIM_BREAK_LOST,     /* documents are seen to be gone from a keeper */
    SIM_BREAK_ZOMBIE,   /* what was deleted is seen alive */
    SIM_BREAK_UNTOLD,   /* what system:conflicts says is removed */
    SIM_BREAK_FORGED,   /* something is written that nobody asked for */
    SIM_BREAK_RIGHTS,   /* rights are taken from who may still spend them */
    SIM_BREAK_AHEAD,    /* stores take what is stamped ahead, however far */
    SIM_BREAK_TWICE,    /* stock is taken twice, and once by what the app says */
    SIM_BREAK_SALES,    /* as FORGED, of sales alone */
    SIM_BREAK_HIDDEN,   /* a write is made that the oracle is not told of at all */
    SIM_BREAK_ANSWER,   /* an operation answers what the law does not say */
    SIM_BREAK_OVERSOLD, /* a store shows fewer seats than may be left */
    SIM_BREAK_SUM,      /* a store shows one seat more than is left */
    SIM_BREAK_ROW,      /* system:conflicts names a write that nobody made */
    SIM_BREAK_KNEW,     /* it names two writes, one of which had seen the other */
    SIM_BREAK_DECLARED, /* what is declared at one store is seen altered */
    SIM_BREAK_SPLIT,    /* what a document of two histories shows is not seen */
    SIM_BREAKAGES
};

/* A check has noticed the damage that it is there for. */
#define SIM_EXIT_CAUGHT 10

enum sim_event_kind {
    SIM_JOB,     /* a job of node `a` ends */
    SIM_WAKE,    /* node `a` looks at its commits */
    SIM_TICK,    /* node `a` has a deadline */
    SIM_DELIVER, /* bytes arrive on link `a` at end `b` */
    SIM_DOWN,    /* end `b` of link `a` sees that it is gone */
    SIM_DIAL,    /* edge `a` is connected */
    SIM_WRITE,   /* the app of node `a` writes */
    SIM_RESTART, /* node `a` comes back */
    SIM_FAULTS   /* the world decides on faults */
};

struct sim_event {
    uint64_t at;
    uint64_t order;
    enum sim_event_kind kind;
    uint32_t a;
    uint32_t b;
    uint64_t c; /* generation of what it is meant for */
    struct lia_job *job;
};

struct sim_chunk {
    struct sim_chunk *next;
    size_t len;
    uint8_t bytes[];
};

struct sim_link {
    bool is_used;
    uint64_t generation;
    int nodes[2];
    uint64_t ids[2];
    bool is_up[2]; /* the peer at this end knows it and has not been told it is gone */
    bool is_mute[2];            /* what is sent to this end is swallowed */
    struct sim_chunk *first[2]; /* to this end */
    struct sim_chunk **last[2];
    uint64_t busy_until[2];
    uint32_t edge;
};

struct sim_edge {
    int nodes[2];
    uint32_t links; /* alive */
};

#define SIM_ACTORS (SIM_NODES * 32) /* of one document: evicting makes new ones */

struct sim_seen {
    bool is_held;
    bool is_dead; /* a tombstone */
    struct lia_vector_entry entries[SIM_ACTORS];
    size_t count;
};

#define SIM_MARKS 1024 /* of one collection */

/* What a node said of a collection when it was last asked. */
struct sim_known {
    struct lia_vector_entry marks[SIM_MARKS];
    size_t count;
};

struct sim_node {
    struct sim_world *world;
    int index;
    struct lia_env env;
    struct lia_rng rng; /* of the env */
    int64_t skew_ms;    /* of its wall clock */
    struct lia_test_disk disks[2];
    int disk;
    uint64_t generation; /* counts openings; names disks */
    struct lia_db *db;
    struct lia_peer *peer;
    struct lia_listener *listener; /* the checker's own */
    bool is_up;
    bool is_failing; /* its disk refused something: it is restarted */
    bool is_waking;
    uint64_t tick_at; /* 0: none is planned */
    uint64_t write_busy_until;
    struct sim_seen seen[SIM_DOCS]; /* what it holds... */
    struct sim_seen had[SIM_DOCS];  /* ...and all that it ever held */
    struct sim_known known[SIM_NAMES];
};

struct sim_txn {
    int node;
    struct lia_stamp stamp;
    bool is_certain; /* acknowledged: the commit said OK */
    bool is_open;    /* it failed, or was not waited for: it may survive or not */
    bool is_void;    /* it failed, and a loss of power took it for good */
    uint32_t whole;  /* bit n: node n has it */
    uint32_t docs[1 + SIM_TOUCH];
    int64_t amounts[1 + SIM_TOUCH]; /* of stock */
    enum lia_op_kind kinds[1 + SIM_TOUCH];
    struct lia_vector seen[1 + SIM_TOUCH]; /* by a delete */
    uint32_t begun[1 + SIM_TOUCH];         /* the number of a life of a sale */
    size_t count;
};

struct sim_state {
    struct sim_state *next;
    uint64_t key;   /* of document and vector */
    uint64_t bytes; /* of clock and body */
};

/* What does not happen in every run. */
enum sim_rarity {
    SIM_RARE_EVICTED,
    SIM_RARE_FORCED,
    SIM_RARE_BACK,      /* what was evicted came again */
    SIM_RARE_FORGOTTEN, /* tombstones */
    SIM_RARE_BURIED,    /* verdicts */
    SIM_RARE_AWAY,
    SIM_RARE_REPAIRED, /* stores that stamped anew what was ahead */
    SIM_RARE_STAYED,   /* what others may hold: its time came */
    SIM_RARE_TAKEN,    /* rights, by a store that had ended uncleanly */
    SIM_RARITIES
};

struct sim_clocks;  /* sim/clocks.h */
struct sim_past;    /* sim/past.h */
struct sim_keepers; /* sim/keepers.h */
struct sim_oracle;  /* sim/oracle.h */

struct sim_world {
    uint64_t seed;
    struct sim_clocks *clocks;   /* NULL: clocks are off by minutes at most */
    struct sim_past *past;       /* NULL: nothing is put back in this run */
    struct sim_keepers *keepers; /* NULL: nothing is dropped in this run */
    struct sim_oracle *oracle;   /* NULL: nothing is written at the desk */
    struct sim_knobs knobs;
    enum sim_breakage breakage;
    bool is_traced;
    struct lia_rng rng;
    uint64_t now;
    uint64_t order;
    struct sim_event *events; /* a binary heap */
    size_t event_count;
    struct sim_node nodes[SIM_NODES];
    struct sim_edge edges[SIM_NODES * 3];
    uint32_t edge_count;
    struct sim_link links[SIM_LINKS];
    uint64_t link_id;
    uint64_t generation;
    bool is_storm;
    bool is_calm;
    bool is_filled; /* every subscription was up to date once */
    struct sim_txn txns[SIM_TXNS];
    size_t txn_count;
    uint32_t sales;
    uint32_t lives;             /* of sales, begun so far: sim_life_name */
    uint32_t deletes[SIM_DOCS]; /* how often somebody did, durable or not */
    uint64_t rare[SIM_RARITIES];
    size_t checked; /* transactions before it are everywhere */
    struct sim_state *states[4096];
    struct lia_arena arena;
    uint64_t trace; /* hash of everything that happened */
    uint64_t crashes;
    uint64_t cuts;
    uint64_t mutes;
    uint64_t messages; /* chunks delivered in the calm */
    uint64_t steps;
    size_t memory_max;
    int unsettled[2]; /* node and document that were not, when it was looked at last */
};

struct sim_outcome {
    uint64_t trace;
    uint64_t crashes;
    uint64_t cuts;
    uint64_t mutes;
    uint64_t txns;
    uint64_t steps;
    uint64_t rare[SIM_RARITIES];
};

/* Runs a seed to its end; a failed check does not come back. */
struct sim_outcome sim_run(uint64_t seed, enum sim_breakage breakage, bool is_traced);

/* ---- world.c ---- */

void sim_after(struct sim_world *w,
               uint64_t ms,
               enum sim_event_kind kind,
               uint32_t a,
               uint32_t b,
               uint64_t c,
               struct lia_job *job);
/* Takes part in the trace hash; printed when tracing. */
void sim_note(struct sim_world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
_Noreturn void sim_fail(struct sim_world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* 0 .. n-1; n 0: 0. At most one draw among the arguments of a call: compilers differ in
 * which they evaluate first, and a seed is to be the same run everywhere. */
uint64_t sim_draw(struct sim_world *w, uint64_t n);
bool sim_chance(struct sim_world *w, unsigned per_thousand);

/* ---- node.c ---- */

void sim_node_open(struct sim_world *w, int index);
/* A leaf that wants a part of the sales; what leaves that part it is told once. */
bool sim_is_narrow(const struct sim_world *w, int index);
/* Its commits are not waited for: they become durable when peers ask for it. */
bool sim_is_normal(const struct sim_world *w, int index);
void sim_node_forget(struct sim_world *w, int index);
void sim_node_crash(struct sim_world *w, int index);
/* It comes back with a copy of this disk. */
void sim_node_crash_to(struct sim_world *w,
                       int index,
                       const struct lia_test_disk *from);
void sim_node_close(struct sim_world *w, int index);
void sim_node_job(struct sim_world *w,
                  int index,
                  struct lia_job *job,
                  uint64_t generation);
void sim_node_wake(struct sim_world *w, int index);
void sim_node_tick(struct sim_world *w, int index, uint64_t generation);
/* Does what the peer wants done. */
void sim_node_outputs(struct sim_world *w, int index);
/* Its disk may have refused something. */
void sim_node_check_disk(struct sim_world *w, int index);

/* ---- net.c ---- */

void sim_net_dial(struct sim_world *w, uint32_t edge);
void sim_net_send(struct sim_world *w, int node, uint64_t id, struct liana_slice bytes);
void sim_net_closed(struct sim_world *w, int node, uint64_t id);
void sim_net_deliver(struct sim_world *w,
                     uint32_t link,
                     uint32_t end,
                     uint64_t generation);
void sim_net_down(struct sim_world *w,
                  uint32_t link,
                  uint32_t end,
                  uint64_t generation);
void sim_net_cut(struct sim_world *w, uint32_t link);
/* It has crashed. */
void sim_net_cut_node(struct sim_world *w, int node);
/* Its links are cut, and it sees it. */
void sim_net_part_node(struct sim_world *w, int node);
void sim_net_mute(struct sim_world *w, uint32_t link, int end, bool is_mute);
void sim_net_deinit(struct sim_world *w);

/* ---- work.c ---- */

void sim_work_start(struct sim_world *w);
void sim_work_write(struct sim_world *w, int node);

/* ---- check.h ---- */

struct liana_str sim_collection(uint32_t doc);
/* The first document of a collection; of SIM_NAMES, what is behind the last. */
uint32_t sim_first(uint32_t collection);
struct liana_slice sim_key(struct sim_world *w, uint32_t doc);
/* Looks at what a node has committed since the last time. */
void sim_check_commits(struct sim_world *w, int node);
/* After a restart: nothing that was there is gone. */
void sim_check_reopened(struct sim_world *w, int node);
/* Marks are true, memory is bounded. */
void sim_check_now(struct sim_world *w);
bool sim_check_equal(struct sim_world *w);
/* Prints what stores hold of the document that kept them from it. */
void sim_tell_unsettled(struct sim_world *w);
void sim_check_end(struct sim_world *w);

#endif
