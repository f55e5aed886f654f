/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/use.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/error.h"
#include "cli/output.h"
#include "cli/wipe.h"

struct liana_str cli_str(const char *text)
{
    return (struct liana_str){text ? text : "", text ? strlen(text) : 0};
}

/* A command has a store for a moment, and a peer that starts does not serve it at once:
 * both are waited for so long. */
#define PATIENCE_MS 3000
#define NAP_MS      20

/* False: it has been long enough. */
static bool nap(int *waited_ms)
{
    struct timespec pause = {.tv_nsec = NAP_MS * 1000000L};

    if (*waited_ms >= PATIENCE_MS) {
        return false;
    }
    *waited_ms += NAP_MS;
    nanosleep(&pause, NULL); /* a signal makes it shorter, which is as good */
    return true;
}

liana_status cli_use(const char *path,
                     const struct liana_open_options *options,
                     liana_db **out,
                     struct liana_error *err)
{
    struct liana_error why;
    liana_status status;
    int waited_ms = 0;

    do {
        why = (struct liana_error)LIANA_ERROR_INIT;
        status = liana_attach(cli_str(path), out, &why);
        if (status == LIANA_ENOTFOUND) {
            why = (struct liana_error)LIANA_ERROR_INIT;
            status = liana_open(cli_str(path), options, out, &why);
        }
    } while (status == LIANA_EBUSY && nap(&waited_ms));
    if (status && err) {
        *err = why;
    }
    return status;
}

/* Whoever serves it does so for long. */
static bool is_served(const char *path)
{
    liana_db *db;
    liana_status status = liana_attach(cli_str(path), &db, NULL);

    if (status == LIANA_OK) {
        liana_close(db, NULL); /* nothing was done with it */
    }
    return status != LIANA_ENOTFOUND;
}

liana_status cli_open(const char *path,
                      const struct liana_open_options *options,
                      liana_db **out,
                      struct liana_error *err)
{
    struct liana_error why;
    liana_status status;
    int waited_ms = 0;

    do {
        why = (struct liana_error)LIANA_ERROR_INIT;
        status = liana_open(cli_str(path), options, out, &why);
    } while (status == LIANA_EBUSY && !is_served(path) && nap(&waited_ms));
    if (status && err) {
        *err = why;
    }
    return status;
}

int cli_close(struct cli *cli, liana_db *db, int rc)
{
    struct liana_error err = LIANA_ERROR_INIT;
    int closed = liana_close(db, &err) ? cli_fail(cli, &err) : CLI_OK;

    return rc ? rc : closed;
}

/* ---- trust ---- */

static liana_status read_key(const char *path,
                             struct cli_trust *out,
                             struct liana_error *err)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len;

    if (fd < 0) {
        return cli_err(err, errno == ENOENT ? LIANA_ENOTFOUND : LIANA_EIO, "%s: %s",
                       path, strerror(errno));
    }
    if (fstat(fd, &info) < 0 || (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        close(fd);
        return cli_err(err, LIANA_EINSECURE,
                       "%s: others may read or write the key: chmod 600", path);
    }
    len = read(fd, out->key, sizeof(out->key));
    close(fd);
    if (len < 0) {
        return cli_err(err, LIANA_EIO, "%s: %s", path, strerror(errno));
    }
    out->key_len = (size_t)len;
    return LIANA_OK;
}

liana_status cli_trust(const struct cli_args *args,
                       struct cli_trust *out,
                       struct liana_error *err)
{
    const char *path = cli_text(args, "key-file");

    *out = (struct cli_trust){.mode = LIANA_TRUST_NONE};
    if (path && cli_flag(args, "open")) {
        return cli_err(err, LIANA_EINVAL, "--key-file or --open, not both");
    }
    if (cli_flag(args, "open")) {
        out->mode = LIANA_TRUST_OPEN;
    }
    if (path) {
        out->mode = LIANA_TRUST_SHARED_KEY;
        return read_key(path, out, err);
    }
    return LIANA_OK;
}

void cli_trust_wipe(struct cli_trust *trust)
{
    cli_wipe(trust, sizeof(*trust));
}

void cli_trust_apply(const struct cli_trust *trust, struct liana_open_options *options)
{
    options->trust = trust->mode;
    if (trust->mode == LIANA_TRUST_SHARED_KEY) {
        options->shared_key = (struct liana_slice){trust->key, trust->key_len};
    }
}
