/* SPDX-License-Identifier: Apache-2.0 */
/* Names that take long: this program's getaddrinfo answers when the test lets it. */
#include "base/testing/test.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "base/testing/env.h"
#include "net/testing/gate.h"
#include "net/transport.h"

static struct {
    struct lia_gate gate;
    bool may_answer;
    unsigned asked;
    unsigned answered;
    unsigned freed;
} server;

static bool may_answer(const void *ctx)
{
    (void)ctx;
    return server.may_answer;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): netdb.h's are __ */
int getaddrinfo(const char *host,
                const char *port,
                const struct addrinfo *hints,
                struct addrinfo **out)
{
    struct addrinfo *list;
    struct sockaddr_in *at;

    (void)hints;
    lia_gate_enter(&server.gate);
    server.asked++;
    lia_gate_leave(&server.gate);
    lia_gate_wait(&server.gate, may_answer, NULL);
    list = calloc(1, sizeof(*list) + sizeof(*at));
    LIA_ASSERT(list);
    at = (struct sockaddr_in *)(void *)(list + 1);
    at->sin_family = AF_INET;
    at->sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    list->ai_family = AF_INET;
    list->ai_addr = (struct sockaddr *)at;
    list->ai_addrlen = sizeof(*at);
    *out = list;
    lia_gate_enter(&server.gate);
    server.answered++;
    lia_gate_leave(&server.gate);
    if (strcmp(host, "nowhere") == 0) {
        free(list);
        return EAI_NONAME;
    }
    return 0;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): netdb.h's are __ */
void freeaddrinfo(struct addrinfo *list)
{
    LIA_ASSERT(list);
    free(list);
    lia_gate_enter(&server.gate);
    server.freed++;
    lia_gate_leave(&server.gate);
}

/* ---- dialling ---- */

struct fixture {
    struct lia_test_env env;
    struct lia_loop *loop;
    struct lia_address where;
    struct lia_dial *dial;
    bool is_done;
    liana_status status;
    struct liana_error err;
};

static void on_dialed(void *ctx,
                      liana_status status,
                      struct lia_stream *stream,
                      const struct liana_error *err)
{
    struct fixture *f = ctx;

    if (stream) {
        lia_stream_close(stream);
    }
    lia_gate_enter(&server.gate);
    f->is_done = true;
    f->status = status;
    f->err = *err;
    lia_gate_leave(&server.gate);
}

static void dial(void *ctx)
{
    struct fixture *f = ctx;

    LIA_ASSERT(lia_transport_tcp.dial(f->loop, &f->where, on_dialed, f, &f->dial,
                                      NULL) == LIANA_OK);
}

static void cancel(void *ctx)
{
    lia_transport_tcp.cancel(((struct fixture *)ctx)->dial);
}

static bool was_asked(const void *ctx)
{
    (void)ctx;
    return server.asked > 0;
}

static bool was_freed(const void *ctx)
{
    (void)ctx;
    return server.freed > 0;
}

static bool is_done(const void *ctx)
{
    return ((const struct fixture *)ctx)->is_done;
}

static void allow(bool allowed)
{
    lia_gate_enter(&server.gate);
    server.may_answer = allowed;
    lia_gate_leave(&server.gate);
}

static void dial_name(struct fixture *f, const char *address)
{
    assert_ok(lia_address_parse(lia_str(address), &f->where, NULL));
    lia_loop_call(f->loop, dial, f);
    lia_gate_wait(&server.gate, was_asked, NULL);
}

static int set_up(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    memset(&server, 0, sizeof(server));
    lia_gate_init(&server.gate);
    lia_test_env_init(&f->env, 1);
    assert_ok(lia_loop_start(&f->env.env, "liana-test", &f->loop, NULL));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    lia_test_env_finish(&f->env);
    lia_gate_deinit(&server.gate);
    test_free(f);
    return 0;
}

/* ---- cases ---- */

static void nobody_waits_for_a_name_that_is_not_wanted(void **state)
{
    struct fixture *f = *state;

    dial_name(f, "slow.example:7000");
    lia_loop_call(f->loop, cancel, f);
    lia_gate_wait(&server.gate, is_done, f);
    assert_status(LIANA_ECANCELED, f->status);
    lia_loop_stop(f->loop); /* and nothing of ours is left */
    assert_int_equal(server.answered, 0);
    allow(true);
    lia_gate_wait(&server.gate, was_freed, NULL);
}

static void a_name_is_dialled_once_it_is_found(void **state)
{
    struct fixture *f = *state;

    dial_name(f, "slow.example:1"); /* nobody listens there */
    assert_false(f->is_done);
    allow(true);
    lia_gate_wait(&server.gate, is_done, f);
    assert_status(LIANA_EUNREACHABLE, f->status);
    assert_non_null(strstr(f->err.message, "slow.example:1"));
    lia_loop_stop(f->loop);
    assert_int_equal(server.freed, 1);
}

static void a_name_that_is_not_found_is_said(void **state)
{
    struct fixture *f = *state;

    allow(true);
    dial_name(f, "nowhere:7000");
    lia_gate_wait(&server.gate, is_done, f);
    assert_status(LIANA_EUNREACHABLE, f->status);
    assert_non_null(strstr(f->err.message, "cannot find host nowhere"));
    lia_loop_stop(f->loop);
    assert_int_equal(server.freed, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(nobody_waits_for_a_name_that_is_not_wanted),
    CASE(a_name_is_dialled_once_it_is_found),
    CASE(a_name_that_is_not_found_is_said),
};

LIA_TEST_MAIN(tests)
