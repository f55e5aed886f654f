/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/testing/script.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/testing/test.h"
#include "codec/json.h"
#include "crdt/doc.h"

#define PEERS      8
#define NAMES_MAX  8
#define OPS_MAX    8
#define SHAPES_MAX 4

struct peer {
    uint64_t actor;
    uint64_t last;
    struct lia_doc doc;
    struct lia_shape shapes[SHAPES_MAX]; /* its schema */
    size_t shape_count;
    struct lia_buf lost; /* of the last pull, as text */
    struct lia_doc saved_doc;
    uint64_t saved_last;
    struct lia_retag retag; /* after a roll-back that was found out */
};

struct script {
    const char *name;
    unsigned line;
    struct lia_arena arena;
    struct peer peers[PEERS];
    uint64_t actors;
};

static void fail_line(const struct script *s, const char *why)
{
    print_error("%s, line %u: %s\n", s->name, s->line, why);
    fail();
}

static void must(const struct script *s, liana_status status, const char *message)
{
    if (status) {
        print_error("%s\n", liana_status_name(status));
        fail_line(s, message);
    }
}

/* ---- words ---- */

static struct liana_str trim(struct liana_str s)
{
    while (s.len && s.ptr[0] == ' ') {
        s.ptr++;
        s.len--;
    }
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\n')) {
        s.len--;
    }
    return s;
}

/* Takes what stands before `separator` off the front. */
static struct liana_str take(struct liana_str *s, char separator)
{
    const char *found = s->len ? memchr(s->ptr, separator, s->len) : NULL;
    struct liana_str word = {s->ptr, found ? (size_t)(found - s->ptr) : s->len};

    s->ptr += word.len + (found != NULL);
    s->len -= word.len + (found != NULL);
    return trim(word);
}

static bool is_word(struct liana_str s, const char *word)
{
    return lia_str_equal(s, lia_str(word));
}

static struct peer *peer_of(struct script *s, struct liana_str word)
{
    if (word.len != 1 || word.ptr[0] < 'A' || word.ptr[0] >= 'A' + PEERS) {
        fail_line(s, "no such peer");
    }
    return &s->peers[word.ptr[0] - 'A'];
}

static uint64_t number_of(struct liana_str text)
{
    char digits[24] = {0};

    assert_true(text.len < sizeof(digits));
    memcpy(digits, text.ptr, text.len);
    return strtoull(digits, NULL, 10);
}

/* ---- values ---- */

static struct lia_value value_of(struct script *s, struct liana_str json)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_value v;
    struct lia_buf buf;

    lia_buf_init(&buf, &lia_mem_libc);
    must(s, lia_json_read_value(lia_str_slice(json), &buf, &v, &err), err.message);
    assert_true(lia_arena_copy(&s->arena, v.data, &v.data));
    lia_buf_deinit(&buf);
    return v;
}

/* The bytes, in hexadecimal or as JSON, for a message. */
static void print_body(const char *what, struct liana_slice body)
{
    struct lia_buf text;

    lia_buf_init(&text, &lia_mem_libc);
    if (body.len && lia_json_write(body, LIA_JSON_CANONICAL, &text, NULL) == LIANA_OK) {
        print_error("%s: %.*s\n", what, (int)text.len, (const char *)text.ptr);
    } else {
        print_error("%s: nothing\n", what);
    }
    lia_buf_deinit(&text);
}

static void shows(struct script *s, const struct peer *p, struct liana_str json)
{
    struct liana_slice expected = {NULL, 0};

    if (!is_word(json, "nothing")) {
        expected = value_of(s, json).data;
    }
    if (!lia_slice_equal(expected, p->doc.body)) {
        print_body("expected", expected);
        print_body("shown", p->doc.body);
        fail_line(s, "another document is shown");
    }
}

static void check_bytes(const struct script *s,
                        struct liana_slice bytes,
                        struct liana_str hex)
{
    struct lia_buf text;
    struct lia_buf expected;

    lia_buf_init(&text, &lia_mem_libc);
    lia_buf_init(&expected, &lia_mem_libc);
    for (size_t i = 0; i < bytes.len; i++) {
        lia_buf_printf(&text, "%s%02x", i ? " " : "", bytes.ptr[i]);
    }
    while (hex.len) {
        struct liana_str word = take(&hex, ' ');

        if (word.len) {
            lia_buf_printf(&expected, "%s%.*s", expected.len ? " " : "",
                           LIA_STR_ARG(word));
        }
    }
    if (!lia_slice_equal(lia_buf_slice(&text), lia_buf_slice(&expected))) {
        print_error("%.*s\n", (int)text.len, (const char *)text.ptr);
        fail_line(s, "other bytes, these");
    }
    lia_buf_deinit(&expected);
    lia_buf_deinit(&text);
}

/* ---- operations ---- */

static struct lia_path path_of(struct script *s, struct liana_str text)
{
    struct liana_str *names =
        lia_arena_array(&s->arena, NAMES_MAX, sizeof(struct liana_str));
    struct lia_path path = {names, 0};

    assert_non_null(names);
    while (text.len && path.count < NAMES_MAX) {
        names[path.count++] = take(&text, '.');
    }
    return path;
}

static void knows(struct script *s, struct peer *p, struct liana_str text)
{
    struct lia_path path = path_of(s, take(&text, ' '));

    assert_true(p->shape_count < SHAPES_MAX);
    p->shapes[p->shape_count++] = (struct lia_shape){
        path, is_word(trim(text), "set") ? LIA_SHAPE_SET : LIA_SHAPE_REGISTER, 0};
}

static struct lia_op parse_op(struct script *s,
                              const struct peer *p,
                              struct liana_str text)
{
    static const char *const kinds[] = {[LIA_OP_INSERT] = "insert",
                                        [LIA_OP_REPLACE] = "replace",
                                        [LIA_OP_SET] = "set",
                                        [LIA_OP_UNSET] = "unset",
                                        [LIA_OP_INCREMENT] = "increment",
                                        [LIA_OP_ADD] = "add",
                                        [LIA_OP_REMOVE] = "remove",
                                        [LIA_OP_BOUND] = "bound",
                                        [LIA_OP_TRANSFER] = "transfer",
                                        [LIA_OP_RECLAIM] = "reclaim",
                                        [LIA_OP_RESTART] = "restart",
                                        [LIA_OP_DELETE] = "delete"};
    struct liana_str word = take(&text, ' ');
    struct lia_op op = {
        .kind = LIA_OP_INSERT, .shapes = p->shapes, .shape_count = p->shape_count};

    while (op.kind <= LIA_OP_DELETE && !is_word(word, kinds[op.kind])) {
        op.kind++;
    }
    if (op.kind > LIA_OP_DELETE) {
        fail_line(s, "no such operation");
    }
    text = trim(text);
    if (op.kind == LIA_OP_DELETE && is_word(text, "softly")) {
        op.mode = LIA_UPDATE_WINS;
        return op;
    }
    if (op.kind >= LIA_OP_SET && op.kind < LIA_OP_DELETE) {
        op.path = path_of(s, take(&text, ' '));
    }
    if (op.kind == LIA_OP_BOUND) {
        op.bound = (int64_t)number_of(take(&text, ' '));
    } else if (op.kind == LIA_OP_TRANSFER || op.kind == LIA_OP_RECLAIM) {
        op.actor = number_of(take(&text, ' '));
    }
    if (trim(text).len) {
        op.value = value_of(s, trim(text));
    }
    return op;
}

static liana_status write_ops(struct script *s,
                              struct peer *p,
                              struct liana_str text,
                              bool is_more,
                              struct liana_error *err)
{
    struct lia_op ops[OPS_MAX];
    size_t count = 0;
    struct lia_stamp stamp = {p->last + !is_more, p->actor};
    struct lia_doc after;
    liana_status status;

    while (text.len && count < OPS_MAX) {
        ops[count++] = parse_op(s, p, take(&text, ';'));
    }
    status = lia_doc_apply(&s->arena, p->doc, ops, count, stamp, &after, err);
    if (!status) {
        if (after.clock.ptr != p->doc.clock.ptr) {
            p->last = stamp.hlc;
        }
        p->doc = after;
    }
    return status;
}

static void has_rights(struct script *s, const struct peer *p, struct liana_str text)
{
    struct lia_path path = path_of(s, take(&text, ' '));
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_bounded_info info;

    must(s, lia_doc_bounded(&s->arena, p->doc, path, p->actor, &info, &err),
         err.message);
    if (info.rights != (int64_t)number_of(trim(text))) {
        print_error("%ld\n", (long)info.rights);
        fail_line(s, "other rights");
    }
}

static void fails(struct script *s, struct peer *p, struct liana_str text)
{
    struct liana_str name = take(&text, ' ');
    struct liana_error err = LIANA_ERROR_INIT;
    liana_status status = write_ops(s, p, text, false, &err);

    if (!is_word(name, liana_status_name(status))) {
        print_error("%s: %s\n", liana_status_name(status), err.message);
        fail_line(s, "another status");
    }
    if (err.status != status || !err.message[0]) {
        fail_line(s, "no message");
    }
}

/* ---- segments ---- */

static struct lia_doc_info info_of(struct script *s, const struct peer *p)
{
    struct lia_doc_info info;

    must(s, lia_doc_info(&s->arena, p->doc.clock, &info), "clock has no head");
    return info;
}

static struct liana_slice segment_for(struct script *s,
                                      const struct peer *from,
                                      struct lia_vector since)
{
    struct liana_slice segment;

    must(s, lia_doc_segment(&s->arena, from->doc, since, &segment), "no segment");
    return segment;
}

/* "path value", as the script has it; a comma after each. */
static void note_loser(void *ctx, const struct lia_loser *loser)
{
    struct lia_buf *lost = ctx;
    struct lia_buf doc;
    struct lia_buf json;
    size_t mark;

    for (size_t i = 0; i < loser->path.count; i++) {
        lia_buf_printf(lost, "%s%.*s", i ? "." : "", LIA_STR_ARG(loser->path.names[i]));
    }
    if (loser->value.type == LIA_BSON_END) {
        lia_buf_str(lost, " removed;");
        return;
    }
    lia_buf_init(&doc, &lia_mem_libc);
    lia_buf_init(&json, &lia_mem_libc);
    mark = lia_bson_begin(&doc);
    lia_bson_add(&doc, lia_str("v"), loser->value);
    lia_bson_end(&doc, mark);
    assert_int_equal(lia_json_write(lia_buf_slice(&doc), LIA_JSON_RELAXED, &json, NULL),
                     LIANA_OK);
    /* {"v":...} */
    assert_true(json.len > 6);
    lia_buf_printf(lost, " %.*s;", (int)(json.len - 6), (const char *)json.ptr + 5);
    lia_buf_deinit(&json);
    lia_buf_deinit(&doc);
}

static void check_lost(const struct script *s,
                       const struct peer *p,
                       struct liana_str text)
{
    if (!lia_slice_equal(lia_buf_slice(&p->lost), lia_str_slice(text)) &&
        !(is_word(text, "nothing") && p->lost.len == 0)) {
        print_error("lost: %.*s\n", (int)p->lost.len, (const char *)p->lost.ptr);
        fail_line(s, "something else was lost");
    }
}

static void pull(struct script *s, struct peer *p, struct liana_str text)
{
    const struct lia_watch watch = {.lost = note_loser, .ctx = &p->lost};
    const struct peer *from = peer_of(s, take(&text, ' '));
    struct lia_vector since = info_of(s, p).vector;
    struct liana_error err = LIANA_ERROR_INIT;
    uint64_t newest;

    if (is_word(trim(text), "whole")) {
        since = (struct lia_vector){NULL, 0};
    }
    lia_buf_reset(&p->lost);
    must(s,
         lia_doc_merge_watched(&s->arena, p->doc, segment_for(s, from, since), &watch,
                               &p->doc, &err),
         err.message);
    newest = lia_vector_max_hlc(info_of(s, p).vector);
    p->last = newest > p->last ? newest : p->last;
}

/* A roll-back is found out: all beyond `hlc` is counted anew, under a new actor. */
static void retag(struct script *s, struct peer *p, struct liana_str hlc)
{
    struct liana_error err = LIANA_ERROR_INIT;

    p->retag.actor = p->actor;
    p->retag.beyond = number_of(hlc);
    p->actor = ++s->actors;
    p->retag.tag = (struct lia_stamp){++p->last, p->actor};
    must(s, lia_doc_retag(&s->arena, p->doc, &p->retag, &p->doc, &err), err.message);
}

static void heal(struct script *s, struct peer *p, struct liana_str text)
{
    const struct peer *from = peer_of(s, take(&text, ' '));
    uint64_t newest = lia_vector_max_hlc(info_of(s, from).vector);
    struct lia_vector known = info_of(s, p).vector;
    struct lia_vector_entry *entries =
        lia_arena_array(&s->arena, known.count, sizeof(*entries));
    struct liana_error err = LIANA_ERROR_INIT;

    assert_non_null(entries);
    for (size_t i = 0; i < known.count; i++) {
        entries[i] = known.entries[i];
        if (entries[i].actor == p->retag.actor && entries[i].hlc > p->retag.beyond) {
            entries[i].hlc = p->retag.beyond;
        }
    }
    p->last = newest > p->last ? newest : p->last;
    p->retag.tag.hlc = ++p->last;
    must(s,
         lia_doc_heal(&s->arena, p->doc,
                      segment_for(s, from, (struct lia_vector){entries, known.count}),
                      &p->retag, &p->doc, &err),
         err.message);
}

static void check_flag(struct script *s, const struct peer *p, struct liana_str text)
{
    struct lia_doc_info info = info_of(s, p);

    if (info.is_clamped != is_word(text, "clamped")) {
        fail_line(s, info.is_clamped ? "clamped" : "not clamped");
    }
}

static void take_whole(struct script *s, struct peer *p, struct lia_doc doc)
{
    const struct peer from = {.doc = doc};
    struct liana_slice segment = segment_for(s, &from, (struct lia_vector){NULL, 0});
    struct liana_error err = LIANA_ERROR_INIT;

    must(s, lia_doc_merge(&s->arena, p->doc, segment, &p->doc, &err), err.message);
    p->last = p->last > UINT16_MAX + 1 ? p->last : UINT16_MAX + 1;
}

static void begin_with(struct script *s, struct peer *p, struct liana_str json)
{
    const struct lia_op op = {.kind = LIA_OP_INSERT,
                              .value = value_of(s, json),
                              .shapes = p->shapes,
                              .shape_count = p->shape_count};
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_stamp stamp;
    struct lia_doc doc;

    must(s, lia_doc_initial(&s->arena, lia_str("c"), &op, &doc, &stamp, &err),
         err.message);
    take_whole(s, p, doc);
}

static void evict(struct script *s, struct peer *p)
{
    if (lia_vector_get(info_of(s, p).vector, p->actor)) {
        p->actor = ++s->actors;
    }
    p->doc = (struct lia_doc){{NULL, 0}, {NULL, 0}};
}

static void set_clock(struct peer *p, struct liana_str text)
{
    uint64_t at = number_of(take(&text, ' '));

    p->last = is_word(trim(text), "ms") ? (at << 16) - 1 : at;
}

/* ---- lines ---- */

static void run_line(struct script *s, struct liana_str line)
{
    struct peer *p = peer_of(s, take(&line, ' '));
    struct liana_str rest = line;
    struct liana_str word = take(&rest, ' ');
    struct liana_error err = LIANA_ERROR_INIT;

    rest = trim(rest);
    if (is_word(word, "shows")) {
        shows(s, p, rest);
    } else if (is_word(word, "pull")) {
        pull(s, p, rest);
    } else if (is_word(word, "initial")) {
        begin_with(s, p, rest);
    } else if (is_word(word, "lost")) {
        check_lost(s, p, rest);
    } else if (is_word(word, "saves")) {
        p->saved_doc = p->doc;
        p->saved_last = p->last;
    } else if (is_word(word, "falls")) {
        p->doc = p->saved_doc;
        p->last = p->saved_last;
    } else if (is_word(word, "retag")) {
        retag(s, p, rest);
    } else if (is_word(word, "heal")) {
        heal(s, p, rest);
    } else if (is_word(word, "is")) {
        check_flag(s, p, rest);
    } else if (is_word(word, "evict")) {
        evict(s, p);
    } else if (is_word(word, "rights")) {
        has_rights(s, p, rest);
    } else if (is_word(word, "knows")) {
        knows(s, p, rest);
    } else if (is_word(word, "at")) {
        set_clock(p, rest);
    } else if (is_word(word, "fails")) {
        fails(s, p, rest);
    } else if (is_word(word, "clock")) {
        check_bytes(s, p->doc.clock, rest);
    } else if (is_word(word, "segment")) {
        struct lia_doc_info info = info_of(s, peer_of(s, take(&rest, ' ')));

        check_bytes(s, segment_for(s, p, info.vector), rest);
    } else if (is_word(word, "also")) {
        must(s, write_ops(s, p, rest, true, &err), err.message);
    } else {
        must(s, write_ops(s, p, trim(line), false, &err), err.message);
    }
    must(s, lia_doc_check(&s->arena, p->doc, &err), err.message);
}

static void begin(struct script *s)
{
    lia_arena_reset(&s->arena);
    for (size_t i = 0; i < PEERS; i++) {
        lia_buf_deinit(&s->peers[i].lost);
        s->peers[i] = (struct peer){0};
        lia_buf_init(&s->peers[i].lost, &lia_mem_libc);
    }
    for (s->actors = 0; s->actors < PEERS; s->actors++) {
        s->peers[s->actors].actor = s->actors + 1;
    }
}

/* A line, its newline taken off; bytes may go on in the lines that follow. */
static struct liana_str take_line(struct script *s, struct liana_str *text)
{
    struct liana_str line = {text->ptr, 0};
    const char *end = text->ptr + text->len;
    const char *at = text->ptr;

    do {
        const char *newline = memchr(at, '\n', (size_t)(end - at));

        at = newline ? newline + 1 : end;
        s->line++;
    } while (at < end && *at == ' ');
    line.len = (size_t)(at - line.ptr);
    text->ptr = at;
    text->len = (size_t)(end - at);
    return line;
}

/* Newlines inside become blanks. */
static struct liana_str one_line(struct script *s, struct liana_str line)
{
    char *copy = lia_arena_alloc(&s->arena, line.len + 1);

    assert_non_null(copy);
    for (size_t i = 0; i < line.len; i++) {
        copy[i] = line.ptr[i];
        if (copy[i] == '\n') {
            copy[i] = ' ';
        }
    }
    return trim((struct liana_str){copy, line.len});
}

static void run(struct script *s, struct liana_str text)
{
    lia_arena_init(&s->arena, &lia_mem_libc);
    for (size_t i = 0; i < PEERS; i++) {
        lia_buf_init(&s->peers[i].lost, &lia_mem_libc);
    }
    begin(s);
    while (text.len) {
        struct liana_str line = one_line(s, take_line(s, &text));

        if (is_word(line, "=")) {
            begin(s);
        } else if (line.len && line.ptr[0] != '#') {
            run_line(s, line);
        }
    }
    begin(s);
    lia_arena_deinit(&s->arena);
}

void lia_script_run(const char *name, struct liana_slice text)
{
    struct script s = {.name = name};

    run(&s, lia_slice_str(text));
}

void lia_script_run_page(const char *name, struct liana_slice page)
{
    static const char open[] = "```crdt\n";
    struct script s = {.name = name};
    const char *at = (const char *)page.ptr;
    const char *end = at + page.len;
    const char *start = NULL;
    unsigned blocks = 0;
    unsigned line = 0;

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t len = newline ? (size_t)(newline - at) + 1 : (size_t)(end - at);

        line++;
        if (start && len >= 3 && memcmp(at, "```", 3) == 0) {
            run(&s, (struct liana_str){start, (size_t)(at - start)});
            start = NULL;
            blocks++;
        } else if (len == sizeof(open) - 1 && memcmp(at, open, len) == 0) {
            start = at + len;
            s.line = line;
        }
        at += len;
    }
    assert_true(blocks > 0);
}
