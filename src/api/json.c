/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json.h"

#include "api/bytes.h"
#include "base/error.h"
#include "liana/liana.h"

liana_status liana_json_decode(struct liana_str json,
                               liana_bytes **out,
                               struct liana_error *err)
{
    struct lia_buf buf;
    liana_status status;

    if (!out || (!json.ptr && json.len)) {
        return lia_err(err, LIANA_EINVAL, "liana_json_decode: no text or no place");
    }
    lia_buf_init(&buf, &lia_mem_libc);
    status = lia_json_read(lia_str_slice(json), &buf, NULL, err);
    if (!status) {
        status = lia_bytes_of(&buf, out, err);
    }
    lia_buf_deinit(&buf);
    return status;
}

liana_status liana_json_encode(struct liana_slice document,
                               int32_t form,
                               liana_bytes **out,
                               struct liana_error *err)
{
    struct lia_buf buf;
    liana_status status;

    if (!out || (!document.ptr && document.len) ||
        (form != LIANA_JSON_RELAXED && form != LIANA_JSON_CANONICAL)) {
        return lia_err(err, LIANA_EINVAL,
                       "liana_json_encode: no document, place or such form");
    }
    lia_buf_init(&buf, &lia_mem_libc);
    status = lia_bson_check(document, &lia_mem_libc, err);
    if (!status) {
        status = lia_json_write(document,
                                form == LIANA_JSON_CANONICAL ? LIA_JSON_CANONICAL
                                                             : LIA_JSON_RELAXED,
                                &buf, err);
    }
    if (!status) {
        status = lia_bytes_of(&buf, out, err);
    }
    lia_buf_deinit(&buf);
    return status;
}
