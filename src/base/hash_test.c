/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "base/hash.h"
#include "base/testing/random.h"

/* RFC 7693, appendix A: BLAKE2b-512("abc"). */
static const char abc_512[] =
    "\xba\x80\xa5\x3f\x98\x1c\x4d\x0d\x6a\x27\x97\xb6\x9f\x12\xf6\xe9"
    "\x4c\x21\x2f\x14\x68\x5a\xc4\xb7\x4b\x12\xbb\x6f\xdb\xff\xa2\xd1"
    "\x7d\x87\xc5\x39\x2a\xab\x79\x2d\xc2\x52\xd5\xde\x45\x33\xcc\x95"
    "\x18\xd3\x8a\xa8\xdb\xf1\x92\x5a\xb9\x23\x86\xed\xd4\x00\x99\x23";

static void the_rfc_vector(void **state)
{
    uint8_t out[64];

    (void)state;
    lia_hash(LIA_BYTES("abc"), out, sizeof(out));
    assert_memory_equal(out, abc_512, sizeof(out));
}

/* RFC 7693, appendix E: the self test over every length of output, input and key that
 * matters, folded into one BLAKE2b-256. */
static void fill(uint8_t *out, size_t len, uint32_t seed)
{
    uint32_t a = UINT32_C(0xdead4bad) * seed;
    uint32_t b = 1;

    for (size_t i = 0; i < len; i++) {
        uint32_t t = a + b;

        a = b;
        b = t;
        out[i] = (uint8_t)(t >> 24);
    }
}

static void the_rfc_self_test(void **state)
{
    static const size_t out_lens[] = {20, 32, 48, 64};
    static const size_t in_lens[] = {0, 3, 128, 129, 255, 1024};
    static const char expected[] =
        "\xc2\x3a\x78\x00\xd9\x81\x23\xbd\x10\xf5\x06\xc6\x1e\x29\xda\x56"
        "\x03\xd7\x63\xb8\xbb\xad\x2e\x73\x7f\x5e\x76\x5a\x7b\xcc\xd4\x75";
    uint8_t in[1024];
    uint8_t key[64];
    uint8_t out[64];
    struct lia_hash all;
    struct lia_hash one;

    (void)state;
    lia_hash_start(&all, lia_slice(NULL, 0), 32);
    for (size_t o = 0; o < 4; o++) {
        size_t len = out_lens[o];

        for (size_t i = 0; i < 6; i++) {
            fill(in, in_lens[i], (uint32_t)in_lens[i]);
            lia_hash(lia_slice(in, in_lens[i]), out, len);
            lia_hash_add(&all, lia_slice(out, len));

            fill(key, len, (uint32_t)len);
            lia_hash_start(&one, lia_slice(key, len), len);
            lia_hash_add(&one, lia_slice(in, in_lens[i]));
            lia_hash_end(&one, out, len);
            lia_hash_add(&all, lia_slice(out, len));
        }
    }
    lia_hash_end(&all, out, 32);
    assert_memory_equal(out, expected, 32);
}

static void pieces_hash_as_the_whole(void **state)
{
    struct lia_rng rng = lia_rng(lia_test_seed("pieces_hash_as_the_whole"));
    uint8_t text[1000];
    uint8_t whole[32];
    uint8_t pieces[32];

    (void)state;
    lia_rng_bytes(&rng, text, sizeof(text));
    lia_hash(lia_slice(text, sizeof(text)), whole, sizeof(whole));
    for (int round = 0; round < 100; round++) {
        struct lia_hash hash;
        size_t at = 0;

        lia_hash_start(&hash, lia_slice(NULL, 0), sizeof(pieces));
        while (at < sizeof(text)) {
            size_t n = (size_t)lia_rng_below(&rng, sizeof(text) - at + 1);

            lia_hash_add(&hash, lia_slice(text + at, n));
            at += n;
        }
        lia_hash_end(&hash, pieces, sizeof(pieces));
        assert_memory_equal(pieces, whole, sizeof(whole));
    }
}

static void the_short_hash_is_the_beginning_of_the_long_one(void **state)
{
    uint8_t out[32];
    uint64_t v = 0;

    (void)state;
    lia_hash(LIA_BYTES("till 2"), out, sizeof(out));
    for (size_t i = 8; i > 0; i--) {
        v = v << 8 | out[i - 1];
    }
    assert_true(lia_hash64(LIA_BYTES("till 2")) == v);
    assert_true(lia_hash64(LIA_BYTES("till 3")) != v);
}

/* Aumasson and Bernstein, "SipHash: a fast short-input PRF", appendix A. */
static void the_siphash_vector(void **state)
{
    uint8_t key[LIA_HASH_SHORT_KEY];
    uint8_t text[15];
    uint64_t v;

    (void)state;
    for (size_t i = 0; i < sizeof(key); i++) {
        key[i] = (uint8_t)i;
    }
    memcpy(text, key, sizeof(text));
    v = lia_hash_short(lia_slice(text, sizeof(text)), key);
    assert_memory_equal(&v, "\xe5\x45\xbe\x49\x61\xca\x29\xa1", 8);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(the_rfc_vector),
    cmocka_unit_test(the_rfc_self_test),
    cmocka_unit_test(pieces_hash_as_the_whole),
    cmocka_unit_test(the_short_hash_is_the_beginning_of_the_long_one),
    cmocka_unit_test(the_siphash_vector),
};

LIA_TEST_MAIN(cases)
