/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When all is quiet: what has become of every entry of every acknowledged write.
 *
 *     visible      the document shows it, or counts it
 *     superseded   by a write that had seen it: at its path, above it, or a DELETE; or
 *                  by a newer one that says the same
 *     listed       in system:conflicts of some store: it lost to a write that had not
 *                  seen it
 *
 * Anything else is lost in silence.
 */
#include <stdlib.h>

#include "codec/key.h"
#include "db/exec.h"
#include "sim/check.h"
#include "sim/oracle.h"

/* ---- system:conflicts of all stores ---- */

struct row {
    struct row *next;
    char path[MODEL_PATH_MAX];
    struct lia_stamp lost;
};

struct account {
    struct sim_world *w;
    struct lia_arena arena;
    struct row *rows[SIM_WATCHED];
    uint64_t visible;
    uint64_t superseded;
    uint64_t listed;
};

static struct lia_value field(struct liana_slice row, const char *name)
{
    struct lia_value v = {0};

    LIA_ASSERT(lia_bson_find(row, lia_str(name), &v));
    return v;
}

static void read_path(struct liana_slice names, char out[MODEL_PATH_MAX])
{
    struct lia_bson_iter it = lia_bson_iter(names);
    size_t len = 0;

    while (lia_bson_next(&it)) {
        struct liana_str name = lia_value_str(it.value);

        LIA_ASSERT(len + name.len + 2 <= MODEL_PATH_MAX);
        if (len) {
            out[len++] = '/';
        }
        memcpy(out + len, name.ptr, name.len);
        len += name.len;
    }
    out[len] = '\0';
}

static void take_row(struct account *a, struct liana_slice row)
{
    struct liana_str collection = lia_value_str(field(row, "collection"));
    struct liana_slice lost = field(row, "lost").data;
    uint32_t doc = (uint32_t)lia_value_int64(field(row, "document"));
    char author[17] = {0};
    struct row *r;

    if (!lia_str_equal(collection, lia_str("desk")) &&
        !lia_str_equal(collection, lia_str("seats"))) {
        return;
    }
    r = LIA_ARENA_NEW(&a->arena, struct row);
    LIA_ASSERT(r && lia_value_str(field(lost, "author")).len == 16);
    memcpy(author, lia_value_str(field(lost, "author")).ptr, 16);
    r->lost = (struct lia_stamp){(uint64_t)lia_value_int64(field(lost, "hlc")),
                                 strtoull(author, NULL, 16)};
    read_path(field(row, "path").data, r->path);
    r->next = a->rows[doc - sim_first(2)];
    a->rows[doc - sim_first(2)] = r;
}

static void run(struct sim_world *w, int n, const char *text, struct lia_result **out)
{
    struct liana_error err = LIANA_ERROR_INIT;

    if (lia_db_execute(w->nodes[n].db, lia_str(text), lia_slice(NULL, 0), NULL, out,
                       &err)) {
        sim_fail(w, "node %d: %s", n, err.message);
    }
}

static void read_rows(struct account *a, int n)
{
    struct lia_result *result;
    struct liana_slice row;

    if (a->w->breakage == SIM_BREAK_UNTOLD) {
        run(a->w, n, "DELETE FROM system:conflicts", &result);
        lia_result_free(result);
    }
    run(a->w, n, "SELECT * FROM system:conflicts WHERE kind = 'lost'", &result);
    while (!lia_result_next(result, &row, NULL)) {
        take_row(a, row);
    }
    lia_result_free(result);
}

/* ---- visible ---- */

/* The maps above the path are shown. */
static bool is_reached(const struct model_doc *d, const char *path)
{
    struct lia_scratch scratch;
    struct lia_value leaf;
    char above[MODEL_PATH_MAX];

    for (size_t i = 0; path[i]; i++) {
        if (path[i] == '/') {
            memcpy(above, path, i);
            above[i] = '\0';
            if (model_show(d, above, &scratch, &leaf) != MODEL_SHOWS_MAP) {
                return false;
            }
        }
    }
    return model_exists(d);
}

static bool is_number_shown(const struct model_doc *d, const char *path)
{
    struct lia_scratch scratch;
    struct lia_value leaf;

    return model_show(d, path, &scratch, &leaf) == MODEL_SHOWS_LEAF &&
           lia_value_is_number(leaf);
}

static bool is_visible(const struct model_doc *d, const struct model_entry *e)
{
    const struct model_entry *left = NULL;
    struct lia_scratch scratch;
    struct lia_value leaf;
    enum model_shown shown = model_show(d, e->path, &scratch, &leaf);

    for (size_t i = 0; i < d->count && !left; i++) {
        const struct model_entry *other = &d->entries[i];

        left = other->kind == e->kind && strcmp(other->path, e->path) == 0 &&
                       lia_stamp_cmp(other->rank.stamp, e->rank.stamp) == 0
                   ? other
                   : NULL;
    }
    if (!left || !is_reached(d, e->path)) {
        return false;
    }
    switch (e->kind) {
    case MODEL_VALUE: return shown == MODEL_SHOWS_LEAF;
    case MODEL_ADDED: return shown == MODEL_SHOWS_SET && model_has(d, e->path, e->leaf);
    case MODEL_SHARE: return shown == MODEL_SHOWS_BOUNDED;
    default: return is_number_shown(d, e->path);
    }
}

/* ---- superseded ---- */

static bool is_same_sum(const struct model_entry *a, const struct model_entry *b)
{
    return a->kind == b->kind && a->rank.stamp.actor == b->rank.stamp.actor &&
           strcmp(a->path, b->path) == 0 && lia_stamp_cmp(a->start, b->start) == 0;
}

static bool is_same_element(const struct model_entry *a, const struct model_entry *b)
{
    return strcmp(a->path, b->path) == 0 && lia_value_equal(a->leaf, b->leaf);
}

/* An entry of a write that had seen `e`. */
static bool takes_over(const struct model_entry *by, const struct model_entry *e)
{
    switch (by->kind) {
    case MODEL_VALUE:
        return strcmp(by->path, e->path) == 0 || model_is_below(e->path, by->path);
    case MODEL_SUM:
    case MODEL_SHARE: return is_same_sum(by, e);
    case MODEL_ADDED:
        return e->kind == MODEL_ADDED && is_same_element(by, e) &&
               by->rank.stamp.actor == e->rank.stamp.actor;
    case MODEL_TAKEN: return e->kind == MODEL_ADDED && is_same_element(by, e);
    default: return false;
    }
}

/* Of two that say the same, without having seen each other, the newer stands for both. */
static bool says_the_same(const struct model_entry *by, const struct model_entry *e)
{
    return by->kind == MODEL_VALUE && e->kind == MODEL_VALUE &&
           by->value == MODEL_LEAF && strcmp(by->path, e->path) == 0 &&
           by->leaf.type == e->leaf.type && lia_value_equal(by->leaf, e->leaf) &&
           model_rank_cmp(by->rank, e->rank) > 0;
}

/* A seed is older than everything: a DELETE need not have seen it. What is written and
 * deleted in one transaction is ended by that. */
static bool ends(const struct sim_write *by, const struct sim_write *x)
{
    return by->is_delete &&
           (by == x || x->is_seed || lia_vector_covers(by->seen, x->stamp));
}

static bool supersedes(const struct sim_write *by,
                       const struct sim_write *x,
                       const struct model_entry *e)
{
    bool had_seen = lia_vector_covers(by->seen, x->stamp);

    if (by == x) { /* an increment, and then an assignment, in one transaction */
        had_seen = e->kind == MODEL_SUM;
    }
    for (size_t i = 0; i < by->entries->count; i++) {
        const struct model_entry *other = &by->entries->entries[i];

        if (had_seen && takes_over(other, e) &&
            (by != x || other->kind == MODEL_VALUE)) {
            return true;
        }
        if (by != x && says_the_same(other, e)) {
            return true;
        }
    }
    return ends(by, x);
}

static const struct sim_write *superseder(const struct sim_world *w,
                                          const struct sim_write *x,
                                          const struct model_entry *e)
{
    for (size_t i = 0; i < w->oracle->count; i++) {
        const struct sim_write *by = &w->oracle->writes[i];

        if (by->doc == x->doc && sim_write_is_alive(w, by) && supersedes(by, x, e)) {
            return by;
        }
    }
    return NULL;
}

/* ---- listed ---- */

static bool is_listed(const struct account *a,
                      const struct sim_write *x,
                      const struct model_entry *e)
{
    for (const struct row *r = a->rows[x->doc]; r; r = r->next) {
        if (lia_stamp_cmp(r->lost, x->stamp) == 0 &&
            (strcmp(r->path, e->path) == 0 || model_is_below(e->path, r->path))) {
            return true;
        }
    }
    return false;
}

/* ---- the account ---- */

/* What somebody would miss. Removals are seen in what others show. */
static bool is_data(const struct model_entry *e)
{
    switch (e->kind) {
    case MODEL_VALUE: return e->value == MODEL_LEAF;
    case MODEL_ADDED:
    case MODEL_SHARE:
    case MODEL_SUM: return true;
    default: return false;
    }
}

static void account_for(struct account *a,
                        const struct sim_write *x,
                        const struct model_entry *e)
{
    struct sim_world *w = a->w;

    if (is_visible(&w->oracle->states[0][x->doc], e)) {
        a->visible++;
    } else if (superseder(w, x, e)) {
        a->superseded++;
    } else if (is_listed(a, x, e)) {
        a->listed++;
    } else {
        sim_oracle_tell(w, x->doc);
        sim_fail(w,
                 "document %u: what node %d wrote at '%s' (kind %d, hlc %llu, actor "
                 "%016llx) is lost in silence",
                 x->doc + sim_first(2), x->node, e->path, (int)e->kind,
                 (unsigned long long)x->stamp.hlc, (unsigned long long)x->stamp.actor);
    }
}

static void account_for_all(struct account *a)
{
    struct sim_world *w = a->w;

    for (size_t i = 0; i < w->oracle->count; i++) {
        const struct sim_write *x = &w->oracle->writes[i];
        struct lia_vector vector = model_vector(&w->oracle->states[0][x->doc]);

        if (!sim_write_is_alive(w, x) || (x->is_seed && !x->is_certain)) {
            continue;
        }
        if (!lia_vector_covers(vector, x->stamp)) {
            sim_fail(w, "document %u: a write of node %d was acknowledged and is lost",
                     x->doc + sim_first(2), x->node);
        }
        for (size_t e = 0; e < x->entries->count; e++) {
            if (is_data(&x->entries->entries[e])) {
                account_for(a, x, &x->entries->entries[e]);
            }
        }
    }
}

/* ---- declarations ---- */

static struct liana_slice clock_of(struct sim_world *w,
                                   int n,
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
    LIA_ASSERT(!lia_db_docs(w->nodes[n].db, arena, &of, 1, &held, NULL));
    lia_buf_deinit(&key);
    lia_buf_deinit(&doc);
    return held.doc.clock;
}

bool sim_oracle_is_settled(struct sim_world *w)
{
    static const char *const collections[] = {"desk", "seats"};
    struct lia_arena arena;
    bool answer = true;

    lia_arena_init(&arena, &lia_mem_libc);
    for (size_t c = 0; w->oracle && c < 2; c++) {
        struct liana_slice first = clock_of(w, 0, &arena, collections[c]);

        for (int n = 1; n < (int)w->knobs.nodes; n++) {
            answer = answer &&
                     lia_slice_cmp(clock_of(w, n, &arena, collections[c]), first) == 0;
        }
    }
    lia_arena_deinit(&arena);
    return answer;
}

/* ---- the end ---- */

void sim_oracle_end(struct sim_world *w)
{
    struct account a = {.w = w};

    if (!w->oracle || sim_is_lawless(w)) {
        return;
    }
    lia_arena_init(&a.arena, &lia_mem_libc);
    for (int n = 0; n < (int)w->knobs.nodes; n++) {
        read_rows(&a, n);
    }
    account_for_all(&a);
    sim_note(w, "desk: %llu visible, %llu superseded, %llu listed",
             (unsigned long long)a.visible, (unsigned long long)a.superseded,
             (unsigned long long)a.listed);
    lia_arena_deinit(&a.arena);
}
