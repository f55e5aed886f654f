/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/bson_rewrite.h"

struct level {
    struct lia_bson_iter it;
    size_t mark;       /* where the copy begins in `out` */
    size_t scope_mark; /* of code with scope: where its own length stands */
    bool is_array;
    bool is_scope;
    uint32_t index;
};

static void sort_bytes(uint8_t *at, size_t n)
{
    size_t counts[256] = {0};

    for (size_t i = 0; i < n; i++) {
        counts[at[i]]++;
    }
    for (size_t byte = 0; byte < 256; byte++) {
        memset(at, (int)byte, counts[byte]);
        at += counts[byte];
    }
}

/* The options stand at the end of the payload, before its last NUL. */
static void copy_regex(struct lia_buf *out, struct liana_str name, struct lia_value v)
{
    size_t pattern = strlen((const char *)v.data.ptr) + 1;
    size_t options = v.data.len - pattern - 1;

    lia_bson_add(out, name, v);
    if (!out->status) {
        sort_bytes(out->ptr + out->len - 1 - options, options);
    }
}

static struct level enter(struct lia_buf *out,
                          struct liana_str name,
                          struct lia_value v)
{
    struct level level = {.is_array = v.type == LIA_BSON_ARRAY,
                          .is_scope = v.type == LIA_BSON_CODE_W_SCOPE};
    struct liana_slice inner = level.is_scope ? lia_value_scope(v) : v.data;

    level.it = lia_bson_iter(inner);
    level.scope_mark = lia_bson_begin_in(out, v.type, name);
    level.mark = level.scope_mark;
    if (level.is_scope) {
        lia_buf_bytes(out, v.data.ptr + 4, v.data.len - inner.len - 4);
        level.mark = lia_bson_begin(out);
    }
    return level;
}

static void leave(struct lia_buf *out, const struct level *level)
{
    lia_bson_end(out, level->mark);
    if (level->is_scope) {
        lia_buf_patch_u32(out, level->scope_mark,
                          (uint32_t)(out->len - level->scope_mark));
    }
}

void lia_bson_rewrite(struct liana_slice doc, struct lia_buf *out)
{
    struct level levels[LIA_DEPTH_MAX + 2];
    size_t depth = 1;
    size_t start = out->len;

    levels[0] = (struct level){.it = lia_bson_iter(doc), .mark = lia_bson_begin(out)};
    while (depth > 0) {
        struct level *level = &levels[depth - 1];
        struct lia_value v;
        struct liana_str name;
        char text[12];

        if (!lia_bson_next(&level->it)) {
            leave(out, level);
            depth--;
            continue;
        }
        v = level->it.value;
        name = level->is_array ? lia_bson_index_name(level->index++, text)
                               : level->it.name;
        if (v.type == LIA_BSON_REGEX) {
            copy_regex(out, name, v);
        } else if (v.type == LIA_BSON_DOCUMENT || v.type == LIA_BSON_ARRAY ||
                   v.type == LIA_BSON_CODE_W_SCOPE) {
            levels[depth++] = enter(out, name, v);
        } else {
            lia_bson_add(out, name, v);
        }
    }
    if (!out->status && out->len - start > INT32_MAX) {
        out->status = LIANA_ETOOLARGE;
    }
}
