/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NODE_INTERNAL_H
#define LIA_NODE_INTERNAL_H
/*
 * node/internal - what the files of a node share.
 *
 *     node.c      life; carries out what the peer says (lia_node_pump)
 *     links.c     links: from a stream through TLS to the peer and back
 *     ports.c     addresses that are listened on
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

#define LIA_NODE_LINKS_IN_MAX 256 /* that came in, handshakes included: LIANA_ELIMIT */

/* An address that is listened on. */
struct lia_port {
    struct lia_port *next;
    struct lia_node *node;
    const struct lia_transport *transport;
    struct lia_acceptor *acceptor;
    struct lia_address asked;
    struct lia_address real; /* the same, but for a port 0 */
    char text[LIA_ADDRESS_TEXT];
    bool is_kept; /* by the list of addresses that is being set */
    bool is_closing;
};

/* An address that is dialled:
 *
 *     CONNECTING --stream--> HANDSHAKE --up--> UP
 *         ^   \                 |               |
 *      pause   +--- failure ----+-- link gone --+--> WAITING
 *         +------------------------------------------+
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
    uint64_t wire_in;           /* of links before this one */
    uint64_t wire_out;
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
    uint8_t remote[LIA_PEER_ID_BYTES];
    bool is_known;       /* the peer knows it */
    bool is_closing;     /* the net link is */
    bool is_dirty;       /* something was sent since the last flush */
    liana_status broken; /* a send failed; the peer is still to be told */
    struct liana_error error;
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
    size_t links_in;
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
void lia_node_tell(struct lia_node *node, const struct lia_node_event *event);
void lia_node_check_closed(struct lia_node *node);
uint64_t lia_node_now(const struct lia_node *node);

/* links.c */
/* Takes the stream. Exactly one of port and dialer is given. */
LIANA_MUST_CHECK liana_status lia_node_link_open(struct lia_node *node,
                                                 struct lia_stream *stream,
                                                 struct lia_port *port,
                                                 struct lia_dialer *dialer,
                                                 struct liana_error *err);
struct lia_node_link *lia_node_link_find(struct lia_node *node, uint64_t id);
void lia_node_link_send(struct lia_node_link *link, struct liana_slice bytes);
/* Ends it in order; the peer is told if it knows the link. `why` is kept for the status
 * of a dialled address. */
void lia_node_link_end(struct lia_node_link *link, const struct liana_error *why);
/* The same for a link that the peer has closed itself. */
void lia_node_link_closed_by_peer(struct lia_node_link *link,
                                  const struct liana_error *why);
/* Sends what was collected and tells the peer what broke; true if it was told. */
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

#endif
