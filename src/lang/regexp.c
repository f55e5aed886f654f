/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>

#include "lang/text.h"

/* A pattern with nested repetitions can take time exponential in the string: that many
 * steps are enough for any that was meant, and end in milliseconds. */
#define MATCH_STEPS_MAX 200000
#define MATCH_DEPTH_MAX 5000
#define HEAP_KIB_MAX    4096

static bool read_flags(struct liana_str flags, uint32_t *out)
{
    *out = PCRE2_UTF | PCRE2_UCP | PCRE2_NO_UTF_CHECK | PCRE2_NEVER_BACKSLASH_C;
    for (size_t i = 0; i < flags.len; i++) {
        switch (flags.ptr[i]) {
        case 'i': *out |= PCRE2_CASELESS; break;
        case 'c': *out &= ~(uint32_t)PCRE2_CASELESS; break;
        case 'm': *out |= PCRE2_MULTILINE; break;
        case 's': *out |= PCRE2_DOTALL; break;
        case 'x': *out |= PCRE2_EXTENDED; break;
        default: return false;
        }
    }
    return true;
}

static liana_status match(const pcre2_code *code,
                          struct liana_str s,
                          bool *out,
                          char message[static 128])
{
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    liana_status status = LIANA_OK;
    int found = PCRE2_ERROR_NOMEMORY;

    if (limits && data) {
        pcre2_set_match_limit(limits, MATCH_STEPS_MAX);
        pcre2_set_depth_limit(limits, MATCH_DEPTH_MAX);
        pcre2_set_heap_limit(limits, HEAP_KIB_MAX);
        found = pcre2_match(code, (PCRE2_SPTR)s.ptr, s.len, 0, PCRE2_NO_UTF_CHECK, data,
                            limits);
    }
    if (found >= 0 || found == PCRE2_ERROR_NOMATCH) {
        *out = found >= 0;
    } else if (found == PCRE2_ERROR_NOMEMORY) {
        status = LIANA_ENOMEM;
    } else {
        snprintf(message, 128, "matching takes too many steps");
        status = LIANA_ELIMIT;
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(limits);
    return status;
}

liana_status lia_text_regexp(struct liana_str s,
                             struct liana_str pattern,
                             struct liana_str flags,
                             bool *out,
                             char message[static 128])
{
    uint32_t options;
    PCRE2_SIZE at;
    int code_of_error;
    pcre2_code *code;
    liana_status status;

    if (!read_flags(flags, &options)) {
        snprintf(message, 128, "the flags are c, i, m, x and s");
        return LIANA_ESYNTAX;
    }
    code = pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, options, &code_of_error,
                         &at, NULL);
    if (!code) {
        PCRE2_UCHAR text[80];

        pcre2_get_error_message(code_of_error, text, sizeof(text));
        snprintf(message, 128, "at %zu: %s", (size_t)at, (const char *)text);
        return LIANA_ESYNTAX;
    }
    status = match(code, s, out, message);
    pcre2_code_free(code);
    return status;
}
