/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/testing/random_bson.h"

#include <math.h>

#include "base/testing/test.h"
#include "codec/decimal.h"

#define DEPTH 3

static void add_value(struct lia_rng *rng,
                      struct lia_buf *out,
                      struct liana_str at,
                      unsigned depth);

#define PICK(rng, list) (list)[lia_rng_below((rng), sizeof(list) / sizeof((list)[0]))]

static struct liana_str text(struct lia_rng *rng)
{
    static const struct liana_str texts[] = {
        {"", 0},
        {"a", 1},
        {"a\0", 2},
        {"a\0b", 3},
        {"ab", 2},
        {"b", 1},
        {"a\x01", 2},
        {"\0", 1},
        {"\xc3\xa9", 2},
        {"$a.b", 4},
        {"\0\0x", 3},
        {"\xef\xbf\xbf", 3},
        {"\x7f", 1},
        {"\"\\/\n\t\x1f", 6},
        {"longer text", 11},
    };

    return PICK(rng, texts);
}

static struct liana_str name(struct lia_rng *rng)
{
    static const char *const names[] = {"a",   "b",  "aa",       "",
                                        "a.b", "$x", "\xc3\xa9", "z"};

    return lia_str(PICK(rng, names));
}

static double random_double(struct lia_rng *rng)
{
    static const double edges[] = {0.0,
                                   -0.0,
                                   1.0,
                                   -1.0,
                                   0.5,
                                   0.1,
                                   1e300,
                                   -1e-300,
                                   5e-324,
                                   1.7976931348623157e308,
                                   INFINITY,
                                   -INFINITY,
                                   9007199254740993.0,
                                   9223372036854775808.0,
                                   -9223372036854775808.0};
    uint64_t bits = lia_rng_next(rng);
    double d;

    if (lia_rng_chance(rng, 60)) {
        return PICK(rng, edges);
    }
    if (lia_rng_chance(rng, 50)) {
        return (double)lia_rng_between(rng, -20, 20) / 4;
    }
    memcpy(&d, &bits, sizeof(d));
    return d;
}

static struct lia_decimal random_decimal(struct lia_rng *rng)
{
    static const char *const edges[] = {"0",
                                        "-0E+3",
                                        "NaN",
                                        "Infinity",
                                        "-Infinity",
                                        "1",
                                        "1.0",
                                        "0.1",
                                        "0.5",
                                        "-1",
                                        "9223372036854775807",
                                        "9223372036854775808",
                                        "-9223372036854775809",
                                        "1E-6176",
                                        "-9.999999999999999999999999999999999E6144",
                                        "1.7976931348623157E308",
                                        "1.797693134862315807E308",
                                        "0.1000000000000000055511151231257827"};
    struct lia_decimal d = {0, 0};

    if (lia_rng_chance(rng, 30)) {
        return (struct lia_decimal){lia_rng_next(rng), lia_rng_next(rng)};
    }
    assert_ok(lia_decimal_parse(lia_str(PICK(rng, edges)), &d));
    return d;
}

static void add_counted_text(struct lia_buf *out, struct liana_str s)
{
    lia_buf_u32(out, (uint32_t)s.len + 1);
    lia_buf_bytes(out, s.ptr, s.len);
    lia_buf_u8(out, 0);
}

static void add_binary(struct lia_rng *rng, struct lia_buf *out, struct liana_str at)
{
    static const uint8_t subtypes[] = {0, 0, 0, 1, 4, 5, 0x80};
    uint8_t bytes[300];
    size_t len =
        lia_rng_chance(rng, 10) ? sizeof(bytes) : (size_t)lia_rng_below(rng, 4);

    lia_rng_bytes(rng, bytes, sizeof(bytes));
    lia_bson_add_binary(out, at, PICK(rng, subtypes), lia_slice(bytes, len));
}

static void add_bytes(struct lia_buf *out,
                      uint8_t type,
                      struct liana_str at,
                      struct liana_slice bytes)
{
    lia_bson_add(out, at, (struct lia_value){type, bytes});
}

static void add_fields(struct lia_rng *rng, struct lia_buf *out, unsigned depth)
{
    struct liana_str used[3];
    size_t count = (size_t)lia_rng_below(rng, 4);

    for (size_t i = 0; i < count; i++) {
        bool is_new = true;

        used[i] = name(rng);
        for (size_t j = 0; j < i; j++) {
            is_new = is_new && !lia_str_equal(used[i], used[j]);
        }
        if (!is_new) {
            return;
        }
        add_value(rng, out, used[i], depth);
    }
}

static void add_document(struct lia_rng *rng, struct lia_buf *out, unsigned depth)
{
    size_t mark = lia_bson_begin(out);

    add_fields(rng, out, depth);
    lia_bson_end(out, mark);
}

static void add_array(struct lia_rng *rng,
                      struct lia_buf *out,
                      struct liana_str at,
                      unsigned depth)
{
    size_t mark = lia_bson_begin_in(out, LIA_BSON_ARRAY, at);
    uint32_t count = (uint32_t)lia_rng_below(rng, 4);
    char index[12];

    for (uint32_t i = 0; i < count; i++) {
        add_value(rng, out, lia_bson_index_name(i, index), depth);
    }
    lia_bson_end(out, mark);
}

static void add_scope(struct lia_rng *rng,
                      struct lia_buf *out,
                      struct liana_str at,
                      unsigned depth)
{
    size_t mark = lia_bson_begin_in(out, LIA_BSON_CODE_W_SCOPE, at);

    add_counted_text(out, text(rng));
    add_document(rng, out, depth);
    lia_buf_patch_u32(out, mark, (uint32_t)(out->len - mark));
}

static void add_dbpointer(struct lia_rng *rng, struct lia_buf *out, struct liana_str at)
{
    uint8_t id[12] = {(uint8_t)lia_rng_below(rng, 3)};

    add_bytes(out, LIA_BSON_DBPOINTER, at, lia_slice(NULL, 0));
    add_counted_text(out, text(rng));
    lia_buf_bytes(out, id, sizeof(id));
}

static void add_text_of(struct lia_buf *out,
                        uint8_t type,
                        struct liana_str at,
                        struct liana_str s)
{
    add_bytes(out, type, at, lia_slice(NULL, 0));
    add_counted_text(out, s);
}

static void add_regex(struct lia_rng *rng, struct lia_buf *out, struct liana_str at)
{
    static const struct liana_slice values[] = {{(const uint8_t *)"\0", 2},
                                                {(const uint8_t *)"a\0i", 4},
                                                {(const uint8_t *)"a\0im", 5},
                                                {(const uint8_t *)"ab\0", 4},
                                                {(const uint8_t *)"a\0", 3}};

    add_bytes(out, LIA_BSON_REGEX, at, PICK(rng, values));
}

static void add_scalar(struct lia_rng *rng, struct lia_buf *out, struct liana_str at)
{
    static const uint8_t empty[] = {LIA_BSON_UNDEFINED, LIA_BSON_NULL, LIA_BSON_MAXKEY,
                                    LIA_BSON_MINKEY};
    uint8_t id[12] = {(uint8_t)lia_rng_below(rng, 3)};
    struct lia_scratch scratch;

    switch (lia_rng_below(rng, 15)) {
    case 0: lia_bson_add_double(out, at, random_double(rng)); break;
    case 1: lia_bson_add_decimal(out, at, random_decimal(rng)); break;
    case 2: lia_bson_add_int32(out, at, (int32_t)lia_rng_edgy(rng)); break;
    case 3: lia_bson_add_int64(out, at, (int64_t)lia_rng_edgy(rng)); break;
    case 4: lia_bson_add_date(out, at, (int64_t)lia_rng_edgy(rng)); break;
    case 5: lia_bson_add_bool(out, at, lia_rng_chance(rng, 50)); break;
    case 6: add_binary(rng, out, at); break;
    case 7: add_bytes(out, LIA_BSON_OBJECTID, at, lia_slice(id, 12)); break;
    case 8:
        add_bytes(out, LIA_BSON_TIMESTAMP, at,
                  lia_value_of_int64((int64_t)lia_rng_edgy(rng), &scratch).data);
        break;
    case 9: add_regex(rng, out, at); break;
    case 10: add_dbpointer(rng, out, at); break;
    case 11: add_text_of(out, LIA_BSON_CODE, at, text(rng)); break;
    case 12: add_text_of(out, LIA_BSON_SYMBOL, at, text(rng)); break;
    case 13: add_bytes(out, PICK(rng, empty), at, lia_slice(NULL, 0)); break;
    default: lia_bson_add_str(out, at, text(rng)); break;
    }
}

static void add_value(struct lia_rng *rng,
                      struct lia_buf *out,
                      struct liana_str at,
                      unsigned depth)
{
    size_t mark;

    switch (depth > 0 ? lia_rng_below(rng, 8) : 7) {
    case 0: add_array(rng, out, at, depth - 1); break;
    case 1:
        mark = lia_bson_begin_in(out, LIA_BSON_DOCUMENT, at);
        add_fields(rng, out, depth - 1);
        lia_bson_end(out, mark);
        break;
    case 2: add_scope(rng, out, at, depth - 1); break;
    default: add_scalar(rng, out, at); break;
    }
}

void lia_random_document(struct lia_rng *rng, struct lia_buf *out)
{
    add_document(rng, out, DEPTH);
    assert_ok(out->status);
}

struct lia_value lia_random_value(struct lia_rng *rng, struct lia_buf *holder)
{
    struct lia_value v = {0};
    size_t mark;

    lia_buf_reset(holder);
    mark = lia_bson_begin(holder);
    add_value(rng, holder, lia_str("v"), DEPTH);
    lia_bson_end(holder, mark);
    assert_ok(holder->status);
    assert_true(lia_bson_find(lia_buf_slice(holder), lia_str("v"), &v));
    return v;
}
