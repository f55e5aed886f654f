/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "codec/key.h"
#include "sim/check.h"
#include "sim/keepers.h"
#include "sim/past.h"

uint32_t sim_first(uint32_t collection)
{
    static const uint32_t firsts[SIM_NAMES + 1] = {0, SIM_SALES, SIM_SALES + SIM_STOCK,
                                                   SIM_DOCS - SIM_SEATS, SIM_DOCS};

    return firsts[collection];
}

struct liana_str sim_collection(uint32_t doc)
{
    static const char *const names[SIM_NAMES] = {"sales", "stock", "desk", "seats"};
    uint32_t c = 0;

    while (doc >= sim_first(c + 1)) {
        c++;
    }
    return lia_str(names[c]);
}

/* The key of `_id: doc`: made once. */
struct liana_slice sim_key(struct sim_world *w, uint32_t doc)
{
    static uint8_t keys[SIM_DOCS][32];
    static size_t lens[SIM_DOCS];

    (void)w;
    if (lens[doc] == 0) {
        struct lia_scratch scratch;
        struct lia_buf buf;

        lia_buf_init(&buf, &lia_mem_libc);
        LIA_ASSERT(
            !lia_key_of_id(lia_value_of_int32((int32_t)doc, &scratch), &buf, NULL));
        LIA_ASSERT(buf.len <= sizeof(keys[doc]));
        memcpy(keys[doc], buf.ptr, buf.len);
        lens[doc] = buf.len;
        lia_buf_deinit(&buf);
    }
    return lia_slice(keys[doc], lens[doc]);
}

uint32_t sim_doc_of(struct sim_world *w,
                    struct liana_str collection,
                    struct liana_slice key)
{
    for (uint32_t c = 0; c < SIM_NAMES; c++) {
        if (!lia_str_equal(sim_collection(sim_first(c)), collection)) {
            continue;
        }
        for (uint32_t d = sim_first(c); d < sim_first(c + 1); d++) {
            if (lia_slice_cmp(sim_key(w, d), key) == 0) {
                return d;
            }
        }
    }
    sim_fail(w, "a document that nobody wrote");
}

bool sim_is_apart(struct liana_str collection)
{
    return lia_str_equal(collection, lia_str("system:conflicts")) ||
           lia_str_equal(collection, lia_str("_liana.collections"));
}

struct lia_vector sim_seen_vector(const struct sim_seen *seen)
{
    return (struct lia_vector){seen->entries, seen->count};
}

static void put_vector(struct sim_world *w, struct sim_seen *seen, struct lia_vector v)
{
    if (v.count > SIM_ACTORS) {
        sim_fail(w, "a vector of %zu actors", v.count);
    }
    seen->is_held = v.count > 0;
    seen->count = v.count;
    if (v.count) {
        memcpy(seen->entries, v.entries, v.count * sizeof(v.entries[0]));
    }
}

void sim_check_bytes(struct sim_world *w,
                     int n,
                     uint32_t doc,
                     struct lia_vector v,
                     struct lia_doc d)
{
    struct lia_buf buf;
    struct sim_state *state;
    uint64_t key;
    uint64_t bytes;

    lia_buf_init(&buf, &lia_mem_libc);
    lia_buf_u32(&buf, doc);
    lia_vector_encode(&buf, v);
    key = lia_hash64(lia_buf_slice(&buf));
    lia_buf_reset(&buf);
    lia_buf_prefixed(&buf, d.clock);
    lia_buf_prefixed(&buf, d.body);
    bytes =
        lia_hash64(lia_buf_slice(&buf)) + (w->breakage == SIM_BREAK_STATE && n == 0);
    lia_buf_deinit(&buf);
    for (state = w->states[key % 4096]; state; state = state->next) {
        if (state->key == key && state->bytes != bytes && !w->past) {
            sim_fail(w, "document %u: equal vectors, other bytes", doc);
        }
        if (state->key == key) {
            return;
        }
    }
    state = LIA_ARENA_NEW(&w->arena, struct sim_state);
    LIA_ASSERT(state);
    *state = (struct sim_state){w->states[key % 4096], key, bytes};
    w->states[key % 4096] = state;
}

/* What it has evicted it has held: only in runs with keepers is that another thing. */
bool sim_holds(const struct sim_world *w, int n, uint32_t doc, struct lia_stamp stamp)
{
    const struct sim_node *node = &w->nodes[n];

    return lia_vector_covers(
        sim_seen_vector(sim_has_keepers(w) ? &node->had[doc] : &node->seen[doc]),
        stamp);
}

void sim_remember(struct sim_world *w,
                  int n,
                  uint32_t doc,
                  const struct lia_doc_info *info)
{
    struct sim_seen *had = &w->nodes[n].had[doc];
    struct lia_arena arena;
    struct lia_vector all;

    put_vector(w, &w->nodes[n].seen[doc], info->vector);
    w->nodes[n].seen[doc].is_dead = info->vector.count && !info->exists;
    lia_arena_init(&arena, &lia_mem_libc);
    LIA_ASSERT(!lia_vector_join(&arena, sim_seen_vector(had), info->vector, &all));
    put_vector(w, had, all);
    lia_arena_deinit(&arena);
}

bool sim_gets_all(const struct sim_world *w, int n, uint32_t doc)
{
    return doc >= SIM_SALES || !sim_is_narrow(w, n);
}

struct lia_held *sim_read_all(struct sim_world *w, int n, struct lia_arena *arena)
{
    struct lia_key *keys = lia_arena_array(arena, SIM_DOCS, sizeof(*keys));
    struct lia_held *held = lia_arena_array(arena, SIM_DOCS, sizeof(*held));
    struct liana_error err = LIANA_ERROR_INIT;

    LIA_ASSERT(keys && held);
    for (uint32_t d = 0; d < SIM_DOCS; d++) {
        keys[d] = (struct lia_key){sim_collection(d), sim_key(w, d)};
    }
    if (lia_db_docs(w->nodes[n].db, arena, keys, SIM_DOCS, held, &err)) {
        sim_fail(w, "node %d cannot be read: %s", n, err.message);
    }
    return held;
}
