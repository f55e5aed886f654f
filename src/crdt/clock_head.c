/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/clock.h"

static void encode_stamp(struct lia_buf *buf, struct lia_vector v, struct lia_stamp s)
{
    lia_buf_varint(buf, lia_vector_index(v, s.actor));
    lia_distance_encode(buf, lia_vector_max_hlc(v), s.hlc);
}

static void encode_from(struct lia_buf *buf,
                        struct lia_vector to,
                        struct lia_vector from)
{
    for (size_t i = 0; i < to.count; i++) {
        uint64_t hlc = lia_vector_get(from, to.entries[i].actor);

        lia_buf_u8(buf, hlc != 0);
        if (hlc) {
            lia_distance_encode(buf, to.entries[i].hlc, hlc);
        }
    }
}

static unsigned tag_flag(struct lia_stamp s, struct lia_stamp tag, unsigned flag)
{
    return lia_stamp_cmp(s, tag) ? flag : 0u;
}

void lia_clock_head_encode(struct lia_buf *buf, const struct lia_state *state)
{
    bool is_created = !lia_stamp_is_none(state->created);
    bool is_deleted = !lia_stamp_is_none(state->deleted);
    bool is_withdrawn = !lia_stamp_is_none(state->withdrawn);
    unsigned flags = 0;

    flags |= is_created ? LIA_CLOCK_CREATED : 0u;
    flags |= is_deleted ? LIA_CLOCK_DELETED : 0u;
    flags |= is_withdrawn ? LIA_CLOCK_WITHDRAWN : 0u;
    flags |= state->is_hidden ? LIA_CLOCK_HIDDEN : 0u;
    flags |= state->is_clamped ? LIA_CLOCK_CLAMPED : 0u;
    flags |= state->is_cut ? LIA_CLOCK_CUT : 0u;
    flags |= state->from.count ? LIA_CLOCK_FROM : 0u;
    flags |= is_created && state->id.len == 0 ? LIA_CLOCK_LIFELESS : 0u;
    flags |= tag_flag(state->created, state->created_tag, LIA_CLOCK_LIFE_TAG);
    flags |= tag_flag(state->deleted, state->deleted_tag, LIA_CLOCK_DELETE_TAG);
    flags |= tag_flag(state->withdrawn, state->withdrawn_tag, LIA_CLOCK_WITHDRAWAL_TAG);
    lia_buf_u8(buf, LIA_CLOCK_VERSION);
    lia_buf_varint(buf, flags);
    lia_vector_encode(buf, state->vector);
    if (is_created) {
        encode_stamp(buf, state->vector, state->created);
    }
    if (is_deleted) {
        encode_stamp(buf, state->vector, state->deleted);
    }
    if (is_withdrawn) {
        encode_stamp(buf, state->vector, state->withdrawn);
    }
    if (flags & LIA_CLOCK_LIFE_TAG) {
        encode_stamp(buf, state->vector, state->created_tag);
    }
    if (flags & LIA_CLOCK_DELETE_TAG) {
        encode_stamp(buf, state->vector, state->deleted_tag);
    }
    if (flags & LIA_CLOCK_WITHDRAWAL_TAG) {
        encode_stamp(buf, state->vector, state->withdrawn_tag);
    }
    if (state->from.count) {
        encode_from(buf, state->vector, state->from);
    }
}

struct lia_stamp lia_stamp_decode(struct lia_reader *r,
                                  struct lia_vector v,
                                  uint64_t from)
{
    uint64_t actor = lia_reader_varint(r);
    struct lia_stamp s = {lia_distance_decode(r, from), 0};

    if (actor >= v.count) {
        lia_reader_fail(r);
        return LIA_STAMP_NONE;
    }
    s.actor = v.entries[actor].actor;
    if (s.hlc == 0 || s.hlc > v.entries[actor].hlc) {
        lia_reader_fail(r);
    }
    return s;
}

static liana_status decode_from(struct lia_arena *arena,
                                struct lia_reader *r,
                                struct lia_vector to,
                                struct lia_vector *out)
{
    struct lia_vector_entry *entries =
        lia_arena_array(arena, to.count, sizeof(*entries));
    size_t count = 0;

    if (!entries) {
        return LIANA_ENOMEM;
    }
    for (size_t i = 0; i < to.count; i++) {
        uint8_t is_there = lia_reader_u8(r);

        if (is_there > 1) {
            lia_reader_fail(r);
        }
        if (is_there) {
            entries[count].actor = to.entries[i].actor;
            entries[count].hlc = lia_distance_decode(r, to.entries[i].hlc);
            if (entries[count++].hlc == 0) {
                lia_reader_fail(r);
            }
        }
    }
    if (count == 0) {
        lia_reader_fail(r);
    }
    *out = (struct lia_vector){entries, count};
    return LIANA_OK;
}

/* Flags that have no meaning without another one. */
static bool is_without(unsigned flags, unsigned dependent, unsigned on)
{
    return (flags & dependent) && !(flags & on);
}

static void check_flags(struct lia_reader *r,
                        unsigned flags,
                        const struct lia_state *state)
{
    const unsigned of_life = LIA_CLOCK_LIFELESS | LIA_CLOCK_LIFE_TAG |
                             LIA_CLOCK_HIDDEN | LIA_CLOCK_CLAMPED | LIA_CLOCK_CUT;
    const unsigned known = LIA_CLOCK_CREATED | LIA_CLOCK_DELETED | LIA_CLOCK_WITHDRAWN |
                           LIA_CLOCK_FROM | of_life | LIA_CLOCK_DELETE_TAG |
                           LIA_CLOCK_WITHDRAWAL_TAG;
    bool is_alive = lia_stamp_cmp(state->created, state->deleted) > 0;

    if ((flags & ~known) || ((flags & LIA_CLOCK_CREATED) && !is_alive) ||
        is_without(flags, of_life, LIA_CLOCK_CREATED) ||
        is_without(flags, LIA_CLOCK_DELETE_TAG, LIA_CLOCK_DELETED) ||
        is_without(flags, LIA_CLOCK_WITHDRAWAL_TAG, LIA_CLOCK_WITHDRAWN)) {
        lia_reader_fail(r);
    }
}

/* Of a life or a delete: itself, unless it is told. */
static struct lia_stamp decode_tag(struct lia_reader *r,
                                   const struct lia_state *state,
                                   bool is_told,
                                   struct lia_stamp of)
{
    return is_told
               ? lia_stamp_decode(r, state->vector, lia_vector_max_hlc(state->vector))
               : of;
}

liana_status lia_clock_head_decode(struct lia_arena *arena,
                                   struct lia_reader *r,
                                   struct lia_state *state,
                                   unsigned *out_flags)
{
    uint8_t version = lia_reader_u8(r);
    unsigned flags = (unsigned)lia_reader_varint_max(r, UINT16_MAX);
    uint64_t newest;
    liana_status status;

    *state = (struct lia_state){0};
    if (!r->failed && version != LIA_CLOCK_VERSION) {
        return LIANA_EVERSION;
    }
    status = lia_vector_decode(arena, r, &state->vector);
    if (status) {
        return status;
    }
    newest = lia_vector_max_hlc(state->vector);
    if (flags & LIA_CLOCK_CREATED) {
        state->created = lia_stamp_decode(r, state->vector, newest);
    }
    if (flags & LIA_CLOCK_DELETED) {
        state->deleted = lia_stamp_decode(r, state->vector, newest);
    }
    if (flags & LIA_CLOCK_WITHDRAWN) {
        state->withdrawn = lia_stamp_decode(r, state->vector, newest);
    }
    state->created_tag =
        decode_tag(r, state, flags & LIA_CLOCK_LIFE_TAG, state->created);
    state->deleted_tag =
        decode_tag(r, state, flags & LIA_CLOCK_DELETE_TAG, state->deleted);
    state->withdrawn_tag =
        decode_tag(r, state, flags & LIA_CLOCK_WITHDRAWAL_TAG, state->withdrawn);
    if (flags & LIA_CLOCK_FROM) {
        status = decode_from(arena, r, state->vector, &state->from);
        if (status) {
            return status;
        }
    }
    check_flags(r, flags, state);
    state->is_hidden = (flags & LIA_CLOCK_HIDDEN) != 0;
    state->is_clamped = (flags & LIA_CLOCK_CLAMPED) != 0;
    state->is_cut = (flags & LIA_CLOCK_CUT) != 0;
    *out_flags = flags;
    return r->failed ? LIANA_ECORRUPT : LIANA_OK;
}

bool lia_clock_head_span(struct liana_slice clock, struct liana_slice *out)
{
    struct lia_reader r = lia_reader(clock);
    static const unsigned stamps[] = {LIA_CLOCK_CREATED,    LIA_CLOCK_DELETED,
                                      LIA_CLOCK_WITHDRAWN,  LIA_CLOCK_LIFE_TAG,
                                      LIA_CLOCK_DELETE_TAG, LIA_CLOCK_WITHDRAWAL_TAG};
    uint64_t flags;
    uint64_t count;

    LIA_IGNORE(lia_reader_u8(&r)); /* the version is hashed, whatever it is */
    flags = lia_reader_varint(&r);
    count = lia_reader_varint_max(&r, lia_reader_left(&r));
    if (count) {
        LIA_IGNORE(lia_reader_u64(&r)); /* values do not matter here, only lengths */
    }
    for (uint64_t i = 0; i < count && !r.failed; i++) {
        LIA_IGNORE(lia_reader_u64(&r));
        LIA_IGNORE(lia_reader_varint(&r));
    }
    for (size_t i = 0; i < sizeof(stamps) / sizeof(stamps[0]); i++) {
        if (flags & stamps[i]) {
            LIA_IGNORE(lia_reader_varint(&r));
            LIA_IGNORE(lia_reader_varint(&r));
        }
    }
    *out = lia_slice(clock.ptr, (size_t)(r.at - clock.ptr));
    return !r.failed;
}
