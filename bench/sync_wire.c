/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two peers in this process, over loopback TCP and TLS with a shared key: what it costs to
 * fill an empty one, and to meet again when nothing is new.
 */
#include <stdio.h>
#include <string.h>

#include "bench/app.h"
#include "bench/jsonl.h"
#include "codec/bson.h"

#define PATIENCE_MS 120000
#define POLL_MS     1000

static const char *const SUBSCRIPTIONS[] = {"SELECT * FROM stock",
                                            "SELECT * FROM sales"};

struct peer {
    char folder[BENCH_PATH_MAX];
    liana_db *db;
};

static void peer_open(struct peer *p)
{
    static const uint8_t key[LIANA_SHARED_KEY_BYTES] = {1, 2, 3};
    struct liana_open_options options = LIANA_OPEN_OPTIONS_INIT;

    options.database = LIANA_STR("bench");
    options.trust = LIANA_TRUST_SHARED_KEY;
    options.shared_key = lia_slice(key, sizeof(key));
    bench_folder_make(p->folder);
    p->db = bench_app_open(p->folder, &options);
}

static void peer_close(struct peer *p)
{
    bench_app_close(p->db);
    bench_folder_remove(p->folder);
}

/* ---- what the first peer holds ---- */

static uint64_t insert_all(const struct bench *b,
                           liana_db *db,
                           const char *file,
                           const char *collection)
{
    liana_txn *txn = bench_app_begin(db, LIANA_DURABILITY_FULL);
    struct bench_jsonl f;
    struct liana_slice doc;
    uint64_t bytes = 0;

    bench_jsonl_open(&f, b, file);
    while (bench_jsonl_next(&f, &doc)) {
        bench_app_insert(txn, collection, doc);
        bytes += doc.len;
    }
    bench_jsonl_close(&f);
    bench_app_commit(txn);
    return bytes;
}

/* ---- statistics ---- */

struct wire {
    int64_t bytes;   /* both ways, below TLS */
    int64_t payload; /* documents and segments, as the peers count them */
};

static int64_t number(struct liana_slice doc, const char *name)
{
    struct lia_value v = {0};

    if (!lia_bson_find(doc, lia_str(name), &v) || v.type != LIA_BSON_INT64) {
        bench_fail("there is no count %s", name);
    }
    return lia_value_int64(v);
}

/* The first element of the array `name` of the statistics' field `of`, or of themselves. */
static struct lia_value first_of(liana_bytes *stats, const char *of, const char *name)
{
    struct liana_slice doc = liana_bytes_slice(stats);
    struct lia_value v = {LIA_BSON_DOCUMENT, doc};
    struct lia_bson_iter it;

    if ((of && !lia_bson_find(doc, lia_str(of), &v)) ||
        !lia_bson_find(v.data, lia_str(name), &v)) {
        bench_fail("the statistics have no %s", name);
    }
    it = lia_bson_iter(v.data);
    if (!lia_bson_next(&it)) {
        bench_fail("%s of the statistics is empty", name);
    }
    return it.value;
}

static liana_bytes *stats_of(const struct peer *p)
{
    liana_bytes *stats = NULL;

    BENCH_OK(liana_stats(p->db, &stats, &err));
    return stats;
}

static struct wire wire_of(const struct peer *p)
{
    liana_bytes *stats = stats_of(p);
    struct liana_slice link = first_of(stats, NULL, "links").data;
    struct liana_slice peer = first_of(stats, NULL, "peers").data;
    const struct wire wire = {number(link, "wire_in") + number(link, "wire_out"),
                              number(peer, "payload_in") + number(peer, "payload_out")};

    liana_bytes_free(stats);
    return wire;
}

static int64_t count_of(const struct peer *p, const char *statement)
{
    liana_result *result = NULL;
    struct liana_slice row;
    int64_t n;

    BENCH_OK(liana_execute(p->db, lia_str(statement), LIANA_NONE, &result, &err));
    BENCH_OK(liana_result_next(result, &row, &err));
    n = number(row, "n");
    liana_result_free(result);
    return n;
}

static void expect_the_same(const struct peer *a, const struct peer *b)
{
    static const char *const COUNTS[] = {"SELECT COUNT(*) AS n FROM stock",
                                         "SELECT COUNT(*) AS n FROM sales"};

    for (size_t i = 0; i < 2; i++) {
        if (count_of(a, COUNTS[i]) != count_of(b, COUNTS[i])) {
            bench_fail("%s differs between the two peers", COUNTS[i]);
        }
    }
}

/* ---- meeting ---- */

static void subscribe(const struct peer *p)
{
    for (size_t i = 0; i < 2; i++) {
        uint64_t id;

        BENCH_OK(
            liana_subscribe(p->db, lia_str(SUBSCRIPTIONS[i]), LIANA_NONE, &id, &err));
    }
}

static void listen_at(const struct peer *p, char address[static 64])
{
    const struct liana_str any = LIANA_STR("127.0.0.1:0");
    struct liana_sync_options options = LIANA_SYNC_OPTIONS_INIT;
    liana_bytes *stats;
    struct liana_str text;

    options.listen = &any;
    options.listen_count = 1;
    BENCH_OK(liana_sync_start(p->db, &options, &err));
    stats = stats_of(p);
    text = lia_value_str(first_of(stats, "sync", "listen"));
    snprintf(address, 64, "%.*s", LIA_STR_ARG(text));
    liana_bytes_free(stats);
}

/* Waits until both subscriptions have all that the other peer has. */
static void wait_up_to_date(const struct bench *b, const struct peer *p)
{
    const uint64_t until = b->env->mono_ms(b->env->ctx) + PATIENCE_MS;
    size_t missing = 2;

    while (missing) {
        struct liana_event event;
        struct liana_error err = LIANA_ERROR_INIT;
        liana_status status = liana_poll(p->db, POLL_MS, &event, &err);

        if (status != LIANA_ETIMEOUT) {
            bench_ok(status, &err, __FILE__, __LINE__);
            missing -= event.kind == LIANA_EVENT_UP_TO_DATE;
        }
        if (b->env->mono_ms(b->env->ctx) > until) {
            bench_fail("the peers are not in sync after %d s", PATIENCE_MS / 1000);
        }
    }
}

static struct wire meet(const struct bench *b,
                        const struct peer *p,
                        const char *address)
{
    const struct liana_str dial = lia_str(address);
    struct liana_sync_options options = LIANA_SYNC_OPTIONS_INIT;
    struct wire wire;

    options.dial = &dial;
    options.dial_count = 1;
    BENCH_OK(liana_sync_start(p->db, &options, &err));
    wait_up_to_date(b, p);
    wire = wire_of(p);
    BENCH_OK(liana_sync_stop(p->db, &err));
    return wire;
}

void bench_sync_wire(const struct bench *b)
{
    struct liana_event event;
    struct peer from;
    struct peer to;
    char address[64];
    char text[512];
    struct wire first;
    struct wire again;
    uint64_t bytes;

    if (!b->data && !b->is_smoke) {
        fputs("liana_bench: sync_wire: skipped, there is no shared data\n", stderr);
        return;
    }
    peer_open(&from);
    peer_open(&to);
    LIA_IGNORE(liana_poll(to.db, 0, &event, NULL)); /* events are kept from here on */
    bytes = insert_all(b, from.db, "retail.stock", "stock");
    bytes += insert_all(b, from.db, "retail.sales", "sales");
    subscribe(&from);
    subscribe(&to);
    listen_at(&from, address);
    first = meet(b, &to, address);
    expect_the_same(&from, &to);
    again = meet(b, &to, address);
    peer_close(&to);
    peer_close(&from);
    snprintf(
        text, sizeof(text),
        "Bytes below TLS, both ways and with handshakes, of filling an empty peer "
        "with the retail file (905 sales, 2,403 stock documents) over loopback TLS "
        "with a shared key, per byte of these documents as BSON. Here: %lld, of "
        "%llu; the segments themselves were %lld.",
        (long long)first.bytes, (unsigned long long)bytes, (long long)first.payload);
    bench_report((struct bench_result){"sync_wire_bytes_per_payload_byte",
                                       (double)first.bytes / (double)bytes,
                                       "bytes per byte", "BSON as it is = 1", 1, text});
    bench_report((struct bench_result){
        "sync_reconnect_bytes", (double)again.bytes, "bytes", "none", 1,
        "The same when the two meet again and nothing is new: TLS handshake, greeting, "
        "two subscriptions."});
}
