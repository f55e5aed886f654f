/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_DEMO_FOLDER_H
#define LIA_CLI_DEMO_FOLDER_H
/*
 * cli/demo/folder - what the demo does with paths.
 *
 * Ownership: results are the caller's, free. Threads: none.
 */

/* The absolute path, or a copy of `path` when there is nothing. NULL: out of memory. */
char *demo_real_path(const char *path);

/* Removes a folder with all that is in it, as far as that goes. */
void demo_remove_folder(const char *path);

/* `name` in a folder above `start` (a file or folder); NULL when there is none. */
char *demo_find_above(const char *start, const char *name);

#endif
