/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz/tls_input - any bytes as the first of a TLS connection, to either end: the first byte
 * says to which, the rest arrives in pieces. An end goes on or fails with a status; without
 * the other's key it is never up.
 */
#include "net/tls/tls.h"

#include "base/env.h"
#include "base/slice.h"
#include "trust/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One key for all inputs, always the same: a finding must repeat. */
static void steady(void *ctx, void *out, size_t len)
{
    (void)ctx;
    memset(out, 7, len);
}

static const struct lia_tls_config *config(void)
{
    static struct lia_tls_config made;
    static struct lia_identity identity;
    struct lia_env env;

    if (!made.ctx) {
        LIA_ASSERT(lia_env_system(&env) == LIANA_OK);
        env.random = steady;
        LIA_ASSERT(lia_identity_generate(&env, &identity, NULL) == LIANA_OK);
        LIA_ASSERT(lia_tls_config_init(&made, identity.key, identity.certificate,
                                       NULL) == LIANA_OK);
    }
    return &made;
}

static liana_status read_all(struct lia_tls *tls)
{
    struct liana_error err = LIANA_ERROR_INIT;
    liana_status status;
    uint8_t clear[512];
    size_t n;

    do {
        status = lia_tls_read(tls, clear, sizeof(clear), &n, &err);
        lia_tls_output(tls);
        lia_tls_sent(tls);
        LIA_ASSERT(!status || err.message[0] != '\0');
    } while (!status && n > 0);
    LIA_ASSERT(!lia_tls_is_up(tls));
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lia_tls *tls;
    size_t at = 1;

    if (size == 0 ||
        lia_tls_new(&lia_mem_libc, config(), data[0] & 1, &tls, NULL) != LIANA_OK) {
        return 0;
    }
    while (read_all(tls) == LIANA_OK && at < size) {
        size_t n = size - at < 61 ? size - at : 61;

        LIA_ASSERT(lia_tls_receive(tls, lia_slice(data + at, n)) == LIANA_OK);
        at += n;
    }
    lia_tls_free(tls);
    return 0;
}
