/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/stamp.h"

#include "base/buf.h"

#define HLC_MS_MAX (LIA_HLC_MAX >> 16)

uint64_t lia_hlc_next(uint64_t last, uint64_t wall_ms)
{
    uint64_t now = (wall_ms < HLC_MS_MAX ? wall_ms : HLC_MS_MAX) << 16;
    uint64_t after = last < LIA_HLC_MAX ? last + 1 : LIA_HLC_MAX;

    return now > after ? now : after;
}

/* Index of the first entry whose actor is not below `actor`. */
static size_t lower_bound(struct lia_vector v, uint64_t actor)
{
    size_t low = 0;
    size_t high = v.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (v.entries[middle].actor < actor) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t lia_vector_index(struct lia_vector v, uint64_t actor)
{
    size_t i = lower_bound(v, actor);

    return i < v.count && v.entries[i].actor == actor ? i : v.count;
}

uint64_t lia_vector_get(struct lia_vector v, uint64_t actor)
{
    size_t i = lia_vector_index(v, actor);

    return i < v.count ? v.entries[i].hlc : 0;
}

bool lia_vector_covers(struct lia_vector v, struct lia_stamp s)
{
    return lia_vector_get(v, s.actor) >= s.hlc;
}

bool lia_vector_geq(struct lia_vector a, struct lia_vector b)
{
    size_t i = 0;

    for (size_t j = 0; j < b.count; j++) {
        while (i < a.count && a.entries[i].actor < b.entries[j].actor) {
            i++;
        }
        if (i == a.count || a.entries[i].actor != b.entries[j].actor ||
            a.entries[i].hlc < b.entries[j].hlc) {
            return false;
        }
    }
    return true;
}

bool lia_vector_admits(struct lia_vector v, struct lia_stamp s)
{
    bool is_newer = s.hlc > 0 && s.hlc <= LIA_HLC_MAX;

    for (size_t i = 0; i < v.count && is_newer; i++) {
        const struct lia_vector_entry *e = &v.entries[i];

        is_newer = e->actor == s.actor ? e->hlc <= s.hlc : e->hlc < s.hlc;
    }
    return is_newer;
}

bool lia_vector_equal(struct lia_vector a, struct lia_vector b)
{
    if (a.count != b.count) {
        return false;
    }
    for (size_t i = 0; i < a.count; i++) {
        if (a.entries[i].actor != b.entries[i].actor ||
            a.entries[i].hlc != b.entries[i].hlc) {
            return false;
        }
    }
    return true;
}

uint64_t lia_vector_max_hlc(struct lia_vector v)
{
    uint64_t newest = 0;

    for (size_t i = 0; i < v.count; i++) {
        if (v.entries[i].hlc > newest) {
            newest = v.entries[i].hlc;
        }
    }
    return newest;
}

liana_status lia_vector_join(struct lia_arena *arena,
                             struct lia_vector a,
                             struct lia_vector b,
                             struct lia_vector *out)
{
    struct lia_vector_entry *entries;
    size_t count = 0;
    size_t i = 0;
    size_t j = 0;

    if (a.count > SIZE_MAX - b.count) {
        return LIANA_ENOMEM;
    }
    entries = lia_arena_array(arena, a.count + b.count, sizeof(*entries));
    if (!entries) {
        return LIANA_ENOMEM;
    }
    while (i < a.count || j < b.count) {
        bool from_a =
            j == b.count || (i < a.count && a.entries[i].actor <= b.entries[j].actor);
        bool from_b =
            i == a.count || (j < b.count && b.entries[j].actor <= a.entries[i].actor);
        struct lia_vector_entry e = from_a ? a.entries[i] : b.entries[j];

        if (from_b && b.entries[j].hlc > e.hlc) {
            e.hlc = b.entries[j].hlc;
        }
        i += from_a;
        j += from_b;
        entries[count++] = e;
    }
    *out = (struct lia_vector){entries, count};
    return LIANA_OK;
}

liana_status lia_vector_with(struct lia_arena *arena,
                             struct lia_vector v,
                             struct lia_stamp s,
                             struct lia_vector *out)
{
    const struct lia_vector_entry entry = {s.actor, s.hlc};

    return lia_vector_join(arena, v, (struct lia_vector){&entry, s.hlc != 0}, out);
}

#define COUNTER_MASK UINT64_C(0xffff)

void lia_distance_encode(struct lia_buf *buf, uint64_t from, uint64_t older)
{
    uint64_t d = from - older;

    lia_buf_varint(buf, d & COUNTER_MASK ? d << 1 | 1 : d >> 16 << 1);
}

uint64_t lia_distance_decode(struct lia_reader *r, uint64_t from)
{
    uint64_t coded = lia_reader_varint(r);
    bool is_fine = (coded & 1) != 0;
    uint64_t d = coded >> 1;

    if (is_fine ? (d & COUNTER_MASK) == 0 : d > from >> 16) {
        lia_reader_fail(r);
        return 0;
    }
    d = is_fine ? d : d << 16;
    if (d > from) {
        lia_reader_fail(r);
        return 0;
    }
    return from - d;
}

void lia_vector_encode(struct lia_buf *buf, struct lia_vector v)
{
    uint64_t newest = lia_vector_max_hlc(v);

    lia_buf_varint(buf, v.count);
    if (v.count == 0) {
        return;
    }
    lia_buf_u64(buf, newest);
    for (size_t i = 0; i < v.count; i++) {
        lia_buf_u64(buf, v.entries[i].actor);
        lia_distance_encode(buf, newest, v.entries[i].hlc);
    }
}

/* An actor and the shortest varint. */
#define VECTOR_ENTRY_BYTES_MIN ((size_t)9)

static void decode_entries(struct lia_reader *r,
                           struct lia_vector_entry *entries,
                           size_t count)
{
    uint64_t newest = lia_reader_u64(r);
    bool has_newest = false;

    for (size_t i = 0; i < count; i++) {
        entries[i].actor = lia_reader_u64(r);
        entries[i].hlc = lia_distance_decode(r, newest);
        has_newest = has_newest || entries[i].hlc == newest;
        if (entries[i].hlc == 0 || (i && entries[i].actor <= entries[i - 1].actor)) {
            lia_reader_fail(r);
        }
    }
    if (!has_newest || newest > LIA_HLC_MAX) {
        lia_reader_fail(r);
    }
}

liana_status lia_vector_decode(struct lia_arena *arena,
                               struct lia_reader *r,
                               struct lia_vector *out)
{
    uint64_t count =
        lia_reader_varint_max(r, lia_reader_left(r) / VECTOR_ENTRY_BYTES_MIN);
    struct lia_vector_entry *entries = NULL;

    if (count) {
        entries = lia_arena_array(arena, (size_t)count, sizeof(*entries));
        if (!entries) {
            return LIANA_ENOMEM;
        }
        decode_entries(r, entries, (size_t)count);
    }
    if (r->failed) {
        return LIANA_ECORRUPT;
    }
    *out = (struct lia_vector){entries, (size_t)count};
    return LIANA_OK;
}
