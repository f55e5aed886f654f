/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <mongoc/mongoc.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
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
    assert_true(lia_mongo_stop(mongo));
    lia_test_feed_deinit(&feed);
}

static void test_a_uri_that_does_not_parse(void **state)
{
    static const char *const uris[] = {"http://x",
                                       "mongodb://",
                                       "mongodb://h:port/",
                                       "mongodb://user:secret@h/?w=majority&x=%",
                                       "mongodb://user:more:secret@h/",
                                       "mongodb://us\"er:more:secret\"s@h/",
                                       "mongodb://secret:us:er@h/"};

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

/* ---- connectors in processes of their own ---- */

static char program[LIA_TEST_PATH_MAX];

struct lia_test_process {
    pid_t pid;
    int in;
};

/* Answers once it has started. */
static struct lia_test_process spawn(const char *what,
                                     const char *uri,
                                     const char *database)
{
    struct lia_test_process process;
    int in[2];
    int out[2];
    char byte;

    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    process = (struct lia_test_process){fork(), in[1]};
    assert_true(process.pid >= 0);
    if (process.pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        execl(program, program, what, uri, database, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    assert_int_equal(read(out[0], &byte, 1), 1);
    close(out[0]);
    return process;
}

static int end_of(struct lia_test_process *process)
{
    int rc;

    assert_int_equal(waitpid(process->pid, &rc, 0), process->pid);
    close(process->in);
    return rc;
}

/* ---- a server that says nothing ---- */

/* What the child runs: `failures_test --stop URI DATABASE`. It stops its connector when it
 * is told to; 0 if that had to leave a call behind, 1 if everything had come to its end. */
static int stop_process(const char *uri, const char *database)
{
    struct lia_test_feed feed;
    struct lia_mongo *mongo;
    char byte;
    bool has_ended;

    lia_test_feed_init(&feed, "store-1");
    for (int i = 0; i < 20; i++) {
        lia_test_feed_put(&feed, "things", lia_test_number(i, i));
    }
    mongo = lia_test_connector_with(&feed, uri, database, 50);
    if (write(STDOUT_FILENO, "r", 1) != 1 || read(STDIN_FILENO, &byte, 1) != 1) {
        return 2;
    }
    has_ended = lia_mongo_stop(mongo);
    lia_test_feed_deinit(&feed); /* nothing of it is used any more */
    _exit(has_ended ? 1 : 0);
}

static int listen_somewhere(int *out_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *out_port = ntohs(address.sin_port);
    return fd;
}

/* It is called on, and never says a word. */
static void test_a_stop_does_not_wait_for_it(void **state)
{
    struct lia_test_process process;
    char uri[100];
    int port;
    int fd = listen_somewhere(&port);
    int rc;

    (void)state;
    snprintf(uri, sizeof(uri), "mongodb://127.0.0.1:%d/?connectTimeoutMS=60000", port);
    process = spawn("--stop", uri, "x");
    assert_true(accept(fd, NULL, NULL) >= 0);
    assert_int_equal(write(process.in, "s", 1), 1);
    rc = end_of(&process);
    assert_int_equal(WEXITSTATUS(rc), 0);
    close(fd);
}

/* It stands still while it is written to. */
static void test_what_was_under_way_is_done_again(void **state)
{
    struct lia_test_process process;
    struct lia_test_world w;
    int rc;

    (void)state;
    lia_test_start(&w, LIA_TEST_OWN_SERVER);
    for (int i = 0; i < 20; i++) {
        lia_test_feed_put(&w.feed, "things", lia_test_number(i, i));
    }
    kill(w.mongodb->pid, SIGSTOP);
    process = spawn("--stop", w.mongodb->uri, w.database);
    assert_int_equal(write(process.in, "s", 1), 1);
    rc = end_of(&process);
    kill(w.mongodb->pid, SIGCONT);
    assert_true(WIFEXITED(rc) && WEXITSTATUS(rc) <= 1);
    lia_test_sync(&w);
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

/* What the child runs: `failures_test --connector URI DATABASE`. */
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
    if (!lia_mongo_stop(mongo)) {
        _exit(1);
    }
    lia_test_feed_deinit(&feed);
    return 0;
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
    struct lia_test_process process;
    int rc;

    (void)state;
    lia_test_start(&w, LIA_TEST_OWN_SERVER);
    for (int round = 0; round < 6; round++) {
        /* Each round gets a little further before the kill. */
        int64_t until = seen + 20 * lia_rng_between(&rng, 1, 8);

        process = spawn("--connector", w.mongodb->uri, w.database);
        while (position_of(&w) < until && until < KILL_DOCUMENTS) {
        }
        if (lia_rng_chance(&rng, 50)) {
            lia_test_mongodb_kill(w.mongodb);
            lia_test_mongodb_again(w.mongodb);
        }
        kill(process.pid, SIGKILL);
        rc = end_of(&process);
        stopped_inside += WIFSIGNALED(rc);
        assert_true(position_of(&w) >= seen);
        seen = position_of(&w);
    }
    assert_true(stopped_inside > 0);
    process = spawn("--connector", w.mongodb->uri, w.database);
    rc = end_of(&process);
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
        cmocka_unit_test(test_a_stop_does_not_wait_for_it),
        cmocka_unit_test(test_what_was_under_way_is_done_again),
        cmocka_unit_test(test_both_are_killed_in_the_middle),
    };

    if (argc == 4) {
        return strcmp(argv[1], "--stop") == 0 ? stop_process(argv[2], argv[3])
                                              : connector_process(argv[2], argv[3]);
    }
    snprintf(program, sizeof(program), "%s", argv[0]);
    return lia_test_world_run(tests, sizeof(tests) / sizeof(tests[0]));
}
