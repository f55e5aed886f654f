/* SPDX-License-Identifier: Apache-2.0 */
#include "mongo/module.h"

const struct lia_mongo_module lia_mongo_module = {.version = LIA_MONGO_MODULE_VERSION,
                                                  .start = lia_mongo_start,
                                                  .status = lia_mongo_status,
                                                  .stop = lia_mongo_stop,
                                                  .state_name = lia_mongo_state_name,
                                                  .look = lia_mongo_look,
                                                  .check_database =
                                                      lia_mongo_check_database,
                                                  .library_end = lia_mongo_library_end};
