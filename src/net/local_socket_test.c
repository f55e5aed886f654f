/* SPDX-License-Identifier: Apache-2.0 */
#include "net/local_socket.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/testing/files.h"
#include "base/testing/test.h"

#define SERVER_UID 12345
#define CLIENT_UID 12346

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

/* What a process of another user is answered. */
static int connect_as(uid_t uid, const char *path)
{
    pid_t child = fork();
    int answer = 0;

    assert_true(child >= 0);
    if (child == 0) {
        struct lia_local_socket socket;
        struct liana_error err = LIANA_ERROR_INIT;

        if (setuid(uid) != 0) {
            _exit(1);
        }
        _exit(lia_local_connect(path, &socket, &err) == LIANA_EDENIED ? 2 : 3);
    }
    assert_int_equal(waitpid(child, &answer, 0), child);
    assert_true(WIFEXITED(answer));
    return WEXITSTATUS(answer);
}

/* A socket that somebody else put there and that everybody may connect to. */
static void test_another_users_socket_is_not_spoken_to(void **state)
{
    char folder[LIA_TEST_PATH_MAX];
    char path[LIA_TEST_PATH_MAX + 8];
    int fd;

    (void)state;
    if (geteuid() != 0) {
        print_message("skipped: only root can be somebody else\n");
        skip();
    }
    lia_test_scratch(folder);
    snprintf(path, sizeof(path), "%s/s", folder);
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(seteuid(SERVER_UID), 0);
    fd = listen_at(path);
    assert_int_equal(chmod(path, 0777), 0);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(connect_as(CLIENT_UID, path), 2);
    close(fd);
    lia_test_scratch_remove(folder);
}

static void test_our_own_is(void **state)
{
    struct lia_local_socket socket;
    char folder[LIA_TEST_PATH_MAX];
    char path[LIA_TEST_PATH_MAX + 8];
    int fd;

    (void)state;
    lia_test_scratch(folder);
    snprintf(path, sizeof(path), "%s/s", folder);
    assert_status(LIANA_ENOTFOUND, lia_local_connect(path, &socket, NULL));
    fd = listen_at(path);
    assert_ok(lia_local_connect(path, &socket, NULL));
    lia_local_close(&socket);
    close(fd);
    assert_status(LIANA_ENOTFOUND, lia_local_connect(path, &socket, NULL));
    lia_test_scratch_remove(folder);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_another_users_socket_is_not_spoken_to),
    cmocka_unit_test(test_our_own_is),
};

LIA_TEST_MAIN(tests)
