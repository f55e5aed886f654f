/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_DEMO_NAMES_H
#define LIA_CLI_DEMO_NAMES_H
/*
 * cli/demo/names - text -> number, by hashing.
 *
 * Ownership: names are borrowed and must outlive the table. Threads: none.
 */
#include <stdbool.h>
#include <stddef.h>

struct demo_names;

struct demo_names *demo_names_new(void);
void demo_names_free(struct demo_names *names);

/* SIZE_MAX when it is not there. */
size_t demo_names_get(const struct demo_names *names, const char *name);

/* False when out of memory. The name must not be there yet. */
bool demo_names_add(struct demo_names *names, const char *name, size_t value);

#endif
