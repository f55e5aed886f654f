/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmds.h"
#include "cli/output.h"

/* Made with its mode and only if it is not there: a key that is in use is never lost. */
static int write_new(struct cli *cli, const char *path, struct liana_slice text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool is_written;

    if (fd < 0) {
        return cli_error(cli, errno == EEXIST ? LIANA_EEXISTS : LIANA_EIO, "%s: %s",
                         path, strerror(errno));
    }
    is_written = write(fd, text.ptr, text.len) == (ssize_t)text.len &&
                 write(fd, "\n", 1) == 1 && fsync(fd) == 0;
    if (close(fd) != 0 || !is_written) {
        unlink(path);
        return cli_error(cli, errno == ENOSPC ? LIANA_EFULL : LIANA_EIO, "%s: %s", path,
                         strerror(errno));
    }
    if (cli->json) {
        bson_t *line = BCON_NEW("path", BCON_UTF8(path));

        cli_print_bson(cli, line);
        bson_destroy(line);
    }
    cli_note(cli, "%s: a new shared key. Whoever has it may join.", path);
    return CLI_OK;
}

static int run(struct cli *cli, const struct cli_args *args)
{
    struct liana_error err = LIANA_ERROR_INIT;
    liana_bytes *text;
    int rc;

    if (liana_shared_key_new(&text, &err)) {
        return cli_fail(cli, &err);
    }
    rc = write_new(cli, cli_operand(args, 0), liana_bytes_slice(text));
    liana_bytes_free(text);
    return rc;
}

const struct cli_cmd cli_cmd_key = {
    .name = "key",
    .summary = "make a shared key for the peers of a database",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
    .help = "Writes a new random key to FILE, which must not be there yet and which "
            "nobody else may read. Peers that hold the same key may join each other "
            "(--key-file of peer and hub); copy it by a way that you trust.",
};
