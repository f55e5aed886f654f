/* SPDX-License-Identifier: Apache-2.0 */
#include "peer/internal.h"

struct lia_want *lia_want_find(struct lia_peer *peer, uint64_t id)
{
    struct lia_want *want = peer->wants;

    while (want && want->id != id) {
        want = want->next;
    }
    return want;
}

static struct lia_want *find_topic(struct lia_peer *peer, struct lia_topic topic)
{
    struct lia_want *want = peer->wants;

    while (want && (lia_slice_cmp(lia_str_slice(want->topic.collection),
                                  lia_str_slice(topic.collection)) != 0 ||
                    lia_slice_cmp(want->topic.query, topic.query) != 0)) {
        want = want->next;
    }
    return want;
}

static void free_want(struct lia_peer *peer, struct lia_want *want)
{
    lia_arena_deinit(&want->arena);
    lia_mem_free(peer->alloc, want, sizeof(*want));
}

static struct lia_want *new_want(struct lia_peer *peer, struct lia_topic topic)
{
    struct lia_want *want = lia_mem_zalloc(peer->alloc, sizeof(*want));

    if (!want) {
        return NULL;
    }
    lia_arena_init(&want->arena, peer->alloc);
    if (lia_topic_copy(&want->arena, topic, &want->topic)) {
        free_want(peer, want);
        return NULL;
    }
    want->id = ++peer->subscription_number;
    want->next = peer->wants;
    peer->wants = want;
    return want;
}

static void remove_want(struct lia_peer *peer, struct lia_want *want)
{
    struct lia_want **at = &peer->wants;

    while (*at != want) {
        at = &(*at)->next;
    }
    *at = want->next;
    free_want(peer, want);
}

static void tell(struct lia_peer *peer,
                 struct lia_peer_link *link,
                 enum lia_event_kind kind,
                 const struct lia_want *want,
                 uint64_t now_ms)
{
    struct lia_event event = {.kind = kind, .now_ms = now_ms};

    event.subscription.id = want->id;
    event.subscription.topic = want->topic;
    lia_link_step(peer, link, event);
}

void lia_want_all(struct lia_peer *peer, struct lia_peer_link *link, uint64_t now_ms)
{
    for (const struct lia_want *want = peer->wants; want; want = want->next) {
        tell(peer, link, LIA_EVENT_SUBSCRIBE, want, now_ms);
    }
}

static void tell_all(struct lia_peer *peer,
                     enum lia_event_kind kind,
                     const struct lia_want *want,
                     uint64_t now_ms)
{
    for (struct lia_peer_link *link = peer->links; link; link = link->next) {
        tell(peer, link, kind, want, now_ms);
    }
}

liana_status lia_peer_subscribe(struct lia_peer *peer,
                                struct liana_str collection,
                                struct liana_slice query,
                                uint64_t now_ms,
                                uint64_t *out_id,
                                struct liana_error *err)
{
    const struct lia_topic topic = {collection, query};
    struct lia_want *want = find_topic(peer, topic);
    struct lia_user *user;
    size_t count = 0;

    for (const struct lia_user *u = peer->users; u; u = u->next) {
        count++;
    }
    if (count >= LIA_SUBSCRIPTIONS_MAX) {
        return lia_err(err, LIANA_ELIMIT, "more than %d subscriptions",
                       LIA_SUBSCRIPTIONS_MAX);
    }
    if (collection.len == 0 || collection.len > LIA_NAME_BYTES_MAX ||
        query.len > LIA_WIRE_QUERY_MAX) {
        return lia_err(err, LIANA_EINVAL, "no subscription: name or query too long");
    }
    user = lia_mem_zalloc(peer->alloc, sizeof(*user));
    if (!user) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    if (!want) {
        want = new_want(peer, topic);
        if (!want) {
            lia_mem_free(peer->alloc, user, sizeof(*user));
            return lia_err_plain(err, LIANA_ENOMEM);
        }
        tell_all(peer, LIA_EVENT_SUBSCRIBE, want, now_ms);
    }
    want->users++;
    *user = (struct lia_user){peer->users, ++peer->subscription_number, want};
    peer->users = user;
    *out_id = user->id;
    return LIANA_OK;
}

liana_status lia_peer_unsubscribe(struct lia_peer *peer,
                                  uint64_t id,
                                  uint64_t now_ms,
                                  struct liana_error *err)
{
    struct lia_user **at = &peer->users;
    struct lia_user *user;

    while (*at && (*at)->id != id) {
        at = &(*at)->next;
    }
    user = *at;
    if (!user) {
        return lia_err(err, LIANA_ENOTFOUND, "no subscription %llu",
                       (unsigned long long)id);
    }
    if (--user->want->users == 0) {
        tell_all(peer, LIA_EVENT_UNSUBSCRIBE, user->want, now_ms);
        remove_want(peer, user->want);
    }
    *at = user->next;
    lia_mem_free(peer->alloc, user, sizeof(*user));
    return LIANA_OK;
}

static void tell_users(struct lia_peer *peer,
                       const struct lia_want *want,
                       const struct lia_peer_link *link,
                       enum lia_peer_event_kind event,
                       uint64_t seq,
                       const struct liana_error *error)
{
    for (const struct lia_user *user = peer->users; user; user = user->next) {
        struct lia_output *output;

        if (user->want != want) {
            continue;
        }
        output = lia_output_add(peer, LIA_PEER_EVENT, lia_slice(NULL, 0));
        if (!output) {
            return; /* the state is in the report */
        }
        output->what.event = event;
        output->what.link = link->id;
        output->what.subscription = user->id;
        output->what.seq = seq;
        memcpy(output->what.remote, link->remote->id, LIA_PEER_ID_BYTES);
        output->what.name =
            (struct liana_str){link->remote->name, link->remote->name_len};
        if (error) {
            output->what.error = *error;
        }
    }
}

void lia_want_progress(struct lia_peer *peer,
                       const struct lia_peer_link *link,
                       const struct lia_action *action)
{
    struct lia_want *want = lia_want_find(peer, action->id);
    bool is_news;

    if (!want) {
        return;
    }
    want->have += action->count;
    if (action->is_head || want->expected < want->have) {
        want->expected = want->have; /* a sender counts what we hold already, too */
    }
    link->remote->seen = action->seq;
    if (!action->is_head) {
        return;
    }
    is_news = !want->is_up_to_date ||
              memcmp(want->remote, link->remote->id, LIA_PEER_ID_BYTES) != 0;
    want->is_up_to_date = true;
    memcpy(want->remote, link->remote->id, LIA_PEER_ID_BYTES);
    want->seq = action->seq;
    if (is_news) {
        tell_users(peer, want, link, LIA_PEER_UP_TO_DATE, action->seq, NULL);
    }
}

void lia_want_refused(struct lia_peer *peer,
                      const struct lia_peer_link *link,
                      const struct lia_action *action)
{
    const struct lia_want *want = lia_want_find(peer, action->id);

    if (want) {
        tell_users(peer, want, link, LIA_PEER_REFUSED, 0, &action->error);
    } else {
        lia_output_event(peer, LIA_PEER_REFUSED, link, &action->error);
    }
}

void lia_want_deinit(struct lia_peer *peer)
{
    while (peer->users) {
        struct lia_user *next = peer->users->next;

        lia_mem_free(peer->alloc, peer->users, sizeof(*peer->users));
        peer->users = next;
    }
    while (peer->wants) {
        remove_want(peer, peer->wants);
    }
}
