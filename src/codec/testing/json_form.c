/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/testing/json_form.h"

#include <yajl/yajl_parse.h>

#include "base/testing/test.h"

static int on_null(void *ctx)
{
    lia_buf_str(ctx, "null,");
    return 1;
}

static int on_boolean(void *ctx, int is_true)
{
    lia_buf_str(ctx, is_true ? "true," : "false,");
    return 1;
}

static int on_number(void *ctx, const char *text, size_t len)
{
    lia_buf_bytes(ctx, text, len);
    lia_buf_str(ctx, ",");
    return 1;
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
    lia_buf_str(ctx, "\"");
    lia_buf_bytes(ctx, text, len);
    lia_buf_str(ctx, "\",");
    return 1;
}

static int on_name(void *ctx, const unsigned char *text, size_t len)
{
    (void)on_string(ctx, text, len);
    lia_buf_str(ctx, ":");
    return 1;
}

static int on_start_map(void *ctx)
{
    lia_buf_str(ctx, "{");
    return 1;
}

static int on_end_map(void *ctx)
{
    lia_buf_str(ctx, "}");
    return 1;
}

static int on_start_array(void *ctx)
{
    lia_buf_str(ctx, "[");
    return 1;
}

static int on_end_array(void *ctx)
{
    lia_buf_str(ctx, "]");
    return 1;
}

void lia_json_form(struct liana_slice text, struct lia_buf *out)
{
    static const yajl_callbacks callbacks = {.yajl_null = on_null,
                                             .yajl_boolean = on_boolean,
                                             .yajl_number = on_number,
                                             .yajl_string = on_string,
                                             .yajl_start_map = on_start_map,
                                             .yajl_map_key = on_name,
                                             .yajl_end_map = on_end_map,
                                             .yajl_start_array = on_start_array,
                                             .yajl_end_array = on_end_array};
    yajl_handle yajl = yajl_alloc(&callbacks, NULL, out);

    assert_int_equal(yajl_parse(yajl, text.ptr, text.len), yajl_status_ok);
    assert_int_equal(yajl_complete_parse(yajl), yajl_status_ok);
    yajl_free(yajl);
}
