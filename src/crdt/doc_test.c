/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/doc.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/testing/alloc.h"
#include "base/testing/test.h"
#include "codec/json.h"
#include "crdt/sum.h"

#define MS(n) ((uint64_t)(n) << 16)

static const struct lia_doc empty = {{NULL, 0}, {NULL, 0}};
static const struct lia_vector nothing = {NULL, 0};

/* ---- making documents ---- */

static struct lia_value json(struct lia_arena *arena, const char *text)
{
    struct lia_value v;
    struct lia_buf buf;

    lia_buf_init(&buf, &lia_mem_libc);
    assert_ok(lia_json_read_value(lia_str_slice(lia_str(text)), &buf, &v, NULL));
    assert_true(lia_arena_copy(arena, v.data, &v.data));
    lia_buf_deinit(&buf);
    return v;
}

static liana_status write_op(struct lia_arena *arena,
                             struct lia_doc *doc,
                             struct lia_op op,
                             struct lia_stamp stamp)
{
    struct liana_error err = LIANA_ERROR_INIT;
    liana_status status = lia_doc_apply(arena, *doc, &op, 1, stamp, doc, &err);

    assert_int_equal(err.status, status);
    return status;
}

static liana_status insert(struct lia_arena *arena,
                           struct lia_doc *doc,
                           const char *text,
                           struct lia_stamp stamp)
{
    struct lia_op op = {
        .kind = LIA_OP_INSERT, .path = {NULL, 0}, .value = json(arena, text)};

    return write_op(arena, doc, op, stamp);
}

static liana_status write_at(struct lia_arena *arena,
                             struct lia_doc *doc,
                             enum lia_op_kind kind,
                             const char *name,
                             struct lia_value v,
                             struct lia_stamp stamp)
{
    struct liana_str names[] = {lia_str(name)};

    return write_op(arena, doc,
                    (struct lia_op){.kind = kind, .path = {names, 1}, .value = v},
                    stamp);
}

/* A document with something of everything, and a copy of its beginning. */
static void make_rich(struct lia_arena *arena, struct lia_doc *doc, struct lia_doc *old)
{
    struct liana_str inner[] = {lia_str("m"), lia_str("n")};
    struct lia_op ops[] = {
        {.kind = LIA_OP_INCREMENT, .path = {inner, 2}, .value = json(arena, "2.5")},
        {.kind = LIA_OP_SET,
         .path = {inner, 1},
         .value = json(arena, "{\"x\": {}, \"n\": 4}")},
        {.kind = LIA_OP_INCREMENT,
         .path = {inner, 2},
         .value = json(arena, "{\"$numberDecimal\": \"1.5\"}")},
    };

    *doc = empty;
    assert_ok(insert(arena, doc,
                     "{\"_id\": 1, \"a\": \"text\", \"m\": {\"n\": 1}, \"z\": {}}",
                     (struct lia_stamp){MS(1000), 7}));
    *old = *doc;
    for (size_t i = 0; i < 3; i++) {
        assert_ok(write_op(arena, doc, ops[i], (struct lia_stamp){MS(2000 + i), 9}));
    }
    assert_ok(write_at(arena, doc, LIA_OP_UNSET, "a", lia_value_of_null(),
                       (struct lia_stamp){MS(3000), 7}));
    assert_ok(write_at(arena, doc, LIA_OP_SET, "new", json(arena, "[1]"),
                       (struct lia_stamp){MS(3001) + 5, 7}));
}

static int set_up(void **state)
{
    static struct lia_arena arena;

    lia_arena_init(&arena, &lia_mem_libc);
    *state = &arena;
    return 0;
}

static int tear_down(void **state)
{
    lia_arena_deinit(*state);
    return 0;
}

/* ---- info, digest ---- */

static void info_reads_the_head(void **state)
{
    struct lia_doc_info info;
    struct lia_doc doc;
    struct lia_doc old;

    make_rich(*state, &doc, &old);
    assert_ok(lia_doc_info(*state, empty.clock, &info));
    assert_false(info.exists);
    assert_int_equal(info.vector.count, 0);
    assert_ok(lia_doc_info(*state, doc.clock, &info));
    assert_true(info.exists);
    assert_int_equal(info.created.hlc, MS(1000));
    assert_true(lia_stamp_is_none(info.deleted));
    assert_int_equal(lia_vector_get(info.vector, 9), MS(2002));
    assert_int_equal(lia_vector_get(info.vector, 7), MS(3001) + 5);
    assert_ok(write_op(*state, &doc, (struct lia_op){.kind = LIA_OP_DELETE},
                       (struct lia_stamp){MS(4000), 8}));
    assert_ok(lia_doc_info(*state, doc.clock, &info));
    assert_false(info.exists);
    assert_int_equal(info.deleted.hlc, MS(4000));
    assert_int_equal(info.deleted.actor, 8);
    assert_int_equal(doc.body.len, 0);
}

static void digest_tells_versions_and_keys_apart(void **state)
{
    uint8_t a[LIA_DIGEST_BYTES];
    uint8_t b[LIA_DIGEST_BYTES];
    struct liana_slice key = LIA_BYTES("key");
    struct lia_doc doc;
    struct lia_doc old;

    make_rich(*state, &doc, &old);
    assert_ok(lia_doc_digest(key, doc.clock, a));
    assert_ok(lia_doc_digest(key, doc.clock, b));
    assert_memory_equal(a, b, sizeof(a));
    assert_ok(lia_doc_digest(key, old.clock, b));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_ok(lia_doc_digest(LIA_BYTES("yek"), doc.clock, b));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_status(LIANA_ECORRUPT, lia_doc_digest(key, lia_slice(doc.clock.ptr, 12), a));
}

/* ---- what is not sound ---- */

static void every_cut_clock_is_refused(void **state)
{
    struct lia_doc doc;
    struct lia_doc old;

    make_rich(*state, &doc, &old);
    assert_ok(lia_doc_check(*state, doc, NULL));
    for (size_t len = 0; len < doc.clock.len; len++) {
        struct lia_doc cut = {doc.body, {doc.clock.ptr, len}};
        struct liana_error err = LIANA_ERROR_INIT;

        assert_int_not_equal(lia_doc_check(*state, cut, &err), LIANA_OK);
        assert_true(err.message[0] != '\0');
    }
}

/* A clock with another byte may be another document's; nothing worse. */
static void every_changed_byte_is_harmless(void **state)
{
    struct lia_doc doc;
    struct lia_doc old;
    uint8_t *bytes;
    struct lia_doc changed;

    make_rich(*state, &doc, &old);
    bytes = lia_arena_alloc(*state, doc.clock.len);
    assert_non_null(bytes);
    memcpy(bytes, doc.clock.ptr, doc.clock.len);
    changed = (struct lia_doc){doc.body, {bytes, doc.clock.len}};
    for (size_t i = 0; i < 8 * doc.clock.len; i++) {
        struct lia_arena scratch;
        struct liana_slice segment;

        lia_arena_init(&scratch, &lia_mem_libc);
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        if (lia_doc_check(&scratch, changed, NULL) == LIANA_OK) {
            assert_ok(lia_doc_segment(&scratch, changed, nothing, &segment));
        }
        LIA_IGNORE(lia_doc_segment(&scratch, changed, nothing, &segment)); /* damaged */
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        lia_arena_deinit(&scratch);
    }
    assert_ok(lia_doc_check(*state, changed, NULL));
}

static void what_is_reserved_is_refused(void **state)
{
    struct lia_doc doc = empty;
    uint8_t bytes[64];
    struct lia_doc changed;

    assert_ok(insert(*state, &doc, "{\"_id\": 1}", (struct lia_stamp){MS(1), 1}));
    assert_true(doc.clock.len <= sizeof(bytes));
    changed = (struct lia_doc){doc.body, {bytes, doc.clock.len}};
    for (unsigned flag = 4; flag <= 128; flag <<= 1) {
        memcpy(bytes, doc.clock.ptr, doc.clock.len);
        bytes[1] |= (uint8_t)flag;
        assert_status(LIANA_ECORRUPT, lia_doc_check(*state, changed, NULL));
    }
    for (unsigned flags = 1; flags < 128; flags++) { /* the root's, the last byte */
        memcpy(bytes, doc.clock.ptr, doc.clock.len);
        bytes[doc.clock.len - 1] = (uint8_t)flags;
        assert_status(LIANA_ECORRUPT, lia_doc_check(*state, changed, NULL));
    }
    memcpy(bytes, doc.clock.ptr, doc.clock.len);
    bytes[0] = 2;
    assert_status(LIANA_EVERSION, lia_doc_check(*state, changed, NULL));
}

static void a_body_needs_its_clock(void **state)
{
    struct lia_doc doc = empty;
    struct lia_doc other = empty;
    struct lia_doc mixed;

    assert_ok(lia_doc_check(*state, empty, NULL));
    assert_ok(
        insert(*state, &doc, "{\"_id\": 1, \"a\": 1}", (struct lia_stamp){MS(1), 1}));
    assert_ok(write_at(*state, &doc, LIA_OP_SET, "a", json(*state, "2"),
                       (struct lia_stamp){MS(2), 1}));
    assert_ok(insert(*state, &other, "{\"_id\": 1, \"longer\": \"text\"}",
                     (struct lia_stamp){MS(1), 1}));
    mixed = (struct lia_doc){doc.body, empty.clock};
    assert_status(LIANA_ECORRUPT, lia_doc_check(*state, mixed, NULL));
    mixed = (struct lia_doc){empty.body, doc.clock};
    assert_status(LIANA_ECORRUPT, lia_doc_check(*state, mixed, NULL));
    mixed = (struct lia_doc){empty.body, LIA_BYTES("\x01\0\0")}; /* and that a writer */
    assert_status(LIANA_ECORRUPT, lia_doc_check(*state, mixed, NULL));
    mixed = (struct lia_doc){LIA_BYTES("\x05\0\0\0"), doc.clock};
    assert_status(LIANA_EBSON, lia_doc_check(*state, mixed, NULL));
    mixed = (struct lia_doc){LIA_BYTES("\x05\0\0\0\0"), doc.clock};
    assert_status(LIANA_ECORRUPT, lia_doc_check(*state, mixed, NULL));
    mixed = (struct lia_doc){other.body, doc.clock};
    assert_status(LIANA_ECORRUPT, lia_doc_check(*state, mixed, NULL));
}

/* ---- segments ---- */

static void a_gap_is_told(void **state)
{
    struct liana_slice segment;
    struct lia_segment_info info;
    struct lia_doc_info head;
    struct lia_doc doc;
    struct lia_doc old;
    struct lia_doc out = empty;

    make_rich(*state, &doc, &old);
    assert_ok(lia_doc_info(*state, old.clock, &head));
    assert_ok(lia_doc_segment(*state, doc, head.vector, &segment));
    assert_ok(lia_segment_info(*state, segment, &info, NULL));
    assert_true(lia_vector_equal(info.from, head.vector));
    assert_int_equal(info.created.hlc, MS(1000));
    assert_status(LIANA_EGAP, lia_doc_merge(*state, empty, segment, &out, NULL));
    assert_ptr_equal(out.clock.ptr, NULL);
    assert_ok(lia_doc_merge(*state, old, segment, &out, NULL));
    assert_slice_equal(out.clock, doc.clock);
    assert_slice_equal(out.body, doc.body);
    assert_status(LIANA_EGAP, lia_segment_compose(*state, LIA_BYTES("\x03\x01\0\0"),
                                                  segment, &segment, NULL));
}

static void nothing_new_is_the_document_itself(void **state)
{
    struct liana_slice segment;
    struct lia_doc doc;
    struct lia_doc old;
    struct lia_doc out;

    make_rich(*state, &doc, &old);
    assert_ok(lia_doc_segment(*state, old, nothing, &segment));
    assert_ok(lia_doc_merge(*state, doc, segment, &out, NULL));
    assert_ptr_equal(out.clock.ptr, doc.clock.ptr);
    assert_ptr_equal(out.body.ptr, doc.body.ptr);
}

static void malformed_segments_are_the_peers_fault(void **state)
{
    struct liana_slice segment;
    struct lia_segment_info info;
    struct lia_doc doc;
    struct lia_doc old;
    uint8_t *bytes;

    make_rich(*state, &doc, &old);
    assert_ok(lia_doc_segment(*state, doc, nothing, &segment));
    for (size_t len = 0; len < segment.len; len++) {
        struct liana_error err = LIANA_ERROR_INIT;
        struct lia_doc out = empty;

        assert_status(
            LIANA_EPROTOCOL,
            lia_doc_merge(*state, empty, lia_slice(segment.ptr, len), &out, &err));
        assert_int_equal(err.status, LIANA_EPROTOCOL);
        assert_ptr_equal(out.clock.ptr, NULL);
    }
    bytes = lia_arena_alloc(*state, segment.len);
    assert_non_null(bytes);
    memcpy(bytes, segment.ptr, segment.len);
    bytes[1] = 9; /* the version, behind the length */
    assert_status(LIANA_EVERSION,
                  lia_segment_info(*state, lia_slice(bytes, segment.len), &info, NULL));
}

static void a_name_that_stands_twice_is_refused(void **state)
{
    static const char name[] = "second";
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_doc doc = empty;
    struct lia_doc out = empty;
    struct liana_slice segment;
    uint8_t *bytes;
    size_t at = 0;

    assert_ok(insert(*state, &doc,
                     "{\"_id\": 1, \"m\": {\"secont\": 1, \"second\": 2}}",
                     (struct lia_stamp){MS(1), 7}));
    assert_ok(lia_doc_segment(*state, doc, nothing, &segment));
    bytes = lia_arena_alloc(*state, segment.len);
    assert_non_null(bytes);
    memcpy(bytes, segment.ptr, segment.len);
    while (at + sizeof(name) <= segment.len &&
           memcmp(bytes + at, name, sizeof(name)) != 0) {
        at++;
    }
    assert_true(at + sizeof(name) <= segment.len);
    bytes[at + 5] = 't';
    assert_status(
        LIANA_EPROTOCOL,
        lia_doc_merge(*state, empty, lia_slice(bytes, segment.len), &out, &err));
    assert_non_null(strstr(err.message, "m.secont"));
    assert_ptr_equal(out.clock.ptr, NULL);
}

/* ---- stamps, depth, size ---- */

static void a_stamp_must_be_newer(void **state)
{
    struct lia_doc doc = empty;
    struct lia_value v = json(*state, "1");

    assert_status(LIANA_ECLOCK, insert(*state, &doc, "{\"_id\": 1}", LIA_STAMP_NONE));
    assert_status(LIANA_ECLOCK, insert(*state, &doc, "{\"_id\": 1}",
                                       (struct lia_stamp){LIA_HLC_MAX + 1, 1}));
    assert_ok(insert(*state, &doc, "{\"_id\": 1}", (struct lia_stamp){MS(5), 1}));
    assert_status(LIANA_ECLOCK, write_at(*state, &doc, LIA_OP_SET, "a", v,
                                         (struct lia_stamp){MS(4), 1}));
    assert_status(LIANA_ECLOCK, write_at(*state, &doc, LIA_OP_SET, "a", v,
                                         (struct lia_stamp){MS(5), 2}));
    assert_ok(write_at(*state, &doc, LIA_OP_SET, "a", v,
                       (struct lia_stamp){MS(5), 1})); /* the same transaction */
    assert_ok(
        write_at(*state, &doc, LIA_OP_SET, "a", v, (struct lia_stamp){LIA_HLC_MAX, 2}));
}

static void paths_are_as_deep_as_documents(void **state)
{
    struct liana_str names[LIA_DEPTH_MAX + 2];
    struct lia_doc doc = empty;
    struct lia_op op = {
        .kind = LIA_OP_SET, .path = {names, 0}, .value = json(*state, "1")};

    for (size_t i = 0; i < LIA_DEPTH_MAX + 2; i++) {
        names[i] = lia_str("a");
    }
    assert_ok(insert(*state, &doc, "{\"_id\": 1}", (struct lia_stamp){MS(1), 1}));
    op.path.count = LIA_DEPTH_MAX + 2;
    assert_status(LIANA_EDEPTH,
                  write_op(*state, &doc, op, (struct lia_stamp){MS(2), 1}));
    op.path.count = LIA_DEPTH_MAX + 1;
    assert_ok(write_op(*state, &doc, op, (struct lia_stamp){MS(2), 1}));
    assert_ok(lia_doc_check(*state, doc, NULL));
    op.value = json(*state, "[1]");
    assert_status(LIANA_EDEPTH,
                  write_op(*state, &doc, op, (struct lia_stamp){MS(3), 1}));
}

/* A binary value of about `size` bytes. */
static struct lia_value large(struct lia_arena *arena, size_t size)
{
    uint8_t *bytes = lia_arena_zalloc(arena, size + 5);

    assert_non_null(bytes);
    for (unsigned i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(size >> 8 * i);
    }
    return (struct lia_value){LIA_BSON_BINARY, {bytes, size + 5}};
}

static void a_large_document_may_only_shrink(void **state)
{
    struct lia_value ten = large(*state, 10 * LIA_MIB);
    struct lia_value one = json(*state, "1");
    struct lia_doc doc = empty;
    struct lia_doc other;
    struct lia_doc same;
    struct lia_doc_info info;
    struct lia_value shown;
    struct liana_slice segment;

    assert_ok(insert(*state, &doc, "{\"_id\": 1}", (struct lia_stamp){MS(1), 1}));
    other = doc;
    assert_ok(
        write_at(*state, &doc, LIA_OP_SET, "a", ten, (struct lia_stamp){MS(2), 1}));
    assert_status(LIANA_ETOOLARGE, write_at(*state, &doc, LIA_OP_SET, "b", ten,
                                            (struct lia_stamp){MS(3), 1}));
    /* Two branches together may be larger than what may be written. */
    assert_ok(
        write_at(*state, &other, LIA_OP_SET, "b", ten, (struct lia_stamp){MS(3), 2}));
    assert_ok(lia_doc_segment(*state, doc, nothing, &segment));
    assert_ok(lia_doc_merge(*state, other, segment, &same, NULL));
    assert_ok(lia_doc_segment(*state, other, nothing, &segment));
    assert_ok(lia_doc_merge(*state, doc, segment, &doc, NULL));
    /* The older one is left out of the body, and said to be. */
    assert_true(lia_slice_equal(doc.body, same.body));
    assert_true(lia_slice_equal(doc.clock, same.clock));
    assert_ok(lia_doc_check(*state, doc, NULL));
    assert_ok(lia_doc_info(*state, doc.clock, &info));
    assert_true(info.is_cut);
    assert_false(lia_bson_find(doc.body, lia_str("a"), &shown));
    assert_true(lia_bson_find(doc.body, lia_str("b"), &shown));
    assert_status(LIANA_ETOOLARGE, write_at(*state, &doc, LIA_OP_SET, "c", one,
                                            (struct lia_stamp){MS(4), 1}));
    /* What goes brings the other back. */
    assert_ok(
        write_at(*state, &doc, LIA_OP_UNSET, "b", one, (struct lia_stamp){MS(5), 1}));
    assert_true(lia_bson_find(doc.body, lia_str("a"), &shown));
    assert_ok(lia_doc_info(*state, doc.clock, &info));
    assert_false(info.is_cut);
    assert_ok(
        write_at(*state, &doc, LIA_OP_SET, "c", one, (struct lia_stamp){MS(6), 1}));
}

/* Each branch may be written, together they may not be held. */
static void a_state_has_a_limit(void **state)
{
    struct lia_doc joined = empty;
    struct liana_error err = LIANA_ERROR_INIT;
    liana_status status = LIANA_OK;

    for (uint64_t i = 1; i <= 5; i++) {
        char name[] = {'a', (char)('0' + i), '\0'};
        struct lia_doc branch = empty;
        struct liana_slice segment;

        assert_ok(
            insert(*state, &branch, "{\"_id\": 1}", (struct lia_stamp){MS(i), i}));
        assert_ok(write_at(*state, &branch, LIA_OP_SET, name,
                           large(*state, 15 * LIA_MIB),
                           (struct lia_stamp){MS(i) + 1, i}));
        assert_ok(lia_doc_segment(*state, branch, nothing, &segment));
        status = lia_doc_merge(*state, joined, segment, &joined, &err);
        assert_status(i < 5 ? LIANA_OK : LIANA_ETOOLARGE, status);
    }
    assert_int_equal(err.status, LIANA_ETOOLARGE);
}

/* ---- costs ---- */

static void clocks_are_small(void **state)
{
    char name[16];
    struct lia_doc doc = empty;
    struct lia_buf buf;
    size_t mark;
    size_t fresh;
    uint64_t ms = 1700000000000;
    struct lia_op op = {.kind = LIA_OP_INSERT};

    lia_buf_init(&buf, &lia_mem_libc);
    mark = lia_bson_begin(&buf);
    lia_bson_add_int32(&buf, lia_str("_id"), 1);
    for (int i = 0; i < 1000; i++) {
        assert_true(snprintf(name, sizeof(name), "field%d", i) > 0);
        lia_bson_add_int32(&buf, lia_str(name), i);
    }
    lia_bson_end(&buf, mark);
    op.value = (struct lia_value){LIA_BSON_DOCUMENT, lia_buf_slice(&buf)};
    assert_ok(
        write_op(*state, &doc, op, (struct lia_stamp){MS(ms), UINT64_C(0xfedcba98)}));
    fresh = doc.clock.len;
    assert_in_range(fresh, 1, 32);
    /* A hundred fields, each in a transaction of its own, half an hour apart. */
    for (int i = 0; i < 100; i++) {
        ms += 1800001;
        assert_true(snprintf(name, sizeof(name), "field%d", 7 * i) > 0);
        assert_ok(write_at(*state, &doc, LIA_OP_SET, name,
                           json(*state, "{\"$numberLong\": \"5\"}"),
                           (struct lia_stamp){MS(ms), UINT64_C(0xfedcba98)}));
    }
    assert_in_range(doc.clock.len - fresh, 1, 14 * 100);
    assert_ok(lia_doc_check(*state, doc, NULL));
    lia_buf_deinit(&buf);
}

/* ---- out of memory ---- */

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* What actor 7 has stamped since. */
static liana_status restamp_since(struct lia_arena *arena,
                                  struct lia_doc doc,
                                  uint64_t since,
                                  struct lia_doc *out)
{
    struct lia_restamp how = {.actor = 7, .new_actor = 77, .first = since + 1};
    struct lia_buf stamps;
    uint64_t *all;
    size_t count = 0;
    liana_status status;

    lia_buf_init(&stamps, arena->alloc);
    status = lia_doc_stamps(arena, doc, how.actor, since, &stamps, NULL);
    all = (uint64_t *)(void *)stamps.ptr;
    if (!status) {
        qsort(all, stamps.len / sizeof(*all), sizeof(*all), ascending);
        for (size_t i = 0; i < stamps.len / sizeof(*all); i++) {
            if (i == 0 || all[i] != all[count - 1]) {
                all[count++] = all[i];
            }
        }
        how.from = all;
        how.count = count;
        status = lia_doc_restamp(arena, doc, &how, out, NULL);
    }
    lia_buf_deinit(&stamps);
    return status;
}

static void ignore(void *ctx, const struct lia_loser *loser)
{
    (void)ctx;
    (void)loser;
}

static liana_status all_calls(const struct liana_allocator *a, void *ctx)
{
    struct lia_arena *made = ctx;
    struct lia_arena arena;
    struct lia_doc doc;
    struct lia_doc old;
    struct lia_doc late = empty;
    struct lia_doc out = empty;
    const struct lia_watch watch = {.lost = ignore};
    const struct lia_life *lives;
    size_t life_count;
    struct liana_slice whole;
    struct liana_slice delta;
    struct lia_segment_info info;
    struct lia_doc_info head;
    const struct lia_retag retag = {.actor = 7, .tag = {MS(9500), 9}};
    struct liana_str names[] = {lia_str("m"), lia_str("n")};
    struct lia_op ops[] = {
        {.kind = LIA_OP_INCREMENT, .path = {names, 2}, .value = json(made, "1")},
        {.kind = LIA_OP_UNSET, .path = {names, 1}, .value = lia_value_of_null()},
        {.kind = LIA_OP_SET, .path = {names, 2}, .value = json(made, "{\"q\": 1}")},
        {.kind = LIA_OP_DELETE, .path = {NULL, 0}, .value = lia_value_of_null()},
        {.kind = LIA_OP_INSERT,
         .path = {NULL, 0},
         .value = json(made, "{\"x\": 1, \"_id\": 1.0, \"y\": 2}")},
    };
    liana_status status;

    make_rich(made, &doc, &old);
    assert_ok(
        insert(made, &late, "{\"_id\": 1, \"l\": 1}", (struct lia_stamp){MS(8000), 8}));
    assert_ok(lia_doc_segment(made, old, nothing, &whole));
    assert_ok(lia_doc_merge(made, late, whole, &late, NULL));
    lia_arena_init(&arena, a);
    status = lia_doc_check(&arena, doc, NULL);
    status = status ? status : lia_doc_lives(&arena, late, &lives, &life_count, NULL);
    status = status ? status
                    : lia_doc_voids(&arena, late, (struct lia_stamp){MS(5000), 1},
                                    nothing, retag.tag, &watch, NULL);
    status = status ? status : lia_doc_info(&arena, old.clock, &head);
    status = status ? status : lia_doc_segment(&arena, doc, nothing, &whole);
    status = status ? status : lia_doc_segment(&arena, doc, head.vector, &delta);
    status = status ? status : lia_segment_info(&arena, delta, &info, NULL);
    status = status ? status : lia_doc_merge(&arena, old, whole, &out, NULL);
    status = status ? status : lia_doc_merge(&arena, old, delta, &out, NULL);
    status = status ? status : lia_segment_compose(&arena, whole, delta, &whole, NULL);
    status = status ? status
                    : lia_doc_apply(&arena, doc, ops, 5,
                                    (struct lia_stamp){MS(9000), 7}, &out, NULL);
    status = status ? status : lia_doc_heal(&arena, old, whole, &retag, &out, NULL);
    status = status ? status : restamp_since(&arena, doc, MS(2500), &out);
    lia_arena_deinit(&arena);
    return status;
}

/* ---- increments that nothing could be taken from again ---- */

static liana_status increment(struct lia_arena *arena,
                              struct lia_doc *doc,
                              const char *by,
                              uint64_t ms)
{
    return write_at(arena, doc, LIA_OP_INCREMENT, "n", json(arena, by),
                    (struct lia_stamp){MS(ms), 7});
}

static void increments_are_finite(void **state)
{
    static const char *const bad[] = {
        "{\"$numberDouble\": \"Infinity\"}", "{\"$numberDouble\": \"NaN\"}",
        "{\"$numberDecimal\": \"-Infinity\"}", "{\"$numberDecimal\": \"NaN\"}"};
    struct lia_doc doc = empty;

    assert_ok(
        insert(*state, &doc, "{\"_id\": 1, \"n\": 1}", (struct lia_stamp){MS(1), 7}));
    for (size_t i = 0; i < 4; i++) {
        assert_status(LIANA_EINVAL, increment(*state, &doc, bad[i], 2));
    }
    assert_ok(increment(*state, &doc, "1.7e308", 3));
    assert_status(LIANA_ERANGE, increment(*state, &doc, "1.7e308", 4));
    assert_ok(increment(*state, &doc, "-1.7e308", 5));
    assert_ok(increment(*state, &doc, "{\"$numberDecimal\": \"9E6144\"}", 6));
    assert_status(LIANA_ERANGE,
                  increment(*state, &doc, "{\"$numberDecimal\": \"9E6144\"}", 7));
}

/* A peer that makes them all the same is refused. */
static void sums_that_are_not_finite_are_refused(void **state)
{
    static const double all[] = {INFINITY, -INFINITY, NAN};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct lia_scratch scratch;
        struct lia_buf buf;
        struct lia_reader r;

        lia_buf_init(&buf, &lia_mem_libc);
        lia_sum_encode(&buf, lia_sum_of(lia_value_of_double(all[i], &scratch)));
        r = lia_reader(lia_buf_slice(&buf));
        lia_sum_decode(&r);
        assert_true(r.failed);
        lia_buf_deinit(&buf);
    }
}

/* ---- counters with a bound, made by what a document is declared as ---- */

static int64_t rights(struct lia_arena *arena, struct lia_doc doc, uint64_t actor)
{
    const struct liana_str names[] = {lia_str("m"), lia_str("n")};
    struct lia_bounded_info info;

    assert_ok(
        lia_doc_bounded(arena, doc, (struct lia_path){names, 2}, actor, &info, NULL));
    return info.rights;
}

static void a_number_becomes_a_bounded_counter(void **state)
{
    const struct liana_str names[] = {lia_str("m"), lia_str("n")};
    const struct lia_shape shape = {{names, 2}, LIA_SHAPE_BOUNDED, 3};
    struct lia_arena *arena = *state;
    struct lia_doc doc = empty;
    struct lia_doc plain = empty;
    struct lia_op op = {.kind = LIA_OP_INSERT,
                        .value =
                            json(arena, "{\"_id\": 1, \"m\": {\"a\": 1, \"n\": 10, "
                                        "\"z\": 2}}"),
                        .shapes = &shape,
                        .shape_count = 1};
    const struct lia_stamp stamp = {MS(5), 7};

    assert_ok(write_op(arena, &doc, op, stamp));
    assert_int_equal(rights(arena, doc, 7), 7);
    assert_ok(lia_doc_check(arena, doc, NULL));
    op.shape_count = 0;
    assert_ok(write_op(arena, &plain, op, stamp));
    assert_int_equal(doc.body.len, plain.body.len + 4); /* int64, in its place */
    op.kind = LIA_OP_SET;
    op.shape_count = 1;
    op.path = (struct lia_path){names, 1};
    op.value = json(arena, "{\"n\": 4}");
    assert_ok(write_op(arena, &doc, op, (struct lia_stamp){MS(6), 8}));
    assert_int_equal(rights(arena, doc, 7), 0);
    assert_int_equal(rights(arena, doc, 8), 1);
    op.path = shape.path;
    op.value = json(arena, "4");
    assert_status(write_op(arena, &doc, op, (struct lia_stamp){MS(7), 8}), LIANA_ETYPE);
    op.path = (struct lia_path){names, 1};
    op.value = json(arena, "{\"n\": 2}");
    assert_status(write_op(arena, &doc, op, (struct lia_stamp){MS(7), 8}),
                  LIANA_EINVAL);
    op.value = json(arena, "{\"n\": \"x\"}");
    assert_status(write_op(arena, &doc, op, (struct lia_stamp){MS(7), 8}), LIANA_ETYPE);
}

/* An element operation finds an array that is older than its declaration. */
static void an_array_becomes_a_set(void **state)
{
    const struct liana_str names[] = {lia_str("t")};
    const struct lia_shape shape = {{names, 1}, LIA_SHAPE_SET, 0};
    struct lia_arena *arena = *state;
    struct lia_doc doc = empty;
    struct lia_op op = {.kind = LIA_OP_REMOVE, .path = {names, 1}};
    struct lia_value shown;

    assert_ok(insert(arena, &doc, "{\"_id\": 1, \"t\": [2, 1, 2, 3]}",
                     (struct lia_stamp){MS(5), 7}));
    op.value = json(arena, "2");
    assert_status(write_op(arena, &doc, op, (struct lia_stamp){MS(6), 7}), LIANA_ETYPE);
    op.shapes = &shape;
    op.shape_count = 1;
    assert_ok(write_op(arena, &doc, op, (struct lia_stamp){MS(6), 7}));
    op.kind = LIA_OP_ADD;
    op.value = json(arena, "4");
    assert_ok(write_op(arena, &doc, op, (struct lia_stamp){MS(7), 7}));
    assert_true(lia_bson_find(doc.body, lia_str("t"), &shown));
    assert_slice_equal(shown.data, json(arena, "[1, 3, 4]").data);
    assert_ok(lia_doc_check(arena, doc, NULL));
}

/* Seeds that differ in their bounds are two writes. */
static void an_initial_counter_has_its_bound(void **state)
{
    const struct liana_str names[] = {lia_str("n")};
    struct lia_shape shape = {{names, 1}, LIA_SHAPE_BOUNDED, 0};
    struct lia_arena *arena = *state;
    const struct lia_op op = {.kind = LIA_OP_INSERT,
                              .value = json(arena, "{\"_id\": 1, \"n\": 10}"),
                              .shapes = &shape,
                              .shape_count = 1};
    struct lia_stamp stamps[3];
    struct lia_doc doc;

    for (size_t i = 0; i < 3; i++) {
        shape.bound = i == 2 ? 5 : 0;
        assert_ok(lia_doc_initial(arena, lia_str("c"), &op, &doc, &stamps[i], NULL));
    }
    assert_int_equal(lia_stamp_cmp(stamps[0], stamps[1]), 0);
    assert_int_not_equal(lia_stamp_cmp(stamps[0], stamps[2]), 0);
}

static void out_of_memory_is_a_status(void **state)
{
    assert_true(lia_test_each_failure(all_calls, *state) > 10);
}

/* ---- verdicts ---- */

/* A delete that takes effect at the life it is about spares a later one, and is a commit of
 * its own, so that it travels. */
static void a_verdict_ends_one_life(void **state)
{
    struct lia_arena *arena = *state;
    const struct lia_stamp life = {MS(1000), 7};
    struct lia_op op = {.kind = LIA_OP_DELETE, .effect = life};
    struct liana_slice segment;
    struct lia_doc_info info;
    struct lia_doc dead = empty;
    struct lia_doc late = empty;
    struct lia_doc both;

    assert_ok(insert(arena, &dead, "{\"_id\": 1, \"a\": 1}", life));
    assert_ok(insert(arena, &late, "{\"_id\": 1, \"b\": 1}",
                     (struct lia_stamp){MS(1500), 8}));
    assert_ok(write_op(arena, &dead, op, (struct lia_stamp){MS(2000), 9}));
    assert_ok(lia_doc_info(arena, dead.clock, &info));
    assert_false(info.exists);
    assert_int_equal(info.deleted.hlc, life.hlc);
    assert_int_equal(lia_vector_get(info.vector, 9), MS(2000));
    assert_ok(lia_doc_check(arena, dead, NULL));

    assert_ok(lia_doc_segment(arena, dead, (struct lia_vector){0}, &segment));
    assert_ok(lia_doc_merge(arena, late, segment, &both, NULL));
    assert_ok(lia_doc_info(arena, both.clock, &info));
    assert_true(info.exists);
}

static void note_lost(void *ctx, const struct lia_loser *loser)
{
    struct lia_loser *last = ctx;

    assert_int_equal(last->path.count, 0); /* the only one */
    assert_int_equal(lia_value_int32(loser->value), 2);
    *last = *loser;
}

/* Of what a delete at the life takes only what was not seen is told, as lost to the verdict. */
static void a_verdict_tells_what_it_takes(void **state)
{
    struct lia_arena *arena = *state;
    static const struct lia_vector_entry seen[] = {{7, MS(1000)}};
    const struct lia_stamp life = {MS(1000), 7};
    const struct lia_stamp by = {MS(3000), 9};
    struct lia_loser lost = {.path = {NULL, 0}};
    const struct lia_watch watch = {.lost = note_lost, .ctx = &lost};
    struct lia_doc doc = empty;

    assert_ok(insert(arena, &doc, "{\"_id\": 1, \"a\": 1, \"n\": 5}", life));
    assert_ok(lia_doc_voids(arena, doc, life, (struct lia_vector){seen, 1}, by, &watch,
                            NULL));
    assert_int_equal(lost.path.count, 0);
    assert_ok(write_at(arena, &doc, LIA_OP_INCREMENT, "n", json(arena, "2"),
                       (struct lia_stamp){MS(2000), 8}));
    assert_ok(lia_doc_voids(arena, doc, (struct lia_stamp){MS(999), 7},
                            (struct lia_vector){seen, 1}, by, &watch, NULL));
    assert_int_equal(lost.path.count, 0);
    assert_ok(lia_doc_voids(arena, doc, life, (struct lia_vector){seen, 1}, by, &watch,
                            NULL));
    assert_int_equal(lost.path.count, 1);
    assert_int_equal(lia_stamp_cmp(lost.winner, by), 0);
    assert_int_equal(lost.stamp.hlc, MS(2000));
}

/* INSERTs that knew nothing of each other: what is left of the older one, and under which tag
 * it is counted. */
static void older_lives_are_known(void **state)
{
    struct lia_arena *arena = *state;
    const struct lia_retag how = {.actor = 7, .tag = {MS(9000), 9}};
    const struct lia_stamp first = {MS(1000), 7};
    const struct lia_life *lives;
    struct liana_slice segment;
    struct lia_doc_info info;
    struct lia_doc doc = empty;
    struct lia_doc late = empty;
    struct lia_doc out;
    size_t count;

    assert_ok(insert(arena, &doc, "{\"_id\": 1, \"a\": 1, \"c\": 1}", first));
    assert_ok(lia_doc_lives(arena, doc, &lives, &count, NULL));
    assert_int_equal(count, 0);
    assert_ok(insert(arena, &late, "{\"_id\": 1, \"b\": 1}",
                     (struct lia_stamp){MS(1500), 8}));
    assert_ok(lia_doc_info(arena, late.clock, &info));
    assert_int_equal(info.oldest, MS(1500));
    assert_ok(lia_doc_segment(arena, doc, nothing, &segment));
    assert_ok(lia_doc_merge(arena, late, segment, &doc, NULL));
    assert_ok(lia_doc_info(arena, doc.clock, &info));
    assert_int_equal(info.created.hlc, MS(1500));
    assert_int_equal(info.oldest, MS(1000));
    assert_ok(lia_doc_lives(arena, doc, &lives, &count, NULL));
    assert_int_equal(count, 1);
    assert_int_equal(lia_stamp_cmp(lives[0].stamp, first), 0);
    assert_int_equal(lia_stamp_cmp(lives[0].tag, first), 0);
    assert_ok(lia_doc_retag(arena, doc, &how, &out, NULL));
    assert_ok(lia_doc_lives(arena, out, &lives, &count, NULL));
    assert_int_equal(count, 1);
    assert_int_equal(lia_stamp_cmp(lives[0].stamp, first), 0);
    assert_int_equal(lia_stamp_cmp(lives[0].tag, how.tag), 0);

    /* Nothing is left of the INSERT itself, and its author goes by another name. */
    out = empty;
    assert_ok(insert(arena, &out, "{\"_id\": 1, \"a\": 1}", first));
    assert_ok(write_at(arena, &out, LIA_OP_SET, "a", json(arena, "2"),
                       (struct lia_stamp){MS(1100), 7}));
    assert_ok(lia_doc_retag(arena, out, &how, &out, NULL));
    assert_ok(lia_doc_segment(arena, out, nothing, &segment));
    assert_ok(lia_doc_merge(arena, late, segment, &out, NULL));
    assert_ok(lia_doc_lives(arena, out, &lives, &count, NULL));
    assert_int_equal(count, 1);
    assert_int_equal(lia_stamp_cmp(lives[0].stamp, first), 0);
    assert_int_equal(lia_stamp_cmp(lives[0].tag, how.tag), 0);

    /* Written over, by who knows the newer life; and by who does not. */
    for (size_t i = 0; i < 2; i++) {
        assert_ok(write_at(arena, &doc, LIA_OP_SET, i ? "a" : "c", json(arena, "2"),
                           (struct lia_stamp){MS(2000 + i), 8}));
    }
    assert_ok(lia_doc_lives(arena, doc, &lives, &count, NULL));
    assert_int_equal(count, 0);
    doc = empty;
    assert_ok(insert(arena, &doc, "{\"_id\": 1, \"a\": 1}", first));
    assert_ok(write_at(arena, &doc, LIA_OP_SET, "a", json(arena, "2"),
                       (struct lia_stamp){MS(1200), 6}));
    assert_ok(lia_doc_segment(arena, doc, nothing, &segment));
    assert_ok(lia_doc_merge(arena, late, segment, &doc, NULL));
    assert_ok(lia_doc_lives(arena, doc, &lives, &count, NULL));
    assert_int_equal(count, 1);
    assert_int_equal(lia_stamp_cmp(lives[0].tag, first), 0);
}

/* Over which updates win: it reaches the newest of them, and a newer one brings all back. */
static void a_verdict_hides_what_it_reaches(void **state)
{
    struct lia_arena *arena = *state;
    struct lia_op op = {.kind = LIA_OP_DELETE, .mode = LIA_UPDATE_WINS};
    struct liana_slice segment;
    struct lia_doc_info info;
    struct lia_doc doc = empty;
    struct lia_doc other;

    assert_ok(
        insert(arena, &doc, "{\"_id\": 1, \"a\": 1}", (struct lia_stamp){MS(1000), 7}));
    assert_ok(write_at(arena, &doc, LIA_OP_SET, "a", json(arena, "2"),
                       (struct lia_stamp){MS(1500), 8}));
    other = doc;
    assert_ok(write_at(arena, &other, LIA_OP_SET, "b", json(arena, "3"),
                       (struct lia_stamp){MS(1600), 10}));
    assert_ok(lia_doc_newest(arena, doc, &op.effect, NULL));
    assert_int_equal(op.effect.hlc, MS(1500));
    assert_ok(write_op(arena, &doc, op, (struct lia_stamp){MS(2000), 9}));
    assert_ok(lia_doc_info(arena, doc.clock, &info));
    assert_false(info.exists);
    assert_int_equal(info.withdrawn.hlc, MS(1500));
    assert_ok(lia_doc_check(arena, doc, NULL));

    assert_ok(lia_doc_segment(arena, other, (struct lia_vector){0}, &segment));
    assert_ok(lia_doc_merge(arena, doc, segment, &doc, NULL));
    assert_ok(lia_doc_info(arena, doc.clock, &info));
    assert_true(info.exists);
}

/* ---- repair ---- */

/* Else two peers could keep different tags of one entry, under one vector. */
static void a_new_tag_must_be_newer(void **state)
{
    struct lia_arena *arena = *state;
    struct lia_retag how = {.actor = 7, .tag = {MS(2000), 9}};
    struct liana_slice segment;
    struct lia_doc doc = empty;
    struct lia_doc out = empty;

    assert_ok(
        insert(arena, &doc, "{\"_id\": 1, \"a\": 1}", (struct lia_stamp){MS(1000), 7}));
    assert_ok(write_at(arena, &doc, LIA_OP_SET, "b", json(arena, "3"),
                       (struct lia_stamp){MS(2000), 8}));
    assert_status(LIANA_ECLOCK, lia_doc_retag(arena, doc, &how, &out, NULL));
    assert_ok(lia_doc_segment(arena, doc, (struct lia_vector){0}, &segment));
    assert_status(LIANA_ECLOCK, lia_doc_heal(arena, empty, segment, &how, &out, NULL));
    how.tag.hlc++;
    assert_ok(lia_doc_retag(arena, doc, &how, &out, NULL));
    how.beyond = MS(2000); /* nothing of it is beyond */
    how.tag.hlc = MS(1);
    assert_ok(lia_doc_retag(arena, doc, &how, &out, NULL));
    assert_ptr_equal(doc.clock.ptr, out.clock.ptr);
}

/* Of a store whose clock was ahead: what it wrote moves, nothing that is shown does. */
static void a_clock_that_was_ahead_is_repaired(void **state)
{
    struct lia_arena *arena = *state;
    static const uint64_t from[] = {MS(7000), MS(8000)};
    struct lia_restamp how = {
        .actor = 7, .new_actor = 9, .from = from, .count = 1, .first = MS(2000)};
    struct liana_slice segment;
    struct lia_doc_info info;
    struct lia_doc doc = empty;
    struct lia_doc there;
    struct lia_doc out;

    assert_ok(
        insert(arena, &doc, "{\"_id\": 1, \"a\": 1}", (struct lia_stamp){MS(1000), 8}));
    there = doc;
    assert_ok(write_at(arena, &doc, LIA_OP_SET, "b", json(arena, "2"),
                       (struct lia_stamp){MS(7000), 7}));
    assert_ok(write_at(arena, &doc, LIA_OP_SET, "a", json(arena, "3"),
                       (struct lia_stamp){MS(8000), 7}));
    assert_status(LIANA_EMISUSE, lia_doc_restamp(arena, doc, &how, &out, NULL));
    how.count = 2;
    how.first = MS(1000);
    assert_status(LIANA_ECLOCK, lia_doc_restamp(arena, doc, &how, &out, NULL));
    how.first = MS(2000);
    assert_ok(lia_doc_restamp(arena, doc, &how, &out, NULL));
    assert_ok(lia_doc_check(arena, out, NULL));
    assert_slice_equal(doc.body, out.body);
    assert_ok(lia_doc_info(arena, out.clock, &info));
    assert_int_equal(lia_vector_get(info.vector, 7), MS(2000) + 1);
    assert_int_equal(lia_vector_get(info.vector, 9), MS(2000) + 1);

    /* A write after the repair is newer; who has part of the old writes gets the rest. */
    assert_ok(write_at(arena, &there, LIA_OP_SET, "b", json(arena, "5"),
                       (struct lia_stamp){MS(3000), 8}));
    assert_ok(lia_doc_segment(arena, out, (struct lia_vector){0}, &segment));
    assert_ok(lia_doc_merge(arena, there, segment, &there, NULL));
    assert_slice_equal(there.body,
                       json(arena, "{\"_id\": 1, \"a\": 3, \"b\": 5}").data);
    how.actor = 5;
    assert_ok(lia_doc_restamp(arena, out, &how, &doc, NULL));
    assert_ptr_equal(out.clock.ptr, doc.clock.ptr);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(info_reads_the_head),
    CASE(digest_tells_versions_and_keys_apart),
    CASE(every_cut_clock_is_refused),
    CASE(every_changed_byte_is_harmless),
    CASE(what_is_reserved_is_refused),
    CASE(a_body_needs_its_clock),
    CASE(a_gap_is_told),
    CASE(nothing_new_is_the_document_itself),
    CASE(malformed_segments_are_the_peers_fault),
    CASE(a_name_that_stands_twice_is_refused),
    CASE(a_stamp_must_be_newer),
    CASE(paths_are_as_deep_as_documents),
    CASE(a_large_document_may_only_shrink),
    CASE(a_state_has_a_limit),
    CASE(clocks_are_small),
    CASE(a_verdict_ends_one_life),
    CASE(a_verdict_tells_what_it_takes),
    CASE(older_lives_are_known),
    CASE(a_verdict_hides_what_it_reaches),
    CASE(a_new_tag_must_be_newer),
    CASE(a_clock_that_was_ahead_is_repaired),
    CASE(increments_are_finite),
    CASE(sums_that_are_not_finite_are_refused),
    CASE(a_number_becomes_a_bounded_counter),
    CASE(an_array_becomes_a_set),
    CASE(an_initial_counter_has_its_bound),
    CASE(out_of_memory_is_a_status),
};

LIA_TEST_MAIN(tests)
