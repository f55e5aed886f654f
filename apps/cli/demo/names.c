/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/demo/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct slot {
    const char *name;
    size_t value;
};

/* Open addressing; at most half full. */
struct demo_names {
    struct slot *slots;
    size_t room; /* a power of two */
    size_t count;
};

/* FNV-1a, 64 bits. */
static uint64_t hash(const char *name)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (; *name; name++) {
        h = (h ^ (unsigned char)*name) * 0x100000001b3u;
    }
    return h;
}

static struct slot *find(struct slot *slots, size_t room, const char *name)
{
    size_t at = (size_t)hash(name) & (room - 1);

    while (slots[at].name && strcmp(slots[at].name, name) != 0) {
        at = (at + 1) & (room - 1);
    }
    return &slots[at];
}

struct demo_names *demo_names_new(void)
{
    struct demo_names *names = calloc(1, sizeof(*names));

    if (!names) {
        return NULL;
    }
    names->room = 64;
    names->slots = calloc(names->room, sizeof(*names->slots));
    if (!names->slots) {
        free(names);
        return NULL;
    }
    return names;
}

void demo_names_free(struct demo_names *names)
{
    if (names) {
        free(names->slots);
        free(names);
    }
}

size_t demo_names_get(const struct demo_names *names, const char *name)
{
    const struct slot *slot = find(names->slots, names->room, name);

    return slot->name ? slot->value : SIZE_MAX;
}

static bool widen(struct demo_names *names)
{
    size_t room = names->room * 2;
    struct slot *slots = calloc(room, sizeof(*slots));

    if (!slots) {
        return false;
    }
    for (size_t i = 0; i < names->room; i++) {
        if (names->slots[i].name) {
            *find(slots, room, names->slots[i].name) = names->slots[i];
        }
    }
    free(names->slots);
    names->slots = slots;
    names->room = room;
    return true;
}

bool demo_names_add(struct demo_names *names, const char *name, size_t value)
{
    if (names->count * 2 >= names->room && !widen(names)) {
        return false;
    }
    *find(names->slots, names->room, name) = (struct slot){name, value};
    names->count++;
    return true;
}
