/* SPDX-License-Identifier: Apache-2.0 */
#include "api/handle.h"

liana_status lia_api_invalid(struct liana_error *err, const char *what)
{
    return lia_err(err, LIANA_EINVAL, "%s", what);
}

bool lia_api_is_text(struct liana_str s)
{
    return s.ptr || s.len == 0;
}

bool lia_api_are_texts(const struct liana_str *texts, size_t count)
{
    bool are = texts || count == 0;

    for (size_t i = 0; i < count && are; i++) {
        are = lia_api_is_text(texts[i]);
    }
    return are;
}

liana_status lia_api_check_unused(const char *path,
                                  size_t uses,
                                  struct liana_error *err)
{
    return uses == 0 ? LIANA_OK
                     : lia_err(err, LIANA_EBUSY,
                               "%s: %zu transactions, results or feeds are still open",
                               path, uses);
}
