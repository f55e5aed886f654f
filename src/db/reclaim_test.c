/* SPDX-License-Identifier: Apache-2.0 */
/* Rights of an actor that has ended: after an unclean end, and by RECLAIM (docs/adr/0054). */
#include "base/testing/test.h"

#include <inttypes.h>
#include <stdio.h>

#include "db/internal.h"
#include "db/renew.h"
#include "db/testing/statements.h"
#include "store/testing/disk.h"

/* A till on a disk that can be cut short or put back, what comes of that, and a hub. */
struct world {
    struct lia_test_db till;
    struct lia_test_db next;
    struct lia_test_db third;
    struct lia_test_db hub;
    struct lia_test_disk disks[3];
    struct lia_rng rng;
};

static void init_on(struct lia_test_db *t, uint64_t seed, const char *vfs)
{
    lia_test_db_init(t, seed);
    t->options.store.vfs = vfs;
    t->options.store.path = "s";
    t->options.store.durability = LIA_NORMAL;
    t->options.file_identity = 1;
}

static uint64_t actor(struct lia_test_db *t)
{
    return lia_db_identity(t->db).actor;
}

/* Documents and what a HELLO says. */
static void pull(struct lia_test_db *from, struct lia_test_db *to)
{
    lia_test_pull(from, to, "c");
}

static int setup(void **state)
{
    struct world *w = test_calloc(1, sizeof(*w));

    w->rng = lia_rng(lia_test_seed("reclaim"));
    lia_test_disk_init(&w->disks[0], "reclaim-0");
    init_on(&w->till, 1, "reclaim-0");
    init_on(&w->next, 2, "reclaim-1");
    init_on(&w->third, 3, "reclaim-2");
    lia_test_db_init(&w->hub, 4);
    w->hub.options.is_keeper = true;
    lia_test_db_open(&w->till);
    lia_test_db_open(&w->hub);
    lia_test_run(&w->till, "CREATE COLLECTION c (n COUNTER MIN 0, m.k COUNTER MIN 1)");
    lia_test_run(&w->till,
                 "INSERT INTO c DOCUMENTS ({'_id': 1, 'n': 10, 'm': {'k': 3}})");
    lia_test_run(&w->till, "INSERT INTO c DOCUMENTS ({'_id': 2, 'other': 1})");
    lia_test_pull(&w->till, &w->hub, LIA_COLLECTIONS);
    pull(&w->till, &w->hub);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    lia_test_db_finish(&w->till);
    lia_test_db_finish(&w->next);
    lia_test_db_finish(&w->third);
    lia_test_db_finish(&w->hub);
    for (size_t i = 0; i < 3; i++) {
        lia_test_disk_deinit(&w->disks[i]);
    }
    test_free(w);
    return 0;
}

/* What is on the disk of one now, opened by the next: under the same file, it has ended
 * uncleanly. */
static void cut(struct world *w,
                struct lia_test_db *one,
                size_t disk,
                struct lia_test_db *next)
{
    assert_ok(lia_store_sync(lia_db_store(one->db), &one->err));
    lia_test_disk_crash(&w->disks[disk], &w->rng, &w->disks[disk + 1],
                        next->options.store.vfs);
    next->env.wall_ms = one->env.wall_ms;
    lia_test_db_open(next);
    assert_true(actor(next) != actor(one));
}

static void open_next(struct world *w, uint64_t file)
{
    w->next.options.file_identity = file;
    cut(w, &w->till, 0, &w->next);
}

static void take(struct lia_test_db *t, liana_status wanted, int amount)
{
    char text[80];

    (void)snprintf(text, sizeof(text),
                   "UPDATE c APPLY n INCREMENT BY -%d WHERE _id = 1", amount);
    assert_status(lia_test_try(t, text), wanted);
}

/* As a HELLO of the hub is met. */
static void meet(struct world *w, struct lia_test_db *t, bool wanted)
{
    struct lia_seen seen;
    uint64_t store = lia_db_identity(t->db).store;
    bool is_renewed = false;
    bool more = true;

    assert_ok(
        lia_db_seen(w->hub.db, lia_slice(&store, sizeof(store)), &seen, &w->hub.err));
    assert_ok(lia_db_judge(t->db, &seen, &is_renewed, &t->err));
    if (!is_renewed) {
        assert_ok(lia_db_confirm(t->db, &seen, &t->err));
    }
    assert_int_equal(lia_db_must_mend(t->db), wanted);
    while (more) {
        assert_ok(lia_db_mend(t->db, LIA_MIB, &more, &t->err));
    }
}

/* ---- after an unclean end ---- */

static void a_peer_confirms_what_an_unclean_end_left(void **state)
{
    struct world *w = *state;

    take(&w->till, LIANA_OK, 2);
    open_next(w, 1);
    take(&w->next, LIANA_ERIGHTS, 1);
    meet(w, &w->next, true);
    take(&w->next, LIANA_OK, 8);
    take(&w->next, LIANA_ERIGHTS, 1);
    lia_test_run(&w->next, "UPDATE c APPLY m.k INCREMENT BY -2 WHERE _id = 1");
    meet(w, &w->next, false);
    pull(&w->next, &w->hub);
    lia_test_shows(&w->hub, "SELECT n, m.k FROM c WHERE _id = 1",
                   "{'n': int64(0), 'k': int64(1)}");
}

/* Each of the names that it had. */
static void what_two_of_them_left_is_taken(void **state)
{
    struct world *w = *state;

    open_next(w, 1);
    lia_test_run(&w->next, "INSERT INTO c DOCUMENTS ({'_id': 3, 'n': 5})");
    cut(w, &w->next, 1, &w->third);
    lia_test_run(&w->third, "DELETE FROM c WHERE _id = 2");
    meet(w, &w->third, true);
    take(&w->third, LIANA_OK, 10);
    lia_test_run(&w->third, "UPDATE c APPLY n INCREMENT BY -5 WHERE _id = 3");
    take(&w->third, LIANA_ERIGHTS, 1);
}

/* The disk was put back: the hub has seen what it does not know of. */
static void a_disk_that_was_put_back_takes_nothing(void **state)
{
    struct world *w = *state;

    open_next(w, 1);
    take(&w->till, LIANA_OK, 9);
    pull(&w->till, &w->hub);
    meet(w, &w->next, false); /* it is found out */
    pull(&w->hub, &w->next);
    take(&w->next, LIANA_ERIGHTS, 1);
    meet(w, &w->next, false);
    take(&w->next, LIANA_ERIGHTS, 1);
    lia_test_shows(&w->next, "SELECT n FROM c WHERE _id = 1", "{'n': int64(1)}");
}

static void a_stranger_confirms_nothing(void **state)
{
    const struct lia_seen seen = {.epoch = 77, .opening_count = 1};
    struct world *w = *state;

    open_next(w, 1);
    assert_ok(lia_db_confirm(w->next.db, &seen, &w->next.err));
    assert_false(lia_db_must_mend(w->next.db));
    take(&w->next, LIANA_ERIGHTS, 1);
}

static liana_status confirm_and_mend(struct lia_test_db *t, const struct lia_seen *seen)
{
    bool more = true;
    liana_status status = lia_db_confirm(t->db, seen, NULL);

    while (!status && more) {
        status = lia_db_mend(t->db, LIA_MIB, &more, NULL);
    }
    return status;
}

/* Whatever it fails at, it is done when it is confirmed again. */
static liana_status take_over_with(const struct liana_allocator *a, void *ctx)
{
    struct world *w = ctx;
    struct lia_test_db *t = &w->next;
    const struct liana_allocator *own = t->env.env.alloc;
    const struct lia_seen seen = lia_test_history(&w->till);
    liana_status status;

    lia_test_disk_deinit(&w->disks[1]);
    lia_test_disk_crash(&w->disks[0], &w->rng, &w->disks[1], "reclaim-1");
    t->env.env.alloc = a;
    status = lia_db_open(&t->options, &t->db, NULL);
    if (!status) {
        status = confirm_and_mend(t, &seen);
        LIA_IGNORE(lia_db_close(t->db, NULL)); /* its end may not be noted */
    }
    t->env.env.alloc = own;
    lia_test_db_open(t);
    assert_ok(confirm_and_mend(t, &seen));
    take(t, LIANA_OK, 10);
    take(t, LIANA_ERIGHTS, 1);
    lia_test_db_close(t);
    return status;
}

static void out_of_memory_is_a_status(void **state)
{
    struct world *w = *state;

    assert_ok(lia_store_sync(lia_db_store(w->till.db), &w->till.err));
    lia_test_each_failure(take_over_with, w);
}

static void a_copied_file_takes_nothing(void **state)
{
    struct world *w = *state;

    open_next(w, 2);
    meet(w, &w->next, false);
    take(&w->next, LIANA_ERIGHTS, 1);
}

/* ---- RECLAIM ---- */

static liana_status reclaim(struct lia_test_db *t, uint64_t from, const char *how)
{
    char text[160];

    (void)snprintf(text, sizeof(text),
                   "UPDATE c APPLY n RECLAIM FROM '%016" PRIx64 "' %s", from, how);
    return lia_test_try(t, text);
}

static void refuses(struct lia_test_db *t, uint64_t from, const char *why)
{
    assert_status(reclaim(t, from, ""), LIANA_EMISUSE);
    assert_non_null(strstr(t->err.message, why));
}

/* What the hub holds of everything that the till has stamped. */
static void mark_all(struct world *w)
{
    struct lia_name whole = lia_name_of(lia_str("c"), lia_slice(NULL, 0));
    struct lia_batch_marks marks = {.subscription = lia_name_slice(&whole)};
    const struct lia_batch batch = {
        .peer = lia_slice("p", 1), .marks = &marks, .marks_count = 1};
    struct lia_applied applied;

    assert_ok(lia_db_marks(w->till.db, &w->hub.arena, marks.subscription, &marks.marks,
                           &w->till.err));
    assert_ok(lia_db_apply(w->hub.db, &w->hub.arena, &batch, LIA_FULL, &applied,
                           &w->hub.err));
}

static void a_keeper_takes_back_what_a_restored_store_had(void **state)
{
    struct world *w = *state;
    uint64_t old = actor(&w->till);
    char to[40];

    take(&w->till, LIANA_OK, 1);
    pull(&w->till, &w->hub);
    refuses(&w->hub, old, "has not ended");
    open_next(w, 2);
    lia_test_put(&w->next, "d", 1, 1);
    lia_test_pull(&w->next, &w->hub, "d");
    refuses(&w->hub, old, "not all that it has written is here");
    mark_all(w);
    (void)snprintf(to, sizeof(to), "TO '%016" PRIx64 "'", actor(&w->next));
    assert_ok(reclaim(&w->hub, old, to));
    take(&w->hub, LIANA_ERIGHTS, 1);
    pull(&w->hub, &w->next);
    take(&w->next, LIANA_OK, 9);
    take(&w->next, LIANA_ERIGHTS, 1);
    assert_ok(reclaim(&w->hub, old, "")); /* there is nothing left of it */
    take(&w->hub, LIANA_ERIGHTS, 1);
}

static void who_keeps_nothing_cannot_know(void **state)
{
    struct world *w = *state;

    char text[120];

    (void)snprintf(text, sizeof(text),
                   "UPDATE c APPLY n TRANSFER 4 TO %" PRId64 " WHERE _id = 1",
                   (int64_t)actor(&w->hub));
    assert_ok(reclaim(&w->till, actor(&w->hub), "")); /* there is nothing to take */
    lia_test_run(&w->till, text);
    refuses(&w->till, actor(&w->hub), "only a keeper");
}

static void force_needs_no_proof(void **state)
{
    struct world *w = *state;

    assert_ok(reclaim(&w->hub, actor(&w->till), "FORCE"));
    take(&w->hub, LIANA_OK, 10);
    take(&w->hub, LIANA_ERIGHTS, 1);
    pull(&w->hub, &w->till);
    take(&w->till, LIANA_ERIGHTS, 1);
}

static void what_is_no_actor_is_refused(void **state)
{
    static const struct {
        const char *text;
        liana_status status;
    } cases[] = {
        {"UPDATE c APPLY n RECLAIM FROM 1.5", LIANA_ETYPE},
        {"UPDATE c APPLY n RECLAIM FROM 'till'", LIANA_ETYPE},
        {"UPDATE c APPLY n RECLAIM FROM '00000000000000001'", LIANA_ETYPE},
        {"UPDATE c APPLY n RECLAIM FROM '000000000000000G'", LIANA_ETYPE},
        {"UPDATE c APPLY n RECLAIM FROM 1 TO missing_field", LIANA_ETYPE},
        {"UPDATE c APPLY other RECLAIM FROM 1", LIANA_ETYPE},
        {"UPDATE c APPLY n TRANSFER 1 TO '000000000000000'", LIANA_ETYPE},
        {"UPDATE c APPLY n TRANSFER 1 TO '0000000000000001' WHERE _id = 1", LIANA_OK},
        {"UPDATE c APPLY none RECLAIM FROM 1", LIANA_OK},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_status(lia_test_try(&w->till, cases[i].text), cases[i].status);
    }
    assert_status(reclaim(&w->till, actor(&w->till), ""), LIANA_EINVAL);
}

/* ---- system:rights ---- */

static void everybody_sees_who_has_which(void **state)
{
    struct world *w = *state;
    char text[200];
    char wanted[400];

    (void)snprintf(text, sizeof(text),
                   "UPDATE c APPLY n TRANSFER 4 TO '%016" PRIx64 "' WHERE _id = 1",
                   actor(&w->hub));
    lia_test_run(&w->till, text);
    open_next(w, 2);
    (void)snprintf(wanted, sizeof(wanted),
                   "{'document': 1, 'path': ['n'], 'actor': '%016" PRIx64
                   "', 'rights': int64(6), 'own': FALSE, 'ended': TRUE}",
                   actor(&w->till));
    lia_test_shows(&w->next,
                   "SELECT document, path, actor, rights, own, ended FROM "
                   "system:rights WHERE ended AND path = ['n']",
                   wanted);
    assert_int_equal(lia_test_count(&w->till, "SELECT * FROM system:rights WHERE own"),
                     2);
    assert_int_equal(lia_test_count(&w->till, "SELECT * FROM system:rights"), 3);
    assert_int_equal(
        lia_test_count(&w->till, "SELECT * FROM system:rights r WHERE r._id = 2"), 1);
}

/* Only what the statement is about counts for how many are listed. */
static void a_condition_comes_before_the_limit(void **state)
{
    struct world *w = *state;

    lia_test_run(&w->till, "CREATE COLLECTION many (n COUNTER MIN 0)");
    for (int i = 0; i < 1100; i++) {
        char text[80];

        (void)snprintf(text, sizeof(text),
                       "INSERT INTO many DOCUMENTS ({'_id': %d, 'n': %d})", i, i + 1);
        lia_test_run(&w->till, text);
    }
    assert_int_equal(
        lia_test_count(&w->till,
                       "SELECT * FROM system:rights WHERE collection = 'many'"),
        1000);
    assert_int_equal(lia_test_count(&w->till, "SELECT * FROM system:rights WHERE "
                                              "rights > 1050 AND collection = 'many'"),
                     50);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest cases[] = {
    CASE(a_peer_confirms_what_an_unclean_end_left),
    CASE(what_two_of_them_left_is_taken),
    CASE(a_disk_that_was_put_back_takes_nothing),
    CASE(a_stranger_confirms_nothing),
    CASE(out_of_memory_is_a_status),
    CASE(a_copied_file_takes_nothing),
    CASE(a_keeper_takes_back_what_a_restored_store_had),
    CASE(who_keeps_nothing_cannot_know),
    CASE(force_needs_no_proof),
    CASE(what_is_no_actor_is_refused),
    CASE(everybody_sees_who_has_which),
    CASE(a_condition_comes_before_the_limit),
};

LIA_TEST_MAIN(cases)
