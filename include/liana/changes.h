/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIANA_CHANGES_H
#define LIANA_CHANGES_H
/*
 * liana/changes - the change feed: what changed since a position, and then what changes.
 *
 * Every change of a document, made here or merged from a peer, has a sequence number
 * (seq) of this store, in the order of commits. The feed gives the newest state of each
 * document that changed after a position, once, in the order of seq: states in between
 * may collapse. A feed from 0 gives every document and then stays live.
 *
 * Rules: a page ends at a commit boundary, so applying page after page passes through
 * states that this store had for the documents in it. `position` of a page is where to
 * go on after it; it is a number of this store only (see `store` in liana_stats), good
 * across restarts. Deletes are kept as tombstones and appear; a reader that knows
 * nothing of a document may see its delete.
 *
 * Tombstones are forgotten by and by (`tombstone_ttl_ms` of liana_open_options), whether or not
 * a reader has come so far. A reader that was away for that long is told so, by
 * LIANA_EFORGOTTEN: it may hold documents that are deleted here, and will not hear of it.
 *
 * Ownership: a page and everything it points to belong to the feed and are valid until
 * its next call or close. Threads: one at a time; different feeds are independent. An
 * open feed holds no snapshot and no lock between calls.
 */
#include "liana/db.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct liana_feed liana_feed;

struct liana_feed_options {
    uint32_t version; /* 1 */
    uint64_t since;   /* the position of the last page that was dealt with; 0: all */

    /* Only these collections; none: all but the system's (`_liana....`). */
    const struct liana_str *collections;
    size_t collection_count;

    /* A page is closed at the first commit boundary beyond either; 0: the default. A
     * larger commit comes whole. */
    uint32_t page_changes; /* default 1,000 */
    uint32_t page_bytes;   /* default 4 MiB */

    /* The store's newest seq (`store.seq` in liana_stats) when this reader began from 0, if
     * it knows: what was deleted up to there it was never given, so it misses nothing of
     * that. 0: not known. */
    uint64_t begun;
};

#define LIANA_FEED_OPTIONS_INIT                                                        \
    {                                                                                  \
        1, 0, 0, 0, 0, 0, 0                                                            \
    }

struct liana_change {
    uint64_t seq;
    struct liana_str collection;
    struct liana_slice id;       /* BSON document with the one field `_id` */
    struct liana_slice document; /* the document as it is now; empty: deleted */

    /* Milliseconds since 1970: when the newest write in it was committed, at the peer
     * that made it and by its clock. 0 if not known. */
    int64_t written_ms;
};

struct liana_page {
    const struct liana_change *changes; /* in the order of seq */
    size_t count;
    uint64_t position; /* `since` of a feed that goes on behind this page */
};

/* LIANA_ERANGE: `since` is beyond the store's newest seq, so it is of another store or
 * of this one before it was restored; start again from 0. */
LIANA_API LIANA_MUST_CHECK liana_status
liana_feed_open(liana_db *db,
                const struct liana_feed_options *options,
                liana_feed **out,
                struct liana_error *err);

/* The next page, waiting at most `timeout_ms` for a change (0: not at all, < 0: for
 * ever). LIANA_ETIMEOUT: nothing changed. A failed read can be tried again.
 *
 * LIANA_EFORGOTTEN: deletes behind this feed's position are forgotten. It is said once, before
 * the page that it is about, and the next call goes on. What the reader holds of what
 * the store no longer has was deleted, or evicted (EVICT, retention): the store cannot tell which.
 * A reader that keeps positions keeps this first: nothing says it again to a feed that
 * goes on behind. A feed from 0 is not told of what was forgotten before it began: its reader
 * holds nothing. */
LIANA_API LIANA_MUST_CHECK liana_status liana_feed_next(liana_feed *feed,
                                                        int32_t timeout_ms,
                                                        struct liana_page *out,
                                                        struct liana_error *err);

/* Where to go on after all that this feed has given; after LIANA_ETIMEOUT also past
 * commits that had nothing in its collections. */
LIANA_API uint64_t liana_feed_position(const liana_feed *feed);

/* Makes a waiting and every later liana_feed_next answer LIANA_ECANCELED. The one call
 * on a feed that another thread may make at the same time. */
LIANA_API void liana_feed_cancel(liana_feed *feed);

LIANA_API void liana_feed_close(liana_feed *feed);

#ifdef __cplusplus
}
#endif
#endif
