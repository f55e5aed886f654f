/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/buf.h"
#include "base/testing/alloc.h"
#include "base/testing/random.h"
#include "net/testing/identity.h"
#include "net/tls/tls.h"

enum { CLIENT, SERVER };

/* Two ends and what flows between them. */
struct pair {
    struct lia_test_alloc alloc;
    struct lia_test_identity identity[2];
    struct lia_tls_config config[2];
    struct lia_tls *tls[2];
    liana_status status[2]; /* that ended this end; LIANA_EEND: the other finished */
    struct liana_error err[2];
    struct lia_buf received[2]; /* in clear */
    size_t moved[2];            /* bytes sent by each end */
    size_t record_max;          /* payload of the longest record seen */
    struct lia_rng *corrupt;    /* flips a bit of some flights; NULL: none */
};

static void pair_init(struct pair *p)
{
    memset(p, 0, sizeof(*p));
    lia_test_alloc_init(&p->alloc);
    for (int i = 0; i < 2; i++) {
        p->config[i] = lia_test_tls_config(&p->identity[i]);
        lia_buf_init(&p->received[i], &p->alloc.alloc);
    }
}

static void pair_connect(struct pair *p)
{
    for (int i = 0; i < 2; i++) {
        assert_ok(
            lia_tls_new(&p->alloc.alloc, &p->config[i], i == CLIENT, &p->tls[i], NULL));
    }
}

static void pair_deinit(struct pair *p)
{
    for (int i = 0; i < 2; i++) {
        lia_tls_free(p->tls[i]);
        lia_tls_config_deinit(&p->config[i]);
        lia_test_identity_deinit(&p->identity[i]);
        lia_buf_deinit(&p->received[i]);
    }
    lia_test_alloc_finish(&p->alloc);
}

static void read_all(struct pair *p, int i)
{
    uint8_t buf[1000];
    size_t n = 1;

    while (!p->status[i] && n > 0) {
        p->status[i] = lia_tls_read(p->tls[i], buf, sizeof(buf), &n, &p->err[i]);
        lia_buf_bytes(&p->received[i], buf, n);
    }
}

static void note_records(struct pair *p, struct liana_slice bytes)
{
    while (bytes.len >= 5) {
        size_t len = (size_t)bytes.ptr[3] << 8 | bytes.ptr[4];

        p->record_max = len > p->record_max ? len : p->record_max;
        if (len + 5 > bytes.len) {
            return;
        }
        bytes = lia_slice_sub(bytes, len + 5, bytes.len - len - 5);
    }
}

/* Carries what end `i` has to send to the other end; false if that is nothing. */
static bool carry(struct pair *p, int i)
{
    struct liana_slice out = lia_tls_output(p->tls[i]);
    struct lia_buf copy;

    if (out.len == 0) {
        return false;
    }
    p->moved[i] += out.len;
    note_records(p, out);
    lia_buf_init(&copy, &p->alloc.alloc);
    lia_buf_slice_add(&copy, out);
    lia_tls_sent(p->tls[i]);
    if (p->corrupt && lia_rng_chance(p->corrupt, 40)) {
        size_t bit = lia_rng_below(p->corrupt, copy.len * 8);

        copy.ptr[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    if (!p->status[!i]) {
        assert_ok(lia_tls_receive(p->tls[!i], lia_buf_slice(&copy)));
    }
    lia_buf_deinit(&copy);
    return true;
}

/* Until nothing moves any more. */
static void settle(struct pair *p)
{
    bool has_moved = true;

    while (has_moved) {
        has_moved = false;
        for (int i = 0; i < 2; i++) {
            read_all(p, i);
            has_moved |= carry(p, i);
        }
    }
}

static bool both_up(const struct pair *p)
{
    return lia_tls_is_up(p->tls[0]) && lia_tls_is_up(p->tls[1]);
}

static void both_ends_know_each_other(void **state)
{
    struct pair p;

    (void)state;
    pair_init(&p);
    pair_connect(&p);
    settle(&p);
    assert_true(both_up(&p));
    for (int i = 0; i < 2; i++) {
        assert_memory_equal(lia_tls_peer(p.tls[i])->public_key,
                            p.identity[!i].public_key, LIA_TLS_KEY_BYTES);
    }
    assert_memory_equal(lia_tls_peer(p.tls[0])->exporter,
                        lia_tls_peer(p.tls[1])->exporter, LIA_TLS_EXPORTER_BYTES);
    pair_deinit(&p);
}

static void each_connection_has_its_own_secret(void **state)
{
    uint8_t first[LIA_TLS_EXPORTER_BYTES];
    struct pair p;

    (void)state;
    pair_init(&p);
    pair_connect(&p);
    settle(&p);
    memcpy(first, lia_tls_peer(p.tls[0])->exporter, sizeof(first));
    lia_tls_free(p.tls[0]);
    lia_tls_free(p.tls[1]);
    pair_connect(&p);
    settle(&p);
    assert_memory_not_equal(lia_tls_peer(p.tls[0])->exporter, first, sizeof(first));
    pair_deinit(&p);
}

static void data_goes_both_ways_in_small_records(void **state)
{
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 100000};
    struct lia_rng rng = lia_rng(lia_test_seed("data_goes_both_ways_in_small_records"));
    struct lia_buf sent[2];
    struct pair p;

    (void)state;
    pair_init(&p);
    pair_connect(&p);
    settle(&p);
    p.record_max = 0;
    for (int i = 0; i < 2; i++) {
        lia_buf_init(&sent[i], &p.alloc.alloc);
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
            size_t at = sent[i].len;
            uint8_t *room = lia_buf_extend(&sent[i], sizes[s]);

            lia_rng_bytes(&rng, room, sizes[s]);
            assert_ok(lia_tls_write(
                p.tls[i], lia_slice_sub(lia_buf_slice(&sent[i]), at, sizes[s]), NULL));
        }
    }
    settle(&p);
    for (int i = 0; i < 2; i++) {
        assert_ok(p.status[i]);
        assert_slice_equal(lia_buf_slice(&p.received[i]), lia_buf_slice(&sent[!i]));
    }
    lia_buf_deinit(&sent[0]);
    lia_buf_deinit(&sent[1]);
    assert_true(p.record_max <= LIA_TLS_RECORD_BYTES + 17); /* type byte and tag */
    pair_deinit(&p);
}

static void finish_is_told_and_the_other_way_stays_open(void **state)
{
    struct pair p;

    (void)state;
    pair_init(&p);
    pair_connect(&p);
    settle(&p);
    assert_ok(lia_tls_write(p.tls[CLIENT], LIA_BYTES("last"), NULL));
    lia_tls_finish(p.tls[CLIENT]);
    settle(&p);
    assert_int_equal(p.status[SERVER], LIANA_EEND);
    assert_slice_equal(lia_buf_slice(&p.received[SERVER]), LIA_BYTES("last"));
    assert_ok(lia_tls_write(p.tls[SERVER], LIA_BYTES("answer"), NULL));
    lia_tls_finish(p.tls[SERVER]);
    settle(&p);
    assert_slice_equal(lia_buf_slice(&p.received[CLIENT]), LIA_BYTES("answer"));
    assert_int_equal(p.status[CLIENT], LIANA_EEND);
    pair_deinit(&p);
}

static void count_key_updates(int is_write,
                              int version,
                              int type,
                              const void *buf,
                              size_t len,
                              SSL *ssl,
                              void *ctx)
{
    (void)version;
    (void)ssl;
    if (is_write && type == SSL3_RT_HANDSHAKE && len > 0 &&
        *(const uint8_t *)buf == SSL3_MT_KEY_UPDATE) {
        *(int *)ctx += 1;
    }
}

static void sending_keys_are_renewed(void **state)
{
    static const uint8_t block[1000];
    struct pair p;
    int updates = 0;

    (void)state;
    pair_init(&p);
    p.config[CLIENT].rekey_bytes = 10 * sizeof(block);
    SSL_CTX_set_msg_callback(p.config[CLIENT].ctx, count_key_updates);
    SSL_CTX_set_msg_callback_arg(p.config[CLIENT].ctx, &updates);
    pair_connect(&p);
    settle(&p);
    for (int i = 0; i < 100; i++) {
        assert_ok(lia_tls_write(p.tls[CLIENT], lia_slice(block, sizeof(block)), NULL));
        settle(&p);
    }
    assert_int_equal(updates, 9);
    assert_int_equal(p.received[SERVER].len, 100 * sizeof(block));
    pair_deinit(&p);
}

/* ---- ends that are not ours ---- */

/* A context that does everything right, to be spoilt. */
static SSL_CTX *stranger(struct lia_test_identity *identity)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    assert_non_null(ctx);
    assert_int_equal(SSL_CTX_use_certificate(ctx, identity->certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, identity->key), 1);
    assert_int_equal(SSL_CTX_set_alpn_protos(ctx, (const uint8_t *)"\x07liana/1", 8),
                     0);
    return ctx;
}

static void spoil_nothing(struct pair *p, SSL_CTX *ctx)
{
    (void)p;
    (void)ctx;
}

static void spoil_version(struct pair *p, SSL_CTX *ctx)
{
    (void)p;
    SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
}

static void spoil_alpn(struct pair *p, SSL_CTX *ctx)
{
    (void)p;
    SSL_CTX_set_alpn_protos(ctx, (const uint8_t *)"\x02h2", 3);
}

static void spoil_by_no_alpn(struct pair *p, SSL_CTX *ctx)
{
    (void)p;
    SSL_CTX_set_alpn_protos(ctx, NULL, 0);
}

static void spoil_key_kind(struct pair *p, SSL_CTX *ctx)
{
    lia_test_identity_deinit(&p->identity[CLIENT]);
    p->identity[CLIENT] = lia_test_identity("P-256");
    SSL_CTX_use_certificate(ctx, p->identity[CLIENT].certificate);
    SSL_CTX_use_PrivateKey(ctx, p->identity[CLIENT].key);
}

static void spoil_chain(struct pair *p, SSL_CTX *ctx)
{
    SSL_CTX_add1_chain_cert(ctx, p->identity[SERVER].certificate);
}

static SSL_CTX *without_certificate(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    assert_non_null(ctx);
    SSL_CTX_set_alpn_protos(ctx, (const uint8_t *)"\x07liana/1", 8);
    return ctx;
}

static const struct {
    const char *name;
    void (*spoil)(struct pair *p, SSL_CTX *ctx);
    bool begins_without_certificate;
    liana_status ours; /* that our end gives */
} strangers[] = {
    {"nothing is wrong", spoil_nothing, false, LIANA_OK},
    {"TLS 1.2", spoil_version, false, LIANA_EPROTOCOL},
    {"another protocol", spoil_alpn, false, LIANA_EPROTOCOL},
    {"no protocol named", spoil_by_no_alpn, false, LIANA_EPROTOCOL},
    {"a P-256 key", spoil_key_kind, true, LIANA_EAUTH},
    {"a chain of two", spoil_chain, false, LIANA_EAUTH},
    {"no certificate", spoil_nothing, true, LIANA_EAUTH},
};

static void strangers_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        struct pair p;
        SSL_CTX *ctx;

        print_message("%s\n", strangers[i].name);
        pair_init(&p);
        ctx = strangers[i].begins_without_certificate ? without_certificate()
                                                      : stranger(&p.identity[CLIENT]);
        strangers[i].spoil(&p, ctx);
        lia_tls_config_deinit(&p.config[CLIENT]);
        p.config[CLIENT].ctx = ctx;
        pair_connect(&p);
        settle(&p);
        if (p.status[SERVER] != strangers[i].ours) {
            print_error("%s\n", p.err[SERVER].message);
        }
        assert_status(strangers[i].ours, p.status[SERVER]);
        if (strangers[i].ours) {
            assert_non_null(strstr(p.err[SERVER].message, "TLS: "));
            assert_false(lia_tls_is_up(p.tls[SERVER]));
            /* The alert reached the other end. */
            assert_int_not_equal(p.status[CLIENT], LIANA_OK);
        } else {
            assert_true(both_up(&p));
        }
        pair_deinit(&p);
    }
}

static void our_client_refuses_a_p256_server(void **state)
{
    struct pair p;
    SSL_CTX *ctx;

    (void)state;
    pair_init(&p);
    lia_test_identity_deinit(&p.identity[SERVER]);
    p.identity[SERVER] = lia_test_identity("P-256");
    ctx = stranger(&p.identity[SERVER]);
    lia_tls_config_deinit(&p.config[SERVER]);
    p.config[SERVER].ctx = ctx;
    pair_connect(&p);
    settle(&p);
    assert_int_not_equal(p.status[CLIENT], LIANA_OK);
    assert_false(lia_tls_is_up(p.tls[CLIENT]));
    pair_deinit(&p);
}

static int on_session(SSL *ssl, SSL_SESSION *session)
{
    (void)session;
    *(bool *)SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)) = true;
    return 0;
}

static void no_session_can_be_resumed(void **state)
{
    bool has_ticket = false;
    struct pair p;
    SSL_CTX *ctx;

    (void)state;
    pair_init(&p);
    ctx = stranger(&p.identity[CLIENT]);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_set_app_data(ctx, &has_ticket);
    SSL_CTX_sess_set_new_cb(ctx, on_session);
    lia_tls_config_deinit(&p.config[CLIENT]);
    p.config[CLIENT].ctx = ctx;
    pair_connect(&p);
    settle(&p);
    assert_true(both_up(&p));
    assert_false(has_ticket);
    pair_deinit(&p);
}

/* ---- hostile bytes ---- */

static void rubbish_ends_the_connection(void **state)
{
    struct lia_rng rng = lia_rng(lia_test_seed("rubbish_ends_the_connection"));

    (void)state;
    for (size_t i = 0; i < lia_test_cases(200); i++) {
        uint8_t bytes[2000];
        struct pair p;
        int victim = (int)lia_rng_below(&rng, 2);

        pair_init(&p);
        pair_connect(&p);
        lia_rng_bytes(&rng, bytes, sizeof(bytes));
        if (lia_rng_chance(&rng, 50)) {
            memcpy(bytes, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
        }
        assert_ok(lia_tls_receive(p.tls[victim], lia_slice(bytes, sizeof(bytes))));
        read_all(&p, victim);
        assert_int_equal(p.status[victim], LIANA_EPROTOCOL);
        assert_true(strlen(p.err[victim].message) > strlen("TLS: "));
        pair_deinit(&p);
    }
}

/* A bit that flips on the way ends both ends with an error, or (in a part of a message
 * that nobody reads) nothing at all; data is never altered. */
static void a_flipped_bit_never_passes(void **state)
{
    struct lia_rng rng = lia_rng(lia_test_seed("a_flipped_bit_never_passes"));

    (void)state;
    for (size_t i = 0; i < lia_test_cases(200); i++) {
        struct pair p;

        pair_init(&p);
        pair_connect(&p);
        p.corrupt = &rng;
        settle(&p);
        if (both_up(&p) && !p.status[CLIENT]) {
            assert_ok(lia_tls_write(p.tls[CLIENT], LIA_BYTES("payload"), NULL));
            settle(&p);
        }
        assert_true(
            p.received[SERVER].len == 0 ||
            lia_slice_equal(lia_buf_slice(&p.received[SERVER]), LIA_BYTES("payload")));
        pair_deinit(&p);
    }
}

static void an_http_client_is_told_apart(void **state)
{
    struct pair p;

    (void)state;
    pair_init(&p);
    pair_connect(&p);
    assert_ok(lia_tls_receive(p.tls[SERVER], LIA_BYTES("GET / HTTP/1.1\r\n\r\n")));
    read_all(&p, SERVER);
    assert_int_equal(p.status[SERVER], LIANA_EPROTOCOL);
    assert_string_equal(p.err[SERVER].message, "TLS: http request");
    pair_deinit(&p);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(both_ends_know_each_other),
    cmocka_unit_test(each_connection_has_its_own_secret),
    cmocka_unit_test(data_goes_both_ways_in_small_records),
    cmocka_unit_test(finish_is_told_and_the_other_way_stays_open),
    cmocka_unit_test(sending_keys_are_renewed),
    cmocka_unit_test(strangers_are_refused),
    cmocka_unit_test(our_client_refuses_a_p256_server),
    cmocka_unit_test(no_session_can_be_resumed),
    cmocka_unit_test(rubbish_ends_the_connection),
    cmocka_unit_test(a_flipped_bit_never_passes),
    cmocka_unit_test(an_http_client_is_told_apart),
};

LIA_TEST_MAIN(tests)
