/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz/control_frame - any bytes on the control socket: frames are taken off the front, each
 * whole, and the bodies that both ends read themselves are read.
 */
#include "node/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct liana_slice in = {data, size};
    struct lia_control_frame frame;
    liana_status status;

    do {
        size_t before = in.len;

        status = lia_control_frame_next(&in, &frame, NULL);
        if (!status) {
            LIA_ASSERT(in.len + LIA_CONTROL_HEAD + frame.body.len == before);
            LIA_IGNORE(lia_control_hello_check(frame.body, NULL)); /* may be none */
            LIA_ASSERT(lia_control_error_decode(frame.body, NULL) != LIANA_OK);
        }
    } while (!status);
    LIA_ASSERT(status == LIANA_EEND || status == LIANA_EPROTOCOL);
    return 0;
}
