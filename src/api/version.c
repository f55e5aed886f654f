/* SPDX-License-Identifier: Apache-2.0 */
#include "liana/liana.h"

#define TEXT_OF(number) #number
#define TEXT(number)    TEXT_OF(number)

const char *liana_version(void)
{
    return TEXT(LIANA_VERSION_MAJOR) "." TEXT(LIANA_VERSION_MINOR) "." TEXT(
        LIANA_VERSION_PATCH);
}
