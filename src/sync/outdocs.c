/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/internal.h"

/* Bytes of a frame beside key and data, at most. */
#define FRAME_OVERHEAD ((size_t)48)
/* No piece is smaller than this, but the last. */
#define PIECE_MIN ((size_t)1024)

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Sends a document from `*offset` on, as far as credit goes. True when it is all sent. */
static bool send_document(struct lia_session *s,
                          struct lia_wire_segment *m,
                          size_t *offset)
{
    const struct liana_slice whole = m->data;
    size_t overhead = m->key.len + FRAME_OVERHEAD;

    while (*offset < whole.len && !s->failure) {
        size_t left = whole.len - *offset;
        struct lia_msg msg = {.type = LIA_MSG_SEGMENT, .segment = *m};

        if (s->credit < overhead + least(left, PIECE_MIN)) {
            return false;
        }
        left = least(left, least(LIA_WIRE_CHUNK_MAX, s->credit - overhead));
        msg.segment.data = lia_slice(whole.ptr + *offset, left);
        *offset += left;
        msg.segment.more = *offset < whole.len;
        lia_session_send(s, &msg);
    }
    *offset = 0;
    s->stats.docs_out++;
    s->stats.payload_out += whole.len;
    return !s->failure;
}

static bool send_absent(struct lia_session *s,
                        uint64_t sub,
                        uint64_t ask,
                        struct liana_slice key)
{
    struct lia_msg msg = {.type = LIA_MSG_ABSENT};

    if (s->credit < key.len + FRAME_OVERHEAD) {
        return false;
    }
    msg.absent.sub = sub;
    msg.absent.ask = ask;
    msg.absent.key = key;
    lia_session_send(s, &msg);
    return true;
}

/* ---- answers ---- */

/* What the page told of the document; NULL: nothing. They are wanted in the order in which
 * they were told, more or less. */
static const struct lia_found *find_told(struct lia_outfeed *feed,
                                         uint64_t sub,
                                         struct liana_slice key)
{
    const struct lia_feed_request *f = feed->page ? &feed->page->feed : NULL;

    for (size_t i = 0; f && i < f->found_count; i++) {
        size_t at = (feed->told_at + i) % f->found_count;
        const struct lia_found *found = &f->found[at];

        if (found->kind == LIA_FOUND_HAVE &&
            f->interests[found->interest].number == sub &&
            lia_slice_cmp(found->key, key) == 0) {
            feed->told_at = at;
            return found;
        }
    }
    return NULL;
}

/* It was dropped since it was told. If it is there all the same it began anew, and shows
 * less. */
static bool is_lost(struct lia_outfeed *feed,
                    uint64_t sub,
                    const struct lia_doc_wanted *item)
{
    const struct lia_found *told = find_told(feed, sub, item->key);

    return !item->is_held ||
           (told && !lia_vector_geq(item->held, told->vector) && !LIA_MUTANT(11));
}

/* Its document as it was when it was read: the batch has to reach so far. */
static bool send_answer(struct lia_session *s,
                        struct lia_outfeed *feed,
                        struct lia_answers *answers)
{
    const struct lia_docs_request *docs = &answers->first->docs;
    const struct lia_doc_wanted *item = &docs->items[answers->at];
    struct lia_wire_segment segment = {docs->number, docs->ask, item->key, 0,
                                       item->data};

    if (item->seq > feed->must_reach && !(docs->ask && LIA_MUTANT(6))) {
        feed->must_reach = item->seq;
    }
    if (docs->ask == 0 && is_lost(feed, docs->number, item)) {
        lia_outfeed_lost(s, docs->priority);
    }
    if (!item->is_held) {
        if (!send_absent(s, docs->number, docs->ask, item->key)) {
            return false;
        }
    } else if (!send_document(s, &segment, &answers->offset)) {
        return false;
    }
    feed->docs += item->is_held || docs->ask;
    feed->bytes += item->data.len;
    return true;
}

static void drop_first(struct lia_answers *answers)
{
    struct lia_request *next = answers->first->next;

    lia_request_free(answers->first);
    answers->first = next;
    answers->at = 0;
    answers->offset = 0;
}

static bool send_first(struct lia_session *s,
                       struct lia_outfeed *feed,
                       struct lia_answers *answers)
{
    while (answers->at < answers->first->docs.count) {
        if (!send_answer(s, feed, answers)) {
            return false;
        }
        answers->at++;
    }
    return true;
}

static bool send_wants(struct lia_session *s, struct lia_outfeed *feed)
{
    while (feed->wants.first) {
        if (!send_first(s, feed, &feed->wants)) {
            return false;
        }
        drop_first(&feed->wants);
        feed->haves_open--;
    }
    return true;
}

/* In a batch of their subscription. */
static bool send_asked(struct lia_session *s, struct lia_outfeed *feed)
{
    while (feed->asks.first) {
        const struct lia_outsub *sub =
            lia_outsub_find(s, feed->asks.first->docs.number);
        bool is_ended = !sub || sub->state == LIA_OUTSUB_ENDED;

        if (!is_ended && !(feed->is_open && sub->is_member)) {
            return true;
        }
        if (!is_ended && !send_first(s, feed, &feed->asks)) {
            return false;
        }
        drop_first(&feed->asks);
        s->answering--;
    }
    return true;
}

bool lia_outsub_is_asked(const struct lia_session *s, const struct lia_outsub *sub)
{
    const struct lia_request *first = s->feeds[sub->priority].asks.first;

    return first && first->docs.number == sub->number;
}

/* ---- pages ---- */

/* The HAVEs that stand next in the page and belong to one subscription, in one frame. */
static bool send_haves(struct lia_session *s, struct lia_outfeed *feed)
{
    const struct lia_feed_request *f = &feed->page->feed;
    const uint32_t interest = f->found[feed->page_at].interest;
    struct lia_wire_have_item items[LIA_HAVE_ITEMS];
    struct lia_msg msg = {.type = LIA_MSG_HAVE};
    size_t room = least(s->credit, LIA_HAVE_BYTES);
    size_t bytes = FRAME_OVERHEAD;
    size_t count = 0;

    if (feed->haves_open == LIA_HAVES_FEED_MAX) {
        return false;
    }
    while (count < LIA_HAVE_ITEMS && feed->page_at + count < f->found_count) {
        const struct lia_found *found = &f->found[feed->page_at + count];

        bytes += found->key.len + LIA_WIRE_ID_BYTES + 2;
        if (found->kind != LIA_FOUND_HAVE || found->interest != interest ||
            bytes > room) {
            break;
        }
        items[count].key = found->key;
        memcpy(items[count].digest, found->digest, sizeof(items[count].digest));
        count++;
    }
    if (count == 0) {
        return false;
    }
    msg.have.sub = f->interests[interest].number;
    msg.have.number = ++s->have_number;
    msg.have.items = items;
    msg.have.items_count = count;
    lia_session_send(s, &msg);
    feed->page_at += count;
    feed->haves_open++;
    feed->docs += count;
    return true;
}

static bool send_found(struct lia_session *s, struct lia_outfeed *feed)
{
    const struct lia_feed_request *f = &feed->page->feed;
    const struct lia_found *found = &f->found[feed->page_at];
    const uint64_t number = f->interests[found->interest].number;
    const struct lia_outsub *sub = lia_outsub_find(s, number);
    struct lia_wire_segment segment = {number, 0, found->key, 0, found->data};

    if (feed->page_offset == 0 && (!sub || sub->state != LIA_OUTSUB_ACTIVE)) {
        feed->page_at++; /* it was taken back meanwhile */
        return true;
    }
    if (found->kind == LIA_FOUND_HAVE) {
        return send_haves(s, feed);
    }
    if (!send_document(s, &segment, &feed->page_offset)) {
        return false;
    }
    feed->page_at++;
    feed->docs++;
    feed->bytes += found->data.len;
    return true;
}

bool lia_outdocs_send(struct lia_session *s, struct lia_outfeed *feed)
{
    /* The pieces of a document are not parted. */
    if (feed->page && feed->page_offset && !send_found(s, feed)) {
        return false;
    }
    if (feed->asks.offset && !send_asked(s, feed)) {
        return false;
    }
    if (!send_wants(s, feed)) {
        return false;
    }
    while (feed->page && feed->page_at < feed->page->feed.found_count) {
        if (!send_found(s, feed)) {
            return false;
        }
    }
    return send_asked(s, feed);
}

/* ---- WANT and ASK ---- */

static liana_status request_docs(struct lia_session *s,
                                 const struct lia_outsub *sub,
                                 uint64_t ask,
                                 const struct lia_wire_want_item *items,
                                 size_t count)
{
    struct lia_request *request = lia_session_new_request(s, LIA_REQUEST_DOCS);
    liana_status status;

    if (!request) {
        return LIANA_ENOMEM;
    }
    request->docs.number = sub->number;
    request->docs.ask = ask;
    request->docs.priority = sub->priority;
    request->docs.count = count;
    request->docs.items =
        lia_arena_array(&request->arena, count, sizeof(*request->docs.items));
    status = request->docs.items
                 ? lia_topic_copy(&request->arena, sub->topic, &request->docs.topic)
                 : LIANA_ENOMEM;
    for (size_t i = 0; i < count && !status; i++) {
        struct lia_doc_wanted *item = &request->docs.items[i];

        status = lia_vector_copy(&request->arena, items[i].vector, &item->vector);
        if (!status && !lia_arena_copy(&request->arena, items[i].key, &item->key)) {
            status = LIANA_ENOMEM;
        }
    }
    if (status) {
        lia_request_free(request);
        return status;
    }
    lia_session_request(s, request);
    return LIANA_OK;
}

liana_status lia_on_want(struct lia_session *s, const struct lia_msg *m)
{
    struct lia_outsub *sub = lia_outsub_find(s, m->want.sub);
    struct lia_outfeed *feed = sub ? &s->feeds[sub->priority] : NULL;

    if (!feed || feed->haves_open == feed->wants_open) {
        return lia_err(&s->error, LIANA_EPROTOCOL, "WANT that answers no HAVE");
    }
    if (m->want.items_count == 0 || sub->state != LIA_OUTSUB_ACTIVE) {
        feed->haves_open--;
        return LIANA_OK;
    }
    feed->wants_open++;
    return request_docs(s, sub, 0, m->want.items, m->want.items_count);
}

liana_status lia_on_ask(struct lia_session *s, const struct lia_msg *m)
{
    struct lia_outsub *sub = lia_outsub_find(s, m->ask.sub);

    if (!sub || m->ask.number == 0 || m->ask.items_count == 0) {
        return lia_err(&s->error, LIANA_EPROTOCOL, "ASK for no subscription");
    }
    if (s->answering == LIA_ASKS_MAX) {
        return lia_err(&s->error, LIANA_EPROTOCOL, "more than %u ASKs open",
                       LIA_ASKS_MAX);
    }
    s->answering++;
    return request_docs(s, sub, m->ask.number, m->ask.items, m->ask.items_count);
}

liana_status lia_outdocs_result(struct lia_session *s, struct lia_request *request)
{
    const struct lia_docs_request *docs = &request->docs;
    struct lia_outfeed *feed = &s->feeds[docs->priority];
    struct lia_request **last = docs->ask ? &feed->asks.first : &feed->wants.first;

    if (request->status) {
        s->error = request->error;
        return request->status;
    }
    if (docs->ask == 0) {
        feed->wants_open--;
    }
    while (*last) {
        last = &(*last)->next;
    }
    request->next = NULL;
    *last = request;
    s->result = NULL; /* kept */
    return LIANA_OK;
}

void lia_outdocs_deinit(struct lia_outfeed *feed)
{
    while (feed->wants.first) {
        drop_first(&feed->wants);
    }
    while (feed->asks.first) {
        drop_first(&feed->asks);
    }
}
