/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/testing/oracle.h"

#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/testing/test.h"

extern char **environ;

static void spawn(struct lia_oracle *oracle, char *const argv[], int pipe_ends[2])
{
    posix_spawn_file_actions_t actions;
    int failed;

    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], 1), 0);
    assert_int_equal(posix_spawn_file_actions_addclose(&actions, pipe_ends[0]), 0);
    failed = posix_spawnp(&oracle->pid, "python3", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_ends[1]);
    if (failed) {
        close(pipe_ends[0]);
        if (getenv("CI")) {
            fail_msg("python3 cannot be started: %s", strerror(failed));
        }
        print_message("python3 cannot be started: skipped\n");
        skip();
    }
}

void lia_oracle_open(struct lia_oracle *oracle,
                     const char *script,
                     uint64_t seed,
                     size_t count)
{
    char program[] = "python3";
    char path[512];
    char seed_text[24];
    char count_text[24];
    char *argv[] = {program, path, seed_text, count_text, NULL};
    int pipe_ends[2];

    (void)snprintf(path, sizeof(path), "src/codec/testing/%s", script);
    (void)snprintf(seed_text, sizeof(seed_text), "%llu", (unsigned long long)seed);
    (void)snprintf(count_text, sizeof(count_text), "%zu", count);
    assert_int_equal(pipe(pipe_ends), 0);
    spawn(oracle, argv, pipe_ends);
    oracle->count = 0;
    oracle->lines = fdopen(pipe_ends[0], "r");
    assert_non_null(oracle->lines);
}

bool lia_oracle_next(struct lia_oracle *oracle)
{
    char *at = oracle->line;

    if (!fgets(oracle->line, sizeof(oracle->line), oracle->lines)) {
        return false;
    }
    oracle->count++;
    at[strcspn(at, "\n")] = '\0';
    for (size_t i = 0; i < LIA_ORACLE_FIELDS; i++) {
        size_t len = strcspn(at, " ");

        oracle->field[i] = at;
        at += len;
        if (*at) {
            *at++ = '\0';
        }
    }
    return true;
}

void lia_oracle_close(struct lia_oracle *oracle, size_t count)
{
    int status = -1;

    (void)fclose(oracle->lines);
    assert_int_equal(waitpid(oracle->pid, &status, 0), oracle->pid);
    assert_int_equal(status, 0);
    assert_int_equal(oracle->count, count);
}
