/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/demo/demo.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/signals.h"

/* What must have happened, per thousand of the invoices: 200 and 20 of 905. */
enum { CUT_PERMILLE = 220, DOWN_PERMILLE = 22 };

/* ---- afterwards ---- */

static FILE *open_private(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;

    if (fd >= 0 && !file) {
        close(fd);
    }
    return file;
}

bool demo_describe(struct demo *d)
{
    struct world *w = &d->world;
    bson_t *run =
        BCON_NEW("data", BCON_UTF8(d->data), "start", BCON_INT64(w->options.start),
                 "liana", BCON_UTF8(d->cli->program));
    char path[4200];
    char *json;
    bson_t stores;
    bson_t inner;
    FILE *file;
    bool ok;

    BSON_APPEND_ARRAY_BEGIN(run, "stores", &stores);
    for (uint32_t i = 0; i < PLACES; i++) {
        char name[12];
        const char *folder = strrchr(w->stores[i].path, '/') + 1;

        snprintf(name, sizeof(name), "%u", i);
        BSON_APPEND_DOCUMENT_BEGIN(&stores, name, &inner);
        BSON_APPEND_UTF8(&inner, "name", w->stores[i].name);
        BSON_APPEND_UTF8(&inner, "path", folder);
        bson_append_document_end(&stores, &inner);
    }
    bson_append_array_end(run, &stores);
    if (w->mongodb_uri[0]) {
        BSON_APPEND_DOCUMENT_BEGIN(run, "mongodb", &inner);
        BSON_APPEND_UTF8(&inner, "uri", w->mongodb_uri);
        BSON_APPEND_UTF8(&inner, "database", cli_text(d->args, "db"));
        bson_append_document_end(run, &inner);
    } else {
        BSON_APPEND_NULL(run, "mongodb");
    }
    snprintf(path, sizeof(path), "%s/run.json", d->folder);
    json = bson_as_relaxed_extended_json(run, NULL);
    file = open_private(path); /* the URI may hold a password */
    ok = file && fprintf(file, "%s\n", json) > 0;
    ok = file && fclose(file) == 0 && ok;
    bson_free(json);
    bson_destroy(run);
    return ok || world_fail(w, LIANA_EIO, "%s: %s", path, strerror(errno));
}

bool demo_verify(struct demo *d)
{
    struct world *w = &d->world;
    char *tool = demo_find_tool(d, "tools/verify_retail.py");
    const char *argv[] = {"/usr/bin/env", "python3", tool, d->folder, NULL};
    struct demo_child_options options = {.name = "verify_retail.py",
                                         .argv = argv,
                                         .log_path = "/dev/null",
                                         .is_merged = true};
    struct demo_child child;
    const char *line;
    bool is_checked;
    bool ok;

    if (!tool) {
        return world_fail(w, LIANA_ENOTFOUND, "tools/verify_retail.py is not there");
    }
    if (demo_child_start(&child, &options, &w->err)) {
        free(tool);
        return false;
    }
    while (!demo_child_has_ended(&child) && world_pump(w, 50)) {
        while ((line = demo_child_line(&child))) {
            demo_say(d, "%s", line);
        }
    }
    while ((line = demo_child_line(&child))) {
        demo_say(d, "%s", line);
    }
    ok = child.pid == 0 && child.status == 0;
    is_checked = WIFEXITED(child.status) && WEXITSTATUS(child.status) == 1;
    demo_child_stop(&child);
    free(tool);
    return ok || (is_checked ? world_fail(w, LIANA_ECORRUPT,
                                          "the stores are not what they must be")
                             : world_fail(w, LIANA_EIO, "it could not be checked"));
}

size_t demo_sold_while_cut(const struct demo *d)
{
    return d->sold_at_join - d->sold_at_cut;
}

size_t demo_sold_while_down(const struct demo *d)
{
    return d->sold_at_return - d->sold_at_kill;
}

bool demo_check_story(struct demo *d)
{
    size_t all = d->world.retail.invoice_count;
    size_t while_cut = demo_sold_while_cut(d);
    size_t while_down = demo_sold_while_down(d);

    if ((all - d->sold_at_cut) * 4 < all || while_cut * 1000 < all * CUT_PERMILLE ||
        while_down * 1000 < all * DOWN_PERMILLE || d->recovered < while_down) {
        return world_fail(
            &d->world, LIANA_EINTERNAL,
            "too little happened while the link was cut or till 2 was down");
    }
    return true;
}

void demo_stay(struct demo *d)
{
    demo_say(d, "\nEverything is left running. In %s:", d->folder);
    demo_say(d, "  tools/verify_retail.py %s", d->folder);
    demo_say(d, "  %s status %s", d->cli->program, d->world.stores[HUB].path);
    demo_say(d, "^C ends it; the folder stays.");
    while (!cli_stop_wanted() && world_pump(&d->world, 1000)) {
    }
    d->world.err = (struct liana_error)LIANA_ERROR_INIT;
}
