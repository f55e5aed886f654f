/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/testing/corpus.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/testing/files.h"
#include "base/testing/test.h"

static yajl_val child(yajl_val node, const char *name, yajl_type type)
{
    const char *path[] = {name, NULL};

    return yajl_tree_get(node, path, type);
}

const char *lia_corpus_text(const struct lia_corpus_case *c, const char *name)
{
    return YAJL_GET_STRING(child(c->node, name, yajl_t_string));
}

bool lia_corpus_flag(const struct lia_corpus_case *c, const char *name)
{
    return child(c->node, name, yajl_t_true) != NULL;
}

static size_t walk_file(const char *name,
                        const char *section,
                        lia_corpus_fn fn,
                        void *ctx)
{
    struct lia_corpus_case c = {.file = name};
    struct lia_buf text;
    char path[LIA_TEST_PATH_MAX];
    char message[256];
    yajl_val root;
    yajl_val cases;
    size_t count;

    lia_buf_init(&text, &lia_mem_libc);
    (void)snprintf(path, sizeof(path), "bson-corpus/%s", name);
    lia_test_shared_file(path, &text);
    lia_buf_u8(&text, 0);
    root = yajl_tree_parse((const char *)text.ptr, message, sizeof(message));
    if (!root) {
        fail_msg("%s: %s", path, message);
    }
    c.is_deprecated = child(root, "deprecated", yajl_t_true) != NULL;
    cases = child(root, section, yajl_t_array);
    count = cases ? cases->u.array.len : 0;
    for (size_t i = 0; i < count; i++) {
        c.node = cases->u.array.values[i];
        c.description = lia_corpus_text(&c, "description");
        fn(ctx, &c);
    }
    yajl_tree_free(root);
    lia_buf_deinit(&text);
    return count;
}

size_t lia_corpus_walk(const char *section, lia_corpus_fn fn, void *ctx)
{
    char path[LIA_TEST_PATH_MAX];
    DIR *folder;
    struct dirent *entry;
    size_t count = 0;

    lia_test_shared_path("bson-corpus", path);
    folder = opendir(path);
    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        const char *suffix = strrchr(entry->d_name, '.');

        if (suffix && strcmp(suffix, ".json") == 0) {
            count += walk_file(entry->d_name, section, fn, ctx);
        }
    }
    closedir(folder);
    return count;
}

void lia_hex_decode(struct lia_buf *buf, const char *text)
{
    for (; text[0] && text[1]; text += 2) {
        char pair[3] = {text[0], text[1], '\0'};
        char *end = NULL;
        unsigned long byte = strtoul(pair, &end, 16);

        assert_ptr_equal(end, pair + 2);
        lia_buf_u8(buf, (uint8_t)byte);
    }
    assert_int_equal(*text, '\0');
}
