/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_LANG_AST_H
#define LIA_LANG_AST_H
/*
 * lang/ast - a parsed statement.
 *
 * Few kinds of nodes: what can be said with fewer is (BETWEEN is two comparisons and an
 * AND, a simple CASE is a searched one, operators that compute are calls). AND and OR
 * have any number of operands, so that long chains stay flat.
 *
 * Rules: a tree is made by lia_lang_parse and never changed afterwards; evaluator, SQL
 * generator and checks walk it. Its height is at most LIA_DEPTH_MAX, so they may
 * recurse. `is_constant` means that no path and no aggregate is below: such a node has
 * one value for the whole statement.
 * Ownership: everything lives in the arena given to lia_lang_parse, literals included.
 * Threads: read by any number at once.
 */
#include "base/limits.h"
#include "lang/function.h"
#include "lang/schema.h"

/* Nodes of one statement: LIANA_ELIMIT. */
#define LIA_TERMS_MAX 100000

enum lia_expr_kind {
    LIA_EXPR_VALUE,   /* value; MISSING is one */
    LIA_EXPR_PARAM,   /* name */
    LIA_EXPR_PATH,    /* path; no steps: the document itself */
    LIA_EXPR_COMPARE, /* op, two args */
    LIA_EXPR_AND,     /* two args or more */
    LIA_EXPR_OR,
    LIA_EXPR_XOR,      /* two args */
    LIA_EXPR_NOT,      /* one arg */
    LIA_EXPR_IN,       /* args: what is looked for, an array */
    LIA_EXPR_CASE,     /* args: condition, value, ..., and the value of ELSE if odd */
    LIA_EXPR_CALL,     /* fn, args */
    LIA_EXPR_ARRAY,    /* args */
    LIA_EXPR_OBJECT,   /* args: name, value, ...; names are string literals */
    LIA_EXPR_AGGREGATE /* aggregate, one arg or none (COUNT(*)) */
};

enum lia_compare { LIA_EQ, LIA_NE, LIA_LT, LIA_LE, LIA_GT, LIA_GE };

enum lia_aggregate { LIA_COUNT, LIA_SUM, LIA_AVG, LIA_MIN, LIA_MAX };

/* One step into a value: a field of an object, or an element of an array. */
struct lia_step {
    struct liana_str name; /* ptr NULL: an index */
    uint32_t index;
};

struct lia_steps {
    struct lia_step *items;
    uint32_t count;
    uint32_t cap;
};

struct lia_exprs {
    struct lia_expr **items;
    uint32_t count;
    uint32_t cap;
};

struct lia_expr {
    enum lia_expr_kind kind;
    uint32_t offset; /* where it stands in the text */
    uint32_t height; /* 1 for a leaf */
    bool is_constant;
    bool has_aggregate;
    bool is_resolved; /* the source's alias has been taken off the path */
    enum lia_compare op;
    enum lia_aggregate aggregate;
    const struct lia_fn *fn;
    struct lia_exprs args;
    struct lia_value value;
    struct liana_str name;
    struct lia_steps path;
};

enum lia_stmt_kind {
    LIA_STMT_SELECT,
    LIA_STMT_INSERT,
    LIA_STMT_UPDATE,
    LIA_STMT_DELETE,
    LIA_STMT_EVICT,
    LIA_STMT_CREATE, /* COLLECTION, as the two behind it */
    LIA_STMT_ALTER,
    LIA_STMT_DROP
};

struct lia_declarations {
    struct lia_declared *items;
    uint32_t count;
    uint32_t cap;
};

/* What a statement is about. `alias` is what a path may begin with to mean the document:
 * the name given with AS, else the collection's. */
struct lia_source {
    struct liana_str space; /* "default" or "system" */
    struct liana_str collection;
    struct liana_str alias;
    uint32_t offset;
    struct lia_declarations declared; /* COLLECTION c (...) */
};

/* One item of a SELECT list. `expr` NULL: `*`. */
struct lia_column {
    struct lia_expr *expr;
    struct liana_str name;
    uint32_t offset;
};

struct lia_columns {
    struct lia_column *items;
    uint32_t count;
    uint32_t cap;
};

struct lia_order {
    struct lia_expr *expr;
    bool is_descending;
};

struct lia_orders {
    struct lia_order *items;
    uint32_t count;
    uint32_t cap;
};

enum lia_assign_kind {
    LIA_ASSIGN_SET,
    LIA_ASSIGN_UNSET,
    LIA_ASSIGN_INCREMENT,
    LIA_ASSIGN_RESTART,
    LIA_ASSIGN_ADD,
    LIA_ASSIGN_REMOVE,
    LIA_ASSIGN_TRANSFER,
    LIA_ASSIGN_RECLAIM,
    LIA_ASSIGN_RECLAIM_FORCED
};

struct lia_assign {
    enum lia_assign_kind kind;
    struct lia_expr *path;
    struct lia_expr
        *value; /* NULL for UNSET; of a RECLAIM: TO whom, NULL: the own actor */
    struct lia_expr *actor; /* TO whom a TRANSFER is, FROM whom a RECLAIM */
};

struct lia_assigns {
    struct lia_assign *items;
    uint32_t count;
    uint32_t cap;
};

/* ON ID CONFLICT ... */
enum lia_conflict {
    LIA_CONFLICT_FAIL,
    LIA_CONFLICT_NOTHING,
    LIA_CONFLICT_UPDATE,
    LIA_CONFLICT_UPDATE_LOCAL_DIFF,
    LIA_CONFLICT_REPLACE
};

/* What CREATE and ALTER COLLECTION do to a declaration. */
enum lia_alter_kind {
    LIA_ALTER_ADD,
    LIA_ALTER_CHANGE,
    LIA_ALTER_DROP,
    LIA_ALTER_SET,
    LIA_ALTER_RESET
};

struct lia_alter {
    enum lia_alter_kind kind;
    struct lia_declared path; /* of a DROP: no type */
    struct liana_str option;  /* of SET and RESET */
    struct lia_expr *value;   /* of SET: a literal */
    uint32_t offset;
};

struct lia_alters {
    struct lia_alter *items;
    uint32_t count;
    uint32_t cap;
};

/* Fields that a kind does not use are empty. */
struct lia_stmt {
    enum lia_stmt_kind kind;
    bool is_explain;
    bool is_distinct;
    bool has_aggregate;
    struct lia_source source;
    struct lia_columns columns;
    struct lia_expr *where;
    struct lia_exprs group;
    struct lia_expr *having;
    struct lia_orders order;
    struct lia_expr *limit;
    struct lia_expr *offset;
    struct lia_exprs documents;
    enum lia_conflict conflict;
    bool is_initial;
    struct lia_assigns assigns;
    bool is_forced; /* EVICT ... FORCE */
    struct lia_alters alters;
    bool is_conditional; /* IF EXISTS, IF NOT EXISTS */
};

/* Same tree: what one gives, the other gives. */
bool lia_expr_equal(const struct lia_expr *a, const struct lia_expr *b);

/* Calls `visit` for a node and everything below it, parents first; NULL is no node. */
typedef void (*lia_expr_visit_fn)(void *ctx, struct lia_expr *e);
void lia_expr_walk(struct lia_expr *e, lia_expr_visit_fn visit, void *ctx);

/* "COUNT". Static. */
const char *lia_aggregate_name(enum lia_aggregate aggregate);

/* The path is `_id`. */
static inline bool lia_path_is_id(const struct lia_expr *e)
{
    return e->kind == LIA_EXPR_PATH && e->path.count == 1 &&
           e->path.items[0].name.ptr &&
           lia_str_equal(e->path.items[0].name, lia_str("_id"));
}

#endif
