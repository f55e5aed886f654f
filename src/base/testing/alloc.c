/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/alloc.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/testing/test.h"

#define LIVE  UINT64_C(0x4c6976654c697665)
#define FREED UINT64_C(0x4672656546726565)

struct header {
    alignas(max_align_t) uint64_t mark;
    size_t size;
};

static struct header *header_of(void *p, size_t size)
{
    struct header *h = (struct header *)p - 1;

    if (h->mark != LIVE || h->size != size) {
        (void)fprintf(
            stderr,
            "test allocator: block %p of %zu bytes is %s, not a live one of %zu\n", p,
            h->size, h->mark == FREED ? "released" : "there", size);
        abort();
    }
    return h;
}

static void release(struct lia_test_alloc *t, void *p, size_t size)
{
    struct header *h = header_of(p, size);

    atomic_fetch_sub(&t->live_blocks, 1);
    atomic_fetch_sub(&t->live_bytes, size);
    memset(p, 0xdd, size);
    h->mark = FREED;
    free(h);
}

static void *acquire(struct lia_test_alloc *t, size_t size)
{
    struct header *h = size < SIZE_MAX / 2 ? malloc(sizeof(*h) + size) : NULL;

    if (!h) {
        return NULL;
    }
    h->mark = LIVE;
    h->size = size;
    memset(h + 1, 0xaa, size);
    atomic_fetch_add(&t->live_blocks, 1);
    atomic_fetch_add(&t->live_bytes, size);
    return h + 1;
}

static bool must_fail(struct lia_test_alloc *t)
{
    size_t number = atomic_fetch_add(&t->allocations, 1) + 1;

    return t->fail_at &&
           (number == t->fail_at || (t->fails_onwards && number > t->fail_at));
}

static void *checked_realloc(void *ctx, void *p, size_t old_size, size_t size)
{
    struct lia_test_alloc *t = ctx;
    void *moved;

    if (p) {
        (void)header_of(p, old_size);
    }
    if (size == 0) {
        if (p) {
            release(t, p, old_size);
        }
        return NULL;
    }
    moved = must_fail(t) ? NULL : acquire(t, size);
    if (moved && p) {
        memcpy(moved, p, old_size < size ? old_size : size);
        release(t, p, old_size);
    }
    return moved;
}

void lia_test_alloc_init(struct lia_test_alloc *t)
{
    memset(t, 0, sizeof(*t));
    t->alloc = (struct liana_allocator){checked_realloc, t};
}

void lia_test_alloc_fail_at(struct lia_test_alloc *t, size_t n)
{
    t->fail_at = n ? atomic_load(&t->allocations) + n : 0;
}

void lia_test_alloc_finish(struct lia_test_alloc *t)
{
    if (atomic_load(&t->live_blocks)) {
        print_error("%zu blocks (%zu bytes) were not released\n",
                    atomic_load(&t->live_blocks), atomic_load(&t->live_bytes));
    }
    assert_int_equal(atomic_load(&t->live_blocks), 0);
    assert_int_equal(atomic_load(&t->live_bytes), 0);
}

/* One run with the n-th allocation failing; false when there was no n-th. */
static bool run_failing(lia_test_scenario scenario, void *ctx, size_t n, bool onwards)
{
    struct lia_test_alloc t;
    liana_status status;
    bool was_reached;

    lia_test_alloc_init(&t);
    lia_test_alloc_fail_at(&t, n);
    t.fails_onwards = onwards;
    status = scenario(&t.alloc, ctx);
    was_reached = atomic_load(&t.allocations) >= n;
    if (status != (was_reached ? LIANA_ENOMEM : LIANA_OK)) {
        print_error("allocation %zu failing%s: %s\n", n,
                    onwards ? ", all after too" : "", liana_status_name(status));
    }
    assert_status(was_reached ? LIANA_ENOMEM : LIANA_OK, status);
    lia_test_alloc_finish(&t);
    return was_reached;
}

size_t lia_test_each_failure(lia_test_scenario scenario, void *ctx)
{
    size_t n = 1;

    while (run_failing(scenario, ctx, n, false)) {
        assert_true(run_failing(scenario, ctx, n, true));
        n++;
    }
    assert_true(n > 1);
    return n - 1;
}
