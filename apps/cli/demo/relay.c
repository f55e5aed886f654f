/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/demo/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/error.h"

#define BUFFER ((size_t)64 * 1024)

/* What came from one side and still has to go to the other. */
struct way {
    uint8_t *bytes; /* BUFFER of them */
    size_t from;
    size_t to;
    bool is_ended; /* the sender has closed */
};

struct pair {
    int fd[2];         /* -1: the pair is free */
    struct way way[2]; /* way[i] from fd[i] to the other */
};

struct demo_relay {
    int listener;
    int wake[2];
    int port;
    int target_port;
    pthread_t thread;
    struct pair pairs[DEMO_RELAY_PAIRS]; /* the thread's */

    pthread_mutex_t lock; /* of what follows */
    bool is_cut;
    bool is_stopping;
    uint64_t bytes;
    uint64_t resets;
};

/* ---- sockets ---- */

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static int new_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd >= 0) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    return fd;
}

/* The other end gets a reset, as from a cable that is pulled and a box that is off. */
static void reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd);
}

static int connect_target(const struct demo_relay *relay)
{
    struct sockaddr_in address = loopback(relay->target_port);
    int fd = new_socket();

    if (fd >= 0 &&
        connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 &&
        errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

/* ---- pairs ---- */

static void end_pair(struct pair *pair, bool by_reset)
{
    for (int i = 0; i < 2; i++) {
        if (pair->fd[i] >= 0) {
            if (by_reset) {
                reset(pair->fd[i]);
            } else {
                close(pair->fd[i]);
            }
        }
        free(pair->way[i].bytes);
        pair->way[i] = (struct way){0};
        pair->fd[i] = -1;
    }
}

static bool begin_pair(struct demo_relay *relay, int fd)
{
    for (size_t i = 0; i < DEMO_RELAY_PAIRS; i++) {
        struct pair *pair = &relay->pairs[i];

        if (pair->fd[0] < 0) {
            pair->fd[0] = fd;
            pair->fd[1] = connect_target(relay);
            pair->way[0].bytes = malloc(BUFFER);
            pair->way[1].bytes = malloc(BUFFER);
            if (pair->fd[1] < 0 || !pair->way[0].bytes || !pair->way[1].bytes) {
                end_pair(pair, true);
            }
            return true;
        }
    }
    return false;
}

/* Reads what fits. False when the pair is broken. */
static bool fill(struct demo_relay *relay, struct way *way, int fd)
{
    ssize_t n = recv(fd, way->bytes + way->to, BUFFER - way->to, 0);

    if (n < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    if (n == 0) {
        way->is_ended = true;
        return true;
    }
    way->to += (size_t)n;
    pthread_mutex_lock(&relay->lock);
    relay->bytes += (uint64_t)n;
    pthread_mutex_unlock(&relay->lock);
    return true;
}

static bool drain(struct way *way, int fd)
{
    ssize_t n = send(fd, way->bytes + way->from, way->to - way->from, MSG_NOSIGNAL);

    if (n < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    way->from += (size_t)n;
    if (way->from == way->to) {
        way->from = way->to = 0;
        if (way->is_ended) {
            shutdown(fd, SHUT_WR);
        }
    }
    return true;
}

static bool is_done(const struct way *way)
{
    return way->is_ended && way->from == way->to;
}

static short interest(const struct pair *pair, int i)
{
    const struct way *in = &pair->way[i];
    const struct way *out = &pair->way[1 - i];

    return (short)((!in->is_ended && in->to < BUFFER ? POLLIN : 0) |
                   (out->to > out->from ? POLLOUT : 0));
}

static void serve_pair(struct demo_relay *relay, struct pair *pair, const short *events)
{
    bool ok = true;

    for (int i = 0; i < 2 && ok; i++) {
        if ((events[i] & (POLLERR | POLLNVAL)) != 0) {
            ok = false;
        } else if ((events[i] & (POLLIN | POLLHUP)) != 0 && !pair->way[i].is_ended &&
                   pair->way[i].to < BUFFER) {
            ok = fill(relay, &pair->way[i], pair->fd[i]);
            if (ok && pair->way[i].is_ended && pair->way[i].from == pair->way[i].to) {
                shutdown(pair->fd[1 - i], SHUT_WR);
            }
        }
        if (ok && (events[i] & POLLOUT) != 0 &&
            pair->way[1 - i].to > pair->way[1 - i].from) {
            ok = drain(&pair->way[1 - i], pair->fd[i]);
        }
    }
    if (!ok || (is_done(&pair->way[0]) && is_done(&pair->way[1]))) {
        end_pair(pair, !ok);
    }
}

/* ---- the thread ---- */

static void count_reset(struct demo_relay *relay)
{
    pthread_mutex_lock(&relay->lock);
    relay->resets++;
    pthread_mutex_unlock(&relay->lock);
}

static void look(struct demo_relay *relay, bool *out_cut, bool *out_stopping)
{
    pthread_mutex_lock(&relay->lock);
    *out_cut = relay->is_cut;
    *out_stopping = relay->is_stopping;
    pthread_mutex_unlock(&relay->lock);
}

/* Whether it is cut is looked at now: it may have been joined since the last poll. */
static void accept_one(struct demo_relay *relay)
{
    int fd = accept(relay->listener, NULL, NULL);
    bool is_cut;
    bool is_stopping;

    if (fd < 0) {
        return;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    look(relay, &is_cut, &is_stopping);
    if (is_cut || !begin_pair(relay, fd)) {
        count_reset(relay);
        reset(fd);
    }
}

static void cut_all(struct demo_relay *relay)
{
    for (size_t i = 0; i < DEMO_RELAY_PAIRS; i++) {
        if (relay->pairs[i].fd[0] >= 0) {
            count_reset(relay);
            end_pair(&relay->pairs[i], true);
        }
    }
}

static void step(struct demo_relay *relay)
{
    enum { FIRST = 2, ALL = FIRST + 2 * DEMO_RELAY_PAIRS };
    struct pollfd fds[ALL] = {{.fd = relay->wake[0], .events = POLLIN},
                              {.fd = relay->listener, .events = POLLIN}};
    char byte[16];

    for (size_t i = 0; i < DEMO_RELAY_PAIRS; i++) {
        for (int side = 0; side < 2; side++) {
            struct pollfd *p = &fds[FIRST + 2 * i + (size_t)side];

            p->fd = relay->pairs[i].fd[side];
            p->events = interest(&relay->pairs[i], side);
        }
    }
    if (poll(fds, ALL, -1) < 0) {
        return;
    }
    if (fds[0].revents && read(relay->wake[0], byte, sizeof(byte)) < 0) {
        return;
    }
    for (size_t i = 0; i < DEMO_RELAY_PAIRS; i++) {
        const short events[2] = {fds[FIRST + 2 * i].revents,
                                 fds[FIRST + 2 * i + 1].revents};

        if (relay->pairs[i].fd[0] >= 0 && (events[0] | events[1]) != 0) {
            serve_pair(relay, &relay->pairs[i], events);
        }
    }
    if (fds[1].revents) {
        accept_one(relay);
    }
}

static void *run(void *arg)
{
    struct demo_relay *relay = arg;

    for (;;) {
        bool is_cut;
        bool is_stopping;

        look(relay, &is_cut, &is_stopping);
        if (is_cut || is_stopping) {
            cut_all(relay);
        }
        if (is_stopping) {
            return NULL;
        }
        step(relay);
    }
}

/* ---- control ---- */

static void tell(struct demo_relay *relay, bool is_cut, bool is_stopping)
{
    pthread_mutex_lock(&relay->lock);
    relay->is_cut = is_cut;
    relay->is_stopping = is_stopping;
    pthread_mutex_unlock(&relay->lock);
    if (write(relay->wake[1], "w", 1) < 0) {
        /* The pipe is full: the thread wakes anyway. */
    }
}

static bool listen_anywhere(struct demo_relay *relay)
{
    struct sockaddr_in address = loopback(0);
    socklen_t len = sizeof(address);

    relay->listener = new_socket();
    if (relay->listener < 0 ||
        bind(relay->listener, (const struct sockaddr *)&address, sizeof(address)) ||
        listen(relay->listener, 16) ||
        getsockname(relay->listener, (struct sockaddr *)&address, &len)) {
        return false;
    }
    relay->port = ntohs(address.sin_port);
    return true;
}

static void release(struct demo_relay *relay)
{
    int fds[] = {relay->listener, relay->wake[0], relay->wake[1]};

    for (size_t i = 0; i < 3; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    pthread_mutex_destroy(&relay->lock);
    free(relay);
}

liana_status demo_relay_start(int target_port,
                              struct demo_relay **out,
                              struct liana_error *err)
{
    struct demo_relay *relay = calloc(1, sizeof(*relay));

    if (!relay) {
        return cli_err(err, LIANA_ENOMEM, "out of memory");
    }
    pthread_mutex_init(&relay->lock, NULL);
    relay->target_port = target_port;
    relay->listener = relay->wake[0] = relay->wake[1] = -1;
    for (size_t i = 0; i < DEMO_RELAY_PAIRS; i++) {
        relay->pairs[i].fd[0] = relay->pairs[i].fd[1] = -1;
    }
    if (!listen_anywhere(relay) || pipe(relay->wake) ||
        fcntl(relay->wake[0], F_SETFD, FD_CLOEXEC) ||
        fcntl(relay->wake[1], F_SETFD, FD_CLOEXEC) ||
        fcntl(relay->wake[1], F_SETFL, O_NONBLOCK) ||
        pthread_create(&relay->thread, NULL, run, relay)) {
        liana_status status = cli_err(err, LIANA_ENETWORK,
                                      "the relay cannot listen: %s", strerror(errno));

        release(relay);
        return status;
    }
    *out = relay;
    return LIANA_OK;
}

int demo_relay_port(const struct demo_relay *relay)
{
    return relay->port;
}

void demo_relay_cut(struct demo_relay *relay)
{
    tell(relay, true, false);
}

void demo_relay_join(struct demo_relay *relay)
{
    tell(relay, false, false);
}

static uint64_t get(struct demo_relay *relay, const uint64_t *value)
{
    uint64_t answer;

    pthread_mutex_lock(&relay->lock);
    answer = *value;
    pthread_mutex_unlock(&relay->lock);
    return answer;
}

uint64_t demo_relay_bytes(struct demo_relay *relay)
{
    return get(relay, &relay->bytes);
}

uint64_t demo_relay_resets(struct demo_relay *relay)
{
    return get(relay, &relay->resets);
}

void demo_relay_stop(struct demo_relay *relay)
{
    if (relay) {
        tell(relay, true, true);
        pthread_join(relay->thread, NULL);
        release(relay);
    }
}
