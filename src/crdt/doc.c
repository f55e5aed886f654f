/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/doc.h"

#include "base/hash.h"
#include "crdt/clock.h"
#include "crdt/op.h"

/* ---- reading ---- */

static uint64_t older(uint64_t least, struct lia_stamp s)
{
    return !lia_stamp_is_none(s) && s.hlc < least ? s.hlc : least;
}

/* Behind the head there are the stamps that entries name. */
static liana_status read_oldest(struct lia_reader *r,
                                const struct lia_state *state,
                                uint64_t *out)
{
    uint64_t stamps = lia_stamps_oldest(r, state);
    uint64_t least = older(older(state->created.hlc, state->deleted), state->withdrawn);

    *out = stamps && stamps < least ? stamps : least;
    return r->failed ? LIANA_ECORRUPT : LIANA_OK;
}

liana_status lia_doc_info(struct lia_arena *arena,
                          struct liana_slice clock,
                          struct lia_doc_info *out)
{
    struct lia_reader r = lia_reader(clock);
    struct lia_state state = {0};
    liana_status status = LIANA_OK;
    unsigned flags = 0;
    bool exists;

    if (clock.len) {
        status = lia_clock_head_decode(arena, &r, &state, &flags);
    }
    if (!status && (flags & (LIA_CLOCK_FROM | LIA_CLOCK_LIFELESS))) {
        status = LIANA_ECORRUPT;
    }
    if (status) {
        return status;
    }
    exists = !lia_stamp_is_none(state.created) && !state.is_hidden;
    *out = (struct lia_doc_info){.created = state.created,
                                 .created_tag = state.created_tag,
                                 .deleted = state.deleted,
                                 .withdrawn = state.withdrawn,
                                 .vector = state.vector,
                                 .exists = exists,
                                 .is_clamped = state.is_clamped,
                                 .is_cut = state.is_cut};
    return exists ? read_oldest(&r, &state, &out->oldest) : LIANA_OK;
}

/* A stored document is whole: a segment's marks do not belong into it; and somebody has
 * written it. */
static liana_status check_whole(struct lia_work *work,
                                struct lia_doc doc,
                                const struct lia_state *state)
{
    if (doc.clock.len && state->vector.count == 0) {
        return lia_err(work->err, LIANA_ECORRUPT, "clock is nobody's");
    }
    if (state->from.count ||
        (!lia_stamp_is_none(state->created) && state->id.len == 0)) {
        return lia_err(work->err, LIANA_ECORRUPT, "clock is that of a segment");
    }
    return LIANA_OK;
}

liana_status lia_doc_read(struct lia_work *work,
                          struct lia_doc doc,
                          struct lia_state *out)
{
    liana_status status = lia_clock_read(work, doc, false, out);

    return status ? lia_err_plain(work->err, status) : check_whole(work, doc, out);
}

liana_status lia_doc_check(struct lia_arena *arena,
                           struct lia_doc doc,
                           struct liana_error *err)
{
    struct lia_work work = {.arena = arena, .err = err};
    struct lia_state state;
    liana_status status;

    if (doc.clock.len == 0) {
        return doc.body.len == 0 ? LIANA_OK
                                 : lia_err(err, LIANA_ECORRUPT, "body without a clock");
    }
    status = lia_clock_check(&work, doc, &state);
    return status ? status : check_whole(&work, doc, &state);
}

liana_status lia_doc_digest(struct liana_slice key,
                            struct liana_slice clock,
                            uint8_t out[static LIA_DIGEST_BYTES])
{
    uint8_t len[10];
    size_t len_bytes = 0;
    size_t left = key.len;
    struct lia_hash hash;
    struct liana_slice head;

    if (!lia_clock_head_span(clock, &head)) {
        return LIANA_ECORRUPT;
    }
    for (; left >= 0x80; left >>= 7) {
        len[len_bytes++] = (uint8_t)(left | 0x80);
    }
    len[len_bytes++] = (uint8_t)left;
    lia_hash_start(&hash, lia_slice(NULL, 0), LIA_DIGEST_BYTES);
    lia_hash_add(&hash, lia_slice(len, len_bytes));
    lia_hash_add(&hash, key);
    lia_hash_add(&hash, head);
    lia_hash_end(&hash, out, LIA_DIGEST_BYTES);
    return LIANA_OK;
}

liana_status lia_doc_newest(struct lia_arena *arena,
                            struct lia_doc doc,
                            struct lia_stamp *out,
                            struct liana_error *err)
{
    struct lia_work work = {.arena = arena, .err = err};
    struct lia_state state;
    liana_status status = lia_doc_read(&work, doc, &state);

    if (!status) {
        *out = lia_state_newest(&state);
    }
    return status;
}

/* ---- what a delete takes ---- */

struct voids {
    const struct lia_watch *watch;
    struct lia_stamp by;
};

static void tell_void(void *ctx, const struct lia_loser *loser)
{
    const struct voids *v = ctx;
    struct lia_loser told = *loser;

    told.winner = v->by;
    v->watch->lost(v->watch->ctx, &told);
}

liana_status lia_doc_voids(struct lia_arena *arena,
                           struct lia_doc doc,
                           struct lia_stamp deleted,
                           struct lia_vector seen,
                           struct lia_stamp by,
                           const struct lia_watch *watch,
                           struct liana_error *err)
{
    struct lia_work work = {.arena = arena, .err = err};
    struct voids voids = {watch, by};
    const struct lia_watch each = {.lost = tell_void, .ctx = &voids};
    struct lia_join join = {.work = &work, .watch = &each, .b = seen};
    struct lia_state state;
    liana_status status = lia_doc_read(&work, doc, &state);

    if (status) {
        return status;
    }
    join.a = state.vector;
    lia_node_void(&join, &state.root, deleted);
    return lia_err_plain(err, work.status);
}

/* ---- older lives ---- */

struct found_life {
    struct lia_life life;
    struct lia_stamp renamed; /* the tag of something else of its author's */
    struct found_life *next;
};

struct find_lives {
    struct lia_work *work;
    struct lia_stamp created;
    struct found_life *first;
    size_t count;
};

static struct found_life *find_life(struct find_lives *f, struct lia_stamp stamp)
{
    struct found_life *at = f->first;

    while (at && lia_stamp_cmp(at->life.stamp, stamp)) {
        at = at->next;
    }
    if (!at) {
        at = LIA_ARENA_NEW(f->work->arena, struct found_life);
        if (!at) {
            f->work->status = LIANA_ENOMEM;
            return NULL;
        }
        *at = (struct found_life){{stamp, LIA_STAMP_NONE}, LIA_STAMP_NONE, f->first};
        f->first = at;
        f->count++;
    }
    return at;
}

/* What a removal counts for later is not the life's. */
static bool note_life(void *ctx, const struct lia_entry *entry)
{
    const struct lia_rank *rank = entry->rank;
    struct find_lives *f = ctx;
    struct found_life *at;

    if (lia_stamp_cmp(rank->life, f->created) == 0 || f->work->status) {
        return true;
    }
    at = find_life(f, rank->life);
    if (at && lia_stamp_cmp(rank->stamp, at->life.stamp) == 0 &&
        lia_stamp_cmp(at->life.tag, at->life.stamp)) {
        at->life.tag = rank->tag;
    }
    if (at && rank->stamp.actor == at->life.stamp.actor &&
        rank->tag.actor != rank->stamp.actor) {
        at->renamed = rank->tag;
    }
    return true;
}

static bool give_lives(const struct find_lives *f,
                       const struct lia_life **out,
                       size_t *out_count)
{
    struct lia_life *lives = lia_arena_array(f->work->arena, f->count, sizeof(*lives));
    size_t count = 0;

    for (const struct found_life *at = f->first; lives && at; at = at->next) {
        lives[count] = at->life;
        if (lia_stamp_is_none(lives[count].tag)) {
            lives[count].tag =
                lia_stamp_is_none(at->renamed) ? lives[count].stamp : at->renamed;
        }
        count++;
    }
    *out = lives;
    *out_count = count;
    return lives;
}

liana_status lia_doc_lives(struct lia_arena *arena,
                           struct lia_doc doc,
                           const struct lia_life **out,
                           size_t *out_count,
                           struct liana_error *err)
{
    struct lia_work work = {.arena = arena, .err = err};
    struct lia_state state;
    struct find_lives f = {.work = &work};
    liana_status status = lia_doc_read(&work, doc, &state);

    if (status) {
        return status;
    }
    f.created = state.created;
    LIA_IGNORE(lia_node_filter(&state.root, NULL, note_life, &f)); /* all stay */
    if (!work.status && !give_lives(&f, out, out_count)) {
        work.status = LIANA_ENOMEM;
    }
    return lia_err_plain(err, work.status);
}

liana_status lia_doc_written(struct lia_arena *arena,
                             struct lia_doc doc,
                             struct lia_path path,
                             struct lia_stamp *out,
                             struct liana_error *err)
{
    struct lia_work work = {.arena = arena, .err = err};
    struct lia_rank cover = LIA_RANK_NONE;
    struct lia_state state;
    struct lia_node *node = &state.root;
    liana_status status = lia_doc_read(&work, doc, &state);

    for (size_t i = 0; i < path.count && node && !status; i++) {
        cover = lia_cover_with(cover, node);
        node = lia_node_child(&work, node, path.names[i]);
        status = lia_err_plain(err, work.status);
    }
    if (status) {
        return status;
    }
    if (node) {
        *out = lia_node_newest(node, LIA_STAMP_NONE);
    } else {
        *out = lia_rank_cmp(cover, LIA_RANK_NONE) ? cover.stamp : state.created;
    }
    return LIANA_OK;
}

/* ---- local operations ---- */

static liana_status check_stamp(struct lia_work *work,
                                const struct lia_state *state,
                                struct lia_stamp stamp)
{
    return lia_vector_admits(state->vector, stamp)
               ? LIANA_OK
               : lia_err(work->err, LIANA_ECLOCK,
                         "the stamp of a write is not newer than the document");
}

/* The length of a body that leaves something out, with what it leaves out. */
static liana_status whole_bytes(struct lia_work *work, struct lia_doc doc, size_t *out)
{
    struct lia_state state;
    struct lia_doc again;
    liana_status status = lia_doc_read(work, doc, &state);

    if (!status) {
        status = lia_clock_write(work, &state, &again);
    }
    *out = state.whole_bytes;
    return status;
}

/* What is too large may become smaller. */
static liana_status check_size(struct lia_work *work,
                               struct lia_doc before,
                               bool was_cut,
                               const struct lia_state *after)
{
    size_t bytes = 0;
    liana_status status = LIANA_OK;

    if (!after->is_cut) {
        return LIANA_OK;
    }
    if (was_cut) {
        status = whole_bytes(work, before, &bytes);
    }
    if (!status && after->whole_bytes >= bytes) {
        status = lia_err(work->err, LIANA_ETOOLARGE,
                         "document of %zu bytes, %zu are allowed", after->whole_bytes,
                         LIA_DOC_BYTES_MAX);
    }
    return status;
}

liana_status lia_doc_apply(struct lia_arena *arena,
                           struct lia_doc before,
                           const struct lia_op *ops,
                           size_t count,
                           struct lia_stamp stamp,
                           struct lia_doc *out,
                           struct liana_error *err)
{
    struct lia_work work = {.arena = arena, .err = err};
    struct lia_state state;
    struct lia_writer writer;
    struct lia_doc after;
    bool was_cut;
    liana_status status = lia_doc_read(&work, before, &state);

    if (!status) {
        status = check_stamp(&work, &state, stamp);
    }
    if (status) {
        return status;
    }
    was_cut = state.is_cut;
    writer = lia_writer(&work, &state, stamp);
    for (size_t i = 0; i < count && !status; i++) {
        status = lia_op_apply(&writer, &ops[i]);
    }
    if (status) {
        return status;
    }
    if (!writer.is_changed) {
        *out = before;
        return LIANA_OK;
    }
    status = lia_vector_with(arena, state.vector, stamp, &state.vector);
    if (!status) {
        status = lia_clock_write(&work, &state, &after);
    }
    if (status) {
        return lia_err_plain(err, status);
    }
    status = check_size(&work, before, was_cut, &state);
    if (!status) {
        *out = after;
    }
    return status;
}
