/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets as bytes (docs/format/clock.md, "Set"). Elements that are in the set stand in the
 * body when the body shows the set; neighbours of one writing are told together.
 */
#include "crdt/clock_entry.h"
#include "crdt/set.h"

/* The birth of a slot is mostly that of the slot before it. */
static const struct lia_birth *first_expected(const struct lia_node *node,
                                              const struct lia_birth *expected)
{
    const struct lia_birth *own = lia_node_own_birth(node);

    return own ? own : expected;
}

/* ---- writing ---- */

static void write_slot(struct lia_encoder *e,
                       const struct lia_slot *slot,
                       const struct lia_birth **expected)
{
    lia_rank_encode(e, slot->rank, lia_slot_stamp(slot));
    lia_birth_encode(e, slot->birth, *expected);
    *expected = &slot->birth;
}

static void write_slots(struct lia_encoder *e,
                        const struct lia_element *element,
                        const struct lia_birth **expected)
{
    for (size_t i = 0; i < element->slot_count; i++) {
        const struct lia_slot *slot = &element->slots[i];
        bool is_removed = !lia_stamp_is_none(slot->removed);

        lia_buf_varint(&e->buf,
                       is_removed ? lia_stamp_number(e, slot->removed) + 1 : 0);
        write_slot(e, slot, expected);
    }
}

/* One slot, an addition that stands: what a run is made of. */
static bool is_simple(const struct lia_element *element)
{
    return element->slot_count == 1 && lia_stamp_is_none(element->slots[0].removed);
}

static bool goes_on(const struct lia_element *first, const struct lia_element *next)
{
    const struct lia_slot *a = &first->slots[0];
    const struct lia_slot *b = &next->slots[0];

    return is_simple(next) && lia_rank_is_same(a->rank, b->rank) &&
           lia_birth_cmp(a->birth, b->birth) == 0;
}

/* The elements that the body shows, from `*at` to the end of the run or one alone. */
static void write_group(struct lia_encoder *e,
                        const struct lia_set *set,
                        size_t *at,
                        const struct lia_birth **expected)
{
    const struct lia_element *first = &set->elements[*at];
    uint64_t count = 0;

    if (!is_simple(first)) {
        lia_buf_varint(&e->buf, (uint64_t)first->slot_count << 1 | 1);
        write_slots(e, first, expected);
        (*at)++;
        return;
    }
    for (; *at < set->count; (*at)++) {
        const struct lia_element *next = &set->elements[*at];

        if (lia_element_is_in(next) && !goes_on(first, next)) {
            break;
        }
        count += lia_element_is_in(next);
    }
    lia_buf_varint(&e->buf, count << 1);
    write_slot(e, &first->slots[0], expected);
}

static void write_others(struct lia_encoder *e,
                         const struct lia_set *set,
                         bool is_shown,
                         const struct lia_birth **expected)
{
    uint64_t count = 0;

    for (size_t i = 0; i < set->count; i++) {
        count += !is_shown || !lia_element_is_in(&set->elements[i]);
    }
    lia_buf_varint(&e->buf, count);
    for (size_t i = 0; i < set->count; i++) {
        const struct lia_element *element = &set->elements[i];

        if (is_shown && lia_element_is_in(element)) {
            continue;
        }
        lia_buf_u8(&e->buf, element->value.type);
        lia_buf_slice_add(&e->buf, element->value.data);
        lia_buf_varint(&e->buf, element->slot_count);
        write_slots(e, element, expected);
    }
}

void lia_set_encode(struct lia_encoder *e,
                    const struct lia_node *node,
                    const struct lia_birth *expected)
{
    const struct lia_set *set = node->set;
    bool is_shown = node->view.shown == LIA_SHOWN_SET;

    expected = first_expected(node, expected);
    lia_buf_u8(&e->buf, set->is_open);
    if (set->is_open) {
        lia_rank_encode(e, set->open_rank, set->open_rank.stamp);
        lia_birth_encode(e, set->open_birth, expected);
        expected = &set->open_birth;
    }
    for (size_t i = 0; is_shown && i < set->count;) {
        if (lia_element_is_in(&set->elements[i])) {
            write_group(e, set, &i, &expected);
        } else {
            i++;
        }
    }
    write_others(e, set, is_shown, &expected);
}

/* ---- reading ---- */

/* Where what is read goes to. */
struct sink {
    struct lia_decoder *d;
    const struct lia_birth *expected;
    struct lia_element *elements;
    size_t count;
};

static bool no_memory(struct lia_decoder *d)
{
    d->work->status = LIANA_ENOMEM;
    return lia_decoder_fail(d);
}

static void read_slot(struct sink *sink, struct lia_slot *slot)
{
    struct lia_stamp removed = slot->removed;

    slot->rank = lia_rank_decode(sink->d, lia_stamp_is_none(removed) ? NULL : &removed);
    slot->birth = lia_birth_decode(sink->d, sink->expected);
    sink->expected = &slot->birth;
    if (!lia_stamp_is_none(removed) && lia_stamp_cmp(removed, slot->rank.stamp) < 0) {
        lia_decoder_fail(sink->d);
    }
}

/* Nothing said of a removal, a rank, a birth. */
#define SLOT_BYTES_MIN 3

static bool read_slots(struct sink *sink, struct lia_element *element, uint64_t count)
{
    struct lia_decoder *d = sink->d;

    if (count == 0 || count > lia_reader_left(&d->r) / SLOT_BYTES_MIN) {
        return lia_decoder_fail(d);
    }
    element->slots =
        lia_arena_array(d->work->arena, (size_t)count, sizeof(struct lia_slot));
    if (!element->slots) {
        return no_memory(d);
    }
    for (size_t i = 0; i < count && !d->r.failed; i++) {
        struct lia_slot *slot = &element->slots[i];
        uint64_t number = lia_reader_varint_max(&d->r, d->stamps.count + 1);

        if (number) {
            slot->removed = lia_numbered_stamp(d, number - 1);
        }
        read_slot(sink, slot);
        if (i && slot->rank.stamp.actor <= slot[-1].rank.stamp.actor) {
            return lia_decoder_fail(d);
        }
    }
    element->slot_count = (size_t)count;
    return !d->r.failed;
}

/* Elements of the body that have one slot, all alike. */
static bool read_run(struct sink *sink, struct lia_bson_iter *it, uint64_t count)
{
    struct lia_slot *slot = LIA_ARENA_NEW(sink->d->work->arena, struct lia_slot);

    if (!slot) {
        return no_memory(sink->d);
    }
    if (count == 0) {
        return lia_decoder_fail(sink->d);
    }
    read_slot(sink, slot);
    for (uint64_t i = 0; i < count; i++) {
        struct lia_slot *own = LIA_ARENA_NEW(sink->d->work->arena, struct lia_slot);

        if (!own) {
            return no_memory(sink->d);
        }
        if ((i && !lia_bson_next(it)) || sink->d->r.failed) {
            return lia_decoder_fail(sink->d);
        }
        *own = *slot;
        sink->elements[sink->count++] = (struct lia_element){it->value, own, 1};
    }
    return true;
}

static bool read_shown(struct sink *sink, const struct lia_value *array)
{
    struct lia_bson_iter it = lia_bson_iter(array->data);

    while (lia_bson_next(&it)) {
        uint64_t group = lia_reader_varint(&sink->d->r);

        if (group & 1) {
            struct lia_element *element = &sink->elements[sink->count++];

            element->value = it.value;
            if (!read_slots(sink, element, group >> 1)) {
                return false;
            }
        } else if (!read_run(sink, &it, group >> 1)) {
            return false;
        }
    }
    return true;
}

static bool read_others(struct sink *sink, uint64_t count, unsigned depth)
{
    struct lia_decoder *d = sink->d;

    for (uint64_t i = 0; i < count; i++) {
        struct lia_element *element = &sink->elements[sink->count++];
        uint8_t type = lia_reader_u8(&d->r);
        size_t len;

        if (d->r.failed || !lia_bson_value_len(type, d->r.at, d->r.end, &len)) {
            return lia_decoder_fail(d);
        }
        element->value = (struct lia_value){type, lia_reader_bytes(&d->r, len)};
        if (d->is_checked && !lia_leaf_check(d->work, element->value, depth + 1)) {
            return lia_decoder_fail(d);
        }
        if (!read_slots(sink, element, lia_reader_varint(&d->r))) {
            return false;
        }
    }
    return true;
}

static size_t count_elements(const struct lia_value *array)
{
    struct lia_bson_iter it = lia_bson_iter(array->data);
    size_t count = 0;

    while (lia_bson_next(&it)) {
        count++;
    }
    return count;
}

/* The elements of the body came first; then those that it does not show: both in order.
 * Foreign bytes that are not are found out here. */
static bool merge_order(struct lia_decoder *d, struct lia_set *set, size_t shown)
{
    struct lia_element *sorted =
        lia_arena_array(d->work->arena, set->count, sizeof(*sorted));
    size_t i = 0;
    size_t j = shown;

    if (!sorted) {
        return no_memory(d);
    }
    for (size_t k = 0; k < set->count; k++) {
        bool is_first = j == set->count ||
                        (i < shown && lia_element_cmp(set->elements[i].value,
                                                      set->elements[j].value) < 0);

        sorted[k] = set->elements[is_first ? i++ : j++];
        if (d->is_checked && k &&
            lia_element_cmp(sorted[k - 1].value, sorted[k].value) >= 0) {
            return lia_decoder_fail(d);
        }
    }
    set->elements = sorted;
    return true;
}

/* A type, a payload, a count, a slot. */
#define OTHER_BYTES_MIN 5

bool lia_set_decode(struct lia_decoder *d,
                    struct lia_node *node,
                    const struct lia_value *array,
                    const struct lia_birth *expected,
                    unsigned depth)
{
    struct lia_set *set = LIA_ARENA_NEW(d->work->arena, struct lia_set);
    size_t shown = array ? count_elements(array) : 0;
    struct sink sink = {.d = d, .expected = first_expected(node, expected)};
    struct sink rest;
    uint64_t others;
    uint8_t is_open = lia_reader_u8(&d->r);

    if (!set) {
        return no_memory(d);
    }
    if (is_open > 1 || (array && array->type != LIA_BSON_ARRAY)) {
        return lia_decoder_fail(d);
    }
    if (is_open) {
        set->is_open = true;
        set->open_rank = lia_rank_decode(d, NULL);
        set->open_birth = lia_birth_decode(d, sink.expected);
        sink.expected = &set->open_birth;
    }
    sink.elements = lia_arena_array(d->work->arena, shown, sizeof(*sink.elements));
    if (!sink.elements) {
        return no_memory(d);
    }
    if (array && !read_shown(&sink, array)) {
        return false;
    }
    others = lia_reader_varint_max(&d->r, lia_reader_left(&d->r) / OTHER_BYTES_MIN);
    rest = sink;
    rest.elements =
        lia_arena_array(d->work->arena, shown + (size_t)others, sizeof(*rest.elements));
    if (!rest.elements) {
        return no_memory(d);
    }
    for (size_t i = 0; i < sink.count; i++) {
        rest.elements[i] = sink.elements[i];
    }
    if (!read_others(&rest, others, depth)) {
        return false;
    }
    set->elements = rest.elements;
    set->count = rest.count;
    node->set = set;
    return (set->count || set->is_open || lia_decoder_fail(d)) &&
           merge_order(d, set, shown);
}
