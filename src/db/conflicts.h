/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_DB_CONFLICTS_H
#define LIA_DB_CONFLICTS_H
/*
 * db/conflicts - what merges here have discarded, and what they have let in that is not as
 * declared: the local collection system:conflicts (docs/query.md).
 *
 *     lost      a write that gave way to another, neither of whose authors knew the other's
 *     breach    a write of a peer at a path that is declared otherwise here (docs/adr/0051)
 *
 * A collection like others, so that it is read, paged and followed like others, but local:
 * rows have a body and no clock, and no peer can name it.
 *
 * Rules: rows are numbered from 1, for as long as the store lives; the newest
 * `conflicts_max` numbers are kept, and what goes unread is counted. A row has at most
 * some 70 KiB, whatever was lost: larger values leave their size, longer paths their
 * beginning.
 * Ownership: notes live in the arena they were made with. Threads: the transaction's.
 */
#include "db/breach.h"

struct lia_db;
struct lia_note;
struct lia_txn;

/* What one merge has to tell, at most as much as is kept. */
struct lia_notes {
    struct lia_arena *arena;
    struct lia_note *first;
    struct lia_note **last;
    size_t count;
    size_t max;
    uint64_t passed_over; /* beyond that */
    bool is_out_of_memory;
};

/* The document that it happened to. */
struct lia_noted_of {
    struct liana_str collection;
    struct liana_slice key;
    struct liana_slice body; /* empty: of a tombstone */
};

/* The notes, and what writes losers into them: for the merge. */
struct lia_watch lia_notes_init(struct lia_notes *out,
                                struct lia_db *db,
                                struct lia_arena *arena);

/* `breach->declared` is borrowed. */
void lia_notes_breach(struct lia_notes *notes, const struct lia_breach *breach);

/* Writes the notes to system:conflicts; none cost nothing. */
LIANA_MUST_CHECK liana_status lia_conflicts_put(struct lia_txn *txn,
                                                const struct lia_noted_of *of,
                                                const struct lia_notes *notes,
                                                struct liana_error *err);

struct liana_str lia_conflicts_name(void);

/* Acknowledges a row: it goes, and whoever follows the collection is told so; or it goes
 * from the log too. `*out`: it was there. */
LIANA_MUST_CHECK liana_status lia_conflicts_remove(struct lia_txn *txn,
                                                   struct liana_slice key,
                                                   bool is_told,
                                                   bool *out,
                                                   struct liana_error *err);

struct lia_conflict_counts {
    uint64_t kept;    /* rows that are there */
    uint64_t last;    /* number of the newest; 0: there was none */
    uint64_t dropped; /* rows that went before somebody removed them */
};

LIANA_MUST_CHECK liana_status lia_conflicts_count(struct lia_txn *txn,
                                                  struct lia_conflict_counts *out,
                                                  struct liana_error *err);

/* ---- one row: conflict_row.c ---- */

struct lia_note {
    struct lia_note *next;
    bool is_breach;
    struct lia_path path; /* in the arena, as much as is kept of it */
    bool is_path_cut;
    struct lia_value value; /* without data if it is too large */
    size_t bytes;           /* of the value */
    struct lia_stamp lost;  /* not of a breach */
    struct lia_stamp kept;
    struct lia_breach breach; /* without its value */
};

#define LIA_NOTED_VALUE_MAX ((size_t)64 * 1024)
#define LIA_NOTED_PATH_MAX  ((size_t)4 * 1024) /* of names */

/* Appends the body of row `number`. */
LIANA_MUST_CHECK liana_status lia_conflict_row(struct lia_buf *out,
                                               uint64_t number,
                                               const struct lia_noted_of *of,
                                               const struct lia_note *note,
                                               struct liana_error *err);

#endif
