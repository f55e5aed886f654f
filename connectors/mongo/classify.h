/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_MONGO_CLASSIFY_H
#define LIA_MONGO_CLASSIFY_H
/*
 * mongo/classify - what an error code of a MongoDB server means for a write.
 *
 * Rules: the table is codes.def. Ownership: none. Threads: any.
 */
#include <stdint.h>

enum lia_mongo_class {
    LIA_MONGO_REFUSED,  /* this document cannot be written as it is */
    LIA_MONGO_AGAIN,    /* the same write may work later */
    LIA_MONGO_AUTH,     /* the connector may not do this */
    LIA_MONGO_NAMESPACE /* nothing can be written to this collection */
};

enum lia_mongo_class lia_mongo_classify(int32_t code);

#endif
