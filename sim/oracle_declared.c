/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is declared of the desk and the seats comes to be the same everywhere.
 */
#include "codec/key.h"
#include "sim/oracle.h"

const char *const sim_declared[SIM_DECLARED] = {"desk", "seats"};

struct lia_doc sim_oracle_declaration(struct sim_world *w,
                                      int node,
                                      struct lia_arena *arena,
                                      const char *collection)
{
    struct liana_str id = lia_str(collection);
    struct lia_held held = {0};
    struct lia_buf doc;
    struct lia_buf key;
    struct lia_value v;
    struct lia_key of;
    size_t mark;

    lia_buf_init(&doc, &lia_mem_libc);
    lia_buf_init(&key, &lia_mem_libc);
    mark = lia_bson_begin(&doc);
    lia_bson_add_str(&doc, lia_str("_id"), id);
    lia_bson_end(&doc, mark);
    LIA_ASSERT(lia_bson_find(lia_buf_slice(&doc), lia_str("_id"), &v) &&
               !lia_key_of_id(v, &key, NULL));
    of = (struct lia_key){lia_str("_liana.collections"), lia_buf_slice(&key)};
    LIA_ASSERT(!lia_db_docs(w->nodes[node].db, arena, &of, 1, &held, NULL));
    lia_buf_deinit(&key);
    lia_buf_deinit(&doc);
    return held.doc;
}

static struct liana_slice clock_of(struct sim_world *w,
                                   int n,
                                   struct lia_arena *arena,
                                   const char *collection)
{
    return w->breakage == SIM_BREAK_DECLARED && w->is_calm && n == 1
               ? lia_slice(NULL, 0)
               : sim_oracle_declaration(w, n, arena, collection).clock;
}

bool sim_oracle_is_settled(struct sim_world *w)
{
    struct lia_arena arena;
    bool answer = true;

    lia_arena_init(&arena, &lia_mem_libc);
    for (size_t c = 0; w->oracle && c < SIM_DECLARED; c++) {
        struct liana_slice first = clock_of(w, 0, &arena, sim_declared[c]);

        for (int n = 1; n < (int)w->knobs.nodes; n++) {
            answer = answer &&
                     lia_slice_cmp(clock_of(w, n, &arena, sim_declared[c]), first) == 0;
        }
    }
    lia_arena_deinit(&arena);
    return answer;
}
