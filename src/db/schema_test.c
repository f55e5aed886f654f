/* SPDX-License-Identifier: Apache-2.0 */
#include "db/schema.h"

#include <stdio.h>

#include "base/testing/random.h"
#include "base/testing/test.h"
#include "db/exec.h"
#include "db/testing/statements.h"
#include "lang/print.h"

/* Declarations at two stores, and what writes under them leave. What single statements
 * answer is in tests/golden/query/stmt_schema.txt. */

struct world {
    struct lia_test_db one;
    struct lia_test_db two;
};

static int setup(void **state)
{
    struct world *w = test_malloc(sizeof(*w));

    lia_test_db_init(&w->one, 1);
    lia_test_db_init(&w->two, 2);
    lia_test_db_open(&w->one);
    lia_test_db_open(&w->two);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    lia_test_db_finish(&w->one);
    lia_test_db_finish(&w->two);
    test_free(w);
    return 0;
}

/* ---- helpers ---- */

static void refuses(struct lia_test_db *t, const char *text, const char *message)
{
    assert_status(lia_test_try(t, text), LIANA_ESCHEMA);
    assert_string_equal(t->err.message, message);
}

static void meet(struct world *w, const char *collection)
{
    lia_test_pull(&w->one, &w->two, collection);
    lia_test_pull(&w->two, &w->one, collection);
}

/* ---- two stores ---- */

static void declarations_unite(void **state)
{
    static const char declared[] = "SELECT * FROM _liana.collections";
    struct world *w = *state;

    w->one.env.wall_ms += 1000; /* its declaration is the newer one */
    lia_test_run(&w->one,
                 "CREATE COLLECTION c (a INT32 NOT NULL, n COUNTER) WITH (keep = 5)");
    lia_test_run(&w->two,
                 "CREATE COLLECTION c (a STRING, s SET) WITH (keep = 6, ttl = '1 s')");
    meet(w, LIA_COLLECTIONS);
    for (int i = 0; i < 2; i++) {
        lia_test_shows(
            i ? &w->one : &w->two, declared,
            "{'_id': 'c', 'paths': {'s': {'type': 'SET'}, 'a': {'type': 'INT32', "
            "'notNull': TRUE}, 'n': {'type': 'COUNTER'}}, 'options': {'ttl': '1 s', "
            "'keep': 5}}");
    }
    refuses(&w->two, "INSERT INTO c DOCUMENTS ({'n': 5})", "a is declared NOT NULL");
    lia_test_run(&w->two, "ALTER COLLECTION c ALTER a STRING, DROP n, ADD x.y DATE");
    lia_test_run(&w->one, "ALTER COLLECTION c DROP s, SET (deletes = 'update wins')");
    meet(w, LIA_COLLECTIONS);
    for (int i = 0; i < 2; i++) {
        lia_test_shows(
            i ? &w->one : &w->two, declared,
            "{'_id': 'c', 'paths': {'a': {'type': 'STRING'}, 'x.y': {'type': "
            "'DATE'}}, 'options': {'ttl': '1 s', 'keep': 5, 'deletes': 'update "
            "wins'}}");
    }
    lia_test_run(&w->one, "DROP COLLECTION c");
    lia_test_run(&w->two, "ALTER COLLECTION c ADD unaware INT");
    meet(w, LIA_COLLECTIONS);
    lia_test_shows(&w->one, declared, "");
    lia_test_shows(&w->two, declared, "");
    lia_test_run(&w->two, "INSERT INTO c DOCUMENTS ({'a': 5})");
}

/* Of a mixture that nobody wrote the upper path holds. */
static void a_mixture_is_read(void **state)
{
    struct world *w = *state;

    lia_test_run(&w->one, "CREATE COLLECTION c (a.b STRING NOT NULL)");
    lia_test_run(&w->two, "CREATE COLLECTION c (a REGISTER)");
    meet(w, LIA_COLLECTIONS);
    lia_test_run(&w->one, "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': {'b': 5}})");
    refuses(&w->one, "UPDATE c SET a.b = 'x'",
            "a is declared REGISTER: it is written as a whole");
    lia_test_run(&w->one, "ALTER COLLECTION c DROP a");
    refuses(&w->one, "UPDATE c SET a = {'b': 6}",
            "a.b is declared STRING and cannot be of type int");
}

static void a_merge_does_not_look(void **state)
{
    const struct lia_declared *path = NULL;
    const struct lia_schema *schema;
    struct world *w = *state;
    struct lia_txn *txn;

    lia_test_run(&w->one, "CREATE COLLECTION c (n COUNTER, s STRING NOT NULL, t SET)");
    lia_test_run(&w->two,
                 "INSERT INTO c DOCUMENTS ({'_id': 1, 'n': 'x', 't': [2, 1]})");
    meet(w, "c");
    lia_test_shows(&w->one, "SELECT * FROM c", "{'_id': 1, 'n': 'x', 't': [2, 1]}");
    txn = lia_test_begin(&w->one, LIA_READ);
    assert_ok(lia_txn_schema(txn, lia_str("c"), &schema, NULL));
    assert_status(lia_schema_check(schema, lia_test_doc(&w->one, "c", 1).body, &path,
                                   &w->one.err),
                  LIANA_ESCHEMA);
    assert_string_equal(w->one.err.message,
                        "n is declared COUNTER and cannot be of type string");
    lia_txn_rollback(txn);
    /* It stays writable, and can be put right. */
    lia_test_run(&w->one, "UPDATE c SET other = 1");
    refuses(&w->one, "UPDATE c SET s = 7",
            "s is declared STRING and cannot be of type int");
    lia_test_run(&w->one, "UPDATE c SET s = 'x', n = 3 APPLY t ADD TO SET 3");
    meet(w, "c");
    lia_test_shows(&w->two, "SELECT * FROM c",
                   "{'_id': 1, 'n': 3, 't': [1, 2, 3], 'other': 1, 's': 'x'}");
}

static void the_mode_of_a_delete_is_the_declared_one(void **state)
{
    static const char *const modes[] = {"delete wins", "update wins"};
    struct world *w = *state;

    for (size_t i = 0; i < 2; i++) {
        char text[120];

        snprintf(text, sizeof(text), "CREATE COLLECTION c%zu WITH (deletes = '%s')", i,
                 modes[i]);
        lia_test_run(&w->one, text);
        snprintf(text, sizeof(text), "INSERT INTO c%zu DOCUMENTS ({'_id': 1, 'a': 1})",
                 i);
        lia_test_run(&w->one, text);
        snprintf(text, sizeof(text), "c%zu", i);
        meet(w, text);
        snprintf(text, sizeof(text), "DELETE FROM c%zu", i);
        lia_test_run(&w->one, text);
        w->two.env.wall_ms += 1000;
        snprintf(text, sizeof(text), "UPDATE c%zu SET b = 2", i);
        lia_test_run(&w->two, text);
        snprintf(text, sizeof(text), "c%zu", i);
        meet(w, text);
    }
    lia_test_shows(&w->one, "SELECT * FROM c0", "");
    lia_test_shows(&w->two, "SELECT * FROM c1", "{'_id': 1, 'a': 1, 'b': 2}");
    lia_test_shows(&w->one, "SELECT * FROM c1", "{'_id': 1, 'a': 1, 'b': 2}");
}

/* Both sold all that they could. */
static void a_bound_holds_while_apart(void **state)
{
    struct world *w = *state;
    char give[80];

    lia_test_run(&w->one, "CREATE COLLECTION c (n COUNTER MIN 0)");
    meet(w, LIA_COLLECTIONS);
    lia_test_run(&w->one, "INSERT INTO c DOCUMENTS ({'_id': 1, 'n': 10})");
    snprintf(give, sizeof(give), "UPDATE c APPLY n TRANSFER 4 TO int64(%lld)",
             (long long)lia_db_identity(w->two.db).actor);
    lia_test_run(&w->one, give);
    meet(w, "c");
    lia_test_run(&w->two, "UPDATE c APPLY n INCREMENT BY -4");
    assert_status(lia_test_try(&w->two, "UPDATE c APPLY n INCREMENT BY -1"),
                  LIANA_ERIGHTS);
    lia_test_run(&w->one, "UPDATE c APPLY n INCREMENT BY -6");
    assert_status(lia_test_try(&w->one, "UPDATE c APPLY n INCREMENT BY -1"),
                  LIANA_ERIGHTS);
    meet(w, "c");
    lia_test_shows(&w->one, "SELECT n FROM c", "{'n': int64(0)}");
}

static void seeds_are_one_write(void **state)
{
    static const char seed[] =
        "INSERT INTO c INITIAL DOCUMENTS ({'_id': 1, 't': [2, 1], 'n': 5})";
    struct world *w = *state;

    lia_test_run(&w->one, "CREATE COLLECTION c (t SET, n COUNTER MIN 0)");
    meet(w, LIA_COLLECTIONS);
    lia_test_run(&w->one, seed);
    lia_test_run(&w->two, seed);
    assert_slice_equal(lia_test_doc(&w->one, "c", 1).clock,
                       lia_test_doc(&w->two, "c", 1).clock);
    meet(w, "c");
    lia_test_shows(&w->two, "SELECT * FROM c",
                   "{'_id': 1, 't': [1, 2], 'n': int64(5)}");
}

/* Runs a statement whose :p is an attachment; `name` NULL: without metadata. */
static liana_status attach(struct lia_test_db *t,
                           const char *text,
                           uint8_t content,
                           const char *name)
{
    uint8_t id[32];
    struct lia_buf args;
    struct lia_result *r = NULL;
    size_t doc;
    size_t p;
    liana_status status;

    memset(id, content, sizeof(id));
    lia_buf_init(&args, &lia_mem_libc);
    doc = lia_bson_begin(&args);
    p = lia_bson_begin_in(&args, LIA_BSON_DOCUMENT, lia_str("p"));
    lia_bson_add_binary(&args, lia_str("id"), 0, lia_slice(id, sizeof(id)));
    lia_bson_add_int64(&args, lia_str("len"), content);
    if (name) {
        size_t metadata =
            lia_bson_begin_in(&args, LIA_BSON_DOCUMENT, lia_str("metadata"));

        lia_bson_add_str(&args, lia_str("name"), lia_str(name));
        lia_bson_end(&args, metadata);
    }
    lia_bson_end(&args, p);
    lia_bson_end(&args, doc);
    assert_ok(args.status);
    t->env.wall_ms += 10;
    t->err = (struct liana_error)LIANA_ERROR_INIT;
    status =
        lia_db_execute(t->db, lia_str(text), lia_buf_slice(&args), NULL, &r, &t->err);
    lia_result_free(r);
    lia_buf_deinit(&args);
    return status;
}

/* Two write it at a time, one with metadata: one of them holds, whole. */
static void an_attachment_is_one_value(void **state)
{
    static const char insert[] = "INSERT INTO c DOCUMENTS ({'_id': 1, 'photo': :p})";
    static const char shown[] = "SELECT photo.len, photo.metadata.name FROM c";
    static const char lost[] = "SELECT path, value.len FROM system:conflicts";
    struct world *w = *state;

    lia_test_run(&w->one, "CREATE COLLECTION c (photo ATTACHMENT)");
    meet(w, LIA_COLLECTIONS);
    assert_ok(attach(&w->one, insert, 1, "a.jpg"));
    w->two.env.wall_ms += 1000; /* it is the later one */
    assert_ok(attach(&w->two, insert, 2, NULL));
    meet(w, "c");
    lia_test_shows(&w->one, shown, "{'len': int64(2)}");
    lia_test_shows(&w->two, shown, "{'len': int64(2)}");
    lia_test_shows(&w->two, lost, "{'path': ['photo'], 'len': int64(1)}");
    w->one.env.wall_ms += 3000;
    assert_ok(attach(&w->one, "UPDATE c SET photo = :p", 3, "b.jpg"));
    assert_ok(attach(&w->two, "UPDATE c SET photo = :p", 4, "c.jpg"));
    meet(w, "c");
    lia_test_shows(&w->two, shown, "{'len': int64(3), 'name': 'b.jpg'}");
    assert_slice_equal(lia_test_doc(&w->one, "c", 1).body,
                       lia_test_doc(&w->two, "c", 1).body);
}

static void an_attachment_is_written_as_a_whole(void **state)
{
    struct lia_test_db *t = &((struct world *)*state)->one;

    lia_test_run(t, "CREATE COLLECTION c (photo ATTACHMENT)");
    assert_ok(attach(t, "INSERT INTO c DOCUMENTS ({'_id': 1, 'photo': :p})", 1, "a"));
    refuses(t, "UPDATE c SET photo.len = 5",
            "photo is declared ATTACHMENT: it is written as a whole");
    refuses(t, "UPDATE c SET photo.metadata = {'name': 'a.jpg'}",
            "photo is declared ATTACHMENT: it is written as a whole");
    refuses(t, "UPDATE c SET photo = {'len': 5}",
            "photo is declared ATTACHMENT and needs an id: binary data of 32 bytes "
            "and subtype 0");
    lia_test_run(t, "UPDATE c UNSET photo");
    lia_test_shows(t, "SELECT * FROM c", "{'_id': 1}");
}

/* What stands there and is no attachment may be put right, once. */
static void what_is_no_attachment_can_be_put_right(void **state)
{
    struct lia_test_db *t = &((struct world *)*state)->one;

    lia_test_run(t, "INSERT INTO c DOCUMENTS ({'_id': 1, 'photo': {'len': 1}})");
    lia_test_run(t, "CREATE COLLECTION c (photo ATTACHMENT IMMUTABLE)");
    refuses(t, "UPDATE c SET photo = {'len': 2}",
            "photo is declared ATTACHMENT and needs an id: binary data of 32 bytes "
            "and subtype 0");
    assert_ok(attach(t, "UPDATE c SET photo = :p", 1, NULL));
    assert_status(attach(t, "UPDATE c SET photo = :p", 2, NULL), LIANA_ESCHEMA);
    assert_string_equal(t->err.message, "photo is declared IMMUTABLE");
}

/* ---- transactions ---- */

static void in(struct lia_test_db *t,
               struct lia_txn *txn,
               const char *text,
               liana_status wanted)
{
    struct lia_result *r = NULL;

    t->err = (struct liana_error)LIANA_ERROR_INIT;
    assert_status(
        lia_txn_execute(txn, lia_str(text), lia_slice(NULL, 0), NULL, &r, &t->err),
        wanted);
    lia_result_free(r);
}

static void a_transaction_sees_what_it_declares(void **state)
{
    struct lia_test_db *t = &((struct world *)*state)->one;
    struct lia_txn *txn = lia_test_begin(t, LIA_WRITE);

    in(t, txn, "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': 5})", LIANA_OK);
    in(t, txn, "CREATE COLLECTION c (a STRING)", LIANA_OK);
    in(t, txn, "UPDATE c SET a = 6", LIANA_ESCHEMA);
    assert_ok(lia_txn_savepoint(txn, NULL));
    in(t, txn, "ALTER COLLECTION c ALTER a INT", LIANA_OK);
    in(t, txn, "UPDATE c SET a = 6", LIANA_OK);
    assert_ok(lia_txn_undo(txn, NULL));
    in(t, txn, "UPDATE c SET a = 6", LIANA_ESCHEMA);
    in(t, txn, "UPDATE COLLECTION c (b SET) SET b = [1, 1]", LIANA_OK);
    in(t, txn, "UPDATE c SET b = 5", LIANA_OK); /* declared for one statement */
    in(t, txn, "DROP COLLECTION c", LIANA_OK);
    in(t, txn, "CREATE COLLECTION c (a DATE)", LIANA_OK);
    in(t, txn, "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': 5})", LIANA_ESCHEMA);
    in(t, txn, "INSERT INTO c DOCUMENTS ({'_id': 1, 'b': 5})", LIANA_OK);
    assert_ok(lia_txn_commit(txn, NULL, NULL));
    refuses(t, "UPDATE c SET a = 6", "a is declared DATE and cannot be of type int");
    lia_test_shows(t, "SELECT * FROM c", "{'_id': 1, 'b': 5}");
}

static void a_failed_create_leaves_nothing(void **state)
{
    struct lia_test_db *t = &((struct world *)*state)->one;
    struct lia_txn *txn = lia_test_begin(t, LIA_WRITE);

    in(t, txn, "CREATE COLLECTION a$b (x INT)", LIANA_EINVAL);
    in(t, txn, "CREATE COLLECTION c (x INT)", LIANA_OK);
    in(t, txn, "CREATE COLLECTION c (y INT)", LIANA_EEXISTS);
    lia_txn_rollback(txn);
    lia_test_shows(t, "SELECT * FROM _liana.collections", "");
}

/* ---- no sequence of accepted writes breaks the declaration ---- */

#define DECLARED                                                                       \
    "CREATE COLLECTION c (n COUNTER, b COUNTER MIN 0, s SET, r REGISTER, "             \
    "t STRING NOT NULL, i INTEGER IMMUTABLE, o.x DECIMAL, o.n COUNTER, p ANY)"

#define DOCS 3

/* What is remembered of a document between statements. */
struct seen {
    bool is_there;
    struct liana_slice n;  /* as it was shown; empty: not */
    struct liana_slice on; /* o.n */
    struct liana_slice i;
};

struct writing {
    struct lia_test_db *t;
    struct lia_rng rng;
    struct lia_txn *txn; /* NULL: a statement is a transaction */
    struct lia_buf text;
    struct seen before[DOCS];
    size_t accepted;
    size_t refused;
};

static const char *pick(struct writing *w, const char *const *items, size_t count)
{
    return items[lia_rng_below(&w->rng, count)];
}

#define PICK(w, items) pick((w), (items), sizeof(items) / sizeof((items)[0]))

static const char *path(struct writing *w)
{
    static const char *const paths[] = {"n", "b", "s", "r",   "t",   "i",
                                        "o", "p", "z", "o.x", "o.n", "r.f"};

    return PICK(w, paths);
}

static const char *value(struct writing *w)
{
    static const char *const values[] = {"5",
                                         "-1",
                                         "'x'",
                                         "NULL",
                                         "[1]",
                                         "[]",
                                         "[2, 1, 2]",
                                         "{'f': 1}",
                                         "1.5",
                                         "{}",
                                         "decimal('2.50')",
                                         "int64(7)",
                                         "n",
                                         "b",
                                         "{'n': 5}",
                                         "{'n': o.n, 'x': decimal('1')}",
                                         "TRUE",
                                         "o",
                                         "s",
                                         "{'x': 'y'}"};

    return PICK(w, values);
}

static void add_document(struct writing *w)
{
    static const char *const usual[] = {"'n': 5", "'b': 9",        "'s': [1, 2]",
                                        "'i': 3", "'r': {'f': 1}", "'o': {'n': 1}"};
    struct lia_buf *b = &w->text;

    lia_buf_printf(b, "({'_id': %u", (unsigned)lia_rng_below(&w->rng, DOCS));
    if (lia_rng_chance(&w->rng, 90)) {
        lia_buf_str(b, ", 't': 'x'");
    }
    for (size_t i = 0; i < 6; i++) {
        if (lia_rng_chance(&w->rng, 40)) {
            lia_buf_printf(b, ", %s", usual[i]);
        }
    }
    lia_buf_str(b, "})");
}

static void add_insert(struct writing *w)
{
    static const char *const policies[] = {"", " ON ID CONFLICT DO UPDATE",
                                           " ON ID CONFLICT DO UPDATE_LOCAL_DIFF",
                                           " ON ID CONFLICT DO REPLACE"};
    bool is_initial = lia_rng_chance(&w->rng, 15);

    lia_buf_printf(&w->text, "INSERT INTO c %sDOCUMENTS ",
                   is_initial ? "INITIAL " : "");
    add_document(w);
    lia_buf_str(&w->text, is_initial ? "" : PICK(w, policies));
}

static void add_update(struct writing *w)
{
    static const char *const applies[] = {"INCREMENT BY", "RESTART WITH", "ADD TO SET",
                                          "REMOVE FROM SET"};
    struct lia_buf *b = &w->text;

    lia_buf_str(b, "UPDATE c");
    if (lia_rng_chance(&w->rng, 50)) {
        lia_buf_printf(b, " APPLY %s %s %s", path(w), PICK(w, applies), value(w));
    }
    if (lia_rng_chance(&w->rng, 60)) {
        lia_buf_printf(b, " SET %s = %s", path(w), value(w));
    }
    if (lia_rng_chance(&w->rng, 15) || b->len == 8) {
        lia_buf_printf(b, " UNSET %s", path(w));
    }
    if (lia_rng_chance(&w->rng, 70)) {
        lia_buf_printf(b, " WHERE _id = %u", (unsigned)lia_rng_below(&w->rng, DOCS));
    }
}

static const char *make_statement(struct writing *w)
{
    uint64_t kind = lia_rng_below(&w->rng, 100);

    lia_buf_reset(&w->text);
    if (kind < 25) {
        add_insert(w);
    } else if (kind < 32) {
        lia_buf_printf(&w->text, "DELETE FROM c WHERE _id = %u",
                       (unsigned)lia_rng_below(&w->rng, DOCS));
    } else {
        add_update(w);
    }
    lia_buf_u8(&w->text, 0);
    assert_ok(w->text.status);
    return (const char *)w->text.ptr;
}

static struct liana_slice shown(struct liana_slice body, const char *a, const char *b)
{
    const struct liana_str names[] = {lia_str(a), lia_str(b ? b : "")};
    const struct lia_declared d = {.names = names, .count = b ? 2 : 1};
    struct lia_value v = lia_declared_value(&d, body);

    return v.data;
}

/* A counter that counts changes by what is applied to it and by nothing else; `text` says
 * which path, if any. */
static void check_counter(const char *text,
                          const char *name,
                          struct liana_slice before,
                          struct liana_slice after)
{
    char apply[24];

    snprintf(apply, sizeof(apply), "APPLY %s ", name);
    if (before.len && !lia_slice_equal(before, after) && !strstr(text, apply)) {
        fail_msg("%s changed %s", text, name);
    }
}

static void check_document(struct writing *w,
                           const char *text,
                           const struct lia_schema *schema,
                           struct liana_slice body,
                           struct seen *seen)
{
    struct seen now = {.is_there = body.len > 0};
    const struct lia_declared *at = NULL;
    struct liana_error err = LIANA_ERROR_INIT;

    if (now.is_there) {
        struct liana_slice b = shown(body, "b", NULL);

        if (lia_schema_check(schema, body, &at, &err)) {
            fail_msg("%s\n  %s", text, err.message);
        }
        now.n = shown(body, "n", NULL);
        now.on = shown(body, "o", "n");
        now.i = shown(body, "i", NULL);
        assert_true(!b.len || (b.ptr[b.len - 1] & 0x80) == 0); /* not below 0 */
    }
    if (now.is_there && seen->is_there) {
        check_counter(text, "n", seen->n, now.n);
        check_counter(text, "o.n", seen->on, now.on);
        assert_true(!seen->i.len || lia_slice_equal(seen->i, now.i));
    }
    *seen = now;
    assert_true(lia_arena_copy(&w->t->arena, now.n, &seen->n));
    assert_true(lia_arena_copy(&w->t->arena, now.on, &seen->on));
    assert_true(lia_arena_copy(&w->t->arena, now.i, &seen->i));
}

static void check_all(struct writing *w, const char *text)
{
    struct lia_txn *txn = w->txn ? w->txn : lia_test_begin(w->t, LIA_READ);
    const struct lia_collection *c;
    const struct lia_schema *schema;

    assert_ok(lia_txn_schema(txn, lia_str("c"), &schema, NULL));
    assert_ok(lia_txn_collection(txn, lia_str("c"), false, &c, NULL));
    for (int32_t id = 0; id < DOCS; id++) {
        struct lia_doc doc = {{NULL, 0}, {NULL, 0}};

        assert_ok(lia_txn_get(txn, c, lia_test_key(w->t, id), &doc, NULL));
        check_document(w, text, schema, doc.body, &w->before[id]);
    }
    if (!w->txn) {
        lia_txn_rollback(txn);
    }
}

static void write_one(struct writing *w)
{
    const char *text = make_statement(w);
    struct lia_result *r = NULL;
    liana_status status = w->txn ? lia_txn_execute(w->txn, lia_str(text),
                                                   lia_slice(NULL, 0), NULL, &r, NULL)
                                 : lia_db_execute(w->t->db, lia_str(text),
                                                  lia_slice(NULL, 0), NULL, &r, NULL);

    lia_result_free(r);
    w->t->env.wall_ms++;
    *(status ? &w->refused : &w->accepted) += 1;
    check_all(w, text);
}

static void accepted_writes_keep_to_the_declaration(void **state)
{
    struct world *world = *state;
    struct writing w = {.t = &world->one, .rng = lia_rng(lia_test_seed("schema"))};
    size_t n = lia_test_cases(1500);

    w.t->options.store.durability = LIA_NORMAL;
    lia_buf_init(&w.text, &lia_mem_libc);
    lia_test_run(w.t, DECLARED);
    for (size_t i = 0; i < n; i++) {
        if (!w.txn && lia_rng_chance(&w.rng, 20)) {
            w.txn = lia_test_begin(w.t, LIA_WRITE);
        }
        write_one(&w);
        if (w.txn && lia_rng_chance(&w.rng, 30)) {
            assert_ok(lia_txn_commit(w.txn, NULL, NULL));
            w.txn = NULL;
        }
    }
    lia_txn_rollback(w.txn);
    lia_buf_deinit(&w.text);
    /* Both happen often enough to mean something. */
    assert_true(w.accepted > n / 5 && w.refused > n / 10);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest cases[] = {
    CASE(declarations_unite),
    CASE(a_mixture_is_read),
    CASE(a_merge_does_not_look),
    CASE(the_mode_of_a_delete_is_the_declared_one),
    CASE(a_bound_holds_while_apart),
    CASE(seeds_are_one_write),
    CASE(an_attachment_is_one_value),
    CASE(an_attachment_is_written_as_a_whole),
    CASE(what_is_no_attachment_can_be_put_right),
    CASE(a_transaction_sees_what_it_declares),
    CASE(a_failed_create_leaves_nothing),
    CASE(accepted_writes_keep_to_the_declaration),
};

LIA_TEST_MAIN(cases)
