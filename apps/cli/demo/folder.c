/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700 /* nftw and realpath are X/Open's part of POSIX */
#include "cli/demo/folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *demo_real_path(const char *path)
{
    char *real = realpath(path, NULL);

    return real ? real : strdup(path);
}

static int remove_one(const char *path,
                      const struct stat *info,
                      int kind,
                      struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

void demo_remove_folder(const char *path)
{
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS)) {
        /* What cannot be removed stays where it is. */
    }
}

char *demo_find_above(const char *start, const char *name)
{
    char path[4400];
    char at[4096];

    snprintf(at, sizeof(at), "%s", start);
    for (char *slash = at + strlen(at); slash; slash = strrchr(at, '/')) {
        *slash = '\0';
        snprintf(path, sizeof(path), "%s/%s", at, name);
        if (access(path, R_OK) == 0) {
            return strdup(path);
        }
        if (slash == at) {
            break;
        }
    }
    return NULL;
}
