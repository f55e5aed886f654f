/* SPDX-License-Identifier: Apache-2.0 */
#include "mongo/plan.h"

#include <stdlib.h>
#include <string.h>

static int compare_str(struct liana_str a, struct liana_str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* By collection, replaces before deletes, then in the order of the feed. */
static int compare_writes(const void *left, const void *right)
{
    const struct liana_change *a = ((const struct lia_mongo_write *)left)->change;
    const struct liana_change *b = ((const struct lia_mongo_write *)right)->change;
    int order = compare_str(a->collection, b->collection);

    if (order) {
        return order;
    }
    if ((a->document.len == 0) != (b->document.len == 0)) {
        return a->document.len == 0 ? 1 : -1;
    }
    return (a > b) - (a < b);
}

void lia_mongo_set_reason(char out[static LIA_MONGO_REASON], const char *reason)
{
    size_t len = strlen(reason);

    if (len >= LIA_MONGO_REASON) {
        len = LIA_MONGO_REASON - 1;
        while (len > 0 && ((unsigned char)reason[len] & 0xc0) == 0x80) {
            len--;
        }
    }
    memcpy(out, reason, len);
    out[len] = '\0';
}

void lia_mongo_refuse(struct lia_mongo_write *write, int32_t code, const char *reason)
{
    write->outcome = LIA_MONGO_BURIED;
    write->code = code;
    lia_mongo_set_reason(write->reason, reason);
}

static const char *put(char **at, const void *bytes, size_t len)
{
    char *copy = *at;

    if (len) {
        memcpy(copy, bytes, len);
        *at += len;
    }
    return copy;
}

/* The array and what it points at in one piece of memory. */
static struct liana_change *copy_changes(const struct liana_page *page)
{
    size_t bytes = page->count * sizeof(*page->changes);
    struct liana_change *copy;
    char *at;

    for (size_t i = 0; i < page->count; i++) {
        const struct liana_change *c = &page->changes[i];

        bytes += c->collection.len + c->id.len + c->document.len;
    }
    copy = malloc(bytes + 1);
    if (!copy) {
        return NULL;
    }
    at = (char *)(copy + page->count);
    for (size_t i = 0; i < page->count; i++) {
        const struct liana_change *c = &page->changes[i];

        copy[i] = *c;
        copy[i].collection.ptr = put(&at, c->collection.ptr, c->collection.len);
        copy[i].id.ptr = (const uint8_t *)put(&at, c->id.ptr, c->id.len);
        copy[i].document.ptr =
            (const uint8_t *)put(&at, c->document.ptr, c->document.len);
    }
    return copy;
}

liana_status lia_mongo_plan_make(const struct liana_page *page,
                                 size_t document_max,
                                 struct lia_mongo_plan *out)
{
    struct lia_mongo_write *writes = calloc(page->count + 1, sizeof(*writes));
    struct liana_change *changes = copy_changes(page);

    if (!writes || !changes) {
        free(writes);
        free(changes);
        return LIANA_ENOMEM;
    }
    for (size_t i = 0; i < page->count; i++) {
        writes[i].change = &changes[i];
        if (changes[i].document.len > document_max) {
            lia_mongo_refuse(&writes[i], 0, "the document is too large for the server");
        }
    }
    qsort(writes, page->count, sizeof(*writes), compare_writes);
    *out = (struct lia_mongo_plan){changes, writes, page->count};
    return LIANA_OK;
}

void lia_mongo_plan_deinit(struct lia_mongo_plan *plan)
{
    free(plan->changes);
    free(plan->writes);
    *plan = (struct lia_mongo_plan){0};
}

size_t lia_mongo_plan_run(const struct lia_mongo_plan *plan, size_t from)
{
    size_t end = from + 1;

    while (end < plan->count &&
           compare_str(plan->writes[from].change->collection,
                       plan->writes[end].change->collection) == 0) {
        end++;
    }
    return end - from;
}
