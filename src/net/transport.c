/* SPDX-License-Identifier: Apache-2.0 */
#include "net/transport.h"

#include <stdio.h>
#include <string.h>

static const struct lia_transport *const transports[] = {
#define LIA_TRANSPORT(name) &lia_transport_##name,
#include "net/transports.def"
#undef LIA_TRANSPORT
};

#define TRANSPORT_COUNT (sizeof(transports) / sizeof(transports[0]))

liana_status lia_transport_find(const struct lia_address *address,
                                const struct lia_transport **out,
                                struct liana_error *err)
{
    char known[64] = "";
    size_t used = 0;

    for (size_t i = 0; i < TRANSPORT_COUNT; i++) {
        if (strcmp(transports[i]->scheme, address->scheme) == 0) {
            *out = transports[i];
            return LIANA_OK;
        }
    }
    for (size_t i = 0; i < TRANSPORT_COUNT && used < sizeof(known); i++) {
        used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
                                 i ? ", " : "", transports[i]->scheme);
    }
    return lia_err(err, LIANA_EINVAL, "no transport is called '%s'; there are: %s",
                   address->scheme, known);
}
