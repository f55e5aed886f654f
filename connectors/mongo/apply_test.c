/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mongo/apply.h"

/*
 * A target that keeps documents in an array and refuses by rule, so that a test can say
 * how a server behaves and look at what ended up where.
 */
#define DOCS_MAX 64

enum { CODE_COMMAND = 2, CODE_VALIDATION = 121, CODE_DUPLICATE = 11000 };

/* A copy: what is written is the plan's. */
struct held {
    uint8_t id[32];
    size_t id_len;
    uint8_t text[32];
    size_t text_len;
};

struct fake {
    struct held held[DOCS_MAX];
    size_t held_count;
    char dead[DOCS_MAX][32];
    size_t dead_count;
    uint64_t position;
    int calls;
    int fail_at;       /* this call of write answers as below */
    int32_t fail_code; /* a code for the whole command; 0: the network fails */
    liana_status bury_status;
    char log[400];
};

static bool is_text(struct liana_slice s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.ptr, text, s.len) == 0;
}

static bool is_of(const struct held *held, const struct liana_change *change)
{
    return held->id_len == change->id.len &&
           memcmp(held->id, change->id.ptr, held->id_len) == 0;
}

static struct held *find(struct fake *f, const struct liana_change *change)
{
    for (size_t i = 0; i < f->held_count; i++) {
        if (is_of(&f->held[i], change)) {
            return &f->held[i];
        }
    }
    return NULL;
}

/* In another document. */
static bool holds_value(struct fake *f, const struct liana_change *change)
{
    for (size_t i = 0; i < f->held_count; i++) {
        const struct held *held = &f->held[i];

        if (!is_of(held, change) && held->text_len == change->document.len &&
            memcmp(held->text, change->document.ptr, held->text_len) == 0) {
            return true;
        }
    }
    return false;
}

static struct held copy_of(const struct liana_change *change)
{
    struct held held = {.id_len = change->id.len, .text_len = change->document.len};

    assert_true(held.id_len <= sizeof(held.id) && held.text_len <= sizeof(held.text));
    memcpy(held.id, change->id.ptr, held.id_len);
    memcpy(held.text, change->document.ptr, held.text_len);
    return held;
}

static void hold(struct fake *f, const struct liana_change *change)
{
    struct held *there = find(f, change);

    if (change->document.len == 0) {
        if (there) {
            *there = f->held[--f->held_count];
        }
    } else if (there) {
        *there = copy_of(change);
    } else {
        f->held[f->held_count++] = copy_of(change);
    }
}

static void refuse(struct lia_mongo_reply *out, size_t index, int32_t code)
{
    out->refusals[out->refusal_count++] =
        (struct lia_mongo_refusal){.index = index, .code = code, .reason = "no"};
}

static liana_status fake_write(void *ctx,
                               struct lia_mongo_write *const *writes,
                               size_t count,
                               struct lia_mongo_reply *out)
{
    struct fake *f = ctx;
    char text[40];

    snprintf(text, sizeof(text), "%.*s:%zu ", (int)writes[0]->change->collection.len,
             writes[0]->change->collection.ptr, count);
    memcpy(f->log + strlen(f->log), text, strlen(text) + 1);
    f->calls++;
    if (f->calls == f->fail_at) {
        out->failed = true;
        out->code = f->fail_code;
        out->class = f->fail_code ? lia_mongo_classify(f->fail_code) : LIA_MONGO_AGAIN;
        memcpy(out->reason, "as told", 8);
        return LIANA_OK;
    }
    for (size_t i = 0; i < count; i++) {
        /* One such document fails the command, as a Date out of range does. */
        if (is_text(writes[i]->change->document, "poison")) {
            out->failed = true;
            out->code = CODE_COMMAND;
            out->class = LIA_MONGO_REFUSED;
            memcpy(out->reason, "poison", 7);
            return LIANA_OK;
        }
    }
    for (size_t i = 0; i < count; i++) {
        const struct liana_change *change = writes[i]->change;

        assert_int_equal(change->collection.len, writes[0]->change->collection.len);
        assert_memory_equal(change->collection.ptr, writes[0]->change->collection.ptr,
                            change->collection.len);
        if (is_text(change->document, "invalid")) {
            refuse(out, i, CODE_VALIDATION);
        } else if (is_text(change->document, "busy")) {
            refuse(out, i, 112);
        } else if (change->document.len && change->document.ptr[0] == 'u' &&
                   holds_value(f, change)) {
            refuse(out, i, CODE_DUPLICATE);
        } else {
            hold(f, change);
        }
    }
    return LIANA_OK;
}

static liana_status fake_bury(void *ctx,
                              struct lia_mongo_write *const *writes,
                              size_t count,
                              struct liana_error *err)
{
    struct fake *f = ctx;

    (void)err;
    for (size_t i = 0; i < count && !f->bury_status; i++) {
        snprintf(f->dead[f->dead_count++], sizeof(f->dead[0]), "%.*s %d",
                 (int)writes[i]->change->id.len,
                 (const char *)writes[i]->change->id.ptr, writes[i]->code);
    }
    return f->bury_status;
}

static liana_status fake_revive(void *ctx,
                                struct lia_mongo_write *const *writes,
                                size_t count,
                                struct liana_error *err)
{
    (void)ctx;
    (void)err;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(writes[i]->outcome, LIA_MONGO_DONE);
    }
    return LIANA_OK;
}

static liana_status fake_keep(void *ctx, uint64_t position, struct liana_error *err)
{
    struct fake *f = ctx;

    (void)err;
    f->position = position;
    return LIANA_OK;
}

/* ---- helpers ---- */

static struct liana_change change(const char *collection,
                                  const char *id,
                                  const char *doc)
{
    return (struct liana_change){
        .seq = 1,
        .collection = {collection, strlen(collection)},
        .id = {(const uint8_t *)id, strlen(id)},
        .document = {(const uint8_t *)doc, strlen(doc)},
    };
}

static liana_status apply(struct fake *f,
                          const struct liana_change *changes,
                          size_t count,
                          struct lia_mongo_plan *plan,
                          struct liana_error *err)
{
    const struct lia_mongo_target target = {f, fake_write, fake_bury, fake_revive,
                                            fake_keep};
    struct liana_page page = {changes, count, 42};

    assert_int_equal(lia_mongo_plan_make(&page, 12, plan), LIANA_OK);
    *err = (struct liana_error)LIANA_ERROR_INIT;
    return lia_mongo_apply(&target, plan, page.position, err);
}

static const char s[] = "sales";
static const char t[] = "stock";

/* ---- tests ---- */

static void test_one_bulk_per_collection_deletes_last(void **state)
{
    const struct liana_change changes[] = {
        change(t, "1", "a"), change(s, "2", ""),  change(s, "3", "b"),
        change(t, "4", ""),  change(s, "5", "c"),
    };
    struct fake f = {0};
    struct lia_mongo_plan plan;
    struct liana_error err;

    (void)state;
    assert_int_equal(apply(&f, changes, 5, &plan, &err), LIANA_OK);
    assert_string_equal(f.log, "sales:3 stock:2 ");
    assert_true(plan.writes[0].change == &plan.changes[2]);
    assert_true(plan.writes[1].change == &plan.changes[4]);
    assert_true(plan.writes[2].change == &plan.changes[1]);
    assert_int_equal(f.position, 42);
    assert_int_equal(f.held_count, 3);
    lia_mongo_plan_deinit(&plan);
}

static void test_a_refused_document_holds_nothing_up(void **state)
{
    const struct liana_change changes[] = {
        change(s, "1", "a"), change(s, "2", "invalid"), change(s, "3", "b")};
    struct fake f = {0};
    struct lia_mongo_plan plan;
    struct liana_error err;

    (void)state;
    assert_int_equal(apply(&f, changes, 3, &plan, &err), LIANA_OK);
    assert_int_equal(f.held_count, 2);
    assert_int_equal(f.dead_count, 1);
    assert_string_equal(f.dead[0], "2 121");
    assert_int_equal(f.position, 42);
    assert_string_equal(f.log, "sales:3 sales:1 ");
    lia_mongo_plan_deinit(&plan);
}

static void test_a_command_that_fails_is_halved_to_the_document(void **state)
{
    struct liana_change changes[16];
    static const char ids[] = "abcdefghijklmnop";
    struct fake f = {0};
    struct lia_mongo_plan plan;
    struct liana_error err;

    (void)state;
    for (size_t i = 0; i < 16; i++) {
        changes[i] = change(s, "", i == 5 || i == 11 ? "poison" : "fine");
        changes[i].id = (struct liana_slice){(const uint8_t *)ids + i, 1};
    }
    assert_int_equal(apply(&f, changes, 16, &plan, &err), LIANA_OK);
    assert_int_equal(f.held_count, 14);
    assert_int_equal(f.dead_count, 2);
    assert_string_equal(f.dead[0], "f 2");
    assert_string_equal(f.dead[1], "l 2");
    assert_true(f.calls < 32);
    lia_mongo_plan_deinit(&plan);
}

/* 2 takes the value that 1 gives up in the same page. */
static void test_room_is_made_within_a_page(void **state)
{
    const struct liana_change before[] = {change(s, "1", "ux")};
    const struct liana_change changes[] = {change(s, "2", "ux"), change(s, "1", "uy")};
    struct fake f = {0};
    struct lia_mongo_plan plan;
    struct liana_error err;

    (void)state;
    assert_int_equal(apply(&f, before, 1, &plan, &err), LIANA_OK);
    lia_mongo_plan_deinit(&plan);
    assert_int_equal(apply(&f, changes, 2, &plan, &err), LIANA_OK);
    assert_int_equal(f.dead_count, 0);
    assert_int_equal(f.held_count, 2);
    lia_mongo_plan_deinit(&plan);
}

static void test_too_large_is_never_sent(void **state)
{
    const struct liana_change changes[] = {change(s, "1", "more than twelve"),
                                           change(s, "2", "fine")};
    struct fake f = {0};
    struct lia_mongo_plan plan;
    struct liana_error err;

    (void)state;
    assert_int_equal(apply(&f, changes, 2, &plan, &err), LIANA_OK);
    assert_string_equal(f.log, "sales:1 ");
    assert_string_equal(f.dead[0], "1 0");
    assert_non_null(strstr(plan.writes[0].reason, "too large"));
    lia_mongo_plan_deinit(&plan);
}

static void test_what_is_not_about_a_document_gives_up(void **state)
{
    static const struct {
        int32_t code;
        liana_status status;
    } cases[] = {{0, LIANA_EUNREACHABLE},     {10107, LIANA_EUNREACHABLE},
                 {11602, LIANA_EUNREACHABLE}, {13, LIANA_EAUTH},
                 {18, LIANA_EAUTH},           {14031, LIANA_EUNREACHABLE}};
    const struct liana_change changes[] = {change(s, "1", "a"), change(t, "2", "b")};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fake f = {.fail_at = 2, .fail_code = cases[i].code};
        struct lia_mongo_plan plan;
        struct liana_error err;

        assert_int_equal(apply(&f, changes, 2, &plan, &err), cases[i].status);
        assert_int_equal(f.position, 0);
        assert_int_equal(f.dead_count, 0);
        assert_int_equal(f.calls, 2);
        assert_non_null(strstr(err.message, "as told"));
        assert_int_equal(err.subcode, cases[i].code);
        lia_mongo_plan_deinit(&plan);
    }
}

static void test_a_single_write_can_be_told_to_come_again(void **state)
{
    const struct liana_change changes[] = {change(s, "1", "busy"), change(s, "2", "b")};
    struct fake f = {0};
    struct lia_mongo_plan plan;
    struct liana_error err;

    (void)state;
    assert_int_equal(apply(&f, changes, 2, &plan, &err), LIANA_EUNREACHABLE);
    assert_int_equal(f.position, 0);
    assert_int_equal(f.dead_count, 0);
    lia_mongo_plan_deinit(&plan);
}

static void test_a_collection_that_cannot_be_is_not_halved(void **state)
{
    const struct liana_change changes[] = {change(s, "1", "a"), change(s, "2", "b"),
                                           change(t, "3", "c")};
    struct fake f = {.fail_at = 1, .fail_code = 73};
    struct lia_mongo_plan plan;
    struct liana_error err;

    (void)state;
    f.fail_at = 1;
    assert_int_equal(apply(&f, changes, 3, &plan, &err), LIANA_OK);
    /* The second try finds the collection fine: this fake fails once. */
    assert_string_equal(f.log, "sales:2 stock:1 sales:2 ");
    assert_int_equal(f.held_count, 3);
    lia_mongo_plan_deinit(&plan);
}

static void test_the_position_waits_for_the_grave(void **state)
{
    const struct liana_change changes[] = {change(s, "1", "invalid")};
    struct fake f = {.bury_status = LIANA_EUNREACHABLE};
    struct lia_mongo_plan plan;
    struct liana_error err;

    (void)state;
    assert_int_equal(apply(&f, changes, 1, &plan, &err), LIANA_EUNREACHABLE);
    assert_int_equal(f.position, 0);
    lia_mongo_plan_deinit(&plan);
}

static void test_twice_is_once(void **state)
{
    const struct liana_change changes[] = {change(s, "1", "a"), change(s, "2", ""),
                                           change(t, "1", "b")};
    struct fake f = {0};
    struct lia_mongo_plan plan;
    struct liana_error err;

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(apply(&f, changes, 3, &plan, &err), LIANA_OK);
        assert_int_equal(f.held_count, 1);
        lia_mongo_plan_deinit(&plan);
    }
}

static void test_an_empty_page_moves_the_position(void **state)
{
    struct fake f = {0};
    struct lia_mongo_plan plan;
    struct liana_error err;

    (void)state;
    assert_int_equal(apply(&f, NULL, 0, &plan, &err), LIANA_OK);
    assert_int_equal(f.position, 42);
    lia_mongo_plan_deinit(&plan);
}

static void test_a_long_reason_is_cut_between_characters(void **state)
{
    char reason[LIA_MONGO_REASON + 10];
    struct lia_mongo_write write = {0};

    (void)state;
    memset(reason, 'x', LIA_MONGO_REASON - 2);
    memcpy(reason + LIA_MONGO_REASON - 2, "\xe2\x82\xac and more", 9);
    reason[LIA_MONGO_REASON + 7] = '\0';
    lia_mongo_refuse(&write, 1, reason);
    assert_int_equal(strlen(write.reason), LIA_MONGO_REASON - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_bulk_per_collection_deletes_last),
        cmocka_unit_test(test_a_refused_document_holds_nothing_up),
        cmocka_unit_test(test_a_command_that_fails_is_halved_to_the_document),
        cmocka_unit_test(test_room_is_made_within_a_page),
        cmocka_unit_test(test_too_large_is_never_sent),
        cmocka_unit_test(test_what_is_not_about_a_document_gives_up),
        cmocka_unit_test(test_a_single_write_can_be_told_to_come_again),
        cmocka_unit_test(test_a_collection_that_cannot_be_is_not_halved),
        cmocka_unit_test(test_the_position_waits_for_the_grave),
        cmocka_unit_test(test_twice_is_once),
        cmocka_unit_test(test_an_empty_page_moves_the_position),
        cmocka_unit_test(test_a_long_reason_is_cut_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
