/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_SIM_ORACLE_H
#define LIA_SIM_ORACLE_H
/*
 * sim/oracle - knows every write but those of stock, and what has to come of it.
 *
 * A write is one document in one transaction: when it was made, by whom, what its writer had
 * seen of the document, and which entries it means by the law as crdt/testing/model says
 * it, from the operations that the app asked for. Nothing is read from the clocks of the
 * product but which writes a copy has seen.
 *
 *     oracle.c          writes; what a copy has to show, held against what it shows
 *     oracle_upkeep.c   what stores write by themselves
 *     oracle_restamp.c  writes that get other stamps, because a clock was ahead
 *     oracle_split.c    documents to which an actor wrote in two histories: of these only what
 *                       others wrote is accounted for
 *     oracle_seats.c    sums of bounded counters, and that no store and no sum of what all
 *                       stores have written is below the bound
 *     oracle_rows.c     system:conflicts: its rows are true
 *     oracle_declared.c the same is declared everywhere
 *     oracle_end.c      at rest: each acknowledged write is visible, or superseded by one
 *                       that had seen it, or in system:conflicts of some store
 *
 * Of what a copy has dropped it shows nothing; what was forgotten begins anew.
 *
 * Held at every commit of every store, for the desk and the seats, and at every write and at
 * rest for sales: the vector names writes that were made; the body is
 * what the law makes of them, byte for byte. So nothing is shown that nobody wrote, and
 * counters are the sum of what was acknowledged.
 *
 * Rules: writes stand in the order in which they were made, so a write comes after what it
 * has seen. Ownership, threads: as sim/world.h.
 */
#include "crdt/testing/model.h"
#include "sim/world.h"

#define SIM_WRITES     8192
#define SIM_CLOSE      (SIM_DESK + SIM_SEATS) /* documents that are looked at closely */
#define SIM_SEATS_LEFT 2                      /* the bound of the seats */

struct sim_write {
    uint32_t doc;
    int node;
    size_t txn; /* that it is a part of; none: it is an INITIAL document */
    bool is_seed;
    bool is_upkeep;  /* no app asked for it */
    bool is_pending; /* its transaction is going on */
    bool is_certain; /* of an INITIAL document: it was acknowledged */
    bool is_delete;
    bool is_creation;
    bool is_unclear; /* to a document of two histories: what it did is not known */
    int64_t amount;  /* of seats */
    struct lia_stamp life; /* the newest creation that it knew */
    struct lia_stamp stamp;
    struct lia_stamp tag;      /* what vectors count it under: mostly its stamp */
    struct lia_stamp effect;   /* of a verdict; none: it is none */
    struct lia_vector seen;    /* before it */
    struct model_doc *entries; /* those of this write alone */
};

#define SIM_RESTAMPS 64

struct sim_rows; /* oracle_rows.c */

struct sim_oracle {
    struct sim_write writes[SIM_WRITES];
    size_t count;
    size_t pending; /* from here on */
    uint64_t words; /* made; so that no two are equal */
    struct model_doc states[SIM_NODES][SIM_CLOSE];
    struct lia_restamp ahead[SIM_NODES];  /* what would be stamped anew there... */
    uint64_t newest[SIM_NODES][SIM_DOCS]; /* ...the newest of each document */
    struct lia_restamp restamps[SIM_RESTAMPS];
    size_t restamp_count;
    struct sim_rows *lost_rows; /* told by stores whose disk went since; NULL: none */
    bool is_split[SIM_DOCS]; /* sim_oracle_is_split, found out by what a vector says */
};

void sim_oracle_init(struct sim_world *w);
void sim_oracle_deinit(struct sim_world *w);

/* By damage, two stores write what is one store's: no more is asked than how much there
 * is. */
bool sim_is_lawless(const struct sim_world *w);

/* It is written down, and not undone by a loss of power so far as is known. */
bool sim_write_is_alive(const struct sim_world *w, const struct sim_write *x);

/* The document exists at the node, of the desk or the seats. */
bool sim_oracle_exists(const struct sim_world *w, int node, uint32_t doc);

/* An app asks for operations on one document. Answers what the store says; `out` as of
 * lia_txn_apply. `amount` is of seats. */
liana_status sim_oracle_apply(struct sim_world *w,
                              int node,
                              struct lia_txn *txn,
                              uint32_t doc,
                              const struct lia_op *ops,
                              size_t count,
                              int64_t amount,
                              struct lia_change *out);
liana_status sim_oracle_seed(struct sim_world *w,
                             int node,
                             struct lia_txn *txn,
                             uint32_t doc,
                             const struct lia_op *insert);
/* What was asked for since the last time is done: in this transaction, or not at all. */
void sim_oracle_commit(struct sim_world *w, size_t txn, liana_status status);

/* A store holds a document so. */
void sim_oracle_shown(struct sim_world *w,
                      int node,
                      uint32_t doc,
                      struct lia_vector vector,
                      struct lia_doc held);
/* A store came back: what was not certain is known now. */
void sim_oracle_reopened(struct sim_world *w, int node, const struct lia_held *held);
/* The same is declared everywhere. */
bool sim_oracle_is_settled(struct sim_world *w);
void sim_oracle_end(struct sim_world *w, const struct lia_held *held);

/* What the law makes of the writes to the document that the vector names, into `state`. */
void sim_oracle_state(struct sim_world *w,
                      int node,
                      uint32_t doc,
                      struct lia_vector vector,
                      struct model_doc *state);
/* What a store shows is what the law says. */
void sim_oracle_check(struct sim_world *w,
                      int node,
                      uint32_t doc,
                      const struct model_doc *state,
                      struct lia_vector vector,
                      struct liana_slice body);
/* The collections that are declared, and what a store has of the declaration of one. */
#define SIM_DECLARED 2
extern const char *const sim_declared[SIM_DECLARED];
struct lia_doc sim_oracle_declaration(struct sim_world *w,
                                      int node,
                                      struct lia_arena *arena,
                                      const char *collection);
/* Prints the writes of a document, and what a copy has seen of them. */
void sim_oracle_tell_seen(struct sim_world *w,
                          uint32_t doc,
                          struct lia_vector has,
                          struct lia_vector known);
/* Prints the writes of a document. */
void sim_oracle_tell(struct sim_world *w, uint32_t doc);

/* Its writes go through the oracle. */
bool sim_is_watched(uint32_t doc);

/* ---- oracle_upkeep.c, and what it needs ---- */

#define SIM_SHAPES_MAX 4

/* What is declared of a document. */
struct sim_meant {
    struct lia_shape shapes[SIM_SHAPES_MAX];
    size_t shape_count;
    enum lia_delete_mode mode;
};

/* What operations make of the state, by the law. */
liana_status sim_oracle_mean(struct model_doc *state,
                             const struct sim_meant *meant,
                             const struct lia_op *ops,
                             size_t count,
                             struct lia_stamp stamp);
/* Writes down what the state has beyond `seen`. */
struct sim_write *sim_oracle_write(struct sim_world *w,
                                   int node,
                                   uint32_t doc,
                                   const struct model_doc *state,
                                   struct lia_vector seen,
                                   struct lia_stamp stamp);
/* A store holds a document so: what is not written down yet it wrote by itself. */
void sim_oracle_note_upkeep(struct sim_world *w,
                            int node,
                            uint32_t doc,
                            struct lia_vector vector,
                            struct lia_doc held);

/* ---- oracle_restamp.c ---- */

/* Before a store may stamp anew what it has stamped ahead. */
void sim_restamp_look(struct sim_world *w, int node);
/* A store has committed this: if that is it, what is known of its writes follows. */
void sim_restamp_follow(struct sim_world *w, int node, struct lia_stamp commit);
/* It may have, and was opened again since. */
void sim_restamp_reopened(struct sim_world *w, int node);
/* What the stamp is now. */
struct lia_stamp sim_restamped(const struct sim_world *w, struct lia_stamp stamp);

/* ---- oracle_split.c ---- */

/* Of what an actor wrote to it there are two histories (past.h). */
bool sim_oracle_is_split(const struct sim_world *w, uint32_t doc);
/* A vector names what nobody wrote: then it is one, or the answer is false. */
bool sim_oracle_splits(struct sim_world *w, uint32_t doc);
/* Its body shows the entry: of a number is not told apart what was added to it. */
bool sim_split_shows(struct liana_slice body, const struct model_entry *e);

/* ---- oracle_rows.c ---- */

/* Those of all stores; they live in the arena. */
struct sim_rows *sim_rows_read(struct sim_world *w, struct lia_arena *arena);
/* What the node says goes with its disk: it was told there. */
void sim_rows_lose(struct sim_world *w, int node);
/* They say that the entry of the write was lost. */
bool sim_rows_list(const struct sim_rows *rows,
                   const struct sim_write *x,
                   const struct model_entry *e);

/* ---- oracle_seats.c ---- */

bool sim_is_seats(uint32_t doc);
/* Of what a store holds. */
void sim_seats_shown(struct sim_world *w,
                     int node,
                     uint32_t doc,
                     struct lia_vector vector,
                     struct liana_slice body);
/* Of all that was written, wherever it is. */
void sim_seats_written(struct sim_world *w, uint32_t doc);

#endif
