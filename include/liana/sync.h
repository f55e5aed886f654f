/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIANA_SYNC_H
#define LIANA_SYNC_H
/*
 * liana/sync - what to hold, whom to talk to, and how it is going.
 *
 * A subscription says what this peer wants to hold. Links to other peers of the same
 * database carry what both sides subscribe to, in both directions. Whatever was synced
 * stays when a link or a subscription ends.
 *
 * Rules: see liana/liana.h. Syncing runs on threads of the library between
 * liana_sync_start and liana_sync_stop or close; a link that fails is dialled again
 * with a growing pause of 0.1 to 15 seconds, for as long as its address is in the list,
 * and rests while the same peer has another link with this one.
 * A link that comes in has ten seconds to prove that its peer may join; 64 may be at it
 * at a time, shared fairly between the machines they come from, and 256 members may
 * have a session.
 * Trouble with a peer is an event and stands in the statistics; it never fails a local
 * call.
 *
 * Ownership: strings and documents given are copied. Threads: any.
 */
#include "liana/db.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- subscriptions ---- */

/* Adds `SELECT * FROM collection [WHERE predicate]`. Where its documents came from is
 * remembered in the store under the statement and its parameters, so a program that
 * subscribes again after a restart resumes. It lasts until it is taken away or the
 * handle is closed. The same statement twice is two subscriptions that share one feed.
 * LIANA_ESYNTAX, LIANA_EPARAM, LIANA_EMISUSE (a clause that a subscription cannot have),
 * LIANA_ELIMIT (1,000 per store). */
LIANA_API LIANA_MUST_CHECK liana_status liana_subscribe(liana_db *db,
                                                        struct liana_str statement,
                                                        struct liana_slice params,
                                                        uint64_t *out_id,
                                                        struct liana_error *err);

/* LIANA_ENOTFOUND: no subscription of this handle has this id. */
LIANA_API LIANA_MUST_CHECK liana_status liana_unsubscribe(liana_db *db,
                                                          uint64_t id,
                                                          struct liana_error *err);

/* ---- links ---- */

struct liana_sync_options {
    uint32_t version; /* 1 */

    /* "HOST:PORT" or "tcp://HOST:PORT"; an IPv6 host in brackets. Port 0: the system
     * chooses one; liana_stats says which. */
    const struct liana_str *listen;
    size_t listen_count;

    /* The same form. Dialled until they answer, and again when the link breaks. */
    const struct liana_str *dial;
    size_t dial_count;
};

#define LIANA_SYNC_OPTIONS_INIT                                                        \
    {                                                                                  \
        1, 0, 0, 0, 0                                                                  \
    }

/* Starts, or replaces the addresses of a running sync: links whose address stays are
 * not touched, the others end. When it returns, every listen address is listening.
 * LIANA_EMISUSE (the store was opened with LIANA_TRUST_NONE), LIANA_EADDRINUSE,
 * LIANA_EINVAL (an address that does not parse), LIANA_EUNREACHABLE (a host to listen on
 * that is not found), LIANA_EDENIED (a port), LIANA_ENETWORK: nothing changed. */
LIANA_API LIANA_MUST_CHECK liana_status
liana_sync_start(liana_db *db,
                 const struct liana_sync_options *options,
                 struct liana_error *err);

/* Tells the peers goodbye and ends all links. Nothing to do is no error. */
LIANA_API liana_status liana_sync_stop(liana_db *db, struct liana_error *err);

/* ---- statistics ---- */

/* One BSON document about the store and its sync; counters are int64, times are int64
 * milliseconds. Fields may be added; these stay:
 *
 *   version      string   of the library that holds the store
 *   store        {path, peer: hex, database: hex, name, seq, bytes: of the database,
 *                epoch: hex, durability: "full"|"normal", trust: "none"|"open"|
 *                "shared key", keeper: bool}
 *   at_rest      {encrypted: bool}
 *   collections  [{name, documents, tombstones}]
 *   conflicts    {rows: of system:conflicts that are there, last: number of the newest,
 *                dropped: how many gave way before anybody removed them}
 *   flagged      {too_large, clamped}: how many documents do not show all that they hold
 *                (system:flagged)
 *   evicted      bool: something was evicted here, ever, so what is not here may live
 *   retention    {evicted: documents that declared retention has evicted since the store
 *                was opened, waiting: those that should go and cannot yet: no keeper has
 *                them, or this store wrote them within the last day}
 *   clock        {source: "system"|"peer"|"unknown", now_ms: the time that the store goes
 *                by; of an unknown one, the earliest that it can be}
 *   owed         how many documents of peers could not be applied yet (system:owed)
 *   renewals     new identities that the store took for its writes (docs/recovery.md), newest
 *                first, at most 10: [{at_ms, reason: string, mending: documents are still
 *                being counted anew}]
 *   sync         {running: bool, listen: [string: the real address]}
 *   links        one for each address that is dialled and each link that came in:
 *                [{peer: hex or "", address, dialled: bool, state: "connecting"|
 *                 "handshake"|"up"|"waiting", since_ms, wire_in, wire_out, payload_in,
 *                 payload_out, error: string, the last one or ""}]
 *   peers        those that were members at any time since the store was opened:
 *                [{peer: hex, name, connected: bool, acked: our seq up to which it has
 *                 durably what it subscribed to, and has put nothing aside of that,
 *                 seen: its seq up to which we have,
 *                 docs_in, docs_out, wire_in, wire_out, payload_in, payload_out,
 *                 clock_ahead_ms: by how much its clock was ahead of the one here when the
 *                 two last met, 0 too if one of them did not know the time,
 *                 error: string, why the last session ended, "" after a goodbye}]
 *   subscriptions [{id: int64, statement: as it was written, have: documents that came,
 *                 expected: about how many will have, as far as its senders said (of one
 *                 with WHERE they say nothing); once up to date as many as came,
 *                 up_to_date: bool}]
 *   apps         {name: document}: what programs published with liana_stats_publish
 *
 * wire_in and wire_out are bytes as the transport sees them: TLS and its handshake are
 * in them, TCP and IP are not. payload_in and payload_out are bytes of documents and
 * segments before they are compressed; what is sent twice counts twice.
 * Counters of a link begin when it came in, or when its address was put in the list, and
 * then run over all links to that address; those of a peer begin when the store is
 * opened, and run over all its links and over liana_sync_stop.
 */
LIANA_API LIANA_MUST_CHECK liana_status liana_stats(liana_db *db,
                                                    liana_bytes **out,
                                                    struct liana_error *err);

/* Shows `document` (BSON, at most 64 KiB) as `apps.<name>` in the statistics of this
 * store to everybody who asks, until it is replaced, taken away with an empty slice, or
 * the handle is closed. How a connector's state reaches `liana status`. */
LIANA_API LIANA_MUST_CHECK liana_status liana_stats_publish(liana_db *db,
                                                            struct liana_str name,
                                                            struct liana_slice document,
                                                            struct liana_error *err);

/* ---- events ---- */

enum {
    LIANA_EVENT_COMMIT = 1,    /* something was committed; `seq` is the newest */
    LIANA_EVENT_PEER_UP = 2,   /* a session with `peer` began; `text`: after how long */
    LIANA_EVENT_PEER_DOWN = 3, /* it ended; `text` says why, with the address, and
                                  `status`: LIANA_OK after a goodbye of either side */
    LIANA_EVENT_UP_TO_DATE = 4,  /* `subscription` has all that `peer` had at `seq` */
    LIANA_EVENT_LINK_FAILED = 5, /* no session came of it; `text` names the address and
                                    the reason, `status` too. The first failure of an
                                    address, then with growing pauses of a minute to an
                                    hour, and at once what waiting does not mend */
    LIANA_EVENT_REFUSED = 6, /* a document of `peer` is on the owed list; `status` */
    LIANA_EVENT_LOST = 7     /* events before this one were dropped */
};

struct liana_event {
    int32_t kind;
    liana_status status;
    uint64_t seq;
    uint64_t subscription;
    char peer[33];  /* hexadecimal, or "" */
    char name[121]; /* what it calls itself, or "" */
    char text[231];
};

/* Takes the oldest event, waiting at most `timeout_ms` (0: not at all, < 0: for ever).
 * LIANA_ETIMEOUT: none. Commits that nobody has taken yet are one event; of the others
 * the newest 1,000 are kept. One queue per handle, from its first liana_poll or liana_fd
 * on. */
LIANA_API LIANA_MUST_CHECK liana_status liana_poll(liana_db *db,
                                                   int32_t timeout_ms,
                                                   struct liana_event *out,
                                                   struct liana_error *err);

/* A descriptor that is readable while an event waits, for the app's own event loop; the
 * handle's, never to be read or closed. LIANA_EMISUSE: an attached handle has none. */
LIANA_API LIANA_MUST_CHECK liana_status liana_fd(liana_db *db,
                                                 int *out,
                                                 struct liana_error *err);

#ifdef __cplusplus
}
#endif
#endif
