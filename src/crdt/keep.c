/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/keep.h"

#include "crdt/mutant.h"

/* Every entry is at or below `upto`, and above `after`. Nothing is within nothing: an
 * empty vector is no copy. */
static bool is_within(struct lia_vector v,
                      struct lia_vector after,
                      struct lia_vector upto)
{
    for (size_t i = 0; i < v.count; i++) {
        const struct lia_vector_entry *e = &v.entries[i];

        if (e->hlc <= LIA_HLC_INITIAL_MAX || e->hlc > lia_vector_get(upto, e->actor) ||
            e->hlc <= lia_vector_get(after, e->actor)) {
            return false;
        }
    }
    return v.count > 0;
}

#define NO_VECTOR ((struct lia_vector){NULL, 0})

static struct lia_stamp greatest_delete(const struct lia_doc_info *info)
{
    return lia_stamp_cmp(info->deleted, info->withdrawn) >= 0 ? info->deleted
                                                              : info->withdrawn;
}

/* ---- dropping ---- */

bool lia_keep_is_kept(const struct lia_keep *keep, struct lia_vector vector)
{
    return LIA_MUTANT(101) || is_within(vector, NO_VECTOR, keep->kept);
}

bool lia_keep_may_evict(const struct lia_keep *keep, const struct lia_doc_info *info)
{
    return info->exists && !keep->is_keeper && lia_keep_is_kept(keep, info->vector);
}

/* Some of what these actors wrote was evicted here, perhaps the life of this document. */
static bool touches_holes(const struct lia_keep *keep, struct lia_vector v)
{
    for (size_t i = 0; i < v.count; i++) {
        if (lia_vector_get(keep->evicted, v.entries[i].actor)) {
            return true;
        }
    }
    return false;
}

/* Who forgets must recognise what was deleted when it comes back, by marks of its own; a
 * keeper surely, because others rely on its verdict. Where there is a predicate there are
 * no marks; there others give the verdict. */
bool lia_keep_may_forget(const struct lia_keep *keep,
                         const struct lia_doc_info *info,
                         uint64_t age_ms,
                         uint64_t ttl_ms)
{
    bool is_known = LIA_MUTANT(102) || !keep->is_whole ||
                    (is_within(info->vector, NO_VECTOR, keep->marks) &&
                     !(keep->is_keeper && touches_holes(keep, info->vector)));
    bool is_safe = LIA_MUTANT(103) || is_within(info->vector, NO_VECTOR, keep->kept);

    return !info->exists && age_ms >= ttl_ms && is_known && is_safe;
}

bool lia_keep_must_renew(struct lia_vector vector, uint64_t actor)
{
    return !LIA_MUTANT(104) && lia_vector_get(vector, actor) > 0;
}

liana_status lia_keep_drop(struct lia_arena *arena,
                           const struct lia_keep *keep,
                           const struct lia_doc_info *info,
                           struct lia_keep *out)
{
    struct lia_keep after = *keep;
    liana_status status = LIANA_OK;

    if (info->exists) {
        status = lia_vector_join(arena, keep->evicted, info->vector, &after.evicted);
    } else if (greatest_delete(info).hlc > keep->forgotten && !LIA_MUTANT(105)) {
        after.forgotten = greatest_delete(info).hlc;
    }
    if (!status) {
        *out = after;
    }
    return status;
}

/* ---- receiving ---- */

/* The copy held already says what became of that life. */
static bool is_answered(const struct lia_copy *held,
                        struct lia_stamp life,
                        enum lia_delete_mode mode)
{
    if (LIA_MUTANT(106)) {
        return false;
    }
    return lia_stamp_cmp(held->info.created, life) >= 0 ||
           lia_stamp_cmp(greatest_delete(&held->info), life) >= 0 ||
           (mode == LIA_UPDATE_WINS && held->info.exists);
}

static bool was_here(const struct lia_keep *keep, struct lia_stamp tag)
{
    struct lia_vector marks = LIA_MUTANT(107) ? keep->kept : keep->marks;
    struct lia_vector holes = LIA_MUTANT(108) ? NO_VECTOR : keep->evicted;

    return LIA_MUTANT(110) ||
           (tag.hlc > LIA_HLC_INITIAL_MAX && lia_vector_covers(marks, tag) &&
            tag.hlc > lia_vector_get(holes, tag.actor));
}

/* It was here and was not evicted: it left by a delete. Marks count the life under its tag: that
 * of a store that fell back is new, and says nothing of what was here under the old one. Under `update wins` that holds of
 * what was here only: one entry from outside of the marks brings all of it back. */
static bool is_dead(const struct lia_keep *keep,
                    const struct lia_copy *offered,
                    enum lia_delete_mode mode)
{
    if (mode == LIA_UPDATE_WINS && !LIA_MUTANT(109)) {
        return is_within(offered->info.vector,
                         LIA_MUTANT(108) ? NO_VECTOR : keep->evicted,
                         LIA_MUTANT(107) ? keep->kept : keep->marks);
    }
    return was_here(keep, LIA_MUTANT(119) ? offered->info.created
                                          : offered->info.created_tag);
}

enum lia_offer lia_keep_judge(const struct lia_keep *keep,
                              const struct lia_copy *held,
                              const struct lia_copy *offered,
                              enum lia_delete_mode mode,
                              struct lia_stamp *out_deleted)
{
    if (keep->is_whole && offered->info.exists &&
        !is_answered(held, offered->info.created, mode) &&
        is_dead(keep, offered, mode)) {
        *out_deleted =
            mode == LIA_UPDATE_WINS ? offered->newest : offered->info.created;
        return LIA_OFFER_BURY;
    }
    if (keep->is_whole && held->info.vector.count == 0 &&
        is_within(offered->info.vector, NO_VECTOR, keep->marks) && !LIA_MUTANT(111)) {
        return LIA_OFFER_REFUSE;
    }
    return LIA_OFFER_TAKE;
}

struct lia_stamp lia_keep_remains(const struct lia_keep *keep,
                                  struct lia_vector held,
                                  const struct lia_life *lives,
                                  size_t count)
{
    struct lia_stamp greatest = LIA_STAMP_NONE;

    for (size_t i = 0; i < count && keep->is_whole && !LIA_MUTANT(120); i++) {
        bool is_new = !lia_vector_covers(held, lives[i].tag);

        if (is_new && was_here(keep, lives[i].tag) &&
            lia_stamp_cmp(lives[i].stamp, greatest) > 0) {
            greatest = lives[i].stamp;
        }
    }
    return greatest;
}

/* ---- marks ---- */

liana_status lia_keep_claim(struct lia_arena *arena,
                            const struct lia_keep *keep,
                            struct lia_vector receiver,
                            struct lia_vector *out)
{
    struct lia_vector_entry *entries =
        lia_arena_array(arena, keep->marks.count, sizeof(*entries));
    size_t count = 0;

    if (!entries) {
        return LIANA_ENOMEM;
    }
    for (size_t i = 0; i < keep->marks.count; i++) {
        struct lia_vector_entry e = keep->marks.entries[i];

        if (LIA_MUTANT(112) || lia_vector_get(keep->evicted, e.actor) <=
                                   lia_vector_get(receiver, e.actor)) {
            entries[count++] = e;
        }
    }
    *out = (struct lia_vector){entries, count};
    return LIANA_OK;
}

liana_status lia_keep_publish(struct lia_arena *arena,
                              const struct lia_keep *keep,
                              struct lia_vector *out)
{
    if (!keep->is_keeper) {
        *out = NO_VECTOR;
        return LIANA_OK;
    }
    return lia_keep_claim(arena, keep, LIA_MUTANT(113) ? keep->marks : NO_VECTOR, out);
}

/* What matches a predicate there may have left it here, unseen: such marks are not
 * believed (docs/adr/0024, history 5). */
liana_status lia_keep_take(struct lia_arena *arena,
                           const struct lia_keep *keep,
                           struct lia_vector claim,
                           uint64_t sender_forgotten,
                           struct lia_keep *out)
{
    struct lia_keep after = *keep;
    liana_status status = LIANA_OK;

    if (keep->is_whole || LIA_MUTANT(114)) {
        status = lia_vector_join(arena, keep->marks, claim, &after.marks);
    }
    if (sender_forgotten > after.forgotten && !LIA_MUTANT(115)) {
        after.forgotten = sender_forgotten;
    }
    if (!status) {
        *out = after;
    }
    return status;
}

/* ---- sending ---- */

bool lia_keep_has_remains(const struct lia_doc_info *info)
{
    return info->exists && info->oldest < info->created.hlc && !LIA_MUTANT(121);
}

bool lia_keep_may_skip(const struct lia_keep *receiver, const struct lia_doc_info *info)
{
    uint64_t age = info->exists ? info->created.hlc : greatest_delete(info).hlc;
    bool is_old = age <= receiver->forgotten;

    if ((LIA_MUTANT(116) && info->exists) || (LIA_MUTANT(117) && !info->exists)) {
        is_old = false;
    }
    return !is_old && !lia_keep_has_remains(info) &&
           is_within(info->vector, LIA_MUTANT(118) ? NO_VECTOR : receiver->evicted,
                     receiver->marks);
}
