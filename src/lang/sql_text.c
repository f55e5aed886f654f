/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How values and paths are written for SQL.
 */
#include "lang/sql.h"

void lia_sql_value_add(struct lia_buf *out, struct lia_value v)
{
    lia_buf_u8(out, v.type);
    lia_buf_slice_add(out, v.data);
}

struct lia_value lia_sql_value(struct liana_slice blob)
{
    if (blob.len == 0) {
        return LIA_MISSING;
    }
    return (struct lia_value){blob.ptr[0], lia_slice_sub(blob, 1, blob.len - 1)};
}

static bool needs_escape(char c)
{
    return c == '.' || c == '[' || c == '\\';
}

void lia_path_print(struct lia_buf *out, const struct lia_steps *path)
{
    for (uint32_t i = 0; i < path->count; i++) {
        const struct lia_step *step = &path->items[i];

        if (!step->name.ptr) {
            lia_buf_printf(out, "[%u]", step->index);
            continue;
        }
        lia_buf_str(out, i ? "." : "");
        for (size_t k = 0; k < step->name.len; k++) {
            if (needs_escape(step->name.ptr[k])) {
                lia_buf_u8(out, '\\');
            }
            lia_buf_u8(out, (uint8_t)step->name.ptr[k]);
        }
    }
}

/* A name up to the next step; escapes are taken away in place of a copy. */
static bool parse_name(char *bytes, size_t len, size_t *at, struct lia_step *out)
{
    char *to = bytes + *at;
    size_t n = 0;

    out->name.ptr = to;
    while (*at < len && bytes[*at] != '.' && bytes[*at] != '[') {
        if (bytes[*at] == '\\' && ++*at == len) {
            return false;
        }
        to[n++] = bytes[(*at)++];
    }
    out->name.len = n;
    return true;
}

static bool parse_index(const char *bytes, size_t len, size_t *at, struct lia_step *out)
{
    uint64_t v = 0;
    size_t from = ++*at;

    while (*at < len && bytes[*at] >= '0' && bytes[*at] <= '9' && v <= INT32_MAX) {
        v = v * 10 + (uint64_t)(bytes[(*at)++] - '0');
    }
    if (*at == from || *at == len || bytes[*at] != ']' || v > INT32_MAX) {
        return false;
    }
    ++*at;
    out->index = (uint32_t)v;
    return true;
}

/* No more steps than that are in the text. */
static uint32_t steps_at_most(struct liana_str text)
{
    uint32_t n = 1;

    for (size_t i = 0; i < text.len && n < LIA_DEPTH_MAX; i++) {
        n += text.ptr[i] == '.' || text.ptr[i] == '[';
    }
    return n;
}

liana_status lia_path_parse(struct lia_arena *arena,
                            struct liana_str text,
                            struct lia_steps *out)
{
    struct lia_steps steps = {.cap = steps_at_most(text)};
    size_t at = 0;
    char *bytes;

    steps.items = lia_arena_array(arena, steps.cap, sizeof(*steps.items));
    bytes = lia_arena_alloc(arena, text.len + 1);
    if (!steps.items || !bytes) {
        return LIANA_ENOMEM;
    }
    if (text.len) {
        memcpy(bytes, text.ptr, text.len);
    }
    do {
        struct lia_step *step = &steps.items[steps.count];
        bool is_first = steps.count == 0;
        bool good;

        if (steps.count == steps.cap) {
            return LIANA_EINVAL;
        }
        steps.count++;
        if (!is_first && bytes[at] == '[') {
            good = parse_index(bytes, text.len, &at, step);
        } else {
            at += !is_first; /* the dot */
            good = parse_name(bytes, text.len, &at, step);
        }
        if (!good) {
            return LIANA_EINVAL;
        }
    } while (at < text.len);
    *out = steps;
    return LIANA_OK;
}
