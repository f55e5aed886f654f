/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of the language. Precedences are those of DQL; `||` stands with + and -.
 * An action makes one node with one builder of lang/build.h.
 *
 * Nothing needs a destructor: nodes live in the arena. The stack is as deep as LIA_DEPTH_MAX
 * levels of the deepest construct need; beyond it the statement is LIANA_EDEPTH.
 */
%name lia_grammar_
%token_prefix LIA_TK_
%token_type {struct lia_token}
%default_type {struct lia_expr *}
%extra_context {struct lia_parser *p}
%stack_size 1000

%include {
#include "lang/build.h"

/* Lemon's tracing needs a global; the parser's memory comes from the arena. */
#ifndef NDEBUG
#    define NDEBUG 1
#endif
#include <assert.h>
#define lia_grammar__ENGINEALWAYSONSTACK 1
#define YYNOERRORRECOVERY 1
}

%token ADD ADVISE ALTER ANY ARRAY BOTH COLLECTION CREATE DROP EVERY EXCEPT INITIAL INNER INTERSECT JOIN LEADING LEFT
       MATCH MOVE NEAR OBJECT OVER PN_INCREMENT PRIORITY PROFILE REMOVE RESET RESTART RETURNING RIGHT SHOW SIMILAR SPLICE
       TRAILING UNION USE WITH EXPRESSION.

/* Not words that may stand behind a source: Lemon would take them for its alias. */
%fallback NAME
    ADD ADVISE ARRAY ASC BOTH BY CAST CONFLICT DESC DO DOCUMENTS END ESCAPE EVERY EXPLAIN FAIL FORCE ID INCREMENT INITIAL
    LEADING MATCH MOVE NEAR NOTHING OBJECT OVER PN_INCREMENT PRIORITY PROFILE REMOVE REPLACE RESET RESTART SHOW SIMILAR
    SPLICE TRAILING UPDATE_LOCAL_DIFF VALUES.

%left OR.
%left XOR.
%left AND.
%right NOT.
%left IS.
%left LIKE ILIKE.
%right ESCAPE.
%left EQ NE LT LE GT GE BETWEEN IN.
%left SHL SHR.
%left PLUS MINUS CONCAT.
%left STAR SLASH PERCENT.
%right SIGN.

%start_symbol input

/* EXPRESSION is fed by lia_lang_parse_expr; no text has it. */
input ::= statement semicolon.
input ::= EXPRESSION expr(E).                             { p->expr = E; }

semicolon ::= .
semicolon ::= SEMI.

statement ::= command(S).                                  { p->stmt = S; }
statement ::= EXPLAIN command(S).                          { p->stmt = S; if (S) { S->is_explain = true; } }

%type command {struct lia_stmt *}
command(S) ::= select(A).                                  { S = A; }
command(S) ::= insert(A).                                  { S = A; }
command(S) ::= update(A).                                  { S = A; }
command(S) ::= delete(A).                                  { S = A; }
command(S) ::= evict(A).                                   { S = A; }

/* ---- SELECT ---- */

%type select {struct lia_stmt *}
select(S) ::= SELECT distinct(D) columns(C) FROM source(F) where(W) group(G) having(H) order(O) limit(L) offset(N). {
    S = lia_build_stmt(p, LIA_STMT_SELECT);
    if (S) {
        S->is_distinct = D; S->columns = C; S->source = F; S->where = W; S->group = G; S->having = H;
        S->order = O; S->limit = L; S->offset = N;
    }
}

%type distinct {bool}
distinct(D) ::= .                                          { D = false; }
distinct(D) ::= DISTINCT.                                  { D = true; }

%type columns {struct lia_columns}
%type column {struct lia_column}
columns(L) ::= column(A).                                  { L = lia_build_column(p, (struct lia_columns){0}, A); }
columns(L) ::= columns(B) COMMA column(A).                 { L = lia_build_column(p, B, A); }
column(C) ::= STAR(T).                                     { C = (struct lia_column){.offset = T.offset}; }
column(C) ::= expr(E).                                     { C = (struct lia_column){.expr = E}; }
column(C) ::= expr(E) AS name(N).                          { C = (struct lia_column){.expr = E, .name = N}; }

%type source {struct lia_source}
source(S) ::= collection(C).                               { S = C; }
source(S) ::= collection(C) AS name(N).                    { S = C; S.alias = N; }
source(S) ::= collection(C) NAME(N).                       { S = C; S.alias = lia_build_name(p, N); }

%type collection {struct lia_source}
collection(S) ::= NAME(N). {
    struct liana_str name = lia_build_name(p, N);
    S = (struct lia_source){lia_str("default"), name, name, N.offset};
}
collection(S) ::= NAME(D) COLON NAME(N). {
    struct liana_str name = lia_build_name(p, N);
    S = (struct lia_source){lia_build_name(p, D), name, name, D.offset};
}

%type name {struct liana_str}
name(S) ::= NAME(T).                                       { S = lia_build_name(p, T); }

where(E) ::= .                                             { E = NULL; }
where(E) ::= WHERE expr(A).                                { E = A; }

%type group {struct lia_exprs}
group(L) ::= .                                             { L = (struct lia_exprs){0}; }
group(L) ::= GROUP BY exprs(A).                            { L = A; }
having(E) ::= .                                            { E = NULL; }
having(E) ::= HAVING expr(A).                              { E = A; }

%type order {struct lia_orders}
%type orders {struct lia_orders}
order(L) ::= .                                             { L = (struct lia_orders){0}; }
order(L) ::= ORDER BY orders(A).                           { L = A; }
orders(L) ::= expr(E) direction(D).                        { L = lia_build_order(p, (struct lia_orders){0}, (struct lia_order){E, D}); }
orders(L) ::= orders(B) COMMA expr(E) direction(D).        { L = lia_build_order(p, B, (struct lia_order){E, D}); }

%type direction {bool}
direction(D) ::= .                                         { D = false; }
direction(D) ::= ASC.                                      { D = false; }
direction(D) ::= DESC.                                     { D = true; }

limit(E) ::= .                                             { E = NULL; }
limit(E) ::= LIMIT expr(A).                                { E = A; }
offset(E) ::= .                                            { E = NULL; }
offset(E) ::= OFFSET expr(A).                              { E = A; }

/* ---- INSERT ---- */

%type insert {struct lia_stmt *}
insert(S) ::= INSERT INTO collection(C) documents_word documents(D) conflict(X). {
    S = lia_build_stmt(p, LIA_STMT_INSERT);
    if (S) { S->source = C; S->documents = D; S->conflict = X; }
}
documents_word ::= DOCUMENTS.
documents_word ::= VALUES.

%type documents {struct lia_exprs}
documents(L) ::= LP expr(E) RP.                            { L = lia_build_list(p, E); }
documents(L) ::= documents(B) COMMA LP expr(E) RP.         { L = lia_build_append(p, B, E); }

%type conflict {enum lia_conflict}
conflict(X) ::= .                                          { X = LIA_CONFLICT_FAIL; }
conflict(X) ::= ON ID CONFLICT FAIL.                       { X = LIA_CONFLICT_FAIL; }
conflict(X) ::= ON ID CONFLICT DO NOTHING.                 { X = LIA_CONFLICT_NOTHING; }
conflict(X) ::= ON ID CONFLICT DO UPDATE.                  { X = LIA_CONFLICT_UPDATE; }
conflict(X) ::= ON ID CONFLICT DO UPDATE_LOCAL_DIFF.       { X = LIA_CONFLICT_UPDATE_LOCAL_DIFF; }
conflict(X) ::= ON ID CONFLICT DO REPLACE.                 { X = LIA_CONFLICT_REPLACE; }

/* ---- UPDATE, DELETE ---- */

%type update {struct lia_stmt *}
update(S) ::= UPDATE source(C) clauses(A) where(W). {
    S = lia_build_stmt(p, LIA_STMT_UPDATE);
    if (S) { S->source = C; S->assigns = A; S->where = W; }
}

%type clauses {struct lia_assigns}
%type clause {struct lia_assigns}
clauses(L) ::= clause(A).                                  { L = A; }
clauses(L) ::= clauses(B) clause(A).                       { L = lia_build_assigns(p, B, A); }
clause(L) ::= APPLY increments(A).                         { L = A; }
clause(L) ::= SET sets(A).                                 { L = A; }
clause(L) ::= UNSET unsets(A).                             { L = A; }

%type increments {struct lia_assigns}
%type increment {struct lia_assign}
increments(L) ::= increment(A).                            { L = lia_build_assign(p, (struct lia_assigns){0}, A); }
increments(L) ::= increments(B) COMMA increment(A).        { L = lia_build_assign(p, B, A); }
increment(A) ::= path(P) INCREMENT BY expr(E).             { A = (struct lia_assign){LIA_ASSIGN_INCREMENT, P, E}; }

%type sets {struct lia_assigns}
%type set {struct lia_assign}
sets(L) ::= set(A).                                        { L = lia_build_assign(p, (struct lia_assigns){0}, A); }
sets(L) ::= sets(B) COMMA set(A).                          { L = lia_build_assign(p, B, A); }
set(A) ::= path(P) EQ expr(E).                             { A = (struct lia_assign){LIA_ASSIGN_SET, P, E}; }

%type unsets {struct lia_assigns}
%type unset {struct lia_assign}
unsets(L) ::= unset(A).                                    { L = lia_build_assign(p, (struct lia_assigns){0}, A); }
unsets(L) ::= unsets(B) COMMA unset(A).                    { L = lia_build_assign(p, B, A); }
unset(A) ::= path(P).                                      { A = (struct lia_assign){LIA_ASSIGN_UNSET, P, NULL}; }

%type delete {struct lia_stmt *}
delete(S) ::= DELETE FROM source(C) where(W) limit(L). {
    S = lia_build_stmt(p, LIA_STMT_DELETE);
    if (S) { S->source = C; S->where = W; S->limit = L; }
}

/* ---- EVICT ---- */

%type evict {struct lia_stmt *}
evict(S) ::= EVICT FROM evicted(C) where(W) limit(L) force(F). {
    S = lia_build_stmt(p, LIA_STMT_EVICT);
    if (S) { S->source = C; S->where = W; S->limit = L; S->is_forced = F; }
}

/* An alias needs its AS: FORCE stands where it would. */
%type evicted {struct lia_source}
evicted(S) ::= collection(C).                              { S = C; }
evicted(S) ::= collection(C) AS name(N).                   { S = C; S.alias = N; }

%type force {bool}
force(F) ::= .                                             { F = false; }
force(F) ::= FORCE.                                        { F = true; }

/* ---- expressions ---- */

%type exprs {struct lia_exprs}
%type exprs_or_none {struct lia_exprs}
exprs(L) ::= expr(E).                                      { L = lia_build_list(p, E); }
exprs(L) ::= exprs(B) COMMA expr(E).                       { L = lia_build_append(p, B, E); }
exprs_or_none(L) ::= .                                     { L = (struct lia_exprs){0}; }
exprs_or_none(L) ::= exprs(A).                             { L = A; }

expr(E) ::= primary(A).                                    { E = A; }
expr(E) ::= LP expr(A) RP.                                 { E = A; }

expr(E) ::= expr(A) OR expr(B).                            { E = lia_build_pair(p, LIA_EXPR_OR, A, B); }
expr(E) ::= expr(A) XOR expr(B).                           { E = lia_build_pair(p, LIA_EXPR_XOR, A, B); }
expr(E) ::= expr(A) AND expr(B).                           { E = lia_build_pair(p, LIA_EXPR_AND, A, B); }
expr(E) ::= NOT(T) expr(A).                                { E = lia_build_not(p, T.offset, A); }

expr(E) ::= expr(A) IS NULL.                               { E = lia_build_operator(p, "IS NULL", A, NULL, NULL); }
expr(E) ::= expr(A) IS NOT NULL.                           { E = lia_build_operator(p, "IS NOT NULL", A, NULL, NULL); }
expr(E) ::= expr(A) IS MISSING.                            { E = lia_build_operator(p, "IS MISSING", A, NULL, NULL); }
expr(E) ::= expr(A) IS NOT MISSING.                        { E = lia_build_operator(p, "IS NOT MISSING", A, NULL, NULL); }

expr(E) ::= expr(A) like(N) expr(B) escape(C). [LIKE]      { E = lia_build_operator(p, N, A, B, C); }
expr(E) ::= expr(A) NOT(T) like(N) expr(B) escape(C). [LIKE] {
    E = lia_build_not(p, T.offset, lia_build_operator(p, N, A, B, C));
}
%type like {const char *}
like(N) ::= LIKE.                                          { N = "LIKE"; }
like(N) ::= ILIKE.                                         { N = "ILIKE"; }
escape(E) ::= . [LIKE]                                     { E = NULL; }
escape(E) ::= ESCAPE primary(A).                           { E = A; }

expr(E) ::= expr(A) EQ expr(B).                            { E = lia_build_compare(p, LIA_EQ, A, B); }
expr(E) ::= expr(A) NE expr(B).                            { E = lia_build_compare(p, LIA_NE, A, B); }
expr(E) ::= expr(A) LT expr(B).                            { E = lia_build_compare(p, LIA_LT, A, B); }
expr(E) ::= expr(A) LE expr(B).                            { E = lia_build_compare(p, LIA_LE, A, B); }
expr(E) ::= expr(A) GT expr(B).                            { E = lia_build_compare(p, LIA_GT, A, B); }
expr(E) ::= expr(A) GE expr(B).                            { E = lia_build_compare(p, LIA_GE, A, B); }
expr(E) ::= expr(A) BETWEEN expr(B) AND expr(C). [BETWEEN] { E = lia_build_between(p, A, B, C); }
expr(E) ::= expr(A) NOT(T) BETWEEN expr(B) AND expr(C). [BETWEEN] {
    E = lia_build_not(p, T.offset, lia_build_between(p, A, B, C));
}
expr(E) ::= expr(A) IN among(B). [IN]                      { E = lia_build_pair(p, LIA_EXPR_IN, A, B); }
expr(E) ::= expr(A) NOT(T) IN among(B). [IN] {
    E = lia_build_not(p, T.offset, lia_build_pair(p, LIA_EXPR_IN, A, B));
}
among(E) ::= LP(T) exprs_or_none(L) RP.                    { E = lia_build_array(p, T.offset, L); }
among(E) ::= primary(A).                                   { E = A; }

expr(E) ::= expr(A) SHL expr(B).                           { E = lia_build_operator(p, "<<", A, B, NULL); }
expr(E) ::= expr(A) SHR expr(B).                           { E = lia_build_operator(p, ">>", A, B, NULL); }
expr(E) ::= expr(A) CONCAT expr(B).                        { E = lia_build_operator(p, "||", A, B, NULL); }
expr(E) ::= expr(A) PLUS expr(B).                          { E = lia_build_operator(p, "+", A, B, NULL); }
expr(E) ::= expr(A) MINUS expr(B).                         { E = lia_build_operator(p, "-", A, B, NULL); }
expr(E) ::= expr(A) STAR expr(B).                          { E = lia_build_operator(p, "*", A, B, NULL); }
expr(E) ::= expr(A) SLASH expr(B).                         { E = lia_build_operator(p, "/", A, B, NULL); }
expr(E) ::= expr(A) PERCENT expr(B).                       { E = lia_build_operator(p, "%", A, B, NULL); }
expr(E) ::= MINUS expr(A). [SIGN]                          { E = lia_build_operator(p, "negative", A, NULL, NULL); }
expr(E) ::= PLUS expr(A). [SIGN]                           { E = lia_build_operator(p, "positive", A, NULL, NULL); }

primary(E) ::= STRING(T).                                  { E = lia_build_string(p, T); }
primary(E) ::= INTEGER(T). [PERCENT]                       { E = lia_build_integer(p, T, false); }
primary(E) ::= FLOAT(T). [PERCENT]                         { E = lia_build_float(p, T, false); }
primary(E) ::= MINUS INTEGER(T). [SIGN]                    { E = lia_build_integer(p, T, true); }
primary(E) ::= MINUS FLOAT(T). [SIGN]                      { E = lia_build_float(p, T, true); }
primary(E) ::= PARAM(T).                                   { E = lia_build_param(p, T); }
primary(E) ::= NULL(T).                                    { E = lia_build_value(p, T.offset, lia_value_of_null()); }
primary(E) ::= TRUE(T).                                    { E = lia_build_value(p, T.offset, lia_value_of_bool(true)); }
primary(E) ::= FALSE(T).                                   { E = lia_build_value(p, T.offset, lia_value_of_bool(false)); }
primary(E) ::= MISSING(T).                                 { E = lia_build_value(p, T.offset, LIA_MISSING); }
primary(E) ::= path(A).                                    { E = A; }
primary(E) ::= NAME(N) LP exprs_or_none(L) RP.             { E = lia_build_call(p, N, L); }
primary(E) ::= REPLACE(N) LP exprs_or_none(L) RP.          { E = lia_build_call(p, N, L); }
primary(E) ::= NAME(N) LP STAR RP.                         { E = lia_build_count_all(p, N); }
primary(E) ::= CAST LP expr(A) AS NAME(T) RP.              { E = lia_build_cast(p, A, T); }
primary(E) ::= LBRACKET(T) exprs_or_none(L) RBRACKET.      { E = lia_build_array(p, T.offset, L); }
primary(E) ::= LBRACE(T) RBRACE.                           { E = lia_build_object(p, T.offset, (struct lia_exprs){0}); }
primary(E) ::= LBRACE(T) fields(L) RBRACE.                 { E = lia_build_object(p, T.offset, L); }
primary(E) ::= CASE(T) arms(L) otherwise(D) END.           { E = lia_build_case(p, T.offset, NULL, L, D); }
primary(E) ::= CASE(T) expr(A) arms(L) otherwise(D) END.   { E = lia_build_case(p, T.offset, A, L, D); }

%type fields {struct lia_exprs}
fields(L) ::= STRING(N) COLON expr(E).                     { L = lia_build_append(p, lia_build_list(p, lia_build_string(p, N)), E); }
fields(L) ::= fields(B) COMMA STRING(N) COLON expr(E).     { L = lia_build_append(p, lia_build_append(p, B, lia_build_string(p, N)), E); }

%type arms {struct lia_exprs}
arms(L) ::= WHEN expr(A) THEN expr(B).                     { L = lia_build_append(p, lia_build_list(p, A), B); }
arms(L) ::= arms(C) WHEN expr(A) THEN expr(B).             { L = lia_build_append(p, lia_build_append(p, C, A), B); }
otherwise(E) ::= .                                         { E = NULL; }
otherwise(E) ::= ELSE expr(A).                             { E = A; }

path(E) ::= NAME(N).                                       { E = lia_build_path(p, N); }
path(E) ::= path(A) DOT NAME(N).                           { E = lia_build_field(p, A, lia_build_name(p, N)); }
path(E) ::= path(A) LBRACKET INTEGER(N) RBRACKET.          { E = lia_build_element(p, A, N); }
path(E) ::= path(A) LBRACKET STRING(N) RBRACKET.           { E = lia_build_field(p, A, lia_build_text(p, N)); }

%stack_overflow {
    lia_parser_fail(p, 0, LIANA_EDEPTH, "nested more than %d deep", LIA_DEPTH_MAX);
}

%syntax_error {
    struct lia_expected expected = {0};
    int state = yypParser->yytos->stateno;

    for (int kind = 1; state <= YY_MAX_SHIFT && kind < YYNTOKEN; kind++) {
        int at = yy_shift_ofst[state] + kind;

        if (yy_lookahead[at] == kind && yy_action[at] != YY_ERROR_ACTION) {
            lia_expected_add(&expected, kind);
        }
    }
    lia_parser_unexpected(p, yymajor, TOKEN, &expected);
}

%code {
struct lia_grammar *lia_grammar_new(struct lia_parser *p)
{
    yyParser *g = lia_arena_alloc(p->arena, sizeof(*g));

    if (g) {
        lia_grammar_Init(g, p);
    }
    return (struct lia_grammar *)g;
}

void lia_grammar_feed(struct lia_grammar *g, int kind, struct lia_token token)
{
    lia_grammar_(g, kind, token);
}

void lia_grammar_end(struct lia_grammar *g)
{
    lia_grammar_Finalize(g);
}
}
