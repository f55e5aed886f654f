/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/docs.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/testing/random.h"
#include "codec/json.h"

#define SALE_LINES 5

static void add_text(struct lia_buf *buf, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add_text(struct lia_buf *buf, const char *name, const char *format, ...)
{
    char text[128];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    lia_bson_add_str(buf, lia_str(name), lia_str(text));
}

static double price(struct lia_rng *rng)
{
    return (double)lia_rng_between(rng, 5, 9999) / 100;
}

static void add_sale_line(struct lia_buf *buf, struct lia_rng *rng, uint32_t index)
{
    char digits[12];
    size_t mark =
        lia_bson_begin_in(buf, LIA_BSON_DOCUMENT, lia_bson_index_name(index, digits));

    add_text(buf, "stockCode", "%05u%c", (unsigned)lia_rng_below(rng, 100000),
             (char)('A' + lia_rng_below(rng, 26)));
    add_text(buf, "description", "WHITE HANGING HEART T-LIGHT HOLDER, BOX OF %u",
             (unsigned)lia_rng_between(rng, 10, 99));
    lia_bson_add_int32(buf, lia_str("quantity"), (int32_t)lia_rng_between(rng, 1, 48));
    lia_bson_add_double(buf, lia_str("unitPrice"), price(rng));
    lia_bson_end(buf, mark);
}

static void add_sale(struct lia_buf *buf, struct lia_rng *rng, size_t number)
{
    size_t mark = lia_bson_begin(buf);
    size_t lines;

    add_text(buf, "_id", "sale-%012zu", number);
    add_text(buf, "date", "2026-01-%02uT%02u:%02u:00Z",
             (unsigned)lia_rng_between(rng, 1, 28), (unsigned)lia_rng_below(rng, 24),
             (unsigned)lia_rng_below(rng, 60));
    lia_bson_add_int32(buf, lia_str("customerId"),
                       (int32_t)lia_rng_between(rng, 10000, 99999));
    add_text(buf, "country", "United Kingdom");
    lia_bson_add_int32(buf, lia_str("till"), (int32_t)lia_rng_between(rng, 1, 3));
    lia_bson_add_bool(buf, lia_str("cancelled"), lia_rng_chance(rng, 2));
    add_text(
        buf, "note", "%016llx%016llx%016llx%016llx",
        (unsigned long long)lia_rng_next(rng), (unsigned long long)lia_rng_next(rng),
        (unsigned long long)lia_rng_next(rng), (unsigned long long)lia_rng_next(rng));
    lines = lia_bson_begin_in(buf, LIA_BSON_ARRAY, lia_str("lines"));
    for (uint32_t i = 0; i < SALE_LINES; i++) {
        add_sale_line(buf, rng, i);
    }
    lia_bson_end(buf, lines);
    lia_bson_end(buf, mark);
}

static void add_small(struct lia_buf *buf, struct lia_rng *rng, size_t number)
{
    size_t mark = lia_bson_begin(buf);
    size_t tags;

    lia_bson_add_int32(buf, lia_str("_id"), (int32_t)number);
    add_text(buf, "name", "item %zu of the catalogue", number);
    lia_bson_add_int32(buf, lia_str("shelf"), (int32_t)lia_rng_below(rng, 100));
    lia_bson_add_double(buf, lia_str("price"), price(rng));
    tags = lia_bson_begin_in(buf, LIA_BSON_DOCUMENT, lia_str("tags"));
    lia_bson_add_int32(buf, lia_str("a"), (int32_t)lia_rng_below(rng, 10));
    lia_bson_add_bool(buf, lia_str("b"), lia_rng_chance(rng, 50));
    lia_bson_end(buf, tags);
    lia_bson_end(buf, mark);
}

typedef void (*add_fn)(struct lia_buf *buf, struct lia_rng *rng, size_t number);

struct place {
    size_t bson;
    size_t json;
    size_t end;
};

static void make(struct bench_docs *out, size_t first, size_t count, add_fn add)
{
    struct place *places = malloc(count * sizeof(*places));
    const uint8_t *bytes;

    *out =
        (struct bench_docs){.docs = malloc(count * sizeof(*out->docs)), .count = count};
    if (!places || !out->docs) {
        bench_fail("out of memory");
    }
    lia_buf_init(&out->bytes, &lia_mem_libc);
    for (size_t i = 0; i < count; i++) {
        struct lia_rng rng = lia_rng(first + i);
        struct lia_buf json;

        places[i].bson = out->bytes.len;
        add(&out->bytes, &rng, first + i);
        places[i].json = out->bytes.len;
        lia_buf_init(&json, &lia_mem_libc);
        BENCH_OK(out->bytes.status);
        BENCH_OK(lia_json_write(
            lia_slice(out->bytes.ptr + places[i].bson, places[i].json - places[i].bson),
            LIA_JSON_RELAXED, &json, &err));
        lia_buf_slice_add(&out->bytes, lia_buf_slice(&json));
        lia_buf_deinit(&json);
        places[i].end = out->bytes.len;
    }
    BENCH_OK(out->bytes.status);
    bytes = out->bytes.ptr;
    for (size_t i = 0; i < count; i++) {
        struct bench_doc *doc = &out->docs[i];
        struct lia_value id = {0};

        doc->bson = lia_slice(bytes + places[i].bson, places[i].json - places[i].bson);
        doc->json = lia_slice(bytes + places[i].json, places[i].end - places[i].json);
        if (lia_bson_find(doc->bson, lia_str("_id"), &id) &&
            id.type == LIA_BSON_STRING) {
            doc->id = lia_str_slice(lia_value_str(id));
        } else {
            doc->id = id.data;
        }
    }
    free(places);
}

void bench_docs_sales(struct bench_docs *out, size_t first, size_t count)
{
    make(out, first, count, add_sale);
}

void bench_docs_small(struct bench_docs *out, size_t first, size_t count)
{
    make(out, first, count, add_small);
}

void bench_docs_free(struct bench_docs *docs)
{
    lia_buf_deinit(&docs->bytes);
    free(docs->docs);
}
