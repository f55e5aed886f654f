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

%token ADVISE ANY ARRAY BOTH EVERY EXCEPT INNER INTERSECT JOIN LEADING LEFT MATCH MOVE NEAR OBJECT OVER
       PRIORITY PROFILE RETURNING RIGHT SHOW SIMILAR SPLICE TRAILING UNION USE EXPRESSION.

/* Not words that may stand behind a source: Lemon would take them for its alias. */
%fallback NAME
    ADD ADVISE ARRAY ASC BOTH BY CAST COLLECTION CONFLICT DESC DO DOCUMENTS END ESCAPE EVERY EXISTS EXPLAIN FAIL FORCE ID IF IMMUTABLE
    INCREMENT INITIAL LEADING MATCH MOVE NEAR NOTHING OBJECT OVER PN_INCREMENT PRIORITY PROFILE REMOVE REPLACE RESET
    RECLAIM RESTART SHOW SIMILAR SPLICE TO TRAILING TRANSFER UPDATE_LOCAL_DIFF VALUES.

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
command(S) ::= schema(A).                                  { S = A; }

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
source(S) ::= target(C).                                   { S = C; }
source(S) ::= target(C) AS name(N).                        { S = C; S.alias = N; }
source(S) ::= target(C) NAME(N).                           { S = C; S.alias = lia_build_name(p, N); }

/* DQL says beside the collection what its paths are. */
%type target {struct lia_source}
target(S) ::= collection(C).                               { S = C; }
target(S) ::= COLLECTION collection(C) LP declarations(L) RP. { S = C; S.declared = L; }

%type collection {struct lia_source}
%type dotted {struct lia_dotted}
collection(S) ::= dotted(N).                               { S = lia_build_source(lia_str("default"), N, N.offset); }
collection(S) ::= NAME(D) COLON dotted(N).                 { S = lia_build_source(lia_build_name(p, D), N, D.offset); }
dotted(D) ::= NAME(N).                                     { D = (struct lia_dotted){lia_build_name(p, N), N.offset}; }
dotted(D) ::= dotted(A) DOT NAME(N).                       { D = lia_build_dotted(p, A, lia_build_name(p, N)); }

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
insert(S) ::= INSERT INTO target(C) documents_word documents(D) conflict(X). {
    S = lia_build_stmt(p, LIA_STMT_INSERT);
    if (S) { S->source = C; S->documents = D; S->conflict = X; }
}
insert(S) ::= INSERT INTO target(C) INITIAL documents_word documents(D). {
    S = lia_build_stmt(p, LIA_STMT_INSERT);
    if (S) { S->source = C; S->documents = D; S->is_initial = true; }
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
clause(L) ::= APPLY applies(A).                            { L = A; }
clause(L) ::= SET sets(A).                                 { L = A; }
clause(L) ::= UNSET unsets(A).                             { L = A; }

%type applies {struct lia_assigns}
%type apply {struct lia_assign}
applies(L) ::= apply(A).                                   { L = lia_build_assign(p, (struct lia_assigns){0}, A); }
applies(L) ::= applies(B) COMMA apply(A).                  { L = lia_build_assign(p, B, A); }
apply(A) ::= path(P) INCREMENT BY expr(E).                 { A = (struct lia_assign){LIA_ASSIGN_INCREMENT, P, E, NULL}; }
apply(A) ::= path(P) PN_INCREMENT BY expr(E).              { A = (struct lia_assign){LIA_ASSIGN_INCREMENT, P, E, NULL}; }
apply(A) ::= path(P) RESTART(T).                           { A = (struct lia_assign){LIA_ASSIGN_RESTART, P, lia_build_zero(p, T), NULL}; }
apply(A) ::= path(P) RESTART WITH expr(E).                 { A = (struct lia_assign){LIA_ASSIGN_RESTART, P, E, NULL}; }
apply(A) ::= path(P) TRANSFER expr(E) TO expr(B).          { A = (struct lia_assign){LIA_ASSIGN_TRANSFER, P, E, B}; }
apply(A) ::= path(P) RECLAIM FROM expr(B) reclaimed(E) force(F). {
    A = (struct lia_assign){F ? LIA_ASSIGN_RECLAIM_FORCED : LIA_ASSIGN_RECLAIM, P, E, B};
}
apply(A) ::= path(P) ADD TO SET expr(E).                   { A = (struct lia_assign){LIA_ASSIGN_ADD, P, E, NULL}; }
apply(A) ::= path(P) REMOVE FROM SET expr(E).              { A = (struct lia_assign){LIA_ASSIGN_REMOVE, P, E, NULL}; }

/* For whom: who takes them, or somebody else. */
%type reclaimed {struct lia_expr *}
reclaimed(E) ::= .                                         { E = NULL; }
reclaimed(E) ::= TO expr(B).                               { E = B; }

%type sets {struct lia_assigns}
%type set {struct lia_assign}
sets(L) ::= set(A).                                        { L = lia_build_assign(p, (struct lia_assigns){0}, A); }
sets(L) ::= sets(B) COMMA set(A).                          { L = lia_build_assign(p, B, A); }
set(A) ::= path(P) EQ expr(E).                             { A = (struct lia_assign){LIA_ASSIGN_SET, P, E, NULL}; }

%type unsets {struct lia_assigns}
%type unset {struct lia_assign}
unsets(L) ::= unset(A).                                    { L = lia_build_assign(p, (struct lia_assigns){0}, A); }
unsets(L) ::= unsets(B) COMMA unset(A).                    { L = lia_build_assign(p, B, A); }
unset(A) ::= path(P).                                      { A = (struct lia_assign){LIA_ASSIGN_UNSET, P, NULL, NULL}; }

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

/* ---- CREATE, ALTER, DROP COLLECTION ---- */

%type schema {struct lia_stmt *}
schema(S) ::= CREATE COLLECTION if_not_exists(X) collection(C) columns_declared(L) with(O). {
    S = lia_build_schema(p, LIA_STMT_CREATE, C, X, lia_build_adds(p, L, O));
}
schema(S) ::= ALTER COLLECTION collection(C) alters(L).    { S = lia_build_schema(p, LIA_STMT_ALTER, C, false, L); }
schema(S) ::= DROP COLLECTION if_exists(X) collection(C). {
    S = lia_build_schema(p, LIA_STMT_DROP, C, X, (struct lia_alters){0});
}

%type if_not_exists {bool}
%type if_exists {bool}
if_not_exists(X) ::= .                                     { X = false; }
if_not_exists(X) ::= IF NOT EXISTS.                        { X = true; }
if_exists(X) ::= .                                         { X = false; }
if_exists(X) ::= IF EXISTS.                                { X = true; }

%type columns_declared {struct lia_declarations}
%type declarations {struct lia_declarations}
%type declaration {struct lia_declared}
columns_declared(L) ::= .                                  { L = (struct lia_declarations){0}; }
columns_declared(L) ::= LP declarations(A) RP.             { L = A; }
declarations(L) ::= declaration(A).                        { L = lia_build_declared(p, (struct lia_declarations){0}, A); }
declarations(L) ::= declarations(B) COMMA declaration(A).  { L = lia_build_declared(p, B, A); }
declaration(D) ::= path(P) type(T) traits(A).              { D = lia_build_declaration(p, P, T, A); }

/* NAME is the last, so that a wrong type is told from a word that is none. */
%type type {struct lia_token}
type(T) ::= ANY(A).                                        { T = A; }
type(T) ::= SET(A).                                        { T = A; }
type(T) ::= NAME(A).                                       { T = A; }

%type traits {struct lia_declared}
traits(D) ::= .                                            { D = (struct lia_declared){0}; }
traits(D) ::= traits(A) NOT NULL.                          { D = A; D.is_not_null = true; }
traits(D) ::= traits(A) IMMUTABLE.                         { D = A; D.is_immutable = true; }
traits(D) ::= traits(A) NAME(N) INTEGER(V).                { D = lia_build_min(p, A, N, lia_build_integer(p, V, false)); }
traits(D) ::= traits(A) NAME(N) MINUS INTEGER(V).          { D = lia_build_min(p, A, N, lia_build_integer(p, V, true)); }

%type with {struct lia_alters}
%type options {struct lia_alters}
%type option {struct lia_alter}
with(L) ::= .                                              { L = (struct lia_alters){0}; }
with(L) ::= WITH LP options(A) RP.                         { L = A; }
options(L) ::= option(A).                                  { L = lia_build_alter(p, (struct lia_alters){0}, A); }
options(L) ::= options(B) COMMA option(A).                 { L = lia_build_alter(p, B, A); }
option(A) ::= NAME(N) EQ expr(E). {
    A = (struct lia_alter){.kind = LIA_ALTER_SET, .option = lia_build_name(p, N), .value = E, .offset = N.offset};
}

%type alters {struct lia_alters}
%type alter {struct lia_alters}
alters(L) ::= alter(A).                                    { L = A; }
alters(L) ::= alters(B) COMMA alter(A).                    { L = lia_build_alters(p, B, A); }
alter(L) ::= ADD declaration(D).                           { L = lia_build_change(p, LIA_ALTER_ADD, D); }
alter(L) ::= ALTER declaration(D).                         { L = lia_build_change(p, LIA_ALTER_CHANGE, D); }
alter(L) ::= DROP path(P).                                 { L = lia_build_change(p, LIA_ALTER_DROP, lia_build_undeclared(p, P)); }
alter(L) ::= SET LP options(A) RP.                         { L = A; }
alter(L) ::= RESET LP resets(A) RP.                        { L = A; }
%type resets {struct lia_alters}
resets(L) ::= NAME(N).                                     { L = lia_build_reset(p, (struct lia_alters){0}, N); }
resets(L) ::= resets(B) COMMA NAME(N).                     { L = lia_build_reset(p, B, N); }

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
