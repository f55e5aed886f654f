/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/mutant.h"

#include <stdlib.h>

unsigned lia_mutant_number;

__attribute__((constructor)) static void choose(void)
{
    const char *text = getenv("LIANA_MUTANT");

    lia_mutant_number = text ? (unsigned)strtoul(text, NULL, 10) : 0;
}
