/* SPDX-License-Identifier: Apache-2.0 */
#include "db/retain.h"

#include "crdt/stamp.h"

uint64_t lia_retain_due_ms(const struct lia_collection_options *options, uint64_t hlc)
{
    const uint64_t made_ms = lia_hlc_ms(hlc);

    return options->ttl_ms && options->ttl_ms < UINT64_MAX - made_ms
               ? made_ms + options->ttl_ms
               : UINT64_MAX;
}

enum lia_excess lia_retain_judge(const struct lia_collection_options *options,
                                 const struct lia_retained *left,
                                 uint64_t hlc,
                                 uint64_t now_ms)
{
    if (now_ms && now_ms >= lia_retain_due_ms(options, hlc)) {
        return options->unkept ? LIA_EXCESS_ANY : LIA_EXCESS_KEPT;
    }
    if ((options->keep && left->documents > options->keep) ||
        (options->quota_bytes && left->bytes > options->quota_bytes)) {
        return LIA_EXCESS_KEPT;
    }
    return LIA_EXCESS_NONE;
}
