/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "db/testing/statements.h"

#include "db/exec.h"
#include "db/renew.h"
#include "lang/print.h"

#define DOCUMENTS_MAX 64

static liana_status execute(struct lia_test_db *t,
                            const char *text,
                            struct lia_result **out)
{
    t->err = (struct liana_error)LIANA_ERROR_INIT;
    return lia_db_execute(t->db, lia_str(text), lia_slice(NULL, 0), NULL, out, &t->err);
}

static struct lia_result *must_execute(struct lia_test_db *t, const char *text)
{
    struct lia_result *r = NULL;

    if (execute(t, text, &r)) {
        fail_msg("%s\n  %s", text, t->err.message);
    }
    return r;
}

liana_status lia_test_try(struct lia_test_db *t, const char *text)
{
    struct lia_result *r = NULL;
    liana_status status = execute(t, text, &r);

    lia_result_free(r);
    t->env.wall_ms += 10;
    return status;
}

void lia_test_run(struct lia_test_db *t, const char *text)
{
    LIA_IGNORE(lia_test_mutate(t, text)); /* it must succeed, whatever it changes */
}

uint64_t lia_test_mutate(struct lia_test_db *t, const char *text)
{
    struct lia_result *r = must_execute(t, text);
    uint64_t count = lia_result_mutations(r);

    lia_result_free(r);
    t->env.wall_ms += 10;
    return count;
}

void lia_test_shows(struct lia_test_db *t, const char *text, const char *wanted)
{
    struct lia_result *r = must_execute(t, text);
    struct liana_slice row;
    struct lia_buf out;

    lia_buf_init(&out, &lia_mem_libc);
    while (!lia_result_next(r, &row, NULL)) {
        const struct lia_expr literal = {.kind = LIA_EXPR_VALUE,
                                         .value = {LIA_BSON_DOCUMENT, row}};

        lia_expr_print(&out, &literal);
    }
    lia_result_free(r);
    lia_buf_u8(&out, 0);
    assert_string_equal((const char *)out.ptr, wanted);
    lia_buf_deinit(&out);
}

size_t lia_test_count(struct lia_test_db *t, const char *text)
{
    struct lia_result *r = must_execute(t, text);
    struct liana_slice row;
    size_t n = 0;

    while (!lia_result_next(r, &row, NULL)) {
        n++;
    }
    lia_result_free(r);
    return n;
}

struct lia_seen lia_test_history(struct lia_test_db *t)
{
    const struct lia_db_identity id = lia_db_identity(t->db);
    struct lia_seen seen = {.epoch = id.epoch,
                            .seq = lia_store_head(lia_db_store(t->db)).durable.seq};
    struct lia_vector own;

    assert_ok(lia_db_marks(t->db, &t->arena, lia_slice("x", 1), &own, &t->err));
    seen.stamp = (struct lia_stamp){lia_vector_get(own, id.actor), id.actor};
    assert_ok(lia_db_openings(t->db, seen.openings, &seen.opening_count, &t->err));
    return seen;
}

void lia_test_pull(struct lia_test_db *from,
                   struct lia_test_db *to,
                   const char *collection)
{
    const struct lia_interest interest = {.collection = lia_str(collection)};
    const struct lia_feed_query q = {&interest, 1, {0, 0, 0}, 256 * LIA_MIB, 0};
    const struct lia_db_identity id = lia_db_identity(from->db);
    const struct lia_seen seen = lia_test_history(from);
    struct lia_batch_item items[DOCUMENTS_MAX];
    struct lia_batch batch = {
        .peer = lia_slice(&id.store, sizeof(id.store)), .items = items, .seen = &seen};
    struct lia_feed_page page;
    struct lia_applied applied;

    assert_ok(lia_db_feed(from->db, &from->arena, &q, &page, &from->err));
    assert_true(page.item_count <= DOCUMENTS_MAX);
    for (size_t i = 0; i < page.item_count; i++) {
        items[i] =
            (struct lia_batch_item){.key = {lia_str(collection), page.items[i].key}};
        assert_ok(lia_doc_segment(&from->arena, page.items[i].doc,
                                  (struct lia_vector){NULL, 0}, &items[i].segment));
    }
    batch.item_count = page.item_count;
    assert_ok(lia_db_apply(to->db, &to->arena, &batch, LIA_NORMAL, &applied, &to->err));
    assert_true(applied.is_committed);
}
