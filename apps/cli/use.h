/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_USE_H
#define LIA_CLI_USE_H
/*
 * cli/use - getting at a store: a running one is attached to, another is opened.
 *
 * Rules: a command that only reads or writes documents works the same on a store that a
 * peer, a hub or an app holds and serves, and on one that nobody holds. One that a command
 * is at is waited for, some seconds.
 * Ownership: the handle is the caller's, liana_close. Threads: the main thread.
 */
#include "cli/command.h"

/* "" for NULL. */
struct liana_str cli_str(const char *text);

/* Attaches to the store if somebody serves it, else opens it. `options` (NULL: defaults,
 * no sync) are for opening it. */
LIANA_MUST_CHECK liana_status cli_use(const char *path,
                                      const struct liana_open_options *options,
                                      liana_db **out,
                                      struct liana_error *err);

/* Opens it, to hold it. */
LIANA_MUST_CHECK liana_status cli_open(const char *path,
                                       const struct liana_open_options *options,
                                       liana_db **out,
                                       struct liana_error *err);

/* Closes; a failure is printed, and becomes the exit code if `rc` is CLI_OK. */
int cli_close(struct cli *cli, liana_db *db, int rc);

/* ---- options of commands that sync, for their tables ---- */

#define CLI_OPTIONS_TRUST                                                              \
    {.name = "key-file",                                                               \
     .type = CLI_TEXT,                                                                 \
     .value = "FILE",                                                                  \
     .help =                                                                           \
         "sync with peers that hold the same key, a file that nobody else may read"},  \
    {                                                                                  \
        .name = "open", .help = "sync with anybody who can reach this peer; for "      \
                                "development only"                                     \
    }

struct cli_trust {
    int32_t mode;
    uint8_t key[128]; /* as it stands in the file */
    size_t key_len;
};

/* What --key-file and --open say. LIANA_EINVAL for both, LIANA_EINSECURE for a file that
 * others may read, LIANA_ENOTFOUND. */
LIANA_MUST_CHECK liana_status cli_trust(const struct cli_args *args,
                                        struct cli_trust *out,
                                        struct liana_error *err);

/* Puts it into the options; `trust` must outlive the open. */
void cli_trust_apply(const struct cli_trust *trust, struct liana_open_options *options);

/* Forgets the key; the store has its own copy. */
void cli_trust_wipe(struct cli_trust *trust);

#endif
