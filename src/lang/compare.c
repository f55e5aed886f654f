/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/compare.h"

bool lia_compare(struct lia_value a, struct lia_value b, int *order)
{
    if (lia_is_missing(a) || lia_is_missing(b) ||
        lia_value_class(a) != lia_value_class(b)) {
        return false;
    }
    *order = lia_value_cmp(a, b);
    return true;
}

bool lia_array_has(struct liana_slice array, struct lia_value v)
{
    struct lia_bson_iter it = lia_bson_iter(array);
    int order;

    while (lia_bson_next(&it)) {
        if (lia_compare(v, it.value, &order) && order == 0) {
            return true;
        }
    }
    return false;
}
