/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_TESTING_ORACLE_H
#define LIA_CODEC_TESTING_ORACLE_H
/*
 * codec/testing/oracle - cases with their right answers, made by a Python script while the
 * test runs.
 *
 * The script is called as `python3 FILE SEED COUNT` and writes one case a line, fields
 * separated by blanks.
 *
 * Rules: a script that fails, fails the test; so does a missing python3 where CI is set,
 * which elsewhere skips it.
 * Ownership: a line is valid until the next one. Threads: one.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define LIA_ORACLE_FIELDS 8

struct lia_oracle {
    FILE *lines;
    pid_t pid;
    size_t count; /* lines read so far */
    char line[16384];
    const char *field[LIA_ORACLE_FIELDS];
};

/* `script` is a file beside this one. */
void lia_oracle_open(struct lia_oracle *oracle,
                     const char *script,
                     uint64_t seed,
                     size_t count);

/* The next case is in field[]; missing fields are empty texts. False at the end. */
bool lia_oracle_next(struct lia_oracle *oracle);

/* Fails the test unless the script ended well after `count` cases. */
void lia_oracle_close(struct lia_oracle *oracle, size_t count);

#endif
