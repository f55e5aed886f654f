/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "base/limits.h"
#include "db/internal.h"
#include "db/testing/fixture.h"

static int setup(void **state)
{
    struct lia_test_db *t = test_malloc(sizeof(*t));

    lia_test_db_init(t, 2);
    lia_test_db_open(t);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    lia_test_db_finish(*state);
    test_free(*state);
    return 0;
}

static const struct liana_slice PEER = {(const uint8_t *)"peer", 4};
static const struct liana_slice OTHER = {(const uint8_t *)"other", 5};

static struct lia_feed_page read_page(struct lia_test_db *t,
                                      const struct lia_feed_query *query)
{
    struct lia_feed_page page;

    assert_ok(lia_db_feed(t->db, &t->arena, query, &page, &t->err));
    return page;
}

/* Everything after `after` that concerns one interest. */
static struct lia_feed_page follow(struct lia_test_db *t, struct lia_interest interest)
{
    const struct lia_feed_query query = {
        .interests = &interest, .interest_count = 1, .bytes_max = LIA_MIB};

    return read_page(t, &query);
}

static struct lia_feed_page changes(struct lia_test_db *t,
                                    const char *collection,
                                    uint64_t after)
{
    return follow(t, (struct lia_interest){.collection = lia_str(collection),
                                           .after_seq = after});
}

static uint64_t subscribe(struct lia_test_db *t,
                          const char *collection,
                          int32_t least_a)
{
    const struct lia_subscription sub = lia_test_subscription(t, collection, least_a);
    struct lia_registration reg;

    assert_ok(lia_db_register(t->db, PEER, &sub, &reg, &t->err));
    return reg.id;
}

static struct lia_feed_page subscribed(struct lia_test_db *t,
                                       uint64_t registration,
                                       uint64_t after)
{
    return follow(t, (struct lia_interest){.registration = registration,
                                           .peer = PEER,
                                           .after_seq = after});
}

static void assert_item(const struct lia_feed_page *page,
                        size_t index,
                        struct liana_slice key,
                        enum lia_feed_kind kind,
                        int32_t a)
{
    assert_true(index < page->item_count);
    assert_slice_equal(page->items[index].key, key);
    assert_int_equal(page->items[index].hit_count, 1);
    assert_int_equal(page->items[index].hits[0].kind, kind);
    assert_int_equal(lia_test_a(page->items[index].doc), a);
}

static void each_document_once_in_order(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_feed_page page;

    lia_test_put(t, "c", 1, 1);
    lia_test_put(t, "d", 1, 1);
    lia_test_put(t, "c", 2, 2);
    lia_test_put(t, "c", 1, 3);
    page = changes(t, "c", 0);
    assert_int_equal(page.item_count, 2);
    assert_item(&page, 0, lia_test_key(t, 2), LIA_FEED_MATCHES, 2);
    assert_item(&page, 1, lia_test_key(t, 1), LIA_FEED_MATCHES, 3);
    assert_int_equal(page.items[0].seq, 3);
    assert_int_equal(page.items[1].seq, 4);
    assert_int_equal(page.upto, 4);
    assert_int_equal(page.head, 4);
    assert_false(page.is_cut);
    assert_int_equal(changes(t, "c", 3).item_count, 1);
    assert_int_equal(changes(t, "c", 4).item_count, 0);
    assert_int_equal(changes(t, "none", 0).item_count, 0);
    assert_int_equal(changes(t, "", 0).item_count, 3);
}

static void tombstones_are_changes(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_feed_page page;

    lia_test_put(t, "c", 1, 1);
    lia_test_delete(t, "c", 1);
    page = changes(t, "c", 0);
    assert_int_equal(page.item_count, 1);
    assert_item(&page, 0, lia_test_key(t, 1), LIA_FEED_MATCHES, -1);
    assert_true(page.items[0].doc.clock.len > 0);
}

static void a_commit_spans_collections(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_feed_page page;
    struct lia_txn *txn;

    lia_test_put(t, "c", 1, 1);
    lia_test_put(t, "d", 1, 1);
    txn = lia_test_begin(t, LIA_WRITE);
    lia_test_put_in(t, txn, "d", 2, 2);
    lia_test_put_in(t, txn, "c", 2, 2);
    assert_ok(lia_txn_commit(txn, NULL, &t->err));
    page = changes(t, "", 1);
    assert_int_equal(page.item_count, 3);
    assert_int_equal(page.items[0].seq, 2);
    assert_int_equal(page.items[1].seq, 3);
    assert_int_equal(page.items[2].seq, 3);
    assert_true(lia_str_equal(page.items[1].collection->name, lia_str("c")));
    assert_true(lia_str_equal(page.items[2].collection->name, lia_str("d")));
}

/* Walks with pages of every size; the items are the same, and every page that does not
 * say that it is cut ends with a whole commit. */
static void pages_of_any_size_give_the_same(void **state)
{
    struct lia_test_db *t = *state;
    const struct lia_interest interest = {.after_seq = 0};
    struct lia_feed_page all;

    for (int32_t i = 0; i < 12; i++) {
        struct lia_txn *txn = lia_test_begin(t, LIA_WRITE);

        for (int32_t k = 0; k <= i % 4; k++) {
            lia_test_put_in(t, txn, k % 2 ? "c" : "d", i * 10 + k, i);
        }
        assert_ok(lia_txn_commit(txn, NULL, &t->err));
    }
    all = changes(t, "", 0);
    for (size_t rows = 1; rows < 8; rows++) {
        struct lia_feed_query query = {.interests = &interest,
                                       .interest_count = 1,
                                       .bytes_max = LIA_MIB,
                                       .rows_max = rows};
        struct lia_feed_page page;
        size_t seen = 0;

        do {
            page = read_page(t, &query);
            for (size_t i = 0; i < page.item_count; i++, seen++) {
                assert_int_equal(page.items[i].seq, all.items[seen].seq);
                assert_slice_equal(page.items[i].key, all.items[seen].key);
            }
            if (!page.is_cut && seen < all.item_count) {
                assert_true(all.items[seen].seq > page.upto);
            }
            assert_true(page.is_cut || seen == 0 ||
                        all.items[seen - 1].seq <= page.upto);
            query.from = page.next;
        } while (page.upto < page.head || page.is_cut);
        assert_int_equal(seen, all.item_count);
    }
}

static void a_large_commit_is_cut_and_says_so(void **state)
{
    struct lia_test_db *t = *state;
    const struct lia_interest interest = {.after_seq = 0};
    struct lia_feed_query query = {
        .interests = &interest, .interest_count = 1, .bytes_max = 1};
    struct lia_txn *txn = lia_test_begin(t, LIA_WRITE);
    struct lia_feed_page page;

    for (int32_t i = 0; i < 3; i++) {
        lia_test_put_in(t, txn, "c", i, i);
    }
    assert_ok(lia_txn_commit(txn, NULL, &t->err));
    page = read_page(t, &query);
    assert_int_equal(page.item_count, 1);
    assert_true(page.is_cut);
    assert_int_equal(page.upto, 0);
    query.from = page.next;
    page = read_page(t, &query);
    assert_true(page.is_cut);
    query.from = page.next;
    page = read_page(t, &query);
    assert_int_equal(page.item_count, 1);
    assert_false(page.is_cut);
    assert_int_equal(page.upto, 1);
}

static void a_predicate_selects(void **state)
{
    struct lia_test_db *t = *state;
    uint64_t reg = subscribe(t, "c", 10);
    struct lia_feed_page page;

    lia_test_put(t, "c", 1, 9);
    lia_test_put(t, "c", 2, 10);
    lia_test_put(t, "d", 3, 11);
    page = subscribed(t, reg, 0);
    assert_int_equal(page.item_count, 1);
    assert_item(&page, 0, lia_test_key(t, 2), LIA_FEED_MATCHES, 10);
    assert_int_equal(page.upto, 3);
}

static void what_leaves_is_told(void **state)
{
    struct lia_test_db *t = *state;
    uint64_t reg = subscribe(t, "c", 10);
    struct lia_feed_page page;

    lia_test_put(t, "c", 1, 10);
    lia_test_put(t, "c", 2, 10);
    lia_test_put(t, "c", 3, 10);
    lia_test_put(t, "c", 4, 1);
    lia_test_put(t, "c", 1, 5); /* leaves */
    lia_test_delete(t, "c", 2); /* leaves */
    lia_test_put(t, "c", 3, 5); /* leaves and comes back */
    lia_test_put(t, "c", 3, 12);
    lia_test_put(t, "c", 4, 2); /* was never in it */
    lia_test_put(t, "c", 1, 6); /* is out already */
    page = subscribed(t, reg, 3);
    assert_int_equal(page.item_count, 3);
    assert_item(&page, 0, lia_test_key(t, 2), LIA_FEED_LEFT, -1);
    assert_item(&page, 1, lia_test_key(t, 3), LIA_FEED_MATCHES, 12);
    assert_item(&page, 2, lia_test_key(t, 1), LIA_FEED_LEFT, 6);
    page = subscribed(t, reg, 6); /* has seen both leave */
    assert_int_equal(page.item_count, 1);
    assert_item(&page, 0, lia_test_key(t, 3), LIA_FEED_MATCHES, 12);
    page = subscribed(t, reg, 0); /* may hold from elsewhere what left */
    assert_int_equal(page.item_count, 3);
}

static void several_interests_share_a_walk(void **state)
{
    struct lia_test_db *t = *state;
    const struct lia_interest interests[3] = {
        {.registration = subscribe(t, "c", 10), .peer = PEER},
        {.registration = subscribe(t, "c", 20), .peer = PEER},
        {.collection = lia_str("d"), .after_seq = 3}};
    const struct lia_feed_query query = {
        .interests = interests, .interest_count = 3, .bytes_max = LIA_MIB};
    struct lia_feed_page page;

    lia_test_put(t, "c", 1, 25);
    lia_test_put(t, "c", 2, 15);
    lia_test_put(t, "d", 3, 1);
    lia_test_put(t, "d", 4, 1);
    page = read_page(t, &query);
    assert_int_equal(page.item_count, 3);
    assert_int_equal(page.items[0].hit_count, 2);
    assert_int_equal(page.items[1].hit_count, 1);
    assert_int_equal(page.items[1].hits[0].interest, 0);
    assert_int_equal(page.items[2].hits[0].interest, 2);
    assert_slice_equal(page.items[2].key, lia_test_key(t, 4));
}

/* Of the whole collection: only then there are marks. */
static uint64_t subscribe_whole(struct lia_test_db *t, const char *collection)
{
    const struct lia_subscription sub = {.hash = LIA_BYTES("all of it"),
                                         .collection = lia_str(collection)};
    struct lia_registration reg;

    assert_ok(lia_db_register(t->db, PEER, &sub, &reg, &t->err));
    return reg.id;
}

/* What does not match may have been left out: a reader that took the marks would believe
 * that it has it (docs/adr/0024, history 5). */
static void behind_a_predicate_there_are_no_marks(void **state)
{
    struct lia_test_db *t = *state;
    const struct lia_interest interest = {
        .registration = subscribe(t, "c", 5), .peer = PEER, .wants_marks = true};
    struct lia_feed_page page;

    lia_test_put(t, "c", 1, 10);
    page = follow(t, interest);
    assert_int_equal(page.item_count, 1);
    assert_int_equal(page.marks_count, 1);
    assert_int_equal(page.marks[0].marks.count, 0);
}

/* What is committed and not synced is in the page, which says so. */
static void a_page_says_what_must_be_durable(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_txn_options options = lia_txn_options(t->db, LIA_WRITE);
    const struct lia_interest interest = {
        .registration = subscribe_whole(t, "c"), .peer = PEER, .wants_marks = true};
    struct lia_commit first = lia_test_put(t, "c", 1, 1);
    struct lia_commit second;
    struct lia_feed_page page;
    struct lia_txn *txn;

    options.durability = LIA_NORMAL;
    assert_ok(lia_txn_begin(t->db, &options, &txn, &t->err));
    lia_test_put_in(t, txn, "c", 2, 2);
    assert_ok(lia_txn_commit(txn, &second, &t->err));
    page = follow(t, interest);
    assert_int_equal(page.item_count, 2);
    assert_int_equal(page.upto, second.seq);
    assert_int_equal(page.head, second.seq);
    assert_int_equal(lia_store_head(lia_db_store(t->db)).durable.seq, first.seq);
    assert_int_equal(page.marks_count, 1);
    assert_int_equal(lia_vector_get(page.marks[0].marks, second.stamp.actor),
                     second.stamp.hlc);
}

/* The page is full before it comes to the commit that is not durable, and lacks the row that
 * this has moved on: were the commit undone, the row would be back, behind the reader. */
static void a_full_page_waits_for_what_it_does_not_show(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_txn_options options = lia_txn_options(t->db, LIA_WRITE);
    const struct lia_interest interest = {.collection = lia_str("c")};
    const struct lia_feed_query query = {
        .interests = &interest, .interest_count = 1, .bytes_max = 1};
    struct lia_feed_page page;
    struct lia_commit last;
    struct lia_txn *txn;

    lia_test_put(t, "c", 1, 1);
    lia_test_put(t, "c", 2, 1);
    options.durability = LIA_NORMAL;
    assert_ok(lia_txn_begin(t->db, &options, &txn, &t->err));
    lia_test_put_in(t, txn, "c", 1, 2);
    assert_ok(lia_txn_commit(txn, &last, &t->err));
    page = read_page(t, &query);
    assert_int_equal(page.item_count, 1);
    assert_slice_equal(page.items[0].key, lia_test_key(t, 2));
    assert_true(page.upto < last.seq);
    assert_int_equal(page.head, last.seq);
}

/* Marks say what the page reflects: not before everything is in it. */
static void marks_come_with_the_last_page(void **state)
{
    struct lia_test_db *t = *state;
    const struct lia_interest interest = {
        .registration = subscribe(t, "c", 0), .peer = PEER, .wants_marks = true};
    struct lia_feed_query query = {
        .interests = &interest, .interest_count = 1, .bytes_max = 1};
    struct lia_feed_page page;

    lia_test_put(t, "c", 1, 1);
    lia_test_put(t, "c", 2, 2);
    page = read_page(t, &query);
    assert_int_equal(page.upto, 1);
    assert_int_equal(page.marks_count, 0);
    query.from = page.next;
    page = read_page(t, &query);
    assert_int_equal(page.upto, 2);
    assert_int_equal(page.marks_count, 1);
}

static struct lia_vector kept_of(struct lia_test_db *t)
{
    const struct lia_interest interest = {
        .registration = subscribe(t, "c", 0), .peer = PEER, .wants_marks = true};
    struct lia_feed_page page = follow(t, interest);

    assert_int_equal(page.marks_count, 1);
    return page.marks[0].kept;
}

/* Who is no keeper passes on what it was told, and adds nothing. */
static void what_keepers_hold_is_passed_on(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_vector_entry entry = {3, 50};
    const struct lia_batch_keep keep = {.collection = lia_str("c"),
                                        .kept = {&entry, 1}};
    const struct lia_name whole = lia_name_of(lia_str("c"), lia_slice(NULL, 0));
    const struct lia_batch_marks marks = {lia_name_slice(&whole), {&entry, 1}};
    struct lia_batch batch = {.peer = PEER, .keeps = &keep, .keep_count = 1};
    struct lia_commit own = lia_test_put(t, "c", 1, 1);
    struct lia_applied applied;

    assert_int_equal(kept_of(t).count, 0);
    assert_ok(lia_db_apply(t->db, &t->arena, &batch, LIA_FULL, &applied, &t->err));
    assert_int_equal(kept_of(t).count, 1);
    assert_int_equal(lia_vector_get(kept_of(t), 3), 50);
    entry.hlc = 60;
    batch = (struct lia_batch){.peer = PEER, .marks = &marks, .marks_count = 1};
    assert_ok(lia_db_apply(t->db, &t->arena, &batch, LIA_FULL, &applied, &t->err));
    assert_int_equal(lia_vector_get(kept_of(t), 3), 50);
    assert_int_equal(lia_vector_get(kept_of(t), own.stamp.actor), 0);
    entry.hlc = UINT64_MAX;
    batch = (struct lia_batch){.peer = PEER, .keeps = &keep, .keep_count = 1};
    assert_status(LIANA_EPROTOCOL,
                  lia_db_apply(t->db, &t->arena, &batch, LIA_FULL, &applied, NULL));
}

static void a_keeper_holds_what_it_reflects_for_good(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_vector_entry entry = {3, 60};
    const struct lia_name whole = lia_name_of(lia_str("c"), lia_slice(NULL, 0));
    const struct lia_batch_marks marks = {lia_name_slice(&whole), {&entry, 1}};
    const struct lia_batch batch = {.peer = PEER, .marks = &marks, .marks_count = 1};
    struct lia_commit own = lia_test_put(t, "c", 1, 1);
    struct lia_applied applied;

    assert_false(lia_db_identity(t->db).is_keeper);
    lia_test_db_close(t);
    t->options.is_keeper = true;
    lia_test_db_open(t);
    lia_test_db_close(t);
    t->options.is_keeper = false;
    lia_test_db_open(t);
    assert_true(lia_db_identity(t->db).is_keeper);
    assert_ok(lia_db_apply(t->db, &t->arena, &batch, LIA_FULL, &applied, &t->err));
    assert_int_equal(lia_vector_get(kept_of(t), 3), 60);
    assert_int_equal(lia_vector_get(kept_of(t), own.stamp.actor), own.stamp.hlc);
}

static void registrations_outlive_the_process(void **state)
{
    struct lia_test_db *t = *state;
    uint64_t reg = subscribe(t, "c", 10);
    struct lia_feed_page page;

    lia_test_put(t, "c", 1, 10);
    lia_test_db_close(t);
    lia_test_db_open(t);
    assert_int_equal(subscribe(t, "c", 10), reg);
    lia_test_put(t, "c", 1, 1);
    page = subscribed(t, reg, 1);
    assert_int_equal(page.item_count, 1);
    assert_item(&page, 0, lia_test_key(t, 1), LIA_FEED_LEFT, 1);
}

static struct lia_registration resume(struct lia_test_db *t,
                                      struct liana_slice peer,
                                      uint64_t after_seq)
{
    struct lia_subscription sub = lia_test_subscription(t, "c", 10);
    struct lia_registration reg;

    sub.after_seq = after_seq;
    assert_ok(lia_db_register(t->db, peer, &sub, &reg, &t->err));
    return reg;
}

static void registrations_have_a_floor(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_interest interest = {.peer = PEER, .after_seq = 2};
    const struct lia_feed_query query = {
        .interests = &interest, .interest_count = 1, .bytes_max = LIA_MIB};
    struct lia_registration reg;
    struct lia_feed_page page;

    lia_test_put(t, "c", 1, 10);
    lia_test_put(t, "c", 1, 10);
    reg = resume(t, PEER, 1);
    assert_int_equal(reg.floor_seq, 2);
    assert_false(reg.is_resumed);
    assert_true(resume(t, PEER, 2).is_resumed);
    interest.registration = reg.id;
    assert_ok(lia_db_feed(t->db, &t->arena, &query, &page, &t->err));
    interest.peer = OTHER;
    assert_status(LIANA_ENOTFOUND, lia_db_feed(t->db, &t->arena, &query, &page, NULL));
    interest.peer = PEER;
    assert_ok(lia_db_unregister(t->db, PEER, reg.id, &t->err));
    assert_status(LIANA_ENOTFOUND, lia_db_feed(t->db, &t->arena, &query, &page, NULL));
    assert_status(LIANA_ENOTFOUND, lia_db_unregister(t->db, PEER, reg.id, NULL));
}

static uint64_t log_length(struct lia_test_db *t)
{
    struct lia_txn *txn = lia_test_begin(t, LIA_READ);
    sqlite3_stmt *stmt;
    uint64_t count;

    assert_ok(lia_conn_prepare(lia_txn_conn(txn),
                               lia_str("SELECT count(*) FROM departed"), &stmt, NULL));
    assert_ok(lia_conn_step(lia_txn_conn(txn), stmt, NULL));
    count = lia_column_u64(stmt, 0);
    lia_conn_done(lia_txn_conn(txn), stmt);
    lia_txn_rollback(txn);
    return count;
}

/* The log is trimmed to what the slowest peer still needs, and reaches no further back
 * for who comes late. */
static void acknowledgements_raise_the_floor(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_registration reg;

    lia_test_put(t, "c", 1, 10);
    reg = resume(t, PEER, 0);
    resume(t, OTHER, 0);
    for (int32_t i = 0; i < 300; i++) {
        lia_test_put(t, "c", i, 10);
        lia_test_put(t, "c", i, 9);
    }
    assert_int_equal(log_length(t), 300);
    assert_ok(lia_db_register_ack(t->db, PEER, reg.id, 601, &t->err));
    assert_int_equal(resume(t, PEER, 601).floor_seq, 1);
    assert_int_equal(log_length(t), 300);
    assert_ok(lia_db_register_ack(t->db, OTHER, reg.id, 501, &t->err));
    assert_int_equal(log_length(t), 50);
    lia_test_db_close(t);
    lia_test_db_open(t);
    assert_int_equal(resume(t, PEER, 601).floor_seq, 501);
    assert_false(resume(t, OTHER, 500).is_resumed); /* its store was put back */
    assert_ok(lia_db_register_ack(t->db, OTHER, reg.id, 10, &t->err));
    assert_int_equal(resume(t, OTHER, 601).floor_seq, 601);
    assert_int_equal(log_length(t), 0);
    assert_status(LIANA_ENOTFOUND, lia_db_register_ack(t->db, PEER, 99, 1, NULL));
    assert_ok(lia_db_unregister(t->db, OTHER, reg.id, &t->err));
    assert_status(LIANA_ENOTFOUND,
                  lia_db_register_ack(t->db, OTHER, reg.id, 700, NULL));
}

/* A token that is older than what was acknowledged is told what left after the token. */
static void a_peer_that_was_put_back_hears_again(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_registration reg = resume(t, PEER, 0);
    struct lia_feed_page page;

    resume(t, OTHER, 0); /* keeps the log */
    lia_test_put(t, "c", 1, 10);
    lia_test_put(t, "c", 1, 1);
    assert_ok(lia_db_register_ack(t->db, PEER, reg.id, 2, &t->err));
    assert_true(resume(t, PEER, 1).is_resumed);
    page = subscribed(t, reg.id, 1);
    assert_int_equal(page.item_count, 1);
    assert_item(&page, 0, lia_test_key(t, 1), LIA_FEED_LEFT, 1);
}

/* It goes through everything once more, and hears what left behind its token. */
static void a_peer_that_looks_again_hears_what_left(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_subscription sub = lia_test_subscription(t, "c", 10);
    struct lia_registration reg = resume(t, PEER, 0);
    struct lia_feed_page page;

    lia_test_put(t, "c", 1, 10);
    lia_test_put(t, "c", 2, 10);
    assert_ok(lia_db_register_ack(t->db, PEER, reg.id, 2, &t->err));
    lia_test_put(t, "c", 1, 1);
    sub.after_seq = 2;
    sub.is_again = true;
    assert_ok(lia_db_register(t->db, PEER, &sub, &reg, &t->err));
    assert_true(reg.is_resumed);
    page = subscribed(t, reg.id, 0);
    assert_int_equal(page.item_count, 2);
    assert_item(&page, 0, lia_test_key(t, 2), LIA_FEED_MATCHES, 10);
    assert_item(&page, 1, lia_test_key(t, 1), LIA_FEED_LEFT, 1);
}

/* What an earlier page of a fill has shown may leave before the next one is read: within
 * one commit, and when a batch has ended between them. What left before the fill began was
 * never shown, though another peer's log has it. */
static void what_leaves_during_a_fill_is_told(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_interest interest = {.peer = PEER,
                                    .registration = resume(t, OTHER, 0).id};
    struct lia_feed_query query = {.interests = &interest,
                                   .interest_count = 1,
                                   .bytes_max = LIA_MIB,
                                   .rows_max = 2};
    struct lia_txn *txn = lia_test_begin(t, LIA_WRITE);
    struct lia_feed_page page;

    for (int32_t i = 1; i < 6; i++) {
        lia_test_put_in(t, txn, "c", i, 10);
    }
    assert_ok(lia_txn_commit(txn, NULL, &t->err));
    lia_test_put(t, "c", 10, 10);
    lia_test_put(t, "c", 10, 1);
    resume(t, PEER, 0);
    page = read_page(t, &query);
    assert_true(page.is_cut);
    lia_test_put(t, "c", 1, 1); /* leaves */
    query.from = page.next;
    page = read_page(t, &query);
    assert_true(page.is_cut);
    query.from = page.next;
    page = read_page(t, &query);
    assert_int_equal(page.upto, 3);
    assert_int_equal(page.item_count, 1);
    interest.after_seq = page.upto;
    lia_test_put(t, "c", 3, 1); /* leaves */
    query.from = (struct lia_feed_at){0};
    query.rows_max = 0;
    page = read_page(t, &query);
    assert_int_equal(page.item_count, 2);
    assert_item(&page, 0, lia_test_key(t, 1), LIA_FEED_LEFT, 1);
    assert_item(&page, 1, lia_test_key(t, 3), LIA_FEED_LEFT, 1);
    interest.after_seq = 0; /* all of it in one batch, to the end */
    lia_test_put(t, "c", 4, 1);
    resume(t, PEER, 0);
    query.rows_max = 1;
    page = read_page(t, &query);
    assert_true(page.is_cut);
    lia_test_put(t, "c", 2, 1); /* leaves */
    query.from = page.next;
    query.rows_max = 0;
    page = read_page(t, &query);
    assert_int_equal(page.item_count, 2);
    assert_item(&page, 0, lia_test_key(t, 5), LIA_FEED_MATCHES, 10);
    assert_item(&page, 1, lia_test_key(t, 2), LIA_FEED_LEFT, 1);
}

static size_t matched;

static liana_status count_match(void *ctx,
                                const struct lia_predicate *p,
                                struct liana_slice body,
                                bool *out)
{
    matched++;
    return lia_test_predicates.match(ctx, p, body, out);
}

/* Steps of SQLite's machine for the walk behind `after`. */
static int steps_of_walk(struct lia_test_db *t, uint64_t after, size_t *out_rows)
{
    struct lia_txn *txn = lia_test_begin(t, LIA_READ);
    struct lia_conn *conn = lia_txn_conn(txn);
    sqlite3_stmt *stmt;
    int steps;

    assert_ok(lia_conn_prepare(conn, lia_coll_find(t->db, lia_str("c"))->sql_walk,
                               &stmt, &t->err));
    lia_bind_u64(stmt, 1, after);
    lia_bind_u64(stmt, 2, INT64_MAX);
    lia_bind_u64(stmt, 3, INT64_MAX);
    sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 1);
    for (*out_rows = 0; lia_conn_step(conn, stmt, NULL) == LIANA_OK; ++*out_rows) {
    }
    steps = sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 1);
    lia_conn_done(conn, stmt);
    lia_txn_rollback(txn);
    return steps;
}

/* What a page costs is what has changed, however much there is. */
static void a_page_costs_what_changed(void **state)
{
    struct lia_test_db *t = *state;
    const struct lia_predicates counting = {.compile = lia_test_predicates.compile,
                                            .free = lia_test_predicates.free,
                                            .match = count_match};
    struct lia_feed_page page;
    struct lia_commit last;
    struct lia_txn *txn;
    size_t rows;
    uint64_t reg;

    lia_test_db_close(t);
    t->options.predicates = &counting;
    lia_test_db_open(t);
    for (int32_t i = 0; i < 20000; i += 1000) {
        txn = lia_test_begin(t, LIA_WRITE);
        for (int32_t k = 0; k < 1000; k++) {
            lia_test_put_in(t, txn, "c", i + k, k % 20);
        }
        assert_ok(lia_txn_commit(txn, &last, &t->err));
        lia_arena_reset(&t->arena);
    }
    reg = subscribe(t, "c", 10);
    matched = 0;
    lia_test_put(t, "c", 5, 12);
    lia_test_put(t, "c", 11, 2);
    lia_test_put(t, "c", 6, 3);
    assert_in_range(matched, 1, 6); /* before and after, once per commit */
    matched = 0;
    page = subscribed(t, reg, last.seq);
    assert_int_equal(page.item_count, 2);
    assert_int_equal(matched, 3);
    assert_in_range(steps_of_walk(t, last.seq, &rows), 1, 200);
    assert_int_equal(rows, 3);
    lia_test_db_close(t); /* `counting` ends here */
    t->options.predicates = &lia_test_predicates;
    lia_test_db_open(t);
}

static void unused_registrations_go(void **state)
{
    struct lia_test_db *t = *state;
    uint64_t old = subscribe(t, "c", 10);
    const struct lia_interest interest = {.registration = old, .peer = PEER};
    const struct lia_feed_query query = {.interests = &interest, .interest_count = 1};
    struct lia_feed_page page;

    lia_test_env_pass(&t->env, (uint64_t)31 * 24 * 3600 * 1000);
    subscribe(t, "c", 11);
    assert_status(LIANA_ENOTFOUND, lia_db_feed(t->db, &t->arena, &query, &page, NULL));
}

static void a_query_must_compile(void **state)
{
    struct lia_test_db *t = *state;
    const struct lia_subscription sub = {
        .hash = PEER, .collection = lia_str("c"), .query = LIA_BYTES("?")};
    const struct lia_subscription unnamed = {.collection = lia_str("c")};
    struct lia_registration reg;

    assert_status(LIANA_ESYNTAX, lia_db_register(t->db, PEER, &sub, &reg, NULL));
    assert_status(LIANA_EINVAL, lia_db_register(t->db, PEER, &unnamed, &reg, NULL));
    lia_test_put(t, "c", 1, 1);
}

/* The queries that ship: text of the language. */
static void queries_of_the_language(void **state)
{
    static const char QUERY[] = "SELECT * FROM c WHERE a >= 10";
    struct lia_test_db *t = *state;
    struct lia_subscription sub = {
        .hash = PEER, .collection = lia_str("c"), .query = LIA_BYTES(QUERY)};
    struct lia_registration reg;
    struct lia_feed_page page;

    lia_test_db_close(t);
    t->options.predicates = NULL;
    lia_test_db_open(t);
    assert_ok(lia_db_register(t->db, PEER, &sub, &reg, &t->err));
    lia_test_put(t, "c", 1, 10);
    lia_test_put(t, "c", 2, 9);
    lia_test_put(t, "c", 3, 11);
    lia_test_db_close(t);
    lia_test_db_open(t);
    lia_test_put(t, "c", 3, 1);
    page = subscribed(t, reg.id, 0);
    assert_int_equal(page.item_count, 2);
    page = subscribed(t, reg.id, 2);
    assert_int_equal(page.item_count, 1);
    assert_item(&page, 0, lia_test_key(t, 3), LIA_FEED_LEFT, 1);
    sub.query = LIA_BYTES("SELECT");
    sub.hash = LIA_BYTES("other");
    assert_status(LIANA_ESYNTAX, lia_db_register(t->db, PEER, &sub, &reg, &t->err));
}

static void heads_tell_copies_apart(void **state)
{
    struct lia_test_db *t = *state;
    const struct lia_key keys[3] = {{lia_str("c"), lia_test_key(t, 1)},
                                    {lia_str("c"), lia_test_key(t, 2)},
                                    {lia_str("none"), lia_test_key(t, 1)}};
    struct lia_commit commit = lia_test_put(t, "c", 1, 1);
    struct lia_doc_head before[3];
    struct lia_doc_head after[3];

    assert_ok(lia_db_heads(t->db, &t->arena, keys, 3, before, &t->err));
    assert_true(before[0].is_held && before[0].exists);
    assert_int_equal(before[0].vector.count, 1);
    assert_int_equal(before[0].vector.entries[0].hlc, commit.stamp.hlc);
    assert_false(before[1].is_held);
    assert_false(before[2].is_held);
    lia_test_delete(t, "c", 1);
    assert_ok(lia_db_heads(t->db, &t->arena, keys, 3, after, &t->err));
    assert_true(after[0].is_held && !after[0].exists);
    assert_memory_not_equal(before[0].digest, after[0].digest, LIA_DIGEST_BYTES);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(each_document_once_in_order),
        CASE(tombstones_are_changes),
        CASE(a_commit_spans_collections),
        CASE(pages_of_any_size_give_the_same),
        CASE(a_large_commit_is_cut_and_says_so),
        CASE(a_predicate_selects),
        CASE(what_leaves_is_told),
        CASE(several_interests_share_a_walk),
        CASE(behind_a_predicate_there_are_no_marks),
        CASE(a_page_says_what_must_be_durable),
        CASE(a_full_page_waits_for_what_it_does_not_show),
        CASE(marks_come_with_the_last_page),
        CASE(what_keepers_hold_is_passed_on),
        CASE(a_keeper_holds_what_it_reflects_for_good),
        CASE(registrations_outlive_the_process),
        CASE(registrations_have_a_floor),
        CASE(acknowledgements_raise_the_floor),
        CASE(a_peer_that_was_put_back_hears_again),
        CASE(a_peer_that_looks_again_hears_what_left),
        CASE(what_leaves_during_a_fill_is_told),
        CASE(a_page_costs_what_changed),
        CASE(unused_registrations_go),
        CASE(a_query_must_compile),
        CASE(queries_of_the_language),
        CASE(heads_tell_copies_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
