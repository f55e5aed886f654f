/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What system:conflicts of all stores say is lost: writes that were made, to others that
 * were, and neither knew of the other.
 */
#include <stdlib.h>

#include "db/exec.h"
#include "sim/oracle.h"
#include "sim/past.h"

struct row {
    struct row *next;
    uint32_t doc;
    char path[MODEL_PATH_MAX];
    struct lia_stamp lost;
    struct lia_stamp kept;
};

struct sim_rows {
    struct row *first[SIM_DOCS];
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

static struct lia_stamp read_stamp(struct liana_slice stamp)
{
    struct liana_str author = lia_value_str(field(stamp, "author"));
    char digits[17] = {0};

    LIA_ASSERT(author.len == 16);
    memcpy(digits, author.ptr, 16);
    return (struct lia_stamp){(uint64_t)lia_value_int64(field(stamp, "hlc")),
                              strtoull(digits, NULL, 16)};
}

/* ---- a row is true ---- */

static const struct sim_write *write_of(const struct sim_world *w,
                                        uint32_t doc,
                                        struct lia_stamp stamp)
{
    for (size_t i = 0; i < w->oracle->count; i++) {
        const struct sim_write *x = &w->oracle->writes[i];

        if (x->doc == doc && lia_stamp_cmp(x->stamp, stamp) == 0 &&
            (sim_write_is_alive(w, x) || w->past)) {
            return x;
        }
    }
    return NULL;
}

/* What it repeats had not seen the write, but its giver has, and takes it back to the stamp
 * that it takes effect at. */
static bool is_verdict(const struct sim_world *w, const struct sim_write *kept)
{
    for (size_t i = 0; i < w->oracle->count; i++) {
        const struct sim_write *x = &w->oracle->writes[i];

        if (x->doc == kept->doc && !lia_stamp_is_none(x->effect) &&
            (x == kept || lia_stamp_cmp(x->effect, kept->stamp) == 0)) {
            return true;
        }
    }
    return false;
}

/* As if it said something else. */
static void damage(const struct sim_world *w, uint32_t doc, struct row *row)
{
    const struct sim_write *kept = write_of(w, doc, row->kept);

    row->lost.hlc += w->breakage == SIM_BREAK_ROW;
    if (w->breakage == SIM_BREAK_KNEW && kept && kept->seen.count) {
        row->lost =
            (struct lia_stamp){kept->seen.entries[0].hlc, kept->seen.entries[0].actor};
    }
}

static void check_row(struct sim_world *w, int n, struct row *row)
{
    const uint32_t doc = row->doc;
    const struct sim_write *lost;
    const struct sim_write *kept;

    damage(w, doc, row);
    lost = write_of(w, doc, row->lost);
    kept = write_of(w, doc, row->kept);
    if (!lost || !kept) {
        sim_oracle_tell(w, doc);
        sim_fail(w, "node %d: a conflict about document %u of what nobody wrote", n,
                 doc);
    }
    if (sim_past_fell(w, lost->stamp.actor) || sim_past_fell(w, kept->stamp.actor)) {
        return;
    }
    if (!is_verdict(w, kept) && (lia_vector_covers(lost->seen, kept->stamp) ||
                                 lia_vector_covers(kept->seen, lost->stamp))) {
        sim_oracle_tell(w, doc);
        sim_fail(w,
                 "node %d: a conflict about '%s' of document %u between writes that "
                 "knew each other: of %016llx %llu and %016llx %llu",
                 n, row->path, doc, (unsigned long long)row->lost.actor,
                 (unsigned long long)row->lost.hlc, (unsigned long long)row->kept.actor,
                 (unsigned long long)row->kept.hlc);
    }
}

/* ---- reading ---- */

/* NULL: it is about what is not looked at. */
static struct row *take_row(struct sim_world *w,
                            struct lia_arena *arena,
                            struct liana_slice row,
                            struct sim_rows *rows)
{
    uint32_t doc = (uint32_t)lia_value_int64(field(row, "document"));
    struct row *r;

    if (lia_str_equal(lia_value_str(field(row, "collection")),
                      lia_str("_liana.collections"))) {
        return NULL;
    }
    LIA_ASSERT(doc < SIM_DOCS);
    if (!sim_is_watched(doc)) {
        return NULL;
    }
    r = LIA_ARENA_NEW(arena, struct row);
    LIA_ASSERT(r);
    r->lost = sim_restamped(w, read_stamp(field(row, "lost").data));
    r->kept = sim_restamped(w, read_stamp(field(row, "kept").data));
    read_path(field(row, "path").data, r->path);
    r->doc = doc;
    r->next = rows->first[doc];
    rows->first[doc] = r;
    return r;
}

static void run(struct sim_world *w, int n, const char *text, struct lia_result **out)
{
    struct liana_error err = LIANA_ERROR_INIT;

    if (lia_db_execute(w->nodes[n].db, lia_str(text), lia_slice(NULL, 0), NULL, out,
                       &err)) {
        sim_fail(w, "node %d: %s", n, err.message);
    }
}

static void read_node(struct sim_world *w,
                      int n,
                      struct lia_arena *arena,
                      bool is_end,
                      struct sim_rows *rows)
{
    struct lia_result *result;
    struct liana_slice row;

    if (w->breakage == SIM_BREAK_UNTOLD) {
        run(w, n, "DELETE FROM system:conflicts", &result);
        lia_result_free(result);
    }
    run(w, n, "SELECT * FROM system:conflicts WHERE kind = 'lost'", &result);
    while (!lia_result_next(result, &row, NULL)) {
        struct row *r = take_row(w, arena, row, rows);

        if (r && is_end && !sim_oracle_is_split(w, r->doc)) {
            check_row(w, n, r);
        }
    }
    lia_result_free(result);
}

struct sim_rows *sim_rows_read(struct sim_world *w, struct lia_arena *arena)
{
    struct sim_rows *rows = LIA_ARENA_NEW(arena, struct sim_rows);

    LIA_ASSERT(rows);
    *rows = w->oracle->lost_rows ? *w->oracle->lost_rows : (struct sim_rows){0};
    for (int n = 0; n < (int)w->knobs.nodes; n++) {
        read_node(w, n, arena, true, rows);
    }
    return rows;
}

void sim_rows_lose(struct sim_world *w, int n)
{
    if (!w->oracle->lost_rows) {
        w->oracle->lost_rows = LIA_ARENA_NEW(&w->arena, struct sim_rows);
        LIA_ASSERT(w->oracle->lost_rows);
        *w->oracle->lost_rows = (struct sim_rows){0};
    }
    read_node(w, n, &w->arena, false, w->oracle->lost_rows);
}

bool sim_rows_list(const struct sim_rows *rows,
                   const struct sim_write *x,
                   const struct model_entry *e)
{
    for (const struct row *r = rows->first[x->doc]; r; r = r->next) {
        if (lia_stamp_cmp(r->lost, x->stamp) == 0 &&
            (strcmp(r->path, e->path) == 0 || model_is_below(e->path, r->path))) {
            return true;
        }
    }
    return false;
}
