/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/message.h"

#include "codec/utf8.h"

/* ---- encoding: put_KIND(buf, value, max) ---- */

static bool fits(struct lia_buf *buf, uint64_t size, uint64_t max)
{
    if (size > max && !buf->status) {
        buf->status = LIANA_ETOOLARGE;
    }
    return size <= max;
}

static void put_uint(struct lia_buf *buf, uint64_t v, uint64_t max)
{
    if (fits(buf, v, max)) {
        lia_buf_varint(buf, v);
    }
}

static void put_sint(struct lia_buf *buf, int64_t v, uint64_t max)
{
    (void)max;
    lia_buf_svarint(buf, v);
}

static void put_u64(struct lia_buf *buf, uint64_t v, uint64_t max)
{
    (void)max;
    lia_buf_u64(buf, v);
}

static void put_id(struct lia_buf *buf, const uint8_t *v, uint64_t max)
{
    (void)max;
    lia_buf_bytes(buf, v, LIA_WIRE_ID_BYTES);
}

static void put_bytes(struct lia_buf *buf, struct liana_slice v, uint64_t max)
{
    if (fits(buf, v.len, max)) {
        lia_buf_prefixed(buf, v);
    }
}

static void put_str(struct lia_buf *buf, struct liana_str v, uint64_t max)
{
    put_bytes(buf, lia_str_slice(v), max);
}

static void put_vector(struct lia_buf *buf, struct lia_vector v, uint64_t max)
{
    (void)max;
    lia_vector_encode(buf, v);
}

#define FIELD(kind, name, max, doc) put_##kind(buf, m->name, max);
#define LIST(record, name, max, doc)                                                   \
    put_uint(buf, m->name##_count, max);                                               \
    for (size_t i = 0; i < m->name##_count && !buf->status; i++) {                     \
        put_##record(buf, &m->name[i]);                                                \
    }
#define RECORD(name, doc, fields)                                                      \
    static void put_##name(struct lia_buf *buf, const struct lia_wire_##name *m)       \
    {                                                                                  \
        fields                                                                         \
    }
#define MESSAGE(code, NAME, name, doc, fields) RECORD(name, doc, fields)
#include "wire/messages.def"
#undef MESSAGE
#undef RECORD
#undef LIST
#undef FIELD

static void put_body(struct lia_buf *buf, const struct lia_msg *msg)
{
    switch (msg->type) {
#define MESSAGE(code, NAME, name, doc, fields)                                         \
    case LIA_MSG_##NAME:                                                               \
        put_##name(buf, &msg->name);                                                   \
        break;
#define RECORD(name, doc, fields)
#include "wire/messages.def"
#undef RECORD
#undef MESSAGE
    }
}

/* The length stands before the frame but is known after it: the frame moves over. */
void lia_msg_encode(struct lia_buf *buf, const struct lia_msg *msg)
{
    size_t start = buf->len;
    size_t len;
    size_t prefix;

    lia_buf_u8(buf, (uint8_t)msg->type);
    put_body(buf, msg);
    len = buf->len - start;
    if (!fits(buf, len, LIA_FRAME_BYTES_MAX)) {
        return;
    }
    prefix = lia_varint_len(len);
    if (!lia_buf_extend(buf, prefix)) {
        return;
    }
    memmove(buf->ptr + start + prefix, buf->ptr + start, len);
    buf->len = start;
    lia_buf_varint(buf, len);
    buf->len = start + prefix + len;
}

/* ---- decoding: get_KIND(decoder, max) ---- */

struct decoder {
    struct lia_reader r;
    struct lia_arena *arena;
    liana_status status; /* what is not malformed input: LIANA_ENOMEM */
};

static uint64_t get_uint(struct decoder *d, uint64_t max)
{
    return lia_reader_varint_max(&d->r, max);
}

static int64_t get_sint(struct decoder *d, uint64_t max)
{
    (void)max;
    return lia_reader_svarint(&d->r);
}

static uint64_t get_u64(struct decoder *d, uint64_t max)
{
    (void)max;
    return lia_reader_u64(&d->r);
}

static struct liana_slice get_bytes(struct decoder *d, uint64_t max)
{
    struct liana_slice s = lia_reader_prefixed(&d->r);

    if (s.len > max) {
        lia_reader_fail(&d->r);
        return (struct liana_slice){NULL, 0};
    }
    return s;
}

static struct liana_str get_str(struct decoder *d, uint64_t max)
{
    struct liana_slice s = get_bytes(d, max);

    if (!lia_utf8_valid(s) || (s.len && memchr(s.ptr, 0, s.len))) {
        lia_reader_fail(&d->r);
    }
    return lia_slice_str(s);
}

static struct lia_vector get_vector(struct decoder *d, uint64_t max)
{
    struct lia_vector v = {NULL, 0};
    liana_status status = lia_vector_decode(d->arena, &d->r, &v);

    (void)max;
    if (status) {
        lia_reader_fail(&d->r);
        d->status = status == LIANA_ENOMEM ? status : d->status;
    }
    return v;
}

static void get_id(struct decoder *d, uint8_t out[static LIA_WIRE_ID_BYTES])
{
    struct liana_slice s = lia_reader_bytes(&d->r, LIA_WIRE_ID_BYTES);

    if (s.len) {
        memcpy(out, s.ptr, s.len);
    }
}

/* The number of records that follow, and room for them: each has at least one byte, so
 * memory is bounded by the frame. */
static void *get_list(struct decoder *d, uint64_t max, size_t size, size_t *out_count)
{
    size_t left = lia_reader_left(&d->r);
    size_t count = (size_t)lia_reader_varint_max(&d->r, max < left ? max : left);
    void *list = count ? lia_arena_array(d->arena, count, size) : NULL;

    if (count && !list) {
        lia_reader_fail(&d->r);
        d->status = LIANA_ENOMEM;
        count = 0;
    }
    *out_count = count;
    return list;
}

#define GET_uint(name, max)   m->name = get_uint(d, max);
#define GET_sint(name, max)   m->name = get_sint(d, max);
#define GET_u64(name, max)    m->name = get_u64(d, max);
#define GET_id(name, max)     get_id(d, m->name);
#define GET_str(name, max)    m->name = get_str(d, max);
#define GET_bytes(name, max)  m->name = get_bytes(d, max);
#define GET_vector(name, max) m->name = get_vector(d, max);

#define FIELD(kind, name, max, doc) GET_##kind(name, max)
#define LIST(record, name, max, doc)                                                   \
    m->name = get_list(d, max, sizeof(*m->name), &m->name##_count);                    \
    for (size_t i = 0; i < m->name##_count && !d->r.failed; i++) {                     \
        get_##record(d, &m->name[i]);                                                  \
    }
#define RECORD(name, doc, fields)                                                      \
    static void get_##name(struct decoder *d, struct lia_wire_##name *m)               \
    {                                                                                  \
        fields                                                                         \
    }
#define MESSAGE(code, NAME, name, doc, fields) RECORD(name, doc, fields)
#include "wire/messages.def"
#undef MESSAGE
#undef RECORD
#undef LIST
#undef FIELD

static bool get_body(struct decoder *d, uint8_t type, struct lia_msg *out)
{
    switch (type) {
#define MESSAGE(code, NAME, name, doc, fields)                                         \
    case LIA_MSG_##NAME:                                                               \
        out->type = LIA_MSG_##NAME;                                                    \
        get_##name(d, &out->name);                                                     \
        return true;
#define RECORD(name, doc, fields)
#include "wire/messages.def"
#undef RECORD
#undef MESSAGE
    default: return false;
    }
}

liana_status lia_msg_decode(struct lia_arena *arena,
                            struct liana_slice frame,
                            struct lia_msg *out,
                            struct liana_error *err)
{
    struct decoder d = {lia_reader(frame), arena, LIANA_OK};
    struct lia_msg msg = {0};
    uint8_t type = lia_reader_u8(&d.r);

    if (d.r.failed) {
        return lia_err(err, LIANA_EPROTOCOL, "a frame without a type");
    }
    if (!get_body(&d, type, &msg)) {
        return lia_msg_is_optional(type)
                   ? LIANA_ENOTFOUND
                   : lia_err(err, LIANA_EPROTOCOL, "unknown frame of type 0x%02x",
                             type);
    }
    if (d.status) {
        return lia_err_plain(err, d.status);
    }
    if (d.r.failed) {
        return lia_err(err, LIANA_EPROTOCOL, "malformed %s of %zu bytes",
                       lia_msg_name(type), frame.len);
    }
    *out = msg;
    return LIANA_OK;
}

/* ---- for people ---- */

#define DUMP_BYTES_MAX ((size_t)24)

static void dump_uint(struct lia_buf *buf, uint64_t v)
{
    lia_buf_printf(buf, "%llu", (unsigned long long)v);
}

static void dump_sint(struct lia_buf *buf, int64_t v)
{
    lia_buf_printf(buf, "%lld", (long long)v);
}

static void dump_u64(struct lia_buf *buf, uint64_t v)
{
    lia_buf_printf(buf, "%016llx", (unsigned long long)v);
}

static void dump_bytes(struct lia_buf *buf, struct liana_slice v)
{
    size_t shown = v.len < DUMP_BYTES_MAX ? v.len : DUMP_BYTES_MAX;

    for (size_t i = 0; i < shown; i++) {
        lia_buf_printf(buf, "%02x", v.ptr[i]);
    }
    if (shown < v.len) {
        lia_buf_printf(buf, "... (%zu bytes)", v.len);
    }
}

static void dump_id(struct lia_buf *buf, const uint8_t *v)
{
    dump_bytes(buf, lia_slice(v, LIA_WIRE_ID_BYTES));
}

static void dump_str(struct lia_buf *buf, struct liana_str v)
{
    lia_buf_u8(buf, '"');
    lia_buf_slice_add(buf, lia_str_slice(v));
    lia_buf_u8(buf, '"');
}

static void dump_vector(struct lia_buf *buf, struct lia_vector v)
{
    lia_buf_u8(buf, '{');
    for (size_t i = 0; i < v.count; i++) {
        lia_buf_printf(buf, "%s%016llx: %llu", i ? ", " : "",
                       (unsigned long long)v.entries[i].actor,
                       (unsigned long long)v.entries[i].hlc);
    }
    lia_buf_u8(buf, '}');
}

#define FIELD(kind, name, max, doc)                                                    \
    lia_buf_str(buf, " " #name "=");                                                   \
    dump_##kind(buf, m->name);
#define LIST(record, name, max, doc)                                                   \
    lia_buf_str(buf, " " #name "=[");                                                  \
    for (size_t i = 0; i < m->name##_count; i++) {                                     \
        lia_buf_str(buf, i ? ", {" : "{");                                             \
        dump_##record(buf, &m->name[i]);                                               \
        lia_buf_str(buf, " }");                                                        \
    }                                                                                  \
    lia_buf_u8(buf, ']');
#define RECORD(name, doc, fields)                                                      \
    static void dump_##name(struct lia_buf *buf, const struct lia_wire_##name *m)      \
    {                                                                                  \
        fields                                                                         \
    }
#define MESSAGE(code, NAME, name, doc, fields) RECORD(name, doc, fields)
#include "wire/messages.def"
#undef MESSAGE
#undef RECORD
#undef LIST
#undef FIELD

void lia_msg_dump(struct lia_buf *buf, const struct lia_msg *msg)
{
    lia_buf_str(buf, lia_msg_name((uint8_t)msg->type));
    switch (msg->type) {
#define MESSAGE(code, NAME, name, doc, fields)                                         \
    case LIA_MSG_##NAME:                                                               \
        dump_##name(buf, &msg->name);                                                  \
        break;
#define RECORD(name, doc, fields)
#include "wire/messages.def"
#undef RECORD
#undef MESSAGE
    }
}

const char *lia_msg_name(uint8_t type)
{
    switch (type) {
#define MESSAGE(code, NAME, name, doc, fields)                                         \
    case LIA_MSG_##NAME:                                                               \
        return #NAME;
#define RECORD(name, doc, fields)
#include "wire/messages.def"
#undef RECORD
#undef MESSAGE
    default: return "?";
    }
}

bool lia_msg_is_data(enum lia_msg_type type)
{
    return type == LIA_MSG_HAVE || type == LIA_MSG_SEGMENT || type == LIA_MSG_ABSENT;
}
