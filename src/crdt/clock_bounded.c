/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounded counters as bytes (docs/format/clock.md, "Bounded counter").
 */
#include "crdt/bounded.h"
#include "crdt/clock_entry.h"

/* ---- writing ---- */

/* Rights may be given to an actor that has written nothing here. */
static void write_actor(struct lia_encoder *e, uint64_t actor)
{
    size_t index = lia_vector_index(e->state->vector, actor);

    if (index < e->state->vector.count) {
        lia_buf_varint(&e->buf, index + 1);
    } else {
        lia_buf_varint(&e->buf, 0);
        lia_buf_u64(&e->buf, actor);
    }
}

static void write_grants(struct lia_encoder *e, struct lia_grants grants)
{
    lia_buf_varint(&e->buf, grants.count);
    for (size_t i = 0; i < grants.count; i++) {
        write_actor(e, grants.entries[i].actor);
        lia_buf_varint(&e->buf, (uint64_t)grants.entries[i].amount);
    }
}

static bool is_creator(const struct lia_share *share)
{
    return share->rank.stamp.actor == share->creation.actor;
}

void lia_bounded_encode(struct lia_encoder *e,
                        const struct lia_node *node,
                        const struct lia_birth *expected)
{
    const struct lia_birth *own = lia_node_own_birth(node);

    expected = own ? own : expected;
    lia_buf_varint(&e->buf, node->bounded->count);
    for (size_t i = 0; i < node->bounded->count; i++) {
        const struct lia_share *share = &node->bounded->shares[i];

        lia_buf_varint(&e->buf, lia_stamp_number(e, share->creation));
        lia_rank_encode(e, share->rank, share->rank.stamp);
        lia_birth_encode(e, share->birth, expected);
        if (is_creator(share)) {
            lia_buf_svarint(&e->buf, share->bound);
        }
        lia_buf_varint(&e->buf, (uint64_t)share->granted);
        lia_buf_varint(&e->buf, (uint64_t)share->spent);
        write_grants(e, share->given);
        write_grants(e, share->taken);
        expected = &share->birth;
    }
}

/* ---- reading ---- */

static bool no_memory(struct lia_decoder *d)
{
    d->work->status = LIANA_ENOMEM;
    return lia_decoder_fail(d);
}

static uint64_t read_actor(struct lia_decoder *d)
{
    uint64_t number = lia_reader_varint_max(&d->r, d->state->vector.count);

    return number ? d->state->vector.entries[number - 1].actor : lia_reader_u64(&d->r);
}

static int64_t read_amount(struct lia_decoder *d)
{
    return (int64_t)lia_reader_varint_max(&d->r, INT64_MAX);
}

/* An actor and an amount. */
#define GRANT_BYTES_MIN 2

static bool read_grants(struct lia_decoder *d, struct lia_grants *out)
{
    size_t count =
        (size_t)lia_reader_varint_max(&d->r, lia_reader_left(&d->r) / GRANT_BYTES_MIN);

    out->entries = lia_arena_array(d->work->arena, count, sizeof(*out->entries));
    out->count = count;
    if (!out->entries) {
        return no_memory(d);
    }
    for (size_t i = 0; i < count; i++) {
        struct lia_grant *grant = &out->entries[i];

        grant->actor = read_actor(d);
        grant->amount = read_amount(d);
        if (grant->amount == 0 || (i && grant->actor <= grant[-1].actor)) {
            return lia_decoder_fail(d);
        }
    }
    return !d->r.failed;
}

static bool read_share(struct lia_decoder *d,
                       struct lia_share *share,
                       const struct lia_birth *expected)
{
    share->creation =
        lia_numbered_stamp(d, lia_reader_varint_max(&d->r, d->stamps.count));
    share->rank = lia_rank_decode(d, NULL);
    share->birth = lia_birth_decode(d, expected);
    if (is_creator(share)) {
        share->bound = lia_reader_svarint(&d->r);
    }
    share->granted = read_amount(d);
    share->spent = read_amount(d);
    return read_grants(d, &share->given) && read_grants(d, &share->taken) &&
           ((lia_stamp_cmp(share->rank.life, share->creation) <= 0 &&
             lia_stamp_cmp(share->creation, share->rank.stamp) <= 0) ||
            lia_decoder_fail(d));
}

static bool is_ascending(const struct lia_share *a, const struct lia_share *b)
{
    int order = lia_stamp_cmp(a->creation, b->creation);

    return order < 0 || (order == 0 && a->rank.stamp.actor < b->rank.stamp.actor &&
                         lia_stamp_cmp(a->rank.life, b->rank.life) == 0);
}

/* A creation, a rank, a birth, two amounts, two lists. */
#define SHARE_BYTES_MIN 7

bool lia_bounded_decode(struct lia_decoder *d,
                        struct lia_node *node,
                        const struct lia_birth *expected)
{
    const struct lia_birth *own = lia_node_own_birth(node);
    struct lia_bounded *bounded = LIA_ARENA_NEW(d->work->arena, struct lia_bounded);
    size_t count =
        (size_t)lia_reader_varint_max(&d->r, lia_reader_left(&d->r) / SHARE_BYTES_MIN);
    struct lia_share *shares = lia_arena_array(d->work->arena, count, sizeof(*shares));

    if (!bounded || !shares) {
        return no_memory(d);
    }
    expected = own ? own : expected;
    for (size_t i = 0; i < count; i++) {
        if (!read_share(d, &shares[i], expected) ||
            (i && !is_ascending(&shares[i - 1], &shares[i]))) {
            return lia_decoder_fail(d);
        }
        expected = &shares[i].birth;
    }
    *bounded = (struct lia_bounded){shares, count};
    node->bounded = bounded;
    return count > 0 || lia_decoder_fail(d);
}
