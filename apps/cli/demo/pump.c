/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/demo/world.h"
#include "cli/signals.h"

#define PATIENCE_MS 60000
#define EXPLAIN_MS  1000

/* ---- what processes say ---- */

static const char *text_of(const bson_t *event, const char *name)
{
    bson_iter_t it;

    return bson_iter_init_find(&it, event, name) && BSON_ITER_HOLDS_UTF8(&it)
               ? bson_iter_utf8(&it, NULL)
               : "";
}

static int64_t number_of(const bson_t *event, const char *name)
{
    bson_iter_t it;

    return bson_iter_init_find(&it, event, name) ? bson_iter_as_int64(&it) : 0;
}

static void take_event(struct world_store *s, const bson_t *event)
{
    const char *name = text_of(event, "event");

    if (strcmp(name, "listening") == 0) {
        const char *address = text_of(event, "address");

        snprintf(s->listen, sizeof(s->listen), "%s",
                 strncmp(address, "tcp://", 6) == 0 ? address + 6 : address);
    } else if (strcmp(name, "ready") == 0) {
        s->is_ready = true;
    } else if (strcmp(name, "catalogue") == 0) {
        s->has_catalogue = true;
    } else if (strcmp(name, "paused") == 0) {
        s->is_paused = true;
        s->commit_us = (uint64_t)number_of(event, "commitMicros");
    } else if (strcmp(name, "sold") == 0) {
        s->sold = (size_t)number_of(event, "own");
    }
}

static bool take_lines(struct world_store *s)
{
    const char *line;
    bool any = false;

    while ((line = demo_child_line(&s->child))) {
        bson_t *event = bson_new_from_json((const uint8_t *)line, -1, NULL);

        any = true;
        if (event) {
            take_event(s, event);
            bson_destroy(event);
        }
    }
    return any;
}

/* What a child has said last on stderr, which is why it has ended. */
static void read_last_line(const struct world_store *s, char *out, size_t room)
{
    char path[4300];
    char line[400];
    FILE *log;

    out[0] = '\0';
    snprintf(path, sizeof(path), "%s.log", s->path);
    log = fopen(path, "r");
    while (log && fgets(line, sizeof(line), log)) {
        line[strcspn(line, "\n")] = '\0';
        snprintf(out, room, "%s", line);
    }
    if (log && fclose(log) != 0) {
        out[0] = '\0'; /* the file is named anyway */
    }
}

/* A process that was killed has not said why. */
static bool has_died(struct world *w, struct world_store *s)
{
    char last[400];
    int status;

    if (!s->child.name || !demo_child_has_ended(&s->child)) {
        return false;
    }
    status = s->child.status;
    if (WIFSIGNALED(status)) {
        world_fail(w, LIANA_EIO, "%s was ended by signal %d (%s), see %s.log", s->name,
                   WTERMSIG(status), strsignal(WTERMSIG(status)), s->path);
        return true;
    }
    read_last_line(s, last, sizeof(last));
    world_fail(w, LIANA_EIO, "%s has ended with exit code %d%s%s, see %s.log", s->name,
               WEXITSTATUS(status), *last ? ": " : "", last, s->path);
    return true;
}

static int collect_fds(struct world *w, struct pollfd fds[PLACES + 2])
{
    int count = 0;

    fds[count++] = (struct pollfd){.fd = cli_stop_fd(), .events = POLLIN};
    for (size_t i = 0; i < PLACES; i++) {
        if (w->stores[i].child.name && w->stores[i].child.out >= 0) {
            fds[count++] =
                (struct pollfd){.fd = w->stores[i].child.out, .events = POLLIN};
        }
    }
    if (w->mongodb.name && w->mongodb.out >= 0) {
        fds[count++] = (struct pollfd){.fd = w->mongodb.out, .events = POLLIN};
    }
    return count;
}

/* True when somebody said something. */
static bool pump(struct world *w, int timeout_ms, bool *out_any)
{
    struct pollfd fds[PLACES + 2];

    *out_any = false;
    poll(fds, (nfds_t)collect_fds(w, fds), timeout_ms);
    if (cli_stop_wanted()) {
        return world_fail(w, LIANA_ECANCELED, "stopped");
    }
    if (w->mongodb.name) {
        while (demo_child_line(&w->mongodb)) {
        }
        if (demo_child_has_ended(&w->mongodb)) {
            return world_fail(w, LIANA_EIO, "the MongoDB test server has ended");
        }
    }
    for (size_t i = 0; i < PLACES; i++) {
        *out_any |= take_lines(&w->stores[i]);
        if (has_died(w, &w->stores[i])) {
            return false;
        }
    }
    return true;
}

bool world_pump(struct world *w, int timeout_ms)
{
    bool any;

    return pump(w, timeout_ms, &any);
}

bool world_wait(struct world *w, bool (*is_so)(struct world *w), const char *what)
{
    uint64_t last = cli_now_ms();

    while (!is_so(w)) {
        bool any;

        if (!pump(w, 50, &any)) {
            return false;
        }
        if (any) {
            last = cli_now_ms();
        }
        if (cli_now_ms() - last > PATIENCE_MS) {
            return world_fail(w, LIANA_ETIMEOUT, "nothing has happened for %d s: %s",
                              PATIENCE_MS / 1000, what);
        }
    }
    return true;
}

void world_explain(struct world *w)
{
    uint64_t end = cli_now_ms() + EXPLAIN_MS;
    struct liana_error sign = w->err;

    if (sign.status != LIANA_ECLOSED) {
        return;
    }
    w->err = (struct liana_error)LIANA_ERROR_INIT;
    while (cli_now_ms() < end && world_pump(w, 20)) {
    }
    if (!w->err.status) {
        w->err = sign;
    }
}
