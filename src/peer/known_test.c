/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <string.h>

#include "base/limits.h"
#include "base/testing/env.h"
#include "peer/internal.h"

/* Whom a peer remembers when their links are gone. */

static int setup(void **state)
{
    struct lia_test_env *env = test_calloc(1, sizeof(*env));

    lia_test_env_init(env, 1);
    *state = env;
    return 0;
}

static int teardown(void **state)
{
    lia_test_env_finish(*state);
    test_free(*state);
    return 0;
}

static const uint8_t *id_of(uint32_t number)
{
    static uint8_t id[LIA_PEER_ID_BYTES];

    memset(id, 0, sizeof(id));
    memcpy(id, &number, sizeof(number));
    return id;
}

static struct lia_remote *meet(struct lia_known *known, uint32_t number)
{
    struct lia_remote *remote = lia_known_get(known, id_of(number));

    assert_non_null(remote);
    remote->is_member = true;
    return remote;
}

static void leave(struct lia_known *known, struct lia_remote *remote, uint64_t at)
{
    remote->down_at = at;
    lia_known_release(known, remote);
}

static void a_stranger_leaves_nothing(void **state)
{
    struct lia_test_env *env = *state;
    struct lia_known known;

    lia_known_init(&known, &env->alloc.alloc);
    lia_known_release(&known, lia_known_get(&known, id_of(1)));
    assert_null(lia_known_find(&known, id_of(1)));
    lia_known_deinit(&known);
}

static void members_are_remembered_up_to_a_limit(void **state)
{
    struct lia_test_env *env = *state;
    struct lia_known known;
    struct lia_remote *stays;

    lia_known_init(&known, &env->alloc.alloc);
    stays = meet(&known, 0);
    for (uint32_t i = 1; i <= LIA_KNOWN_AWAY_MAX; i++) {
        leave(&known, meet(&known, i), i);
    }
    assert_non_null(lia_known_find(&known, id_of(1)));
    /* 1 comes back and leaves: now 2 is the one that is gone for longest. */
    leave(&known, meet(&known, 1), LIA_KNOWN_AWAY_MAX + 1);
    leave(&known, meet(&known, LIA_KNOWN_AWAY_MAX + 1), LIA_KNOWN_AWAY_MAX + 2);
    assert_null(lia_known_find(&known, id_of(2)));
    assert_non_null(lia_known_find(&known, id_of(1)));
    assert_non_null(lia_known_find(&known, id_of(3)));
    assert_non_null(lia_known_find(&known, id_of(LIA_KNOWN_AWAY_MAX + 1)));
    assert_ptr_equal(lia_known_find(&known, id_of(0)), stays);
    assert_int_equal(known.away_count, LIA_KNOWN_AWAY_MAX);
    leave(&known, stays, LIA_KNOWN_AWAY_MAX + 3);
    lia_known_deinit(&known);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_stranger_leaves_nothing),
        CASE(members_are_remembered_up_to_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
