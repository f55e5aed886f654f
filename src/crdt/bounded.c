/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/bounded.h"

#include <string.h>

static uint64_t actor_of(const struct lia_share *share)
{
    return share->rank.stamp.actor;
}

static bool is_of(const struct lia_share *share, struct lia_stamp creation)
{
    return lia_stamp_cmp(share->creation, creation) == 0;
}

/* ---- rights: Balegas et al., Algorithm 1, localRights ---- */

static int64_t amount_of(struct lia_grants grants, uint64_t actor)
{
    for (size_t i = 0; i < grants.count; i++) {
        if (grants.entries[i].actor == actor) {
            return grants.entries[i].amount;
        }
    }
    return 0;
}

static lia_int128 total(struct lia_grants grants)
{
    lia_int128 sum = 0;

    for (size_t i = 0; i < grants.count; i++) {
        sum += grants.entries[i].amount;
    }
    return sum;
}

/* What one share says of an actor's rights. */
static lia_int128 rights_in(const struct lia_share *share, uint64_t actor)
{
    lia_int128 rights =
        (lia_int128)amount_of(share->given, actor) - amount_of(share->taken, actor);

    if (actor_of(share) == actor) {
        rights += (lia_int128)share->granted - share->spent;
        rights += total(share->taken) - total(share->given);
    }
    return rights;
}

static lia_int128 rights_of(const struct lia_bounded *bounded,
                            struct lia_stamp creation,
                            uint64_t actor)
{
    lia_int128 rights = 0;

    for (size_t i = 0; i < bounded->count; i++) {
        if (is_of(&bounded->shares[i], creation)) {
            rights += rights_in(&bounded->shares[i], actor);
        }
    }
    return rights;
}

lia_int128 lia_bounded_rights(const struct lia_bounded *bounded, uint64_t actor)
{
    lia_int128 rights = 0;

    for (size_t i = 0; i < bounded->count; i++) {
        rights += rights_in(&bounded->shares[i], actor);
    }
    return rights;
}

lia_int128 lia_bounded_bound(const struct lia_bounded *bounded)
{
    lia_int128 bound = 0;

    for (size_t i = 0; i < bounded->count; i++) {
        bound += bounded->shares[i].bound;
    }
    return bound;
}

lia_int128 lia_bounded_value(const struct lia_bounded *bounded)
{
    lia_int128 value = lia_bounded_bound(bounded);

    for (size_t i = 0; i < bounded->count; i++) {
        value += (lia_int128)bounded->shares[i].granted - bounded->shares[i].spent;
    }
    return value;
}

static size_t put_actor(uint64_t *actors, size_t count, uint64_t actor)
{
    size_t place = 0;

    while (place < count && actors[place] < actor) {
        place++;
    }
    if (place < count && actors[place] == actor) {
        return count;
    }
    memmove(actors + place + 1, actors + place, (count - place) * sizeof(*actors));
    actors[place] = actor;
    return count + 1;
}

static size_t put_actors(uint64_t *actors, size_t count, struct lia_grants grants)
{
    for (size_t i = 0; i < grants.count; i++) {
        count = put_actor(actors, count, grants.entries[i].actor);
    }
    return count;
}

const uint64_t *lia_bounded_actors(struct lia_arena *arena,
                                   const struct lia_bounded *bounded,
                                   size_t *out_count)
{
    size_t max = 1;
    size_t count = 0;
    uint64_t *actors;

    for (size_t i = 0; i < bounded->count; i++) {
        max += 1 + bounded->shares[i].given.count + bounded->shares[i].taken.count;
    }
    actors = lia_arena_array(arena, max, sizeof(*actors));
    for (size_t i = 0; i < bounded->count && actors; i++) {
        const struct lia_share *share = &bounded->shares[i];

        count = put_actor(actors, count, actor_of(share));
        count = put_actors(actors, count, share->given);
        count = put_actors(actors, count, share->taken);
    }
    *out_count = count;
    return actors;
}

/* ---- local writes ---- */

static int compare_places(const struct lia_share *a, const struct lia_share *b)
{
    int order = lia_stamp_cmp(a->creation, b->creation);

    return order ? order : (actor_of(a) > actor_of(b)) - (actor_of(a) < actor_of(b));
}

static struct lia_share *insert_share(struct lia_work *work,
                                      struct lia_bounded *bounded,
                                      struct lia_share share)
{
    struct lia_share *shares =
        lia_arena_array(work->arena, bounded->count + 1, sizeof(*shares));
    size_t place = 0;

    if (!shares) {
        work->status = LIANA_ENOMEM;
        return NULL;
    }
    while (place < bounded->count &&
           compare_places(&bounded->shares[place], &share) < 0) {
        place++;
    }
    for (size_t i = 0; i < bounded->count; i++) {
        shares[i + (i >= place)] = bounded->shares[i];
    }
    shares[place] = share;
    bounded->shares = shares;
    bounded->count++;
    return &shares[place];
}

/* The writer's own share in a creation, begun if need be, and now its newest. */
static struct lia_share *own_share(struct lia_work *work,
                                   struct lia_bounded *bounded,
                                   const struct lia_share_write *by,
                                   struct lia_stamp creation)
{
    struct lia_share share = {.creation = creation, .birth = by->birth};
    struct lia_share *own = NULL;

    for (size_t i = 0; i < bounded->count; i++) {
        struct lia_share *s = &bounded->shares[i];

        if (is_of(s, creation)) {
            share.rank.life = s->rank.life;
            own = actor_of(s) == by->stamp.actor ? s : own;
        }
    }
    share.rank = lia_rank_of(share.rank.life, by->stamp);
    if (own) {
        own->rank = share.rank;
        return own;
    }
    return insert_share(work, bounded, share);
}

liana_status lia_bounded_create(struct lia_work *work,
                                struct lia_node *node,
                                const struct lia_share_write *by,
                                int64_t value,
                                int64_t bound)
{
    struct lia_share share = {.creation = by->stamp,
                              .rank = lia_rank_of(by->life, by->stamp),
                              .birth = by->birth,
                              .bound = bound};

    if (__builtin_sub_overflow(value, bound, &share.granted)) {
        return LIANA_ERANGE;
    }
    node->bounded = LIA_ARENA_NEW(work->arena, struct lia_bounded);
    return node->bounded && insert_share(work, node->bounded, share) ? LIANA_OK
                                                                     : LIANA_ENOMEM;
}

static liana_status add(int64_t *total_of, int64_t amount)
{
    return __builtin_add_overflow(*total_of, amount, total_of) ? LIANA_ERANGE
                                                               : LIANA_OK;
}

/* Adds to an actor's amount. */
static liana_status add_grant(struct lia_work *work,
                              struct lia_grants *grants,
                              uint64_t actor,
                              int64_t amount)
{
    struct lia_grant *entries =
        lia_arena_array(work->arena, grants->count + 1, sizeof(*entries));
    size_t count = 0;
    bool is_placed = false;

    if (!entries) {
        return LIANA_ENOMEM;
    }
    for (size_t i = 0; i < grants->count; i++) {
        struct lia_grant *old = &grants->entries[i];

        if (old->actor == actor) {
            return add(&old->amount, amount);
        }
        if (!is_placed && old->actor > actor) {
            entries[count++] = (struct lia_grant){actor, amount};
            is_placed = true;
        }
        entries[count++] = *old;
    }
    if (!is_placed) {
        entries[count++] = (struct lia_grant){actor, amount};
    }
    *grants = (struct lia_grants){entries, count};
    return LIANA_OK;
}

liana_status lia_bounded_grant(struct lia_work *work,
                               struct lia_node *node,
                               const struct lia_share_write *by,
                               int64_t amount)
{
    struct lia_share *own =
        own_share(work, node->bounded, by, node->bounded->shares[0].creation);

    return own ? add(&own->granted, amount) : LIANA_ENOMEM;
}

/* One step of using up: `to` NULL: spent. */
static liana_status use(struct lia_work *work,
                        struct lia_share *own,
                        int64_t amount,
                        const uint64_t *to)
{
    return to ? add_grant(work, &own->given, *to, amount) : add(&own->spent, amount);
}

static liana_status use_up(struct lia_work *work,
                           struct lia_node *node,
                           const struct lia_share_write *by,
                           int64_t amount,
                           const uint64_t *to)
{
    struct lia_stamp creation = LIA_STAMP_NONE;
    liana_status status = LIANA_OK;

    if (lia_bounded_rights(node->bounded, by->stamp.actor) < amount) {
        return LIANA_ERIGHTS;
    }
    for (size_t i = 0; i < node->bounded->count && amount && !status; i++) {
        struct lia_share *own;
        lia_int128 rights;
        int64_t part;

        if (is_of(&node->bounded->shares[i], creation)) {
            continue;
        }
        creation = node->bounded->shares[i].creation;
        rights = rights_of(node->bounded, creation, by->stamp.actor);
        if (rights <= 0) {
            continue;
        }
        part = rights < amount ? (int64_t)rights : amount;
        own = own_share(work, node->bounded, by, creation);
        status = own ? use(work, own, part, to) : LIANA_ENOMEM;
        amount -= part;
    }
    return status;
}

liana_status lia_bounded_spend(struct lia_work *work,
                               struct lia_node *node,
                               const struct lia_share_write *by,
                               int64_t amount)
{
    return use_up(work, node, by, amount, NULL);
}

liana_status lia_bounded_give(struct lia_work *work,
                              struct lia_node *node,
                              const struct lia_share_write *by,
                              int64_t amount,
                              uint64_t to)
{
    return use_up(work, node, by, amount, &to);
}

liana_status lia_bounded_take(struct lia_work *work,
                              struct lia_node *node,
                              const struct lia_share_write *by,
                              uint64_t from)
{
    struct lia_stamp creation = LIA_STAMP_NONE;
    liana_status status = LIANA_OK;

    for (size_t i = 0; i < node->bounded->count && !status; i++) {
        struct lia_share *own;
        lia_int128 rights;

        if (is_of(&node->bounded->shares[i], creation)) {
            continue;
        }
        creation = node->bounded->shares[i].creation;
        rights = rights_of(node->bounded, creation, from);
        if (rights <= 0) {
            continue;
        }
        if (rights > INT64_MAX) {
            return LIANA_ERANGE;
        }
        own = own_share(work, node->bounded, by, creation);
        status =
            own ? add_grant(work, &own->taken, from, (int64_t)rights) : LIANA_ENOMEM;
    }
    return status;
}

/* ---- joining ---- */

static int compare_amounts(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_grants(struct lia_grants a, struct lia_grants b)
{
    int order = (a.count > b.count) - (a.count < b.count);

    for (size_t i = 0; i < a.count && order == 0; i++) {
        const struct lia_grant *x = &a.entries[i];
        const struct lia_grant *y = &b.entries[i];

        order = (x->actor > y->actor) - (x->actor < y->actor);
        order = order ? order : compare_amounts(x->amount, y->amount);
    }
    return order;
}

/* The newer one; beyond that as in join.c. */
static int compare_shares(const struct lia_share *a, const struct lia_share *b)
{
    int order = lia_rank_cmp(a->rank, b->rank);

    order = order ? order : compare_amounts(a->bound, b->bound);
    order = order ? order : compare_amounts(a->granted, b->granted);
    order = order ? order : compare_amounts(a->spent, b->spent);
    order = order ? order : compare_grants(a->given, b->given);
    order = order ? order : compare_grants(a->taken, b->taken);
    order = order ? order : lia_stamp_cmp(a->rank.tag, b->rank.tag);
    return order ? order : lia_birth_cmp(a->birth, b->birth);
}

bool lia_bounded_join(struct lia_work *work,
                      struct lia_node *a,
                      const struct lia_node *b)
{
    const struct lia_bounded *x = a->bounded;
    const struct lia_bounded *y = b->bounded;
    struct lia_bounded *out;
    size_t i = 0;
    size_t j = 0;

    if (!x || !y) {
        a->bounded = x ? a->bounded : b->bounded;
        return true;
    }
    out = LIA_ARENA_NEW(work->arena, struct lia_bounded);
    if (out) {
        out->shares =
            lia_arena_array(work->arena, x->count + y->count, sizeof(*out->shares));
    }
    if (!out || !out->shares) {
        work->status = LIANA_ENOMEM;
        return false;
    }
    while (i < x->count || j < y->count) {
        int order = i == x->count   ? 1
                    : j == y->count ? -1
                                    : compare_places(&x->shares[i], &y->shares[j]);
        bool is_x = order < 0 ||
                    (order == 0 && compare_shares(&x->shares[i], &y->shares[j]) >= 0);

        out->shares[out->count++] = is_x ? x->shares[i] : y->shares[j];
        i += order <= 0;
        j += order >= 0;
    }
    a->bounded = out;
    return true;
}

/* ---- entries ---- */

/* What is lost with a share: what it adds to the value. */
static struct lia_value contribution(struct lia_share *share,
                                     struct lia_scratch *scratch)
{
    const struct lia_bounded alone = {share, 1};
    struct lia_sum sum = {.type = LIA_BSON_INT64};

    sum.integer = lia_bounded_value(&alone);
    return lia_sum_show(sum, scratch);
}

static bool keep_share(struct lia_share *share,
                       const struct lia_trail *trail,
                       lia_entry_fn keep,
                       void *ctx)
{
    struct lia_scratch scratch;
    const struct lia_entry entry = {
        .kind = LIA_ENTRY_SHARE,
        .trail = trail,
        .rank = &share->rank,
        .begun = share->creation,
        .written = share->rank.stamp,
        .named = share->creation,
        .birth = &share->birth,
        .is_loss = true,
        .value = contribution(share, &scratch),
    };

    return keep(ctx, &entry);
}

void lia_bounded_each(struct lia_node *node,
                      const struct lia_trail *trail,
                      lia_entry_fn keep,
                      void *ctx)
{
    struct lia_bounded *bounded = node->bounded;
    size_t kept = 0;

    for (size_t i = 0; i < bounded->count; i++) {
        if (keep_share(&bounded->shares[i], trail, keep, ctx)) {
            bounded->shares[kept++] = bounded->shares[i];
        }
    }
    bounded->count = kept;
    if (kept == 0) {
        node->bounded = NULL;
    }
}
