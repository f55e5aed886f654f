/* SPDX-License-Identifier: Apache-2.0 */
#include "api/fields.h"

static bool find(struct liana_slice body,
                 const char *name,
                 uint8_t type,
                 struct lia_value *out)
{
    return lia_bson_find(body, lia_str(name), out) && out->type == type;
}

struct liana_str lia_field_text(struct liana_slice body, const char *name)
{
    struct lia_value v;

    return find(body, name, LIA_BSON_STRING, &v) ? lia_value_str(v) : lia_str("");
}

struct liana_slice lia_field_document(struct liana_slice body, const char *name)
{
    struct lia_value v;

    return find(body, name, LIA_BSON_DOCUMENT, &v) ? v.data
                                                   : (struct liana_slice){0, 0};
}

uint64_t lia_field_number(struct liana_slice body, const char *name)
{
    struct lia_value v;

    return find(body, name, LIA_BSON_INT64, &v) ? (uint64_t)lia_value_int64(v) : 0;
}

bool lia_field_flag(struct liana_slice body, const char *name)
{
    struct lia_value v;

    return find(body, name, LIA_BSON_BOOL, &v) && lia_value_bool(v);
}

liana_status lia_field_texts(struct liana_slice body,
                             const char *name,
                             struct liana_str *out,
                             size_t max,
                             size_t *out_count,
                             struct liana_error *err)
{
    struct lia_value v;
    struct lia_bson_iter it;
    size_t count = 0;

    if (find(body, name, LIA_BSON_ARRAY, &v)) {
        it = lia_bson_iter(v.data);
        while (lia_bson_next(&it)) {
            if (count == max) {
                return lia_err(err, LIANA_ELIMIT, "%s: more than %zu", name, max);
            }
            if (it.value.type == LIA_BSON_STRING) {
                out[count++] = lia_value_str(it.value);
            }
        }
    }
    *out_count = count;
    return LIANA_OK;
}

void lia_field_add(struct lia_buf *out, const char *name, uint64_t value)
{
    lia_bson_add_int64(out, lia_str(name), (int64_t)value);
}

void lia_field_add_texts(struct lia_buf *out,
                         const char *name,
                         const struct liana_str *texts,
                         size_t count)
{
    size_t mark = lia_bson_begin_in(out, LIA_BSON_ARRAY, lia_str(name));

    for (size_t i = 0; i < count; i++) {
        char index[12];

        lia_bson_add_str(out, lia_bson_index_name((uint32_t)i, index), texts[i]);
    }
    lia_bson_end(out, mark);
}

void lia_field_answer(struct lia_buf *out, const char *name, uint64_t value)
{
    size_t mark = lia_bson_begin(out);

    lia_field_add(out, name, value);
    lia_bson_end(out, mark);
}
