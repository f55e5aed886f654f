/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_TESTING_KEEP_WORLD_H
#define LIA_CRDT_TESTING_KEEP_WORLD_H
/*
 * crdt/testing/keep_world - stores that hold, drop, meet and remember, as naively as can
 * be said. The decisions are the product's (crdt/keep.h).
 *
 * The world knows everything: every commit ever made, and of every copy the set of
 * commits that it reflects. From that it says whether what stores believe is true.
 * Documents have a life, a delete, updates and one value, the group that predicates ask
 * for. Marks and evicted vectors are kept as the product's, in dense arrays.
 *
 *     keep_world.c    stores, rows and commits
 *     keep_write.c    local writes
 *     keep_meet.c     one store pulls from another
 *     keep_fall.c     a store that falls back and does not know
 *     keep_check.c    what must hold after every step, and at rest
 *     keep_history.c  random histories
 *
 * Ownership: the world owns all of it. Threads: one history at a time.
 */
#include <stdint.h>

#include "base/testing/random.h"
#include "crdt/keep.h"
#include "crdt/testing/keep_history.h"

#define KEEP_STORES  7
#define KEEP_KEYS    4
#define KEEP_ACTORS  64
#define KEEP_COMMITS 192

#define KEEP_UPDATE_WINS_KEY 2 /* the others: `delete wins` */
#define KEEP_SEEDED_KEY      3 /* may be inserted as INITIAL */

enum keep_role { KEEP_KEEPER, KEEP_PLAIN, KEEP_RETAINING, KEEP_FILTERED };

enum keep_kind { KEEP_INSERT, KEEP_UPDATE, KEEP_DELETE, KEEP_VERDICT, KEEP_RETAG };

struct keep_set {
    uint64_t bits[KEEP_COMMITS / 64];
};

struct keep_dense {
    uint64_t hlc[KEEP_ACTORS];
};

struct keep_commit {
    enum keep_kind kind;
    size_t key;
    size_t maker;
    struct lia_stamp stamp;
    struct lia_stamp life;    /* that it writes to */
    struct lia_stamp deletes; /* lives up to here */
    struct keep_set seen;     /* commits of the document that its writer knew */
    bool has_left;            /* its maker's store */
    bool is_lost;             /* with the only disk that had it */
    bool is_doubtful;         /* its stamp may be that of another commit */
    bool was_doubtful;        /* and now it is counted under a tag, too */
};

struct keep_row {
    bool is_held;
    struct keep_set reflects;
    struct keep_set renewed; /* of these, what is counted under tags */
    struct keep_dense vector;
    struct lia_stamp created;
    struct lia_stamp created_tag;
    struct lia_stamp deleted;
    struct lia_stamp updated;
    struct lia_stamp value_life;
    struct lia_stamp value_stamp;
    bool is_in_group;
    uint64_t seq;
    uint64_t left_seq; /* it left the group there */
    unsigned shown_to; /* stores that hold at least this, bit by bit */
};

struct keep_token {
    uint64_t epoch; /* of the sender; 0: none */
    uint64_t seq;
};

/* What a store that fell back knows of it, once it has found out. */
struct keep_doubt {
    bool is_one;
    uint64_t actor;
    uint64_t beyond; /* the last stamp that both histories have */
};

/* A store that fell back and does not know. */
struct keep_fall {
    bool is_one;
    size_t store;
    uint64_t actor;
    uint64_t beyond;
    unsigned witnesses; /* of what was lost, bit by bit */
};

struct keep_store {
    enum keep_role role;
    uint64_t actor;
    uint64_t hlc;
    uint64_t seq;
    uint64_t epoch;
    uint64_t forgotten_seq;
    uint64_t forgotten;
    struct keep_dense marks;
    struct keep_dense evicted;
    struct keep_dense kept;
    struct keep_row rows[KEEP_KEYS];
    struct keep_token tokens[KEEP_STORES];
    unsigned witnesses; /* stores that met it since it was saved, bit by bit */
    struct keep_doubt doubt;
};

struct keep_world {
    struct lia_arena arena; /* of one step */
    struct lia_rng rng;
    struct keep_store stores[KEEP_STORES];
    struct keep_store saved[KEEP_STORES]; /* epoch 0: not */
    size_t store_count;
    bool links[KEEP_STORES][KEEP_STORES];
    struct keep_commit commits[KEEP_COMMITS];
    size_t commit_count;
    uint64_t actor_count;
    uint64_t epoch_count;
    unsigned touched; /* stores to be checked after the step, bit by bit */
    bool is_about_falls;
    bool has_fallen;   /* a store, that did not know */
    bool is_about_one; /* all steps are about `key`: rare meetings are not */
    size_t key;
    uint64_t met;  /* kinds of step so far, bit by bit */
    bool has_lost; /* a rollback or a FORCE, once: two of them may lose anything */
    struct keep_fall fall;
    unsigned
        spoilt; /* keys of which a life in doubt was taken for deleted, bit by bit */
    bool is_told;
    bool is_full; /* no room for more actors or commits: the history ends */
    char why[200];
};

/* The history was about this kind. */
#define MET(w, kind) ((void)((w)->met |= UINT64_C(1) << KEEP_HISTORY_##kind))

#define TELL(w, ...) LIA_IGNORE((w)->is_told ? printf(__VA_ARGS__) : 0)

/* Notes the first failure. */
void keep_fail(struct keep_world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static inline uint64_t keep_below(struct keep_world *w, uint64_t n)
{
    return lia_rng_below(&w->rng, n);
}

bool keep_set_has(const struct keep_set *set, size_t i);
void keep_set_add(struct keep_set *set, size_t i);
void keep_set_join(struct keep_set *set, const struct keep_set *other);

uint64_t keep_get(const struct keep_dense *v, struct lia_stamp s);
bool keep_covers(const struct keep_dense *a, const struct keep_dense *b);
void keep_join(struct keep_dense *v, const struct keep_dense *other);

static inline enum lia_delete_mode keep_mode(size_t key)
{
    return key == KEEP_UPDATE_WINS_KEY ? LIA_UPDATE_WINS : LIA_DELETE_WINS;
}

static inline bool keep_is_write(const struct keep_commit *c)
{
    return c->kind == KEEP_INSERT || c->kind == KEEP_UPDATE || c->kind == KEEP_RETAG;
}

static inline bool keep_is_initial(struct lia_stamp s)
{
    return s.hlc <= LIA_HLC_INITIAL_MAX;
}

bool keep_is_alive(const struct keep_row *row, size_t key);
bool keep_matches(const struct keep_row *row, size_t key); /* alive and in the group */

/* The write is in the copy, and no delete that the copy knows has ended its life. */
bool keep_shows(const struct keep_world *w,
                const struct keep_row *row,
                size_t key,
                size_t commit);

/* The store and a row as the product wants them. */
struct lia_keep keep_of(struct keep_world *w, const struct keep_store *s);
struct lia_copy keep_copy(struct keep_world *w, const struct keep_row *row, size_t key);
size_t keep_lives(const struct keep_world *w,
                  const struct keep_row *row,
                  size_t key,
                  struct lia_life out[KEEP_COMMITS]);
void keep_put(struct keep_store *s, const struct lia_keep *keep);

void keep_renew(struct keep_world *w, struct keep_store *s);
/* What a keeper has published reaches its own `kept`. */
void keep_publish(struct keep_world *w, struct keep_store *s);

/* A new commit of the store; its index. */
size_t keep_commit(struct keep_world *w,
                   struct keep_store *s,
                   size_t key,
                   enum keep_kind kind);
/* The commit of an INITIAL insert, one for all. */
size_t keep_seed(struct keep_world *w, struct keep_store *s, size_t key);
void keep_reflect(struct keep_world *w, struct keep_row *row, size_t commit);
void keep_row_join(struct keep_row *row, const struct keep_row *other);
/* The row got a seq. */
void keep_changed(struct keep_store *s, size_t key, bool matched_before);
/* Local writes; nothing where they cannot be made. */
void keep_insert(struct keep_world *w,
                 struct keep_store *s,
                 size_t key,
                 bool is_seed,
                 bool is_in_group);
void keep_update(struct keep_world *w,
                 struct keep_store *s,
                 size_t key,
                 bool is_in_group);
void keep_delete(struct keep_world *w, struct keep_store *s, size_t key);

/* A tombstone that came `age` ago; 1 is enough. A living copy. Both if the product lets
 * them go. */
void keep_drop(struct keep_world *w, struct keep_store *s, size_t key, uint64_t age);
void keep_evict(struct keep_world *w, struct keep_store *s, size_t key, bool is_forced);

/* `to` pulls at most `rows_max` rows from `from`. */
void keep_meet(struct keep_world *w, size_t from, size_t to, size_t rows_max);

/* ---- keep_fall.c ---- */

/* Sees which commits are on no disk any more. */
void keep_lose_commits(struct keep_world *w, size_t store);
void keep_forget_shown(struct keep_world *w, size_t store);
/* Back to what was saved, and nobody says so. */
void keep_fall_back(struct keep_world *w, size_t store);

/* A store that fell finds out when it meets who knows what it has lost; or when it is told of
 * stamps of its own that it has not made: then nothing of that is taken. */
void keep_greet(struct keep_world *w, size_t a, size_t b);
bool keep_disowns(struct keep_world *w,
                  struct keep_store *s,
                  const struct keep_dense *told);
/* It names an actor that is in doubt here. */
bool keep_is_in_doubt(const struct keep_store *s, const struct keep_dense *vector);
/* What of the row is in doubt here is counted anew; false: there is nothing. */
bool keep_retag(struct keep_world *w, struct keep_store *s, size_t key);

/* What must hold of a store at any time; of all of them at rest. */
void keep_check(struct keep_world *w, size_t store);
void keep_check_rest(struct keep_world *w);

static inline size_t keep_index(const struct keep_world *w, const struct keep_store *s)
{
    return (size_t)(s - w->stores);
}

#endif
