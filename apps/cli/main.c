/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/help.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/signals.h"

/* Where this binary is, so that it can start itself again; argv[0] if the system does
 * not say. */
static const char *program_path(const char *fallback, char *path, size_t size)
{
    ssize_t len = readlink("/proc/self/exe", path, size - 1);

    if (len <= 0) {
        return fallback;
    }
    path[len] = '\0';
    return path;
}

static bool wants_colour(const char *when, int fd)
{
    const char *terminal = getenv("TERM");
    const char *without = getenv("NO_COLOR");

    if (strcmp(when, "auto") != 0) {
        return strcmp(when, "always") == 0;
    }
    return isatty(fd) && !(without && *without) && terminal &&
           strcmp(terminal, "dumb") != 0;
}

/* A line that does not parse may still say how its error is to be told. */
static bool asks_for_json(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            return true;
        }
    }
    return false;
}

static int run(struct cli *cli, const struct cli_cmd *cmd, int argc, char **argv)
{
    struct cli_args args = {0};
    int rc = CLI_USAGE;
    char message[CLI_MESSAGE_MAX];

    bool is_right = cli_parse(&args, cmd, argc, argv, message);

    cli->json = is_right ? cli_flag(&args, "json") : asks_for_json(argc, argv);
    if (!is_right) {
        cli_error(cli, LIANA_EINVAL, "%s", message);
        cli_note(cli, "Try 'liana help %s'.", cmd->name);
        goto out;
    }
    cli->quiet = cli_flag(&args, "quiet");
    cli->out_colour = wants_colour(cli_text(&args, "color"), STDOUT_FILENO);
    cli->err_colour = wants_colour(cli_text(&args, "color"), STDERR_FILENO);
    if (cli_flag(&args, "help")) {
        cli_help_command(cli->out, cmd);
        rc = CLI_OK;
    } else {
        rc = cmd->run(cli, &args);
    }
out:
    cli_args_deinit(&args);
    return rc;
}

/* What the caller has closed must not become a store's file, into which we print then.
 * Opened the wrong way round, so that its use is the error that it would have been. */
static void hold_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) {
            _exit(CLI_FAILED); /* there is nowhere to say why */
        }
    }
}

int main(int argc, char **argv)
{
    char path[4096];
    struct cli cli = {.program = program_path(argv[0], path, sizeof(path)),
                      .out = stdout,
                      .out_name = "standard output",
                      .err = stderr,
                      .err_terminal = isatty(STDERR_FILENO) == 1};
    const struct cli_cmd *cmd;
    int rc;

    hold_standard_files();
    cli_signals_start();
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        cli_help_overview(argc < 2 ? stderr : stdout);
        return cli_finish(&cli, argc < 2 ? CLI_USAGE : CLI_OK);
    }
    cmd = cli_find_command(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
    if (!cmd) {
        cli_error(&cli, LIANA_EINVAL, "'%s' is no command", argv[1]);
        fprintf(stderr, "'liana help' lists them.\n");
        return CLI_USAGE;
    }
    rc = cli_finish(&cli, run(&cli, cmd, argc - 2, argv + 2));
    if (cli.leaves_thread) {
        _exit(rc); /* libraries must not be taken down under it */
    }
    return rc;
}
