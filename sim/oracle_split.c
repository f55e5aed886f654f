/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents to which an actor wrote in two histories (past.h). What a copy of one has seen its vector
 * does not tell, so the law does not say what it shows. What others wrote to it is not lost in silence
 * all the same: each such write is shown, superseded or told.
 */
#include "sim/oracle.h"
#include "sim/past.h"

/* ---- which they are ---- */

bool sim_oracle_is_split(const struct sim_world *w, uint32_t doc)
{
    const struct sim_oracle *o = w->oracle;

    for (size_t i = 0; w->past && !o->is_split[doc] && i < o->count; i++) {
        if (o->writes[i].doc == doc && sim_past_doubts(w, o->writes[i].stamp)) {
            return true;
        }
    }
    return o->is_split[doc];
}

/* What an actor wrote of which there are two histories may be counted under other stamps
 * than were written, by a store that does not know since when (docs/adr/0012). */
static bool may_be_counted_anew(const struct sim_world *w, uint32_t doc)
{
    const struct sim_oracle *o = w->oracle;

    for (size_t i = 0; w->past && i < o->count; i++) {
        const struct lia_stamp any = {UINT64_MAX, o->writes[i].stamp.actor};

        if (o->writes[i].doc == doc && sim_past_doubts(w, any)) {
            return true;
        }
    }
    return false;
}

bool sim_oracle_splits(struct sim_world *w, uint32_t doc)
{
    w->oracle->is_split[doc] = may_be_counted_anew(w, doc);
    return w->oracle->is_split[doc];
}

/* ---- what it shows ---- */

/* What the path names. */
static bool find_path(struct liana_slice body, const char *path, struct lia_value *out)
{
    *out = (struct lia_value){LIA_BSON_DOCUMENT, body};
    while (body.len && *path && out->type == LIA_BSON_DOCUMENT) {
        size_t len = strcspn(path, "/");

        if (!lia_bson_find(out->data, (struct liana_str){path, len}, out)) {
            return false;
        }
        path += len + (path[len] == '/');
    }
    return body.len && !*path;
}

static bool has_element(struct lia_value array, struct lia_value element)
{
    struct lia_bson_iter it = lia_bson_iter(array.data);

    while (array.type == LIA_BSON_ARRAY && lia_bson_next(&it)) {
        if (lia_value_equal(it.value, element)) {
            return true;
        }
    }
    return false;
}

bool sim_split_shows(struct liana_slice body, const struct model_entry *e)
{
    struct lia_value found;

    if (!find_path(body, e->path, &found)) {
        return false;
    }
    switch (e->kind) {
    case MODEL_ADDED: return has_element(found, e->leaf);
    case MODEL_VALUE:
        if (!lia_value_is_number(e->leaf)) {
            return lia_value_equal(found, e->leaf);
        }
        break; /* of a number what was added to it is not told apart */
    default: break;
    }
    return lia_value_is_number(found);
}
