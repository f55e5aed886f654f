/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_MONGO_MODULE_H
#define LIA_MONGO_MODULE_H
/*
 * mongo/module - the connector as a module that a program loads where it needs it.
 *
 * libmongoc takes memory, threads and a piece of shared memory as soon as it is loaded, and
 * brings a dozen libraries along. A program that can do without MongoDB therefore does
 * not link the connector: it loads `liana-mongo.so` (LIA_MONGO_MODULE_FILE) with dlopen and
 * asks for LIA_MONGO_MODULE_NAME, a struct lia_mongo_module.
 *
 * Rules: the module calls liana_... of the program that loads it, which must export them.
 * A module of another version than the program is not used. Once loaded it stays.
 * Ownership: static. Threads: as mongo/mongo.h.
 */
#include "mongo/mongo.h"

#define LIA_MONGO_MODULE_FILE "liana-mongo.so"
#define LIA_MONGO_MODULE_NAME "lia_mongo_module"

/* The functions of mongo/mongo.h under their names. */
struct lia_mongo_module {
    uint32_t version; /* LIA_MONGO_MODULE_VERSION when it was built */
    liana_status (*start)(liana_db *db,
                          const struct lia_mongo_options *options,
                          struct lia_mongo **out,
                          struct liana_error *err);
    void (*status)(struct lia_mongo *mongo, struct lia_mongo_status *out);
    bool (*stop)(struct lia_mongo *mongo);
    const char *(*state_name)(enum lia_mongo_state state);
    liana_status (*look)(const struct lia_mongo_options *options,
                         bool drop,
                         bool *out_used,
                         struct liana_error *err);
    liana_status (*check_database)(struct liana_str name, struct liana_error *err);
    void (*library_end)(void);
};

#define LIA_MONGO_MODULE_VERSION                                                       \
    ((uint32_t)LIANA_VERSION_MAJOR * 1000000 + LIANA_VERSION_MINOR * 1000 +            \
     LIANA_VERSION_PATCH)

LIANA_API extern const struct lia_mongo_module lia_mongo_module;

#endif
