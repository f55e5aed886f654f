/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/use.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/error.h"
#include "cli/output.h"

struct liana_str cli_str(const char *text)
{
    return (struct liana_str){text ? text : "", text ? strlen(text) : 0};
}

liana_status cli_use(const char *path,
                     const struct liana_open_options *options,
                     liana_db **out,
                     struct liana_error *err)
{
    struct liana_error ignored = LIANA_ERROR_INIT;
    liana_status status = liana_attach(cli_str(path), out, &ignored);

    if (status == LIANA_ENOTFOUND) {
        return liana_open(cli_str(path), options, out, err);
    }
    if (status && err) {
        *err = ignored;
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

void cli_trust_apply(const struct cli_trust *trust, struct liana_open_options *options)
{
    options->trust = trust->mode;
    if (trust->mode == LIANA_TRUST_SHARED_KEY) {
        options->shared_key = (struct liana_slice){trust->key, trust->key_len};
    }
}
