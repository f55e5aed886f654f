/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/error.h"
#include "crdt/testing/keep_world.h"

static void tell_write(struct keep_world *w,
                       struct keep_store *s,
                       size_t key,
                       size_t made)
{
    static const char *const VERBS[] = {"inserts", "updates", "deletes", "buries",
                                        "renews"};
    const struct keep_commit *c = &w->commits[made];

    TELL(w, "  store %zu %s %zu as %zu:%zu%s\n", keep_index(w, s), VERBS[c->kind], key,
         (size_t)c->stamp.actor, (size_t)c->stamp.hlc,
         s->rows[key].is_in_group ? " (in the group)" : "");
}

static void set_value(struct keep_world *w,
                      struct keep_row *row,
                      size_t made,
                      bool value)
{
    row->value_life = w->commits[made].life;
    row->value_stamp = w->commits[made].stamp;
    row->is_in_group = value;
}

void keep_insert(struct keep_world *w,
                 struct keep_store *s,
                 size_t key,
                 bool is_seed,
                 bool is_in_group)
{
    struct keep_row *row = &s->rows[key];
    bool matched = keep_matches(row, key);
    size_t made;

    if (is_seed ? row->is_held : keep_is_alive(row, key)) {
        return;
    }
    made = is_seed ? keep_seed(w, s, key) : keep_commit(w, s, key, KEEP_INSERT);
    row->created = w->commits[made].stamp;
    row->created_tag = row->created;
    set_value(w, row, made, is_seed || is_in_group);
    keep_changed(s, key, matched);
    tell_write(w, s, key, made);
}

void keep_update(struct keep_world *w,
                 struct keep_store *s,
                 size_t key,
                 bool is_in_group)
{
    struct keep_row *row = &s->rows[key];
    bool matched = keep_matches(row, key);
    size_t made;

    if (!keep_is_alive(row, key)) {
        return;
    }
    made = keep_commit(w, s, key, KEEP_UPDATE);
    row->updated = w->commits[made].stamp;
    set_value(w, row, made, is_in_group);
    keep_changed(s, key, matched);
    tell_write(w, s, key, made);
}

void keep_delete(struct keep_world *w, struct keep_store *s, size_t key)
{
    struct keep_row *row = &s->rows[key];
    bool matched = keep_matches(row, key);
    size_t made;

    if (!keep_is_alive(row, key)) {
        return;
    }
    if (keep_mode(key) == LIA_UPDATE_WINS) {
        MET(w, UPDATES_WIN);
    }
    made = keep_commit(w, s, key, KEEP_DELETE);
    row->deleted = w->commits[made].deletes;
    keep_changed(s, key, matched);
    tell_write(w, s, key, made);
}
