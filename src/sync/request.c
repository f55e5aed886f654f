/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/storage.h"

struct lia_request *lia_request_new(const struct liana_allocator *a,
                                    enum lia_request_kind kind)
{
    struct lia_request *request = lia_mem_zalloc(a, sizeof(*request));

    if (request) {
        request->kind = kind;
        lia_arena_init(&request->arena, a);
    }
    return request;
}

static void free_batches(struct lia_incoming *batch)
{
    while (batch) {
        struct lia_incoming *next = batch->next;

        lia_incoming_free(batch);
        batch = next;
    }
}

void lia_request_free(struct lia_request *request)
{
    if (!request) {
        return;
    }
    if (request->kind == LIA_REQUEST_APPLY) {
        free_batches(request->apply.batches);
    } else if (request->kind == LIA_REQUEST_STAGE) {
        lia_incoming_free(request->stage.batch);
    }
    lia_arena_deinit(&request->arena);
    lia_mem_free(request->arena.alloc, request, sizeof(*request));
}

bool lia_request_is_write(const struct lia_request *request)
{
    return request->kind == LIA_REQUEST_MEET || request->kind == LIA_REQUEST_REGISTER ||
           request->kind == LIA_REQUEST_ACKED ||
           request->kind == LIA_REQUEST_UNREGISTER ||
           request->kind == LIA_REQUEST_STAGE || request->kind == LIA_REQUEST_APPLY ||
           request->kind == LIA_REQUEST_LOST;
}

liana_status lia_vector_copy(struct lia_arena *arena,
                             struct lia_vector from,
                             struct lia_vector *out)
{
    struct lia_vector_entry *entries =
        lia_arena_array(arena, from.count, sizeof(*entries));

    if (!entries) {
        return LIANA_ENOMEM;
    }
    if (from.count) {
        memcpy(entries, from.entries, from.count * sizeof(*entries));
    }
    *out = (struct lia_vector){entries, from.count};
    return LIANA_OK;
}

liana_status lia_topic_copy(struct lia_arena *arena,
                            struct lia_topic from,
                            struct lia_topic *out)
{
    struct liana_slice name;
    struct liana_slice query;

    if (!lia_arena_copy(arena, lia_str_slice(from.collection), &name) ||
        !lia_arena_copy(arena, from.query, &query)) {
        return LIANA_ENOMEM;
    }
    *out = (struct lia_topic){lia_slice_str(name), query};
    return LIANA_OK;
}

struct lia_incoming *lia_incoming_new(const struct liana_allocator *a)
{
    struct lia_incoming *batch = lia_mem_zalloc(a, sizeof(*batch));

    if (batch) {
        lia_arena_init(&batch->arena, a);
        batch->last = &batch->items;
    }
    return batch;
}

void lia_incoming_free(struct lia_incoming *batch)
{
    if (batch) {
        const struct liana_allocator *a = batch->arena.alloc;

        lia_arena_deinit(&batch->arena);
        lia_mem_free(a, batch, sizeof(*batch));
    }
}

const struct lia_topic_number *lia_incoming_topic(struct lia_incoming *batch,
                                                  uint64_t number,
                                                  struct lia_topic topic)
{
    struct lia_topic_number *own = batch->topics;

    while (own && own->number != number) {
        own = own->next;
    }
    if (own) {
        return own;
    }
    own = LIA_ARENA_NEW(&batch->arena, struct lia_topic_number);
    if (!own || lia_topic_copy(&batch->arena, topic, &own->topic)) {
        return NULL;
    }
    own->number = number;
    own->next = batch->topics;
    batch->topics = own;
    return own;
}

liana_status lia_incoming_add(struct lia_incoming *batch,
                              const struct lia_topic_number *topic,
                              struct liana_slice key,
                              struct liana_slice data,
                              bool is_answer)
{
    struct lia_incoming_item *item =
        LIA_ARENA_NEW(&batch->arena, struct lia_incoming_item);

    if (!item || !lia_arena_copy(&batch->arena, key, &item->key) ||
        !lia_arena_copy(&batch->arena, data, &item->data)) {
        return LIANA_ENOMEM;
    }
    item->topic = topic;
    item->is_answer = is_answer;
    *batch->last = item;
    batch->last = &item->next;
    batch->item_count++;
    batch->bytes += key.len + data.len;
    return LIANA_OK;
}

static liana_status cancel_staged(struct lia_incoming *batch,
                                  const struct lia_topic_number *topic,
                                  struct liana_slice key)
{
    struct lia_incoming_void *v =
        LIA_ARENA_NEW(&batch->arena, struct lia_incoming_void);

    if (!v || !lia_arena_copy(&batch->arena, key, &v->key)) {
        return LIANA_ENOMEM;
    }
    v->topic = topic;
    v->next = batch->voids;
    batch->voids = v;
    return LIANA_OK;
}

/* What is not applied is asked for again. */
static void drop_claims(struct lia_incoming *batch, uint64_t number)
{
    struct lia_incoming_token **token = &batch->tokens;
    struct lia_incoming_marks **marks = &batch->marks;

    while (*token) {
        if ((*token)->topic->number == number) {
            *token = (*token)->next;
        } else {
            token = &(*token)->next;
        }
    }
    while (*marks) {
        if ((*marks)->topic->number == number) {
            *marks = (*marks)->next;
        } else {
            marks = &(*marks)->next;
        }
    }
}

liana_status lia_incoming_cancel(struct lia_incoming *batch,
                                 uint64_t number,
                                 struct liana_slice key)
{
    liana_status status = LIANA_OK;

    if (key.len == 0) {
        drop_claims(batch, number);
    }
    for (struct lia_incoming_item *i = batch->items; i; i = i->next) {
        if (i->topic->number == number &&
            (key.len == 0 || lia_slice_equal(i->key, key))) {
            i->is_void = true;
        }
    }
    for (const struct lia_topic_number *t = batch->topics; t && !status; t = t->next) {
        if (t->number == number && (batch->stage || batch->awaits_stage)) {
            status = cancel_staged(batch, t, key);
        }
    }
    return status;
}
