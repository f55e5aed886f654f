/* SPDX-License-Identifier: Apache-2.0 */
#include "net/uv_error.h"

#include <uv.h>

liana_status lia_uv_status(int number)
{
    switch (number) {
    case 0: return LIANA_OK;
    case UV_ENOMEM:
    case UV_ENOBUFS:
    case UV_EAI_MEMORY: return LIANA_ENOMEM;
    case UV_EMFILE:
    case UV_ENFILE: return LIANA_ELIMIT;
    case UV_ECANCELED: return LIANA_ECANCELED;
    case UV_EACCES:
    case UV_EPERM: return LIANA_EDENIED;
    case UV_EADDRINUSE: return LIANA_EADDRINUSE;
    case UV_ENAMETOOLONG: return LIANA_ETOOLARGE;
    case UV_EOF:
    case UV_ECONNRESET:
    case UV_ECONNABORTED:
    case UV_EPIPE:
    case UV_ENOTCONN: return LIANA_ECLOSED;
    case UV_ECONNREFUSED:
    case UV_EHOSTUNREACH:
    case UV_ENETUNREACH:
    case UV_ENETDOWN:
    case UV_ETIMEDOUT:
    case UV_ENOENT:
    case UV_EAI_AGAIN:
    case UV_EAI_FAIL:
    case UV_EAI_NODATA:
    case UV_EAI_NONAME: return LIANA_EUNREACHABLE;
    default: return LIANA_ENETWORK;
    }
}

liana_status lia_err_uv(struct liana_error *err,
                        int number,
                        const char *what,
                        const char *name)
{
    char text[96];

    uv_strerror_r(number, text, sizeof(text));
    return lia_err_sub(err, lia_uv_status(number), number, "%s %s: %s", what, name,
                       text);
}
