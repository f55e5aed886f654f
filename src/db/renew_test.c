/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <stdio.h>

#include "base/file.h"
#include "base/limits.h"
#include "db/renew.h"
#include "db/testing/statements.h"
#include "store/testing/disk.h"

/*
 * A store whose disk can be copied, and one that meets it and its copies. `peer` keeps
 * what it has seen of the last that it met, as a real one does.
 */
struct world {
    struct lia_test_db store;
    struct lia_test_db copy;
    struct lia_test_db peer;
    struct lia_test_disk disks[3];
    struct lia_rng rng;
    struct lia_seen seen; /* by `peer` */
};

static void init_on(struct lia_test_db *t, uint64_t seed, const char *vfs)
{
    lia_test_db_init(t, seed);
    t->options.store.vfs = vfs;
    t->options.store.path = "s";
}

static int setup(void **state)
{
    struct world *w = test_calloc(1, sizeof(*w));

    w->rng = lia_rng(lia_test_seed("renew"));
    lia_test_disk_init(&w->disks[0], "renew-0");
    init_on(&w->store, 1, "renew-0");
    init_on(&w->copy, 2, "renew-1");
    lia_test_db_init(&w->peer, 3);
    lia_test_db_open(&w->store);
    lia_test_db_open(&w->peer);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    lia_test_db_finish(&w->store);
    lia_test_db_finish(&w->copy);
    lia_test_db_finish(&w->peer);
    for (size_t i = 0; i < 3; i++) {
        lia_test_disk_deinit(&w->disks[i]);
    }
    test_free(w);
    return 0;
}

/* The disk as it is now, opened by another one. */
static void copy_store(struct world *w)
{
    lia_test_disk_crash(&w->disks[0], &w->rng, &w->disks[1], "renew-1");
}

static uint64_t actor(struct lia_test_db *t)
{
    return lia_db_identity(t->db).actor;
}

static bool judge(struct world *w, struct lia_test_db *t)
{
    bool renewed = true;

    assert_ok(lia_db_judge(t->db, &w->seen, &renewed, &t->err));
    return renewed;
}

static void mend(struct lia_test_db *t)
{
    bool more = true;

    while (more) {
        assert_ok(lia_db_mend(t->db, 1, &more, &t->err)); /* a document at a time */
    }
    assert_false(lia_db_must_mend(t->db));
}

/* Everything of one store to another, from what the receiver says that it has. */
static void send_all(struct lia_test_db *from, struct lia_test_db *to, int32_t docs)
{
    for (int32_t id = 1; id <= docs; id++) {
        struct lia_key key = {lia_str("c"), lia_test_key(to, id)};
        struct lia_doc_head head;
        struct lia_batch_item item;
        struct lia_batch batch = {
            .peer = lia_slice("p", 1), .origin = 7, .items = &item, .item_count = 1};
        struct lia_applied applied;

        if (!lia_test_doc(from, "c", id).clock.len) {
            continue;
        }
        assert_ok(lia_db_heads(to->db, &to->arena, &key, 1, &head, &to->err));
        item = lia_test_segment(from, "c", id, head.vector);
        assert_ok(
            lia_db_apply(to->db, &to->arena, &batch, LIA_FULL, &applied, &to->err));
        assert_true(applied.is_committed);
    }
}

static void meet(struct world *w, struct lia_test_db *t, int32_t docs)
{
    send_all(t, &w->peer, docs);
    send_all(&w->peer, t, docs);
    w->seen = lia_test_history(t);
}

static void assert_equal_stores(struct lia_test_db *a, struct lia_test_db *b, int32_t n)
{
    for (int32_t id = 1; id <= n; id++) {
        assert_slice_equal(lia_test_doc(a, "c", id).body,
                           lia_test_doc(b, "c", id).body);
        assert_slice_equal(lia_test_doc(a, "c", id).clock,
                           lia_test_doc(b, "c", id).clock);
    }
}

/* ---- at open ---- */

static enum lia_renewal_reason newest_reason(struct lia_test_db *t, size_t *out_count)
{
    const struct lia_renewal *all;

    assert_ok(lia_db_renewals(t->db, &t->arena, 100, &all, out_count, &t->err));
    return *out_count ? all[0].reason : 0;
}

static void another_file_is_another_actor(void **state)
{
    struct world *w = *state;
    uint64_t before;
    size_t count;

    lia_test_db_close(&w->store);
    w->store.options.file_identity = 1;
    lia_test_db_open(&w->store);
    before = actor(&w->store);
    lia_test_put(&w->store, "c", 1, 1);
    lia_test_db_close(&w->store);
    lia_test_db_open(&w->store);
    assert_true(actor(&w->store) == before);
    lia_test_db_close(&w->store);
    w->store.options.file_identity = 2;
    lia_test_db_open(&w->store);
    assert_true(actor(&w->store) != before);
    assert_int_equal(newest_reason(&w->store, &count), LIA_RENEWED_FILE);
    assert_int_equal(count, 1);
    assert_false(lia_db_must_mend(w->store.db));
    lia_test_put(&w->store, "c", 1, 2);
    assert_int_equal(lia_test_get(&w->store, "c", 1), 2);
}

static void a_copied_folder_is_another_actor(void **state)
{
    struct world *w = *state;
    char from[LIA_TEST_PATH_MAX + 16];
    char to[LIA_TEST_PATH_MAX + 16];
    uint64_t before = actor(&w->peer);
    struct lia_buf bytes;

    lia_test_put(&w->peer, "c", 1, 1);
    lia_test_db_close(&w->peer);
    lia_test_db_open(&w->peer);
    assert_true(actor(&w->peer) == before);
    lia_test_db_close(&w->peer);
    (void)snprintf(from, sizeof(from), "%s/store.db", w->peer.options.store.path);
    (void)snprintf(to, sizeof(to), "%s/copy.db", w->peer.options.store.path);
    lia_buf_init(&bytes, &lia_mem_libc);
    assert_ok(lia_file_read(from, LIA_MIB, &bytes, NULL));
    assert_ok(lia_file_replace(from, lia_buf_slice(&bytes), 0600, NULL));
    lia_buf_deinit(&bytes);
    lia_test_db_open(&w->peer);
    assert_true(actor(&w->peer) != before);
    assert_int_equal(lia_test_get(&w->peer, "c", 1), 1);
}

static uint64_t actor_after_crash(struct world *w, enum lia_durability durability)
{
    w->copy.options.store.durability = durability;
    lia_test_disk_deinit(&w->disks[1]);
    copy_store(w);
    lia_test_db_open(&w->copy);
    return actor(&w->copy);
}

static void an_unclean_end_matters_without_full_durability(void **state)
{
    struct world *w = *state;
    size_t count;

    assert_true(actor_after_crash(w, LIA_FULL) == actor(&w->store));
    lia_test_db_close(&w->copy);
    lia_test_db_close(&w->store);
    w->store.options.store.durability = LIA_NORMAL;
    lia_test_db_open(&w->store);
    assert_true(actor_after_crash(w, LIA_NORMAL) != actor(&w->store));
    assert_int_equal(newest_reason(&w->copy, &count), LIA_RENEWED_UNCLEAN);
}

/* ---- other histories ---- */

/* What both write after the copy is theirs alone: nothing gets lost, whoever is met
 * first, and both have new names. */
static void a_copy_and_its_original_part(void **state)
{
    struct world *w = *state;
    uint64_t first = actor(&w->store);

    for (int32_t id = 1; id <= 3; id++) {
        lia_test_put(&w->store, "c", id, id);
    }
    meet(w, &w->store, 9);
    copy_store(w);
    lia_test_db_open(&w->copy);
    assert_true(actor(&w->copy) == first); /* nothing tells, yet */
    lia_test_put(&w->store, "c", 1, 10);
    lia_test_put(&w->store, "c", 4, 40);
    w->copy.env.wall_ms += 60000;
    lia_test_put(&w->copy, "c", 2, 20);
    lia_test_put(&w->copy, "c", 5, 50);
    lia_test_put(&w->copy, "c", 1, 11);
    meet(w, &w->store, 9);

    assert_true(judge(w, &w->copy));
    assert_true(actor(&w->copy) != first);
    assert_true(lia_db_must_mend(w->copy.db));
    assert_false(judge(w, &w->copy)); /* it is known */
    mend(&w->copy);
    meet(w, &w->copy, 9);
    assert_false(judge(w, &w->copy));
    assert_int_equal(lia_test_get(&w->peer, "c", 1), 11);
    assert_int_equal(lia_test_get(&w->peer, "c", 2), 20);
    assert_int_equal(lia_test_get(&w->peer, "c", 5), 50);
    assert_int_equal(lia_test_get(&w->copy, "c", 4), 40);

    assert_true(judge(w, &w->store));
    assert_true(actor(&w->store) != first);
    mend(&w->store);
    meet(w, &w->store, 9);
    meet(w, &w->copy, 9);
    meet(w, &w->store, 9);
    meet(w, &w->copy, 9);
    assert_equal_stores(&w->peer, &w->store, 5);
    assert_equal_stores(&w->peer, &w->copy, 5);
}

/* The same disk, put back to what it was: the lost part comes back from the peer, and what
 * was written since, under the same stamps, reaches it. */
static void a_store_that_was_put_back_gets_its_lost_part(void **state)
{
    struct world *w = *state;
    uint64_t first = actor(&w->store);

    for (int32_t id = 1; id <= 3; id++) {
        lia_test_put(&w->store, "c", id, id);
    }
    meet(w, &w->store, 9);
    copy_store(w);
    lia_test_put(&w->store, "c", 1, 10);
    lia_test_put(&w->store, "c", 4, 40);
    meet(w, &w->store, 9);
    lia_test_db_close(&w->store); /* and is never seen again */

    lia_test_db_open(&w->copy);
    lia_test_put(&w->copy, "c", 5, 50);
    lia_test_put(&w->copy, "c", 2, 20);
    assert_true(judge(w, &w->copy));
    assert_true(actor(&w->copy) != first);
    meet(w, &w->copy, 9); /* before it is mended: what comes is */
    mend(&w->copy);
    meet(w, &w->copy, 9);
    assert_int_equal(lia_test_get(&w->copy, "c", 1), 10);
    assert_int_equal(lia_test_get(&w->copy, "c", 4), 40);
    assert_int_equal(lia_test_get(&w->peer, "c", 2), 20);
    assert_int_equal(lia_test_get(&w->peer, "c", 5), 50);
    assert_equal_stores(&w->peer, &w->copy, 5);
    lia_test_db_open(&w->store); /* for the teardown */
}

static bool has_new_tag(struct lia_test_db *t, int32_t id)
{
    struct lia_doc_info info;

    assert_ok(lia_doc_info(&t->arena, lia_test_doc(t, "c", id).clock, &info));
    return lia_vector_get(info.vector, actor(t)) > 0;
}

/* And nothing else does. */
static void what_is_in_doubt_gets_new_tags(void **state)
{
    struct world *w = *state;

    lia_test_put(&w->store, "c", 1, 1);
    meet(w, &w->store, 3);
    copy_store(w);
    lia_test_put(&w->store, "c", 3, 30);
    meet(w, &w->store, 3);
    lia_test_db_open(&w->copy);
    lia_test_put(&w->copy, "c", 2, 20);
    assert_true(judge(w, &w->copy));
    assert_false(has_new_tag(&w->copy, 2));
    mend(&w->copy);
    assert_true(has_new_tag(&w->copy, 2));
    assert_false(has_new_tag(&w->copy, 1));
}

/* A copy that was found out at its opening has written nothing that is in doubt. */
static void a_known_copy_leaves_the_original_alone(void **state)
{
    struct world *w = *state;
    uint64_t first;

    lia_test_db_close(&w->store);
    w->store.options.file_identity = 1;
    lia_test_db_open(&w->store);
    first = actor(&w->store);
    lia_test_put(&w->store, "c", 1, 1);
    meet(w, &w->store, 2);
    copy_store(w);
    w->copy.options.file_identity = 2;
    lia_test_db_open(&w->copy);
    assert_true(actor(&w->copy) != first);
    lia_test_put(&w->store, "c", 1, 2);
    meet(w, &w->store, 2);
    assert_false(judge(w, &w->copy));
    lia_test_put(&w->copy, "c", 2, 2);
    meet(w, &w->copy, 2);
    assert_false(judge(w, &w->store));
    assert_true(actor(&w->store) == first);
    meet(w, &w->store, 2);
    assert_equal_stores(&w->store, &w->copy, 2);
}

/* Opening after opening is one history, however often it was not told. */
static void a_restart_is_no_other_history(void **state)
{
    struct world *w = *state;
    uint64_t first = actor(&w->store);

    lia_test_put(&w->store, "c", 1, 1);
    meet(w, &w->store, 1);
    for (int i = 0; i < 20; i++) {
        lia_test_db_close(&w->store);
        lia_test_db_open(&w->store);
        lia_test_put(&w->store, "c", 1, i);
        assert_false(judge(w, &w->store));
        if (i % 7 == 0) {
            meet(w, &w->store, 1);
        }
    }
    assert_true(actor(&w->store) == first);
}

/* What nobody is left to tell: of openings before all that are kept here. */
static void a_copy_that_was_away_for_long_is_found_out(void **state)
{
    struct world *w = *state;

    lia_test_put(&w->store, "c", 1, 1);
    meet(w, &w->store, 3);
    copy_store(w);
    for (int32_t i = 0; i < 12; i++) {
        lia_test_db_close(&w->store);
        lia_test_db_open(&w->store);
        lia_test_put(&w->store, "c", 2, i);
    }
    meet(w, &w->store, 3);
    for (int32_t i = 0; i < 12; i++) {
        lia_test_db_open(&w->copy);
        lia_test_put(&w->copy, "c", 3, i);
        lia_test_db_close(&w->copy);
    }
    lia_test_db_open(&w->copy);
    assert_true(judge(w, &w->copy));
    mend(&w->copy);
    meet(w, &w->copy, 3);
    meet(w, &w->copy, 3); /* what came had to get new tags */
    assert_equal_stores(&w->peer, &w->copy, 3);
    assert_int_equal(lia_test_get(&w->peer, "c", 2), 11);
    assert_int_equal(lia_test_get(&w->peer, "c", 3), 11);
}

/* Nobody was met who knows both: the stamp itself tells. */
static void a_stamp_of_our_own_that_we_never_made_tells(void **state)
{
    struct world *w = *state;
    uint64_t first = actor(&w->store);
    struct lia_batch_item item;
    const struct lia_batch batch = {
        .peer = lia_slice("q", 1), .items = &item, .item_count = 1};
    struct lia_applied applied;
    size_t count;

    lia_test_put(&w->store, "c", 1, 1);
    copy_store(w);
    lia_test_db_open(&w->copy);
    lia_test_put(&w->copy, "c", 2, 20);
    w->store.env.wall_ms += 1000;
    lia_test_put(&w->store, "c", 3, 30);
    item = lia_test_segment(&w->store, "c", 3, (struct lia_vector){0});
    assert_status(LIANA_ERENEWED, lia_db_apply(w->copy.db, &w->copy.arena, &batch,
                                               LIA_FULL, &applied, NULL));
    assert_true(actor(&w->copy) != first);
    assert_int_equal(newest_reason(&w->copy, &count), LIA_RENEWED_STAMP);
    mend(&w->copy);
    send_all(&w->store, &w->copy, 3);
    item = lia_test_segment(&w->copy, "c", 2, (struct lia_vector){0});
    assert_status(LIANA_ERENEWED, lia_db_apply(w->store.db, &w->store.arena, &batch,
                                               LIA_FULL, &applied, NULL));
    assert_true(actor(&w->store) != first); /* the same, where the stamp is older */
    mend(&w->store);
    for (int round = 0; round < 2; round++) {
        send_all(&w->copy, &w->store, 3); /* what came has new tags */
        send_all(&w->store, &w->copy, 3);
    }
    assert_equal_stores(&w->store, &w->copy, 3);
}

/* Nothing is left of the lost write, but vectors name it: others may lack that behind marks
 * that say they have it. */
static void what_was_written_over_is_told_too(void **state)
{
    struct world *w = *state;
    uint64_t first = actor(&w->store);
    struct lia_doc_info info;
    uint64_t lost;

    lia_test_put(&w->store, "c", 1, 1);
    meet(w, &w->store, 9);
    copy_store(w);
    lost = lia_test_put(&w->store, "c", 1, 10).stamp.hlc;
    meet(w, &w->store, 9);
    w->peer.env.wall_ms += 60000;
    lia_test_put(&w->peer, "c", 1, 20);
    lia_test_db_open(&w->copy);
    w->copy.env.wall_ms += 60000;
    lia_test_put(&w->copy, "c", 2, 2);
    assert_true(judge(w, &w->copy));
    mend(&w->copy);
    send_all(&w->peer, &w->copy, 1);
    assert_ok(
        lia_doc_info(&w->copy.arena, lia_test_doc(&w->copy, "c", 1).clock, &info));
    assert_true(lia_vector_get(info.vector, first) == lost);
    assert_true(lia_vector_get(info.vector, actor(&w->copy)) > 0);
    send_all(&w->copy, &w->peer, 2);
    send_all(&w->peer, &w->copy, 2); /* and answers come to an end */
    assert_equal_stores(&w->peer, &w->copy, 2);
}

/* What is not committed has not been done, whoever asks again. */
static void a_renewal_that_found_no_room_is_made_later(void **state)
{
    struct world *w = *state;
    bool renewed = true;
    uint64_t first;

    lia_test_put(&w->store, "c", 1, 1);
    meet(w, &w->store, 9);
    copy_store(w);
    lia_test_put(&w->store, "c", 1, 10);
    meet(w, &w->store, 9);
    lia_test_db_open(&w->copy);
    w->copy.env.wall_ms += 60000;
    lia_test_put(&w->copy, "c", 2, 2);
    first = actor(&w->copy);
    w->disks[1].bytes_max = 1;
    assert_status(LIANA_EFULL, lia_db_judge(w->copy.db, &w->seen, &renewed, NULL));
    assert_false(renewed);
    assert_false(lia_db_must_mend(w->copy.db));
    assert_true(actor(&w->copy) == first);
    w->disks[1].bytes_max = 0;
    assert_true(judge(w, &w->copy));
    assert_true(actor(&w->copy) != first);
    mend(&w->copy);
}

/* ---- power is lost on the way ---- */

static void mending_goes_on_after_a_crash(void **state)
{
    struct world *w = *state;
    bool more;

    lia_test_put(&w->store, "c", 1, 1);
    meet(w, &w->store, 9);
    copy_store(w);
    lia_test_put(&w->store, "c", 1, 10);
    meet(w, &w->store, 9);
    lia_test_db_open(&w->copy);
    for (int32_t id = 2; id <= 9; id++) {
        lia_test_put(&w->copy, "c", id, id);
    }
    assert_true(judge(w, &w->copy));
    for (int i = 0; i < 3; i++) {
        assert_ok(lia_db_mend(w->copy.db, 1, &more, &w->copy.err));
        assert_true(more);
    }
    lia_test_disk_crash(&w->disks[1], &w->rng, &w->disks[2], "renew-2");
    lia_test_db_close(&w->copy);
    w->copy.options.store.vfs = "renew-2";
    lia_test_db_open(&w->copy);
    assert_true(lia_db_must_mend(w->copy.db));
    mend(&w->copy);
    meet(w, &w->copy, 9);
    meet(w, &w->copy, 9);
    assert_int_equal(lia_test_get(&w->copy, "c", 1), 10);
    assert_equal_stores(&w->peer, &w->copy, 9);
}

/* What it takes of the lost history may be stamped later than its own clock: the new tags
 * are later still, or the peer would keep the old ones under the same vector. */
static void tags_are_newer_than_what_they_replace(void **state)
{
    struct world *w = *state;

    lia_test_put(&w->store, "c", 1, 1);
    meet(w, &w->store, 2);
    copy_store(w);
    w->store.env.wall_ms += 300000;
    w->peer.env.wall_ms += 300000;
    lia_test_put(&w->store, "c", 1, 2);
    meet(w, &w->store, 2);
    lia_test_db_open(&w->copy);
    lia_test_put(&w->copy, "c", 2, 2);
    assert_true(judge(w, &w->copy));
    mend(&w->copy);
    meet(w, &w->copy, 2);
    meet(w, &w->copy, 2);
    assert_int_equal(lia_test_get(&w->peer, "c", 1), 2);
    assert_equal_stores(&w->copy, &w->peer, 2);
}

/* A delete is all that is left of the document: it travels under a tag of its own. */
static void a_delete_after_the_fall_is_told(void **state)
{
    struct world *w = *state;

    lia_test_put(&w->peer, "c", 1, 1);
    send_all(&w->peer, &w->store, 1);
    copy_store(w);
    w->store.env.wall_ms += 60000;
    lia_test_put(&w->store, "c", 1, 2);
    meet(w, &w->store, 1);
    lia_test_db_open(&w->copy);
    lia_test_delete(&w->copy, "c", 1);
    assert_true(judge(w, &w->copy));
    mend(&w->copy);
    meet(w, &w->copy, 1);
    meet(w, &w->copy, 1);
    assert_int_equal(lia_test_get(&w->copy, "c", 1), -1);
    assert_int_equal(lia_test_get(&w->peer, "c", 1), -1);
    assert_equal_stores(&w->copy, &w->peer, 1);
}

/* ---- marks and tokens ---- */

static void marks_and_tokens_that_rest_on_doubt_are_taken_back(void **state)
{
    struct world *w = *state;
    const struct liana_slice sub = lia_slice("sub", 3);
    struct lia_vector_entry entries[] = {{0, 0}};
    const struct lia_batch_marks marks = {sub, {entries, 1}};
    const struct lia_token token = {
        .peer = lia_slice("p", 1), .subscription = sub, .epoch = 7, .seq = 5};
    struct lia_batch batch = {
        .peer = lia_slice("p", 1), .tokens = &token, .token_count = 1};
    struct lia_applied applied;
    struct lia_token got;
    struct lia_vector all;
    uint64_t old = actor(&w->store);
    uint64_t common = lia_test_put(&w->store, "c", 1, 1).stamp.hlc;

    meet(w, &w->store, 1);
    copy_store(w);
    lia_test_put(&w->store, "c", 1, 2);
    meet(w, &w->store, 1);
    lia_test_db_open(&w->copy);
    lia_test_put(&w->copy, "c", 2, 2);
    assert_ok(lia_db_apply(w->copy.db, &w->copy.arena, &batch, LIA_FULL, &applied,
                           &w->copy.err));
    assert_true(judge(w, &w->copy));
    assert_status(LIANA_ENOTFOUND, lia_db_token(w->copy.db, &w->copy.arena, token.peer,
                                                sub, &got, NULL));
    entries[0] = (struct lia_vector_entry){old, w->seen.stamp.hlc};
    batch.marks = &marks;
    batch.marks_count = 1;
    assert_ok(lia_db_apply(w->copy.db, &w->copy.arena, &batch, LIA_FULL, &applied,
                           &w->copy.err));
    assert_ok(lia_db_marks(w->copy.db, &w->copy.arena, sub, &all, &w->copy.err));
    assert_int_equal(lia_vector_get(all, old), common);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ---- memory ---- */

static liana_status judge_and_mend(struct world *w)
{
    struct lia_test_db *t = &w->copy;
    bool more = true;
    bool renewed;
    liana_status status = lia_db_judge(t->db, &w->seen, &renewed, NULL);

    while (!status && more) {
        status = lia_db_mend(t->db, 1, &more, NULL);
    }
    return status;
}

/* From the same copy each time. */
static liana_status renew_with(const struct liana_allocator *a, void *ctx)
{
    struct world *w = ctx;
    struct lia_test_db *t = &w->copy;
    const struct liana_allocator *own = t->env.env.alloc;
    struct lia_doc_info info;
    liana_status status;

    lia_test_disk_deinit(&w->disks[1]);
    lia_test_disk_crash(&w->disks[2], &w->rng, &w->disks[1], "renew-1");
    t->env.env.alloc = a;
    status = lia_db_open(&t->options, &t->db, NULL);
    if (!status) {
        status = judge_and_mend(w);
        LIA_IGNORE(lia_db_close(t->db, NULL)); /* its end may not be noted */
    }
    t->env.env.alloc = own;
    lia_test_db_open(t);
    assert_ok(judge_and_mend(w)); /* what was left goes on */
    assert_int_equal(lia_test_get(t, "c", 2), 20);
    assert_ok(lia_doc_info(&t->arena, lia_test_doc(t, "c", 2).clock, &info));
    assert_true(lia_vector_get(info.vector, actor(t)) > 0);
    lia_test_db_close(t);
    lia_arena_reset(&t->arena);
    return status;
}

static void out_of_memory_is_a_status(void **state)
{
    struct world *w = *state;

    for (int32_t id = 1; id <= 3; id++) {
        lia_test_put(&w->store, "c", id, id);
    }
    meet(w, &w->store, 9);
    copy_store(w);
    lia_test_put(&w->store, "c", 1, 10);
    meet(w, &w->store, 9);
    lia_test_db_open(&w->copy);
    w->copy.env.wall_ms += 60000;
    lia_test_put(&w->copy, "c", 2, 20);
    lia_test_db_close(&w->copy);
    lia_test_disk_crash(&w->disks[1], &w->rng, &w->disks[2], "renew-2");
    lia_test_each_failure(renew_with, w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(another_file_is_another_actor),
        CASE(a_copied_folder_is_another_actor),
        CASE(an_unclean_end_matters_without_full_durability),
        CASE(a_copy_and_its_original_part),
        CASE(a_store_that_was_put_back_gets_its_lost_part),
        CASE(what_is_in_doubt_gets_new_tags),
        CASE(a_known_copy_leaves_the_original_alone),
        CASE(a_restart_is_no_other_history),
        CASE(a_copy_that_was_away_for_long_is_found_out),
        CASE(a_stamp_of_our_own_that_we_never_made_tells),
        CASE(what_was_written_over_is_told_too),
        CASE(a_renewal_that_found_no_room_is_made_later),
        CASE(mending_goes_on_after_a_crash),
        CASE(out_of_memory_is_a_status),
        CASE(tags_are_newer_than_what_they_replace),
        CASE(a_delete_after_the_fall_is_told),
        CASE(marks_and_tokens_that_rest_on_doubt_are_taken_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
