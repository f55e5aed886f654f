/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/internal.h"

/* ---- who is served next ---- */

static bool is_served(const struct lia_outsub *sub, uint8_t priority)
{
    return sub->state == LIA_OUTSUB_ACTIVE && sub->priority == priority;
}

static bool is_behind(const struct lia_session *s, const struct lia_outsub *sub)
{
    return sub->is_new || sub->position < s->head || lia_outsub_is_asked(s, sub);
}

/* Subscriptions at one position are served together: what a transaction wrote under
 * several of them stays together. Of several positions the lowest and the highest take
 * turns, so that a long fill does not stop what is up to date; they meet where the lower
 * one is read exactly, up to the next higher. */
static bool choose_position(struct lia_session *s, uint8_t priority, uint64_t *out)
{
    struct lia_outfeed *feed = &s->feeds[priority];
    bool is_found = false;

    for (const struct lia_outsub *sub = s->outsubs; sub; sub = sub->next) {
        if (!is_served(sub, priority) || !is_behind(s, sub)) {
            continue;
        }
        if (!is_found ||
            (feed->highest_next ? sub->position > *out : sub->position < *out)) {
            *out = sub->position;
            is_found = true;
        }
    }
    feed->highest_next = !feed->highest_next;
    return is_found;
}

/* Of what the peer has been filled with, a transaction is seen whole under all of its
 * subscriptions: where they parted, since one began again, all go from the lowest. */
static bool have_parted(const struct lia_session *s,
                        uint8_t priority,
                        uint64_t *in_out_position)
{
    bool is_one = false;
    bool is_other = false;
    uint64_t lowest = UINT64_MAX;

    for (const struct lia_outsub *sub = s->outsubs; sub; sub = sub->next) {
        if (is_served(sub, priority) && !sub->is_filling) {
            is_one = is_one || sub->position == *in_out_position;
            is_other = is_other || sub->position != *in_out_position;
            lowest = sub->position < lowest ? sub->position : lowest;
        }
    }
    if (is_one && is_other) {
        *in_out_position = lowest;
    }
    return is_one && is_other;
}

static uint64_t next_position(struct lia_session *s, uint8_t priority, uint64_t after)
{
    uint64_t next = UINT64_MAX;

    for (const struct lia_outsub *sub = s->outsubs; sub; sub = sub->next) {
        if (is_served(sub, priority) && sub->position > after && sub->position < next) {
            next = sub->position;
        }
    }
    return next;
}

static bool open_batch(struct lia_session *s, uint8_t priority)
{
    struct lia_outfeed *feed = &s->feeds[priority];
    size_t unacked_max = LIA_UNACKED_MAX - (feed->asks.first ? 0 : LIA_UNACKED_SPARE);
    uint64_t position = 0;
    bool is_all;

    if (feed->unacked_count >= unacked_max ||
        !choose_position(s, priority, &position)) {
        return false;
    }
    is_all = have_parted(s, priority, &position);
    feed->is_exact = !is_all;
    for (struct lia_outsub *sub = s->outsubs; sub; sub = sub->next) {
        if (is_served(sub, priority) &&
            (sub->position == position || (is_all && !sub->is_filling))) {
            sub->is_member = true;
            feed->is_exact = feed->is_exact && sub->is_exact;
        }
    }
    feed->is_open = true;
    feed->is_whole = true;
    feed->is_head = false;
    feed->has_lost = false;
    feed->after = position;
    feed->upto = position;
    feed->must_reach = 0;
    feed->cursor = (struct lia_cursor){0, 0, 0};
    feed->docs = 0;
    feed->bytes = 0;
    feed->silent_since = LIA_NEVER;
    return true;
}

/* ---- reading ---- */

static size_t member_count(const struct lia_session *s, uint8_t priority)
{
    size_t count = 0;

    for (const struct lia_outsub *sub = s->outsubs; sub; sub = sub->next) {
        count += sub->is_member && is_served(sub, priority);
    }
    return count;
}

static liana_status fill_interest(struct lia_request *request,
                                  const struct lia_outsub *sub,
                                  struct lia_feed_interest *out)
{
    struct lia_arena *arena = &request->arena;

    out->number = sub->number;
    out->registration = sub->registration;
    /* Behind a query there are no marks to tell what the peer has. */
    out->is_unmarked = sub->is_unmarked || (sub->topic.query.len && !sub->is_filling);
    out->forgotten = sub->forgotten;
    out->forgotten_seq = sub->forgotten_seq;
    if (lia_topic_copy(arena, sub->topic, &out->topic) ||
        lia_vector_copy(arena, lia_kept(&sub->evicted), &out->evicted)) {
        return LIANA_ENOMEM;
    }
    return lia_vector_copy(arena, lia_kept(&sub->marks), &out->marks);
}

/* Whose copies are what was sent, but for what came from it. */
static bool have_all(const struct lia_session *s, uint8_t priority)
{
    for (const struct lia_outsub *sub = s->outsubs; sub; sub = sub->next) {
        if (sub->is_member && is_served(sub, priority) && sub->evicted.count) {
            return false;
        }
    }
    return true;
}

static void read_page(struct lia_session *s, uint8_t priority)
{
    struct lia_outfeed *feed = &s->feeds[priority];
    struct lia_request *request = lia_session_new_request(s, LIA_REQUEST_FEED);
    size_t count = member_count(s, priority);
    struct lia_feed_request *f = &request->feed;
    liana_status status = LIANA_OK;

    if (!request) {
        return;
    }
    f->interests = lia_arena_array(&request->arena, count, sizeof(*f->interests));
    status = f->interests ? LIANA_OK : LIANA_ENOMEM;
    for (struct lia_outsub *sub = s->outsubs; sub && !status; sub = sub->next) {
        if (sub->is_member && is_served(sub, priority)) {
            status = fill_interest(request, sub, &f->interests[f->interest_count++]);
        }
    }
    if (status) {
        lia_request_free(request);
        lia_session_fail(s, status);
        return;
    }
    f->priority = priority;
    f->after = feed->after;
    f->from = feed->cursor;
    f->until = next_position(s, priority, feed->upto);
    /* What is not fanned out yet is in the store: an answer may be as new. */
    f->may_be_exact = feed->is_whole && (feed->is_exact || LIA_MUTANT(2)) &&
                      feed->upto < s->head && have_all(s, priority);
    f->bytes_max = LIA_PAGE_BYTES;
    feed->is_reading = true;
    lia_session_request(s, request);
}

/* The registration was forgotten, or the token lies before it: from nothing. */
static void restart_members(struct lia_session *s, uint8_t priority)
{
    for (struct lia_outsub *sub = s->outsubs; sub; sub = sub->next) {
        if (sub->is_member && is_served(sub, priority)) {
            lia_outsub_restart(s, sub);
        }
    }
    s->feeds[priority].is_open = false;
}

/* The peer may lack what was forgotten here: it is registered again, which says so. */
static void renew_members(struct lia_session *s, uint8_t priority)
{
    for (struct lia_outsub *sub = s->outsubs; sub; sub = sub->next) {
        if (sub->is_member && is_served(sub, priority)) {
            lia_outsub_renew(s, sub);
        }
    }
    s->feeds[priority].is_open = false;
}

static void drop_marks(struct lia_session *s, uint8_t priority)
{
    for (struct lia_outsub *sub = s->outsubs; sub; sub = sub->next) {
        if (sub->is_member && sub->priority == priority) {
            lia_kept_deinit(s->options.alloc, &sub->new_marks);
            lia_kept_deinit(s->options.alloc, &sub->new_kept);
        }
    }
}

/* It was evicted, or a tombstone that was forgotten, after the page was read. What the page
 * says that the peer will hold does not hold then; and of a tombstone the peer has to be told
 * in another way. One more page, from where the batch began, says both. */
void lia_outfeed_lost(struct lia_session *s, uint8_t priority)
{
    s->feeds[priority].has_lost = !LIA_MUTANT(7);
}

static liana_status take_marks(struct lia_session *s, const struct lia_feed_request *f)
{
    liana_status status = LIANA_OK;

    for (size_t i = 0; i < f->marks_count && !status; i++) {
        struct lia_outsub *sub =
            lia_outsub_find(s, f->interests[f->marks[i].interest].number);

        if (!sub || !sub->is_member) {
            continue; /* it was asked for again meanwhile */
        }
        status = lia_kept_join(s->options.alloc, &sub->new_marks, f->marks[i].marks);
        if (!status) {
            status = lia_kept_join(s->options.alloc, &sub->new_kept, f->marks[i].kept);
        }
        if (f->marks[i].forgotten > sub->new_forgotten) {
            sub->new_forgotten = f->marks[i].forgotten;
        }
    }
    return status;
}

liana_status lia_outfeed_result(struct lia_session *s, struct lia_request *request)
{
    const struct lia_feed_request *f = &request->feed;
    struct lia_outfeed *feed = &s->feeds[f->priority];
    liana_status status;

    feed->is_reading = false;
    feed->has_lost = false;
    if (request->status == LIANA_ENOTFOUND) {
        restart_members(s, f->priority);
        return LIANA_OK;
    }
    if (request->status) {
        s->error = request->error;
        return request->status;
    }
    if (f->is_outdated) {
        renew_members(s, f->priority);
        return LIANA_OK;
    }
    status = take_marks(s, f);
    feed->page = request;
    feed->page_at = 0;
    feed->page_offset = 0;
    feed->told_at = 0;
    s->result = NULL; /* kept */
    return status;
}

/* ---- the end of a page, and of a batch ---- */

static bool all_filling(const struct lia_session *s, uint8_t priority)
{
    for (const struct lia_outsub *sub = s->outsubs; sub; sub = sub->next) {
        if (sub->is_member && is_served(sub, priority) && !sub->is_filling) {
            return false;
        }
    }
    return true;
}

static void finish_page(struct lia_session *s, uint8_t priority)
{
    struct lia_outfeed *feed = &s->feeds[priority];
    const struct lia_feed_request *f = &feed->page->feed;

    feed->upto = f->upto;
    feed->cursor = f->next;
    feed->is_head = f->is_head && !f->is_cut;
    feed->is_exact = f->is_exact || feed->is_head;
    feed->is_whole = feed->is_exact;
    if (!f->is_cut && !feed->is_whole) {
        feed->is_whole = all_filling(s, priority) || LIA_MUTANT(1) ||
                         feed->bytes >= s->hello.batch_max;
    }
    if (feed->has_lost) {
        feed->is_whole = false;
        drop_marks(s, priority);
    }
    if (feed->is_whole) { /* the next page begins anew */
        feed->after = feed->upto;
        feed->cursor = (struct lia_cursor){0, 0, 0};
    }
    for (struct lia_outsub *sub = s->outsubs; sub; sub = sub->next) {
        if (sub->is_member && is_served(sub, priority)) {
            sub->is_new = false;
        }
    }
    lia_request_free(feed->page);
    feed->page = NULL;
}

/* What the peer does not know yet. */
static liana_status choose_fresh(struct lia_arena *arena,
                                 const struct lia_kept_vector *now,
                                 const struct lia_kept_vector *known,
                                 struct lia_vector *out)
{
    struct lia_vector_entry *entries =
        lia_arena_array(arena, now->count, sizeof(*entries));
    size_t count = 0;

    if (!entries) {
        return LIANA_ENOMEM;
    }
    for (size_t i = 0; i < now->count; i++) {
        struct lia_vector_entry e = now->entries[i];

        if (e.hlc > lia_vector_get(lia_kept(known), e.actor)) {
            entries[count++] = e;
        }
    }
    *out = (struct lia_vector){entries, count};
    return LIANA_OK;
}

struct marks_group {
    struct marks_group *next;
    struct lia_msg msg;
};

/* Members whose news is the same share a message. */
static liana_status group_marks(struct lia_session *s,
                                struct lia_arena *arena,
                                uint8_t priority,
                                struct marks_group **groups)
{
    size_t members = member_count(s, priority);

    for (struct lia_outsub *sub = s->outsubs; sub; sub = sub->next) {
        struct marks_group *group = *groups;
        struct lia_vector fresh;
        struct lia_vector kept;

        if (!sub->is_member || !is_served(sub, priority)) {
            continue;
        }
        if (choose_fresh(arena, &sub->new_marks, &sub->marks, &fresh) ||
            choose_fresh(arena, &sub->new_kept, &sub->kept, &kept)) {
            return LIANA_ENOMEM;
        }
        if (fresh.count == 0 && kept.count == 0 &&
            sub->new_forgotten == sub->told_forgotten) {
            continue;
        }
        while (group && (!lia_vector_equal(group->msg.marks.marks, fresh) ||
                         !lia_vector_equal(group->msg.marks.kept, kept) ||
                         group->msg.marks.forgotten != sub->new_forgotten)) {
            group = group->next;
        }
        if (!group) {
            group = LIA_ARENA_NEW(arena, struct marks_group);
            if (!group) {
                return LIANA_ENOMEM;
            }
            group->msg.type = LIA_MSG_MARKS;
            group->msg.marks.marks = fresh;
            group->msg.marks.kept = kept;
            group->msg.marks.forgotten = sub->new_forgotten;
            group->msg.marks.subs =
                lia_arena_array(arena, members, sizeof(*group->msg.marks.subs));
            group->next = *groups;
            *groups = group;
        }
        if (!group->msg.marks.subs) {
            return LIANA_ENOMEM;
        }
        group->msg.marks.subs[group->msg.marks.subs_count++].sub = sub->number;
    }
    return LIANA_OK;
}

static liana_status send_marks(struct lia_session *s, uint8_t priority)
{
    struct marks_group *groups = NULL;
    struct lia_arena arena;
    liana_status status;

    lia_arena_init(&arena, s->options.alloc);
    status = group_marks(s, &arena, priority, &groups);
    for (; groups && !status; groups = groups->next) {
        lia_session_send(s, &groups->msg);
    }
    lia_arena_deinit(&arena);
    return status;
}

static liana_status send_batch(struct lia_session *s, uint8_t priority)
{
    struct lia_outfeed *feed = &s->feeds[priority];
    struct lia_msg msg = {.type = LIA_MSG_BATCH};
    struct lia_wire_sub_number *subs =
        lia_mem_alloc(s->options.alloc, LIA_SUBSCRIPTIONS_MAX * sizeof(*subs));
    liana_status status = LIANA_OK;

    if (!subs) {
        return LIANA_ENOMEM;
    }
    for (struct lia_outsub *sub = s->outsubs; sub && !status; sub = sub->next) {
        if (!sub->is_member || sub->priority != priority) {
            continue;
        }
        sub->is_member = false;
        if (sub->state != LIA_OUTSUB_ACTIVE) {
            continue;
        }
        subs[msg.batch.subs_count++].sub = sub->number;
        sub->position = feed->upto;
        sub->is_exact = feed->is_exact;
        sub->is_filling = sub->is_filling && !feed->is_exact;
        sub->told_forgotten = sub->new_forgotten;
        lia_outsub_sent(s, sub, feed->number + 1);
        status =
            lia_kept_join(s->options.alloc, &sub->marks, lia_kept(&sub->new_marks));
        lia_kept_deinit(s->options.alloc, &sub->new_marks);
        if (!status) {
            status =
                lia_kept_join(s->options.alloc, &sub->kept, lia_kept(&sub->new_kept));
        }
        lia_kept_deinit(s->options.alloc, &sub->new_kept);
    }
    msg.batch.priority = priority;
    msg.batch.number = ++feed->number;
    msg.batch.seq = feed->upto;
    msg.batch.flags = feed->is_head;
    msg.batch.subs = subs;
    lia_session_send(s, &msg);
    lia_mem_free(s->options.alloc, subs, LIA_SUBSCRIPTIONS_MAX * sizeof(*subs));
    feed->unacked[feed->unacked_count++] =
        (struct lia_unacked){feed->number, feed->upto};
    feed->head_told = feed->is_head;
    feed->is_open = false;
    return status;
}

static void end_batch(struct lia_session *s, uint8_t priority)
{
    liana_status status = send_marks(s, priority);

    if (!status) {
        status = send_batch(s, priority);
    }
    if (status) {
        lia_session_fail(s, status);
    }
}

/* ---- the pump ---- */

/* Someone who is no member of the open batch waits to be served. */
static bool others_wait(const struct lia_session *s, uint8_t priority)
{
    for (const struct lia_outsub *sub = s->outsubs; sub; sub = sub->next) {
        if (is_served(sub, priority) && !sub->is_member && is_behind(s, sub)) {
            return true;
        }
    }
    return false;
}

/* There was nothing to send, and the peer knows that it is up to date: the batch, which
 * would only move its token, waits for something to carry, or for a while. */
static bool may_be_silent(const struct lia_session *s, uint8_t priority)
{
    const struct lia_outfeed *feed = &s->feeds[priority];

    return feed->docs == 0 && feed->is_head && feed->head_told && feed->upto > 0 &&
           !others_wait(s, priority);
}

static bool is_silence_over(const struct lia_session *s, const struct lia_outfeed *feed)
{
    return feed->silent_since != LIA_NEVER &&
           s->now >= feed->silent_since + LIA_LAZY_MS;
}

/* The open batch is whole: it ends, or, while it is silent, goes on with what is new.
 * True: there is more to do. */
static bool conclude(struct lia_session *s, uint8_t priority)
{
    struct lia_outfeed *feed = &s->feeds[priority];

    if (!may_be_silent(s, priority) || is_silence_over(s, feed)) {
        end_batch(s, priority);
        return true;
    }
    if (feed->silent_since == LIA_NEVER) {
        feed->silent_since = s->now;
    }
    if (feed->upto < s->head) {
        read_page(s, priority);
    }
    return false;
}

/* Answers that are newer than the batch drag it along: its end may not be before. */
static bool may_end(const struct lia_outfeed *feed)
{
    return feed->is_whole && (!feed->is_exact || feed->upto >= feed->must_reach);
}

/* One thing on one feed; false when it has to wait. */
static bool pump_once(struct lia_session *s, uint8_t priority)
{
    struct lia_outfeed *feed = &s->feeds[priority];

    if (!lia_outdocs_send(s, feed) || feed->is_reading) {
        return false;
    }
    if (feed->page) {
        if (feed->haves_open) {
            return false;
        }
        finish_page(s, priority);
        return true;
    }
    if (!feed->is_open) {
        if (open_batch(s, priority)) {
            read_page(s, priority);
        }
        return false;
    }
    if (member_count(s, priority) == 0) {
        end_batch(s, priority); /* all were taken back */
        return true;
    }
    if (!may_end(feed)) {
        read_page(s, priority);
        return false;
    }
    return conclude(s, priority);
}

void lia_outfeed_pump(struct lia_session *s)
{
    /* Subscriptions that come together are served together. */
    if (s->registering || s->more_follow) {
        return;
    }
    for (uint8_t i = 0; i < LIA_WIRE_PRIORITIES; i++) {
        while (!s->failure && pump_once(s, i)) {
        }
    }
}

/* ---- acknowledgements, time ---- */

/* The same batch may be acknowledged again, once what the peer has put aside is held. */
liana_status lia_on_ack(struct lia_session *s, const struct lia_msg *m)
{
    struct lia_outfeed *feed = &s->feeds[m->ack.priority];
    const bool is_held = m->ack.kind != LIA_ACK_AWAITS;
    struct lia_action *action;
    size_t n = 0;

    while (n < feed->unacked_count && feed->unacked[n].number <= m->ack.number) {
        feed->acked = feed->unacked[n++];
    }
    if (m->ack.number == 0 || feed->acked.number != m->ack.number) {
        return lia_err(&s->error, LIANA_EPROTOCOL, "ACK of a batch that was not sent");
    }
    feed->unacked_count -= n;
    memmove(feed->unacked, feed->unacked + n,
            feed->unacked_count * sizeof(feed->unacked[0]));
    lia_outsub_acked(s, (uint8_t)m->ack.priority, m->ack.number, is_held);
    action = is_held ? lia_session_act(s, LIA_ACTION_ACKED) : NULL;
    if (action) {
        action->seq = feed->acked.seq;
    }
    return LIANA_OK;
}

uint64_t lia_outfeed_deadline(const struct lia_session *s)
{
    uint64_t due = LIA_NEVER;

    if (s->registering || s->more_follow) {
        return due; /* nothing is done before these are there */
    }
    for (size_t i = 0; i < LIA_WIRE_PRIORITIES; i++) {
        const struct lia_outfeed *feed = &s->feeds[i];

        if (feed->is_open && feed->silent_since != LIA_NEVER && !feed->is_reading &&
            !feed->page && feed->silent_since + LIA_LAZY_MS < due) {
            due = feed->silent_since + LIA_LAZY_MS;
        }
    }
    return due;
}

void lia_outfeed_deinit(struct lia_session *s)
{
    for (size_t i = 0; i < LIA_WIRE_PRIORITIES; i++) {
        struct lia_outfeed *feed = &s->feeds[i];

        lia_request_free(feed->page);
        feed->page = NULL;
        lia_outdocs_deinit(feed);
    }
}
