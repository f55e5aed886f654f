/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NODE_NODE_H
#define LIA_NODE_NODE_H
/*
 * node/node - a peer with threads, sockets and a clock: what syncs a store.
 *
 *     loop thread      sockets, TLS, timers, the peer itself; never waits for disk
 *     writer thread    what peers sent, into the store, in order
 *     reader threads   what goes to peers, out of the store
 *
 * A commit of the app wakes the peer through the store's listener; nothing else of the
 * app's threads reaches the loop but the calls below, which are short.
 *
 * Rules
 *   Trouble with a peer or an address is an event and stands in the report; it fails no
 *   call. An address that is dialled is dialled again, with a growing pause, until it is
 *   taken out of the list; while its peer has another link with us it rests.
 *   A link that came in has handshake_ms to prove that its peer may join. Those that
 *   have not are few, shared fairly between the machines that they come from, and take
 *   no member's place.
 *   Events are told on the loop: the callee queues them and does not call the node.
 * Ownership: options are copied; loop, env, db, identity, trust and known are borrowed
 * until stop. Threads: any but the loop's; report also on the loop.
 */
#include "net/address.h"
#include "net/loop.h"
#include "peer/peer.h"
#include "trust/admission.h"

struct lia_node;

enum lia_node_event_kind {
    LIA_NODE_PEER_UP,   /* `error.message` says after how long, "" the first time */
    LIA_NODE_PEER_DOWN, /* `error`; status LIANA_OK: one side said goodbye */
    LIA_NODE_UP_TO_DATE,
    LIA_NODE_REFUSED,
    LIA_NODE_LINK_FAILED, /* `error` names the address and the reason; not for every
                             attempt: node/outage.h */
    LIA_NODE_LISTENING,   /* `address` is the real one */
    LIA_NODE_DIALING
};

struct lia_node_event {
    enum lia_node_event_kind kind;
    uint8_t remote[LIA_PEER_ID_BYTES]; /* of the four first kinds */
    uint64_t subscription;
    uint64_t seq;
    const char *address;   /* of the three last kinds; valid for the call */
    struct liana_str name; /* of the remote, "" if it has said none; the same */
    struct liana_error error;
};

struct lia_node_options {
    const struct lia_env *env;
    struct lia_loop *loop;
    struct lia_db *db;
    const struct lia_identity *identity;
    const struct lia_trust *trust;
    struct lia_known *known; /* as of lia_peer_options */
    struct liana_str name;   /* how others see this peer */
    unsigned readers;        /* 0: one */
    uint32_t handshake_ms;   /* 0: LIA_LINK_HANDSHAKE_MS */
    uint32_t linger_ms;      /* 0: LIA_LINK_LINGER_MS */
    void (*event)(void *ctx, const struct lia_node_event *event); /* NULL: none */
    void *event_ctx;
};

LIANA_MUST_CHECK liana_status lia_node_start(const struct lia_node_options *options,
                                             struct lia_node **out,
                                             struct liana_error *err);

/* Says goodbye to every peer, finishes the work that is under way, ends the threads. */
void lia_node_stop(struct lia_node *node);

/* Where to listen and whom to dial from now on, instead of before: links whose address
 * stays are not touched, the others end. When it returns, every address is listened on.
 * On failure nothing has changed: LIANA_EADDRINUSE, LIANA_EINVAL, LIANA_EUNREACHABLE (a
 * host name to listen on), ... */
LIANA_MUST_CHECK liana_status lia_node_set_addresses(struct lia_node *node,
                                                     const struct liana_str *listen,
                                                     size_t listen_count,
                                                     const struct liana_str *dial,
                                                     size_t dial_count,
                                                     struct liana_error *err);

/* As lia_peer_subscribe and lia_peer_unsubscribe. `*out_id` is written on the loop, before
 * an event can name it. */
LIANA_MUST_CHECK liana_status lia_node_subscribe(struct lia_node *node,
                                                 struct liana_str collection,
                                                 struct liana_slice query,
                                                 uint64_t *out_id,
                                                 struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_node_unsubscribe(struct lia_node *node,
                                                   uint64_t id,
                                                   struct liana_error *err);

/* ---- status ---- */

enum lia_link_state {
    LIA_LINK_CONNECTING,
    LIA_LINK_HANDSHAKE,
    LIA_LINK_UP,
    LIA_LINK_WAITING /* before it is dialled again */
};

/* "connecting", "handshake", "up", "waiting". Never NULL, static. */
const char *lia_link_state_name(enum lia_link_state state);

/* One for each address that is dialled, and for each link that came in. */
struct lia_link_report {
    const char *address;
    bool is_dialed;
    enum lia_link_state state;
    uint64_t since_ms; /* wall clock, of the state */
    uint64_t link;     /* its number in the peer's report; 0: none */
    bool has_remote;
    uint8_t remote[LIA_PEER_ID_BYTES];
    /* Of a dialled address the sums over all its links. */
    uint64_t wire_in; /* below TLS */
    uint64_t wire_out;
    uint64_t payload_in; /* of segments */
    uint64_t payload_out;
    struct liana_error error; /* the last one; status 0: none */
};

struct lia_node_report {
    const char *const *listen; /* real addresses */
    size_t listen_count;
    const struct lia_link_report *links;
    size_t link_count;
    struct lia_peer_report peer; /* wire_* of its peers include the links that are up */
};

/* Everything in the arena. LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_node_report(struct lia_node *node,
                                              struct lia_arena *arena,
                                              struct lia_node_report *out);

#endif
