/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/demo/world.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/error.h"
#include "cli/signals.h"
#include "cli/use.h"

#define PATIENCE_MS 60000
#define ARGS_MAX    48

static const char *const names[PLACES] = {"till 1", "till 2", "till 3", "back office",
                                          "hub"};
static const char *const folders[PLACES] = {"till-1", "till-2", "till-3", "back-office",
                                            "hub"};

bool world_fail(struct world *w, liana_status status, const char *format, ...)
{
    struct liana_error *err = &w->err;
    va_list args;

    if (!err->status) {
        err->status = status;
        va_start(args, format);
        if (vsnprintf(err->message, sizeof(err->message), format, args) < 0) {
            err->message[0] = '\0';
        }
        va_end(args);
    }
    return false;
}

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

static bool has_died(struct world *w, struct world_store *s)
{
    char last[400];

    if (!s->child.name || !demo_child_has_ended(&s->child)) {
        return false;
    }
    read_last_line(s, last, sizeof(last));
    world_fail(w, LIANA_EIO, "%s has ended%s%s, see %s.log", s->name, *last ? ": " : "",
               last, s->path);
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

/* ---- the beginning and the end ---- */

static bool write_key(struct world *w)
{
    char path[4200];
    liana_bytes *key;
    struct liana_slice text;
    bool ok;
    int fd;

    if (liana_shared_key_new(&key, &w->err)) {
        return false;
    }
    snprintf(path, sizeof(path), "%s/key", w->options.folder);
    text = liana_bytes_slice(key);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ok = fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len;
    if (!ok) {
        world_fail(w, LIANA_EIO, "%s: %s", path, strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    liana_bytes_free(key);
    return ok;
}

bool world_begin(struct world *w, struct cli *cli, const struct world_options *options)
{
    *w = (struct world){.cli = cli, .options = *options, .stops_till_2 = true};
    if (options->mongodb_uri &&
        snprintf(w->mongodb_uri, sizeof(w->mongodb_uri), "%s", options->mongodb_uri) >=
            (int)sizeof(w->mongodb_uri)) {
        return world_fail(w, LIANA_EINVAL, "the MongoDB URI is too long");
    }
    for (size_t i = 0; i < PLACES; i++) {
        struct world_store *s = &w->stores[i];

        s->name = names[i];
        snprintf(s->path, sizeof(s->path), "%s/%s", options->folder, folders[i]);
        snprintf(s->listen, sizeof(s->listen), "127.0.0.1:0");
    }
    if (demo_retail_load(options->data, &w->retail, &w->err)) {
        return false;
    }
    for (size_t i = 0; i < w->retail.invoice_count; i++) {
        w->stores[i % DEMO_TILLS].share++;
    }
    return write_key(w);
}

void world_end(struct world *w)
{
    for (size_t i = 0; i < PLACES; i++) {
        world_detach(w, (enum world_place)i);
        demo_child_stop(&w->stores[i].child);
    }
    demo_relay_stop(w->relay);
    demo_child_stop(&w->mongodb);
    demo_retail_free(&w->retail);
}

/* ---- MongoDB ---- */

bool world_start_mongodb(struct world *w, const char *program)
{
    char store[4200];
    char log[4200];
    const char *argv[] = {program, "--port",       "0",    "--storage-path",
                          store,   "--cache-size", "128M", NULL};
    struct demo_child_options options = {.name = "MongoDB test server",
                                         .argv = argv,
                                         .log_path = log,
                                         .is_merged = true};
    uint64_t end = cli_now_ms() + PATIENCE_MS;

    snprintf(store, sizeof(store), "%s/mongodb", w->options.folder);
    snprintf(log, sizeof(log), "%s/mongodb.log", w->options.folder);
    if (demo_child_start(&w->mongodb, &options, &w->err)) {
        return false;
    }
    while (cli_now_ms() < end && !demo_child_has_ended(&w->mongodb)) {
        const char *line = demo_child_line(&w->mongodb);
        const char *found = line ? strstr(line, "listening on ") : NULL;

        if (found) {
            snprintf(w->mongodb_uri, sizeof(w->mongodb_uri), "mongodb://%s/",
                     found + strlen("listening on "));
            return true;
        }
        if (!line) {
            cli_wait(w->mongodb.out, 100);
        }
        if (cli_stop_wanted()) {
            return world_fail(w, LIANA_ECANCELED, "stopped");
        }
    }
    return world_fail(w, LIANA_EUNREACHABLE, "%s did not start", program);
}

/* ---- stores ---- */

struct words {
    const char *at[ARGS_MAX];
    size_t count;
    char texts[8][64];
    size_t text_count;
};

static void add(struct words *words, const char *word)
{
    words->at[words->count++] = word;
}

static void add_pair(struct words *words, const char *option, const char *value)
{
    add(words, option);
    add(words, value);
}

static void add_number(struct words *words, const char *option, int64_t value)
{
    char *text = words->texts[words->text_count++];

    snprintf(text, sizeof(words->texts[0]), "%lld", (long long)value);
    add_pair(words, option, text);
}

static void add_peer_words(struct words *words, struct world *w, enum world_place place)
{
    static char key[4200];

    snprintf(key, sizeof(key), "%s/key", w->options.folder);
    add(words, "--json");
    add(words, "--create");
    add_pair(words, "--database", "liana demo retail");
    add_pair(words, "--name", w->stores[place].name);
    add_pair(words, "--key-file", key);
    add_pair(words, "--subscribe", "sales");
    add_pair(words, "--subscribe", "stock");
    if (place != TILL_1) {
        add_pair(words, "--listen", w->stores[place].listen);
    }
    if (place != HUB && place != OFFICE) {
        add_pair(words, "--dial", w->stores[place + 1].listen);
    }
}

static void add_place_words(struct words *words,
                            struct world *w,
                            enum world_place place)
{
    static char relay[64];

    if (place == OFFICE) {
        snprintf(relay, sizeof(relay), "127.0.0.1:%d", demo_relay_port(w->relay));
        add_pair(words, "--dial", relay);
    }
    if (place == HUB && w->mongodb_uri[0]) {
        add_pair(words, "--mongo", w->mongodb_uri);
        add_pair(words, "--mongo-database", w->options.mongodb_database);
    }
    if (place < OFFICE) {
        add_number(words, "--till", (int64_t)place + 1);
    }
    if (place == TILL_2 && w->stops_till_2) {
        add_number(words, "--pause-at", w->options.pause_at);
        add_number(words, "--pause-in", w->options.pause_in);
    }
}

static bool is_ready(struct world *w)
{
    for (size_t i = 0; i < PLACES; i++) {
        if (w->stores[i].child.name && !w->stores[i].is_ready) {
            return false;
        }
    }
    return true;
}

bool world_start(struct world *w, enum world_place place)
{
    static const char *const commands[PLACES] = {"till", "till", "till", "peer", "hub"};
    struct world_store *s = &w->stores[place];
    struct words words = {0};
    char log[4300];
    struct demo_child_options options = {
        .name = s->name, .argv = words.at, .log_path = log};

    snprintf(log, sizeof(log), "%s.log", s->path);
    add(&words, w->cli->program);
    add(&words, commands[place]);
    add(&words, s->path);
    if (place < OFFICE) {
        add(&words, w->options.data);
    }
    add_peer_words(&words, w, place);
    add_place_words(&words, w, place);
    s->is_ready = s->has_catalogue = s->is_paused = false;
    if (demo_child_start(&s->child, &options, &w->err)) {
        return false;
    }
    return world_wait(w, is_ready, "a process that does not get ready");
}

bool world_start_relay(struct world *w)
{
    const char *colon = strrchr(w->stores[HUB].listen, ':');

    return !demo_relay_start((int)strtol(colon ? colon + 1 : "0", NULL, 10), &w->relay,
                             &w->err);
}

bool world_attach(struct world *w, enum world_place place)
{
    return !liana_attach(cli_str(w->stores[place].path), &w->stores[place].db, &w->err);
}

void world_detach(struct world *w, enum world_place place)
{
    liana_close(w->stores[place].db, NULL);
    w->stores[place].db = NULL;
}

/* ---- selling ---- */

void world_allow(struct world *w, enum world_place till, size_t count)
{
    char text[64];

    snprintf(text, sizeof(text), "sell %zu\n", count);
    demo_child_say(&w->stores[till].child, text);
}

size_t world_sold(const struct world *w)
{
    return w->stores[TILL_1].sold + w->stores[TILL_2].sold + w->stores[TILL_3].sold;
}
