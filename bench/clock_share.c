/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real data in a store: factory and aviation as documents written once; retail as a shop
 * leaves it, where three tills have counted the same stock down without a network and the
 * back office has merged what they did.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/jsonl.h"
#include "bench/stores.h"

#define TILLS 3
#define BATCH 1000

/* ---- stores ---- */

static struct lia_txn *begin(struct lia_db *db, enum lia_txn_kind kind)
{
    struct lia_txn_options options = lia_txn_options(db, kind);
    struct lia_txn *txn = NULL;

    options.durability = LIA_NORMAL;
    BENCH_OK(lia_txn_begin(db, &options, &txn, &err));
    return txn;
}

static const struct lia_collection *collection_of(struct lia_txn *txn, const char *name)
{
    const struct lia_collection *out = NULL;

    BENCH_OK(lia_txn_collection(txn, lia_str(name), lia_txn_is_write(txn), &out, &err));
    return out;
}

static void load(const struct bench *b,
                 struct lia_db *db,
                 const char *file,
                 const char *collection)
{
    struct liana_slice doc;
    struct bench_jsonl f;
    bool more = true;

    bench_jsonl_open(&f, b, file);
    while (more) {
        struct lia_txn *txn = begin(db, LIA_WRITE);
        const struct lia_collection *c = collection_of(txn, collection);

        for (size_t i = 0; i < BATCH && (more = bench_jsonl_next(&f, &doc)); i++) {
            BENCH_OK(lia_txn_insert(txn, c, doc, NULL, &err));
        }
        BENCH_OK(lia_txn_commit(txn, NULL, &err));
    }
    bench_jsonl_close(&f);
}

/* Whole copies of all documents of a collection, as sync would bring them. */
static void copy(struct lia_db *from, struct lia_db *to, const char *collection)
{
    struct lia_txn *txn = begin(from, LIA_READ);
    const struct lia_collection *c = collection_of(txn, collection);
    struct lia_batch_item *items = NULL;
    sqlite3_stmt *stmt = NULL;
    struct lia_applied applied;
    struct lia_batch batch = {0};
    struct lia_arena arena;
    char sql[64];
    size_t count = 0;

    lia_arena_init(&arena, &lia_mem_libc);
    snprintf(sql, sizeof(sql), "SELECT key, body, clock FROM %.*s",
             LIA_STR_ARG(c->table));
    BENCH_OK(lia_conn_prepare(lia_txn_conn(txn), lia_str(sql), &stmt, &err));
    while (lia_conn_step(lia_txn_conn(txn), stmt, NULL) == LIANA_OK) {
        const struct lia_doc doc = {lia_column_slice(stmt, 1),
                                    lia_column_slice(stmt, 2)};
        struct lia_batch_item item = {.key.collection = lia_str(collection)};

        if (!lia_arena_copy(&arena, lia_column_slice(stmt, 0), &item.key.key)) {
            bench_fail("out of memory");
        }
        BENCH_OK(lia_doc_segment(&arena, doc, (struct lia_vector){0}, &item.segment));
        items = realloc(items, (count + 1) * sizeof(*items));
        if (!items) {
            bench_fail("out of memory");
        }
        items[count++] = item;
    }
    lia_conn_done(lia_txn_conn(txn), stmt);
    lia_txn_rollback(txn);
    batch.peer = lia_str_slice(lia_str("bench"));
    batch.items = items;
    batch.item_count = count;
    BENCH_OK(lia_db_apply(to, &arena, &batch, LIA_NORMAL, &applied, &err));
    if (!applied.is_committed) {
        bench_fail("a batch of whole copies has gaps");
    }
    free(items);
    lia_arena_deinit(&arena);
}

/* ---- the shop ---- */

static void take_from_stock(struct lia_txn *txn, struct liana_slice line)
{
    struct lia_value code = {0};
    struct lia_value quantity = {0};
    struct lia_scratch scratch;
    struct lia_result *result = NULL;
    struct lia_buf params;
    size_t mark;

    if (!lia_bson_find(line, lia_str("stockCode"), &code) ||
        !lia_bson_find(line, lia_str("quantity"), &quantity)) {
        bench_fail("a line without stockCode or quantity");
    }
    lia_buf_init(&params, &lia_mem_libc);
    mark = lia_bson_begin(&params);
    lia_bson_add(&params, lia_str("code"), code);
    lia_bson_add(&params, lia_str("n"),
                 lia_value_of_int64(-lia_value_int32(quantity), &scratch));
    lia_bson_end(&params, mark);
    BENCH_OK(lia_txn_execute(
        txn, lia_str("UPDATE stock APPLY onHand INCREMENT BY :n WHERE _id = :code"),
        lia_buf_slice(&params), NULL, &result, &err));
    lia_result_free(result);
    lia_buf_deinit(&params);
}

/* A sale and its stock changes, in one transaction. */
static void sell(struct lia_db *till, struct liana_slice sale)
{
    struct lia_txn *txn = begin(till, LIA_WRITE);
    struct lia_value lines = {0};
    struct lia_bson_iter it;

    BENCH_OK(lia_txn_insert(txn, collection_of(txn, "sales"), sale, NULL, &err));
    if (lia_bson_find(sale, lia_str("lines"), &lines)) {
        it = lia_bson_iter(lines.data);
        while (lia_bson_next(&it)) {
            take_from_stock(txn, it.value.data);
        }
    }
    BENCH_OK(lia_txn_commit(txn, NULL, &err));
}

static void run_shop(const struct bench *b, struct lia_db *office)
{
    struct bench_liana tills[TILLS];
    char folders[TILLS][BENCH_PATH_MAX];
    struct lia_value till = {0};
    struct liana_slice sale;
    struct bench_jsonl f;

    load(b, office, "retail.stock", "stock");
    for (size_t i = 0; i < TILLS; i++) {
        bench_folder_make(folders[i]);
        bench_liana_open(&tills[i], b->env, folders[i]);
        copy(office, tills[i].db, "stock");
    }
    bench_jsonl_open(&f, b, "retail.sales");
    while (bench_jsonl_next(&f, &sale)) {
        if (!lia_bson_find(sale, lia_str("till"), &till)) {
            bench_fail("a sale without a till");
        }
        sell(tills[(size_t)lia_value_int32(till) % TILLS].db, sale);
    }
    bench_jsonl_close(&f);
    for (size_t i = 0; i < TILLS; i++) {
        copy(tills[i].db, office, "sales");
        copy(tills[i].db, office, "stock");
        bench_liana_close(&tills[i]);
        bench_folder_remove(folders[i]);
    }
}

/* ---- the share ---- */

static uint64_t clock_bytes(struct lia_db *db)
{
    const struct lia_collection **collections = NULL;
    struct lia_txn *txn = begin(db, LIA_READ);
    struct lia_arena arena;
    uint64_t bytes = 0;
    size_t count = 0;

    lia_arena_init(&arena, &lia_mem_libc);
    BENCH_OK(lia_db_collections(db, &arena, &collections, &count));
    for (size_t i = 0; i < count; i++) {
        sqlite3_stmt *stmt = NULL;
        char sql[64];

        snprintf(sql, sizeof(sql), "SELECT total(length(clock)) FROM %.*s",
                 LIA_STR_ARG(collections[i]->table));
        BENCH_OK(lia_conn_prepare(lia_txn_conn(txn), lia_str(sql), &stmt, &err));
        BENCH_OK(lia_conn_step(lia_txn_conn(txn), stmt, &err));
        bytes += lia_column_u64(stmt, 0);
        lia_conn_done(lia_txn_conn(txn), stmt);
    }
    lia_txn_rollback(txn);
    lia_arena_deinit(&arena);
    return bytes;
}

static void fill_factory(const struct bench *b, struct lia_db *db)
{
    load(b, db, "factory.readings", "readings");
}

static void fill_aviation(const struct bench *b, struct lia_db *db)
{
    load(b, db, "aviation.airports", "airports");
    load(b, db, "aviation.airlines", "airlines");
    load(b, db, "aviation.routes", "routes");
    load(b, db, "aviation.flights", "flights");
}

static void share(const struct bench *b,
                  const char *name,
                  void (*fill)(const struct bench *b, struct lia_db *db),
                  const char *description)
{
    char folder[BENCH_PATH_MAX];
    struct bench_liana liana;
    uint64_t bytes;

    bench_folder_make(folder);
    bench_liana_open(&liana, b->env, folder);
    fill(b, liana.db);
    bytes = clock_bytes(liana.db);
    bench_liana_close(&liana);
    bench_report((struct bench_result){
        name, 100 * (double)bytes / (double)bench_file_bytes(folder, "store.db"), "%",
        "the store's file = 100 %", 1, description});
    bench_folder_remove(folder);
}

void bench_clock_share(const struct bench *b)
{
    if (!b->data && !b->is_smoke) {
        fputs("liana_bench: clock_share: skipped, there is no shared data\n", stderr);
        return;
    }
    share(
        b, "clock_share_retail", run_shop,
        "All clocks in the back office's store, after it has merged the sales of three "
        "tills: 905 invoices written once, 2,403 stock documents whose counter three "
        "offline actors have decremented 19,632 times in all.");
    share(b, "clock_share_factory", fill_factory,
          "All clocks of 10,000 machine readings, each written once, in the store's "
          "file.");
    share(b, "clock_share_aviation", fill_aviation,
          "All clocks of airports, airlines, routes and flights, about 101,500 "
          "documents, "
          "each written once, in the store's file.");
}
