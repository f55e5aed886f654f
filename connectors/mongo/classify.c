/* SPDX-License-Identifier: Apache-2.0 */
#include "mongo/classify.h"

#include <stddef.h>

static const struct {
    int32_t code;
    enum lia_mongo_class class;
} rows[] = {
#define MONGO_CODE(code, name, class) {code, LIA_MONGO_##class},
#include "mongo/codes.def"
#undef MONGO_CODE
};

enum lia_mongo_class lia_mongo_classify(int32_t code)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].code == code) {
            return rows[i].class;
        }
    }
    return LIA_MONGO_REFUSED;
}
