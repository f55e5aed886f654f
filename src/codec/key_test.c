/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "base/testing/alloc.h"
#include "base/testing/random.h"
#include "codec/key.h"
#include "codec/order.h"
#include "codec/testing/corpus.h"
#include "codec/testing/random_bson.h"

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static struct lia_buf new_buf(void)
{
    struct lia_buf buf;

    lia_buf_init(&buf, &lia_mem_libc);
    return buf;
}

/* ---- the order of classes ---- */

/* One value of each class and some within one, in order: BSON types and payloads. */
struct row {
    uint8_t type;
    const char *payload; /* hexadecimal */
};

static const struct row rows[] = {
    {LIA_BSON_MINKEY, ""},
    {LIA_BSON_END, ""},
    {LIA_BSON_UNDEFINED, ""},
    {LIA_BSON_NULL, ""},
    {LIA_BSON_DOUBLE, "000000000000f87f"},
    {LIA_BSON_DOUBLE, "000000000000f0ff"},
    {LIA_BSON_INT64, "0000000000000080"},
    {LIA_BSON_INT32, "ffffffff"},
    {LIA_BSON_INT32, "00000000"},
    {LIA_BSON_DOUBLE, "0100000000000000"},
    {LIA_BSON_INT32, "01000000"},
    {LIA_BSON_DECIMAL128, "1a000000000000000000000000003e30"}, /* 2.6 */
    {LIA_BSON_INT32, "03000000"},
    {LIA_BSON_DOUBLE, "000000000000f07f"},
    {LIA_BSON_STRING, "0100000000"},
    {LIA_BSON_SYMBOL, "020000000000"},   /* NUL */
    {LIA_BSON_STRING, "03000000000000"}, /* NUL NUL */
    {LIA_BSON_STRING, "020000006100"},   /* a */
    {LIA_BSON_STRING, "03000000610000"}, /* a NUL */
    {LIA_BSON_STRING, "03000000610100"}, /* a 01 */
    {LIA_BSON_SYMBOL, "03000000616100"}, /* aa */
    {LIA_BSON_DOCUMENT, "0500000000"},
    {LIA_BSON_DOCUMENT, "080000000a620000"},         /* {b: null} */
    {LIA_BSON_DOCUMENT, "0b0000000a62000a630000"},   /* {b: null, c: null} */
    {LIA_BSON_DOCUMENT, "0c0000001061000100000000"}, /* {a: 1} */
    {LIA_BSON_DOCUMENT, "0c00000010620000000000"
                        "00"}, /* {b: 0} */
    {LIA_BSON_ARRAY, "0500000000"},
    {LIA_BSON_ARRAY, "0c0000001030000000000000"}, /* [0] */
    {LIA_BSON_ARRAY, "0c0000001030000100000000"}, /* [1] */
    {LIA_BSON_BINARY, "0000000080"},
    {LIA_BSON_BINARY, "0100000000ff"},
    {LIA_BSON_BINARY, "0100000080"
                      "00"},
    {LIA_BSON_BINARY, "02000000000000"},
    {LIA_BSON_OBJECTID, "000000000000000000000000"},
    {LIA_BSON_OBJECTID, "000000000000000000000001"},
    {LIA_BSON_BOOL, "00"},
    {LIA_BSON_BOOL, "01"},
    {LIA_BSON_DATE, "ffffffffffffffff"},
    {LIA_BSON_DATE, "0000000000000000"},
    {LIA_BSON_TIMESTAMP, "ffffffff00000000"},
    {LIA_BSON_TIMESTAMP, "0000000001000000"},
    {LIA_BSON_TIMESTAMP, "ffffffffffffffff"},
    {LIA_BSON_REGEX, "0000"},
    {LIA_BSON_REGEX, "610000"},
    {LIA_BSON_REGEX, "61006900"},
    {LIA_BSON_REGEX, "616200"
                     "00"},
    {LIA_BSON_DBPOINTER, "020000007a00000000000000000000000000"},
    {LIA_BSON_DBPOINTER, "0300000061610000000000000000000000"
                         "0000"},
    {LIA_BSON_CODE, "0100000000"},
    {LIA_BSON_CODE, "020000006100"},
    {LIA_BSON_CODE_W_SCOPE, "0e00000001000000000500000000"},
    {LIA_BSON_CODE_W_SCOPE, "0f0000000200000061000500000000"},
    {LIA_BSON_CODE_W_SCOPE, "120000000200000061000800"
                            "00000a610000"},
    {LIA_BSON_MAXKEY, ""},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static struct lia_buf payloads[ROWS];
static struct lia_value values[ROWS];

static int read_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        payloads[i] = new_buf();
        lia_hex_decode(&payloads[i], rows[i].payload);
        values[i] = (struct lia_value){rows[i].type, lia_buf_slice(&payloads[i])};
    }
    return 0;
}

static int free_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        lia_buf_deinit(&payloads[i]);
    }
    return 0;
}

/* The values of the table are what lia_bson_check would accept. */
static void test_rows_are_valid(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        struct liana_error err = LIANA_ERROR_INIT;
        struct lia_buf doc = new_buf();
        size_t mark = lia_bson_begin(&doc);

        if (values[i].type != LIA_BSON_END) {
            lia_bson_add(&doc, lia_str("v"), values[i]);
        }
        lia_bson_end(&doc, mark);
        if (lia_bson_check(lia_buf_slice(&doc), &lia_mem_libc, &err)) {
            fail_msg("row %zu: %s", i, err.message);
        }
        lia_buf_deinit(&doc);
    }
}

static void test_rows_are_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < ROWS; j++) {
            struct lia_buf a = new_buf();
            struct lia_buf b = new_buf();
            int expected = (i > j) - (i < j);

            lia_key_add(&a, values[i]);
            lia_key_add(&b, values[j]);
            if (sign(lia_slice_cmp(lia_buf_slice(&a), lia_buf_slice(&b))) != expected ||
                sign(lia_value_cmp(values[i], values[j])) != expected) {
                fail_msg("rows %zu and %zu", i, j);
            }
            lia_buf_deinit(&a);
            lia_buf_deinit(&b);
        }
    }
}

/* ---- properties over random values ---- */

struct pair {
    struct lia_buf a_holder;
    struct lia_buf b_holder;
    struct lia_value a;
    struct lia_value b;
};

static void draw(struct lia_rng *rng, struct pair *p)
{
    p->a = lia_random_value(rng, &p->a_holder);
    p->b = lia_random_value(rng, &p->b_holder);
}

static bool is_prefix(const struct lia_buf *a, const struct lia_buf *b)
{
    size_t shorter = a->len < b->len ? a->len : b->len;

    return memcmp(a->ptr, b->ptr, shorter) == 0;
}

/* Key order is value order, both ways round; unequal keys are not prefixes. */
static void test_random_values(void **state)
{
    struct lia_rng rng = lia_rng(lia_test_seed("key"));
    struct pair p = {new_buf(), new_buf(), {0}, {0}};
    struct lia_buf a = new_buf();
    struct lia_buf b = new_buf();
    size_t equal = 0;

    (void)state;
    for (size_t i = 0; i < lia_test_cases(20000); i++) {
        int order;

        draw(&rng, &p);
        order = sign(lia_value_cmp(p.a, p.b));
        equal += order == 0;
        lia_buf_reset(&a);
        lia_buf_reset(&b);
        lia_key_add(&a, p.a);
        lia_key_add(&b, p.b);
        assert_int_equal(sign(lia_slice_cmp(lia_buf_slice(&a), lia_buf_slice(&b))),
                         order);
        assert_int_equal(is_prefix(&a, &b), order == 0);
        assert_int_equal(sign(lia_value_cmp(p.b, p.a)), -order);
        lia_buf_reset(&a);
        lia_buf_reset(&b);
        lia_key_add_descending(&a, p.a);
        lia_key_add_descending(&b, p.b);
        assert_int_equal(sign(lia_slice_cmp(lia_buf_slice(&a), lia_buf_slice(&b))),
                         -order);
        assert_int_equal(is_prefix(&a, &b), order == 0);
    }
    assert_true(equal > 50); /* some 120 of 20,000 are: the test is not about none */
    lia_buf_deinit(&p.a_holder);
    lia_buf_deinit(&p.b_holder);
    lia_buf_deinit(&a);
    lia_buf_deinit(&b);
}

/* Ascending, descending and ascending again, one after the other. */
static void test_composite(void **state)
{
    enum { PARTS = 3 };
    struct lia_rng rng = lia_rng(lia_test_seed("composite key"));
    struct pair p = {new_buf(), new_buf(), {0}, {0}};
    struct lia_buf a = new_buf();
    struct lia_buf b = new_buf();

    (void)state;
    for (size_t i = 0; i < lia_test_cases(10000); i++) {
        int order = 0;

        lia_buf_reset(&a);
        lia_buf_reset(&b);
        for (int part = 0; part < PARTS; part++) {
            int this_order;

            draw(&rng, &p);
            p.b = lia_rng_chance(&rng, 50) ? p.a : p.b;
            this_order = sign(lia_value_cmp(p.a, p.b));
            (part == 1 ? lia_key_add_descending : lia_key_add)(&a, p.a);
            (part == 1 ? lia_key_add_descending : lia_key_add)(&b, p.b);
            order = order ? order : part == 1 ? -this_order : this_order;
        }
        assert_int_equal(sign(lia_slice_cmp(lia_buf_slice(&a), lia_buf_slice(&b))),
                         order);
    }
    lia_buf_deinit(&p.a_holder);
    lia_buf_deinit(&p.b_holder);
    lia_buf_deinit(&a);
    lia_buf_deinit(&b);
}

/* ---- _id ---- */

static struct lia_value find_value(const char *hex, struct lia_buf *holder)
{
    struct lia_value v = {0};

    lia_buf_reset(holder);
    lia_hex_decode(holder, hex);
    assert_true(lia_bson_find(lia_buf_slice(holder), lia_str("_id"), &v));
    return v;
}

static void assert_same_id(struct lia_value a, struct lia_value b, bool is_same)
{
    struct lia_buf x = new_buf();
    struct lia_buf y = new_buf();

    assert_ok(lia_key_of_id(a, &x, NULL));
    assert_ok(lia_key_of_id(b, &y, NULL));
    assert_int_equal(lia_slice_equal(lia_buf_slice(&x), lia_buf_slice(&y)), is_same);
    lia_buf_deinit(&x);
    lia_buf_deinit(&y);
}

static void test_id_numbers(void **state)
{
    struct lia_scratch a;
    struct lia_scratch b;

    (void)state;
    assert_same_id(lia_value_of_int32(1, &a), lia_value_of_double(1.0, &b), true);
    assert_same_id(lia_value_of_int32(1, &a), lia_value_of_int64(1, &b), true);
    assert_same_id(lia_value_of_int32(0, &a), lia_value_of_double(-0.0, &b), true);
    assert_same_id(lia_value_of_int32(1, &a), lia_value_of_bool(true), false);
}

/* {x: 1, y: {b: 1, a: 2.0}} and {y: {a: 2, b: 1}, x: 1}; in an array order counts. */
static void test_id_documents(void **state)
{
    struct lia_buf holders[2] = {new_buf(), new_buf()};
    struct lia_buf key = new_buf();
    struct lia_value a = {0};

    (void)state;
    for (int i = 0; i < 2; i++) {
        size_t root = lia_bson_begin(&holders[i]);
        size_t id = lia_bson_begin_in(&holders[i], LIA_BSON_DOCUMENT, lia_str("_id"));
        size_t y;

        if (i == 0) {
            lia_bson_add_int32(&holders[i], lia_str("x"), 1);
        }
        y = lia_bson_begin_in(&holders[i], LIA_BSON_DOCUMENT, lia_str("y"));
        if (i == 0) {
            lia_bson_add_int32(&holders[i], lia_str("b"), 1);
            lia_bson_add_double(&holders[i], lia_str("a"), 2.0);
        } else {
            lia_bson_add_int32(&holders[i], lia_str("a"), 2);
            lia_bson_add_int32(&holders[i], lia_str("b"), 1);
        }
        lia_bson_end(&holders[i], y);
        if (i == 1) {
            lia_bson_add_int64(&holders[i], lia_str("x"), 1);
        }
        lia_bson_end(&holders[i], id);
        lia_bson_end(&holders[i], root);
    }
    {
        struct lia_value b = {0};

        assert_true(lia_bson_find(lia_buf_slice(&holders[0]), lia_str("_id"), &a));
        assert_true(lia_bson_find(lia_buf_slice(&holders[1]), lia_str("_id"), &b));
        assert_same_id(a, b, true);
        assert_int_not_equal(lia_value_cmp(a, b), 0);
    }
    assert_ok(lia_key_of_id(a, &key, NULL));
    lia_buf_deinit(&key);
    lia_buf_deinit(&holders[0]);
    lia_buf_deinit(&holders[1]);
}

static void test_id_refused(void **state)
{
    static const struct {
        const char *doc;
        const char *message;
    } cases[] = {
        {"0f000000045f6964000500000000"
         "00",
         "_id cannot be array"},
        {"0c0000000b5f69640000"
         "0000",
         "_id cannot be regex"},
        {"0a000000065f69640000", "_id cannot be undefined"},
        {"0a0000000a5f69640000", "_id cannot be null"},
        {"12000000015f6964000000000000"
         "00f87f00",
         "_id cannot be NaN"},
    };
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_buf holder = new_buf();
    struct lia_buf key = new_buf();

    (void)state;
    lia_buf_str(&key, "kept");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        err = (struct liana_error)LIANA_ERROR_INIT;
        assert_status(LIANA_EID,
                      lia_key_of_id(find_value(cases[i].doc, &holder), &key, &err));
        assert_string_equal(err.message, cases[i].message);
    }
    err = (struct liana_error)LIANA_ERROR_INIT;
    assert_status(LIANA_EID, lia_key_of_id((struct lia_value){0}, &key, &err));
    assert_string_equal(err.message, "document has no _id");
    assert_slice_equal(lia_buf_slice(&key), LIA_BYTES("kept"));
    lia_buf_deinit(&key);
    lia_buf_deinit(&holder);
}

/* A string's key is its class, its bytes and two more. */
static void test_id_size(void **state)
{
    static char text[LIA_ID_BYTES_MAX * 20];
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_buf holder = new_buf();
    struct lia_buf key = new_buf();
    static const size_t lengths[] = {LIA_ID_BYTES_MAX - 3, LIA_ID_BYTES_MAX - 2,
                                     sizeof(text)};

    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < 3; i++) {
        struct lia_value v = {0};
        size_t mark;

        lia_buf_reset(&holder);
        lia_buf_reset(&key);
        mark = lia_bson_begin(&holder);
        lia_bson_add_str(&holder, lia_str("_id"), (struct liana_str){text, lengths[i]});
        lia_bson_end(&holder, mark);
        assert_true(lia_bson_find(lia_buf_slice(&holder), lia_str("_id"), &v));
        assert_status(i == 0 ? LIANA_OK : LIANA_EID, lia_key_of_id(v, &key, &err));
        assert_int_equal(key.len, i == 0 ? LIA_ID_BYTES_MAX : 0);
        assert_ok(key.status);
    }
    assert_string_equal(err.message, "_id is larger than 1024 bytes");
    lia_buf_deinit(&key);
    lia_buf_deinit(&holder);
}

/* Fields by name from the last to the first: those that fit, and many more. */
static void test_id_many_fields(void **state)
{
    struct lia_buf holder = new_buf();
    struct lia_buf key = new_buf();

    (void)state;
    for (uint32_t count = 140; count < 3000; count *= 4) {
        struct lia_value v = {0};
        char name[12];
        size_t mark;

        lia_buf_reset(&holder);
        lia_buf_reset(&key);
        mark = lia_bson_begin(&holder);
        {
            size_t id = lia_bson_begin_in(&holder, LIA_BSON_DOCUMENT, lia_str("_id"));

            for (uint32_t i = 0; i < count; i++) {
                lia_bson_add_null(&holder, lia_bson_index_name(count - i, name));
            }
            lia_bson_end(&holder, id);
        }
        lia_bson_end(&holder, mark);
        assert_true(lia_bson_find(lia_buf_slice(&holder), lia_str("_id"), &v));
        assert_status(count == 140 ? LIANA_OK : LIANA_EID,
                      lia_key_of_id(v, &key, NULL));
    }
    lia_buf_deinit(&key);
    lia_buf_deinit(&holder);
}

static liana_status make_id_key(const struct liana_allocator *a, void *ctx)
{
    struct lia_buf key;
    liana_status status;

    (void)ctx;
    lia_buf_init(&key, a);
    status = lia_key_of_id(lia_value_of_bool(true), &key, NULL);
    assert_int_equal(key.len, status ? 0 : 2);
    lia_buf_deinit(&key);
    return status;
}

static liana_status make_key(const struct liana_allocator *a, void *ctx)
{
    struct lia_buf key;
    liana_status status;

    (void)ctx;
    lia_buf_init(&key, a);
    lia_key_add_descending(&key, lia_value_of_bool(true));
    status = key.status;
    lia_buf_deinit(&key);
    return status;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    assert_int_equal(lia_test_each_failure(make_id_key, NULL), 1);
    assert_int_equal(lia_test_each_failure(make_key, NULL), 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_rows_are_valid), cmocka_unit_test(test_rows_are_in_order),
    cmocka_unit_test(test_random_values),  cmocka_unit_test(test_composite),
    cmocka_unit_test(test_id_numbers),     cmocka_unit_test(test_id_documents),
    cmocka_unit_test(test_id_refused),     cmocka_unit_test(test_id_size),
    cmocka_unit_test(test_id_many_fields), cmocka_unit_test(test_out_of_memory),
};

int main(void)
{
    return cmocka_run_group_tests(tests, read_rows, free_rows);
}
