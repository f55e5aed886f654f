/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One store pulls from another: what src/sync and src/db do between a SUBSCRIBE and an
 * ACK, without bytes. The sender walks its rows from the receiver's token, or all of
 * them, and leaves out what the receiver's marks make needless. A receiver with a
 * predicate also shows what it holds and does not know the sender to hold.
 */
#include <stdio.h>

#include "base/error.h"
#include "crdt/testing/keep_world.h"

/* ---- one copy ---- */

static void merge(struct keep_world *w,
                  struct keep_store *s,
                  size_t key,
                  const struct keep_row *offered)
{
    keep_row_join(&s->rows[key], offered);
    for (size_t i = 0; i < w->commit_count; i++) {
        w->commits[i].has_left |= keep_set_has(&offered->reflects, i);
        if (keep_set_has(&offered->reflects, i) && w->commits[i].stamp.hlc > s->hlc) {
            s->hlc = w->commits[i].stamp.hlc;
        }
    }
}

/* What speaks for the offered copy may be a stamp of two histories: then marks say nothing
 * of it. Once it is counted under a new tag, they do. */
static bool is_in_doubt(const struct keep_world *w,
                        size_t key,
                        const struct keep_row *offered,
                        struct lia_stamp life)
{
    for (size_t i = 0; i < w->commit_count; i++) {
        const struct keep_commit *c = &w->commits[i];
        bool speaks =
            keep_mode(key) == LIA_UPDATE_WINS || !lia_stamp_cmp(c->stamp, life);

        if (c->was_doubtful && keep_set_has(&offered->reflects, i) && speaks) {
            return true;
        }
    }
    return false;
}

/* The strongest thing that can be said of a verdict: such a delete was made. */
static void check_verdict(struct keep_world *w,
                          size_t key,
                          const struct keep_row *offered,
                          struct lia_stamp life,
                          struct lia_stamp deleted)
{
    for (size_t i = 0; i < w->commit_count; i++) {
        const struct keep_commit *c = &w->commits[i];

        if (c->key == key && c->kind == KEEP_DELETE && !c->is_lost &&
            lia_stamp_cmp(c->deletes, deleted) >= 0) {
            return;
        }
    }
    if (w->spoilt >> key & 1 || is_in_doubt(w, key, offered, life)) {
        MET(w, SPOIL);
        w->spoilt |= 1U << key;
    } else {
        keep_fail(w, "a verdict on what nobody deleted: %zu", key);
    }
}

static void bury(struct keep_world *w,
                 struct keep_store *s,
                 size_t key,
                 struct lia_stamp deleted)
{
    size_t made = keep_commit(w, s, key, KEEP_VERDICT);

    MET(w, VERDICT);
    if (keep_mode(key) == LIA_UPDATE_WINS) {
        MET(w, VERDICT_SOFT);
    }
    w->commits[made].deletes = deleted;
    if (lia_stamp_cmp(deleted, s->rows[key].deleted) > 0) {
        s->rows[key].deleted = deleted;
    }
    TELL(w, "    store %zu: %zu was deleted\n", keep_index(w, s), key);
}

/* Of lives before its own, where a delete was forgotten and the document begun anew. */
static void bury_remains(struct keep_world *w,
                         struct keep_store *s,
                         size_t key,
                         const struct keep_row *offered,
                         const struct lia_keep *before,
                         struct lia_vector held)
{
    static struct lia_life lives[KEEP_COMMITS];
    size_t count = keep_lives(w, &s->rows[key], key, lives);
    struct lia_stamp deleted = lia_keep_remains(before, held, lives, count);

    if (keep_mode(key) == LIA_DELETE_WINS && !lia_stamp_is_none(deleted) &&
        keep_is_alive(&s->rows[key], key)) {
        MET(w, REMAINS);
        check_verdict(w, key, offered, deleted, deleted);
        bury(w, s, key, deleted);
    }
}

static void note_taken(struct keep_world *w,
                       const struct keep_store *s,
                       size_t key,
                       const struct keep_row *offered)
{
    bool is_renewed = lia_stamp_cmp(offered->created, offered->created_tag);

    if (s->role == KEEP_FILTERED) {
        MET(w, PREDICATE);
        if (keep_matches(&s->rows[key], key) && !keep_matches(offered, key)) {
            MET(w, LEAVE);
        }
    } else if (is_renewed && keep_is_alive(offered, key) && !s->rows[key].is_held &&
               keep_get(&s->marks, offered->created) >= offered->created.hlc) {
        MET(w, JUDGE_TAG);
    }
}

static void receive(struct keep_world *w,
                    struct keep_store *s,
                    size_t key,
                    struct keep_row offered)
{
    struct lia_keep keep = keep_of(w, s);
    struct keep_row *row = &s->rows[key];
    struct lia_copy held = keep_copy(w, row, key);
    struct lia_copy copy = keep_copy(w, &offered, key);
    bool matched = keep_matches(row, key);
    struct lia_stamp deleted;
    enum lia_offer answer;

    if (keep_disowns(w, s, &offered.vector) ||
        (keep_covers(&row->vector, &offered.vector) &&
         !keep_is_in_doubt(s, &offered.vector)) ||
        (s->role == KEEP_FILTERED && !row->is_held && !keep_matches(&offered, key))) {
        return;
    }
    answer = lia_keep_judge(&keep, &held, &copy, keep_mode(key), &deleted);
    if (answer == LIA_OFFER_REFUSE) {
        MET(w, REFUSE);
        TELL(w, "    store %zu refuses %zu\n", keep_index(w, s), key);
        return;
    }
    if (s->role != KEEP_FILTERED && !row->is_held &&
        keep_covers(&s->marks, &offered.vector) && answer == LIA_OFFER_TAKE) {
        keep_fail(w, "%zu returns to store %zu without news", key, keep_index(w, s));
    }
    TELL(w, "    store %zu takes %zu\n", keep_index(w, s), key);
    note_taken(w, s, key, &offered);
    merge(w, s, key, &offered);
    LIA_IGNORE(keep_retag(w, s, key)); /* there may be nothing in doubt */
    if (answer == LIA_OFFER_BURY) {
        check_verdict(w, key, &offered, offered.created_tag, deleted);
        bury(w, s, key, deleted);
    } else {
        bury_remains(w, s, key, &offered, &keep, held.info.vector);
    }
    /* Whoever holds what was offered must hear that it left. */
    keep_changed(s, key, matched || keep_matches(&offered, key));
}

/* ---- a pull ---- */

struct pull {
    struct keep_world *w;
    struct keep_store *from;
    struct keep_store *to;
    size_t from_index;
    size_t to_index;
    uint64_t epochs; /* of both: one that finds out ends the session */
    uint64_t after;
    bool has_token;
};

static bool is_over(const struct pull *p)
{
    return p->from->epoch + p->to->epoch != p->epochs;
}

static void show(struct pull *p, size_t key)
{
    struct keep_row *mine = &p->to->rows[key];
    struct keep_row *theirs = &p->from->rows[key];
    unsigned bit = 1U << p->from_index;

    if (!keep_is_alive(mine, key) || mine->shown_to & bit) {
        return;
    }
    if (theirs->is_held) {
        receive(p->w, p->to, key, *theirs);
        mine->shown_to |= bit;
    } else if (p->from->role != KEEP_FILTERED) {
        receive(p->w, p->from, key, *mine);
        if (theirs->is_held) {
            receive(p->w, p->to, key, *theirs);
        }
    }
}

static void offer(struct pull *p, size_t key)
{
    const struct keep_row *row = &p->from->rows[key];
    struct lia_keep receiver = keep_of(p->w, p->to);
    struct lia_copy copy = keep_copy(p->w, row, key);

    if (p->to->role == KEEP_FILTERED && !keep_matches(row, key) &&
        row->left_seq <= p->after && (p->has_token || !p->to->rows[key].is_held)) {
        return;
    }
    if (lia_keep_may_skip(&receiver, &copy.info)) {
        MET(p->w, SKIP);
        return;
    }
    receive(p->w, p->to, key, *row);
}

/* The next row by seq, or NULL. */
static const struct keep_row *next_row(const struct pull *p, uint64_t after)
{
    const struct keep_row *next = NULL;

    for (size_t key = 0; key < KEEP_KEYS; key++) {
        const struct keep_row *row = &p->from->rows[key];

        if (row->is_held && row->seq > after && (!next || row->seq < next->seq)) {
            next = row;
        }
    }
    return next;
}

static void take_marks(struct pull *p)
{
    struct lia_keep sender = keep_of(p->w, p->from);
    struct lia_keep receiver = keep_of(p->w, p->to);
    struct lia_vector claim;
    struct lia_keep after;

    if (keep_disowns(p->w, p->to, &p->from->marks)) {
        return;
    }
    LIA_ASSERT(lia_keep_claim(&p->w->arena, &sender, receiver.marks, &claim) ==
               LIANA_OK);
    LIA_ASSERT(lia_keep_take(&p->w->arena, &receiver, claim, sender.forgotten,
                             &after) == LIANA_OK);
    keep_put(p->to, &after);
}

/* Where a feed begins. A token from before something was forgotten, or none, says that
 * the receiver may hold what is deleted here: it is walked again, too. */
static void begin(struct pull *p)
{
    struct keep_token *token = &p->to->tokens[p->from_index];

    p->has_token = token->epoch == p->from->epoch;
    p->after = p->has_token ? token->seq : 0;
    if (!p->has_token || !lia_keep_may_resume(token->seq, p->from->forgotten_seq)) {
        p->from->tokens[p->to_index].epoch = 0;
        for (size_t key = 0; key < KEEP_KEYS; key++) {
            p->to->rows[key].shown_to &= ~(1U << p->from_index);
        }
    }
}

static void tell_kept(struct pull *p)
{
    keep_publish(p->w, p->from);
    keep_publish(p->w, p->to);
    keep_join(&p->to->kept, &p->from->kept);
    keep_join(&p->from->kept, &p->to->kept);
}

void keep_meet(struct keep_world *w, size_t from, size_t to, size_t rows_max)
{
    struct pull p = {.w = w,
                     .from = &w->stores[from],
                     .to = &w->stores[to],
                     .from_index = from,
                     .to_index = to};
    uint64_t head = p.from->seq;
    const struct keep_row *row;
    uint64_t at;

    w->touched |= 1U << from | 1U << to;
    p.epochs = p.from->epoch + p.to->epoch;
    begin(&p);
    at = p.after;
    for (size_t key = 0; key < KEEP_KEYS && p.to->role == KEEP_FILTERED && !is_over(&p);
         key++) {
        show(&p, key);
    }
    for (size_t i = 0; (row = next_row(&p, at)) && i < rows_max && !is_over(&p); i++) {
        at = row->seq;
        offer(&p, (size_t)(row - p.from->rows));
    }
    if (!row && !is_over(&p)) {
        take_marks(&p);
    }
    if (is_over(&p)) {
        return;
    }
    p.to->tokens[from] = (struct keep_token){p.from->epoch, row ? at : head};
    tell_kept(&p);
}
