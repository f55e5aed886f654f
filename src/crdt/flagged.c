/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/clock.h"

/* ---- which paths of a document make it flagged ---- */

struct walk {
    struct lia_work *work;
    const struct lia_flag_watch *watch;
};

static bool tell(const struct walk *w,
                 const struct lia_trail *trail,
                 enum lia_flag flag)
{
    struct lia_path path;

    if (!lia_trail_path(w->work, trail, &path)) {
        return false;
    }
    w->watch->flagged(w->watch->ctx, path, flag);
    return true;
}

static bool walk(const struct walk *w,
                 const struct lia_trail *trail,
                 const struct lia_node *node)
{
    if (node->view.is_left_out) {
        return tell(w, trail, LIA_FLAG_CUT);
    }
    if (node->view.is_clamped && !tell(w, trail, LIA_FLAG_CLAMPED)) {
        return false;
    }
    for (const struct lia_piece *p = node->children; p; p = p->next) {
        if (p->node) {
            const struct lia_trail below = {trail, p->node->name};

            if (!walk(w, &below, p->node)) {
                return false;
            }
        }
    }
    return true;
}

liana_status lia_doc_flagged(struct lia_arena *arena,
                             struct lia_doc doc,
                             const struct lia_flag_watch *watch,
                             size_t *out_bytes,
                             struct liana_error *err)
{
    struct lia_work work = {.arena = arena, .err = err};
    const struct walk w = {&work, watch};
    struct lia_state state;
    struct lia_doc again;
    liana_status status = lia_doc_read(&work, doc, &state);

    if (!status) {
        status = lia_err_plain(err, lia_clock_write(&work, &state, &again));
    }
    if (status) {
        return status;
    }
    *out_bytes = state.whole_bytes;
    return walk(&w, NULL, &state.root) ? LIANA_OK : lia_err_plain(err, work.status);
}
