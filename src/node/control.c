/* SPDX-License-Identifier: Apache-2.0 */
#include "node/control.h"

#include <stdio.h>

#include "base/reader.h"
#include "liana/liana.h"

#define LENGTH_BYTES 4
#define REST_OF_HEAD (LIA_CONTROL_HEAD - LENGTH_BYTES)

void lia_control_frame_encode(struct lia_buf *out,
                              uint32_t number,
                              enum lia_control_kind kind,
                              struct liana_slice body)
{
    if (body.len == 0) {
        body = lia_bson_empty;
    }
    if (body.len > LIA_CONTROL_FRAME_MAX - REST_OF_HEAD) {
        out->status = LIANA_ETOOLARGE;
        return;
    }
    lia_buf_u32(out, (uint32_t)(REST_OF_HEAD + body.len));
    lia_buf_u32(out, number);
    lia_buf_u8(out, (uint8_t)kind);
    lia_buf_slice_add(out, body);
}

static bool is_document(struct liana_slice body)
{
    struct lia_reader r = lia_reader(body);

    return body.len >= lia_bson_empty.len && lia_reader_u32(&r) == body.len &&
           body.ptr[body.len - 1] == 0;
}

liana_status lia_control_frame_next(struct liana_slice *in,
                                    struct lia_control_frame *out,
                                    struct liana_error *err)
{
    struct lia_reader r = lia_reader(*in);
    struct lia_control_frame frame;
    uint32_t len;

    if (in->len < LENGTH_BYTES) {
        return LIANA_EEND;
    }
    len = lia_reader_u32(&r);
    if (len < REST_OF_HEAD + lia_bson_empty.len || len > LIA_CONTROL_FRAME_MAX) {
        return lia_err(err, LIANA_EPROTOCOL, "control frame of %u bytes", len);
    }
    if (lia_reader_left(&r) < len) {
        return LIANA_EEND;
    }
    frame.number = lia_reader_u32(&r);
    frame.kind = lia_reader_u8(&r);
    frame.body = lia_reader_bytes(&r, len - REST_OF_HEAD);
    if (!is_document(frame.body)) {
        return lia_err(err, LIANA_EPROTOCOL,
                       "control frame of kind %u has a body that is no document",
                       frame.kind);
    }
    *in = lia_slice(r.at, lia_reader_left(&r));
    *out = frame;
    return LIANA_OK;
}

static bool find_int32(struct liana_slice body, const char *name, int32_t *out)
{
    struct lia_value v;

    if (!lia_bson_find(body, lia_str(name), &v) || v.type != LIA_BSON_INT32) {
        return false;
    }
    *out = lia_value_int32(v);
    return true;
}

void lia_control_hello_encode(struct lia_buf *out)
{
    size_t doc = lia_bson_begin(out);
    char version[32];

    snprintf(version, sizeof(version), "%d.%d.%d", LIANA_VERSION_MAJOR,
             LIANA_VERSION_MINOR, LIANA_VERSION_PATCH);
    lia_bson_add_int32(out, lia_str("protocol"), LIA_CONTROL_PROTOCOL);
    lia_bson_add_str(out, lia_str("version"), lia_str(version));
    lia_bson_end(out, doc);
}

liana_status lia_control_hello_check(struct liana_slice body, struct liana_error *err)
{
    struct lia_value version;
    int32_t protocol;

    if (!find_int32(body, "protocol", &protocol)) {
        return lia_err(err, LIANA_EPROTOCOL, "the hello names no protocol");
    }
    if (protocol == LIA_CONTROL_PROTOCOL) {
        return LIANA_OK;
    }
    if (lia_bson_find(body, lia_str("version"), &version) &&
        version.type == LIA_BSON_STRING) {
        return lia_err(err, LIANA_EVERSION,
                       "the other side (%.*s) speaks control protocol %d, we speak %d",
                       LIA_STR_ARG(lia_value_str(version)), protocol,
                       LIA_CONTROL_PROTOCOL);
    }
    return lia_err(err, LIANA_EVERSION,
                   "the other side speaks control protocol %d, we speak %d", protocol,
                   LIA_CONTROL_PROTOCOL);
}

void lia_control_error_encode(struct lia_buf *out, const struct liana_error *err)
{
    size_t doc = lia_bson_begin(out);

    lia_bson_add_int32(out, lia_str("status"), err->status);
    lia_bson_add_int32(out, lia_str("subcode"), err->subcode);
    lia_bson_add_str(out, lia_str("message"), lia_str(err->message));
    lia_bson_end(out, doc);
}

liana_status lia_control_error_decode(struct liana_slice body, struct liana_error *err)
{
    struct liana_str text = {"", 0};
    struct lia_value message;
    int32_t status;
    int32_t subcode = 0;

    if (!find_int32(body, "status", &status) || status >= 0) {
        return lia_err(err, LIANA_EPROTOCOL, "an error of the server has no status");
    }
    if (lia_bson_find(body, lia_str("message"), &message) &&
        message.type == LIA_BSON_STRING) {
        text = lia_value_str(message);
    }
    find_int32(body, "subcode", &subcode);
    return lia_err_sub(err, status, subcode, "%.*s", LIA_STR_ARG(text));
}
