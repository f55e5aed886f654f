/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/body.h"

#include "crdt/set.h"

static uint8_t *put_bytes(uint8_t *at, const void *p, size_t n)
{
    if (n) {
        memcpy(at, p, n);
    }
    return at + n;
}

static uint8_t *put_u32(uint8_t *at, size_t v)
{
    for (unsigned shift = 0; shift < 32; shift += 8) {
        *at++ = (uint8_t)(v >> shift);
    }
    return at;
}

static uint8_t *put_children(uint8_t *at, const struct lia_node *node);

static uint8_t *put_head(uint8_t *at, uint8_t type, struct liana_str name)
{
    *at++ = type;
    at = put_bytes(at, name.ptr, name.len);
    *at++ = 0;
    return at;
}

static uint8_t *put_map(uint8_t *at, const struct lia_node *node)
{
    at = put_head(at, LIA_BSON_DOCUMENT, node->name);
    at = put_u32(at, node->size - node->name.len - 2);
    at = put_children(at, node);
    *at++ = 0;
    return at;
}

static uint8_t *put_node(uint8_t *at, const struct lia_node *node)
{
    struct lia_value leaf = node->view.leaf;

    switch (node->view.shown) {
    case LIA_SHOWN_MAP: return put_map(at, node);
    case LIA_SHOWN_SET:
        return lia_set_write(put_head(at, LIA_BSON_ARRAY, node->name), node->set);
    default:
        at = put_head(at, leaf.type, node->name);
        return put_bytes(at, leaf.data.ptr, leaf.data.len);
    }
}

static uint8_t *put_children(uint8_t *at, const struct lia_node *node)
{
    for (const struct lia_piece *p = node->children; p; p = p->next) {
        if (!p->node) {
            at = put_bytes(at, p->bytes.ptr, p->bytes.len);
        } else if (p->node->view.shown != LIA_SHOWN_NOTHING) {
            at = put_node(at, p->node);
        }
    }
    return at;
}

/* The root has no name, which `size` counts as type and NUL all the same. */
size_t lia_body_size(const struct lia_state *state)
{
    return state->root.size - 2 + state->id.len;
}

liana_status lia_body_write(struct lia_work *work,
                            const struct lia_state *state,
                            struct liana_slice *out)
{
    size_t size = lia_body_size(state);
    uint8_t *start;
    uint8_t *at;

    if (size > LIA_STATE_BYTES_MAX) {
        return LIANA_ETOOLARGE;
    }
    start = lia_arena_alloc(work->arena, size);
    if (!start) {
        return LIANA_ENOMEM;
    }
    at = put_u32(start, size);
    at = put_bytes(at, state->id.ptr, state->id.len);
    at = put_children(at, &state->root);
    *at++ = 0;
    LIA_ASSERT((size_t)(at - start) == size);
    *out = lia_slice(start, size);
    return LIANA_OK;
}
