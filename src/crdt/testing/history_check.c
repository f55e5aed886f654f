/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/error.h"
#include "crdt/testing/ops.h"
#include "crdt/testing/world.h"

const char *world_fail(struct world *w, const char *why)
{
    if (!w->why[0]) {
        LIA_ASSERT(snprintf(w->why, sizeof(w->why), "%s", why) > 0);
    }
    return w->why;
}

uint64_t world_below(struct world *w, uint64_t n)
{
    return lia_rng_below(&w->rng, n);
}

/* ---- checks ---- */

bool world_is_equal(struct lia_doc a, struct lia_doc b)
{
    return lia_slice_equal(a.body, b.body) && lia_slice_equal(a.clock, b.clock);
}

static size_t count_fields(struct liana_slice doc)
{
    struct lia_bson_iter it = lia_bson_iter(doc);
    size_t count = 0;

    while (lia_bson_next(&it)) {
        count++;
    }
    return count;
}

/* The same fields in any order: two writes of one stamp have births that the model counts
 * in another way. */
static bool has_same_fields(struct liana_slice a, struct liana_slice b)
{
    struct lia_bson_iter it = lia_bson_iter(a);
    struct lia_value other;

    while (lia_bson_next(&it)) {
        if (!lia_bson_find(b, it.name, &other) || it.value.type != other.type ||
            (it.value.type == LIA_BSON_DOCUMENT
                 ? !has_same_fields(it.value.data, other.data)
                 : !lia_slice_equal(it.value.data, other.data))) {
            return false;
        }
    }
    return a.len == b.len && count_fields(a) == count_fields(b);
}

const char *world_check_body(struct world *w,
                             const struct model_doc *model,
                             struct liana_slice body)
{
    struct lia_buf expected;
    bool is_same;

    lia_buf_init(&expected, &lia_mem_libc);
    model_body(model, &expected);
    is_same = w->history->is_about_falls
                  ? has_same_fields(lia_buf_slice(&expected), body)
                  : lia_slice_equal(lia_buf_slice(&expected), body);
    if (!is_same && w->is_told) {
        printf("    the model shows ");
        op_tell_document(lia_buf_slice(&expected));
        printf("\n    the product shows ");
        op_tell_document(body);
        printf("\n");
    }
    lia_buf_deinit(&expected);
    return is_same ? NULL : world_fail(w, "the body is not the model's");
}

/* Whatever a peer sees, nobody has spent what was not there. */
static bool check_bounds(struct world *w, const struct copy *c)
{
    static const struct liana_str name = {"k", 1};
    struct lia_bounded_info info;

    for (size_t i = 0; w->history->is_about_bounds && i < PEERS; i++) {
        uint64_t actor = w->peers[i].now.actor;

        if (lia_doc_bounded(&w->arena, c->doc, (struct lia_path){&name, 1}, actor,
                            &info, NULL) == LIANA_OK &&
            (info.value < info.bound || info.rights < 0 ||
             info.rights != model_rights(&c->model, "k", actor, NULL))) {
            return false;
        }
    }
    return true;
}

static const char *check_copy(struct world *w, const struct copy *c)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_doc_info info;

    /* Segments are checked wherever they are merged: here now and then is enough. */
    if (world_below(w, 4) == 0 && lia_doc_check(&w->arena, c->doc, &err)) {
        return world_fail(w, err.message);
    }
    if (lia_doc_info(&w->arena, c->doc.clock, &info) ||
        !lia_vector_equal(info.vector, model_vector(&c->model)) ||
        lia_stamp_cmp(info.created, c->model.created) ||
        lia_stamp_cmp(info.deleted, c->model.deleted) ||
        lia_stamp_cmp(info.withdrawn, c->model.withdrawn) ||
        info.exists != model_exists(&c->model)) {
        return world_fail(w,
                          "vector, created, deleted or withdrawn is not the model's");
    }
    return check_bounds(w, c) ? world_check_body(w, &c->model, c->doc.body)
                              : world_fail(w, "a bounded counter is below its bound");
}

static const char *check_twins(struct world *w, const struct copy *c, size_t key)
{
    if (w->history->is_about_falls) {
        return NULL; /* until it is repaired: world_check_settled */
    }
    for (size_t i = 0; i < PEERS; i++) {
        const struct copy *other = &w->peers[i].now.copies[key];

        if (lia_vector_equal(model_vector(&c->model), model_vector(&other->model)) &&
            !world_is_equal(c->doc, other->doc)) {
            return world_fail(w, "equal vectors and different bytes");
        }
    }
    return NULL;
}

const char *world_check(struct world *w, size_t peer, size_t key)
{
    const struct copy *c = &w->peers[peer].now.copies[key];
    const char *why = check_copy(w, c);

    return why ? why : check_twins(w, c, key);
}

/* ---- the algebra, on whole copies ---- */

static liana_status join(struct world *w,
                         struct lia_doc a,
                         struct lia_doc b,
                         struct lia_doc *out)
{
    struct liana_slice segment;
    liana_status status =
        lia_doc_segment(&w->arena, b, (struct lia_vector){NULL, 0}, &segment);

    return status ? status : lia_doc_merge(&w->arena, a, segment, out, NULL);
}

const char *world_check_algebra(struct world *w, size_t key)
{
    struct lia_doc x = w->peers[world_below(w, PEERS)].now.copies[key].doc;
    struct lia_doc y = w->peers[world_below(w, PEERS)].now.copies[key].doc;
    struct lia_doc z = w->peers[world_below(w, PEERS)].now.copies[key].doc;
    struct lia_doc xx;
    struct lia_doc xy;
    struct lia_doc yx;
    struct lia_doc yz;
    struct lia_doc left;
    struct lia_doc right;

    if (w->history->is_about_falls || !x.clock.len || !y.clock.len || !z.clock.len) {
        return NULL;
    }
    if (join(w, x, x, &xx) || join(w, x, y, &xy) || join(w, y, x, &yx) ||
        join(w, y, z, &yz) || join(w, xy, z, &left) || join(w, x, yz, &right)) {
        return world_fail(w, "copies do not join");
    }
    if (!world_is_equal(x, xx)) {
        return world_fail(w, "merge is not idempotent");
    }
    if (!world_is_equal(xy, yx)) {
        return world_fail(w, "merge does not commute");
    }
    return world_is_equal(left, right) ? NULL
                                       : world_fail(w, "merge does not associate");
}

/* ---- the end ---- */

const char *world_check_settled(struct world *w, const struct model_doc all[KEYS])
{
    const char *why = NULL;

    for (size_t key = 0; key < KEYS && !why; key++) {
        struct lia_doc first = w->peers[0].now.copies[key].doc;

        for (size_t i = 1; i < PEERS && !why; i++) {
            if (!world_is_equal(first, w->peers[i].now.copies[key].doc)) {
                why = world_fail(w, "peers do not converge");
            }
        }
        why = why ? why : world_check_body(w, &all[key], first.body);
    }
    return why;
}
