/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NODE_INTERNAL_H
#define LIA_NODE_INTERNAL_H
/*
 * node/internal - what the files of a node share.
 *
 *     node.c      life; carries out what the peer says (lia_node_pump)
 *     events.c    what is told to the log and to the owner
 *     links.c     links: from a stream through TLS to the peer and back
 *     ports.c     addresses that are listened on; strangers
 *     dialers.c   addresses that are dialled
 *     report.c    the status
 *
 * Rules: after every call into the peer lia_node_pump follows. Whoever is closed takes
 * itself off its list and then calls lia_node_check_closed. Ownership: lists own their
 * members. Threads: the loop's, where nothing else is said.
 */
#include <stdatomic.h>

#include "net/backoff.h"
#include "net/link.h"
#include "net/timer.h"
#include "net/transport.h"
#include "node/auth.h"
#include "node/jobs.h"
#include "node/node.h"
#include "node/outage.h"

#define LIA_NODE_SESSIONS_MAX  256 /* members; one more is told LIANA_EBUSY */
#define LIA_NODE_STRANGERS_MAX 64  /* links that came in and have proved nothing yet */
#define LIA_NODE_KNOCKS        16  /* machines whose failures are told apart */

/* An address that is listened on. */
struct lia_port {
    struct lia_port *next;
    struct lia_node *node;
    const struct lia_transport *transport;
    struct lia_acceptor *acceptor;
    struct lia_address asked;
    struct lia_address real; /* the same, but for a port 0 */
    char text[LIA_ADDRESS_TEXT];
    struct lia_outage outage; /* connections that could not be taken */
    bool is_kept;             /* by the list of addresses that is being set */
    bool is_closing;
};

/* An address that is dialled:
 *
 *     CONNECTING --stream--> HANDSHAKE --up--> UP
 *         ^   \                 |               |
 *      pause   +--- failure ----+-- link gone --+--> WAITING
 *         +------------------------------------------+
 *
 * When the peer at the other end has another link with us, the dialer rests (WAITING
 * without a pause) until that one is gone: a link more would only be closed again.
 */
struct lia_dialer {
    struct lia_dialer *next;
    struct lia_node *node;
    const struct lia_transport *transport;
    struct lia_address address;
    char text[LIA_ADDRESS_TEXT];
    enum lia_link_state state;
    uint64_t since_ms;
    struct lia_backoff backoff;
    struct lia_timer timer;
    struct lia_dial *dial;      /* CONNECTING */
    struct lia_node_link *link; /* HANDSHAKE, UP, and until the link is gone */
    uint64_t wire_in;           /* of links before this one, as the next three */
    uint64_t wire_out;
    uint64_t payload_in;
    uint64_t payload_out;
    struct lia_outage outage; /* from a failure until there is a session */
    bool is_resting;
    uint8_t remote[LIA_PEER_ID_BYTES]; /* whose other link is waited for */
    struct liana_error error;
    bool is_kept;
    bool is_closing;
    bool is_timer_closed;
};

struct lia_node_link {
    struct lia_node_link *next;
    struct lia_node *node;
    struct lia_net_link *net;
    uint64_t id;
    struct lia_port *port;     /* it came in here; NULL when that is closed */
    struct lia_dialer *dialer; /* it was dialled by; else NULL */
    enum lia_link_state state;
    uint64_t since_ms;
    uint64_t up_at; /* monotonic; 0: never */
    uint64_t group; /* of its stream */
    uint8_t remote[LIA_PEER_ID_BYTES];
    bool has_remote;
    bool is_known;       /* the peer knows it */
    bool is_member;      /* its other end has proved that it may join */
    bool has_session;    /* ... and greeted us */
    bool is_failed;      /* it was told why it ends */
    uint64_t payload_in; /* when the peer knows it no more */
    uint64_t payload_out;
    bool is_closing;     /* the net link is */
    bool is_dropped;     /* ... and at once */
    bool is_dirty;       /* something was sent since the last flush */
    liana_status broken; /* a send failed; the peer is still to be told */
    struct liana_error error;
};

/* A machine whose links failed before they proved anything. */
struct lia_knock {
    uint64_t group;
    liana_status why;
    uint64_t last;
    struct lia_outage outage;
};

enum lia_node_state { LIA_NODE_RUNS, LIA_NODE_CLOSES, LIA_NODE_CLOSED };

struct lia_node {
    struct lia_node_options options;
    const struct lia_env *env;
    struct lia_loop *loop;
    struct lia_link_config config;
    struct lia_peer_auth auth;
    struct lia_jobs jobs;

    struct lia_peer *peer;
    struct lia_timer timer; /* the peer's deadline */
    bool is_timer_closed;
    struct lia_port *ports;
    struct lia_dialer *dialers;
    struct lia_node_link *links;
    struct lia_knock knocks[LIA_NODE_KNOCKS];
    struct lia_outage crowd; /* strangers for whom there was no room */
    uint64_t last_link;
    enum lia_node_state state;

    struct lia_task wake; /* from any thread */
    atomic_bool is_wake_posted;

    struct lia_mutex mutex; /* guards is_closed; a leaf */
    struct lia_cond cond;
    bool is_closed;
};

/* node.c */
void lia_node_pump(struct lia_node *node);
void lia_node_check_closed(struct lia_node *node);
uint64_t lia_node_now(const struct lia_node *node);

/* events.c */
void lia_node_tell(struct lia_node *node, const struct lia_node_event *event);
void lia_node_tell_peer(struct lia_node *node, const struct lia_peer_output *out);
/* LINK_FAILED, unless the outage says that it was told often enough. */
void lia_node_tell_failure(struct lia_node *node,
                           struct lia_outage *outage,
                           const char *address,
                           const struct liana_error *why);
/* The same for a link that came in. */
void lia_node_tell_stranger(struct lia_node *node,
                            uint64_t group,
                            const char *address,
                            const struct liana_error *why);

/* links.c */
/* Takes the stream. Exactly one of port and dialer is given. */
LIANA_MUST_CHECK liana_status lia_node_link_open(struct lia_node *node,
                                                 struct lia_stream *stream,
                                                 struct lia_port *port,
                                                 struct lia_dialer *dialer,
                                                 struct liana_error *err);
struct lia_node_link *lia_node_link_by_id(struct lia_node *node, uint64_t id);
/* The address that was dialled, or the one that it came from. */
const char *lia_node_link_address(const struct lia_node_link *link);
/* Some link to this peer is up and not ending. */
bool lia_node_is_linked(const struct lia_node *node,
                        const uint8_t remote[LIA_PEER_ID_BYTES]);
void lia_node_link_send(struct lia_node_link *link, struct liana_slice bytes);
/* Ends it in order, with a goodbye if there is somebody to say it to; a pump follows. */
void lia_node_link_end(struct lia_node_link *link);
/* Ends it at once; only before the peer knows it as a member. */
void lia_node_link_drop(struct lia_node_link *link);
/* Ends a link that the peer has closed itself; `why` is kept for the status. */
void lia_node_link_closed_by_peer(struct lia_node_link *link,
                                  const struct liana_error *why);
/* Sees which links have become members, sends what was collected, and tells the peer
 * what broke; true if it was told. */
bool lia_node_links_settle(struct lia_node *node);

/* ports.c */
LIANA_MUST_CHECK liana_status lia_port_open(struct lia_node *node,
                                            const struct lia_address *address,
                                            struct lia_port **out,
                                            struct liana_error *err);
void lia_port_close(struct lia_port *port);

/* dialers.c */
LIANA_MUST_CHECK liana_status lia_dialer_open(struct lia_node *node,
                                              const struct lia_address *address,
                                              struct lia_dialer **out,
                                              struct liana_error *err);
void lia_dialer_begin(struct lia_dialer *dialer);
void lia_dialer_close(struct lia_dialer *dialer);
/* Its link's state has changed, or it is gone: after how long, and why. */
void lia_dialer_link_up(struct lia_dialer *dialer);
void lia_dialer_link_gone(struct lia_dialer *dialer);
/* There is a session on it. */
void lia_dialer_link_used(struct lia_dialer *dialer);
/* A link to `remote` is gone: whoever rested for it dials again. */
void lia_dialers_wake(struct lia_node *node, const uint8_t remote[LIA_PEER_ID_BYTES]);

#endif
