/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/testing/golden.h"

#include <stdio.h>

#include "base/testing/test.h"

#include "lang/eval.h"
#include "lang/parse.h"
#include "lang/print.h"

#define FOLDER "tests/golden/query/"

static const char *const files[] = {
    "expr_compare.txt", "expr_logic.txt", "expr_number.txt",
    "expr_string.txt",  "expr_value.txt",
};

/* The next line that is neither blank nor a comment, without its end. */
static bool next_line(FILE *file, char *line, size_t size, int *number)
{
    while (fgets(line, (int)size, file)) {
        (*number)++;
        line[strcspn(line, "\n")] = '\0';
        if (line[0] && line[0] != '#') {
            return true;
        }
    }
    return false;
}

static struct lia_expr *parse(struct lia_arena *arena,
                              const char *text,
                              const char *place)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_expr *e;

    if (lia_lang_parse_expr(arena, lia_str(text), &e, &err)) {
        fail_msg("%s: %s: %s", place, text, err.message);
    }
    return e;
}

static void run_case(struct lia_golden_case *c,
                     const char *doc_text,
                     lia_golden_fn fn,
                     void *ctx)
{
    struct lia_arena arena;
    struct lia_eval eval = {.arena = &arena};
    struct lia_value doc;

    lia_arena_init(&arena, &lia_mem_libc);
    c->expr = parse(&arena, c->text, c->place);
    if (lia_eval(&eval, parse(&arena, doc_text, c->place), lia_bson_empty, &doc)) {
        fail_msg("%s: %s is no document", c->place, doc_text);
    }
    c->doc = doc.data;
    fn(ctx, c);
    lia_arena_deinit(&arena);
}

static size_t run_file(const char *name, lia_golden_fn fn, void *ctx)
{
    char path[128];
    char text[512];
    char doc[512];
    char result[512];
    char place[128];
    struct lia_golden_case c = {.place = place, .text = text, .result = result};
    int line = 0;
    size_t n = 0;
    FILE *file;

    snprintf(path, sizeof(path), FOLDER "%s", name);
    file = fopen(path, "r");
    if (!file) {
        fail_msg("cannot read %s", path);
    }
    while (next_line(file, text, sizeof(text), &line)) {
        snprintf(place, sizeof(place), "%s:%d", name, line);
        if (!next_line(file, doc, sizeof(doc), &line) ||
            !next_line(file, result, sizeof(result), &line)) {
            fail_msg("%s: a case has three lines", place);
        }
        run_case(&c, doc, fn, ctx);
        n++;
    }
    (void)fclose(file);
    return n;
}

size_t lia_golden_walk(lia_golden_fn fn, void *ctx)
{
    size_t n = 0;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        n += run_file(files[i], fn, ctx);
    }
    return n;
}

void lia_golden_check(const struct lia_golden_case *c,
                      const char *how,
                      liana_status status,
                      struct lia_value value)
{
    const struct lia_expr literal = {.kind = LIA_EXPR_VALUE, .value = value};
    struct lia_buf buf;

    lia_buf_init(&buf, &lia_mem_libc);
    if (status) {
        lia_buf_printf(&buf, "error %s", liana_status_name(status));
    } else {
        lia_expr_print(&buf, &literal);
    }
    lia_buf_u8(&buf, 0);
    if (strcmp((const char *)buf.ptr, c->result) != 0) {
        fail_msg("%s (%s): %s\n  wanted %s\n  got    %s", c->place, how, c->text,
                 c->result, (const char *)buf.ptr);
    }
    lia_buf_deinit(&buf);
}
