/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <stdlib.h>

#include "sync/testing/toynet.h"

struct fixture {
    struct lia_toy stores[3];
    struct lia_toy_link link;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    for (uint64_t i = 0; i < 3; i++) {
        lia_toy_init(&f->stores[i], i + 1);
    }
    f->link.now = 1000;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < 3; i++) {
        lia_toy_deinit(&f->stores[i]);
    }
    free(f);
    return 0;
}

static void fill(struct lia_toy *toy, uint32_t count, uint64_t value)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t docs[] = {i % LIA_TOY_DOCS, LIA_TOY_DOCS + i % LIA_TOY_DOCS};

        lia_toy_write(toy, docs, 2, value + i);
    }
}

static uint64_t wire(const struct lia_toy_link *link)
{
    return lia_session_stats(link->ends[0].session).wire_out +
           lia_session_stats(link->ends[1].session).wire_out;
}

/* ---- what a session is for ---- */

static void two_stores_become_equal(void **state)
{
    struct fixture *f = *state;
    struct lia_toy *a = &f->stores[0];
    struct lia_toy *b = &f->stores[1];

    fill(a, 20, 100);
    fill(b, 10, 200);
    lia_toy_open(&f->link, a, b);
    lia_toy_settle(&f->link, NULL);
    assert_true(lia_toy_equal(a, b));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(lia_session_state(f->link.ends[i].session),
                         LIA_SESSION_ACTIVE);
        assert_true(f->link.ends[i].is_up_to_date[0]);
        assert_true(f->link.ends[i].is_up_to_date[1]);
    }
    assert_int_equal(a->gaps + b->gaps, 0);
    lia_toy_close(&f->link);
}

static void a_commit_flows_at_once_and_is_acknowledged(void **state)
{
    struct fixture *f = *state;
    struct lia_toy *a = &f->stores[0];
    struct lia_toy *b = &f->stores[1];

    fill(a, 5, 100);
    lia_toy_open(&f->link, a, b);
    lia_toy_settle(&f->link, NULL);
    for (uint64_t i = 0; i < 30; i++) {
        fill(a, 1, i);
        lia_toy_told(&f->link, 0);
        lia_toy_settle(&f->link, NULL);
        assert_true(lia_toy_equal(a, b));
        assert_int_equal(f->link.ends[0].acked, a->seq);
    }
    lia_toy_close(&f->link);
}

static void what_came_from_a_peer_is_not_sent_back(void **state)
{
    struct fixture *f = *state;

    fill(&f->stores[0], 20, 100);
    lia_toy_open(&f->link, &f->stores[0], &f->stores[1]);
    lia_toy_settle(&f->link, NULL);
    lia_toy_tick(&f->link, 2000);
    lia_toy_settle(&f->link, NULL);
    assert_int_equal(lia_session_stats(f->link.ends[0].session).docs_out, 40);
    assert_int_equal(lia_session_stats(f->link.ends[1].session).docs_out, 0);
    lia_toy_close(&f->link);
}

/* Promise 5: a reconnect costs bytes in proportion to what differs. */
static void a_reconnect_with_nothing_new_costs_little(void **state)
{
    struct fixture *f = *state;
    uint64_t frames;

    fill(&f->stores[0], 100, 100);
    fill(&f->stores[1], 100, 100);
    lia_toy_open(&f->link, &f->stores[0], &f->stores[1]);
    lia_toy_settle(&f->link, NULL);
    lia_toy_tick(&f->link, 2000);
    lia_toy_settle(&f->link, NULL);
    lia_toy_tick(&f->link, 2000);
    lia_toy_settle(&f->link, NULL);
    lia_toy_close(&f->link);

    lia_toy_open(&f->link, &f->stores[0], &f->stores[1]);
    lia_toy_settle(&f->link, NULL);
    frames = lia_session_stats(f->link.ends[0].session).frames_out +
             lia_session_stats(f->link.ends[1].session).frames_out;
    assert_true(wire(&f->link) < 800);
    assert_true(frames <= 2 * 8);
    assert_int_equal(lia_session_stats(f->link.ends[0].session).docs_out, 0);
    assert_int_equal(lia_session_stats(f->link.ends[1].session).docs_out, 0);
    lia_toy_close(&f->link);
}

/* A sender that the receiver never met resumes by marks: nothing is sent twice. */
static void another_sender_of_the_same_data_sends_nothing(void **state)
{
    struct fixture *f = *state;

    fill(&f->stores[0], 50, 100);
    for (size_t i = 1; i < 3; i++) {
        lia_toy_open(&f->link, &f->stores[0], &f->stores[i]);
        lia_toy_settle(&f->link, NULL);
        lia_toy_close(&f->link);
    }
    lia_toy_open(&f->link, &f->stores[1], &f->stores[2]);
    lia_toy_settle(&f->link, NULL);
    assert_int_equal(lia_session_stats(f->link.ends[0].session).docs_out, 0);
    assert_int_equal(lia_session_stats(f->link.ends[1].session).docs_out, 0);
    assert_true(wire(&f->link) < 900);
    lia_toy_close(&f->link);
}

/* Where marks say nothing, digests do: HAVE and WANT. */
static void without_marks_digests_are_compared(void **state)
{
    struct fixture *f = *state;
    uint32_t doc = 3;

    fill(&f->stores[0], 24, 100);
    lia_toy_open(&f->link, &f->stores[0], &f->stores[1]);
    lia_toy_settle(&f->link, NULL);
    lia_toy_close(&f->link);
    memset(f->stores[1].marks, 0, sizeof(f->stores[1].marks));
    memset(f->stores[1].tokens, 0, sizeof(f->stores[1].tokens));
    lia_toy_write(&f->stores[0], &doc, 1, 777);
    lia_toy_open(&f->link, &f->stores[0], &f->stores[1]);
    lia_toy_settle(&f->link, NULL);
    assert_true(lia_toy_equal(&f->stores[0], &f->stores[1]));
    assert_int_equal(lia_session_stats(f->link.ends[0].session).docs_out, 1);
    lia_toy_close(&f->link);
}

/* What a link's end still has to do, and what is on its way to it, but nothing of the other
 * end. */
static void settle_end(struct lia_toy_link *link, int end)
{
    while (lia_toy_deliver(link, end, SIZE_MAX) || lia_toy_carry_out(link, end, NULL)) {
    }
}

static bool is_answering(const struct lia_toy_end *end)
{
    return end->requests && end->requests->kind == LIA_REQUEST_DOCS;
}

/* Until the store of the end is about to read what was asked for. */
static void settle_until_wanted(struct lia_toy_link *link, int end)
{
    bool is_busy = true;

    while (is_busy && !is_answering(&link->ends[end])) {
        is_busy = false;
        for (int i = 0; i < 2 && !is_answering(&link->ends[end]); i++) {
            is_busy = lia_toy_deliver(link, i, SIZE_MAX) ||
                      lia_toy_carry_out(link, i, NULL) || is_busy;
        }
    }
    assert_true(is_answering(&link->ends[end]));
}

/* The sender's marks would say that the peer has it. */
static void what_is_dropped_once_it_was_announced_is_not_marked(void **state)
{
    struct fixture *f = *state;
    uint32_t docs[] = {3, 4};

    fill(&f->stores[0], 24, 100);
    lia_toy_open(&f->link, &f->stores[0], &f->stores[1]);
    lia_toy_settle(&f->link, NULL);
    lia_toy_close(&f->link);
    memset(f->stores[1].marks, 0, sizeof(f->stores[1].marks));
    memset(f->stores[1].tokens, 0, sizeof(f->stores[1].tokens));
    lia_toy_write(&f->stores[0], docs, 2, 777);
    lia_toy_open(&f->link, &f->stores[0], &f->stores[1]);
    settle_until_wanted(&f->link, 0);
    lia_toy_drop(&f->stores[0], 3);
    lia_toy_settle(&f->link, NULL);
    assert_int_equal(f->stores[1].docs[4].cells[1].value, 777);
    assert_true(f->stores[1].docs[3].cells[1].value != 777);
    assert_true(lia_toy_marks_hold(&f->stores[1], &f->stores[0]));
    assert_int_equal(f->stores[1].tokens[1][0].seq, f->stores[0].seq);
    lia_toy_close(&f->link);
}

/* It is there again, and yet not what was announced: what a third store wrote is gone. */
static void what_began_anew_once_it_was_announced_is_not_marked(void **state)
{
    struct fixture *f = *state;
    struct lia_toy *a = &f->stores[0];
    struct lia_toy *b = &f->stores[1];
    const uint64_t third = f->stores[2].actor;
    const uint32_t doc = 3;

    fill(a, 24, 100);
    lia_toy_open(&f->link, a, b);
    lia_toy_settle(&f->link, NULL);
    lia_toy_close(&f->link);
    memset(b->marks, 0, sizeof(b->marks));
    memset(b->tokens, 0, sizeof(b->tokens));
    lia_toy_write(&f->stores[2], &doc, 1, 777);
    lia_toy_open(&f->link, &f->stores[2], a);
    lia_toy_settle(&f->link, NULL);
    lia_toy_close(&f->link);
    lia_toy_open(&f->link, a, b);
    settle_until_wanted(&f->link, 0);
    lia_toy_drop(a, doc);
    lia_toy_write(a, &doc, 1, 5);
    lia_toy_settle(&f->link, NULL);
    assert_int_equal(b->docs[doc].cells[a->actor].value, 5);
    assert_int_equal(b->docs[doc].cells[third].hlc, 0);
    assert_int_equal(b->marks[0][third], 0);
    assert_true(lia_toy_marks_hold(b, &f->stores[2]));
    assert_int_equal(b->tokens[a->actor][0].seq, a->seq);
    lia_toy_close(&f->link);
}

/* It was sent to who had said that it goes on from an older place. */
static void a_batch_on_its_way_moves_no_token_once_it_is_asked_again(void **state)
{
    struct fixture *f = *state;

    fill(&f->stores[0], 5, 100);
    lia_toy_open(&f->link, &f->stores[0], &f->stores[1]);
    lia_toy_settle(&f->link, NULL);
    fill(&f->stores[0], 1, 200);
    lia_toy_told(&f->link, 0);
    settle_end(&f->link, 0); /* it is sent */
    lia_toy_look_again(&f->stores[1], 1);
    lia_toy_stale(&f->link, 1);
    while (lia_toy_carry_out(&f->link, 1, NULL)) { /* so is the SUBSCRIBE */
    }
    settle_end(&f->link, 1);
    assert_true(lia_toy_equal(&f->stores[0], &f->stores[1]));
    assert_int_equal(f->stores[1].tokens[1][0].seq, 0);
    lia_toy_settle(&f->link, NULL);
    assert_int_equal(f->stores[1].tokens[1][0].seq, f->stores[0].seq);
    lia_toy_close(&f->link);
}

static void closed_with(struct fixture *f, int end, liana_status status)
{
    assert_true(f->link.ends[end].is_closed);
    if (f->link.ends[end].error.status != status) {
        print_error("%s\n", f->link.ends[end].error.message);
    }
    assert_status(status, f->link.ends[end].error.status);
    assert_true(f->link.ends[end].error.message[0] != 0);
}

static void a_gap_is_repaired_and_the_batch_applied_whole(void **state)
{
    struct fixture *f = *state;
    uint32_t docs[] = {1, LIA_TOY_DOCS + 1};

    fill(&f->stores[0], 5, 100);
    lia_toy_open(&f->link, &f->stores[0], &f->stores[1]);
    lia_toy_settle(&f->link, NULL);
    /* The copy is lost, as after an eviction, and nobody says so. */
    memset(&f->stores[1].docs[1], 0, sizeof(f->stores[1].docs[1]));
    lia_toy_write(&f->stores[0], docs, 2, 7);
    lia_toy_told(&f->link, 0);
    lia_toy_settle(&f->link, NULL);
    assert_int_equal(f->stores[1].gaps, 1);
    assert_true(lia_toy_equal(&f->stores[0], &f->stores[1]));
    lia_toy_close(&f->link);
}

/* Nor may its marks say what a document would have shown that is gone. */
static void a_gap_that_nobody_can_fill_ends_the_session(void **state)
{
    struct fixture *f = *state;
    uint32_t docs[] = {1, LIA_TOY_DOCS + 1};

    fill(&f->stores[0], 5, 100);
    lia_toy_open(&f->link, &f->stores[0], &f->stores[1]);
    lia_toy_settle(&f->link, NULL);
    memset(&f->stores[1].docs[1], 0, sizeof(f->stores[1].docs[1]));
    lia_toy_write(&f->stores[0], docs, 2, 7);
    lia_toy_told(&f->link, 0);
    settle_until_wanted(&f->link, 0);
    lia_toy_drop(&f->stores[0], 1);
    lia_toy_settle(&f->link, NULL);
    assert_int_equal(f->stores[1].marks[0][1], 5);
    assert_true(f->stores[1].docs[docs[1]].cells[1].value != 7);
    closed_with(f, 1, LIANA_EBUSY);
    lia_toy_close(&f->link);
}

/* What is owed is asked for until its sender says that it is gone; what waited for it does not
 * come true then. */
static void what_is_owed_and_gone_is_told_anew(void **state)
{
    struct fixture *f = *state;

    f->stores[1].refuses[2] = true;
    fill(&f->stores[0], 5, 100);
    lia_toy_open(&f->link, &f->stores[0], &f->stores[1]);
    lia_toy_settle(&f->link, NULL);
    assert_int_equal(f->link.ends[1].refused, 1);
    assert_true(f->stores[1].tokens[1][0].seq > 0);
    f->stores[1].refuses[2] = false;
    lia_toy_drop(&f->stores[0], 2);
    for (int i = 0; i < 8 && !f->link.ends[1].is_closed; i++) {
        lia_toy_tick(&f->link, 10000);
        lia_toy_settle(&f->link, NULL);
    }
    closed_with(f, 1, LIANA_EBUSY);
    lia_toy_close(&f->link);
    assert_int_equal(f->stores[1].tokens[1][0].seq, 0);
    lia_toy_open(&f->link, &f->stores[0], &f->stores[1]);
    lia_toy_settle(&f->link, NULL);
    lia_toy_tick(&f->link, 2000); /* there is nothing but tokens */
    lia_toy_settle(&f->link, NULL);
    assert_false(f->link.ends[1].is_closed);
    assert_int_equal(f->stores[1].tokens[1][0].seq, f->stores[0].seq);
    assert_true(lia_toy_marks_hold(&f->stores[1], &f->stores[0]));
    lia_toy_close(&f->link);
}

static void a_refused_document_is_owed_and_asked_for_again(void **state)
{
    struct fixture *f = *state;

    f->stores[1].refuses[2] = true;
    fill(&f->stores[0], 5, 100);
    lia_toy_open(&f->link, &f->stores[0], &f->stores[1]);
    lia_toy_settle(&f->link, NULL);
    assert_int_equal(f->link.ends[1].refused, 1);
    assert_false(lia_toy_equal(&f->stores[0], &f->stores[1]));
    f->stores[1].refuses[2] = false;
    for (int i = 0; i < 8; i++) {
        lia_toy_tick(&f->link, 10000);
        lia_toy_settle(&f->link, NULL);
    }
    assert_string_equal(f->link.ends[1].error.message, "");
    assert_true(lia_toy_equal(&f->stores[0], &f->stores[1]));
    lia_toy_close(&f->link);
}

static void commit_and_settle(struct fixture *f, uint32_t doc, uint64_t value)
{
    lia_toy_write(&f->stores[0], &doc, 1, value);
    lia_toy_told(&f->link, 0);
    lia_toy_settle(&f->link, NULL);
}

/* What is put aside is durable, and not held: its sender goes on, and keeps it. */
static void what_is_put_aside_does_not_count_as_held(void **state)
{
    struct fixture *f = *state;
    struct lia_toy *a = &f->stores[0];
    struct lia_toy *b = &f->stores[1];

    fill(a, 5, 100);
    lia_toy_open(&f->link, a, b);
    lia_toy_settle(&f->link, NULL);
    assert_int_equal(f->link.ends[0].acked, 5);
    assert_int_equal(f->link.ends[0].passed, 5);
    b->refuses[2] = true;
    for (uint64_t i = 0; i < 200; i++) {
        commit_and_settle(f, i == 0 ? 2 : 7, i);
    }
    assert_int_equal(b->docs[7].cells[1].value, 199);
    assert_int_equal(f->link.ends[0].acked, 5);
    assert_int_equal(f->link.ends[0].passed, 5);
    b->refuses[2] = false;
    for (int i = 0; i < 8; i++) {
        lia_toy_tick(&f->link, 10000);
        lia_toy_settle(&f->link, NULL);
    }
    assert_true(lia_toy_equal(a, b));
    assert_int_equal(f->link.ends[0].acked, a->seq);
    assert_int_equal(f->link.ends[0].passed, a->seq);
    lia_toy_close(&f->link);
}

/* Nor when it comes again: then it says so with its token. */
static void what_is_put_aside_is_told_with_the_token(void **state)
{
    struct fixture *f = *state;
    struct lia_toy *a = &f->stores[0];
    struct lia_toy *b = &f->stores[1];

    b->refuses[2] = true; /* of "a", which is asked for last */
    fill(a, 5, 100);
    lia_toy_open(&f->link, a, b);
    lia_toy_settle(&f->link, NULL);
    assert_false(a->reader_awaits);
    lia_toy_close(&f->link);
    lia_toy_open(&f->link, a, b);
    lia_toy_settle(&f->link, NULL);
    assert_true(a->reader_awaits);
    lia_toy_close(&f->link);
}

/* Somebody else has brought it, and there is no batch to acknowledge. */
static void what_is_awaited_no_more_is_acknowledged_again(void **state)
{
    struct fixture *f = *state;
    struct lia_toy *a = &f->stores[0];
    struct lia_toy *b = &f->stores[1];

    b->refuses[2] = true;
    fill(a, 5, 100);
    lia_toy_open(&f->link, a, b);
    lia_toy_settle(&f->link, NULL);
    assert_int_equal(f->link.ends[0].acked, 0);
    b->awaited[2] = false;
    for (int i = 0; i < 8; i++) {
        lia_toy_tick(&f->link, 10000);
        lia_toy_settle(&f->link, NULL);
    }
    assert_int_equal(f->link.ends[0].acked, 5);
    assert_int_equal(f->link.ends[0].passed, 5);
    lia_toy_close(&f->link);
}

/* What was asked of the store before says nothing of what was put aside since. */
static void what_was_found_before_it_is_put_aside_does_not_count(void **state)
{
    struct fixture *f = *state;
    struct lia_toy *a = &f->stores[0];
    struct lia_toy *b = &f->stores[1];
    const uint32_t docs[] = {2, 3};
    struct lia_request *request;

    fill(a, 5, 100);
    lia_toy_open(&f->link, a, b);
    lia_toy_settle(&f->link, NULL);
    lia_toy_tick(&f->link, 1); /* nothing is owed yet */
    lia_toy_settle(&f->link, NULL);
    b->refuses[2] = true;
    commit_and_settle(f, 2, 1);
    b->awaited[2] = false; /* by somebody else */
    for (int i = 0; i < 5; i++) {
        lia_toy_tick(&f->link, 10000);
        lia_toy_settle(&f->link, NULL);
    }
    lia_toy_tick(&f->link, 10000); /* it is time to ask */
    request = lia_toy_begin(&f->link, 1, LIA_REQUEST_OWED);
    assert_false(request->owed.awaits);
    lia_toy_write(a, docs, 2, 7);
    lia_toy_told(&f->link, 0);
    lia_toy_settle(&f->link, NULL);
    assert_true(b->awaited[2]);
    lia_toy_end(&f->link, 1, request);
    lia_toy_settle(&f->link, NULL);
    assert_int_equal(f->link.ends[0].acked, 5);
    lia_toy_close(&f->link);
}

/* However often something is put aside, what was before is asked for. */
static void what_is_put_aside_puts_off_no_question(void **state)
{
    struct fixture *f = *state;
    struct lia_toy *b = &f->stores[1];

    fill(&f->stores[0], 5, 100);
    lia_toy_open(&f->link, &f->stores[0], b);
    lia_toy_settle(&f->link, NULL);
    b->refuses[2] = b->refuses[3] = true;
    commit_and_settle(f, 2, 1);
    b->refuses[2] = false;
    for (uint64_t i = 0; i < 4; i++) {
        lia_toy_tick(&f->link, 10000);
        lia_toy_settle(&f->link, NULL);
        lia_toy_tick(&f->link, 10000);
        lia_toy_settle(&f->link, NULL);
        commit_and_settle(f, 3, i);
    }
    assert_int_equal(b->docs[2].cells[1].value, 1);
    lia_toy_close(&f->link);
}

static void is_whole(const struct lia_toy *toy,
                     const struct lia_toy *writer,
                     const uint32_t docs[2])
{
    assert_int_equal(toy->docs[docs[0]].cells[writer->actor].hlc >= writer->hlc,
                     toy->docs[docs[1]].cells[writer->actor].hlc >= writer->hlc);
}

/* An answer shows its document as it is, with a part of a transaction that the batch has not
 * come to: it waits for the rest. */
static void an_owed_document_comes_with_its_transaction(void **state)
{
    struct fixture *f = *state;
    struct lia_toy *a = &f->stores[0];
    struct lia_toy *b = &f->stores[1];
    const uint32_t docs[] = {2, LIA_TOY_DOCS + 7};
    const uint32_t other = 5;

    b->refuses[2] = true;
    fill(a, 5, 100);
    lia_toy_open(&f->link, a, b);
    lia_toy_settle(&f->link, NULL);
    lia_toy_close(&f->link);
    b->refuses[2] = false;
    lia_toy_open(&f->link, a, b);
    lia_toy_settle(&f->link, NULL);
    lia_toy_write(b, &other, 1, 1); /* a batch is open that has nothing to carry yet */
    lia_toy_told(&f->link, 1);
    lia_toy_settle(&f->link, NULL);
    lia_toy_tick(&f->link, 1);
    settle_end(&f->link, 0);
    settle_end(&f->link, 1);
    lia_toy_deliver(&f->link, 0, SIZE_MAX);
    lia_toy_write(a, docs, 2, 7); /* before the answer is read */
    assert_true(lia_toy_carry_out(&f->link, 0, NULL));
    settle_end(&f->link, 1);
    is_whole(b, a, docs);
    lia_toy_settle(&f->link, NULL);
    assert_true(lia_toy_equal(a, b));
    lia_toy_close(&f->link);
}

static void a_repair_comes_with_its_transaction(void **state)
{
    struct fixture *f = *state;
    struct lia_toy *a = &f->stores[0];
    struct lia_toy *b = &f->stores[1];
    const uint32_t first[] = {1, LIA_TOY_DOCS + 1};
    const uint32_t second[] = {1, LIA_TOY_DOCS + 7};

    fill(a, 5, 100);
    lia_toy_open(&f->link, a, b);
    lia_toy_settle(&f->link, NULL);
    memset(&b->docs[1], 0, sizeof(b->docs[1]));
    lia_toy_write(a, first, 2, 7);
    lia_toy_told(&f->link, 0);
    settle_end(&f->link, 0);
    settle_end(&f->link, 1);
    assert_int_equal(b->gaps, 1);
    lia_toy_deliver(&f->link, 0, SIZE_MAX);
    lia_toy_write(a, second, 2, 8); /* before the repair is read */
    assert_true(lia_toy_carry_out(&f->link, 0, NULL));
    settle_end(&f->link, 1);
    is_whole(b, a, second);
    lia_toy_settle(&f->link, NULL);
    assert_true(lia_toy_equal(a, b));
    lia_toy_close(&f->link);
}

/* A batch without documents is kept with the next one, or after a while, and not
 * acknowledged before. */
static void an_acknowledged_batch_is_kept(void **state)
{
    struct fixture *f = *state;
    struct lia_toy *a = &f->stores[0];
    struct lia_toy *b = &f->stores[1];

    fill(a, 5, 100);
    lia_toy_open(&f->link, a, b);
    lia_toy_settle(&f->link, NULL);
    fill(b, 1, 200);
    lia_toy_told(&f->link, 1);
    lia_toy_settle(&f->link, NULL);
    for (int i = 0; i < 3; i++) {
        assert_true(f->link.ends[0].acked <= b->tokens[a->actor][0].seq);
        lia_toy_tick(&f->link, 1000);
        lia_toy_settle(&f->link, NULL);
    }
    assert_int_equal(f->link.ends[0].acked, a->seq);
    assert_int_equal(b->tokens[a->actor][0].seq, a->seq);
    lia_toy_close(&f->link);
}

static void a_large_batch_is_staged_and_applied_once(void **state)
{
    struct fixture *f = *state;
    struct lia_session_options a = lia_toy_options(&f->stores[0], &f->stores[1]);
    struct lia_session_options b = lia_toy_options(&f->stores[1], &f->stores[0]);
    size_t applies;

    b.stage_bytes = 50;
    fill(&f->stores[0], 2, 100);
    lia_toy_open_with(&f->link, &f->stores[0], &a, &f->stores[1], &b);
    lia_toy_subscribe(&f->link, 1, "a", 0);
    lia_toy_subscribe(&f->link, 1, "b", 0);
    lia_toy_settle(&f->link, NULL);
    applies = f->stores[1].applies;
    fill(&f->stores[0], 40, 300);
    lia_toy_told(&f->link, 0);
    lia_toy_settle(&f->link, NULL);
    assert_true(f->stores[1].stage_id > 0);
    assert_int_equal(f->stores[1].applies, applies + 1);
    assert_true(lia_toy_equal(&f->stores[0], &f->stores[1]));
    lia_toy_close(&f->link);
}

/* A later subscription is filled beside those that are up to date, and meets them. */
static void a_later_subscription_joins_the_feed(void **state)
{
    struct fixture *f = *state;
    struct lia_session_options a = lia_toy_options(&f->stores[0], &f->stores[1]);
    struct lia_session_options b = lia_toy_options(&f->stores[1], &f->stores[0]);
    size_t applies;

    fill(&f->stores[0], 24, 100);
    lia_toy_open_with(&f->link, &f->stores[0], &a, &f->stores[1], &b);
    lia_toy_subscribe(&f->link, 1, "a", 0);
    lia_toy_settle(&f->link, NULL);
    fill(&f->stores[0], 3, 200);
    lia_toy_subscribe(&f->link, 1, "b", 0);
    lia_toy_told(&f->link, 0);
    lia_toy_settle(&f->link, NULL);
    assert_true(lia_toy_equal(&f->stores[0], &f->stores[1]));
    lia_toy_tick(&f->link, 2000);
    lia_toy_settle(&f->link, NULL);
    applies = f->stores[1].applies;
    fill(&f->stores[0], 1, 300);
    lia_toy_told(&f->link, 0);
    lia_toy_settle(&f->link, NULL);
    assert_int_equal(f->stores[1].applies, applies + 1);
    assert_true(lia_toy_equal(&f->stores[0], &f->stores[1]));
    lia_toy_close(&f->link);
}

/* ---- who may talk ---- */

static void a_wrong_proof_ends_the_session_at_both_ends(void **state)
{
    struct fixture *f = *state;

    fill(&f->stores[0], 5, 1);
    lia_toy_open(&f->link, &f->stores[0], &f->stores[1]);
    f->link.ends[1].verdict = LIANA_EAUTH;
    lia_toy_settle(&f->link, NULL);
    closed_with(f, 0, LIANA_EAUTH);
    closed_with(f, 1, LIANA_EAUTH);
    assert_false(lia_toy_equal(&f->stores[0], &f->stores[1]));
    /* Not even the name was told. */
    assert_int_equal(lia_session_remote(f->link.ends[0].session).epoch, 0);
    lia_toy_close(&f->link);
}

static void strangers_are_told_why(void **state)
{
    struct fixture *f = *state;
    struct lia_session_options a = lia_toy_options(&f->stores[0], &f->stores[1]);
    struct lia_session_options b = lia_toy_options(&f->stores[1], &f->stores[0]);

    b.database[3] = '!';
    lia_toy_open_with(&f->link, &f->stores[0], &a, &f->stores[1], &b);
    lia_toy_settle(&f->link, NULL);
    closed_with(f, 0, LIANA_EDATABASE);
    closed_with(f, 1, LIANA_EDATABASE);
    lia_toy_close(&f->link);

    b = lia_toy_options(&f->stores[1], &f->stores[0]);
    b.self[0] = 9; /* not what the link has proven */
    lia_toy_open_with(&f->link, &f->stores[0], &a, &f->stores[1], &b);
    lia_toy_settle(&f->link, NULL);
    closed_with(f, 0, LIANA_EAUTH);
    lia_toy_close(&f->link);
}

static void a_refused_subscription_leaves_the_others(void **state)
{
    struct fixture *f = *state;
    struct lia_event event = {.kind = LIA_EVENT_SUBSCRIBE};

    fill(&f->stores[0], 5, 1);
    lia_toy_open(&f->link, &f->stores[0], &f->stores[1]);
    event.subscription.id = 3;
    event.subscription.topic.collection = lia_str("a");
    event.subscription.topic.query = LIA_BYTES("nonsense");
    lia_actions_reset(&f->link.ends[1].actions);
    assert_ok(
        lia_session_step(f->link.ends[1].session, &event, &f->link.ends[1].actions));
    lia_toy_settle(&f->link, NULL);
    assert_int_equal(f->link.ends[1].refused, 1);
    assert_true(lia_toy_equal(&f->stores[0], &f->stores[1]));
    lia_toy_close(&f->link);
}

/* One without the others would part what was written under several of them. */
static void a_store_that_fails_ends_the_session(void **state)
{
    struct fixture *f = *state;

    fill(&f->stores[0], 5, 1);
    f->stores[0].breaks_in = 2;
    lia_toy_open(&f->link, &f->stores[0], &f->stores[1]);
    lia_toy_settle(&f->link, NULL);
    closed_with(f, 0, LIANA_EIO);
    assert_int_equal(f->stores[1].seq, 0);
    lia_toy_close(&f->link);
}

/* ---- time ---- */

static void an_idle_session_lives_and_holds_no_compression_state(void **state)
{
    struct fixture *f = *state;

    lia_toy_open(&f->link, &f->stores[0], &f->stores[1]);
    lia_toy_settle(&f->link, NULL);
    assert_true(lia_session_memory(f->link.ends[0].session) > 300000);
    for (int i = 0; i < 300; i++) {
        lia_toy_tick(&f->link, 1000);
        lia_toy_settle(&f->link, NULL);
    }
    lia_toy_tick(&f->link, 1);
    lia_toy_settle(&f->link, NULL);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(lia_session_state(f->link.ends[i].session),
                         LIA_SESSION_ACTIVE);
        assert_true(lia_session_memory(f->link.ends[i].session) < 100000);
    }
    fill(&f->stores[0], 3, 1);
    lia_toy_told(&f->link, 0);
    lia_toy_settle(&f->link, NULL);
    assert_true(lia_toy_equal(&f->stores[0], &f->stores[1]));
    lia_toy_close(&f->link);
}

static void silence_ends_a_session(void **state)
{
    struct fixture *f = *state;

    lia_toy_open(&f->link, &f->stores[0], &f->stores[1]);
    lia_toy_settle(&f->link, NULL);
    for (int i = 0; i < 70; i++) {
        lia_toy_tick(&f->link, 1000);
    }
    closed_with(f, 0, LIANA_ETIMEOUT);
    lia_toy_close(&f->link);
}

#define CLOCK_MS UINT64_C(1767225600000)

/* Time passes, and clocks go on with it. */
static void pass(struct fixture *f, uint64_t ms)
{
    for (int i = 0; i < 2; i++) {
        f->stores[i].clock_ms += f->stores[i].clock_ms ? ms : 0;
    }
    lia_toy_tick(&f->link, ms);
    lia_toy_settle(&f->link, NULL);
}

/* What a store takes goes by the clock that the sender was told. */
static void a_clock_that_is_set_ahead_ends_the_session(void **state)
{
    struct fixture *f = *state;
    const uint32_t doc = 1;

    f->stores[0].clock_ms = CLOCK_MS;
    f->stores[1].clock_ms = CLOCK_MS;
    lia_toy_open(&f->link, &f->stores[0], &f->stores[1]);
    lia_toy_settle(&f->link, NULL);
    for (int i = 0; i < 40; i++) {
        pass(f, 30000);
    }
    f->stores[1].clock_ms += 4 * 60 * 1000;
    pass(f, 30000);
    assert_false(f->link.ends[1].is_closed);
    lia_toy_write(&f->stores[0], &doc, 1, 7);
    lia_toy_told(&f->link, 0);
    lia_toy_settle(&f->link, NULL);
    assert_int_equal(f->stores[1].clock_max_ms,
                     CLOCK_MS + 20 * 60 * 1000 + 30000 + 5 * 60 * 1000);
    f->stores[1].clock_ms += 2 * 60 * 1000;
    pass(f, 30000);
    closed_with(f, 1, LIANA_ECLOCK);
    closed_with(f, 0, LIANA_ECLOCK);
    lia_toy_close(&f->link);
}

/* It goes by the other's, which was told that it does. */
static void a_store_that_does_not_know_the_time(void **state)
{
    struct fixture *f = *state;

    f->stores[0].clock_ms = CLOCK_MS;
    lia_toy_open(&f->link, &f->stores[0], &f->stores[1]);
    lia_toy_settle(&f->link, NULL);
    f->stores[1].clock_ms = CLOCK_MS;
    pass(f, 30000);
    assert_false(f->link.ends[1].is_closed);
    f->stores[1].clock_ms += 24 * 3600 * 1000;
    pass(f, 30000);
    closed_with(f, 1, LIANA_ECLOCK);
    lia_toy_close(&f->link);
}

static void who_learns_the_time_tells_it(void **state)
{
    struct fixture *f = *state;

    lia_toy_open(&f->link, &f->stores[0], &f->stores[1]);
    pass(f, 30000);
    assert_false(f->link.ends[1].is_closed);
    f->stores[1].clock_ms = CLOCK_MS;
    pass(f, 30000);
    closed_with(f, 1, LIANA_ECLOCK);
    lia_toy_close(&f->link);
}

/* ---- everything at once ---- */

struct transaction {
    uint64_t actor;
    uint64_t hlc;
    uint32_t docs[2];
};

struct storm {
    struct lia_rng rng;
    struct lia_toy stores[3];
    struct lia_toy_link links[2]; /* 0 - 1 - 2 */
    bool is_up[2];
    uint64_t now;
    struct transaction log[LIA_TOY_COMMITS];
    size_t logged;
    uint64_t value;
};

static void storm_write(struct storm *w)
{
    struct lia_toy *toy = &w->stores[lia_rng_below(&w->rng, 3)];
    struct transaction *t = &w->log[w->logged++];

    t->docs[0] = (uint32_t)lia_rng_below(&w->rng, LIA_TOY_DOCS);
    t->docs[1] = LIA_TOY_DOCS + (uint32_t)lia_rng_below(&w->rng, LIA_TOY_DOCS);
    lia_toy_write(toy, t->docs, 2, ++w->value);
    t->actor = toy->actor;
    t->hlc = toy->hlc;
}

static void storm_told(struct storm *w)
{
    for (int l = 0; l < 2; l++) {
        for (int e = 0; w->is_up[l] && e < 2; e++) {
            if (!w->links[l].ends[e].is_closed) {
                lia_toy_told(&w->links[l], e);
            }
        }
    }
}

static void storm_connect(struct storm *w, int l)
{
    struct lia_session_options a = lia_toy_options(&w->stores[l], &w->stores[l + 1]);
    struct lia_session_options b = lia_toy_options(&w->stores[l + 1], &w->stores[l]);

    a.stage_bytes = lia_rng_chance(&w->rng, 30) ? 100 : a.stage_bytes;
    b.stage_bytes = lia_rng_chance(&w->rng, 30) ? 100 : b.stage_bytes;
    lia_toy_open_with(&w->links[l], &w->stores[l], &a, &w->stores[l + 1], &b);
    for (int e = 0; e < 2; e++) {
        lia_toy_subscribe(&w->links[l], e, "a", 0);
        lia_toy_subscribe(&w->links[l], e, "b", 0);
    }
    w->is_up[l] = true;
}

static void storm_cut(struct storm *w, int l)
{
    lia_toy_close(&w->links[l]);
    w->is_up[l] = false;
}

/* The documents of a transaction are seen together, or not at all. */
static void check_together(const struct storm *w)
{
    for (size_t i = 0; i < w->logged; i++) {
        const struct transaction *t = &w->log[i];

        for (size_t n = 0; n < 3; n++) {
            bool first = w->stores[n].docs[t->docs[0]].cells[t->actor].hlc >= t->hlc;
            bool second = w->stores[n].docs[t->docs[1]].cells[t->actor].hlc >= t->hlc;

            if (first != second) {
                print_error(
                    "store %zu: transaction %llu of %llu is torn (%u %d, %u %d)\n",
                    n + 1, (unsigned long long)t->hlc, (unsigned long long)t->actor,
                    t->docs[0], first, t->docs[1], second);
            }
            assert_int_equal(first, second);
        }
    }
}

static void check_marks(const struct storm *w)
{
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 3; j++) {
            assert_true(lia_toy_marks_hold(&w->stores[i], &w->stores[j]));
        }
    }
}

static void storm_round(struct storm *w, size_t round)
{
    int l = (int)lia_rng_below(&w->rng, 2);
    int e = (int)lia_rng_below(&w->rng, 2);

    if (round < 300 && lia_rng_chance(&w->rng, 25)) {
        storm_write(w);
        storm_told(w);
    }
    if (!w->is_up[l]) {
        storm_connect(w, l);
        return;
    }
    for (int i = 0; i < 2; i++) {
        if (w->links[l].ends[i].error.status) {
            print_error("%s\n", w->links[l].ends[i].error.message);
        }
        assert_int_equal(w->links[l].ends[i].error.status, 0);
    }
    switch (lia_rng_below(&w->rng, 8)) {
    case 0:
    case 1:
    case 2:
        lia_toy_deliver(&w->links[l], e, 1 + (size_t)lia_rng_below(&w->rng, 400));
        break;
    case 3:
    case 4:
    case 5:
        lia_toy_carry_out(&w->links[l], e, &w->rng);
        storm_told(w);
        break;
    case 6: lia_toy_tick(&w->links[l], lia_rng_below(&w->rng, 500)); break;
    default:
        if (round < 300 && lia_rng_chance(&w->rng, 4)) {
            storm_cut(w, l);
        }
    }
}

static bool storm_is_quiet(struct storm *w)
{
    for (int l = 0; l < 2; l++) {
        if (!w->is_up[l] || w->links[l].ends[0].out.len ||
            w->links[l].ends[1].out.len || w->links[l].ends[0].requests ||
            w->links[l].ends[1].requests) {
            return false;
        }
    }
    return true;
}

static void run_storm(uint64_t seed, bool starts_filled)
{
    struct storm *w = calloc(1, sizeof(*w));
    size_t round = 0;

    w->rng = lia_rng(seed);
    for (uint64_t i = 0; i < 3; i++) {
        lia_toy_init(&w->stores[i], i + 1);
        w->stores[i].recent = lia_rng_chance(&w->rng, 50) ? 3 : LIA_TOY_COMMITS;
        w->stores[i].page_docs = lia_rng_chance(&w->rng, 50) ? 3 : 0;
        w->links[i % 2].now = 1000;
    }
    if (starts_filled) {
        for (int l = 0; l < 2; l++) {
            fill(&w->stores[0], 1, 1);
            storm_connect(w, l);
            for (int n = 0; n < 4; n++) { /* all tokens are kept */
                lia_toy_settle(&w->links[l], NULL);
                lia_toy_tick(&w->links[l], 1000);
            }
        }
    }
    while (round < 400 || (!storm_is_quiet(w) && round < 20000)) {
        storm_round(w, round++);
        if (starts_filled && round % 8 == 0) {
            check_together(w);
        }
    }
    assert_true(round < 20000);
    assert_true(lia_toy_equal(&w->stores[0], &w->stores[1]));
    assert_true(lia_toy_equal(&w->stores[1], &w->stores[2]));
    check_marks(w);
    assert_int_equal(w->stores[0].gaps + w->stores[1].gaps + w->stores[2].gaps, 0);
    for (int i = 0; i < 3; i++) {
        if (i < 2 && w->is_up[i]) {
            storm_cut(w, i);
        }
        lia_toy_deinit(&w->stores[i]);
    }
    free(w);
}

static void a_line_of_stores_agrees_after_any_storm(void **state)
{
    uint64_t seed = lia_test_seed("session storm");

    (void)state;
    for (uint64_t i = 0; i < lia_test_cases(200); i++) {
        run_storm(seed * 1000 + i, i % 2);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest cases[] = {
    CASE(two_stores_become_equal),
    CASE(a_commit_flows_at_once_and_is_acknowledged),
    CASE(what_came_from_a_peer_is_not_sent_back),
    CASE(a_reconnect_with_nothing_new_costs_little),
    CASE(another_sender_of_the_same_data_sends_nothing),
    CASE(without_marks_digests_are_compared),
    CASE(what_is_dropped_once_it_was_announced_is_not_marked),
    CASE(what_began_anew_once_it_was_announced_is_not_marked),
    CASE(a_batch_on_its_way_moves_no_token_once_it_is_asked_again),
    CASE(a_gap_is_repaired_and_the_batch_applied_whole),
    CASE(a_gap_that_nobody_can_fill_ends_the_session),
    CASE(what_is_owed_and_gone_is_told_anew),
    CASE(a_refused_document_is_owed_and_asked_for_again),
    CASE(what_is_put_aside_does_not_count_as_held),
    CASE(what_is_put_aside_is_told_with_the_token),
    CASE(what_is_awaited_no_more_is_acknowledged_again),
    CASE(what_was_found_before_it_is_put_aside_does_not_count),
    CASE(what_is_put_aside_puts_off_no_question),
    CASE(an_owed_document_comes_with_its_transaction),
    CASE(a_repair_comes_with_its_transaction),
    CASE(an_acknowledged_batch_is_kept),
    CASE(a_large_batch_is_staged_and_applied_once),
    CASE(a_later_subscription_joins_the_feed),
    CASE(a_wrong_proof_ends_the_session_at_both_ends),
    CASE(strangers_are_told_why),
    CASE(a_refused_subscription_leaves_the_others),
    CASE(a_store_that_fails_ends_the_session),
    CASE(an_idle_session_lives_and_holds_no_compression_state),
    CASE(silence_ends_a_session),
    CASE(a_clock_that_is_set_ahead_ends_the_session),
    CASE(a_store_that_does_not_know_the_time),
    CASE(who_learns_the_time_tells_it),
    CASE(a_line_of_stores_agrees_after_any_storm),
};

LIA_TEST_MAIN(cases)
