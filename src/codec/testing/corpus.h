/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_TESTING_CORPUS_H
#define LIA_CODEC_TESTING_CORPUS_H
/*
 * codec/testing/corpus - walks the BSON corpus (../shared/data/bson-corpus).
 *
 * Rules: without the folder the walk fails the test when CI is set, and skips it with a
 * message otherwise. A file that does not parse fails the test.
 * Ownership: a case and its texts are valid during the callback. Threads: one.
 */
#include <yajl/yajl_tree.h>

#include "base/buf.h"

struct lia_corpus_case {
    const char *file;
    const char *description;
    bool is_deprecated; /* of a type that BSON has given up */
    yajl_val node;
};

typedef void (*lia_corpus_fn)(void *ctx, const struct lia_corpus_case *c);

/* Calls `fn` for each case of a section ("valid", "decodeErrors", "parseErrors") in all
 * files; answers how many there were. */
size_t lia_corpus_walk(const char *section, lia_corpus_fn fn, void *ctx);

/* A text of the case, NULL when it has none of this name. */
const char *lia_corpus_text(const struct lia_corpus_case *c, const char *name);

bool lia_corpus_flag(const struct lia_corpus_case *c, const char *name);

/* Appends the bytes that the hexadecimal `text` means. */
void lia_hex_decode(struct lia_buf *buf, const char *text);

#endif
