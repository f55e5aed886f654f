/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

/* Growing the shared WAL index fails with a number of its own when the disk is full. */
liana_status lia_sqlite_status(int code)
{
    switch (code) {
    case SQLITE_IOERR_NOMEM: return LIANA_ENOMEM;
    case SQLITE_IOERR_SHMSIZE: return LIANA_EFULL;
    default: break;
    }
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return LIANA_OK;
    case SQLITE_ERROR: return LIANA_EINVAL;
    case SQLITE_NOMEM: return LIANA_ENOMEM;
    case SQLITE_FULL: return LIANA_EFULL;
    case SQLITE_TOOBIG: return LIANA_ETOOLARGE;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: return LIANA_EBUSY;
    case SQLITE_READONLY: return LIANA_EREADONLY;
    case SQLITE_PERM:
    case SQLITE_AUTH: return LIANA_EDENIED;
    case SQLITE_INTERRUPT:
    case SQLITE_ABORT: return LIANA_ECANCELED;
    case SQLITE_CORRUPT:
    case SQLITE_CONSTRAINT: /* no statement of ours breaks one */
    case SQLITE_FORMAT: return LIANA_ECORRUPT;
    case SQLITE_NOTADB: return LIANA_EFOREIGN;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_NOLFS: return LIANA_EIO;
    default: return LIANA_EINTERNAL;
    }
}
