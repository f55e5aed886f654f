/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "base/limits.h"
#include "db/testing/fixture.h"
#include "store/testing/disk.h"

/* What one run needs and leaves. Inputs are made beforehand, with other memory. */
struct fixture {
    struct lia_test_db source; /* where segments come from, and helpers */
    struct lia_batch_item item;
    struct liana_slice body;
    struct liana_slice key;
    struct lia_test_disk disk;
    struct lia_env env;
    struct lia_db_options options;
};

static const struct liana_slice PEER = {(const uint8_t *)"peer", 4};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    lia_test_db_init(&f->source, 1);
    lia_test_db_open(&f->source);
    lia_test_put(&f->source, "c", 7, 7);
    f->item = lia_test_segment(&f->source, "c", 7, (struct lia_vector){0});
    f->body = lia_test_body(&f->source, 1, 1);
    f->key = lia_test_key(&f->source, 1);
    f->env = f->source.env.env;
    f->options = f->source.options;
    f->options.store.env = &f->env;
    f->options.store.vfs = "memory_test";
    f->options.store.path = "store";
    f->options.predicates = NULL;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    lia_test_db_finish(&f->source);
    lia_test_disk_deinit(&f->disk);
    test_free(f);
    return 0;
}

static liana_status change(struct fixture *f, struct lia_db *db)
{
    const struct lia_op delete = {.kind = LIA_OP_DELETE};
    const struct lia_collection *coll;
    struct lia_txn_options options = lia_txn_options(db, LIA_WRITE);
    struct lia_txn *txn;
    liana_status status = lia_txn_begin(db, &options, &txn, NULL);

    if (status) {
        return status;
    }
    status = lia_txn_collection(txn, lia_str("c"), true, &coll, NULL);
    if (!status) {
        status = lia_txn_insert(txn, coll, f->body, NULL, NULL);
    }
    if (!status) {
        status = lia_txn_apply(txn, coll, f->key, &delete, 1, NULL, NULL);
    }
    if (!status) {
        status = lia_txn_insert(txn, coll, f->body, NULL, NULL);
    }
    if (status) {
        lia_txn_rollback(txn);
        return status;
    }
    return lia_txn_commit(txn, NULL, NULL);
}

static liana_status receive(struct fixture *f,
                            struct lia_db *db,
                            struct lia_arena *arena)
{
    const struct lia_vector_entry entry = {9, 50};
    const struct lia_batch_marks marks = {PEER, {&entry, 1}};
    struct lia_batch batch = {.peer = PEER,
                              .items = &f->item,
                              .item_count = 1,
                              .marks = &marks,
                              .marks_count = 1};
    struct lia_applied applied;
    uint64_t stage = 0;
    liana_status status = lia_db_stage(db, &stage, &f->item, 1, NULL);

    batch.stages = &stage;
    batch.stage_count = 1;
    return status ? status : lia_db_apply(db, arena, &batch, LIA_FULL, &applied, NULL);
}

static liana_status look(struct fixture *f,
                         struct lia_db *db,
                         uint64_t registration,
                         struct lia_listener *listener,
                         struct lia_arena *arena)
{
    const struct lia_key key = {lia_str("c"), f->key};
    const struct lia_interest interest = {
        .registration = registration, .peer = PEER, .wants_marks = true};
    const struct lia_feed_query query = {
        .interests = &interest, .interest_count = 1, .bytes_max = LIA_MIB};
    struct lia_feed_page page;
    struct lia_doc_head head;
    struct lia_taken taken;
    liana_status status = lia_db_feed(db, arena, &query, &page, NULL);

    if (!status) {
        status = lia_db_heads(db, arena, &key, 1, &head, NULL);
    }
    return status ? status : lia_db_take(listener, arena, LIA_MIB, &taken);
}

static liana_status use(struct fixture *f, struct lia_db *db, struct lia_arena *arena)
{
    const struct lia_listener_options options = {.wants_before_body = true};
    const struct lia_subscription sub = {.hash = PEER,
                                         .collection = lia_str("c"),
                                         .query =
                                             LIA_BYTES("SELECT * FROM c WHERE a > 0")};
    struct lia_registration reg;
    struct lia_listener *listener = NULL;
    uint64_t seq;
    liana_status status = lia_db_listen(db, &options, &listener, &seq, NULL);

    if (!status) {
        status = lia_db_register(db, PEER, &sub, &reg, NULL);
    }
    if (!status) {
        status = change(f, db);
    }
    if (!status) {
        status = receive(f, db, arena);
    }
    if (!status) {
        status = look(f, db, reg.id, listener, arena);
    }
    if (!status) {
        status = lia_db_register_ack(db, PEER, reg.id, 1, NULL);
    }
    lia_db_unlisten(listener);
    return status;
}

static liana_status scenario(const struct liana_allocator *a, void *ctx)
{
    struct fixture *f = ctx;
    struct lia_db *db = NULL;
    struct lia_arena arena;
    liana_status closed;
    liana_status status;

    lia_test_disk_deinit(&f->disk);
    lia_test_disk_init(&f->disk, "memory_test");
    f->env.alloc = a;
    lia_arena_init(&arena, a);
    status = lia_db_open(&f->options, &db, NULL);
    if (!status) {
        status = use(f, db, &arena);
    }
    closed = lia_db_close(db, NULL);
    lia_arena_deinit(&arena);
    f->env.alloc = f->source.env.env.alloc;
    assert_ok(lia_db_open(&f->options, &db, NULL));
    assert_ok(lia_db_close(db, NULL));
    return status ? status : closed;
}

static void out_of_memory_is_a_status(void **state)
{
    lia_test_each_failure(scenario, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(out_of_memory_is_a_status, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
