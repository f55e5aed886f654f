/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/app.h"

#include <stdio.h>

#include "codec/bson.h"

liana_db *bench_app_open(const char *folder, const struct liana_open_options *options)
{
    struct liana_open_options own = LIANA_OPEN_OPTIONS_INIT;
    liana_db *db = NULL;

    if (options) {
        own = *options;
    }
    own.flags |= LIANA_OPEN_CREATE;
    BENCH_OK(liana_open(lia_str(folder), &own, &db, &err));
    return db;
}

void bench_app_close(liana_db *db)
{
    BENCH_OK(liana_close(db, &err));
}

liana_txn *bench_app_begin(liana_db *db, int32_t durability)
{
    struct liana_txn_options options = LIANA_TXN_OPTIONS_INIT;
    liana_txn *txn = NULL;

    options.durability = durability;
    BENCH_OK(liana_begin(db, &options, &txn, &err));
    return txn;
}

void bench_app_commit(liana_txn *txn)
{
    BENCH_OK(liana_commit(txn, NULL, &err));
}

void bench_app_run(liana_txn *txn, const char *statement, struct liana_slice params)
{
    liana_result *result = NULL;

    BENCH_OK(liana_txn_execute(txn, lia_str(statement), params, &result, &err));
    liana_result_free(result);
}

void bench_app_insert(liana_txn *txn, const char *collection, struct liana_slice doc)
{
    struct lia_buf params;
    char statement[64];
    size_t mark;

    snprintf(statement, sizeof(statement), "INSERT INTO %s DOCUMENTS (:d)", collection);
    lia_buf_init(&params, &lia_mem_libc);
    mark = lia_bson_begin(&params);
    lia_bson_add(&params, lia_str("d"), (struct lia_value){LIA_BSON_DOCUMENT, doc});
    lia_bson_end(&params, mark);
    bench_app_run(txn, statement, lia_buf_slice(&params));
    lia_buf_deinit(&params);
}

void bench_app_insert_batch(liana_db *db, const struct bench_doc *docs, size_t count)
{
    liana_txn *txn = bench_app_begin(db, LIANA_DURABILITY_FULL);

    for (size_t i = 0; i < count; i++) {
        bench_app_insert(txn, "c", docs[i].bson);
    }
    bench_app_commit(txn);
}
