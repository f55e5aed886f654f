/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_LANG_SCHEMA_H
#define LIA_LANG_SCHEMA_H
/*
 * lang/schema - what is declared of a collection: the types of paths, and options.
 *
 * A declaration is a document of the collection `_liana.collections`, so that it merges and
 * travels as every document does:
 *
 *     {_id: "stock",
 *      paths: {"onHand": {type: "COUNTER", min: int64 0},
 *              "storeId": {type: "STRING", notNull: true, immutable: true}},
 *      options: {deletes: "delete wins", ttl: "90 days", keep: int32 10000}}
 *
 * The name of a path is that of lia_path_print. What is said of one path is one value (kept
 * whole): of two concurrent declarations the newer holds, never a mixture
 * (docs/adr/0050).
 *
 * Rules: a document may come from a peer that knows more than we do, or be a mixture that
 * nobody wrote. Reading it never fails because of what it says: an option that makes no
 * sense is not there; a type that is not known is LIA_KIND_UNKNOWN; of two paths one below
 * the other, the upper one holds if it leaves no room for fields.
 * Ownership: a schema lives in the arena it was read into, apart from its document.
 * Threads: any.
 */
#include "base/error.h"
#include "base/limits.h"
#include "codec/bson.h"

/* Paths that one collection may declare: LIANA_ELIMIT; what a merge adds to more is not
 * read. */
#define LIA_DECLARED_MAX 1000

enum lia_kind {
    LIA_KIND_VALUE,
    LIA_KIND_REGISTER,
    LIA_KIND_ATTACHMENT, /* a REGISTER that shows {id, len, metadata} */
    LIA_KIND_COUNTER,
    LIA_KIND_SET,
    LIA_KIND_UNKNOWN /* declared by somebody who knows more */
};

#define LIA_ANY_TYPE UINT32_MAX

/* A row of types.def. */
struct lia_type {
    const char *name;
    enum lia_kind kind;
    uint32_t types; /* bit n: BSON type n is allowed; LIA_ANY_TYPE: every type */
};

/* A type by its name or another word for it, in any case. NULL: there is none.
 * `*out_later`: the word is known, the type not yet there. */
const struct lia_type *lia_type_find(struct liana_str name, bool *out_later);

/* What is declared of one path. */
struct lia_declared {
    const struct liana_str *names;
    uint32_t count;
    struct liana_str text; /* the path as it is written in the document */
    const struct lia_type *type;
    struct liana_str type_name; /* as it was given; of an unknown type, too */
    bool is_not_null;
    bool is_immutable;
    bool has_min; /* a COUNTER that does not fall below `min` */
    int64_t min;
    uint32_t offset; /* where it stands in a statement */
};

enum lia_deletes { LIA_DELETES_WIN, LIA_UPDATES_WIN };
enum lia_on_unmatch { LIA_UNMATCHED_STAY, LIA_UNMATCHED_GO };

/* What is not given is 0, and false. */
struct lia_collection_options {
    enum lia_deletes deletes;
    enum lia_on_unmatch on_unmatch;
    uint64_t ttl_ms;      /* documents older than that may be evicted */
    uint64_t keep;        /* documents beyond so many may be evicted */
    uint64_t quota_bytes; /* documents beyond so much may be evicted */
    bool unkept;          /* `ttl` evicts what no keeper holds, too */
};

/* Takes an option's value into `out`. LIANA_ENOTFOUND: no such option; LIANA_EINVAL:
 * another value is wanted. The messages say which there are. */
LIANA_MUST_CHECK liana_status lia_option_take(struct liana_str name,
                                              struct lia_value v,
                                              struct lia_collection_options *out,
                                              struct liana_error *err);

struct lia_schema {
    bool is_declared;           /* false: nothing is known of the collection */
    struct lia_declared *paths; /* sorted by names; none leaves no room for another */
    uint32_t path_count;
    struct lia_collection_options options;
};

/* Of a checked document of `_liana.collections`; an empty one declares nothing. Fails for
 * want of memory only. */
LIANA_MUST_CHECK liana_status lia_schema_read(struct lia_arena *arena,
                                              struct liana_slice document,
                                              struct lia_schema *out);

/* A schema with what a statement declares beside its collection. LIANA_ESCHEMA: the schema
 * says otherwise. `out` borrows from both. */
LIANA_MUST_CHECK liana_status lia_schema_join(struct lia_arena *arena,
                                              const struct lia_schema *schema,
                                              const struct lia_declared *more,
                                              uint32_t count,
                                              struct lia_schema *out,
                                              struct liana_error *err);

/* What is declared of a path; NULL. */
const struct lia_declared *lia_schema_find(const struct lia_schema *schema,
                                           const struct liana_str *names,
                                           uint32_t count);

/* Order of paths, name by name; a path comes before those below it. */
int lia_declared_cmp(const struct lia_declared *a, const struct lia_declared *b);

/* Fields may stand below the path. */
bool lia_declared_has_fields(const struct lia_declared *d);

/* What leaves no room for the path: declared above it. NULL. */
const struct lia_declared *lia_schema_above(const struct lia_schema *schema,
                                            const struct liana_str *names,
                                            uint32_t count);

/* `b` is below `a`. */
bool lia_declared_is_below(const struct lia_declared *b, const struct lia_declared *a);

/* ---- values: schema_check.c ---- */

/* A value of this type may stand there. */
bool lia_type_allows(const struct lia_type *type, struct lia_value v);

/* What a document shows at the path; MISSING. */
struct lia_value lia_declared_value(const struct lia_declared *d,
                                    struct liana_slice body);

/* null is a value that is not there, but where a COUNTER or a SET is declared. */
bool lia_declared_may_be_null(const struct lia_declared *d);

/* LIANA_ESCHEMA: this value cannot stand there, and `err` says why. */
LIANA_MUST_CHECK liana_status lia_declared_check(const struct lia_declared *d,
                                                 struct lia_value v,
                                                 struct liana_error *err);

/* The first thing in a document that is not as declared: LIANA_ESCHEMA, `err` says what,
 * `*out_path` where. For what came from a peer: local writes have been looked at. What
 * stands where the type is not known is not judged. */
LIANA_MUST_CHECK liana_status lia_schema_check(const struct lia_schema *schema,
                                               struct liana_slice body,
                                               const struct lia_declared **out_path,
                                               struct liana_error *err);

#endif
