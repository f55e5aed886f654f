/* SPDX-License-Identifier: Apache-2.0 */
#include "api/handle.h"
#include "api/local.h"
#include "api/remote.h"

#define CONFLICTS_MAX 1000000

/* A NUL in it would cut it short where the system sees it. */
static bool is_path(struct liana_str s)
{
    return s.ptr && s.len > 0 && !memchr(s.ptr, 0, s.len);
}

static bool is_durability(int32_t durability)
{
    return durability >= LIANA_DURABILITY_DEFAULT &&
           durability <= LIANA_DURABILITY_NORMAL;
}

static bool is_bytes(struct liana_slice s)
{
    return s.ptr || s.len == 0;
}

liana_status liana_open(struct liana_str path,
                        const struct liana_open_options *options,
                        liana_db **out,
                        struct liana_error *err)
{
    static const struct liana_open_options usual = LIANA_OPEN_OPTIONS_INIT;

    options = options ? options : &usual;
    if (!out || !is_path(path)) {
        return lia_api_invalid(err, "liana_open: no path or no place for the handle");
    }
    if (options->conflicts_max > CONFLICTS_MAX) {
        return lia_api_invalid(err, "liana_open: conflicts_max is above 1,000,000");
    }
    if (options->version != 1 || !lia_api_is_text(options->database) ||
        !lia_api_is_text(options->name) || !is_bytes(options->shared_key) ||
        !is_durability(options->durability) ||
        (options->allocator && !options->allocator->realloc)) {
        return lia_api_invalid(
            err, "liana_open: the options are not LIANA_OPEN_OPTIONS_INIT "
                 "with fields changed");
    }
    return lia_local_open(path, options, out, err);
}

liana_status liana_attach(struct liana_str path,
                          liana_db **out,
                          struct liana_error *err)
{
    struct lia_env env;

    if (!out || !is_path(path)) {
        return lia_api_invalid(err, "liana_attach: no path or no place for the handle");
    }
    if (lia_env_system(&env)) {
        return lia_err(err, LIANA_EINTERNAL, "the system has no randomness");
    }
    return lia_remote_open(&env, path, out, err);
}

liana_status liana_close(liana_db *db, struct liana_error *err)
{
    return db ? db->ops->close(db, err) : LIANA_OK;
}

liana_status liana_upkeep(liana_db *db, uint64_t *out_next_ms, struct liana_error *err)
{
    return db && out_next_ms
               ? db->ops->upkeep(db, out_next_ms, err)
               : lia_api_invalid(err, "liana_upkeep: no handle or no place");
}

/* ---- statements ---- */

static bool is_call(struct liana_str statement, struct liana_slice params)
{
    return statement.ptr && is_bytes(params);
}

liana_status liana_execute(liana_db *db,
                           struct liana_str statement,
                           struct liana_slice params,
                           liana_result **out,
                           struct liana_error *err)
{
    liana_result *result;
    liana_status status;

    if (!db || !is_call(statement, params)) {
        return lia_api_invalid(err, "liana_execute: no handle or no statement");
    }
    status = db->ops->execute(db, statement, params, &result, err);
    if (status) {
        return status;
    }
    if (out) {
        *out = result;
    } else {
        liana_result_free(result);
    }
    return LIANA_OK;
}

liana_status liana_result_next(liana_result *result,
                               struct liana_slice *row,
                               struct liana_error *err)
{
    if (!result || !row) {
        return lia_api_invalid(err,
                               "liana_result_next: no result or no place for the row");
    }
    return result->ops->next(result, row, err);
}

uint64_t liana_result_mutations(const liana_result *result)
{
    return result ? result->mutations : 0;
}

uint64_t liana_result_waiting(const liana_result *result)
{
    return result ? result->waiting : 0;
}

uint64_t liana_result_seq(const liana_result *result)
{
    return result ? result->seq : 0;
}

void liana_result_free(liana_result *result)
{
    if (result) {
        result->ops->free(result);
    }
}

/* ---- transactions ---- */

liana_status liana_begin(liana_db *db,
                         const struct liana_txn_options *options,
                         liana_txn **out,
                         struct liana_error *err)
{
    static const struct liana_txn_options usual = LIANA_TXN_OPTIONS_INIT;

    options = options ? options : &usual;
    if (!db || !out) {
        return lia_api_invalid(
            err, "liana_begin: no handle or no place for the transaction");
    }
    if (options->version != 1 || !is_durability(options->durability)) {
        return lia_api_invalid(
            err, "liana_begin: the options are not LIANA_TXN_OPTIONS_INIT "
                 "with fields changed");
    }
    return db->ops->begin(db, options, out, err);
}

liana_status liana_txn_execute(liana_txn *txn,
                               struct liana_str statement,
                               struct liana_slice params,
                               liana_result **out,
                               struct liana_error *err)
{
    liana_result *result;
    liana_status status;

    if (!txn || !is_call(statement, params)) {
        return lia_api_invalid(err,
                               "liana_txn_execute: no transaction or no statement");
    }
    status = txn->ops->execute(txn, statement, params, &result, err);
    if (status) {
        return status;
    }
    if (out) {
        *out = result;
    } else {
        liana_result_free(result);
    }
    return LIANA_OK;
}

liana_status liana_commit(liana_txn *txn, uint64_t *out_seq, struct liana_error *err)
{
    uint64_t seq;
    liana_status status;

    if (!txn) {
        return lia_api_invalid(err, "liana_commit: no transaction");
    }
    status = txn->ops->commit(txn, &seq, err);
    if (!status && out_seq) {
        *out_seq = seq;
    }
    return status;
}

void liana_rollback(liana_txn *txn)
{
    if (txn) {
        txn->ops->rollback(txn);
    }
}
