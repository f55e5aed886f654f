/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_MONGO_TESTING_MONGODB_H
#define LIA_MONGO_TESTING_MONGODB_H
/*
 * mongo/testing/mongodb - a MongoDB server for tests: the one at $MONGODB_URI, or a
 * SecantusDB (build/venv, made by tools/setup) that the test starts on a port of the
 * system's choice and waits for.
 *
 * Rules: without either, the test is skipped, or fails where CI is set. A server that is
 * killed in a test must be the test's own; such a one runs with --sync-on-commit, so that
 * what it acknowledged survives (and a write takes some milliseconds). `database` is a name that no other program uses.
 * Ownership: lia_test_mongodb_stop takes the server and its folder away.
 * Threads: the test's own.
 */
#include <stdbool.h>
#include <sys/types.h>

#include "base/testing/files.h"

struct lia_test_mongodb {
    char uri[512];
    char database[64];
    char folder[LIA_TEST_PATH_MAX];
    pid_t pid; /* 0: not ours */
    bool is_durable;
    int port;
};

enum lia_test_mongodb_kind {
    LIA_TEST_ANY_SERVER, /* $MONGODB_URI will do */
    LIA_TEST_OWN_SERVER  /* the test kills it or arms its failures */
};

void lia_test_mongodb_start(struct lia_test_mongodb *m,
                            enum lia_test_mongodb_kind kind);
void lia_test_mongodb_stop(struct lia_test_mongodb *m);

/* SIGKILL, and a new start on the same port and files. */
void lia_test_mongodb_kill(struct lia_test_mongodb *m);
void lia_test_mongodb_again(struct lia_test_mongodb *m);

#endif
