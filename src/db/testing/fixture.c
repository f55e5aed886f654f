/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "db/testing/fixture.h"

#include "codec/key.h"

void lia_test_db_init(struct lia_test_db *t, uint64_t seed)
{
    *t = (struct lia_test_db){0};
    lia_test_env_init(&t->env, seed);
    lia_test_scratch(t->folder);
    lia_arena_init(&t->arena, &t->env.alloc.alloc);
    t->options = (struct lia_db_options){
        .store = {.env = &t->env.env, .path = t->folder, .create = true},
        .predicates = &lia_test_predicates,
    };
}

void lia_test_db_open(struct lia_test_db *t)
{
    liana_status status = lia_db_open(&t->options, &t->db, &t->err);

    if (status) {
        print_error("%s\n", t->err.message);
    }
    assert_ok(status);
}

void lia_test_db_close(struct lia_test_db *t)
{
    assert_ok(lia_db_close(t->db, &t->err));
    t->db = NULL;
}

void lia_test_db_finish(struct lia_test_db *t)
{
    lia_test_db_close(t);
    lia_arena_deinit(&t->arena);
    lia_test_scratch_remove(t->folder);
    lia_test_env_finish(&t->env);
}

static struct liana_slice keep(struct lia_test_db *t, struct lia_buf *buf)
{
    struct liana_slice copy;

    assert_ok(buf->status);
    assert_true(lia_arena_copy(&t->arena, lia_buf_slice(buf), &copy));
    lia_buf_deinit(buf);
    return copy;
}

struct liana_slice lia_test_key(struct lia_test_db *t, int32_t id)
{
    struct lia_scratch scratch;
    struct lia_buf buf;

    lia_buf_init(&buf, &t->env.alloc.alloc);
    assert_ok(lia_key_of_id(lia_value_of_int32(id, &scratch), &buf, &t->err));
    return keep(t, &buf);
}

struct liana_slice lia_test_body(struct lia_test_db *t, int32_t id, int32_t a)
{
    struct lia_buf buf;
    size_t doc;

    lia_buf_init(&buf, &t->env.alloc.alloc);
    doc = lia_bson_begin(&buf);
    lia_bson_add_int32(&buf, lia_str("_id"), id);
    lia_bson_add_int32(&buf, lia_str("a"), a);
    lia_bson_end(&buf, doc);
    return keep(t, &buf);
}

int32_t lia_test_a(struct lia_doc doc)
{
    struct lia_value v;

    if (!doc.body.len) {
        return -1;
    }
    assert_true(lia_bson_find(doc.body, lia_str("a"), &v));
    assert_int_equal(v.type, LIA_BSON_INT32);
    return lia_value_int32(v);
}

struct lia_txn *lia_test_begin(struct lia_test_db *t, enum lia_txn_kind kind)
{
    struct lia_txn_options options = lia_txn_options(t->db, kind);
    struct lia_txn *txn = NULL;

    options.wait_ms = 30000; /* for another thread; ends if it is for oneself */
    assert_ok(lia_txn_begin(t->db, &options, &txn, &t->err));
    return txn;
}

void lia_test_put_in(struct lia_test_db *t,
                     struct lia_txn *txn,
                     const char *collection,
                     int32_t id,
                     int32_t a)
{
    const struct lia_collection *coll;
    const struct liana_str name = lia_str("a");
    struct lia_scratch scratch;
    const struct lia_op set = {.kind = LIA_OP_SET,
                               .path = {&name, 1},
                               .value = lia_value_of_int32(a, &scratch)};
    liana_status status;

    assert_ok(lia_txn_collection(txn, lia_str(collection), true, &coll, &t->err));
    status = lia_txn_insert(txn, coll, lia_test_body(t, id, a), NULL, NULL);
    if (status == LIANA_EEXISTS) {
        status = lia_txn_apply(txn, coll, lia_test_key(t, id), &set, 1, NULL, &t->err);
    }
    assert_ok(status);
}

void lia_test_delete_in(struct lia_test_db *t,
                        struct lia_txn *txn,
                        const char *collection,
                        int32_t id)
{
    const struct lia_op delete = {.kind = LIA_OP_DELETE};
    const struct lia_collection *coll;

    assert_ok(lia_txn_collection(txn, lia_str(collection), true, &coll, &t->err));
    assert_ok(lia_txn_apply(txn, coll, lia_test_key(t, id), &delete, 1, NULL, &t->err));
}

struct lia_commit lia_test_put(struct lia_test_db *t,
                               const char *collection,
                               int32_t id,
                               int32_t a)
{
    struct lia_txn *txn = lia_test_begin(t, LIA_WRITE);
    struct lia_commit commit;

    lia_test_put_in(t, txn, collection, id, a);
    assert_ok(lia_txn_commit(txn, &commit, &t->err));
    return commit;
}

struct lia_commit lia_test_delete(struct lia_test_db *t,
                                  const char *collection,
                                  int32_t id)
{
    struct lia_txn *txn = lia_test_begin(t, LIA_WRITE);
    struct lia_commit commit;

    lia_test_delete_in(t, txn, collection, id);
    assert_ok(lia_txn_commit(txn, &commit, &t->err));
    return commit;
}

struct lia_doc lia_test_doc(struct lia_test_db *t, const char *collection, int32_t id)
{
    const struct lia_key key = {lia_str(collection), lia_test_key(t, id)};
    struct lia_held held;

    assert_ok(lia_db_docs(t->db, &t->arena, &key, 1, &held, &t->err));
    return held.doc;
}

int32_t lia_test_get(struct lia_test_db *t, const char *collection, int32_t id)
{
    return lia_test_a(lia_test_doc(t, collection, id));
}

struct lia_batch_item lia_test_segment(struct lia_test_db *t,
                                       const char *collection,
                                       int32_t id,
                                       struct lia_vector from)
{
    struct lia_batch_item item = {.key = {lia_str(collection), lia_test_key(t, id)}};

    assert_ok(lia_doc_segment(&t->arena, lia_test_doc(t, collection, id), from,
                              &item.segment));
    return item;
}

void lia_test_send(struct lia_test_db *from,
                   struct lia_test_db *to,
                   const char *collection,
                   int32_t id)
{
    const struct lia_batch_item item =
        lia_test_segment(from, collection, id, (struct lia_vector){0});
    const struct lia_batch batch = {
        .peer = lia_slice("peer", 4), .origin = 7, .items = &item, .item_count = 1};
    struct lia_applied applied;

    assert_ok(lia_db_apply(to->db, &to->arena, &batch, LIA_FULL, &applied, &to->err));
    assert_true(applied.is_committed);
}

/* ---- predicates ---- */

struct lia_predicate {
    int32_t least_a;
};

static liana_status compile(void *ctx,
                            const struct liana_allocator *a,
                            struct liana_slice query,
                            struct lia_predicate **out,
                            struct liana_error *err)
{
    struct lia_predicate *p;

    (void)ctx;
    (void)a;
    if (query.len != 4) {
        return lia_err(err, LIANA_ESYNTAX, "not a query");
    }
    p = lia_mem_alloc(&lia_mem_libc, sizeof(*p));
    if (!p) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    p->least_a = (int32_t)((uint32_t)query.ptr[0] | (uint32_t)query.ptr[1] << 8 |
                           (uint32_t)query.ptr[2] << 16 | (uint32_t)query.ptr[3] << 24);
    *out = p;
    return LIANA_OK;
}

static void free_predicate(void *ctx, struct lia_predicate *p)
{
    (void)ctx;
    lia_mem_free(&lia_mem_libc, p, sizeof(*p));
}

static liana_status match(void *ctx,
                          const struct lia_predicate *p,
                          struct liana_slice body,
                          bool *out)
{
    (void)ctx;
    *out = lia_test_a((struct lia_doc){.body = body}) >= p->least_a;
    return LIANA_OK;
}

const struct lia_predicates lia_test_predicates = {.compile = compile,
                                                   .free = free_predicate,
                                                   .match = match};

struct lia_subscription lia_test_subscription(struct lia_test_db *t,
                                              const char *collection,
                                              int32_t least_a)
{
    struct lia_buf query;
    struct liana_slice bytes;

    lia_buf_init(&query, &t->env.alloc.alloc);
    lia_buf_u32(&query, (uint32_t)least_a);
    bytes = keep(t, &query);
    return (struct lia_subscription){
        .hash = bytes, .collection = lia_str(collection), .query = bytes};
}
