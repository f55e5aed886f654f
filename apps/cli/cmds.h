/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_CMDS_H
#define LIA_CLI_CMDS_H
/*
 * cli/cmds - the declarations of all commands, from commands.def.
 *
 * Ownership: static. Threads: none.
 */
#include "cli/command.h"

#define CLI_COMMAND(name)  extern const struct cli_cmd cli_cmd_##name;
#define CLI_INTERNAL(name) CLI_COMMAND(name)
#include "cli/commands.def"
#undef CLI_COMMAND
#undef CLI_INTERNAL

#endif
