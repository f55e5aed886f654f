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

/* ---- the beginning and the end ---- */

/* A file that nobody else may read. */
static bool write_secret(struct world *w, const char *name, struct liana_slice text)
{
    char path[4200];
    bool ok;
    int fd;

    snprintf(path, sizeof(path), "%s/%s", w->options.folder, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ok = fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len;
    if (!ok) {
        world_fail(w, LIANA_EIO, "%s: %s", path, strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

static bool write_key(struct world *w)
{
    liana_bytes *key;
    bool ok;

    if (liana_shared_key_new(&key, &w->err)) {
        return false;
    }
    ok = write_secret(w, "key", liana_bytes_slice(key));
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
        static char file[4300];

        snprintf(file, sizeof(file), "%s/mongodb-uri", w->options.folder);
        add_pair(words, "--mongo-file", file);
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

/* It may hold a password, so it is no word of the hub's. */
static bool write_uri(struct world *w)
{
    const char *uri = w->mongodb_uri;

    return !*uri ||
           write_secret(w, "mongodb-uri",
                        (struct liana_slice){(const uint8_t *)uri, strlen(uri)});
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
    if (place == HUB && !write_uri(w)) {
        return false;
    }
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
