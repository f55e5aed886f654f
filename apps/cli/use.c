/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/use.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static liana_status say(struct liana_error *err,
                        liana_status status,
                        const char *what,
                        const char *why)
{
    if (err) {
        err->status = status;
        snprintf(err->message, sizeof(err->message), "%s: %s", what, why);
    }
    return status;
}

static int hex_digit(int c)
{
    return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : -1;
}

/* 64 digits with white space around them. */
static bool read_hex(const char *text, size_t len, uint8_t *out)
{
    while (len > 0 && isspace((unsigned char)text[len - 1])) {
        len--;
    }
    while (len > 0 && isspace((unsigned char)*text)) {
        text++;
        len--;
    }
    if (len != (size_t)LIANA_SHARED_KEY_BYTES * 2) {
        return false;
    }
    for (size_t i = 0; i < LIANA_SHARED_KEY_BYTES; i++) {
        int high = hex_digit((unsigned char)text[2 * i]);
        int low = hex_digit((unsigned char)text[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

static liana_status read_key(const char *path, uint8_t *out, struct liana_error *err)
{
    char text[256];
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len;

    if (fd < 0) {
        return say(err, errno == ENOENT ? LIANA_ENOTFOUND : LIANA_EIO, path,
                   strerror(errno));
    }
    if (fstat(fd, &info) < 0 || (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        close(fd);
        return say(err, LIANA_EDENIED, path,
                   "others may read or write the key: chmod 600");
    }
    len = read(fd, text, sizeof(text));
    close(fd);
    if (len < 0) {
        return say(err, LIANA_EIO, path, strerror(errno));
    }
    if (read_hex(text, (size_t)len, out)) {
        return LIANA_OK;
    }
    if (len == LIANA_SHARED_KEY_BYTES) {
        memcpy(out, text, LIANA_SHARED_KEY_BYTES);
        return LIANA_OK;
    }
    return say(err, LIANA_EINVAL, path, "no key: 64 hexadecimal digits or 32 bytes");
}

liana_status cli_trust(const struct cli_args *args,
                       struct cli_trust *out,
                       struct liana_error *err)
{
    const char *path = cli_text(args, "key-file");

    *out = (struct cli_trust){.mode = LIANA_TRUST_NONE};
    if (path && cli_flag(args, "open")) {
        return say(err, LIANA_EINVAL, "--key-file and --open", "one or the other");
    }
    if (cli_flag(args, "open")) {
        out->mode = LIANA_TRUST_OPEN;
    }
    if (path) {
        out->mode = LIANA_TRUST_SHARED_KEY;
        return read_key(path, out->key, err);
    }
    return LIANA_OK;
}

void cli_trust_apply(const struct cli_trust *trust, struct liana_open_options *options)
{
    options->trust = trust->mode;
    if (trust->mode == LIANA_TRUST_SHARED_KEY) {
        options->shared_key = (struct liana_slice){trust->key, LIANA_SHARED_KEY_BYTES};
    }
}
