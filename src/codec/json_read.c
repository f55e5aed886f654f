/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <yajl/yajl_parse.h>

#include "codec/double_text.h"
#include "codec/json.h"
#include "codec/json_fund.h"
#include "codec/json_scan.h"
#include "codec/json_wrap.h"
#include "codec/number.h"

/* Below the deepest value: {"$dbPointer": {"$id": {"$oid": ...}}}. */
#define WRAPPERS_MAX 4
#define FRAMES_MAX   (LIA_DEPTH_MAX + 1 + WRAPPERS_MAX)

struct frame {
    size_t element; /* of this container in its parent: type, name, payload */
    size_t mark;    /* its payload */
    uint32_t index; /* of an array: the next element's */
    bool is_array;
    bool has_plain_number;
};

/* Values are built into a holding document {"": value}, whose closing zero is added at the
 * end. A name is written with a type of 0 before it, which its value sets. */
struct reader {
    struct liana_slice text; /* of the value alone */
    struct lia_buf *out;
    struct lia_buf scratch;
    struct liana_error *err;
    liana_status status;
    yajl_handle yajl;
    struct lia_json_fund fund;
    size_t element; /* the element that waits for its value */
    size_t depth;
    struct frame frames[FRAMES_MAX];
};

struct position {
    size_t line;
    size_t column; /* in characters */
};

static struct position position(struct liana_slice text, size_t at)
{
    struct position p = {1, 1};

    for (size_t i = 0; i < at && i < text.len; i++) {
        if (text.ptr[i] == '\n') {
            p.line++;
            p.column = 1;
        } else {
            p.column += (text.ptr[i] & 0xc0) != 0x80;
        }
    }
    return p;
}

static liana_status fail_at(struct liana_slice text,
                            size_t at,
                            const char *what,
                            struct liana_error *err)
{
    struct position p = position(text, at);

    return lia_err(err, LIANA_EJSON, "line %zu, column %zu: %s", p.line, p.column,
                   what);
}

/* Callbacks answer 0 to stop yajl; `status` says why. */
static int stop(struct reader *r, liana_status status)
{
    r->status = r->status ? r->status : status;
    return 0;
}

static int refuse(struct reader *r, const char *what)
{
    return stop(r, fail_at(r->text, yajl_get_bytes_consumed(r->yajl), what, r->err));
}

static int go_on(struct reader *r)
{
    return r->out->status ? stop(r, r->out->status) : 1;
}

/* ---- values ---- */

/* The element for a value: the one whose name came before, or the next of an array. */
static size_t take_element(struct reader *r)
{
    struct frame *frame = r->depth ? &r->frames[r->depth - 1] : NULL;
    char text[12];

    if (frame && frame->is_array) {
        struct liana_str name = lia_bson_index_name(frame->index++, text);

        r->element = r->out->len;
        lia_buf_u8(r->out, 0);
        lia_buf_bytes(r->out, name.ptr, name.len);
        lia_buf_u8(r->out, 0);
    }
    return r->element;
}

static void set_type(struct reader *r, size_t element, uint8_t type)
{
    if (!r->out->status) {
        r->out->ptr[element] = type;
    }
}

static int add(struct reader *r, struct lia_value v)
{
    set_type(r, take_element(r), v.type);
    lia_buf_slice_add(r->out, v.data);
    return go_on(r);
}

static int on_null(void *ctx)
{
    return add(ctx, lia_value_of_null());
}

static int on_boolean(void *ctx, int is_true)
{
    return add(ctx, lia_value_of_bool(is_true != 0));
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
    struct reader *r = ctx;

    set_type(r, take_element(r), LIA_BSON_STRING);
    lia_buf_u32(r->out, (uint32_t)len + 1);
    lia_buf_bytes(r->out, text, len);
    lia_buf_u8(r->out, 0);
    return go_on(r);
}

/* ---- numbers ---- */

static int on_number(void *ctx, const char *text, size_t len)
{
    struct reader *r = ctx;
    struct liana_str number = {text, len};
    struct lia_scratch scratch;
    int64_t n;
    double d;

    if (r->depth) {
        r->frames[r->depth - 1].has_plain_number = true;
    }
    if (lia_int64_parse(number, &n) && (n != 0 || text[0] != '-')) {
        return add(r, n >= INT32_MIN && n <= INT32_MAX
                          ? lia_value_of_int32((int32_t)n, &scratch)
                          : lia_value_of_int64(n, &scratch));
    }
    if (lia_double_parse(number, &d)) {
        return refuse(r, "a double would lose digits of this number; "
                         "{\"$numberDecimal\": \"...\"} may keep them");
    }
    return add(r, lia_value_of_double(d, &scratch));
}

/* ---- objects and arrays ---- */

static int begin(struct reader *r, uint8_t type)
{
    size_t element = take_element(r);

    if (r->depth == FRAMES_MAX) {
        return stop(r, lia_err(r->err, LIANA_EDEPTH, "nested too deeply"));
    }
    set_type(r, element, type);
    r->frames[r->depth++] = (struct frame){.element = element,
                                           .mark = lia_bson_begin(r->out),
                                           .is_array = type == LIA_BSON_ARRAY};
    return go_on(r);
}

static int on_start_map(void *ctx)
{
    return begin(ctx, LIA_BSON_DOCUMENT);
}

static int on_start_array(void *ctx)
{
    return begin(ctx, LIA_BSON_ARRAY);
}

static int on_map_key(void *ctx, const unsigned char *name, size_t len)
{
    struct reader *r = ctx;

    if (len > 0 && memchr(name, 0, len)) {
        return refuse(r, "a name cannot hold NUL");
    }
    r->element = r->out->len;
    lia_buf_u8(r->out, 0);
    lia_buf_bytes(r->out, name, len);
    lia_buf_u8(r->out, 0);
    return go_on(r);
}

static int on_end_array(void *ctx)
{
    struct reader *r = ctx;

    lia_bson_end(r->out, r->frames[--r->depth].mark);
    return go_on(r);
}

/* Puts the value that the object means in its place. */
static int unwrap(struct reader *r, const struct frame *frame, struct liana_str name)
{
    struct lia_json_wrap wrap = {
        .doc = lia_slice(r->out->ptr + frame->mark, r->out->len - frame->mark),
        .has_plain_number = frame->has_plain_number,
        .payload = &r->scratch};
    const char *fault;
    char what[160];

    lia_buf_reset(&r->scratch);
    fault = lia_json_unwrap(&wrap);
    if (fault) {
        (void)snprintf(what, sizeof(what), "%.*s: %s", LIA_STR_ARG(name), fault);
        return refuse(r, what);
    }
    if (r->scratch.status) {
        return stop(r, r->scratch.status);
    }
    r->out->len = frame->mark;
    set_type(r, frame->element, wrap.type);
    lia_buf_slice_add(r->out, lia_buf_slice(&r->scratch));
    return go_on(r);
}

static int on_end_map(void *ctx)
{
    struct reader *r = ctx;
    const struct frame *frame = &r->frames[--r->depth];
    struct lia_bson_iter it;

    lia_bson_end(r->out, frame->mark);
    if (r->out->status) {
        return go_on(r);
    }
    it = lia_bson_iter(lia_slice(r->out->ptr + frame->mark, r->out->len - frame->mark));
    if (lia_bson_next(&it) && lia_json_is_wrapper(it.name)) {
        return unwrap(r, frame, it.name);
    }
    return 1;
}

/* ---- one text ---- */

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_start_map,
    .yajl_map_key = on_map_key,
    .yajl_end_map = on_end_map,
    .yajl_start_array = on_start_array,
    .yajl_end_array = on_end_array,
};

/* yajl's own message: "parse error: ...\n". */
static liana_status fail_yajl(struct reader *r, size_t at)
{
    char *text = (char *)yajl_get_error(r->yajl, 0, r->text.ptr, r->text.len);

    text[strcspn(text, "\n")] = '\0';
    return fail_at(r->text, at, text, r->err);
}

static liana_status parse(struct reader *r)
{
    yajl_alloc_funcs memory = lia_json_fund_functions(&r->fund);
    yajl_status status;
    size_t at;

    r->yajl = yajl_alloc(&callbacks, &memory, r);
    (void)yajl_config(r->yajl, yajl_dont_validate_strings,
                      1); /* json_scan has done it */
    status = yajl_parse(r->yajl, r->text.ptr, r->text.len);
    at = yajl_get_bytes_consumed(r->yajl);
    if (status == yajl_status_ok) {
        status = yajl_complete_parse(r->yajl);
    }
    if (r->status) {
        return lia_err_plain(r->err, r->status);
    }
    return status == yajl_status_ok ? LIANA_OK : fail_yajl(r, at);
}

/* Appends the holding document to `out`; also when it fails, in part. */
static liana_status read_holder(struct liana_slice text,
                                const struct lia_json_scan *scan,
                                struct lia_buf *out,
                                struct liana_error *err)
{
    struct reader r = {.text = lia_slice(text.ptr, scan->end), .out = out, .err = err};
    size_t start = lia_bson_begin(out);
    liana_status status;

    if (scan->fault) {
        return fail_at(text, scan->fault_at, scan->fault, err);
    }
    if (scan->end - scan->start > LIA_JSON_BYTES_MAX) {
        return lia_err(err, LIANA_ETOOLARGE, "JSON text is larger than %zu bytes",
                       LIA_JSON_BYTES_MAX);
    }
    r.element = out->len;
    lia_buf_u8(out, 0);
    lia_buf_u8(out, 0);
    if (!lia_json_fund_init(&r.fund, out->alloc, scan->copied)) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    lia_buf_init(&r.scratch, out->alloc);
    status = parse(&r);
    lia_buf_deinit(&r.scratch);
    lia_json_fund_deinit(&r.fund);
    lia_bson_end(out, start);
    return status ? status : lia_err_plain(err, out->status);
}

#define HOLDER_HEAD 6 /* length, type, the empty name */

/* Takes the document out of its holder. */
static liana_status release_document(struct lia_buf *out,
                                     size_t start,
                                     struct liana_error *err)
{
    uint8_t *holder = out->ptr + start;
    size_t len = out->len - start - HOLDER_HEAD - 1;
    uint8_t type = holder[4];

    if (type != LIA_BSON_DOCUMENT) {
        return lia_err(err, LIANA_EJSON, "a document is expected, not %s",
                       lia_bson_type_name(type));
    }
    memmove(holder, holder + HOLDER_HEAD, len);
    out->len = start + len;
    return lia_bson_check(lia_slice(holder, len), out->alloc, err);
}

static bool has_only_blanks(struct liana_slice text, size_t from)
{
    return lia_json_scan(lia_slice_sub(text, from, text.len - from)).start ==
           text.len - from;
}

liana_status lia_json_read(struct liana_slice text,
                           struct lia_buf *out,
                           size_t *out_used,
                           struct liana_error *err)
{
    struct lia_json_scan scan = lia_json_scan(text);
    size_t start = out->len;
    liana_status status;

    if (scan.start == text.len) {
        return out_used ? LIANA_EEND
                        : fail_at(text, scan.start, "there is no document", err);
    }
    if (text.ptr[scan.start] != '{') {
        return fail_at(text, scan.start, "a document begins with {", err);
    }
    if (!out_used && !has_only_blanks(text, scan.end)) {
        return fail_at(text, scan.end, "text goes on behind the document", err);
    }
    status = read_holder(text, &scan, out, err);
    status = status ? status : release_document(out, start, err);
    if (status) {
        out->len = start;
        return status;
    }
    if (out_used) {
        *out_used = scan.end;
    }
    return LIANA_OK;
}

/* A document may be as deep as one that stands alone. */
static liana_status check_value(struct lia_value v,
                                struct lia_buf *holder,
                                struct liana_error *err)
{
    return lia_bson_check(v.type == LIA_BSON_DOCUMENT ? v.data : lia_buf_slice(holder),
                          holder->alloc, err);
}

liana_status lia_json_read_value(struct liana_slice text,
                                 struct lia_buf *holder,
                                 struct lia_value *out,
                                 struct liana_error *err)
{
    struct lia_json_scan scan = lia_json_scan(text);
    struct lia_bson_iter it;
    liana_status status;

    lia_buf_reset(holder);
    if (scan.start == text.len) {
        return fail_at(text, scan.start, "there is no value", err);
    }
    if (!has_only_blanks(text, scan.end)) {
        return fail_at(text, scan.end, "text goes on behind the value", err);
    }
    status = read_holder(text, &scan, holder, err);
    if (status) {
        return status;
    }
    it = lia_bson_iter(lia_buf_slice(holder));
    LIA_ASSERT(lia_bson_next(&it));
    status = check_value(it.value, holder, err);
    if (!status) {
        *out = it.value;
    }
    return status;
}
