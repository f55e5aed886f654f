/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_STAMP_H
#define LIA_CRDT_STAMP_H
/*
 * crdt/stamp - hybrid logical clock stamps and version vectors.
 *
 * A stamp names one transaction of one actor. hlc is one 64-bit integer: milliseconds since
 * 1970 << 16 | counter; a full counter carries into the milliseconds (Kulkarni et al.,
 * "Logical Physical Clocks", OPODIS 2014, with the counter in the low bits).
 * A version vector says, per actor, the newest hlc seen.
 *
 * Rules: stamps are ordered by hlc, then actor; {0, 0} is before every stamp and stands for
 * "none". A vector is sorted by actor, names each actor once, and holds no hlc of 0 or
 * above LIA_HLC_MAX.
 * Ownership: a vector borrows its entries, usually from an arena. Threads: any.
 */
#include "base/mem.h"
#include "base/reader.h"

struct lia_buf;

struct lia_stamp {
    uint64_t hlc;
    uint64_t actor;
};

#define LIA_STAMP_NONE ((struct lia_stamp){0, 0})

static inline int lia_stamp_cmp(struct lia_stamp a, struct lia_stamp b)
{
    return a.hlc != b.hlc ? (a.hlc > b.hlc) - (a.hlc < b.hlc)
                          : (a.actor > b.actor) - (a.actor < b.actor);
}

static inline bool lia_stamp_is_none(struct lia_stamp s)
{
    return s.hlc == 0 && s.actor == 0;
}

static inline uint64_t lia_hlc_ms(uint64_t hlc)
{
    return hlc >> 16;
}

/* No hlc is greater (the year 6429): a distance between two has a bit to spare. */
#define LIA_HLC_MAX (UINT64_MAX >> 1)

/* The stamp time of a commit at `wall_ms` by a store whose greatest issued or merged hlc is
 * `last`: max(now, last + 1). */
uint64_t lia_hlc_next(uint64_t last, uint64_t wall_ms);

struct lia_vector_entry {
    uint64_t actor;
    uint64_t hlc;
};

struct lia_vector {
    const struct lia_vector_entry *entries;
    size_t count;
};

/* 0 when the actor is not named. O(log n). */
uint64_t lia_vector_get(struct lia_vector v, uint64_t actor);

/* The place of an actor that the vector names; its count for one that it does not. */
size_t lia_vector_index(struct lia_vector v, uint64_t actor);

/* The stamp is at or before what the vector says of its actor. */
bool lia_vector_covers(struct lia_vector v, struct lia_stamp s);

/* Every stamp within `b` is within `a`. */
bool lia_vector_geq(struct lia_vector a, struct lia_vector b);

bool lia_vector_equal(struct lia_vector a, struct lia_vector b);

/* A transaction of this stamp may write to what has this vector: it is newer than all
 * that others wrote there, and no older than what its own actor did. */
bool lia_vector_admits(struct lia_vector v, struct lia_stamp s);

/* The greatest hlc, 0 for the empty vector. */
uint64_t lia_vector_max_hlc(struct lia_vector v);

/* Entry by entry the maximum, in the arena. LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_vector_join(struct lia_arena *arena,
                                              struct lia_vector a,
                                              struct lia_vector b,
                                              struct lia_vector *out);

/* `v` with the stamp taken in. */
LIANA_MUST_CHECK liana_status lia_vector_with(struct lia_arena *arena,
                                              struct lia_vector v,
                                              struct lia_stamp s,
                                              struct lia_vector *out);

/* A distance from an hlc down to an older one; whole milliseconds are the short form
 * (docs/format/clock.md, "Distance"). Reading gives the older hlc; another form than the
 * one that is written, or a distance beyond `from`, fails the reader. */
void lia_distance_encode(struct lia_buf *buf, uint64_t from, uint64_t older);
uint64_t lia_distance_decode(struct lia_reader *r, uint64_t from);

/* Bytes of their own: for tokens, marks and messages (docs/format/clock.md, "Vector").
 * Decoding checks the rules above; LIANA_ECORRUPT. */
void lia_vector_encode(struct lia_buf *buf, struct lia_vector v);
LIANA_MUST_CHECK liana_status lia_vector_decode(struct lia_arena *arena,
                                                struct lia_reader *r,
                                                struct lia_vector *out);

#endif
