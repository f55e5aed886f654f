/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700 /* nftw */
#include "bench/bench.h"

#include <dirent.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "codec/json.h"

void bench_fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("liana_bench: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

void bench_ok(liana_status status,
              const struct liana_error *err,
              const char *file,
              int line)
{
    if (status) {
        bench_fail("%s:%d: %s: %s", file, line, liana_status_name(status),
                   err->status ? err->message : liana_status_text(status));
    }
}

void bench_report(struct bench_result result)
{
    struct lia_buf doc;
    struct lia_buf line;
    size_t mark;

    lia_buf_init(&doc, &lia_mem_libc);
    lia_buf_init(&line, &lia_mem_libc);
    mark = lia_bson_begin(&doc);
    lia_bson_add_str(&doc, lia_str("name"), lia_str(result.name));
    lia_bson_add_double(&doc, lia_str("value"), result.value);
    lia_bson_add_str(&doc, lia_str("unit"), lia_str(result.unit));
    lia_bson_add_str(&doc, lia_str("reference"), lia_str(result.reference));
    lia_bson_add_int32(&doc, lia_str("runs"), (int32_t)result.runs);
    lia_bson_add_str(&doc, lia_str("description"), lia_str(result.description));
    lia_bson_end(&doc, mark);
    BENCH_OK(doc.status);
    BENCH_OK(lia_json_write(lia_buf_slice(&doc), LIA_JSON_RELAXED, &line, &err));
    printf("%.*s\n", (int)line.len, (const char *)line.ptr);
    fflush(stdout);
    lia_buf_deinit(&line);
    lia_buf_deinit(&doc);
}

/* ---- comparing ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

double bench_median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), by_value);
    return count % 2 ? values[count / 2]
                     : (values[count / 2 - 1] + values[count / 2]) / 2;
}

double bench_compare(bench_side_fn a, bench_side_fn b, void *ctx, unsigned rounds)
{
    double ratios[64];

    if (rounds > sizeof(ratios) / sizeof(ratios[0])) {
        bench_fail("too many rounds: %u", rounds);
    }
    for (unsigned i = 0; i <= rounds; i++) {
        double ms_a = (double)a(ctx, i);
        double ms_b = (double)b(ctx, i);

        if (i) {
            ratios[i - 1] = (ms_a > 0 ? ms_a : 1) / (ms_b > 0 ? ms_b : 1);
        }
    }
    return bench_median(ratios, rounds);
}

/* ---- scratch folders ---- */

void bench_folder_make(char out[BENCH_PATH_MAX])
{
    const char *tmp = getenv("TMPDIR");
    int n = snprintf(out, BENCH_PATH_MAX, "%s/liana-bench-XXXXXX",
                     tmp && *tmp ? tmp : "/tmp");

    if (n < 0 || n >= BENCH_PATH_MAX || !mkdtemp(out)) {
        bench_fail("no scratch folder: %s", out);
    }
}

static int remove_one(const char *path,
                      const struct stat *info,
                      int kind,
                      struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

void bench_folder_remove(const char *path)
{
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0) {
        bench_fail("%s cannot be removed", path);
    }
}

uint64_t bench_file_bytes(const char *folder, const char *prefix)
{
    DIR *dir = opendir(folder);
    uint64_t bytes = 0;

    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[2 * BENCH_PATH_MAX];
        struct stat info;

        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0) {
            snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
            bytes += stat(path, &info) == 0 ? (uint64_t)info.st_size : 0;
        }
    }
    if (dir) {
        closedir(dir);
    }
    return bytes;
}
