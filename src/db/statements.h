/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_DB_STATEMENTS_H
#define LIA_DB_STATEMENTS_H
/*
 * db/statements - parsed statements, kept by their text.
 *
 * A tree follows from its text alone: collections, schemas, indexes and parameters are looked
 * at when it is run. So nothing that happens to a db makes a kept one wrong. What SQLite
 * compiles of it is kept by each connection (store/conn.h).
 *
 * Rules: the LIA_STATEMENTS_MAX used last are kept, each of at most LIA_STATEMENT_KEPT_MAX
 * bytes of text; longer ones are parsed every time, as are wrong ones.
 * Ownership: a statement is counted: whoever got one puts it back, before or after the
 * cache is gone. Its tree is never changed.
 * Threads: any. One mutex, a leaf, which is not held while parsing.
 */
#include "base/thread.h"
#include "lang/ast.h"

#define LIA_STATEMENTS_MAX     64
#define LIA_STATEMENT_KEPT_MAX 2048

struct lia_statement;

struct lia_statements {
    struct lia_mutex mutex;
    const struct liana_allocator *alloc;
    uint64_t uses;
    uint64_t parsed;
    struct {
        struct lia_statement *statement; /* NULL: free */
        uint64_t used;
    } kept[LIA_STATEMENTS_MAX];
};

LIANA_MUST_CHECK liana_status lia_statements_init(struct lia_statements *cache,
                                                  const struct liana_allocator *alloc);
void lia_statements_deinit(struct lia_statements *cache);

/* What lia_lang_parse answers. */
LIANA_MUST_CHECK liana_status lia_statements_get(struct lia_statements *cache,
                                                 struct liana_str text,
                                                 struct lia_statement **out,
                                                 struct liana_error *err);

const struct lia_stmt *lia_statement_tree(const struct lia_statement *statement);

/* NULL is allowed. */
void lia_statement_put(struct lia_statement *statement);

/* How many texts were parsed since init. */
uint64_t lia_statements_parsed(struct lia_statements *cache);

#endif
