/* SPDX-License-Identifier: Apache-2.0 */
#include "peer/peer.h"

#include "db/renew.h"
#include "peer/internal.h"

#define SESSIONS_MAX     64
#define RECENT_BYTES_MAX (4 * LIA_MIB)
#define SYNC_MS          1000 /* between two syncs that a peer asks for */
#define UPKEEP_MS        1000 /* after the start */
#define BATCH_FACTOR     4 /* a batch of more than so many stages is cut, if it may be */

static struct lia_peer_link *find_link(struct lia_peer *peer, uint64_t id)
{
    struct lia_peer_link *link = peer->links;

    while (link && (link->id != id || link->is_closed)) {
        link = link->next;
    }
    return link;
}

/* ---- jobs ---- */

static struct lia_job *new_job(struct lia_peer *peer)
{
    struct lia_job *job = lia_mem_zalloc(peer->alloc, sizeof(*job));

    if (job) {
        job->alloc = peer->alloc;
        job->db = peer->options.db;
    }
    return job;
}

static void take_commits(struct lia_peer *peer)
{
    struct lia_job *job;

    if (peer->is_taking || peer->is_closing) {
        peer->take_again = peer->is_taking;
        return;
    }
    job = new_job(peer);
    if (!job) {
        peer->sync_at = peer->now + SYNC_MS; /* tries again */
        return;
    }
    job->listener = peer->listener;
    job->wants_sync = peer->wants_sync;
    for (const struct lia_peer_link *link = peer->links; link; link = link->next) {
        job->wants_segments = job->wants_segments || !link->is_closed;
    }
    peer->take_again = false;
    peer->wants_sync = false;
    peer->is_taking = lia_output_job(peer, job);
}

static void keep_up(struct lia_peer *peer)
{
    struct lia_job *job = peer->is_closing ? NULL : new_job(peer);

    peer->upkeep_at = peer->now + UPKEEP_MS; /* if it cannot be done now */
    if (job) {
        job->is_upkeep = true;
        job->disowned = peer->disowned;
        peer->disowned = 0;
        peer->upkeep_at = lia_output_job(peer, job) ? UINT64_MAX : peer->upkeep_at;
    }
}

/* Takes the request. What recent commits answer needs no job. */
static void hand_out(struct lia_peer *peer,
                     struct lia_peer_link *link,
                     struct lia_request *request)
{
    struct lia_job *job;

    if (request->kind == LIA_REQUEST_FEED && !peer->has_evicted &&
        lia_recent_feed(&peer->recent, lia_peer_origin(link->remote->id),
                        peer->identity.is_keeper, request)) {
        request->next = link->answered;
        link->answered = request;
        return;
    }
    job = new_job(peer);
    if (!job) {
        request->status = LIANA_ENOMEM;
        request->next = link->answered;
        link->answered = request;
        return;
    }
    job->link = link->id;
    job->request = request;
    memcpy(job->remote, link->remote->id, LIA_PEER_ID_BYTES);
    link->lost_output = !lia_output_job(peer, job) || link->lost_output;
}

/* ---- sessions ---- */

/* For one member more; a further link of one that is there needs none. */
static bool has_room(const struct lia_peer *peer, const struct lia_peer_link *link)
{
    size_t count = 0;

    for (const struct lia_peer_link *other = peer->links; other; other = other->next) {
        if (other->is_trusted && !other->is_closed && other->remote == link->remote) {
            return true;
        }
        count += other->is_trusted && !other->is_closed;
    }
    return count < peer->options.sessions_max;
}

static void verify(struct lia_peer *peer,
                   struct lia_peer_link *link,
                   struct liana_slice proof)
{
    const struct lia_peer_auth *auth = peer->options.auth;

    link->has_verdict = true;
    link->verdict = (struct liana_error)LIANA_ERROR_INIT;
    if (auth) {
        liana_status status = auth->verify(auth->ctx, &link->info, peer->options.id,
                                           proof, &link->verdict);

        LIA_IGNORE(lia_err_plain(&link->verdict, status)); /* it is only made */
    } else if (proof.len) {
        LIA_IGNORE(lia_err(&link->verdict, LIANA_EAUTH, /* it is only made */
                           "peer joins with a proof, this store is open to all"));
    }
    if (!link->verdict.status && !has_room(peer, link)) {
        LIA_IGNORE(lia_err(&link->verdict, LIANA_EBUSY, /* it is only made */
                           "no room for another session"));
    }
    link->is_trusted = !link->verdict.status;
    link->remote->is_member = link->is_trusted || link->remote->is_member;
}

static void add_stats(struct lia_session_stats *to, struct lia_session_stats from)
{
    to->docs_in += from.docs_in;
    to->docs_out += from.docs_out;
    to->wire_in += from.wire_in;
    to->wire_out += from.wire_out;
    to->payload_in += from.payload_in;
    to->payload_out += from.payload_out;
    to->frames_in += from.frames_in;
    to->frames_out += from.frames_out;
    to->last_heard_ms =
        from.last_heard_ms > to->last_heard_ms ? from.last_heard_ms : to->last_heard_ms;
}

/* Another open link to the same peer; `is_greeted`: one that carries a session. */
static struct lia_peer_link *other_link(struct lia_peer *peer,
                                        const struct lia_peer_link *link,
                                        bool is_greeted)
{
    struct lia_peer_link *other = peer->links;

    while (other && (other == link || other->remote != link->remote ||
                     other->is_closed || (is_greeted && !other->is_greeted))) {
        other = other->next;
    }
    return other;
}

/* One side said goodbye and the other heard it. */
static bool is_orderly(const struct lia_peer_link *link, const struct liana_error *why)
{
    return why->status == LIANA_ECLOSED && !link->is_down;
}

/* The last link that carried a session with this peer ends; when it gave way to another
 * one, that one may still be on its way. */
static void end_session(struct lia_peer *peer,
                        struct lia_peer_link *link,
                        const struct liana_error *why)
{
    struct lia_remote *remote = link->remote;

    if (why->status == LIANA_EEXISTS && other_link(peer, link, false)) {
        return;
    }
    remote->down_at = peer->now ? peer->now : 1;
    remote->error = *why;
    if (is_orderly(link, why)) {
        remote->error = (struct liana_error)LIANA_ERROR_INIT;
    }
    if (remote->is_up) {
        struct liana_error told = *why;

        remote->is_up = false;
        told.status = remote->error.status;
        lia_output_event(peer, LIA_PEER_DOWN, link, &told);
    }
}

static void upkeep_now(struct lia_peer *peer)
{
    peer->is_upkeep_due = peer->upkeep_at == UINT64_MAX;
    peer->upkeep_at = peer->is_upkeep_due ? UINT64_MAX : peer->now;
}

static void end_link(struct lia_peer *peer,
                     struct lia_peer_link *link,
                     const struct liana_error *why)
{
    if (link->is_closed) {
        return;
    }
    link->is_closed = true;
    if (lia_session_is_disowned(link->session)) {
        peer->disowned = peer->identity.actor;
        upkeep_now(peer);
    }
    add_stats(&link->remote->past, lia_session_stats(link->session));
    if (!other_link(peer, link, true)) {
        end_session(peer, link, why);
    }
    lia_output_close(peer, link, why);
    if (is_orderly(link, why)) {
        link->close.what.error.status = LIANA_OK;
    }
    lia_output_drop_waiting(link);
}

static void close_link(struct lia_peer *peer,
                       struct lia_peer_link *link,
                       liana_status status,
                       const char *text,
                       uint64_t now_ms)
{
    struct lia_event event = {.kind = LIA_EVENT_CLOSE, .now_ms = now_ms};

    LIA_IGNORE(lia_err(&event.error, status, "%s", text)); /* it is only made */
    lia_link_step(peer, link, event);
}

/* Of two sessions with one peer both ends keep the same: that of the newer epoch of the
 * peer's store; else the one that both have counted later; else the one that the peer
 * with the smaller id has dialled. */
static bool is_better(const struct lia_peer *peer,
                      const struct lia_peer_link *a,
                      const struct lia_peer_link *b)
{
    struct lia_session_remote ra = lia_session_remote(a->session);
    struct lia_session_remote rb = lia_session_remote(b->session);
    uint64_t count_a = ra.number + lia_session_number(a->session);
    uint64_t count_b = rb.number + lia_session_number(b->session);
    bool is_smaller = memcmp(peer->options.id, a->remote->id, LIA_PEER_ID_BYTES) < 0;

    if (ra.epoch != rb.epoch) {
        return true; /* `a` was greeted last */
    }
    if (count_a != count_b) {
        return count_a > count_b;
    }
    return a->info.is_dialer == is_smaller;
}

/* One of them may have been set since. */
static void compare_clocks(struct lia_peer *peer, struct lia_peer_link *link)
{
    uint64_t clock_ms = lia_session_remote(link->session).clock_ms;
    uint64_t now_ms;

    link->remote->clock_ahead_ms = 0;
    if (clock_ms && lia_db_time(peer->options.db, &now_ms) == LIA_TIME_SYSTEM) {
        link->remote->clock_ahead_ms = (int64_t)clock_ms - (int64_t)now_ms;
    }
    lia_db_time_from_peer(peer->options.db, clock_ms);
    if (lia_db_must_mend(peer->options.db)) {
        upkeep_now(peer);
    }
}

static void greeted(struct lia_peer *peer, struct lia_peer_link *link, uint64_t now_ms)
{
    struct lia_session_remote remote = lia_session_remote(link->session);
    struct lia_peer_link *other = other_link(peer, link, true);

    link->is_greeted = true;
    link->remote->name_len = remote.name.len;
    memcpy(link->remote->name, remote.name.ptr ? remote.name.ptr : "", remote.name.len);
    link->remote->error = (struct liana_error)LIANA_ERROR_INIT;
    compare_clocks(peer, link);
    if (!link->remote->is_up) {
        link->remote->is_up = true;
        lia_output_event(peer, LIA_PEER_UP, link, NULL);
    }
    if (other) {
        close_link(peer, is_better(peer, link, other) ? other : link, LIANA_EEXISTS,
                   "another link to this peer is used", now_ms);
    }
}

static void do_action(struct lia_peer *peer,
                      struct lia_peer_link *link,
                      struct lia_action *action)
{
    struct lia_output *output;

    switch (action->kind) {
    case LIA_ACTION_SEND:
        output = lia_output_add(peer, LIA_PEER_SEND, action->bytes);
        if (output) {
            output->what.link = link->id;
        } else {
            link->lost_output = true;
        }
        break;
    case LIA_ACTION_VERIFY: verify(peer, link, action->bytes); break;
    case LIA_ACTION_REQUEST: {
        struct lia_request *request = action->request;

        action->request = NULL;
        hand_out(peer, link, request);
        break;
    }
    case LIA_ACTION_GREETED: link->wants_greeting = true; break;
    case LIA_ACTION_CLOCK: compare_clocks(peer, link); break;
    case LIA_ACTION_PROGRESS: lia_want_progress(peer, link, action); break;
    case LIA_ACTION_EXPECTED: {
        struct lia_want *want = lia_want_find(peer, action->id);

        if (want && want->have + action->count > want->expected) {
            want->expected = want->have + action->count;
        }
        break;
    }
    case LIA_ACTION_ACKED: link->remote->acked = action->seq; break;
    case LIA_ACTION_PASSED:
        lia_db_passed(peer->options.db, lia_slice(link->remote->id, LIA_PEER_ID_BYTES),
                      action->id, action->seq);
        break;
    case LIA_ACTION_REFUSED: lia_want_refused(peer, link, action); break;
    case LIA_ACTION_CLOSE: end_link(peer, link, &action->error); break;
    }
}

/* One step and its actions. */
static void step_once(struct lia_peer *peer,
                      struct lia_peer_link *link,
                      struct lia_event event)
{
    liana_status status;

    if (!lia_db_now(peer->options.db, &event.clock_ms)) {
        event.clock_ms = 0;
    }
    lia_actions_reset(&peer->actions);
    status = lia_session_step(link->session, &event, &peer->actions);
    for (struct lia_action *a = peer->actions.first; a; a = a->next) {
        do_action(peer, link, a);
    }
    if (status || link->lost_output) {
        struct liana_error error = LIANA_ERROR_INIT;

        LIA_IGNORE(lia_err_plain(&error, LIANA_ENOMEM)); /* it is only made */
        end_link(peer, link, &error);
    }
}

/* What the step was answered at once goes in as an event of its own. */
static bool next_event(struct lia_peer_link *link,
                       uint64_t now_ms,
                       struct lia_event *out)
{
    *out = (struct lia_event){.now_ms = now_ms};
    if (link->is_closed) {
        return false;
    }
    if (link->has_verdict) {
        link->has_verdict = false;
        out->kind = LIA_EVENT_VERDICT;
        out->error = link->verdict;
        return true;
    }
    if (link->answered) {
        out->kind = LIA_EVENT_RESULT;
        out->request = link->answered;
        link->answered = link->answered->next;
        out->request->next = NULL;
        return true;
    }
    return false;
}

void lia_link_step(struct lia_peer *peer,
                   struct lia_peer_link *link,
                   struct lia_event event)
{
    uint64_t now_ms = event.now_ms;

    if (link->is_closed) {
        if (event.kind == LIA_EVENT_RESULT) {
            lia_request_free(event.request);
        }
        return;
    }
    do {
        step_once(peer, link, event);
    } while (next_event(link, now_ms, &event));
    if (link->wants_greeting && !link->is_closed) {
        link->wants_greeting = false;
        greeted(peer, link, now_ms);
    }
}

/* ---- life ---- */

static void set_defaults(struct lia_peer_options *o)
{
    o->sessions_max = o->sessions_max ? o->sessions_max : SESSIONS_MAX;
    o->window_bytes = o->window_bytes ? o->window_bytes : LIA_MIB;
    if (o->window_bytes < LIA_SESSION_WINDOW_MIN) {
        o->window_bytes = LIA_SESSION_WINDOW_MIN;
    }
    o->batch_bytes_max = o->batch_bytes_max ? o->batch_bytes_max : LIA_BATCH_BYTES_MAX;
    o->recent_bytes_max = o->recent_bytes_max ? o->recent_bytes_max : RECENT_BYTES_MAX;
    o->keepalive_ms = o->keepalive_ms ? o->keepalive_ms : 20000;
    o->timeout_ms = o->timeout_ms ? o->timeout_ms : 60000;
    o->idle_ms = o->idle_ms ? o->idle_ms : 30000;
}

liana_status lia_peer_new(const struct lia_peer_options *options,
                          struct lia_peer **out,
                          struct liana_error *err)
{
    const struct lia_listener_options listen = {.wake = options->wake,
                                                .ctx = options->wake_ctx};
    const struct liana_allocator *a = options->env->alloc;
    struct lia_peer *peer;
    liana_status status;

    if (options->name.len > LIA_NAME_BYTES_MAX) {
        return lia_err(err, LIANA_EINVAL, "a peer's name of %zu bytes",
                       options->name.len);
    }
    peer = lia_mem_zalloc(a, sizeof(*peer));
    if (!peer) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    peer->alloc = a;
    peer->options = *options;
    set_defaults(&peer->options);
    lia_known_init(&peer->own_known, a);
    peer->known = options->known ? options->known : &peer->own_known;
    if (options->name.len) {
        memcpy(peer->name, options->name.ptr, options->name.len);
    }
    peer->options.name.ptr = peer->name;
    peer->identity = lia_db_identity(options->db);
    peer->recent.bytes_max = peer->options.recent_bytes_max;
    peer->last = &peer->first;
    lia_actions_init(&peer->actions, a);
    status = lia_db_has_evicted(options->db, &peer->has_evicted, err);
    if (status) {
        lia_peer_free(peer);
        return status;
    }
    status =
        lia_db_listen(options->db, &listen, &peer->listener, &peer->recent.head, err);
    if (status) {
        lia_peer_free(peer);
        return status;
    }
    peer->recent.base = peer->recent.head;
    peer->sync_at = UINT64_MAX;
    *out = peer;
    return LIANA_OK;
}

void lia_peer_close(struct lia_peer *peer)
{
    peer->is_closing = true;
    for (struct lia_peer_link *link = peer->links; link; link = link->next) {
        close_link(peer, link, LIANA_ECLOSED, "closing", peer->now);
    }
}

bool lia_peer_is_closed(const struct lia_peer *peer)
{
    return peer->is_closing && !peer->first && peer->jobs_out == 0;
}

void lia_peer_free(struct lia_peer *peer)
{
    if (!peer) {
        return;
    }
    lia_output_deinit(peer);
    lia_db_unlisten(peer->listener);
    lia_recent_deinit(&peer->recent);
    lia_want_deinit(peer);
    lia_known_deinit(&peer->own_known);
    lia_actions_deinit(&peer->actions);
    lia_mem_free(peer->alloc, peer, sizeof(*peer));
}

/* ---- links ---- */

static liana_status new_session(struct lia_peer *peer,
                                const struct lia_link *info,
                                struct lia_session **out)
{
    const struct lia_peer_options *p = &peer->options;
    struct lia_session_options o = {
        .alloc = peer->alloc,
        .name = p->name,
        .number = ++peer->session_number,
        .window_bytes = p->window_bytes,
        .batch_bytes_max = p->batch_bytes_max * BATCH_FACTOR,
        .stage_bytes = p->batch_bytes_max,
        .keepalive_ms = p->keepalive_ms,
        .timeout_ms = p->timeout_ms,
        .idle_ms = p->idle_ms,
    };

    memcpy(o.database, peer->identity.database, sizeof(o.database));
    memcpy(o.self, p->id, sizeof(o.self));
    memcpy(o.remote, info->remote, sizeof(o.remote));
    return lia_session_new(&o, out);
}

static struct lia_peer_link *new_link(struct lia_peer *peer,
                                      const struct lia_link *info)
{
    struct lia_peer_link *link = lia_mem_zalloc(peer->alloc, sizeof(*link));

    if (!link) {
        return NULL;
    }
    link->id = info->id;
    link->info = *info;
    link->remote = lia_known_get(peer->known, info->remote);
    link->address = lia_mem_zalloc(peer->alloc, info->address.len + 1);
    if (!link->remote || !link->address || new_session(peer, info, &link->session)) {
        lia_known_release(peer->known, link->remote);
        lia_mem_free(peer->alloc, link->address, info->address.len + 1);
        lia_mem_free(peer->alloc, link, sizeof(*link));
        return NULL;
    }
    if (info->address.len) {
        memcpy(link->address, info->address.ptr, info->address.len);
    }
    link->info.address.ptr = link->address;
    link->next = peer->links;
    peer->links = link;
    return link;
}

void lia_peer_link_up(struct lia_peer *peer,
                      const struct lia_link *info,
                      uint64_t now_ms)
{
    const struct lia_peer_auth *auth = peer->options.auth;
    struct lia_event event = {.kind = LIA_EVENT_OPEN, .now_ms = now_ms};
    struct lia_peer_link *link = new_link(peer, info);
    uint8_t proof[LIA_PROOF_BYTES_MAX];
    size_t proof_len = 0;
    liana_status status = LIANA_OK;

    peer->now = now_ms;
    if (!link) {
        struct lia_output *output =
            lia_output_add(peer, LIA_PEER_CLOSE, lia_slice(NULL, 0));

        if (output) {
            output->what.link = info->id;
            LIA_IGNORE(
                lia_err_plain(&output->what.error, LIANA_ENOMEM)); /* made only */
        }
        return;
    }
    if (auth) {
        status =
            auth->prove(auth->ctx, &link->info, peer->options.id, proof, &proof_len);
    }
    event.bytes = lia_slice(proof, proof_len);
    lia_link_step(peer, link, event);
    if (status) {
        close_link(peer, link, status, "cannot prove that this peer may join", now_ms);
    } else if (peer->is_closing) {
        close_link(peer, link, LIANA_ECLOSED, "closing", now_ms);
    }
    lia_want_all(peer, link, now_ms);
}

void lia_peer_link_bytes(struct lia_peer *peer,
                         uint64_t id,
                         struct liana_slice bytes,
                         uint64_t now_ms)
{
    struct lia_peer_link *link = find_link(peer, id);

    peer->now = now_ms;
    if (link) {
        lia_link_step(peer, link,
                      (struct lia_event){
                          .kind = LIA_EVENT_BYTES, .now_ms = now_ms, .bytes = bytes});
    }
}

void lia_peer_link_down(struct lia_peer *peer,
                        uint64_t id,
                        liana_status reason,
                        uint64_t now_ms)
{
    struct lia_peer_link *link = find_link(peer, id);
    struct lia_event event = {.kind = LIA_EVENT_DOWN, .now_ms = now_ms};

    peer->now = now_ms;
    if (link) {
        link->is_down = true;
        LIA_IGNORE(lia_err_plain(&event.error, /* it is only made */
                                 reason ? reason : LIANA_ECLOSED));
        lia_link_step(peer, link, event);
    }
}

void lia_peer_link_close(struct lia_peer *peer, uint64_t id, uint64_t now_ms)
{
    struct lia_peer_link *link = find_link(peer, id);

    peer->now = now_ms;
    if (link) {
        close_link(peer, link, LIANA_ECLOSED, "closing", now_ms);
    }
}

bool lia_peer_link_facts(const struct lia_peer *peer,
                         uint64_t id,
                         struct lia_link_facts *out)
{
    for (const struct lia_peer_link *link = peer->links; link; link = link->next) {
        if (link->id == id) {
            struct lia_session_stats stats = lia_session_stats(link->session);

            *out = (struct lia_link_facts){.is_member = link->is_trusted,
                                           .has_session = link->is_greeted,
                                           .payload_in = stats.payload_in,
                                           .payload_out = stats.payload_out};
            return true;
        }
    }
    return false;
}

void lia_peer_link_cost(struct lia_peer *peer,
                        const uint8_t remote[LIA_PEER_ID_BYTES],
                        uint64_t wire_in,
                        uint64_t wire_out)
{
    struct lia_remote *known = lia_known_find(peer->known, remote);

    if (known && known->is_member) {
        known->wire_in += wire_in;
        known->wire_out += wire_out;
    }
}

void lia_peer_wake(struct lia_peer *peer, uint64_t now_ms)
{
    peer->now = now_ms;
    take_commits(peer);
}

uint64_t lia_peer_deadline(const struct lia_peer *peer)
{
    uint64_t due = peer->is_closing                  ? UINT64_MAX
                   : peer->sync_at < peer->upkeep_at ? peer->sync_at
                                                     : peer->upkeep_at;

    due = peer->is_closing ? UINT64_MAX : due;
    for (const struct lia_peer_link *link = peer->links; link; link = link->next) {
        uint64_t at =
            link->is_closed ? UINT64_MAX : lia_session_deadline(link->session);

        due = at < due ? at : due;
    }
    return due;
}

void lia_peer_tick(struct lia_peer *peer, uint64_t now_ms)
{
    peer->now = now_ms;
    if (peer->sync_at <= now_ms) {
        peer->sync_at = UINT64_MAX;
        peer->synced_at = now_ms;
        peer->wants_sync = true;
        take_commits(peer);
    }
    peer->upkeep_at = peer->upkeep_at ? peer->upkeep_at : now_ms + UPKEEP_MS;
    if (peer->upkeep_at <= now_ms) {
        keep_up(peer);
    }
    for (struct lia_peer_link *link = peer->links; link; link = link->next) {
        if (!link->is_closed && lia_session_deadline(link->session) <= now_ms) {
            lia_link_step(peer, link,
                          (struct lia_event){.kind = LIA_EVENT_TICK, .now_ms = now_ms});
        }
    }
}

/* ---- results ---- */

/* Somebody waits for commits that are not durable. Where the app waits for them too they
 * soon are; where it does not, or only soon, the store is synced: at most so often, but at
 * once for a full page, since what follows it is not read before. */
static void sync_soon(struct lia_peer *peer, bool is_urgent)
{
    uint64_t at = is_urgent ? 0 : peer->synced_at + SYNC_MS;

    at = at > peer->now ? at : peer->now;
    peer->sync_at = at < peer->sync_at ? at : peer->sync_at;
}

static void hand_in(struct lia_peer *peer,
                    struct lia_peer_link *link,
                    struct lia_job *job,
                    uint64_t now_ms)
{
    struct lia_event event = {
        .kind = LIA_EVENT_RESULT, .now_ms = now_ms, .request = job->request};

    job->request = NULL;
    lia_job_free(job);
    lia_link_step(peer, link, event);
}

/* Takes the job. What it has read waits until it is durable; the others go on. */
static void hold_or_hand_in(struct lia_peer *peer,
                            struct lia_peer_link *link,
                            struct lia_job *job,
                            uint64_t now_ms)
{
    if (job->reach > peer->durable && !job->request->status && !link->is_closed) {
        *lia_job_next(job) = link->held;
        link->held = job;
        sync_soon(peer, job->is_full);
    } else {
        hand_in(peer, link, job, now_ms);
    }
}

/* More is durable, or, when `failed` is set, nothing will be. */
static void release(struct lia_peer *peer,
                    struct lia_peer_link *link,
                    const struct liana_error *failed,
                    uint64_t now_ms)
{
    struct lia_job *held = link->held;

    link->held = NULL;
    while (held) {
        struct lia_job *next = *lia_job_next(held);

        if (failed->status && held->reach > peer->durable) {
            held->request->status = failed->status;
            held->request->error = *failed;
            hand_in(peer, link, held, now_ms);
        } else {
            hold_or_hand_in(peer, link, held, now_ms);
        }
        held = next;
    }
}

/* Subscriptions stand elsewhere. */
static void tell_stale(struct lia_peer *peer, uint64_t now_ms)
{
    for (struct lia_peer_link *link = peer->links; link; link = link->next) {
        lia_link_step(peer, link,
                      (struct lia_event){.kind = LIA_EVENT_STALE, .now_ms = now_ms});
    }
}

static bool looks_again(const struct lia_job *job)
{
    const struct lia_request *r = job->request;

    return r && r->kind == LIA_REQUEST_REGISTER && !r->status &&
           r->registering.looks_again;
}

static void fan_out(struct lia_peer *peer, struct lia_job *job, uint64_t now_ms)
{
    peer->is_taking = false;
    if (job->chunk && job->chunk->has_evictions) {
        peer->has_evicted = true;
        tell_stale(peer, now_ms);
    }
    if (job->chunk) {
        lia_recent_add(&peer->recent, job->chunk);
        job->chunk = NULL;
    }
    for (struct lia_peer_link *link = peer->links; link; link = link->next) {
        if (job->is_waiting && !link->is_closed) {
            sync_soon(peer, false);
        }
        release(peer, link, &job->sync_error, now_ms);
        lia_link_step(peer, link,
                      (struct lia_event){.kind = LIA_EVENT_HEAD,
                                         .now_ms = now_ms,
                                         .seq = peer->recent.head});
    }
    if (job->has_more || peer->take_again) {
        take_commits(peer);
    }
}

/* What was said under the old epoch is no longer so: every conversation begins anew. */
static void follow_renewal(struct lia_peer *peer, uint64_t now_ms)
{
    struct lia_db_identity now = lia_db_identity(peer->options.db);

    if (now.epoch == peer->identity.epoch) {
        return;
    }
    peer->identity = now;
    for (struct lia_peer_link *link = peer->links; link; link = link->next) {
        close_link(peer, link, LIANA_ERENEWED, "the store has taken a new identity",
                   now_ms);
    }
    upkeep_now(peer);
}

void lia_peer_job_done(struct lia_peer *peer, struct lia_job *job, uint64_t now_ms)
{
    struct lia_peer_link *link;

    peer->now = now_ms;
    follow_renewal(peer, now_ms);
    link = find_link(peer, job->link);
    peer->jobs_out--;
    peer->durable = job->durable > peer->durable ? job->durable : peer->durable;
    if (looks_again(job)) {
        tell_stale(peer, now_ms);
    }
    if (job->request && link) {
        hold_or_hand_in(peer, link, job, now_ms);
        return;
    }
    if (job->is_upkeep) {
        peer->upkeep_at = now_ms + (peer->is_upkeep_due ? 0 : job->next_ms);
        peer->is_upkeep_due = false;
    } else if (!job->request) {
        fan_out(peer, job, now_ms);
    }
    lia_job_free(job);
}
