/* SPDX-License-Identifier: Apache-2.0 */
#include "mongo/testing/mongodb.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/testing/test.h"

#define PROGRAM "build/venv/bin/secantusd-py"

static void exec_server(const struct lia_test_mongodb *m, int err)
{
    char port[16];
    char store[LIA_TEST_PATH_MAX + 8];
    int null = open("/dev/null", O_RDWR);

    snprintf(port, sizeof(port), "%d", m->port);
    snprintf(store, sizeof(store), "%s/data", m->folder);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    execl(PROGRAM, PROGRAM, "--port", port, "--storage-path", store,
          "--enable-test-commands", "--cache-size", "64M",
          m->is_durable ? "--sync-on-commit" : (char *)NULL, (char *)NULL);
    _exit(127);
}

/* "... listening on 127.0.0.1:39039": what the server writes when it is ready. */
static int read_port(FILE *log)
{
    char line[1000];

    while (fgets(line, sizeof(line), log)) {
        const char *found = strstr(line, "listening on ");
        const char *colon = found ? strrchr(found, ':') : NULL;

        if (colon) {
            return (int)strtol(colon + 1, NULL, 10);
        }
    }
    return 0;
}

static void launch(struct lia_test_mongodb *m)
{
    int ends[2];
    FILE *log;

    assert_int_equal(pipe(ends), 0);
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    m->pid = fork();
    assert_true(m->pid >= 0);
    if (m->pid == 0) {
        exec_server(m, ends[1]);
    }
    close(ends[1]);
    log = fdopen(ends[0], "r");
    assert_non_null(log);
    m->port = read_port(log);
    assert_true(m->port > 0);
    /* The rest of its log goes nowhere: a closed pipe is no reason for it to end. */
    assert_int_equal(fclose(log), 0);
    snprintf(m->uri, sizeof(m->uri), "mongodb://127.0.0.1:%d/", m->port);
}

static void no_server(const char *why)
{
    print_message("no MongoDB server: %s\n", why);
    if (getenv("CI")) {
        fail();
    }
    skip();
}

void lia_test_mongodb_start(struct lia_test_mongodb *m, enum lia_test_mongodb_kind kind)
{
    const char *uri = getenv("MONGODB_URI");
    unsigned char random[4] = {0};
    int fd = open("/dev/urandom", O_RDONLY);

    *m = (struct lia_test_mongodb){.is_durable = kind == LIA_TEST_OWN_SERVER};
    assert_true(fd >= 0 && read(fd, random, sizeof(random)) == (ssize_t)sizeof(random));
    close(fd);
    snprintf(m->database, sizeof(m->database), "liana_test_%d_%02x%02x%02x%02x",
             (int)getpid(), random[0], random[1], random[2], random[3]);
    if (uri && *uri && kind == LIA_TEST_ANY_SERVER) {
        snprintf(m->uri, sizeof(m->uri), "%s", uri);
        return;
    }
    if (access(PROGRAM, X_OK) != 0) {
        no_server("tools/setup makes " PROGRAM ", or set MONGODB_URI");
    }
    lia_test_scratch(m->folder);
    launch(m);
}

void lia_test_mongodb_stop(struct lia_test_mongodb *m)
{
    if (m->pid) {
        lia_test_mongodb_kill(m);
        lia_test_scratch_remove(m->folder);
    }
}

void lia_test_mongodb_kill(struct lia_test_mongodb *m)
{
    if (m->pid) {
        kill(m->pid, SIGKILL);
        waitpid(m->pid, NULL, 0);
        m->pid = 0;
    }
}

void lia_test_mongodb_again(struct lia_test_mongodb *m)
{
    launch(m);
}
