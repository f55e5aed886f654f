/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/jsonl.h"

#include <stdio.h>

#include "base/file.h"
#include "bench/docs.h"
#include "codec/json.h"

#define FILE_BYTES_MAX ((size_t)64 << 20)

void bench_jsonl_open(struct bench_jsonl *f, const struct bench *b, const char *name)
{
    struct bench_docs docs;
    char path[BENCH_PATH_MAX];

    *f = (struct bench_jsonl){0};
    lia_buf_init(&f->text, b->env->alloc);
    lia_buf_init(&f->doc, b->env->alloc);
    if (b->data) {
        snprintf(path, sizeof(path), "%s/%s.jsonl", b->data, name);
        BENCH_OK(lia_file_read(path, FILE_BYTES_MAX, &f->text, &err));
        return;
    }
    bench_docs_sales(&docs, 0, 20);
    for (size_t i = 0; i < docs.count; i++) {
        lia_buf_slice_add(&f->text, docs.docs[i].json);
    }
    bench_docs_free(&docs);
}

bool bench_jsonl_next(struct bench_jsonl *f, struct liana_slice *out)
{
    const struct liana_slice rest =
        lia_slice(f->text.ptr + f->used, f->text.len - f->used);
    struct liana_error err = LIANA_ERROR_INIT;
    size_t used = 0;
    liana_status status;

    lia_buf_reset(&f->doc);
    status = lia_json_read(rest, &f->doc, &used, &err);
    if (status == LIANA_EEND) {
        return false;
    }
    bench_ok(status, &err, __FILE__, __LINE__);
    f->used += used;
    *out = lia_buf_slice(&f->doc);
    return true;
}

void bench_jsonl_close(struct bench_jsonl *f)
{
    lia_buf_deinit(&f->text);
    lia_buf_deinit(&f->doc);
}
