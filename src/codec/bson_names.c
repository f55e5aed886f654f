/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/bson_names.h"

#define STACK_SLOTS 128

liana_status lia_names_few_unique(const struct liana_str *names,
                                  size_t count,
                                  struct liana_str *out_twice)
{
    for (size_t n = 1; n < count; n++) {
        for (size_t i = 0; i < n; i++) {
            if (names[i].len == names[n].len &&
                memcmp(names[i].ptr, names[n].ptr, names[n].len) == 0) {
                *out_twice = names[n];
                return LIANA_EDUPFIELD;
            }
        }
    }
    return LIANA_OK;
}

/* A slot holds the distance of an element from the start of the map: never 0, because
 * the map's length comes first. */
/* False when the name has a slot already. */
static bool take_slot(uint32_t *slots,
                      size_t mask,
                      uint64_t hash,
                      struct liana_slice map,
                      const struct lia_bson_iter *it)
{
    size_t at = (size_t)hash & mask;

    for (; slots[at] != 0; at = (at + 1) & mask) {
        const char *other = (const char *)map.ptr + slots[at] + 1;

        if (strcmp(other, it->name.ptr) == 0) {
            return false;
        }
    }
    slots[at] = (uint32_t)(it->start - map.ptr);
    return true;
}

static liana_status fill_table(struct lia_names *names,
                               struct liana_slice map,
                               uint32_t *slots,
                               size_t slot_count,
                               struct liana_str *out_twice)
{
    struct lia_bson_iter it = lia_bson_iter(map);

    while (lia_bson_next(&it)) {
        uint64_t hash = lia_hash_short(lia_str_slice(it.name), names->key);

        if (!take_slot(slots, slot_count - 1, hash, map, &it)) {
            *out_twice = it.name;
            return LIANA_EDUPFIELD;
        }
    }
    return LIANA_OK;
}

liana_status lia_names_unique(struct lia_names *names,
                              struct liana_slice map,
                              size_t count,
                              struct liana_str *out_twice)
{
    uint32_t on_stack[STACK_SLOTS] = {0};
    uint32_t *slots = on_stack;
    size_t slot_count = STACK_SLOTS;
    liana_status status;

    if (!names->has_key) {
        lia_hash(names->doc, names->key, sizeof(names->key));
        names->has_key = true;
    }
    while (slot_count < 2 * count) {
        slot_count *= 2;
    }
    if (slot_count > STACK_SLOTS) {
        slots = lia_mem_zalloc(names->alloc, slot_count * sizeof(*slots));
        if (!slots) {
            return LIANA_ENOMEM;
        }
    }
    status = fill_table(names, map, slots, slot_count, out_twice);
    if (slots != on_stack) {
        lia_mem_free(names->alloc, slots, slot_count * sizeof(*slots));
    }
    return status;
}
