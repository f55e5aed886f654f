/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/testing/toy.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"

void lia_toy_init(struct lia_toy *toy, uint64_t actor)
{
    memset(toy, 0, sizeof(*toy));
    toy->actor = actor;
    toy->epoch = actor * 1000;
    toy->recent = LIA_TOY_COMMITS;
}

void lia_toy_deinit(struct lia_toy *toy)
{
    for (size_t i = 0; i < LIA_TOY_STAGES; i++) {
        lia_incoming_free(toy->stages[i]);
    }
}

static struct lia_toy_commit *commit_of(struct lia_toy *toy, uint64_t seq)
{
    LIA_ASSERT(seq > 0 && seq < LIA_TOY_COMMITS);
    return &toy->commits[seq];
}

static void touch(struct lia_toy *toy,
                  struct lia_toy_commit *commit,
                  uint32_t doc,
                  const struct lia_toy_doc *after)
{
    size_t i = 0;

    while (i < commit->count && commit->docs[i] != doc) {
        i++;
    }
    LIA_ASSERT(i < LIA_TOY_TOUCHED);
    if (i == commit->count) {
        commit->docs[i] = doc;
        commit->before[i] = toy->docs[doc];
        commit->count++;
    }
    toy->docs[doc] = *after;
    toy->docs[doc].seq = toy->seq;
    commit->after[i] = toy->docs[doc];
}

void lia_toy_write(struct lia_toy *toy,
                   const uint32_t *docs,
                   size_t count,
                   uint64_t value)
{
    struct lia_toy_commit *commit = commit_of(toy, ++toy->seq);

    commit->own_hlc = ++toy->hlc;
    for (size_t i = 0; i < count; i++) {
        struct lia_toy_doc after = toy->docs[docs[i]];

        after.cells[toy->actor] = (struct lia_toy_cell){toy->hlc, value};
        touch(toy, commit, docs[i], &after);
    }
}

void lia_toy_drop(struct lia_toy *toy, uint32_t doc)
{
    struct lia_toy_doc *d = &toy->docs[doc];

    for (size_t a = 0; a < LIA_TOY_ACTORS; a++) {
        uint64_t *newest = &toy->dropped[doc / LIA_TOY_DOCS][a];

        *newest = d->cells[a].hlc > *newest ? d->cells[a].hlc : *newest;
    }
    *d = (struct lia_toy_doc){0};
}

void lia_toy_look_again(struct lia_toy *toy, uint64_t remote)
{
    memset(toy->tokens[remote], 0, sizeof(toy->tokens[remote]));
    toy->generation++;
}

/* ---- names and bytes ---- */

static uint32_t topic_index(struct lia_topic topic)
{
    return topic.collection.len == 1 && topic.collection.ptr[0] == 'b';
}

static struct liana_slice key_of(struct lia_arena *arena, uint32_t doc)
{
    char *text = lia_arena_alloc(arena, 8);

    LIA_ASSERT(text);
    return lia_slice(text, (size_t)snprintf(text, 8, "%03u", doc % LIA_TOY_DOCS));
}

static uint32_t doc_of(struct lia_topic topic, struct liana_slice key)
{
    char text[8] = {0};

    LIA_ASSERT(key.len == 3);
    memcpy(text, key.ptr, 3);
    return topic_index(topic) * LIA_TOY_DOCS +
           (uint32_t)strtoul(text, NULL, 10) % LIA_TOY_DOCS;
}

static struct lia_vector vector_of(struct lia_arena *arena,
                                   const struct lia_toy_doc *doc)
{
    struct lia_vector_entry *entries =
        lia_arena_array(arena, LIA_TOY_ACTORS, sizeof(*entries));
    size_t count = 0;

    for (uint64_t a = 1; a < LIA_TOY_ACTORS; a++) {
        if (doc->cells[a].hlc) {
            entries[count++] = (struct lia_vector_entry){a, doc->cells[a].hlc};
        }
    }
    return (struct lia_vector){entries, count};
}

static struct liana_slice segment_of(struct lia_arena *arena,
                                     const struct lia_toy_doc *doc,
                                     struct lia_vector from)
{
    struct lia_buf buf;
    struct liana_slice out;

    lia_buf_init(&buf, arena->alloc);
    for (uint64_t a = 1; a < LIA_TOY_ACTORS; a++) {
        uint64_t since = lia_vector_get(from, a);

        lia_buf_varint(&buf, since < doc->cells[a].hlc ? since : doc->cells[a].hlc);
        lia_buf_varint(&buf, doc->cells[a].hlc);
        lia_buf_varint(&buf, doc->cells[a].value);
    }
    LIA_ASSERT(lia_arena_copy(arena, lia_buf_slice(&buf), &out));
    lia_buf_deinit(&buf);
    return out;
}

enum merged { SAME, NEWER, GAP, MALFORMED };

/* Changes nothing where there is a gap. */
static enum merged merge(struct lia_toy_doc *into, struct liana_slice segment)
{
    struct lia_reader r = lia_reader(segment);
    struct lia_toy_doc copy = *into;
    struct lia_toy_doc *doc = &copy;
    enum merged outcome = SAME;

    for (uint64_t a = 1; a < LIA_TOY_ACTORS; a++) {
        uint64_t from = lia_reader_varint(&r);
        uint64_t hlc = lia_reader_varint(&r);
        uint64_t value = lia_reader_varint(&r);

        if (doc->cells[a].hlc < from) {
            return GAP;
        }
        if (doc->cells[a].hlc == hlc && hlc > from) {
            LIA_ASSERT(doc->cells[a].value == value || r.failed);
        }
        if (doc->cells[a].hlc < hlc) {
            doc->cells[a] = (struct lia_toy_cell){hlc, value};
            outcome = NEWER;
        }
    }
    if (!lia_reader_done(&r)) {
        return MALFORMED;
    }
    *into = copy;
    return outcome;
}

static void digest_of(const struct lia_toy_doc *doc, uint8_t out[LIA_WIRE_ID_BYTES])
{
    lia_hash(lia_slice(doc->cells, sizeof(doc->cells)), out, LIA_WIRE_ID_BYTES);
}

/* ---- the sender's side ---- */

static struct lia_vector marks_of(struct lia_arena *arena,
                                  const struct lia_toy *toy,
                                  uint32_t c)
{
    struct lia_toy_doc as_doc = {0};

    for (uint64_t a = 1; a < LIA_TOY_ACTORS; a++) {
        as_doc.cells[a].hlc = a == toy->actor ? toy->hlc : toy->marks[c][a];
    }
    return vector_of(arena, &as_doc);
}

/* What of a vector the marks reach: the rest cannot be there. */
static struct lia_vector within(struct lia_arena *arena,
                                struct lia_vector v,
                                struct lia_vector marks)
{
    struct lia_vector_entry *entries =
        lia_arena_array(arena, v.count, sizeof(*entries));
    size_t count = 0;

    for (size_t i = 0; i < v.count; i++) {
        if (v.entries[i].hlc <= lia_vector_get(marks, v.entries[i].actor)) {
            entries[count++] = v.entries[i];
        }
    }
    return (struct lia_vector){entries, count};
}

#define FOUND_MAX ((size_t)4 * LIA_TOY_TOUCHED)

static void find(struct lia_request *request,
                 uint32_t doc,
                 const struct lia_toy_doc *before,
                 const struct lia_toy_doc *now)
{
    struct lia_feed_request *f = &request->feed;
    struct lia_vector vector = vector_of(&request->arena, now);
    struct lia_vector all;

    for (uint32_t i = 0; i < f->interest_count; i++) {
        struct lia_found *found = &f->found[f->found_count];

        if (topic_index(f->interests[i].topic) != doc / LIA_TOY_DOCS ||
            lia_vector_geq(f->interests[i].marks, vector)) {
            continue;
        }
        all = before ? vector_of(&request->arena, before)
                     : within(&request->arena, vector, f->interests[i].marks);
        found->interest = i;
        found->key = key_of(&request->arena, doc);
        found->kind =
            !before && f->interests[i].is_unmarked ? LIA_FOUND_HAVE : LIA_FOUND_SEGMENT;
        found->data = segment_of(&request->arena, now, all);
        digest_of(now, found->digest);
        found->vector = vector;
        f->found_count++;
        return;
    }
}

/* Of whom something was dropped nothing is promised, unless the peer is beyond it. */
static struct lia_vector claimed(struct lia_arena *arena,
                                 const struct lia_toy *toy,
                                 uint32_t c,
                                 struct lia_vector there)
{
    struct lia_vector all = marks_of(arena, toy, c);
    struct lia_vector_entry *entries =
        lia_arena_array(arena, all.count, sizeof(*entries));
    size_t count = 0;

    for (size_t i = 0; i < all.count; i++) {
        uint64_t actor = all.entries[i].actor;

        if (toy->dropped[c][actor] <= lia_vector_get(there, actor)) {
            entries[count++] = all.entries[i];
        }
    }
    return (struct lia_vector){entries, count};
}

static void give_marks(struct lia_toy *toy, struct lia_request *request)
{
    struct lia_feed_request *f = &request->feed;
    struct lia_feed_marks_out *marks =
        lia_arena_array(&request->arena, f->interest_count, sizeof(*marks));

    for (uint32_t i = 0; i < f->interest_count; i++) {
        marks[i].interest = i;
        marks[i].marks =
            claimed(&request->arena, toy, topic_index(f->interests[i].topic),
                    f->interests[i].marks);
    }
    f->marks = marks;
    f->marks_count = f->interest_count;
}

static void feed_exact(struct lia_toy *toy,
                       uint64_t remote,
                       struct lia_request *request)
{
    struct lia_feed_request *f = &request->feed;
    uint64_t end = f->until < toy->seq ? f->until : toy->seq;

    f->upto = f->after;
    while (f->upto < end && f->found_count + LIA_TOY_TOUCHED <= FOUND_MAX) {
        struct lia_toy_commit *commit = commit_of(toy, ++f->upto);

        for (size_t i = 0; i < commit->count && commit->origin != remote; i++) {
            find(request, commit->docs[i], &commit->before[i], &commit->after[i]);
        }
    }
    f->is_exact = true;
    f->is_head = f->upto == toy->seq;
    if (f->is_head) {
        give_marks(toy, request);
    }
}

/* The documents in the order of their newest commit, from the cursor (seq, document). */
static void feed_walk(struct lia_toy *toy, struct lia_request *request)
{
    struct lia_feed_request *f = &request->feed;
    uint64_t seq = f->from.a ? f->from.a : f->after + 1;
    uint32_t doc = (uint32_t)f->from.b;

    f->upto = seq - 1;
    for (; seq <= toy->seq; seq++, doc = 0) {
        for (; doc < 2 * LIA_TOY_DOCS; doc++) {
            if (toy->docs[doc].seq != seq) {
                continue;
            }
            if (toy->page_docs && f->found_count == toy->page_docs) {
                f->next = (struct lia_cursor){seq, doc, 0};
                f->is_cut = doc > 0;
                return;
            }
            find(request, doc, NULL, &toy->docs[doc]);
        }
        f->upto = seq;
    }
    f->is_head = true;
    give_marks(toy, request);
}

static void run_feed(struct lia_toy *toy, uint64_t remote, struct lia_request *request)
{
    struct lia_feed_request *f = &request->feed;

    f->found = lia_arena_array(&request->arena, FOUND_MAX, sizeof(*f->found));
    if (f->may_be_exact && f->after + toy->recent >= toy->seq && f->after > 0) {
        feed_exact(toy, remote, request);
    } else {
        feed_walk(toy, request);
    }
}

static void run_docs(struct lia_toy *toy, struct lia_request *request)
{
    for (size_t i = 0; i < request->docs.count; i++) {
        struct lia_doc_wanted *item = &request->docs.items[i];
        const struct lia_toy_doc *doc =
            &toy->docs[doc_of(request->docs.topic, item->key)];

        item->is_held = doc->seq > 0;
        item->seq = doc->seq;
        item->held = vector_of(&request->arena, doc);
        item->data = segment_of(&request->arena, doc, item->vector);
    }
}

/* ---- the receiver's side ---- */

static bool awaits(const struct lia_toy *toy, uint32_t from, uint32_t to)
{
    bool answer = false;

    for (uint32_t d = from; d < to; d++) {
        answer = answer || toy->awaited[d];
    }
    return answer;
}

static void run_tokens(struct lia_toy *toy,
                       uint64_t remote,
                       struct lia_request *request)
{
    for (size_t i = 0; i < request->tokens.count; i++) {
        struct lia_token_item *item = &request->tokens.items[i];
        uint32_t c = topic_index(item->topic);

        item->epoch = toy->tokens[remote][c].epoch;
        item->seq = toy->tokens[remote][c].seq;
        item->generation = toy->generation;
        item->awaits = awaits(toy, c * LIA_TOY_DOCS, (c + 1) * LIA_TOY_DOCS);
        item->marks = marks_of(&request->arena, toy, c);
        for (uint32_t d = 0; d < LIA_TOY_DOCS; d++) {
            item->is_unmarked =
                item->is_unmarked ||
                !lia_vector_geq(
                    item->marks,
                    vector_of(&request->arena, &toy->docs[c * LIA_TOY_DOCS + d]));
        }
    }
}

static void run_compare(struct lia_toy *toy, struct lia_request *request)
{
    for (size_t i = 0; i < request->compare.count; i++) {
        struct lia_compare_item *item = &request->compare.items[i];
        const struct lia_toy_doc *doc =
            &toy->docs[doc_of(request->compare.topic, item->key)];
        uint8_t digest[LIA_WIRE_ID_BYTES];

        digest_of(doc, digest);
        item->differs = memcmp(digest, item->digest, sizeof(digest)) != 0;
        item->vector = vector_of(&request->arena, doc);
    }
}

static void run_stage(struct lia_toy *toy, struct lia_request *request)
{
    struct lia_incoming *batch = request->stage.batch;

    struct lia_incoming **slot;

    if (batch->stage == 0) {
        batch->stage = ++toy->stage_id;
        slot = &toy->stages[batch->stage % LIA_TOY_STAGES];
        lia_incoming_free(*slot);
        *slot = lia_incoming_new(&lia_mem_libc);
    }
    slot = &toy->stages[batch->stage % LIA_TOY_STAGES];
    for (struct lia_incoming_item *i = batch->items; i; i = i->next) {
        LIA_ASSERT(!lia_incoming_add(
            *slot, lia_incoming_topic(*slot, i->topic->number, i->topic->topic), i->key,
            i->data, i->is_answer));
    }
}

struct applying {
    struct lia_toy *toy;
    struct lia_request *request;
    struct lia_toy_doc docs[2 * LIA_TOY_DOCS];
    bool is_changed[2 * LIA_TOY_DOCS];
    bool has_gap[2 * LIA_TOY_DOCS];
    const struct lia_topic_number *topics[2 * LIA_TOY_DOCS];
};

static void apply_items(struct applying *a, const struct lia_incoming_item *item)
{
    struct lia_apply_request *apply = &a->request->apply;

    for (; item; item = item->next) {
        uint32_t doc = doc_of(item->topic->topic, item->key);
        enum merged outcome;

        if (item->is_void) {
            continue;
        }
        if (a->toy->refuses[doc]) {
            a->toy->owed[doc] = true;
            a->toy->awaited[doc] = true;
            apply->refusal_count++;
            continue;
        }
        outcome = merge(&a->docs[doc], item->data);
        a->topics[doc] = item->topic;
        if (outcome == MALFORMED) {
            a->request->status = LIANA_EPROTOCOL;
        }
        /* In order: what comes behind may fill the gap. */
        a->has_gap[doc] = outcome == GAP;
        a->is_changed[doc] = a->is_changed[doc] || outcome == NEWER;
    }
}

static void report_gaps(struct applying *a)
{
    struct lia_apply_request *apply = &a->request->apply;
    struct lia_gap *gaps =
        lia_arena_array(&a->request->arena, 2 * LIA_TOY_DOCS, sizeof(*gaps));

    for (uint32_t d = 0; d < 2 * LIA_TOY_DOCS; d++) {
        if (a->has_gap[d]) {
            gaps[apply->gap_count++] =
                (struct lia_gap){a->topics[d], key_of(&a->request->arena, d),
                                 vector_of(&a->request->arena, &a->toy->docs[d])};
        }
    }
    apply->gaps = gaps;
    a->toy->gaps += apply->gap_count;
}

static void keep_books(struct lia_toy *toy,
                       uint64_t remote,
                       const struct lia_apply_request *f)
{
    for (const struct lia_incoming *b = f->batches; b; b = b->next) {
        for (const struct lia_incoming_token *t = b->tokens;
             t && t->generation == toy->generation; t = t->next) {
            toy->tokens[remote][topic_index(t->topic->topic)] =
                (struct lia_toy_token){f->peer.epoch, b->seq};
        }
        for (const struct lia_incoming_marks *m = b->marks; m; m = m->next) {
            uint32_t c = topic_index(m->topic->topic);
            bool is_owing = false;

            for (uint32_t d = 0; d < LIA_TOY_DOCS; d++) {
                is_owing = is_owing || toy->owed[c * LIA_TOY_DOCS + d];
            }
            for (size_t i = 0; i < m->marks.count && !is_owing; i++) {
                uint64_t *mark = &toy->marks[c][m->marks.entries[i].actor];

                *mark =
                    m->marks.entries[i].hlc > *mark ? m->marks.entries[i].hlc : *mark;
            }
        }
    }
}

static void run_apply(struct lia_toy *toy, uint64_t remote, struct lia_request *request)
{
    struct applying a = {.toy = toy, .request = request};
    struct lia_apply_request *f = &request->apply;
    struct lia_toy_commit *commit = NULL;
    bool has_gap = false;

    memcpy(a.docs, toy->docs, sizeof(a.docs));
    f->is_committed = false;
    f->refusal_count = 0;
    toy->applies++;
    for (struct lia_incoming *b = f->batches; b; b = b->next) {
        if (b->stage) {
            struct lia_incoming *stage = toy->stages[b->stage % LIA_TOY_STAGES];

            for (const struct lia_incoming_void *v = b->voids; v; v = v->next) {
                LIA_ASSERT(!lia_incoming_cancel(stage, v->topic->number, v->key));
            }
            apply_items(&a, stage->items);
        }
        apply_items(&a, b->items);
    }
    for (uint32_t d = 0; d < 2 * LIA_TOY_DOCS; d++) {
        has_gap = has_gap || a.has_gap[d];
    }
    if (request->status) {
        return;
    }
    if (has_gap) {
        report_gaps(&a);
        return;
    }
    for (uint32_t d = 0; d < 2 * LIA_TOY_DOCS; d++) {
        if (a.is_changed[d]) {
            if (!commit || commit->count == LIA_TOY_TOUCHED) {
                commit = commit_of(toy, ++toy->seq);
                commit->origin = remote;
            }
            touch(toy, commit, d, &a.docs[d]);
            toy->awaited[d] = false;
            toy->merged++;
            f->applied++;
        }
    }
    f->refusals =
        lia_arena_array(&request->arena, f->refusal_count, sizeof(*f->refusals));
    keep_books(toy, remote, f);
    f->is_committed = true;
    f->awaits = awaits(toy, 0, 2 * LIA_TOY_DOCS);
}

static void run_owed(struct lia_toy *toy, struct lia_request *request)
{
    struct lia_owed_item *items =
        lia_arena_array(&request->arena, 2 * LIA_TOY_DOCS, sizeof(*items));

    for (const struct lia_topic_number *t = request->owed.topics; t; t = t->next) {
        uint32_t c = topic_index(t->topic);

        for (uint32_t d = c * LIA_TOY_DOCS; d < (c + 1) * LIA_TOY_DOCS; d++) {
            if (toy->owed[d] && !toy->refuses[d]) {
                toy->owed[d] = false;
                items[request->owed.count++] =
                    (struct lia_owed_item){t->number, key_of(&request->arena, d),
                                           vector_of(&request->arena, &toy->docs[d])};
            }
        }
    }
    request->owed.items = items;
    request->owed.awaits = awaits(toy, 0, 2 * LIA_TOY_DOCS);
    request->owed.has_more = request->owed.awaits;
}

void lia_toy_run(struct lia_toy *toy, uint64_t remote, struct lia_request *request)
{
    request->status = LIANA_OK;
    switch (request->kind) {
    case LIA_REQUEST_GREET:
        request->greet = (struct lia_greet_request){.own = {.actor = toy->actor,
                                                            .epoch = toy->epoch,
                                                            .seq = toy->seq,
                                                            .hlc = toy->hlc},
                                                    .clock_ms = toy->clock_ms,
                                                    .held_ms = UINT64_MAX,
                                                    .seen = toy->seen};
        break;
    case LIA_REQUEST_MEET:
        request->meet.is_renewed =
            request->meet.seen.epoch != 0 || request->meet.peer.epoch != 0;
        break;
    case LIA_REQUEST_TOKENS: run_tokens(toy, remote, request); break;
    case LIA_REQUEST_REGISTER:
        request->registering.registration = 1;
        toy->reader_awaits = request->registering.awaits;
        request->registering.is_resumed = request->registering.epoch == toy->epoch;
        request->registering.start =
            request->registering.is_resumed ? request->registering.seq : 0;
        if (request->registering.topic.query.len) {
            request->status =
                lia_err(&request->error, LIANA_ESYNTAX, "no queries here");
        }
        if (toy->breaks_in && --toy->breaks_in == 0) {
            request->status = lia_err(&request->error, LIANA_EIO, "the disk is broken");
        }
        break;
    case LIA_REQUEST_ACKED:
    case LIA_REQUEST_UNREGISTER: break;
    case LIA_REQUEST_FEED: run_feed(toy, remote, request); break;
    case LIA_REQUEST_DOCS: run_docs(toy, request); break;
    case LIA_REQUEST_COMPARE: run_compare(toy, request); break;
    case LIA_REQUEST_STAGE: run_stage(toy, request); break;
    case LIA_REQUEST_APPLY:
        toy->clock_max_ms = request->apply.clock_max_ms;
        run_apply(toy, remote, request);
        break;
    case LIA_REQUEST_OWED: run_owed(toy, request); break;
    case LIA_REQUEST_LOST: lia_toy_look_again(toy, remote); break;
    }
}

bool lia_toy_equal(const struct lia_toy *a, const struct lia_toy *b)
{
    for (size_t d = 0; d < 2 * LIA_TOY_DOCS; d++) {
        if (memcmp(a->docs[d].cells, b->docs[d].cells, sizeof(a->docs[d].cells)) != 0) {
            return false;
        }
    }
    return true;
}

bool lia_toy_marks_hold(const struct lia_toy *toy, const struct lia_toy *writer)
{
    for (uint64_t seq = 1; seq <= writer->seq; seq++) {
        const struct lia_toy_commit *commit = &writer->commits[seq];

        for (size_t i = 0; i < commit->count; i++) {
            uint32_t d = commit->docs[i];

            if (commit->own_hlc &&
                commit->own_hlc <= toy->marks[d / LIA_TOY_DOCS][writer->actor] &&
                toy->docs[d].cells[writer->actor].hlc < commit->own_hlc) {
                return false;
            }
        }
    }
    return true;
}
