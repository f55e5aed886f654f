/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store whose clock was ahead stamps anew what nobody can hold (docs/adr/0053). What is
 * known of its writes follows: the same writes, in the same order, under other stamps.
 *
 * Which stamps there are to be replaced is read from the store before: of what it has
 * overwritten itself it knows none any more. What they become is seen in one document, and has to fit
 * all others.
 */
#include <stdlib.h>

#include "db/renew.h"
#include "sim/check.h"
#include "sim/clocks.h"
#include "sim/oracle.h"

/* ---- before ---- */

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void list(struct sim_world *w, int node, uint64_t limit, struct lia_buf *out)
{
    const uint64_t actor = w->oracle->ahead[node].actor;
    struct lia_arena arena;
    struct lia_held *held;

    lia_arena_init(&arena, &lia_mem_libc);
    held = sim_read_all(w, node, &arena);
    for (size_t d = 0; d < SIM_DOCS + SIM_DECLARED; d++) {
        struct lia_doc doc =
            d < SIM_DOCS
                ? held[d].doc
                : sim_oracle_declaration(w, node, &arena, sim_declared[d - SIM_DOCS]);
        struct lia_doc_info info;

        LIA_ASSERT(!lia_doc_info(&arena, doc.clock, &info));
        if (d < SIM_DOCS) {
            w->oracle->newest[node][d] = lia_vector_get(info.vector, actor);
        }
        LIA_ASSERT(doc.clock.len == 0 ||
                   !lia_doc_stamps(&arena, doc, actor, limit, out, NULL));
    }
    lia_arena_deinit(&arena);
}

void sim_restamp_look(struct sim_world *w, int node)
{
    struct lia_restamp *ahead;
    const uint64_t limit = sim_clock_limit(w, node);
    uint64_t *from;
    struct lia_buf all;

    if (!w->oracle || !w->clocks || !lia_db_must_mend(w->nodes[node].db)) {
        return;
    }
    ahead = &w->oracle->ahead[node];
    *ahead = (struct lia_restamp){.actor = lia_db_identity(w->nodes[node].db).actor};
    lia_buf_init(&all, &lia_mem_libc);
    lia_buf_bytes(&all, &(uint64_t){limit + 1},
                  sizeof(limit)); /* no write of its own */
    list(w, node, limit, &all);
    from = lia_arena_alloc(&w->arena, all.len);
    LIA_ASSERT(from && !all.status);
    memcpy(from, all.ptr, all.len);
    qsort(from, all.len / sizeof(*from), sizeof(*from), compare);
    for (size_t i = 0; i < all.len / sizeof(*from); i++) {
        if (i == 0 || from[i] != from[ahead->count - 1]) {
            from[ahead->count++] = from[i];
        }
    }
    ahead->from = from;
    lia_buf_deinit(&all);
}

/* ---- after ---- */

/* As whom the store goes on, if it has stamped anew what was the actor's; 0. */
static uint64_t renewed_as(struct sim_world *w, int node, uint64_t actor)
{
    const struct lia_renewal *renewals;
    uint64_t next = lia_db_identity(w->nodes[node].db).actor;
    struct lia_arena arena;
    size_t count = 0;
    uint64_t answer = 0;

    lia_arena_init(&arena, &lia_mem_libc);
    LIA_ASSERT(
        !lia_db_renewals(w->nodes[node].db, &arena, 1000, &renewals, &count, NULL));
    for (size_t i = 0; i < count && !answer; i++) {
        if (renewals[i].actor == actor && renewals[i].reason == LIA_RENEWED_CLOCK) {
            answer = next;
        }
        next = renewals[i].actor;
    }
    lia_arena_deinit(&arena);
    return answer;
}

/* `how->first`: the same by every document that had something stamped ahead. */
static void find_first(struct sim_world *w, int node, struct lia_restamp *how)
{
    struct lia_arena arena;
    struct lia_held *held;

    lia_arena_init(&arena, &lia_mem_libc);
    held = sim_read_all(w, node, &arena);
    for (uint32_t d = 0; d < SIM_DOCS; d++) {
        const uint64_t *at = bsearch(&w->oracle->newest[node][d], how->from, how->count,
                                     sizeof(*how->from), compare);
        struct lia_doc_info info;
        uint64_t first;

        if (!at) {
            continue;
        }
        LIA_ASSERT(!lia_doc_info(&arena, held[d].doc.clock, &info));
        first = lia_vector_get(info.vector, how->actor) - (uint64_t)(at - how->from);
        if (how->first && how->first != first) {
            sim_fail(w, "node %d: document %u is not stamped anew as others are", node,
                     d);
        }
        how->first = first;
    }
    lia_arena_deinit(&arena);
}

static struct lia_vector restamp_vector(struct sim_world *w,
                                        struct lia_vector v,
                                        const struct lia_restamp *how)
{
    struct lia_stamp newest = {lia_vector_get(v, how->actor), how->actor};
    struct lia_vector_entry *entries;
    struct lia_vector out;

    if (!model_restamp_stamp(&newest, how)) {
        return v;
    }
    entries = lia_arena_array(&w->arena, v.count, sizeof(*entries));
    LIA_ASSERT(entries);
    for (size_t i = 0; i < v.count; i++) {
        entries[i] = v.entries[i];
        entries[i].hlc = entries[i].actor == how->actor ? newest.hlc : entries[i].hlc;
    }
    newest.actor = how->new_actor;
    LIA_ASSERT(!lia_vector_with(&w->arena, (struct lia_vector){entries, v.count},
                                newest, &out));
    return out;
}

static void restamp_seen(struct sim_world *w,
                         struct sim_seen *seen,
                         const struct lia_restamp *how)
{
    struct lia_vector v = restamp_vector(w, sim_seen_vector(seen), how);

    LIA_ASSERT(v.count <= SIM_ACTORS);
    seen->count = v.count;
    if (v.entries != seen->entries) {
        memcpy(seen->entries, v.entries, v.count * sizeof(*v.entries));
    }
}

static void restamp_tag(struct lia_stamp *tag, const struct lia_restamp *how)
{
    if (model_restamp_stamp(tag, how)) {
        tag->actor = how->new_actor;
    }
}

static void restamp_write(struct sim_world *w,
                          struct sim_write *x,
                          const struct lia_restamp *how)
{
    model_restamp(x->entries, how);
    (void)model_restamp_stamp(&x->stamp, how);
    (void)model_restamp_stamp(&x->life, how);
    restamp_tag(&x->tag, how);
    x->seen = restamp_vector(w, x->seen, how);
}

static void restamp_txn(struct sim_world *w,
                        struct sim_txn *t,
                        const struct lia_restamp *how)
{
    restamp_tag(&t->stamp, how); /* marks and vectors go by it */
    for (size_t i = 0; i < t->count; i++) {
        t->seen[i] = restamp_vector(w, t->seen[i], how);
    }
}

static void restamp_all(struct sim_world *w, int node, const struct lia_restamp *how)
{
    struct sim_oracle *o = w->oracle;

    for (size_t i = 0; i < o->count; i++) {
        restamp_write(w, &o->writes[i], how);
    }
    for (size_t i = 0; i < SIM_CLOSE; i++) {
        o->states[node][i].arena = &w->arena;
        model_restamp(&o->states[node][i], how);
    }
    for (size_t i = 0; i < w->txn_count; i++) {
        restamp_txn(w, &w->txns[i], how);
    }
    for (uint32_t d = 0; d < SIM_DOCS; d++) {
        restamp_seen(w, &w->nodes[node].had[d], how);
    }
    LIA_ASSERT(o->restamp_count < SIM_RESTAMPS);
    o->restamps[o->restamp_count++] = *how;
    sim_note(w, "node %d: %zu stamps of %016llx begin at %llu now", node,
             how->count - 1, (unsigned long long)how->actor,
             (unsigned long long)how->first);
}

/* False: it has not stamped anything anew. */
static bool follow(struct sim_world *w, int node, uint64_t new_actor)
{
    struct lia_restamp how = w->oracle->ahead[node];

    how.new_actor = renewed_as(w, node, how.actor);
    if (how.count < 2 || !how.new_actor || (new_actor && new_actor != how.new_actor)) {
        return false;
    }
    w->oracle->ahead[node].count = 0;
    find_first(w, node, &how);
    if (how.first) { /* else nothing but declarations was stamped ahead */
        restamp_all(w, node, &how);
    }
    return how.first;
}

void sim_restamp_follow(struct sim_world *w, int node, struct lia_stamp commit)
{
    if (w->oracle && w->oracle->ahead[node].count && commit.hlc) {
        (void)follow(w, node, commit.actor);
    }
}

void sim_restamp_reopened(struct sim_world *w, int node)
{
    if (!w->oracle || !follow(w, node, 0)) {
        return;
    }
    for (uint32_t d = 0; d < SIM_DOCS; d++) {
        restamp_seen(w, &w->nodes[node].seen[d],
                     &w->oracle->restamps[w->oracle->restamp_count - 1]);
    }
}

struct lia_stamp sim_restamped(const struct sim_world *w, struct lia_stamp stamp)
{
    for (size_t i = 0; i < w->oracle->restamp_count; i++) {
        (void)model_restamp_stamp(&stamp, &w->oracle->restamps[i]);
    }
    return stamp;
}
