/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_JSON_SCAN_H
#define LIA_CODEC_JSON_SCAN_H
/*
 * codec/json_scan - where a JSON value ends, and what yajl would let pass.
 *
 * yajl takes half a surrogate pair for '?', and dies when memory runs out while it decodes
 * an escaped string. So the text is looked over before: its end is found by its brackets,
 * the escapes are checked, and the longest piece that yajl will copy is measured, so that
 * all its memory can be had in advance (docs/adr/0001). Whether it is JSON is yajl's to
 * say: of a text that is not, this may find any end.
 *
 * Ownership: none. Threads: any. No state.
 */
#include "base/slice.h"

struct lia_json_scan {
    size_t start;  /* after the blanks; text.len if there is nothing else */
    size_t end;    /* behind the bracket that closes the value; text.len if none does */
    size_t copied; /* bytes of the longest string with escapes, or unfinished token */
    const char *fault; /* of the text, at `fault_at`; NULL: none */
    size_t fault_at;
};

struct lia_json_scan lia_json_scan(struct liana_slice text);

#endif
