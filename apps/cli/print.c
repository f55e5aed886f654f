/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output.h"

bool cli_print_document(struct cli *cli,
                        struct liana_slice document,
                        int32_t form,
                        struct liana_error *err)
{
    liana_bytes *json;
    struct liana_slice text;

    if (liana_json_encode(document, form, &json, err)) {
        return false;
    }
    text = liana_bytes_slice(json);
    fwrite(text.ptr, 1, text.len, cli->out);
    putc('\n', cli->out);
    liana_bytes_free(json);
    return cli_out_takes_more(cli);
}

bool cli_print_bson(struct cli *cli, const bson_t *document)
{
    struct liana_slice bytes = {bson_get_data(document), document->len};

    return cli_print_document(cli, bytes, LIANA_JSON_RELAXED, NULL);
}
