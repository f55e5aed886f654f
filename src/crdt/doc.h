/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_DOC_H
#define LIA_CRDT_DOC_H
/*
 * crdt/doc - what can be done with one document: local operations, segments, merging.
 *
 * A stored document is two byte strings: the body (BSON, what the app sees; empty for a
 * tombstone) and the clock (everything else: life, ranks, births, sums, version vector;
 * docs/format/clock.md). A segment is what travels: every entry whose tag is within its
 * vector `to` and not within `from`. A whole copy is the segment with `from` empty.
 *
 * The law is design page 10, "Merge law". Checked by laws_test.c over generated histories:
 *   merge commutes, associates, is idempotent;
 *   equal version vectors give byte-equal clocks and bodies, on every route;
 *   the encoding is a function of the state: no two encodings of one state.
 *
 * Rules: inputs may come from a hostile peer where the comment says "checked"; elsewhere
 * they come from the store and LIANA_ECORRUPT means that the store is damaged. The values
 * of operations have passed lia_bson_check. Statuses: LIANA_ENOMEM, LIANA_ETOOLARGE,
 * LIANA_EDEPTH everywhere.
 * Ownership: inputs are borrowed; outputs live in the arena, or are the inputs themselves.
 * Threads: any. No state, no clock, no I/O.
 */
#include "codec/bson.h"
#include "crdt/stamp.h"

/* No row: both slices empty. A tombstone: a clock and no body. */
struct lia_doc {
    struct liana_slice body;
    struct liana_slice clock;
};

struct lia_path {
    const struct liana_str *names;
    size_t count;
};

/* `created` is the greatest life. The document exists when created > deleted, and when
 * something in it is newer than `withdrawn`. */
struct lia_doc_info {
    struct lia_stamp created;
    struct lia_stamp created_tag; /* under which vectors and marks count that life */
    struct lia_stamp deleted;     /* the greatest delete that wins */
    struct lia_stamp withdrawn;   /* the greatest delete over which updates win */
    struct lia_vector vector;
    uint64_t
        oldest; /* if it exists: the hlc of the oldest stamp that it names beside the
                      * vector, a life's, a delete's or an entry's */
    bool exists;
    bool is_clamped; /* an integer counter is beyond int64 and shown as the nearest */
    bool is_cut;     /* the body leaves out values, LIANA_ETOOLARGE with them */
};

/* Reads the head of a clock and its stamps, without its entries. An empty clock gives an empty info. */
LIANA_MUST_CHECK liana_status lia_doc_info(struct lia_arena *arena,
                                           struct liana_slice clock,
                                           struct lia_doc_info *out);

/* The greater of its life and of what was written last in it: what a delete over which updates
 * win has to reach. Cost: the document's entries. */
LIANA_MUST_CHECK liana_status lia_doc_newest(struct lia_arena *arena,
                                             struct lia_doc doc,
                                             struct lia_stamp *out,
                                             struct liana_error *err);

/* A life, and under which tag vectors and marks count it. */
struct lia_life {
    struct lia_stamp stamp;
    struct lia_stamp tag;
};

/* The lives before its own of which a living document has something left, in the arena:
 * INSERTs that knew nothing of each other. The tag is that of what the life's INSERT has
 * left; or, where its author has had to go by another name since, of what else of the author is left in
 * it: marks of the former name say nothing of it; or else its stamp. Cost: as above. */
LIANA_MUST_CHECK liana_status lia_doc_lives(struct lia_arena *arena,
                                            struct lia_doc doc,
                                            const struct lia_life **out,
                                            size_t *out_count,
                                            struct liana_error *err);

enum lia_flag {
    LIA_FLAG_CLAMPED, /* as is_clamped */
    LIA_FLAG_CUT      /* the body leaves this out; it is not lost */
};

/* Called for each path; what it is given is valid for the call. */
struct lia_flag_watch {
    void (*flagged)(void *ctx, struct lia_path path, enum lia_flag flag);
    void *ctx;
};

/* Why a document is clamped or cut, and how large its body were with all that it leaves
 * out. Cost: the document is taken apart. */
LIANA_MUST_CHECK liana_status lia_doc_flagged(struct lia_arena *arena,
                                              struct lia_doc doc,
                                              const struct lia_flag_watch *watch,
                                              size_t *out_bytes,
                                              struct liana_error *err);

/* The newest write at a path or below it; of what is not there the one that removed it, if that
 * is still known, or the one that made the document. Cost: as lia_doc_newest. */
LIANA_MUST_CHECK liana_status lia_doc_written(struct lia_arena *arena,
                                              struct lia_doc doc,
                                              struct lia_path path,
                                              struct lia_stamp *out,
                                              struct liana_error *err);

/* Full validation of a stored document: the clock decodes, is canonical, and fits the body. */
LIANA_MUST_CHECK liana_status lia_doc_check(struct lia_arena *arena,
                                            struct lia_doc doc,
                                            struct liana_error *err);

/* ---- local operations ---- */

enum lia_op_kind {
    LIA_OP_INSERT,    /* value: the document; an error when it exists */
    LIA_OP_REPLACE,   /* value: the document; SET at the root */
    LIA_OP_SET,       /* path, value; a document value replaces what is below */
    LIA_OP_UNSET,     /* path; nothing if the path shows nothing */
    LIA_OP_INCREMENT, /* path, value: a number */
    LIA_OP_ADD,    /* path, value: an element of the set there, which may begin here */
    LIA_OP_REMOVE, /* path, value: an element; nothing if it is not in the set */
    /* A counter that does not fall below `bound` begins, at a path that shows nothing;
     * value: how much, an integer. INCREMENT by what is below 0 spends rights of the
     * writing actor (LIANA_ERIGHTS when it has less), by what is above gives it some. No
     * value can be assigned to the path nor removed from it. */
    LIA_OP_BOUND,
    LIA_OP_TRANSFER, /* path, value: as many rights of the writer become `actor`'s */
    LIA_OP_RECLAIM,  /* path: all rights that the retired `actor` had left are the
                      * writer's. The caller sees to it that the actor writes no more,
                      * that the document has all that it wrote, and that no other peer
                      * does the same. */
    LIA_OP_RESTART,  /* path, value: a number, assigned where a number is or nothing */
    LIA_OP_DELETE    /* nothing if the document does not exist */
};

/* What a written value becomes where the value alone does not say it. */
enum lia_shape_kind {
    LIA_SHAPE_SET,      /* an array becomes a set; another type is LIANA_ETYPE */
    LIA_SHAPE_REGISTER, /* an object is kept whole; other types are what they are anyway */
    LIA_SHAPE_BOUNDED /* a whole number becomes a counter that does not fall below `bound`,
                       * as by LIA_OP_BOUND; another type is LIANA_ETYPE */
};

/* For INSERT, REPLACE and SET: of what is written at this path, from the root, wherever in
 * the value it stands. For ADD and REMOVE: an array at their path is a set from now on.
 * No path lies below another's. An array that is written where a set
 * is shown goes on as that set without being asked for. */
struct lia_shape {
    struct lia_path path;
    enum lia_shape_kind kind;
    int64_t bound; /* of a BOUNDED */
};

/* What a DELETE does to updates that it has not seen; it travels with the DELETE. */
enum lia_delete_mode {
    LIA_DELETE_WINS, /* they are void */
    LIA_UPDATE_WINS  /* a newer one brings the document back, whole */
};

struct lia_op {
    enum lia_op_kind kind;
    enum lia_delete_mode mode; /* of a DELETE */
    struct lia_path path;
    struct lia_value value;
    const struct lia_shape *shapes;
    size_t shape_count;
    /* Of a DELETE: what it takes effect at, no newer than what the document has seen; none:
     * its own stamp. So a verdict, a transaction of its own, ends the life that it is about
     * and no later one (crdt/keep.h). */
    struct lia_stamp effect;
    int64_t bound;  /* of a BOUND */
    uint64_t actor; /* of a TRANSFER or RECLAIM */
};

/* Applies `count` operations in order under one stamp, all of them or none. The stamp is
 * newer than all that the document has seen, or that of the same transaction: operations
 * of one transaction may come in several calls, and the result is the net effect, as if
 * each path had been written once. One thing cannot be seen from the document alone: an
 * INSERT into what the same transaction deleted is a replace. In one call it is taken
 * care of; across calls the caller keeps the document as it was before the DELETE and
 * applies LIA_OP_REPLACE to it (an INSERT on a tombstone of its own stamp is
 * LIANA_EMISUSE).
 * `*out` equals `before` (same slices) when nothing changed.
 * LIANA_EEXISTS (INSERT), LIANA_ENOTFOUND (others on a document that does not exist),
 * LIANA_ETYPE (increment of what is no number, an element of what is no set, a path
 * through what has no fields; names the path), LIANA_EID (no _id, or a change of it; REPLACE may leave it out),
 * LIANA_ETOOLARGE (beyond LIA_DOC_BYTES_MAX, with what the body leaves out, and not
 * smaller than before), LIANA_ECLOCK (a stamp that is not newer). */
LIANA_MUST_CHECK liana_status lia_doc_apply(struct lia_arena *arena,
                                            struct lia_doc before,
                                            const struct lia_op *ops,
                                            size_t count,
                                            struct lia_stamp stamp,
                                            struct lia_doc *out,
                                            struct liana_error *err);

/* A bounded counter: what it shows (also when that is beyond int64: the nearest), its
 * bound, and what of it the actor may spend. */
struct lia_bounded_info {
    int64_t value;
    int64_t bound;
    int64_t rights;
};

/* LIANA_ETYPE if the path shows something else, LIANA_ENOTFOUND if nothing. */
LIANA_MUST_CHECK liana_status lia_doc_bounded(struct lia_arena *arena,
                                              struct lia_doc doc,
                                              struct lia_path path,
                                              uint64_t actor,
                                              struct lia_bounded_info *out,
                                              struct liana_error *err);

/* What an actor may spend; below 0: it was taken back, and then more came that it had spent. */
struct lia_rights {
    uint64_t actor;
    int64_t amount;
};

/* What everybody may spend of a bounded counter, by actor ascending, in the arena; who has nothing is
 * left out. As above. */
LIANA_MUST_CHECK liana_status lia_doc_rights(struct lia_arena *arena,
                                             struct lia_doc doc,
                                             struct lia_path path,
                                             const struct lia_rights **out,
                                             size_t *out_count,
                                             struct liana_error *err);

/* An INITIAL document: what `insert`, an INSERT, makes of itself under the stamp that
 * its content has (docs/format/clock.md, "Initial documents"). Equal content in equal
 * collections is one write, whoever makes it; the document is merged like a peer's
 * (lia_doc_segment from nothing, lia_doc_merge), into what is there or was deleted. */
LIANA_MUST_CHECK liana_status lia_doc_initial(struct lia_arena *arena,
                                              struct liana_str collection,
                                              const struct lia_op *insert,
                                              struct lia_doc *out,
                                              struct lia_stamp *out_stamp,
                                              struct liana_error *err);

/* ---- segments ---- */

/* What can be read of an encoded segment without its entries. */
struct lia_segment_info {
    struct lia_vector from;
    struct lia_vector to;
    struct lia_stamp created;
    struct lia_stamp created_tag;
    struct lia_stamp deleted;
    struct lia_stamp withdrawn;
};

/* Encodes what `doc` has beyond `from`. `from` need not be within the document's vector:
 * the segment's own `from` is what the two have in common. */
LIANA_MUST_CHECK liana_status lia_doc_segment(struct lia_arena *arena,
                                              struct lia_doc doc,
                                              struct lia_vector from,
                                              struct liana_slice *out);

/* Checked: the head of a segment from a peer. */
LIANA_MUST_CHECK liana_status lia_segment_info(struct lia_arena *arena,
                                               struct liana_slice segment,
                                               struct lia_segment_info *out,
                                               struct liana_error *err);

/* What a merge discards, or keeps where nobody sees it: the value of a write that one
 * side had and the other had not seen, for a write of which the same can be said. */
struct lia_loser {
    struct lia_path path;
    struct lia_value value; /* LIA_BSON_END: a removal; of increments, what those of the
                             * stamp's actor came to since the value there was assigned */
    struct lia_stamp stamp;
    struct lia_stamp winner;
};

/* What the actor has stamped later, another history of its store may have stamped too. */
struct lia_doubt {
    uint64_t actor;
    uint64_t beyond;
};

/* Called within a merge; what it is given is valid for the call. */
struct lia_watch {
    void (*lost)(void *ctx, const struct lia_loser *loser);
    void *ctx;
    /* Of a heal: whoever says that it has what is in doubt may have seen the other. So of an
     * increment of both histories the older total is told. */
    const struct lia_doubt *doubts;
    size_t doubt_count;
};

/* Checked: joins a segment into a document (an empty one: no row yet). `*out` is `doc` itself
 * when the segment brings nothing new.
 * LIANA_EGAP when the document's vector does not cover the segment's `from`; LIANA_EPROTOCOL
 * when the segment is malformed. */
LIANA_MUST_CHECK liana_status lia_doc_merge(struct lia_arena *arena,
                                            struct lia_doc doc,
                                            struct liana_slice segment,
                                            struct lia_doc *out,
                                            struct liana_error *err);

/* The same, and `watch` is told of what is lost. Peers that merge two branches themselves
 * learn of it, those that are given the joined state do not. */
LIANA_MUST_CHECK liana_status lia_doc_merge_watched(struct lia_arena *arena,
                                                    struct lia_doc doc,
                                                    struct liana_slice segment,
                                                    const struct lia_watch *watch,
                                                    struct lia_doc *out,
                                                    struct liana_error *err);

/* Tells `watch` what a DELETE that wins and takes effect at `deleted` makes void in the
 * document, of what is not within `seen`: as lost to `by`. A verdict's (crdt/keep.h) is that of a delete long ago,
 * which had seen what was there then. Cost: the document's entries. */
LIANA_MUST_CHECK liana_status lia_doc_voids(struct lia_arena *arena,
                                            struct lia_doc doc,
                                            struct lia_stamp deleted,
                                            struct lia_vector seen,
                                            struct lia_stamp by,
                                            const struct lia_watch *watch,
                                            struct liana_error *err);

/* ---- repair: a store that was rolled back or copied ----
 *
 * Its actor has written twice under one stamp, or will have, so that vectors say of it
 * what is not so. It takes a new actor, and every entry of the old one beyond the last
 * stamp that both histories have is counted under a tag of the new actor. So is every
 * delete. Ranks stay:
 * nothing shown changes, nobody else wins; but vectors do not cover the new tags, so that
 * every peer gets what it lacks of either history. */
struct lia_retag {
    uint64_t actor;       /* the old one */
    uint64_t beyond;      /* the hlc that both histories have */
    struct lia_stamp tag; /* of the new actor: of the transaction that does it */
};

/* Renews the tags of what the store holds. `*out` is `doc` when there are none. LIANA_ECLOCK
 * when the new tag is not newer than all that the document has seen. */
LIANA_MUST_CHECK liana_status lia_doc_retag(struct lia_arena *arena,
                                            struct lia_doc doc,
                                            const struct lia_retag *how,
                                            struct lia_doc *out,
                                            struct liana_error *err);

/* Counts the tag in the document's vector, though no entry has it: for a vector that says more
 * of the old actor than others may believe they need, where all that it stands for was
 * written over. LIANA_ECLOCK as above. */
LIANA_MUST_CHECK liana_status lia_doc_count(struct lia_arena *arena,
                                            struct lia_doc doc,
                                            struct lia_stamp tag,
                                            struct lia_doc *out,
                                            struct liana_error *err);

/* Checked: as lia_doc_merge, of a segment that was asked for with `beyond` for the old
 * actor, whatever else the vector of the document says; then the tags of what came are
 * renewed too. */
LIANA_MUST_CHECK liana_status lia_doc_heal(struct lia_arena *arena,
                                           struct lia_doc doc,
                                           struct liana_slice segment,
                                           const struct lia_retag *how,
                                           struct lia_doc *out,
                                           struct liana_error *err);

/* The same, and `watch` is told of what is lost. */
LIANA_MUST_CHECK liana_status lia_doc_heal_watched(struct lia_arena *arena,
                                                   struct lia_doc doc,
                                                   struct liana_slice segment,
                                                   const struct lia_retag *how,
                                                   const struct lia_watch *watch,
                                                   struct lia_doc *out,
                                                   struct liana_error *err);

/* ---- repair: a store whose clock was ahead ----
 *
 * What it has written and no peer has acknowledged gets other stamps, in the same order, as
 * if its clock had been right. The old actor writes no more. New stamps are counted under
 * tags of the new actor, so that who has seen some of it all the same gets what it lacks. */
struct lia_restamp {
    uint64_t actor; /* the old one */
    uint64_t new_actor;
    const uint64_t *from; /* its hlcs that are to go, ascending, each once */
    size_t count;
    uint64_t first; /* what the first of them becomes; the others follow. Later than all
                     * that the store has seen but them, and earlier than they are. */
};

/* Appends the hlcs (u64, in any order, some more than once) that the document names of the
 * actor beyond `beyond`. */
LIANA_MUST_CHECK liana_status lia_doc_stamps(struct lia_arena *arena,
                                             struct lia_doc doc,
                                             uint64_t actor,
                                             uint64_t beyond,
                                             struct lia_buf *out,
                                             struct liana_error *err);

/* `*out` is `doc` when it names none of them. Nothing shown changes. LIANA_ECLOCK: others have
 * written to the document as late as `first`. LIANA_EMISUSE: `from` lacks one of its stamps. */
LIANA_MUST_CHECK liana_status lia_doc_restamp(struct lia_arena *arena,
                                              struct lia_doc doc,
                                              const struct lia_restamp *how,
                                              struct lia_doc *out,
                                              struct liana_error *err);

/* Checked: composes two segments of one document, `first.to` covering `second.from`, without
 * the document. LIANA_EGAP, LIANA_EPROTOCOL. */
LIANA_MUST_CHECK liana_status lia_segment_compose(struct lia_arena *arena,
                                                  struct liana_slice first,
                                                  struct liana_slice second,
                                                  struct liana_slice *out,
                                                  struct liana_error *err);

/* The version digest (design page 40, V7): 32 bytes of BLAKE2b over key, created, deleted,
 * scope and vector. Equal digests, equal copies. */
#define LIA_DIGEST_BYTES 32
LIANA_MUST_CHECK liana_status lia_doc_digest(struct liana_slice key,
                                             struct liana_slice clock,
                                             uint8_t out[static LIA_DIGEST_BYTES]);

#endif
