/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A name in a wide document is found by stepping over all that stand before it, since
 * BSON has no index: here with a handful of instructions for each.
 */
#include "codec/bson.h"

/* One more than the length of the payload; 0: it is to be asked for. */
static const uint8_t fixed_len[256] = {
    [LIA_BSON_DOUBLE] = 9,    [LIA_BSON_OBJECTID] = 13, [LIA_BSON_BOOL] = 2,
    [LIA_BSON_DATE] = 9,      [LIA_BSON_NULL] = 1,      [LIA_BSON_INT32] = 5,
    [LIA_BSON_TIMESTAMP] = 9, [LIA_BSON_INT64] = 9,     [LIA_BSON_DECIMAL128] = 17,
};

static inline uint64_t load(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 |
           (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 |
           (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

/* The first NUL, eight bytes at a time (Mycroft's test); NULL: none before the end. */
static inline const uint8_t *find_nul(const uint8_t *at, const uint8_t *end)
{
    for (; end - at >= 8; at += 8) {
        uint64_t word = load(at);
        uint64_t nul = (word - UINT64_C(0x0101010101010101)) & ~word &
                       UINT64_C(0x8080808080808080);

        if (nul) {
            return at + __builtin_ctzll(nul) / 8;
        }
    }
    while (at < end && *at) {
        at++;
    }
    return at < end ? at : NULL;
}

/* The end of the payload that begins at `at`; NULL when it does not fit. */
static inline const uint8_t *step_over(uint8_t type,
                                       const uint8_t *at,
                                       const uint8_t *end)
{
    size_t len = fixed_len[type];

    if (len) {
        return len - 1 <= (size_t)(end - at) ? at + len - 1 : NULL;
    }
    if (type == LIA_BSON_STRING && end - at >= 8) {
        len = (uint32_t)load(at);
        return len > 0 && len <= (size_t)(end - at - 4) && len <= INT32_MAX
                   ? at + 4 + len
                   : NULL;
    }
    return lia_bson_value_len(type, at, end, &len) ? at + len : NULL;
}

static inline bool is_name(const uint8_t *at, size_t len, struct liana_str name)
{
    return len == name.len && (len == 0 || (at[len - 1] == (uint8_t)name.ptr[len - 1] &&
                                            memcmp(at, name.ptr, len) == 0));
}

bool lia_bson_seek(struct lia_bson_iter *it, struct liana_str name)
{
    const uint8_t *at = it->at;

    while (at < it->end) {
        const uint8_t *nul = find_nul(at + 1, it->end);
        const uint8_t *next = nul ? step_over(*at, nul + 1, it->end) : NULL;

        if (!next) {
            break;
        }
        if (is_name(at + 1, (size_t)(nul - at) - 1, name)) {
            it->at = at;
            return lia_bson_next(it);
        }
        at = next;
    }
    it->at = it->end;
    return false;
}
