/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_STATE_H
#define LIA_CRDT_STATE_H
/*
 * crdt/state - a document, or a part of one, as a tree in memory.
 *
 * The tree is as deep as somebody looked: what has nothing special to say stays a *run*,
 * sibling elements as they stand in the body, with one rank and births that go on as
 * their offsets do. Only what the clock lists, or what an operation or a merge touches,
 * becomes a *node*.
 *
 *     root -- run {_id is kept apart}   "a": 1, "b": {...}, "c": 3
 *          -- node "n"                  a counter with its sums
 *          -- run                       "x": 7, "y": 8
 *          -- node "gone"               a removal; the body shows nothing of it
 *
 * Rules: a map's pieces that are shown are in the order of the body; the others follow
 * anywhere. A name stands in one piece only. A run is not empty.
 * Ownership: nodes and pieces are the arena's and belong to one state; bytes are borrowed
 * from the inputs. Threads: one.
 *
 * Memory: functions that can run out of it answer false or NULL and leave the reason in
 * `work->status`.
 */
#include "crdt/doc.h"
#include "crdt/mutant.h"
#include "crdt/sum.h"

struct lia_work {
    struct lia_arena *arena;
    liana_status status;
    bool is_clamped; /* set by lia_arrange: an integer that is shown */
    struct liana_error *err;
};

/* Of an entry: what decides between it and others, and the stamp under which version
 * vectors count it. The tag is the entry's own stamp, unless a repair has renewed it
 * (lia_doc_retag); it never decides. */
struct lia_rank {
    struct lia_stamp life;
    struct lia_stamp stamp;
    struct lia_stamp tag;
};

/* Orders the fields of a map. `index` is the offset of the element in the document that
 * made the path appear (docs/adr/0020). */
struct lia_birth {
    struct lia_stamp stamp;
    uint64_t index;
};

#define LIA_BIRTH_INDEX_MAX ((UINT64_C(1) << 48) - 1)

enum lia_value_kind {
    LIA_VALUE_NONE,
    LIA_VALUE_REMOVED, /* by a removal at this path */
    LIA_VALUE_GONE,    /* by a write above, which saw sums here (docs/adr/0021) */
    LIA_VALUE_MAP,     /* `{}`: a map begins here */
    LIA_VALUE_LEAF     /* a scalar, an array, or an object kept whole */
};

/* The total of an actor, as an assignment or removal saw it. */
struct lia_seen {
    uint64_t actor;
    struct lia_stamp start;
    struct lia_sum sum;
};

/* The total of an actor's increments; the actor is that of the rank's stamp. */
struct lia_cell {
    struct lia_stamp start; /* the life in which it began from nothing */
    struct lia_rank rank;
    struct lia_birth birth;
    struct lia_sum sum;
};

struct lia_set;
struct lia_bounded;

enum lia_shown {
    LIA_SHOWN_NOTHING,
    LIA_SHOWN_LEAF,
    LIA_SHOWN_MAP,
    LIA_SHOWN_SET,
    LIA_SHOWN_BOUNDED /* a number, in `leaf` */
};

/* What lia_view has found out; valid until the node or something below it changes. */
struct lia_view {
    enum lia_shown shown;
    struct lia_value leaf;
    bool is_inside;        /* an inside entry of the maps above */
    bool is_leaf_of_value; /* the leaf is the value's own, not a computed number */
    bool is_clamped;       /* the number is not the whole truth */
    bool is_left_out;      /* by lia_fit */
    struct lia_birth
        birth; /* the smallest at or below; LIA_BIRTH_NEVER if there is none */
    struct lia_rank newest;   /* the greatest of the inside entries at or below */
    struct lia_rank shown_by; /* of a container: the greatest that makes it its kind */
};

struct lia_piece;

struct lia_node {
    struct liana_str name;

    enum lia_value_kind value;
    struct lia_rank rank;   /* of the value */
    struct lia_birth birth; /* of the value, unless it is gone or at the root */
    struct lia_value leaf;
    const struct lia_seen *seen; /* by actor */
    size_t seen_count;

    bool is_open; /* open(map) */
    struct lia_rank open_rank;
    struct lia_birth open_birth;

    struct lia_cell *cells; /* by actor */
    size_t cell_count;

    struct lia_set *set;         /* NULL: none */
    struct lia_bounded *bounded; /* NULL: none */

    struct lia_piece *children;

    struct lia_view view;
    /* Set by lia_arrange. */
    size_t size; /* of the element in the body; 0 if nothing is shown */
    bool is_plain;
    struct lia_rank plain_rank;
    struct lia_birth plain_birth; /* of the first byte */
};

/* A node, or a run: whole elements and the rank and birth of their first byte. */
struct lia_piece {
    struct lia_piece *next;
    struct lia_node *node;
    struct liana_slice bytes;
    struct lia_rank rank;
    struct lia_birth birth;
};

struct lia_state {
    struct lia_vector vector; /* a segment's `to` */
    struct lia_vector from;   /* of a segment; empty for a whole copy */
    struct lia_stamp
        created; /* none when the newest life is not newer than `deleted` */
    struct lia_stamp created_tag; /* see lia_rank; so for the deletes */
    struct lia_stamp deleted;
    struct lia_stamp deleted_tag;
    struct lia_stamp withdrawn; /* the greatest delete over which updates win */
    struct lia_stamp withdrawn_tag;
    /* As read, or found by lia_clock_write. */
    bool is_hidden;  /* withdrawn, and nothing is newer */
    bool is_clamped; /* an integer is shown as the nearest int64 */
    bool is_cut;     /* values are left out of the body, which is too large with them */
    size_t whole_bytes;    /* of the body with them; not read */
    struct liana_slice id; /* the _id element; empty in a segment without the life */
    struct lia_node root;
};

/* ---- order ---- */

#define LIA_RANK_NONE                                                                  \
    ((struct lia_rank){LIA_STAMP_NONE, LIA_STAMP_NONE, LIA_STAMP_NONE})
#define LIA_BIRTH_NEVER ((struct lia_birth){{UINT64_MAX, UINT64_MAX}, UINT64_MAX})

/* Of what is written now: its tag is its stamp. */
static inline struct lia_rank lia_rank_of(struct lia_stamp life, struct lia_stamp stamp)
{
    return (struct lia_rank){life, stamp, stamp};
}

static inline int lia_rank_cmp(struct lia_rank a, struct lia_rank b)
{
    int order = LIA_MUTANT(1) ? 0 : lia_stamp_cmp(a.life, b.life);

    return order ? order : lia_stamp_cmp(a.stamp, b.stamp);
}

/* The tag too. */
static inline bool lia_rank_is_same(struct lia_rank a, struct lia_rank b)
{
    return lia_stamp_cmp(a.life, b.life) == 0 && lia_stamp_cmp(a.stamp, b.stamp) == 0 &&
           lia_stamp_cmp(a.tag, b.tag) == 0;
}

static inline struct lia_rank lia_rank_max(struct lia_rank a, struct lia_rank b)
{
    return lia_rank_cmp(a, b) >= 0 ? a : b;
}

/* `rank` is covered by `cover`: equal rank is not. */
static inline bool lia_rank_is_covered(struct lia_rank rank, struct lia_rank cover)
{
    return LIA_MUTANT(5) ? lia_rank_cmp(rank, cover) <= 0
                         : lia_rank_cmp(rank, cover) < 0;
}

static inline int lia_birth_cmp(struct lia_birth a, struct lia_birth b)
{
    int order = lia_stamp_cmp(a.stamp, b.stamp);

    return order ? order : (a.index > b.index) - (a.index < b.index);
}

static inline struct lia_birth lia_birth_min(struct lia_birth a, struct lia_birth b)
{
    return lia_birth_cmp(a, b) <= 0 ? a : b;
}

static inline struct lia_birth lia_birth_at(struct lia_birth start, uint64_t offset)
{
    start.index += offset;
    return start;
}

/* ---- the tree: tree.c ---- */

/* An empty node of the name, in a piece of its own. */
struct lia_piece *lia_node_new(struct lia_work *work, struct liana_str name);

struct lia_piece *lia_run_new(struct lia_work *work,
                              struct liana_slice bytes,
                              struct lia_rank rank,
                              struct lia_birth birth);

/* The child of the name, made a node out of its run if need be, or NULL: not there, or
 * out of memory (see work->status). */
struct lia_node *lia_node_child(struct lia_work *work,
                                struct lia_node *parent,
                                struct liana_str name);

/* Puts a piece at the end of the map. */
void lia_node_append(struct lia_node *parent, struct lia_piece *piece);

/* Cuts a run in two at `offset`, the start of one of its elements but the first. */
bool lia_run_cut(struct lia_work *work, struct lia_piece *run, size_t offset);

/* Every run of the map becomes one run for each of its elements. */
bool lia_node_split(struct lia_work *work, struct lia_node *parent);

/* Makes the one element of a run a node, in place. */
bool lia_piece_expand(struct lia_work *work, struct lia_piece *piece);

/* The name of a node's piece, or of the first element of a run. */
struct liana_str lia_piece_name(const struct lia_piece *piece);

/* The birth of the first leaf of a run, the smallest there is in it. */
struct lia_birth lia_run_birth(const struct lia_piece *run);

/* How deep documents, arrays and scopes are nested in a value that has been checked. */
unsigned lia_value_nesting(struct lia_value v);

/* Nothing at all is left in the node. */
bool lia_node_is_empty(const struct lia_node *node);

/* ---- what is shown: view.c, order.c ---- */

/* Fills `view` of the node and all nodes below. `cover`: the greatest rank of the values
 * above. Cost: the nodes below, not their runs. */
bool lia_view(struct lia_work *work, struct lia_node *node, struct lia_rank cover);

/* What the value of the node has not seen of a sum there; false: nothing. */
bool lia_cell_unseen(const struct lia_node *node,
                     const struct lia_cell *cell,
                     struct lia_sum *out);

/* After lia_view: puts the pieces into the order of the body, and finds sizes and what
 * is plain, for the node and all below. */
bool lia_arrange(struct lia_work *work, struct lia_node *node);

/* After lia_arrange: leaves values out until the body has at most `bytes`, those of the
 * least rank first: fit.c. */
bool lia_fit(struct lia_work *work, struct lia_state *state, size_t bytes);

/* The length of the body, after lia_arrange. */
size_t lia_body_size(const struct lia_state *state);

/* ---- entries, whatever their kind: entry.c ---- */

enum lia_entry_kind {
    LIA_ENTRY_VALUE,
    LIA_ENTRY_OPEN, /* of a map or a set */
    LIA_ENTRY_SUM,
    LIA_ENTRY_SLOT,  /* of an element of a set */
    LIA_ENTRY_SHARE, /* in a bounded counter */
    LIA_ENTRY_RUN    /* of all leaves of a run */
};

/* The names of a path, innermost first. */
struct lia_trail {
    const struct lia_trail *up;
    struct liana_str name;
};

/* The names from the root on, in the arena. */
bool lia_trail_path(struct lia_work *work,
                    const struct lia_trail *trail,
                    struct lia_path *out);

struct lia_entry {
    enum lia_entry_kind kind;
    const struct lia_trail *trail; /* of its path, a run's of the map */
    struct lia_rank *rank;
    struct lia_stamp begun;   /* which, in the life of the rank, decides on cover */
    struct lia_stamp written; /* when something was written here last */
    struct lia_stamp named;   /* one more stamp that it names, or none */
    const struct lia_birth *birth; /* NULL: of no concern to the order of fields */
    bool is_loss;                  /* if it goes, `value`, `bytes` or a sum go */
    struct lia_value value;        /* LIA_BSON_END: a removal */
    struct liana_slice bytes;      /* of a run */
    const struct lia_node *node;   /* of a value or a sum */
    const struct lia_cell *cell;   /* of a sum */
};

static inline bool lia_entry_is_removal(const struct lia_entry *entry)
{
    return entry->kind == LIA_ENTRY_VALUE && entry->value.type == LIA_BSON_END;
}

/* False: the entry is dropped. It may change the tag. */
typedef bool (*lia_entry_fn)(void *ctx, const struct lia_entry *entry);

/* Calls for every entry of the node itself, the value first; of the node and all below;
 * lia_node_filter answers whether anything is left. */
void lia_node_each(struct lia_node *node,
                   const struct lia_trail *trail,
                   lia_entry_fn keep,
                   void *ctx);
bool lia_node_filter(struct lia_node *node,
                     const struct lia_trail *trail,
                     lia_entry_fn keep,
                     void *ctx);

/* ---- the law: drop.c, join.c ---- */

/* The greatest of `cover` and the rank of the node's own value. */
struct lia_rank lia_cover_with(struct lia_rank cover, const struct lia_node *node);

/* A join on its way, and what to tell of it. */
struct lia_join {
    struct lia_work *work;
    const struct lia_watch *watch; /* NULL: nobody asks */
    struct lia_vector a;
    struct lia_vector b;
    struct lia_stamp withdrawn_a;
    struct lia_stamp withdrawn_b;
};

/* Drops what `cover`, the rank of a value above, covers of the node: of itself; of all
 * its subtree, with what values inside cover; of a piece, false when nothing is left.
 * `join` NULL: nobody is told. */
void lia_node_cover_own(const struct lia_join *join,
                        const struct lia_trail *trail,
                        struct lia_node *node,
                        struct lia_rank cover);
void lia_node_cover(const struct lia_join *join,
                    const struct lia_trail *trail,
                    struct lia_node *node,
                    struct lia_rank cover);
bool lia_piece_cover(const struct lia_join *join,
                     const struct lia_trail *trail,
                     struct lia_piece *piece,
                     struct lia_rank cover);

/* Drops the entries whose life is not newer than `deleted`. */
void lia_node_void(const struct lia_join *join,
                   struct lia_node *node,
                   struct lia_stamp deleted);

/* An entry gives way to `winner`: tells who watches, if neither side had seen both. The
 * same for one whose life was deleted, of which its side did not know. `join` may be
 * NULL. */
void lia_join_lose(const struct lia_join *join,
                   const struct lia_entry *loser,
                   struct lia_rank winner);
void lia_join_lose_life(const struct lia_join *join,
                        const struct lia_entry *loser,
                        struct lia_stamp deleted);

/* The older of two values at one path, before it goes. */
void lia_join_lose_value(const struct lia_join *join,
                         const struct lia_trail *trail,
                         const struct lia_node *loser,
                         const struct lia_node *winner);

/* Tells of what the join has left in `state`, and the state does not show. */
void lia_join_lose_hidden(const struct lia_join *join, struct lia_state *state);

/* Joins what stands at the path of the two nodes, not what is below. */
bool lia_node_join_own(const struct lia_join *join,
                       const struct lia_trail *trail,
                       struct lia_node *a,
                       const struct lia_node *b);

/* Joins the entries of `b` into `a`; `b` is used up. No values stand above them. */
bool lia_node_join(const struct lia_join *join, struct lia_node *a, struct lia_node *b);

/* Joins `b` into `a`; `b` is used up. Vectors are joined too, `from` is a's. `watch` may
 * be NULL. */
bool lia_state_join(struct lia_work *work,
                    struct lia_state *a,
                    struct lia_state *b,
                    const struct lia_watch *watch);

/* When something at the node or below was written last, or `least` if that is greater. */
struct lia_stamp lia_node_newest(struct lia_node *node, struct lia_stamp least);

/* The greater of its life and of what was written last. */
struct lia_stamp lia_state_newest(struct lia_state *state);

/* Nothing in the state was written after it was withdrawn. */
bool lia_state_is_hidden(struct lia_state *state);

/* Renews tags (lia_doc_retag); false: none was to be. */
bool lia_state_retag(struct lia_state *state, const struct lia_retag *how);

/* Keeps the entries whose tag is not within `from`. */
void lia_state_cut(struct lia_state *state, struct lia_vector from);

#endif
