/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_TESTING_MODEL_H
#define LIA_CRDT_TESTING_MODEL_H
/*
 * crdt/testing/model - the merge law as a flat list of entries, written down as it is
 * said and not made for speed. It shares nothing with the product but BSON and stamps.
 *
 * Every entry has its whole path, rank, birth; every rule is a loop over all entries.
 *
 * Rules: paths are names joined with '/', the root is "". A document holds at most
 * MODEL_ENTRIES_MAX entries; the tests stay far below.
 * Ownership: a model document owns nothing; values live in an arena that outlives all
 * documents. Threads: one.
 */
#include "codec/decimal.h"
#include "crdt/doc.h"

#define MODEL_ENTRIES_MAX 192
#define MODEL_ACTORS_MAX  64
#define MODEL_PATH_MAX    24

struct model_rank {
    struct lia_stamp life;
    struct lia_stamp stamp;
};

struct model_sum {
    uint8_t type; /* LIA_BSON_INT32, INT64, DOUBLE or DECIMAL128 */
    int64_t integer;
    double real;
    struct lia_decimal decimal;
};

struct model_seen {
    uint64_t actor;
    struct lia_stamp start;
    struct model_sum sum;
};

/* Rights that came from one actor to another. */
struct model_grant {
    uint64_t from;
    uint64_t to;
    int64_t amount;
};

enum model_kind {
    MODEL_VALUE,
    MODEL_OPEN,     /* open(map) */
    MODEL_OPEN_SET, /* open(set) */
    MODEL_ADDED,    /* of an element and actor: the newest addition */
    MODEL_TAKEN, /* of an element and actor: the newest addition that a removal saw */
    MODEL_SHARE, /* of a creation and actor, in a bounded counter */
    MODEL_SUM
};

enum model_value { MODEL_REMOVED, MODEL_GONE, MODEL_MAP, MODEL_LEAF };

struct model_entry {
    enum model_kind kind;
    char path[MODEL_PATH_MAX];
    struct model_rank rank; /* of MODEL_TAKEN: of the addition that was seen */
    struct lia_stamp tag;
    struct lia_stamp removed; /* of MODEL_TAKEN: when */
    struct lia_stamp birth;
    uint64_t birth_index;

    enum model_value value;
    struct lia_value leaf; /* or the element */
    const struct model_seen *seen;
    size_t seen_count;

    struct lia_stamp start; /* of a sum; of a share, its creation */
    struct model_sum sum;

    int64_t bound; /* of the share of who created */
    int64_t granted;
    int64_t spent;
    const struct model_grant *grants;
    size_t grant_count;
};

struct model_doc {
    struct lia_arena *arena;                          /* of what entries point to */
    struct lia_vector_entry vector[MODEL_ACTORS_MAX]; /* by actor */
    size_t vector_count;
    struct lia_vector_entry from[MODEL_ACTORS_MAX]; /* of a segment */
    size_t from_count;
    struct lia_stamp created;
    struct lia_stamp life_tag;
    struct lia_stamp deleted;
    struct lia_stamp deleted_tag;
    struct lia_stamp withdrawn; /* by a delete over which updates win */
    struct lia_stamp withdrawn_tag;
    bool has_life; /* a segment may lack it */
    struct lia_value id;
    bool is_changed; /* set by model_apply when it did something */
    size_t count;
    struct model_entry entries[MODEL_ENTRIES_MAX];
};

static inline struct lia_vector model_vector(const struct model_doc *d)
{
    return (struct lia_vector){d->vector, d->vector_count};
}

static inline struct lia_vector model_from(const struct model_doc *d)
{
    return (struct lia_vector){d->from, d->from_count};
}

/* ---- the law: model.c ---- */

int model_rank_cmp(struct model_rank a, struct model_rank b);

/* `a` starts with `b` and is not it. */
bool model_is_below(const char *a, const char *b);

/* The greatest rank of the values above `path`, and at it if `is_inclusive`. */
struct model_rank model_cover(const struct model_doc *d,
                              const char *path,
                              bool is_inclusive);

void model_clear(struct model_doc *d);

/* Only the entries that there are. */
void model_copy(struct model_doc *to, const struct model_doc *from);

/* The entry of the same place: kind and path; of sums and elements, also the actor; of
 * elements, also the value. */
struct model_entry *model_find(struct model_doc *d, const struct model_entry *like);

/* Adds or replaces: the greater entry stays, unless `is_local`. */
void model_put(struct model_doc *d, const struct model_entry *e, bool is_local);
void model_remove(struct model_doc *d, size_t index);
void model_normalize(struct model_doc *d);
void model_see(struct model_doc *d, struct lia_stamp s);

/* It has a life, and something is newer than `withdrawn`. */
bool model_exists(const struct model_doc *d);

/* The entries of both, whatever the vectors say. */
void model_unite(struct model_doc *d, const struct model_doc *s);

/* False: nothing is counted under such a tag. */
bool model_retag(struct model_doc *d, const struct lia_retag *how);

/* Stamps of the old actor become others, and tags the new actor's. One that `how` does not
 * list, because nothing is left of its write, becomes what the one before it does. */
void model_restamp(struct model_doc *d, const struct lia_restamp *how);
/* False: it stays. */
bool model_restamp_stamp(struct lia_stamp *s, const struct lia_restamp *how);

/* False: a gap. */
bool model_merge(struct model_doc *d, const struct model_doc *segment);
void model_segment(const struct model_doc *d,
                   struct lia_vector from,
                   struct model_doc *out);
bool model_compose(struct model_doc *first, const struct model_doc *second);

/* ---- what is shown: model_view.c ---- */

enum model_shown {
    MODEL_NOTHING,
    MODEL_SHOWS_LEAF,
    MODEL_SHOWS_MAP,
    MODEL_SHOWS_SET,
    MODEL_SHOWS_BOUNDED
};

/* `scratch` holds a computed number. */
enum model_shown model_show(const struct model_doc *d,
                            const char *path,
                            struct lia_scratch *scratch,
                            struct lia_value *out);
/* The element is in the set at the path. */
bool model_has(const struct model_doc *d, const char *path, struct lia_value element);
/* What the actor may spend of the bounded counter at the path; with a creation, of that
 * one alone. */
int64_t model_rights(const struct model_doc *d,
                     const char *path,
                     uint64_t actor,
                     const struct lia_stamp *creation);
/* False: nothing is left there. */
bool model_birth(const struct model_doc *d,
                 const char *path,
                 struct lia_stamp *out,
                 uint64_t *out_index);
/* The whole document; nothing if it does not exist. */
void model_body(const struct model_doc *d, struct lia_buf *out);

/* ---- numbers: model_sum.c ---- */

int model_sum_cmp(struct model_sum a, struct model_sum b);
struct model_sum model_sum_of(struct lia_value v);
struct model_sum model_sum_add(struct model_sum a, struct model_sum b);
struct model_sum model_sum_negate(struct model_sum s);
struct lia_value model_sum_value(struct model_sum s, struct lia_scratch *scratch);

/* ---- operations: model_op.c ---- */

/* One operation of a transaction; the document is unchanged on failure. `before_delete`
 * keeps what a DELETE of the transaction took away. */
liana_status model_apply(struct model_doc *d,
                         struct model_doc *before_delete,
                         const struct lia_op *op,
                         struct lia_stamp stamp);

#endif
