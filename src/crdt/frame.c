/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/clock.h"

static bool is_in_frame(const struct lia_frame *frame, const struct lia_birth *birth)
{
    return lia_stamp_cmp(birth->stamp, frame->rank.stamp) == 0;
}

void lia_frame_enter(struct lia_frame *frame,
                     size_t place,
                     const struct lia_birth *birth)
{
    if (birth && is_in_frame(frame, birth)) {
        frame->shift = birth->index - (place - frame->origin);
    }
}

void lia_frame_leave(struct lia_frame *frame, size_t len, const struct lia_birth *birth)
{
    if (birth && !is_in_frame(frame, birth)) {
        frame->shift -= len;
    }
}

struct lia_frame lia_frame_inside(const struct lia_frame *outer,
                                  const struct lia_node *node,
                                  size_t origin)
{
    return node->value == LIA_VALUE_MAP ? (struct lia_frame){node->rank, origin, 0}
                                        : *outer;
}

struct lia_frame lia_frame_root(const struct lia_state *state)
{
    struct lia_frame frame = {
        {state->created, state->created, state->created_tag}, 0, 0};

    return lia_frame_inside(&frame, &state->root, 0);
}

const struct lia_birth *lia_node_own_birth(const struct lia_node *node)
{
    if (node->value != LIA_VALUE_NONE && node->value != LIA_VALUE_GONE) {
        return &node->birth;
    }
    return node->is_open ? &node->open_birth : NULL;
}
