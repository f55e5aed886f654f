/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/testing/test.h"
#include "cli/demo/relay.h"

static int listen_on(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static int dial(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void read_all(int fd, uint8_t *out, size_t len)
{
    while (len > 0) {
        ssize_t n = read(fd, out, len);

        assert_true(n > 0);
        out += n;
        len -= (size_t)n;
    }
}

#define LARGE ((size_t)1024 * 1024)

static void *send_large(void *arg)
{
    static uint8_t bytes[LARGE];
    const int *fd = arg;
    size_t sent = 0;

    for (size_t i = 0; i < LARGE; i++) {
        bytes[i] = (uint8_t)(i * 31 >> 3);
    }
    while (sent < LARGE) {
        ssize_t n = write(*fd, bytes + sent, LARGE - sent);

        if (n <= 0) {
            break;
        }
        sent += (size_t)n;
    }
    shutdown(*fd, SHUT_WR);
    return NULL;
}

static void test_it_carries_both_ways(void **state)
{
    static uint8_t got[LARGE];
    int port;
    int listener = listen_on(&port);
    struct demo_relay *relay;
    pthread_t thread;
    int near;
    int far;

    (void)state;
    assert_ok(demo_relay_start(port, &relay, NULL));
    near = dial(demo_relay_port(relay));
    far = accept(listener, NULL, NULL);
    assert_int_equal(write(near, "hello", 5), 5);
    read_all(far, got, 5);
    assert_memory_equal(got, "hello", 5);
    assert_int_equal(pthread_create(&thread, NULL, send_large, &far), 0);
    read_all(near, got, LARGE);
    pthread_join(thread, NULL);
    for (size_t i = 0; i < LARGE; i++) {
        if (got[i] != (uint8_t)(i * 31 >> 3)) {
            fail();
        }
    }
    /* The end of one direction arrives too. */
    assert_int_equal(read(near, got, 1), 0);
    assert_int_equal(demo_relay_bytes(relay), LARGE + 5);
    close(near);
    assert_int_equal(read(far, got, 1), 0);
    close(far);
    demo_relay_stop(relay);
    close(listener);
}

static void test_cut_and_joined(void **state)
{
    uint8_t byte;
    int port;
    int listener = listen_on(&port);
    struct demo_relay *relay;
    int near;
    int far;

    (void)state;
    assert_ok(demo_relay_start(port, &relay, NULL));
    near = dial(demo_relay_port(relay));
    far = accept(listener, NULL, NULL);
    demo_relay_cut(relay);
    assert_true(read(near, &byte, 1) < 0);
    assert_true(read(far, &byte, 1) < 0);
    close(near);
    close(far);

    /* While cut, whoever dials is thrown out and nobody arrives. */
    near = dial(demo_relay_port(relay));
    assert_true(read(near, &byte, 1) < 0);
    close(near);
    assert_int_equal(demo_relay_resets(relay), 2);

    demo_relay_join(relay);
    near = dial(demo_relay_port(relay));
    far = accept(listener, NULL, NULL);
    assert_int_equal(write(far, "x", 1), 1);
    read_all(near, &byte, 1);
    assert_int_equal(byte, 'x');
    close(near);
    close(far);
    demo_relay_stop(relay);
    demo_relay_stop(NULL);
    close(listener);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_it_carries_both_ways),
    cmocka_unit_test(test_cut_and_joined),
};

LIA_TEST_MAIN(tests)
