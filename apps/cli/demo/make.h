/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_DEMO_MAKE_H
#define LIA_CLI_DEMO_MAKE_H
/*
 * cli/demo/make - sales lines out of nothing, as dirty as real ones.
 *
 * A byte order mark, CRLF, quoted fields with line ends, quotes and commas in them, any
 * Unicode, blanks at the ends, empty fields, cancellations, negative quantities, prices
 * of up to 34 digits, the same line twice, codes that differ only by case, invoices whose
 * lines do not stand together.
 *
 * Rules: the same seed and number give the same bytes. Ownership: none. Threads: none.
 */
#include <stdio.h>

#include "liana/liana.h"

void demo_make_lines(FILE *file, uint64_t seed, size_t invoices);

#endif
