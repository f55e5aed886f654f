/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_CLOCK_H
#define LIA_CRDT_CLOCK_H
/*
 * crdt/clock - states as bytes: a clock and a body (docs/format/clock.md).
 *
 * Rules: reading is memory-safe on any bytes. What it gives is a state that says what
 * the bytes say; whether they were the canonical bytes of a normalized state is found
 * out by writing them again (lia_clock_check).
 * Ownership: what is read borrows from the bytes; what is written is the arena's.
 * Threads: any. No state.
 */
#include "crdt/doc.h"
#include "crdt/state.h"

#define LIA_CLOCK_VERSION 1

enum lia_clock_flag {
    LIA_CLOCK_CREATED = 1,
    LIA_CLOCK_DELETED = 2,
    LIA_CLOCK_FROM = 4,
    LIA_CLOCK_LIFELESS = 8,
    LIA_CLOCK_WITHDRAWN = 16,
    /* 32 scope, 64 author heads: reserved */
    LIA_CLOCK_LIFE_TAG = 128,
    LIA_CLOCK_HIDDEN = 256,
    LIA_CLOCK_CLAMPED = 512,
    LIA_CLOCK_CUT = 1024,
    LIA_CLOCK_DELETE_TAG = 2048,
    LIA_CLOCK_WITHDRAWAL_TAG = 4096
};

/* In the flags of a node: the kind of its value, and what follows. */
enum lia_node_flag {
    LIA_NODE_VALUE = 7,
    LIA_NODE_CELLS = 8,
    LIA_NODE_CHILDREN = 16,
    LIA_NODE_OPEN = 32,
    LIA_NODE_SEEN = 64,
    LIA_NODE_SET = 128,
    LIA_NODE_SET_SHOWN = 256, /* its elements stand in the body */
    LIA_NODE_BOUNDED = 512,
    LIA_NODE_FLAGS_MAX = 1023 /* above: lists, text; reserved */
};

enum lia_node_value {
    LIA_NODE_VALUE_NONE,
    LIA_NODE_VALUE_REMOVED,
    LIA_NODE_VALUE_GONE,
    LIA_NODE_VALUE_MAP,
    LIA_NODE_VALUE_SHOWN, /* a leaf, and the body shows it */
    LIA_NODE_VALUE_KEPT   /* a leaf that the body does not show as it is */
};

enum lia_item { LIA_ITEM_SKIP, LIA_ITEM_SHIFT, LIA_ITEM_RUN, LIA_ITEM_NODE };

/* Of an item: n << 2 | kind. */
#define LIA_ITEM_BITS 2

/* Of a rank: stamp number << 2 | flags. */
#define LIA_RANK_BITS 2
#define LIA_RANK_LIFE 1
#define LIA_RANK_TAG  2

/* ---- frames: what reader and writer expect alike ---- */

struct lia_frame {
    struct lia_rank rank;
    size_t origin; /* where its document begins in the body */
    uint64_t shift;
};

/* The birth that the frame expects of an element at this place of the body. */
static inline struct lia_birth lia_frame_expect(const struct lia_frame *frame,
                                                size_t place)
{
    return (struct lia_birth){frame->rank.stamp, place - frame->origin + frame->shift};
}

/* Goes into a run or node with a birth of its own (NULL: none), and out of it again. */
void lia_frame_enter(struct lia_frame *frame,
                     size_t place,
                     const struct lia_birth *birth);
void lia_frame_leave(struct lia_frame *frame,
                     size_t len,
                     const struct lia_birth *birth);

/* The frame of what is inside a node whose element's document begins at `origin`. */
struct lia_frame lia_frame_inside(const struct lia_frame *outer,
                                  const struct lia_node *node,
                                  size_t origin);

/* The frame of the root's children. */
struct lia_frame lia_frame_root(const struct lia_state *state);

/* The birth that counts as the node's own, of its value or its `open`; NULL: none. */
const struct lia_birth *lia_node_own_birth(const struct lia_node *node);

/* ---- the head: clock_head.c ---- */

struct lia_stamps {
    const struct lia_stamp *entries; /* descending */
    size_t count;
};

/* Flags, vector, created, deleted, from: `state` is set but for id and root.
 * LIANA_EVERSION, LIANA_ECORRUPT, LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_clock_head_decode(struct lia_arena *arena,
                                                    struct lia_reader *r,
                                                    struct lia_state *state,
                                                    unsigned *out_flags);
void lia_clock_head_encode(struct lia_buf *buf, const struct lia_state *state);

/* The bytes from the version to the end of the stamps, which the version digest covers. */
bool lia_clock_head_span(struct liana_slice clock, struct liana_slice *out);

/* The hlc of the last stamp of the table that comes next, unless the state is hidden; 0: there
 * is none. */
uint64_t lia_stamps_oldest(struct lia_reader *r, const struct lia_state *state);

/* A stamp of one of the vector's actors; its distance begins at the hlc `from`. */
struct lia_stamp lia_stamp_decode(struct lia_reader *r,
                                  struct lia_vector v,
                                  uint64_t from);

/* ---- whole states ---- */

/* LIANA_ECORRUPT, LIANA_EVERSION, LIANA_EDEPTH. An empty document gives an empty state.
 * `is_checked`: the body has passed lia_bson_check, and byte ranges in the clock are held
 * against it. */
LIANA_MUST_CHECK liana_status lia_clock_read(struct lia_work *work,
                                             struct lia_doc doc,
                                             bool is_checked,
                                             struct lia_state *out);

/* The one encoding of the state. LIANA_ETOOLARGE above LIA_STATE_BYTES_MAX. */
LIANA_MUST_CHECK liana_status lia_clock_write(struct lia_work *work,
                                              struct lia_state *state,
                                              struct lia_doc *out);

/* Reads a whole document from the store. LIANA_ECORRUPT also for a segment's clock. */
LIANA_MUST_CHECK liana_status lia_doc_read(struct lia_work *work,
                                           struct lia_doc doc,
                                           struct lia_state *out);

/* Reads bytes from anywhere and holds them against the rules and against what would be
 * written: LIANA_ECORRUPT and a message. Takes time and memory in proportion to them. */
LIANA_MUST_CHECK liana_status lia_clock_check(struct lia_work *work,
                                              struct lia_doc doc,
                                              struct lia_state *out);

/* For the reader of checked bytes: a name of UTF-8 without NUL; canonical BSON that is
 * not too deep below a path of `depth` names. */
bool lia_name_check(struct liana_slice name);
bool lia_leaf_check(struct lia_work *work, struct lia_value leaf, unsigned depth);

#endif
