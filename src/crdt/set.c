/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/set.h"

#include "codec/order.h"

int lia_element_cmp(struct lia_value a, struct lia_value b)
{
    int order = lia_value_cmp(a, b);

    if (order == 0) {
        order = (int)a.type - (int)b.type;
    }
    return order ? order : lia_slice_cmp(a.data, b.data);
}

bool lia_element_is_in(const struct lia_element *element)
{
    for (size_t i = 0; i < element->slot_count; i++) {
        if (lia_stamp_is_none(element->slots[i].removed)) {
            return true;
        }
    }
    return false;
}

/* The first element that is not before the value. */
static size_t place_of(const struct lia_set *set, struct lia_value value)
{
    size_t low = 0;
    size_t high = set->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (lia_element_cmp(set->elements[middle].value, value) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct lia_element *lia_set_find(const struct lia_set *set, struct lia_value value)
{
    size_t place = place_of(set, value);

    return place < set->count && lia_value_equal(set->elements[place].value, value)
               ? &set->elements[place]
               : NULL;
}

static void *no_memory(struct lia_work *work)
{
    work->status = LIANA_ENOMEM;
    return NULL;
}

/* ---- local writes ---- */

struct lia_set *lia_set_of(struct lia_work *work, struct lia_node *node)
{
    if (!node->set) {
        node->set = LIA_ARENA_NEW(work->arena, struct lia_set);
    }
    return node->set ? node->set : no_memory(work);
}

/* A place for one more in the middle; arrays of an arena grow by being copied. */
static struct lia_element *insert_element(struct lia_work *work,
                                          struct lia_set *set,
                                          struct lia_value value)
{
    size_t place = place_of(set, value);
    struct lia_element *elements =
        lia_arena_array(work->arena, set->count + 1, sizeof(*elements));

    if (!elements) {
        return no_memory(work);
    }
    for (size_t i = 0; i < set->count; i++) {
        elements[i + (i >= place)] = set->elements[i];
    }
    elements[place] = (struct lia_element){.value = value};
    set->elements = elements;
    set->count++;
    return &elements[place];
}

static uint64_t actor_of(const struct lia_slot *slot)
{
    return slot->rank.stamp.actor;
}

bool lia_set_add(struct lia_work *work,
                 struct lia_set *set,
                 struct lia_value value,
                 struct lia_rank rank,
                 struct lia_birth birth)
{
    const struct lia_slot own = {rank, birth, LIA_STAMP_NONE};
    struct lia_element *element = lia_set_find(set, value);
    struct lia_slot *slots;
    size_t count = 0;

    if (!element) {
        element = insert_element(work, set, value);
    }
    slots = element
                ? lia_arena_array(work->arena, element->slot_count + 1, sizeof(*slots))
                : NULL;
    if (!slots) {
        return no_memory(work) != NULL;
    }
    for (size_t i = 0; i < element->slot_count; i++) {
        if (actor_of(&element->slots[i]) < rank.stamp.actor) {
            slots[count++] = element->slots[i];
        }
    }
    slots[count++] = own;
    for (size_t i = 0; i < element->slot_count; i++) {
        if (actor_of(&element->slots[i]) > rank.stamp.actor) {
            slots[count++] = element->slots[i];
        }
    }
    element->slots = slots;
    element->slot_count = count;
    return true;
}

void lia_element_remove(struct lia_element *element, struct lia_stamp stamp)
{
    for (size_t i = 0; i < element->slot_count; i++) {
        if (lia_stamp_is_none(element->slots[i].removed)) {
            element->slots[i].removed = stamp;
            element->slots[i].rank.tag = stamp;
        }
    }
}

/* ---- joining ---- */

/* The newer addition; of one addition, the newer removal; the rest only decides where an
 * actor has used a stamp twice, or a repair has renewed tags. */
static int compare_slots(const struct lia_slot *a, const struct lia_slot *b)
{
    int order = LIA_MUTANT(17) ? lia_stamp_cmp(a->removed, b->removed)
                               : lia_rank_cmp(a->rank, b->rank);

    if (order == 0) {
        order = lia_stamp_cmp(a->removed, b->removed);
    }
    if (order == 0) {
        order = lia_stamp_cmp(a->rank.tag, b->rank.tag);
    }
    return order ? order : lia_birth_cmp(a->birth, b->birth);
}

static bool join_slots(struct lia_work *work,
                       struct lia_element *out,
                       const struct lia_element *a,
                       const struct lia_element *b)
{
    size_t i = 0;
    size_t j = 0;

    out->value = a->value;
    out->slot_count = 0;
    out->slots = lia_arena_array(work->arena, a->slot_count + b->slot_count,
                                 sizeof(*out->slots));
    if (!out->slots) {
        return no_memory(work) != NULL;
    }
    while (i < a->slot_count || j < b->slot_count) {
        bool from_a =
            j == b->slot_count ||
            (i < a->slot_count && actor_of(&a->slots[i]) <= actor_of(&b->slots[j]));
        bool from_b =
            i == a->slot_count ||
            (j < b->slot_count && actor_of(&b->slots[j]) <= actor_of(&a->slots[i]));
        bool is_a_newer =
            from_a && (!from_b || compare_slots(&a->slots[i], &b->slots[j]) >= 0);

        out->slots[out->slot_count++] = is_a_newer ? a->slots[i] : b->slots[j];
        i += from_a;
        j += from_b;
    }
    return true;
}

static void join_open(struct lia_set *a, const struct lia_set *b)
{
    int order = lia_rank_cmp(a->open_rank, b->open_rank);

    if (order == 0) {
        order = lia_stamp_cmp(a->open_rank.tag, b->open_rank.tag);
    }
    if (b->is_open &&
        (!a->is_open || order < 0 ||
         (order == 0 && lia_birth_cmp(a->open_birth, b->open_birth) < 0))) {
        a->is_open = true;
        a->open_rank = b->open_rank;
        a->open_birth = b->open_birth;
    }
}

bool lia_set_join(struct lia_work *work, struct lia_node *a, const struct lia_node *b)
{
    const struct lia_set *x = a->set;
    const struct lia_set *y = b->set;
    struct lia_set *out;
    size_t i = 0;
    size_t j = 0;

    if (!x || !y) {
        a->set = x ? a->set : b->set;
        return true;
    }
    out = LIA_ARENA_NEW(work->arena, struct lia_set);
    if (!out) {
        return no_memory(work) != NULL;
    }
    *out = *x;
    join_open(out, y);
    out->count = 0;
    out->elements =
        lia_arena_array(work->arena, x->count + y->count, sizeof(*out->elements));
    if (!out->elements) {
        return no_memory(work) != NULL;
    }
    while (i < x->count || j < y->count) {
        int order = i == x->count ? 1
                    : j == y->count
                        ? -1
                        : lia_element_cmp(x->elements[i].value, y->elements[j].value);
        struct lia_element *next = &out->elements[out->count++];

        if (order == 0) {
            if (!join_slots(work, next, &x->elements[i++], &y->elements[j++])) {
                return false;
            }
        } else {
            *next = order < 0 ? x->elements[i++] : y->elements[j++];
        }
    }
    a->set = out;
    return true;
}

/* ---- entries ---- */

static bool keep_slot(struct lia_slot *slot,
                      struct lia_value value,
                      const struct lia_trail *trail,
                      lia_entry_fn keep,
                      void *ctx)
{
    const struct lia_entry entry = {
        .kind = LIA_ENTRY_SLOT,
        .trail = trail,
        .rank = &slot->rank,
        .begun = slot->rank.stamp,
        .written = lia_slot_stamp(slot),
        .named = slot->removed,
        .birth = &slot->birth,
        .is_loss = lia_stamp_is_none(slot->removed),
        .value = value,
    };

    return keep(ctx, &entry);
}

static bool keep_element(struct lia_element *element,
                         const struct lia_trail *trail,
                         lia_entry_fn keep,
                         void *ctx)
{
    size_t kept = 0;

    for (size_t i = 0; i < element->slot_count; i++) {
        if (keep_slot(&element->slots[i], element->value, trail, keep, ctx)) {
            element->slots[kept++] = element->slots[i];
        }
    }
    element->slot_count = kept;
    return kept > 0;
}

void lia_set_each(struct lia_node *node,
                  const struct lia_trail *trail,
                  lia_entry_fn keep,
                  void *ctx)
{
    struct lia_set *set = node->set;
    size_t kept = 0;

    if (set->is_open) {
        const struct lia_entry entry = {.kind = LIA_ENTRY_OPEN,
                                        .trail = trail,
                                        .rank = &set->open_rank,
                                        .begun = set->open_rank.stamp,
                                        .written = set->open_rank.stamp,
                                        .birth = &set->open_birth};

        set->is_open = keep(ctx, &entry);
    }
    for (size_t i = 0; i < set->count; i++) {
        if (keep_element(&set->elements[i], trail, keep, ctx)) {
            set->elements[kept++] = set->elements[i];
        }
    }
    set->count = kept;
    if (!set->is_open && kept == 0) {
        node->set = NULL;
    }
}

/* ---- the array ---- */

size_t lia_set_size(const struct lia_set *set)
{
    size_t size = lia_bson_empty.len;
    uint32_t shown = 0;

    for (size_t i = 0; i < set->count; i++) {
        char text[12];

        if (lia_element_is_in(&set->elements[i])) {
            size += 2 + lia_bson_index_name(shown++, text).len +
                    set->elements[i].value.data.len;
        }
    }
    return size;
}

static uint8_t *put(uint8_t *at, const void *p, size_t n)
{
    if (n) {
        memcpy(at, p, n);
    }
    return at + n;
}

uint8_t *lia_set_write(uint8_t *at, const struct lia_set *set)
{
    uint8_t *start = at;
    uint32_t shown = 0;
    size_t size;

    at += 4;
    for (size_t i = 0; i < set->count; i++) {
        const struct lia_element *element = &set->elements[i];
        struct liana_str name;
        char text[12];

        if (!lia_element_is_in(element)) {
            continue;
        }
        name = lia_bson_index_name(shown++, text);
        *at++ = element->value.type;
        at = put(at, name.ptr, name.len);
        *at++ = 0;
        at = put(at, element->value.data.ptr, element->value.data.len);
    }
    *at++ = 0;
    size = (size_t)(at - start);
    for (size_t i = 0; i < 4; i++) {
        start[i] = (uint8_t)(size >> 8 * i);
    }
    return at;
}
