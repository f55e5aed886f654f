/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_LANG_BUILD_H
#define LIA_LANG_BUILD_H
/*
 * lang/build - what the grammar's actions make nodes with.
 *
 * Rules: the first failure stays in `status`; from then on builders answer NULL and
 * accept NULL, so the actions of grammar.y need no checks. The driver stops at the first
 * token after a failure.
 * Ownership: nodes are in the parser's arena. Threads: one parse, one thread.
 */
#include "lang/ast.h"
#include "lang/lexer.h"

struct lia_parser {
    struct lia_arena *arena;
    struct liana_error *err;
    const char *text; /* a copy in the arena, NUL behind it */
    size_t text_len;
    liana_status status;
    uint32_t terms;
    struct lia_token before; /* what the grammar was fed last */
    struct lia_stmt *stmt;   /* results */
    struct lia_expr *expr;
};

/* Fails the parse at a place in the text; answers the status. */
liana_status lia_parser_fail(struct lia_parser *p,
                             uint32_t offset,
                             liana_status status,
                             const char *format,
                             ...) __attribute__((format(printf, 4, 5)));

/* Names of what could have stood at a place, as many as a message holds. */
struct lia_expected {
    int kinds[9];
    uint32_t count; /* also of those that have no room */
};

void lia_expected_add(struct lia_expected *expected, int kind);
void lia_parser_unexpected(struct lia_parser *p,
                           int kind,
                           struct lia_token token,
                           const struct lia_expected *expected);

/* ---- literal text (literal.c) ---- */

/* A name without its backticks. */
struct liana_str lia_build_name(struct lia_parser *p, struct lia_token t);
/* A string's characters, quotes and escapes resolved. */
struct liana_str lia_build_text(struct lia_parser *p, struct lia_token t);

struct lia_expr *lia_build_string(struct lia_parser *p, struct lia_token t);
struct lia_expr *lia_build_integer(struct lia_parser *p,
                                   struct lia_token t,
                                   bool is_negative);
struct lia_expr *lia_build_float(struct lia_parser *p,
                                 struct lia_token t,
                                 bool is_negative);
struct lia_expr *lia_build_value(struct lia_parser *p,
                                 uint32_t offset,
                                 struct lia_value v);
struct lia_expr *lia_build_param(struct lia_parser *p, struct lia_token t);

/* ---- expressions ---- */

struct lia_exprs lia_build_list(struct lia_parser *p, struct lia_expr *first);
struct lia_exprs lia_build_append(struct lia_parser *p,
                                  struct lia_exprs list,
                                  struct lia_expr *e);

struct lia_expr *lia_build_path(struct lia_parser *p, struct lia_token first);
struct lia_expr *lia_build_field(struct lia_parser *p,
                                 struct lia_expr *path,
                                 struct liana_str name);
struct lia_expr *lia_build_element(struct lia_parser *p,
                                   struct lia_expr *path,
                                   struct lia_token index);

struct lia_expr *lia_build_not(struct lia_parser *p,
                               uint32_t offset,
                               struct lia_expr *e);
/* AND, OR, XOR, IN. */
struct lia_expr *lia_build_pair(struct lia_parser *p,
                                enum lia_expr_kind kind,
                                struct lia_expr *a,
                                struct lia_expr *b);
struct lia_expr *lia_build_compare(struct lia_parser *p,
                                   enum lia_compare op,
                                   struct lia_expr *a,
                                   struct lia_expr *b);
struct lia_expr *lia_build_between(struct lia_parser *p,
                                   struct lia_expr *e,
                                   struct lia_expr *low,
                                   struct lia_expr *high);
/* An operator of functions.def; absent operands are NULL and come last. */
struct lia_expr *lia_build_operator(struct lia_parser *p,
                                    const char *name,
                                    struct lia_expr *a,
                                    struct lia_expr *b,
                                    struct lia_expr *c);
struct lia_expr *lia_build_call(struct lia_parser *p,
                                struct lia_token name,
                                struct lia_exprs args);
struct lia_expr *lia_build_count_all(struct lia_parser *p, struct lia_token name);
struct lia_expr *lia_build_cast(struct lia_parser *p,
                                struct lia_expr *e,
                                struct lia_token type);
/* `on` NULL: a searched CASE. `arms` is condition, value, ... */
struct lia_expr *lia_build_case(struct lia_parser *p,
                                uint32_t offset,
                                struct lia_expr *on,
                                struct lia_exprs arms,
                                struct lia_expr *otherwise);
struct lia_expr *lia_build_array(struct lia_parser *p,
                                 uint32_t offset,
                                 struct lia_exprs items);
struct lia_expr *lia_build_object(struct lia_parser *p,
                                  uint32_t offset,
                                  struct lia_exprs fields);

/* ---- statements ---- */

struct lia_stmt *lia_build_stmt(struct lia_parser *p, enum lia_stmt_kind kind);
struct lia_columns lia_build_column(struct lia_parser *p,
                                    struct lia_columns list,
                                    struct lia_column item);
struct lia_orders lia_build_order(struct lia_parser *p,
                                  struct lia_orders list,
                                  struct lia_order item);
struct lia_assigns lia_build_assign(struct lia_parser *p,
                                    struct lia_assigns list,
                                    struct lia_assign item);
struct lia_assigns lia_build_assigns(struct lia_parser *p,
                                     struct lia_assigns a,
                                     struct lia_assigns b);

/* `a.b` where a collection's name stands. */
struct lia_dotted {
    struct liana_str text;
    uint32_t offset;
};

struct lia_dotted lia_build_dotted(struct lia_parser *p,
                                   struct lia_dotted start,
                                   struct liana_str name);
struct lia_source lia_build_source(struct liana_str space,
                                   struct lia_dotted name,
                                   uint32_t offset);

struct lia_expr *lia_build_zero(struct lia_parser *p, struct lia_token at);

/* ---- CREATE, ALTER, DROP COLLECTION (build_schema.c) ---- */

struct lia_stmt *lia_build_schema(struct lia_parser *p,
                                  enum lia_stmt_kind kind,
                                  struct lia_source source,
                                  bool is_conditional,
                                  struct lia_alters alters);
/* `traits` is what stands behind the type. */
struct lia_declared lia_build_declaration(struct lia_parser *p,
                                          const struct lia_expr *path,
                                          struct lia_token type,
                                          struct lia_declared traits);
/* A path alone. */
struct lia_declared lia_build_undeclared(struct lia_parser *p,
                                         const struct lia_expr *path);
/* MIN n. */
struct lia_declared lia_build_min(struct lia_parser *p,
                                  struct lia_declared traits,
                                  struct lia_token word,
                                  const struct lia_expr *value);
struct lia_declarations lia_build_declared(struct lia_parser *p,
                                           struct lia_declarations list,
                                           struct lia_declared item);

struct lia_alters lia_build_alter(struct lia_parser *p,
                                  struct lia_alters list,
                                  struct lia_alter item);
struct lia_alters lia_build_alters(struct lia_parser *p,
                                   struct lia_alters a,
                                   struct lia_alters b);
/* What CREATE says is what ALTER would add and set. */
struct lia_alters lia_build_adds(struct lia_parser *p,
                                 struct lia_declarations declared,
                                 struct lia_alters options);
struct lia_alters lia_build_change(struct lia_parser *p,
                                   enum lia_alter_kind kind,
                                   struct lia_declared declared);
struct lia_alters lia_build_reset(struct lia_parser *p,
                                  struct lia_alters list,
                                  struct lia_token name);

/* Room for one more in a list of the arena; NULL when out of memory or already failed. */
void *lia_build_grow(struct lia_parser *p,
                     void *items,
                     uint32_t count,
                     uint32_t *cap,
                     size_t size);

/* One body for every list: appends `item` to `list`, whose items are all of one type. */
#define LIA_APPEND(p, list, item)                                                      \
    do {                                                                               \
        void *grown = lia_build_grow((p), (list).items, (list).count, &(list).cap,     \
                                     sizeof(*(list).items));                           \
        if (grown) {                                                                   \
            (list).items = grown;                                                      \
            (list).items[(list).count++] = (item);                                     \
        }                                                                              \
    } while (0)

/* ---- the parser that Lemon makes (grammar.y) ---- */

struct lia_grammar;
/* In the parser's arena; NULL when out of memory. */
struct lia_grammar *lia_grammar_new(struct lia_parser *p);
void lia_grammar_feed(struct lia_grammar *g, int kind, struct lia_token token);
void lia_grammar_end(struct lia_grammar *g);

/* ---- what is checked when a statement is whole (check.c) ---- */

void lia_check_stmt(struct lia_parser *p, struct lia_stmt *stmt);
/* Its declarations, of either place (check_schema.c). */
void lia_check_declarations(struct lia_parser *p, const struct lia_stmt *stmt);

#endif
