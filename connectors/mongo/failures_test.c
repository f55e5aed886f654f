/* SPDX-License-Identifier: Apache-2.0 */
#include <mongoc/mongoc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/testing/random.h"
#include "base/testing/test.h"
#include "mongo/testing/world.h"

/* Servers and connectors that end, do not answer, or say no for a while. */

static void test_nobody_there(void **state)
{
    struct lia_test_feed feed;
    struct lia_mongo *mongo;
    struct lia_mongo_status status;

    (void)state;
    lia_test_feed_init(&feed, "store-1");
    mongo = lia_test_connector(
        &feed, "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=20", "x");
    lia_test_feed_wait(&feed, mongo, LIA_MONGO_UNREACHABLE);
    lia_mongo_status(mongo, &status);
    assert_int_equal(status.error.status, LIANA_EUNREACHABLE);
    assert_non_null(strstr(status.error.message, "127.0.0.1:1/x"));
    lia_mongo_stop(mongo);
    lia_test_feed_deinit(&feed);
}

static void test_a_uri_that_does_not_parse(void **state)
{
    static const char *const uris[] = {"http://x", "mongodb://", "mongodb://h:port/",
                                       "mongodb://user:secret@h/?w=majority&x=%"};

    (void)state;
    for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
        struct liana_error err = LIANA_ERROR_INIT;
        struct lia_mongo_server_options options = {
            .uri = uris[i], .connector = "test", .selection_timeout_ms = 10};
        struct lia_mongo_server *server;

        assert_status(LIANA_EINVAL, lia_mongo_server_new(&options, &server, &err));
        assert_non_null(strstr(err.message, "MongoDB URI: "));
        assert_null(strstr(err.message, "secret"));
    }
}

static void test_a_database_name_that_mongodb_does_not_take(void **state)
{
    static const char *const names[] = {
        "a b",
        "a.b",
        "a/b",
        "a$b",
        "a\"b",
        "a\\b",
        "0123456789012345678901234567890123456789012345678901234567890123"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct liana_error err = LIANA_ERROR_INIT;
        struct lia_mongo_server_options options = {.uri = "mongodb://127.0.0.1:1/",
                                                   .database = names[i],
                                                   .connector = "test",
                                                   .selection_timeout_ms = 10};
        struct lia_mongo_server *server;

        assert_status(LIANA_EINVAL, lia_mongo_server_new(&options, &server, &err));
        assert_non_null(strstr(err.message, names[i]));
    }
}

static void test_the_server_is_killed_in_the_middle(void **state)
{
    struct lia_test_world w;

    (void)state;
    lia_test_start(&w, LIA_TEST_OWN_SERVER);
    for (int i = 0; i < 60; i++) {
        lia_test_feed_put(&w.feed, "things", lia_test_number(i, i));
    }
    lia_test_connect(&w);
    lia_test_wait(&w, LIA_MONGO_OK);
    lia_test_mongodb_kill(w.mongodb);
    for (int i = 30; i < 90; i++) {
        lia_test_feed_put(&w.feed, "things", lia_test_number(i, -i));
    }
    lia_test_feed_delete(&w.feed, "things", BCON_NEW("_id", BCON_INT32(0)));
    lia_test_wait(&w, LIA_MONGO_UNREACHABLE);
    lia_test_mongodb_again(w.mongodb);
    lia_test_wait(&w, LIA_MONGO_OK);
    lia_test_check_equal(&w, "things");
    lia_test_end(&w);
}

static void test_answers_that_get_lost(void **state)
{
    struct lia_test_world w;

    (void)state;
    lia_test_start(&w, LIA_TEST_OWN_SERVER);
    for (int i = 0; i < 50; i++) {
        lia_test_feed_put(&w.feed, "things", lia_test_number(i, i));
    }
    lia_test_fail(&w, 5,
                  BCON_NEW("failCommands", "[", "update", "delete", "insert", "]",
                           "closeConnection", BCON_BOOL(true)));
    lia_test_connect(&w);
    lia_test_wait(&w, LIA_MONGO_OK);
    lia_test_feed_delete(&w.feed, "things", BCON_NEW("_id", BCON_INT32(0)));
    lia_test_wait(&w, LIA_MONGO_OK);
    lia_test_check_equal(&w, "things");
    lia_test_end(&w);
}

static void test_a_right_that_is_missing(void **state)
{
    struct lia_test_world w;
    struct lia_mongo_status status;

    (void)state;
    lia_test_start(&w, LIA_TEST_OWN_SERVER);
    lia_test_feed_put(&w.feed, "things", lia_test_number(1, 1));
    lia_test_fail(
        &w, 2,
        BCON_NEW("failCommands", "[", "update", "]", "errorCode", BCON_INT32(13)));
    lia_test_connect(&w);
    lia_test_wait(&w, LIA_MONGO_NOT_ALLOWED);
    lia_mongo_status(w.mongo, &status);
    assert_int_equal(status.error.status, LIANA_EAUTH);
    assert_int_equal(status.error.subcode, 13);
    lia_test_wait(&w, LIA_MONGO_OK);
    lia_mongo_status(w.mongo, &status);
    assert_int_equal(status.error.status, LIANA_OK);
    assert_int_equal(status.dead, 0);
    lia_test_check_equal(&w, "things");
    lia_test_end(&w);
}

/* What a replica set answers while its primary changes: nothing of it is about the
 * documents. */
static void test_a_primary_steps_down(void **state)
{
    static const int32_t codes[] = {189, 10107, 11602};
    struct lia_test_world w;
    struct lia_mongo_status status;

    (void)state;
    lia_test_start(&w, LIA_TEST_OWN_SERVER);
    lia_test_connect(&w);
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        lia_test_wait(&w, LIA_MONGO_OK);
        lia_test_fail(&w, 2,
                      BCON_NEW("failCommands", "[", "update", "]", "errorCode",
                               BCON_INT32(codes[i]), "errorLabels", "[",
                               "RetryableWriteError", "]"));
        lia_test_feed_put(&w.feed, "things", lia_test_number((int)i, codes[i]));
    }
    lia_test_wait(&w, LIA_MONGO_OK);
    lia_test_check_equal(&w, "things");
    lia_mongo_status(w.mongo, &status);
    assert_int_equal(status.refused, 0);
    assert_int_equal(lia_test_count(&w, "_liana.dead"), 0);
    lia_test_end(&w);
}

/* The write is there, but no majority has it yet: it does not count. */
static void test_a_majority_is_not_reached(void **state)
{
    struct lia_test_world w;
    struct lia_mongo_status status;

    (void)state;
    lia_test_start(&w, LIA_TEST_OWN_SERVER);
    lia_test_fail(&w, 2,
                  BCON_NEW("failCommands", "[", "update", "]", "writeConcernError", "{",
                           "code", BCON_INT32(64), "errmsg",
                           "waiting for replication timed out", "}"));
    lia_test_feed_put(&w.feed, "things", lia_test_number(1, 1));
    lia_test_connect(&w);
    lia_test_wait(&w, LIA_MONGO_UNREACHABLE);
    lia_mongo_status(w.mongo, &status);
    assert_int_equal(status.position, 0);
    lia_test_wait(&w, LIA_MONGO_OK);
    lia_test_check_equal(&w, "things");
    assert_int_equal(lia_test_count(&w, "_liana.dead"), 0);
    lia_test_end(&w);
}

/* It takes longer to answer than anybody waits; what it did meanwhile is done twice. */
static void test_a_server_that_is_slow(void **state)
{
    struct lia_test_world w;
    char uri[600];

    (void)state;
    lia_test_start(&w, LIA_TEST_OWN_SERVER);
    snprintf(uri, sizeof(uri), "%s?socketTimeoutMS=100&retryWrites=false",
             w.mongodb->uri);
    for (int i = 0; i < 20; i++) {
        lia_test_feed_put(&w.feed, "things", lia_test_number(i, i));
    }
    lia_test_fail(&w, 2,
                  BCON_NEW("failCommands", "[", "update", "]", "blockConnection",
                           BCON_BOOL(true), "blockTimeMS", BCON_INT32(200)));
    w.mongo = lia_test_connector(&w.feed, uri, w.database);
    lia_test_wait(&w, LIA_MONGO_UNREACHABLE);
    lia_test_wait(&w, LIA_MONGO_OK);
    lia_test_check_equal(&w, "things");
    lia_test_end(&w);
}

/* ---- connector and server are killed in the middle ---- */

#define KILL_DOCUMENTS 1500

/* Every process makes the same commits: puts and deletes over a few hundred ids. */
static void fill(struct lia_test_feed *feed)
{
    struct lia_rng rng = lia_rng(7);

    feed->page_changes = 20;
    for (int i = 0; i < KILL_DOCUMENTS; i++) {
        int id = (int)lia_rng_below(&rng, KILL_DOCUMENTS / 2);

        if (lia_rng_chance(&rng, 20)) {
            lia_test_feed_delete(feed, "things", BCON_NEW("_id", BCON_INT32(id)));
        } else {
            lia_test_feed_put(feed, "things", lia_test_number(id, i));
        }
    }
}

/* What the child runs: `connector_test --connector URI DATABASE`. */
static int connector_process(const char *uri, const char *database)
{
    struct lia_test_feed feed;
    struct lia_mongo *mongo;

    lia_test_feed_init(&feed, "store-1");
    fill(&feed);
    mongo = lia_test_connector(&feed, uri, database);
    if (write(STDOUT_FILENO, "r", 1) != 1) {
        return 1;
    }
    lia_test_feed_wait(&feed, mongo, LIA_MONGO_OK);
    lia_mongo_stop(mongo);
    lia_test_feed_deinit(&feed);
    return 0;
}

static char program[LIA_TEST_PATH_MAX];

static pid_t spawn_connector(const struct lia_test_world *w)
{
    int ends[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execl(program, program, "--connector", w->mongodb->uri, w->database,
              (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    return pid;
}

static int64_t position_of(struct lia_test_world *w)
{
    bson_t *checkpoint = lia_test_find(
        w, "_liana.checkpoint",
        BCON_NEW("_id", "{", "connector", "test", "store", "store-1", "}"));
    int64_t position = checkpoint ? lia_test_int_at(checkpoint, "seq") : 0;

    bson_destroy(checkpoint);
    return position;
}

static void test_both_are_killed_in_the_middle(void **state)
{
    struct lia_test_world w;
    struct lia_rng rng = lia_rng(lia_test_seed("both_are_killed"));
    int64_t seen = 0;
    int stopped_inside = 0;
    pid_t pid;
    int rc;

    (void)state;
    lia_test_start(&w, LIA_TEST_OWN_SERVER);
    for (int round = 0; round < 6; round++) {
        /* Each round gets a little further before the kill. */
        int64_t until = seen + 20 * lia_rng_between(&rng, 1, 8);

        pid = spawn_connector(&w);
        while (position_of(&w) < until && until < KILL_DOCUMENTS) {
        }
        if (lia_rng_chance(&rng, 50)) {
            lia_test_mongodb_kill(w.mongodb);
            lia_test_mongodb_again(w.mongodb);
        }
        kill(pid, SIGKILL);
        waitpid(pid, &rc, 0);
        stopped_inside += WIFSIGNALED(rc);
        assert_true(position_of(&w) >= seen);
        seen = position_of(&w);
    }
    assert_true(stopped_inside > 0);
    pid = spawn_connector(&w);
    waitpid(pid, &rc, 0);
    assert_int_equal(rc, 0);
    fill(&w.feed);
    assert_int_equal(position_of(&w), KILL_DOCUMENTS);
    lia_test_check_equal(&w, "things");
    assert_int_equal(lia_test_count(&w, "_liana.dead"), 0);
    lia_test_end(&w);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_a_uri_that_does_not_parse),
        cmocka_unit_test(test_a_database_name_that_mongodb_does_not_take),
        cmocka_unit_test(test_the_server_is_killed_in_the_middle),
        cmocka_unit_test(test_answers_that_get_lost),
        cmocka_unit_test(test_a_right_that_is_missing),
        cmocka_unit_test(test_a_primary_steps_down),
        cmocka_unit_test(test_a_majority_is_not_reached),
        cmocka_unit_test(test_a_server_that_is_slow),
        cmocka_unit_test(test_both_are_killed_in_the_middle),
    };

    if (argc == 4 && strcmp(argv[1], "--connector") == 0) {
        return connector_process(argv[2], argv[3]);
    }
    snprintf(program, sizeof(program), "%s", argv[0]);
    return lia_test_world_run(tests, sizeof(tests) / sizeof(tests[0]));
}
