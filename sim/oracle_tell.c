/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writes of one document, for who has to find out what went wrong.
 */
#include <stdio.h>

#include "crdt/testing/ops.h"
#include "sim/oracle.h"

static void tell_value(struct lia_value v)
{
    struct lia_buf buf;
    size_t mark;

    lia_buf_init(&buf, &lia_mem_libc);
    mark = lia_bson_begin(&buf);
    lia_bson_add(&buf, lia_str(""), v);
    lia_bson_end(&buf, mark);
    op_tell_document(lia_buf_slice(&buf));
    lia_buf_deinit(&buf);
}

static void tell_entry(const struct model_entry *e)
{
    static const char *const kinds[] = {"value", "map",   "set",  "add",
                                        "take",  "share", "count"};
    static const char *const values[] = {" removed", " gone", " {}", ""};

    printf("      %s '%s'%s", kinds[e->kind], e->path,
           e->kind == MODEL_VALUE ? values[e->value] : "");
    if (e->kind == MODEL_ADDED || e->kind == MODEL_TAKEN ||
        (e->kind == MODEL_VALUE && e->value == MODEL_LEAF)) {
        tell_value(e->leaf);
    }
    if (e->kind == MODEL_SUM) {
        struct lia_scratch scratch;

        tell_value(model_sum_value(e->sum, &scratch));
    }
    printf(" life %llu\n", (unsigned long long)e->rank.life.hlc);
}

static void tell_write(const struct sim_write *x)
{
    printf("  node %d, %016llx %llu:%s%s%s\n", x->node,
           (unsigned long long)x->stamp.actor, (unsigned long long)x->stamp.hlc,
           x->is_delete ? " deletes" : "", x->is_creation ? " begins" : "",
           x->is_seed ? " initial" : "");
    for (size_t i = 0; i < x->seen.count; i++) {
        printf("      has seen %016llx %llu\n",
               (unsigned long long)x->seen.entries[i].actor,
               (unsigned long long)x->seen.entries[i].hlc);
    }
    for (size_t i = 0; i < x->entries->count; i++) {
        tell_entry(&x->entries->entries[i]);
    }
}

void sim_oracle_tell_seen(struct sim_world *w,
                          uint32_t doc,
                          struct lia_vector has,
                          struct lia_vector known)
{
    sim_oracle_tell(w, doc);
    for (size_t i = 0; i < has.count && !w->breakage; i++) {
        printf("  has seen %016llx %llu, where writes are known up to %llu\n",
               (unsigned long long)has.entries[i].actor,
               (unsigned long long)has.entries[i].hlc,
               (unsigned long long)lia_vector_get(known, has.entries[i].actor));
    }
}

void sim_oracle_tell(struct sim_world *w, uint32_t doc)
{
    if (w->breakage) {
        return;
    }
    printf("document %u:\n", doc);
    for (size_t i = 0; i < w->oracle->count; i++) {
        const struct sim_write *x = &w->oracle->writes[i];

        if (x->doc == doc && sim_write_is_alive(w, x)) {
            tell_write(x);
        }
    }
}
