/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json.h"

#include "base/testing/test.h"

#include "base/testing/alloc.h"
#include "base/testing/random.h"
#include "codec/order.h"
#include "codec/testing/corpus.h"
#include "codec/testing/random_bson.h"

static struct lia_buf new_buf(void)
{
    struct lia_buf buf;

    lia_buf_init(&buf, &lia_mem_libc);
    return buf;
}

static liana_status read_text(const char *text,
                              size_t len,
                              struct lia_buf *out,
                              size_t *used,
                              struct liana_error *err)
{
    uint8_t *exact = lia_mem_alloc(&lia_mem_libc, len);
    liana_status status;

    *err = (struct liana_error)LIANA_ERROR_INIT;
    if (len) {
        memcpy(exact, text, len);
    }
    status = lia_json_read(lia_slice(exact, len), out, used, err);
    lia_mem_free(&lia_mem_libc, exact, len);
    return status;
}

/* ---- what plain JSON becomes ---- */

static void assert_value(const char *text, uint8_t type, const char *canonical)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_buf holder = new_buf();
    struct lia_buf out = new_buf();
    struct lia_value v = {0};

    if (lia_json_read_value(lia_str_slice(lia_str(text)), &holder, &v, &err)) {
        fail_msg("%s: %s", text, err.message);
    }
    assert_int_equal(v.type, type);
    assert_ok(lia_json_write_value(v, LIA_JSON_CANONICAL, &out, NULL));
    assert_slice_equal(lia_buf_slice(&out), lia_str_slice(lia_str(canonical)));
    lia_buf_deinit(&out);
    lia_buf_deinit(&holder);
}

static void test_values(void **state)
{
    (void)state;
    assert_value("null", LIA_BSON_NULL, "null");
    assert_value(" true\n", LIA_BSON_BOOL, "true");
    assert_value("1", LIA_BSON_INT32, "{\"$numberInt\":\"1\"}");
    assert_value("-2147483648", LIA_BSON_INT32, "{\"$numberInt\":\"-2147483648\"}");
    assert_value("2147483648", LIA_BSON_INT64, "{\"$numberLong\":\"2147483648\"}");
    assert_value("-9223372036854775808", LIA_BSON_INT64,
                 "{\"$numberLong\":\"-9223372036854775808\"}");
    assert_value("9223372036854775808", LIA_BSON_DOUBLE,
                 "{\"$numberDouble\":\"9.223372036854776E+18\"}");
    assert_value("-0", LIA_BSON_DOUBLE, "{\"$numberDouble\":\"-0.0\"}");
    assert_value("1.0", LIA_BSON_DOUBLE, "{\"$numberDouble\":\"1.0\"}");
    assert_value("1e2", LIA_BSON_DOUBLE, "{\"$numberDouble\":\"100.0\"}");
    assert_value("\"a\\u0000\\ud83c\\udf3f\\/\"", LIA_BSON_STRING,
                 "\"a\\u0000\xf0\x9f\x8c\xbf/\"");
    assert_value("\"\\b\\f\\n\\r\\t\\\"\\\\\\u001f\"", LIA_BSON_STRING,
                 "\"\\b\\f\\n\\r\\t\\\"\\\\\\u001f\"");
    assert_value("[1, [], {}]", LIA_BSON_ARRAY, "[{\"$numberInt\":\"1\"},[],{}]");
    assert_value("{\"$numberDecimal\":\"2.50\"}", LIA_BSON_DECIMAL128,
                 "{\"$numberDecimal\":\"2.50\"}");
    assert_value("{\"$scope\":{\"a\":null},\"$code\":\"f\"}", LIA_BSON_CODE_W_SCOPE,
                 "{\"$code\":\"f\",\"$scope\":{\"a\":null}}");
    assert_value("{\"$date\":\"1969-12-31T23:59:59.999Z\"}", LIA_BSON_DATE,
                 "{\"$date\":{\"$numberLong\":\"-1\"}}");
    assert_value("{\"$binary\":{\"base64\":\"AQ==\",\"subType\":\"2\"}}",
                 LIA_BSON_BINARY,
                 "{\"$binary\":{\"base64\":\"AQ==\",\"subType\":\"02\"}}");
    assert_value("{\"x\":1,\"$oid\":\"no id\"}", LIA_BSON_DOCUMENT,
                 "{\"x\":{\"$numberInt\":\"1\"},\"$oid\":\"no id\"}");
}

/* ---- what is refused ---- */

struct refusal {
    const char *text;
    const char *message;
};

static const struct refusal refusals[] = {
    {"", "line 1, column 1: there is no document"},
    {" \n ", "line 2, column 2: there is no document"},
    {"[]", "line 1, column 1: a document begins with {"},
    {"{} x", "line 1, column 3: text goes on behind the document"},
    {"{\"a\":1}}", "line 1, column 8: text goes on behind the document"},
    {"{\"a\": \"\\ud83c\"}",
     "line 1, column 8: first half of a surrogate pair without the second"},
    {"{\"a\": \"\\ud83cxx\\udf3f\"}",
     "line 1, column 8: first half of a surrogate pair without the second"},
    {"{\"a\": \"\\ud83c\\u0041\"}",
     "line 1, column 8: first half of a surrogate pair without the second"},
    {"{\"\\udf3f\": 1}",
     "line 1, column 3: second half of a surrogate pair without the first"},
    {"{\"a\":\n \"\xc3\xa9\xff\"}", "line 2, column 4: text is not UTF-8"},
    {"{\"a\": \"\xed\xa0\x80\"}", "line 1, column 8: text is not UTF-8"},
    {"{\"a\\u0000\": 1}", "line 1, column 11: a name cannot hold NUL"},
    {"{\"a\": 0.12345678901234567}", "line 1, column 26: a double would lose digits of "
                                     "this number; {\"$numberDecimal\": "
                                     "\"...\"} may keep them"},
    {"{\"a\": 1e400}", "line 1, column 12: a double would lose digits of this number; "
                       "{\"$numberDecimal\": "
                       "\"...\"} may keep them"},
    {"{\"$oid\":\"0123456789abcdef01234567\"}", "a document is expected, not objectId"},
    {"{\"a\":{\"$oid\":\"0123456789abcdef0123456\"}}",
     "line 1, column 40: $oid: 24 hexadecimal digits are expected"},
    {"{\"a\":{\"$oid\":\"0123456789abcdef0123456g\"}}",
     "line 1, column 41: $oid: 24 hexadecimal digits are expected"},
    {"{\"a\":{\"$numberInt\":\"2147483648\"}}",
     "line 1, column 33: $numberInt: a string with a 32-bit integer is expected"},
    {"{\"a\":{\"$numberLong\":\"9223372036854775808\"}}",
     "line 1, column 43: $numberLong: a string with a 64-bit integer is expected"},
    {"{\"a\":{\"$numberLong\":\"-\"}}",
     "line 1, column 25: $numberLong: a string with a 64-bit integer is expected"},
    {"{\"a\":{\"$numberDouble\":\"1e999\"}}",
     "line 1, column 31: $numberDouble: a double would lose digits of this number"},
    {"{\"a\":{\"$numberDouble\":\"nan\"}}",
     "line 1, column 29: $numberDouble: a string with a number is expected"},
    {"{\"a\":{\"$numberDecimal\":\"1e9999\"}}",
     "line 1, column 33: $numberDecimal: Decimal128 would lose digits of this number"},
    {"{\"a\":{\"$date\":5000000000}}",
     "line 1, column 26: $date: a date as text or {\"$numberLong\": ...} is expected"},
    {"{\"a\":{\"$date\":\"yesterday\"}}",
     "line 1, column 27: $date: a date like 2012-12-24T12:15:30.501Z is expected"},
    {"{\"a\":{\"$date\":\"2012-12-24T12:15:30.5011Z\"}}",
     "line 1, column 43: $date: a date keeps milliseconds, no more"},
    {"{\"a\":{\"$binary\":{\"base64\":\"AQ=\",\"subType\":\"00\"}}}",
     "line 1, column 49: $binary: this is no base64"},
    {"{\"a\":{\"$binary\":{\"base64\":\"\",\"subType\":\"100\"}}}",
     "line 1, column 47: $binary: a subType of two hexadecimal digits is expected"},
    {"{\"a\":{\"$timestamp\":{\"t\":4294967296,\"i\":0}}}",
     "line 1, column 43: $timestamp: \"t\" and \"i\", two numbers from 0 to "
     "4294967295, are "
     "expected"},
    {"{\"a\":{\"$symbol\":1}}", "line 1, column 19: $symbol: a string is expected"},
    {"{\"a\":{\"$undefined\":false}}",
     "line 1, column 26: $undefined: true is expected"},
    {"{\"a\":{\"$minKey\":{\"$numberInt\":\"1\"}}}",
     "line 1, column 36: $minKey: the number 1 is expected"},
    {"{\"a\":{\"$dbPointer\":{\"$ref\":\"b\",\"$id\":\"c\"}}}",
     "line 1, column 43: $dbPointer: \"$ref\", a string, and \"$id\", an ObjectId, are "
     "expected"},
    {"{\"a\":{\"$regularExpression\":{\"pattern\":\"\",\"options\":\"\xc3\xa9\"}}}",
     "line 1, column 57: $regularExpression: a pattern without NUL and options of a "
     "few "
     "ASCII letters are expected"},
};

static void test_refusals(void **state)
{
    struct liana_error err;
    struct lia_buf out = new_buf();

    (void)state;
    lia_buf_str(&out, "kept");
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const char *text = refusals[i].text;

        assert_status(LIANA_EJSON, read_text(text, strlen(text), &out, NULL, &err));
        assert_string_equal(err.message, refusals[i].message);
        assert_slice_equal(lia_buf_slice(&out), LIA_BYTES("kept"));
    }
    lia_buf_deinit(&out);
}

/* yajl's own complaints, with their place. */
static void test_syntax(void **state)
{
    static const char *const texts[] = {
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":tru}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\":1.}",
        "{\"a\":1e}",
        "{\"a\":-}",
        "{\"a\":NaN}",
        "{\"a\":[1}",
        "{\"a\":]}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12g4\"}",
        "{/**/}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":\"unfinished",
        "{\"a\":\"unfinished \\",
        "{\"a\":\"\\u12",
        "{,}",
        "{\"a\":nul",
    };
    struct liana_error err;
    struct lia_buf out = new_buf();

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (read_text(texts[i], strlen(texts[i]), &out, NULL, &err) != LIANA_EJSON ||
            strncmp(err.message, "line ", 5) != 0) {
            fail_msg("%s: %s", texts[i], err.message);
        }
    }
    assert_status(LIANA_EJSON, read_text("{\"a\":1,\n  x}", 12, &out, NULL, &err));
    assert_string_equal(err.message,
                        "line 2, column 4: lexical error: invalid char in json text.");
    lia_buf_deinit(&out);
}

static void test_duplicate_names(void **state)
{
    static const char text[] = "{\"a\":[{\"b\":1,\"c\":2,\"b\":3}]}";
    struct liana_error err;
    struct lia_buf out = new_buf();

    (void)state;
    assert_status(LIANA_EDUPFIELD, read_text(text, sizeof(text) - 1, &out, NULL, &err));
    assert_string_equal(err.message, "a.0.b: field name stands twice");
    assert_int_equal(out.len, 0);
    lia_buf_deinit(&out);
}

/* ---- depth ---- */

static void nest(struct lia_buf *out,
                 const char *open,
                 const char *inner,
                 const char *close,
                 size_t levels)
{
    lia_buf_reset(out);
    lia_buf_str(out, "{\"v\":");
    for (size_t i = 0; i < levels; i++) {
        lia_buf_str(out, open);
    }
    lia_buf_str(out, inner);
    for (size_t i = 0; i < levels; i++) {
        lia_buf_str(out, close);
    }
    lia_buf_str(out, "}");
}

static void test_depth(void **state)
{
    static const char deepest[] = "{\"$dbPointer\":{\"$ref\":\"a\",\"$id\":{\"$oid\":"
                                  "\"0123456789abcdef01234567\"}}}";
    static const struct {
        const char *open;
        const char *inner;
        const char *close;
        size_t levels;
        liana_status status;
    } cases[] = {
        {"[", "1", "]", LIA_DEPTH_MAX, LIANA_OK},
        {"[", deepest, "]", LIA_DEPTH_MAX, LIANA_OK},
        {"{\"a\":", deepest, "}", LIA_DEPTH_MAX, LIANA_OK},
        {"[", "1", "]", LIA_DEPTH_MAX + 1, LIANA_EDEPTH},
        {"{\"a\":", deepest, "}", LIA_DEPTH_MAX + 1, LIANA_EDEPTH},
        {"[", "1", "]", 100000, LIANA_EDEPTH},
        {"[", "", "", 100000, LIANA_EDEPTH},
    };
    struct liana_error err;
    struct lia_buf text = new_buf();
    struct lia_buf out = new_buf();

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        nest(&text, cases[i].open, cases[i].inner, cases[i].close, cases[i].levels);
        assert_status(cases[i].status,
                      read_text((const char *)text.ptr, text.len, &out, NULL, &err));
    }
    lia_buf_deinit(&out);
    lia_buf_deinit(&text);
}

/* ---- several documents in one text ---- */

static void test_stream(void **state)
{
    static const char text[] = "{\"a\":1} {\"b\":\"}\\\"{\"}\n\n{}  ";
    static const size_t used[] = {7, 13, 4};
    struct liana_error err;
    struct lia_buf out = new_buf();
    size_t at = 0;
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_ok(read_text(text + at, sizeof(text) - 1 - at, &out, &n, &err));
        assert_int_equal(n, used[i]);
        at += n;
    }
    assert_status(LIANA_EEND,
                  read_text(text + at, sizeof(text) - 1 - at, &out, &n, &err));
    assert_int_equal(err.status, LIANA_OK);
    assert_status(LIANA_EEND, read_text("", 0, &out, &n, &err));
    assert_int_equal(n, 4);
    lia_buf_deinit(&out);
}

/* ---- writing ---- */

static void assert_relaxed(const char *canonical, const char *relaxed)
{
    struct lia_buf holder = new_buf();
    struct lia_buf out = new_buf();
    struct lia_value v = {0};

    assert_ok(
        lia_json_read_value(lia_str_slice(lia_str(canonical)), &holder, &v, NULL));
    assert_ok(lia_json_write_value(v, LIA_JSON_RELAXED, &out, NULL));
    assert_slice_equal(lia_buf_slice(&out), lia_str_slice(lia_str(relaxed)));
    lia_buf_deinit(&out);
    lia_buf_deinit(&holder);
}

static void test_relaxed(void **state)
{
    (void)state;
    assert_relaxed("{\"$numberInt\":\"-5\"}", "-5");
    assert_relaxed("{\"$numberLong\":\"9223372036854775807\"}", "9223372036854775807");
    assert_relaxed("{\"$numberDouble\":\"5\"}", "5.0");
    assert_relaxed("{\"$numberDouble\":\"-Infinity\"}",
                   "{\"$numberDouble\":\"-Infinity\"}");
    assert_relaxed("{\"$date\":{\"$numberLong\":\"1\"}}",
                   "{\"$date\":\"1970-01-01T00:00:00.001Z\"}");
    assert_relaxed("{\"$date\":{\"$numberLong\":\"-1\"}}",
                   "{\"$date\":{\"$numberLong\":\"-1\"}}");
    assert_relaxed("{\"$date\":{\"$numberLong\":\"253402300800000\"}}",
                   "{\"$date\":{\"$numberLong\":\"253402300800000\"}}");
}

/* {"a": [{"$date": 1}]}, made as BSON: as JSON it would be no document any more. */
static void test_write_refused(void **state)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_buf doc = new_buf();
    struct lia_buf out = new_buf();
    size_t root = lia_bson_begin(&doc);
    size_t array = lia_bson_begin_in(&doc, LIA_BSON_ARRAY, lia_str("a"));
    size_t inner = lia_bson_begin_in(&doc, LIA_BSON_DOCUMENT, lia_str("0"));

    (void)state;
    lia_bson_add_int32(&doc, lia_str("$date"), 1);
    lia_bson_end(&doc, inner);
    lia_bson_end(&doc, array);
    lia_bson_end(&doc, root);
    lia_buf_str(&out, "kept");
    assert_status(LIANA_EJSON,
                  lia_json_write(lia_buf_slice(&doc), LIA_JSON_CANONICAL, &out, &err));
    assert_string_equal(
        err.message, "a.0: an object that begins with $date would be read as a value");
    assert_slice_equal(lia_buf_slice(&out), LIA_BYTES("kept"));

    err = (struct liana_error)LIANA_ERROR_INIT;
    lia_buf_reset(&doc);
    root = lia_bson_begin(&doc);
    lia_bson_add_null(&doc, lia_str("$oid"));
    lia_bson_end(&doc, root);
    assert_status(LIANA_EJSON,
                  lia_json_write(lia_buf_slice(&doc), LIA_JSON_RELAXED, &out, &err));
    assert_string_equal(err.message,
                        "an object that begins with $oid would be read as a value");
    lia_buf_deinit(&out);
    lia_buf_init_max(&out, &lia_mem_libc, 3);
    assert_ok(lia_json_write(lia_bson_empty, LIA_JSON_CANONICAL, &out, NULL));
    assert_status(
        LIANA_ETOOLARGE,
        lia_json_write_value(lia_value_of_null(), LIA_JSON_CANONICAL, &out, NULL));
    assert_int_equal(out.len, 2);
    lia_buf_deinit(&out);
    lia_buf_deinit(&doc);
}

/* ---- properties ---- */

/* Any document comes back equal, and is written the same again. */
static void test_round_trip(void **state)
{
    struct lia_rng rng = lia_rng(lia_test_seed("json"));
    struct lia_buf doc = new_buf();
    struct lia_buf text = new_buf();
    struct lia_buf back = new_buf();
    struct lia_buf again = new_buf();

    (void)state;
    for (size_t i = 0; i < lia_test_cases(3000); i++) {
        struct liana_error err = LIANA_ERROR_INIT;
        enum lia_json_form form =
            lia_rng_chance(&rng, 50) ? LIA_JSON_CANONICAL : LIA_JSON_RELAXED;

        lia_buf_reset(&doc);
        lia_buf_reset(&text);
        lia_buf_reset(&back);
        lia_buf_reset(&again);
        lia_random_document(&rng, &doc);
        assert_ok(lia_bson_check(lia_buf_slice(&doc), &lia_mem_libc, NULL));
        assert_ok(lia_json_write(lia_buf_slice(&doc), form, &text, &err));
        if (lia_json_read(lia_buf_slice(&text), &back, NULL, &err)) {
            fail_msg("%.*s: %s", LIA_STR_ARG(lia_buf_slice(&text)), err.message);
        }
        assert_int_equal(
            lia_value_cmp((struct lia_value){LIA_BSON_DOCUMENT, lia_buf_slice(&doc)},
                          (struct lia_value){LIA_BSON_DOCUMENT, lia_buf_slice(&back)}),
            0);
        assert_ok(lia_json_write(lia_buf_slice(&back), form, &again, &err));
        assert_slice_equal(lia_buf_slice(&again), lia_buf_slice(&text));
    }
    lia_buf_deinit(&doc);
    lia_buf_deinit(&text);
    lia_buf_deinit(&back);
    lia_buf_deinit(&again);
}

static const char everything[] =
    "{\"a\":{\"$oid\":\"0123456789abcdef01234567\"},\"b\":[1,2.5,"
    "\"\\u00e9\\ud83c\\udf3f\",true,"
    "null],\"c\":{\"$binary\":{\"base64\":\"AQID\",\"subType\":\"00\"}},\"d\":{\"$"
    "code\":\"f\","
    "\"$scope\":{\"x\":{\"$numberLong\":\"5\"}}},\"e\":{\"$regularExpression\":{"
    "\"pattern\":"
    "\"p\",\"options\":\"xi\"}},\"f\":{\"$timestamp\":{\"t\":1,\"i\":2}},\"g\":{\"$"
    "numberDecimal\":"
    "\"1.5\"},\"h\":{\"$date\":\"2012-12-24T12:15:30.501Z\"},\"i\":{\"$uuid\":"
    "\"73ffd264-44b3-4c69-90e8-e7d1dfc035d4\"},\"j\":{\"$dbPointer\":{\"$ref\":\"r\","
    "\"$id\":"
    "{\"$oid\":\"0123456789abcdef01234567\"}}},\"k\":{\"$undefined\":true},\"l\":{\"$"
    "symbol\":"
    "\"s\"},\"m\":{\"$minKey\":1},\"n\":{\"$maxKey\":1},\"o\":{\"$numberDouble\":"
    "\"NaN\"}}";

/* Any prefix is refused; any changed byte is refused or read, and no byte is read beyond
 * the text. */
static void test_damaged(void **state)
{
    char text[sizeof(everything)];
    const size_t len = sizeof(everything) - 1;
    struct liana_error err;
    struct lia_buf out = new_buf();
    size_t accepted = 0;
    size_t n = 0;

    (void)state;
    memcpy(text, everything, sizeof(text));
    assert_ok(read_text(text, len, &out, NULL, &err));
    for (size_t i = 0; i < len; i++) {
        liana_status status = read_text(text, i, &out, &n, &err);

        assert_true(status == LIANA_EJSON || (i == 0 && status == LIANA_EEND));
    }
    for (size_t i = 0; i < len; i++) {
        static const char changes[] = "\"\\{}[],:x0 $\xff\x80\n";

        for (size_t c = 0; c < sizeof(changes); c++) {
            lia_buf_reset(&out);
            text[i] = changes[c];
            accepted += read_text(text, len, &out, NULL, &err) == LIANA_OK;
            text[i] = everything[i];
        }
    }
    assert_true(accepted > 0);
    lia_buf_deinit(&out);
}

/* A string of escapes larger than any of yajl's first buffers; the same unfinished. */
static void test_long_escapes(void **state)
{
    struct liana_error err;
    struct lia_buf text = new_buf();
    struct lia_buf out = new_buf();

    (void)state;
    for (size_t escapes = 300; escapes < 100000; escapes = escapes * 3 + 1) {
        size_t doc_len;

        lia_buf_reset(&text);
        lia_buf_reset(&out);
        lia_buf_str(&text, "{\"\\u00e9\":[\"");
        for (size_t i = 0; i < escapes; i++) {
            lia_buf_str(&text, i % 3 ? "\\u0041" : "\\n");
        }
        doc_len = text.len;
        lia_buf_str(&text, "\",\"\\t\"]}");
        assert_ok(read_text((const char *)text.ptr, text.len, &out, NULL, &err));
        assert_true(out.len > escapes);
        assert_status(LIANA_EJSON,
                      read_text((const char *)text.ptr, doc_len, &out, NULL, &err));
    }
    lia_buf_deinit(&out);
    lia_buf_deinit(&text);
}

static void test_too_large(void **state)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_buf out;

    (void)state;
    lia_buf_init_max(&out, &lia_mem_libc, 64);
    assert_status(LIANA_ETOOLARGE,
                  lia_json_read(lia_str_slice(lia_str(everything)), &out, NULL, &err));
    assert_int_equal(err.status, LIANA_ETOOLARGE);
    assert_int_equal(out.len, 0);
    lia_buf_deinit(&out);
}

static liana_status read_and_write(const struct liana_allocator *a, void *ctx)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_buf doc;
    struct lia_buf text;
    liana_status status;

    (void)ctx;
    lia_buf_init(&doc, a);
    lia_buf_init(&text, a);
    status = lia_json_read(lia_str_slice(lia_str(everything)), &doc, NULL, &err);
    if (!status) {
        status = lia_json_write(lia_buf_slice(&doc), LIA_JSON_CANONICAL, &text, &err);
    }
    assert_int_equal(err.status, status);
    lia_buf_deinit(&doc);
    lia_buf_deinit(&text);
    return status;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    assert_true(lia_test_each_failure(read_and_write, NULL) > 5);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_values),        cmocka_unit_test(test_refusals),
    cmocka_unit_test(test_syntax),        cmocka_unit_test(test_duplicate_names),
    cmocka_unit_test(test_depth),         cmocka_unit_test(test_stream),
    cmocka_unit_test(test_relaxed),       cmocka_unit_test(test_write_refused),
    cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_damaged),
    cmocka_unit_test(test_long_escapes),  cmocka_unit_test(test_too_large),
    cmocka_unit_test(test_out_of_memory),
};

LIA_TEST_MAIN(tests)
