/* SPDX-License-Identifier: Apache-2.0 */
#include "node/auth.h"

#include <assert.h>

static_assert(LIA_ADMISSION_BYTES_MAX <= LIA_PROOF_BYTES_MAX, "room for the message");
static_assert(LIA_EXPORTER_BYTES == LIA_LINK_EXPORTER_BYTES, "one secret");

static struct lia_connection connection_of(const struct lia_link *link,
                                           const uint8_t self[LIA_PEER_ID_BYTES])
{
    struct lia_connection connection = {.is_dialer = link->is_dialer};

    memcpy(connection.own_id, self, LIA_PEER_ID_BYTES);
    memcpy(connection.peer_id, link->remote, LIA_PEER_ID_BYTES);
    memcpy(connection.exporter, link->exporter, LIA_EXPORTER_BYTES);
    return connection;
}

static liana_status prove(void *ctx,
                          const struct lia_link *link,
                          const uint8_t self[LIA_PEER_ID_BYTES],
                          uint8_t out[LIA_PROOF_BYTES_MAX],
                          size_t *out_len)
{
    struct lia_connection connection = connection_of(link, self);
    struct lia_buf message;
    liana_status status;

    lia_buf_init_max(&message, &lia_mem_libc, LIA_PROOF_BYTES_MAX);
    lia_admission_encode(ctx, &connection, &message);
    lia_mem_wipe(&connection, sizeof(connection));
    status = message.status;
    if (!status) {
        memcpy(out, message.ptr, message.len);
        *out_len = message.len;
    }
    lia_buf_deinit(&message);
    return status;
}

static liana_status verify(void *ctx,
                           const struct lia_link *link,
                           const uint8_t self[LIA_PEER_ID_BYTES],
                           struct liana_slice proof,
                           struct liana_error *err)
{
    struct lia_connection connection = connection_of(link, self);
    liana_status status = lia_admission_check(ctx, &connection, proof, err);

    lia_mem_wipe(&connection, sizeof(connection));
    return status;
}

struct lia_peer_auth lia_auth_of(const struct lia_trust *trust)
{
    /* The hooks read it only. */
    return (struct lia_peer_auth){
        .ctx = (void *)(uintptr_t)trust, .prove = prove, .verify = verify};
}
