/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz/replay - the main() of a fuzz target in builds without libFuzzer: runs every
 * file of the folders and files named as arguments once.
 *
 * Rules: no input at all is a failure, so that a lost corpus is noticed. A crash of the
 * target ends the process; the name of the input was printed before.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t inputs;

static int fail(const char *path, const char *what)
{
    fprintf(stderr, "%s: %s\n", path, what);
    return 1;
}

static int run_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(size + 1);
    int failed = 0;

    if (!file || !data || fread(data, 1, size, file) != size) {
        failed = fail(path, "cannot be read");
    } else {
        printf("%s (%zu bytes)\n", path, size);
        (void)fflush(stdout);
        (void)LLVMFuzzerTestOneInput(data, size);
        inputs++;
    }
    free(data);
    if (file) {
        (void)fclose(file);
    }
    return failed;
}

static int run(const char *path);

static int run_folder(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    char inner[4096];
    int failed = 0;

    if (!folder) {
        return fail(path, strerror(errno));
    }
    while ((entry = readdir(folder)) != NULL) {
        int n = snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);

        if (entry->d_name[0] == '.') {
            continue;
        }
        if (n < 0 || (size_t)n >= sizeof(inner)) {
            failed |= fail(path, "name is too long");
            continue;
        }
        failed |= run(inner);
    }
    (void)closedir(folder);
    return failed;
}

static int run(const char *path)
{
    struct stat info;

    if (stat(path, &info) != 0) {
        return fail(path, strerror(errno));
    }
    return S_ISDIR(info.st_mode) ? run_folder(path)
                                 : run_file(path, (size_t)info.st_size);
}

int main(int argc, char **argv)
{
    int failed = 0;

    for (int i = 1; i < argc; i++) {
        failed |= run(argv[i]);
    }
    if (inputs == 0) {
        return fail(argv[0], "no input was found");
    }
    printf("%zu inputs\n", inputs);
    return failed;
}
