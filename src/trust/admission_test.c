/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "base/testing/random.h"
#include "trust/admission.h"

struct pair {
    struct lia_trust trust[2]; /* the dialer's, the listener's */
    struct lia_connection connection[2];
};

static struct pair pair_of(enum lia_trust_mode mode)
{
    struct pair p;

    memset(&p, 0, sizeof(p));
    for (size_t i = 0; i < 2; i++) {
        p.trust[i].mode = mode;
        for (size_t b = 0; b < LIA_SHARED_KEY_BYTES; b++) {
            p.trust[i].key.bytes[b] = (uint8_t)b;
        }
        memset(p.connection[i].exporter, 0xe0, LIA_EXPORTER_BYTES);
        memset(p.connection[i].own_id, i ? 0x10 : 0xd0, LIA_PEER_ID_BYTES);
        memset(p.connection[i].peer_id, i ? 0xd0 : 0x10, LIA_PEER_ID_BYTES);
        p.connection[i].is_dialer = i == 0;
    }
    return p;
}

/* What side `to` answers to the message of side `from`. */
static liana_status judged(const struct pair *p,
                           size_t from,
                           size_t to,
                           struct liana_error *err)
{
    struct lia_buf message;
    liana_status status;

    lia_buf_init(&message, &lia_mem_libc);
    lia_admission_encode(&p->trust[from], &p->connection[from], &message);
    assert_ok(message.status);
    status = lia_admission_check(&p->trust[to], &p->connection[to],
                                 lia_buf_slice(&message), err);
    lia_buf_deinit(&message);
    return status;
}

static void equal_keys_let_both_in(void **state)
{
    struct pair p = pair_of(LIA_TRUST_SHARED_KEY);

    (void)state;
    assert_ok(judged(&p, 0, 1, NULL));
    assert_ok(judged(&p, 1, 0, NULL));
}

/* Computed with Python's hmac. */
static void known_proofs(void **state)
{
    static const char *const expected[2] = {
        "\x01\x02\x20\x00\x36\x97\x87\xad\x0a\xb5\xf2\xe1\xa1\x69\xa4\xce\xc7\xfe\x3d"
        "\xa3"
        "\x4a\x1b\x22\x66\xf2\x99\xe8\xaf\xec\xae\x45\xfe\x59\x19\x35\xce",
        "\x01\x02\x20\x00\x40\x24\x92\x9a\x31\xce\xd9\x2c\xda\xb1\x75\x21\x29\x79\x93"
        "\x3b"
        "\x1e\x65\x01\x81\x7e\x7f\xf8\xb5\x28\xa6\xec\x45\x03\xc6\x7f\x30"};
    struct pair p = pair_of(LIA_TRUST_SHARED_KEY);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct lia_buf message;

        lia_buf_init(&message, &lia_mem_libc);
        lia_admission_encode(&p.trust[i], &p.connection[i], &message);
        assert_slice_equal(lia_buf_slice(&message),
                           lia_slice(expected[i], LIA_ADMISSION_BYTES_MAX));
        lia_buf_deinit(&message);
    }
}

static void a_wrong_key_is_refused_at_both_ends(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < LIA_SHARED_KEY_BYTES * 8; bit++) {
        struct liana_error err = LIANA_ERROR_INIT;
        struct pair p = pair_of(LIA_TRUST_SHARED_KEY);

        p.trust[1].key.bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_status(LIANA_EAUTH, judged(&p, 0, 1, NULL));
        assert_status(LIANA_EAUTH, judged(&p, 1, 0, &err));
        assert_non_null(strstr(err.message, "shared keys differ"));
    }
}

static void a_wrong_mode_is_refused_at_both_ends(void **state)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct pair p = pair_of(LIA_TRUST_SHARED_KEY);

    (void)state;
    p.trust[1].mode = LIA_TRUST_OPEN;
    assert_status(LIANA_EAUTH, judged(&p, 0, 1, NULL));
    assert_status(LIANA_EAUTH, judged(&p, 1, 0, &err));
    assert_string_equal(err.message,
                        "the peer uses trust mode 'open', we use 'shared key'");
}

static void open_lets_everybody_in(void **state)
{
    struct pair p = pair_of(LIA_TRUST_OPEN);

    (void)state;
    p.trust[1].key.bytes[0] ^= 1;
    assert_ok(judged(&p, 0, 1, NULL));
    assert_ok(judged(&p, 1, 0, NULL));
}

/* A man in the middle has one connection with each side. */
static void a_proof_is_good_for_its_connection_alone(void **state)
{
    struct pair p = pair_of(LIA_TRUST_SHARED_KEY);

    (void)state;
    p.connection[1].exporter[31] ^= 1;
    assert_status(LIANA_EAUTH, judged(&p, 0, 1, NULL));
    p = pair_of(LIA_TRUST_SHARED_KEY);
    p.connection[1].peer_id[0] ^= 1;
    assert_status(LIANA_EAUTH, judged(&p, 0, 1, NULL));
    p = pair_of(LIA_TRUST_SHARED_KEY);
    p.connection[1].own_id[15] ^= 1;
    assert_status(LIANA_EAUTH, judged(&p, 0, 1, NULL));
}

/* The proof that we sent, sent back to us. */
static void a_reflected_proof_is_refused(void **state)
{
    struct pair p = pair_of(LIA_TRUST_SHARED_KEY);

    (void)state;
    assert_status(LIANA_EAUTH, judged(&p, 0, 0, NULL));
    assert_status(LIANA_EAUTH, judged(&p, 1, 1, NULL));
}

static void hostile_messages_never_pass(void **state)
{
    struct lia_rng rng = lia_rng(lia_test_seed("hostile_messages_never_pass"));
    struct pair p = pair_of(LIA_TRUST_SHARED_KEY);

    (void)state;
    for (size_t i = 0; i < lia_test_cases(20000); i++) {
        uint8_t bytes[48];
        size_t n = lia_rng_below(&rng, sizeof(bytes) + 1);
        liana_status status;

        lia_rng_bytes(&rng, bytes, sizeof(bytes));
        if (lia_rng_chance(&rng, 75)) {
            memcpy(bytes, "\x01\x02\x20\x00", 1 + lia_rng_below(&rng, 4));
        }
        status = lia_admission_check(&p.trust[0], &p.connection[0], lia_slice(bytes, n),
                                     NULL);
        assert_true(status == LIANA_EPROTOCOL || status == LIANA_EAUTH);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(equal_keys_let_both_in),
    cmocka_unit_test(known_proofs),
    cmocka_unit_test(a_wrong_key_is_refused_at_both_ends),
    cmocka_unit_test(a_wrong_mode_is_refused_at_both_ends),
    cmocka_unit_test(open_lets_everybody_in),
    cmocka_unit_test(a_proof_is_good_for_its_connection_alone),
    cmocka_unit_test(a_reflected_proof_is_refused),
    cmocka_unit_test(hostile_messages_never_pass),
};

LIA_TEST_MAIN(tests)
