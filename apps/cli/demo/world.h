/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_DEMO_WORLD_H
#define LIA_CLI_DEMO_WORLD_H
/*
 * cli/demo/world - the processes of `liana demo retail` and what the demo knows of them.
 *
 *     till 1 ---> till 2 ---> till 3 ---> back office ---> relay ---> hub ---> MongoDB
 *                    (an arrow dials; each is a process with a store of its own)
 *
 * Everything goes through world_pump, which takes what the processes say; waiting for
 * something is pumping until it is so. A process that ends on its own is a failure.
 *
 * Ownership: world_end stops every process and frees all. Threads: one, and the relay's.
 */
#include "cli/demo/child.h"
#include "cli/demo/relay.h"
#include "cli/demo/retail.h"
#include "cli/output.h"

enum world_place { TILL_1, TILL_2, TILL_3, OFFICE, HUB, PLACES };

struct world_options {
    const char *folder;
    const char *data;
    const char *mongodb_uri; /* NULL: without */
    const char *mongodb_database;
    int64_t start;
    int64_t pause_at; /* till 2 stands still in this one of its invoices, */
    int64_t pause_in; /* behind this many of its lines */
};

struct world_store {
    const char *name;
    char path[4200];
    char listen[128]; /* asked for; then the real one */
    struct demo_child child;
    liana_db *db; /* attached */
    bool is_ready;
    bool has_catalogue;
    bool is_paused;
    uint64_t commit_us; /* of a till that is paused: what a commit usually takes */
    size_t sold;
    size_t share; /* of a till: how many invoices are its own */
};

struct world {
    struct cli *cli;
    struct world_options options;
    struct demo_retail retail;
    struct world_store stores[PLACES];
    struct demo_child mongodb;
    char mongodb_uri[4096]; /* it may hold a password */
    struct demo_relay *relay;
    bool stops_till_2;      /* when it is started, till 2 is told to stand still */
    struct liana_error err; /* of what failed first */
};

/* Loads the data and makes the key. */
bool world_begin(struct world *w, struct cli *cli, const struct world_options *options);
void world_end(struct world *w);

/* Starts SecantusDB and sets mongodb_uri; false when that cannot be had. */
bool world_start_mongodb(struct world *w, const char *program);

/* Starts one and waits until it is ready. */
bool world_start(struct world *w, enum world_place place);
bool world_start_relay(struct world *w);
bool world_attach(struct world *w, enum world_place place);
void world_detach(struct world *w, enum world_place place);

/* Takes what processes say, waiting at most `timeout_ms` for something. False: one has
 * ended, or the demo is to stop; then err is set. */
bool world_pump(struct world *w, int timeout_ms);

/* Pumps until `is_so` or nothing has happened for a minute. `what` is for the message. */
bool world_wait(struct world *w, bool (*is_so)(struct world *w), const char *what);

/* When a store's process is gone, that is what went wrong, and not what was asked of it
 * just then: puts it into err. */
void world_explain(struct world *w);

/* A till may sell so many of its invoices. */
void world_allow(struct world *w, enum world_place till, size_t count);
size_t world_sold(const struct world *w);

bool world_fail(struct world *w, liana_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
