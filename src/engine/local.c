#include "engine/local.h"

#include <assert.h>
#include <string.h>

#include "base/container_of.h"
#include "engine/hub.h"
#include "engine/messages.h"

enum {
    WAITING_REQUESTS = 16384,
    WAITING_READS = 12288, // of them: those that read the log must not take the place of comments
    WAITING_BYTES = 32 << 20,
    REFUSE_MS = 1 // a caller that repeats a refused request immediately must not keep the loop busy
};

static struct local_engine *local_of(struct engine *engine) {
    return (struct local_engine *)engine;
}

// From an operation to the store

static void on_local_turn_end(struct loop_timer *timer) {
    struct local_engine *e = container_of(timer, struct local_engine, turn_end);
    if (e->pending.first) e->hand_over(e);
    if (!e->closing) hub_flush_notifications(e->hub);
    if (!e->closing) messages_flush(e->messages);
}

static void local_at_turn_end(struct local_engine *e) {
    if (!e->closing && !e->turn_end.slot) loop_timer_start(e->loop, &e->turn_end, 0);
}

static void local_refuse(struct local_engine *e, struct request *r, enum engine_status status) {
    r->status = status;
    request_list_add(&e->refused, r);
    if (!e->closing && !e->refuse.slot) loop_timer_start(e->loop, &e->refuse, REFUSE_MS);
}

void local_push(struct engine *engine, struct request *r) {
    struct local_engine *e = local_of(engine);
    if (e->closing) {
        local_refuse(e, r, ENGINE_CLOSED);
        return;
    }
    if (e->waiting == WAITING_REQUESTS || e->waiting_bytes + r->bytes > WAITING_BYTES ||
        (r->reads_log && e->waiting_reads == WAITING_READS)) {
        local_refuse(e, r, ENGINE_BUSY);
        return;
    }
    e->waiting++;
    e->waiting_reads += r->reads_log;
    e->waiting_bytes += r->bytes;
    request_list_add(&e->pending, r);
    if (e->pending.count >= e->hand_over_at)
        e->hand_over(e);
    else
        local_at_turn_end(e);
}

// From the store to the callbacks

// A callback may close the engine, which then calls back the rest of the list.
static void local_call_back(struct local_engine *e, struct request_list *list) {
    struct request *r;
    for (size_t most = list->count; most && (r = request_list_take(list)); most--) {
        if (r->call_back) r->call_back(e, r);
        request_free(r);
    }
}

void local_answer(struct local_engine *e, struct request_list *answers) {
    e->waiting -= answers->count;
    for (const struct request *r = answers->first; r; r = r->next) {
        e->waiting_bytes -= r->bytes;
        e->waiting_reads -= r->reads_log;
    }
    request_list_move(&e->answers, answers);
    local_call_back(e, &e->answers);
}

static void on_local_refuse(struct loop_timer *timer) {
    struct local_engine *e = container_of(timer, struct local_engine, refuse);
    local_call_back(e, &e->refused);
}

static void local_publish(struct local_engine *e, const char *video, const struct engine_entry *entry) {
    if (position_is_set(entry->at) && !e->closing) hub_publish(e->hub, video, entry);
}

// Life

void local_init(struct local_engine *e, const struct local_store *store, struct loop *loop) {
    e->store = store;
    e->loop = loop;
    e->hub = hub_new();
    e->messages = messages_new();
    e->turn_end.on_due = on_local_turn_end;
    e->refuse.on_due = on_local_refuse;
}

bool local_close_begin(struct local_engine *e) {
    if (e->closing) return false;
    e->closing = true;
    loop_timer_stop(e->loop, &e->turn_end);
    loop_timer_stop(e->loop, &e->refuse);
    return true;
}

void local_close_end(struct local_engine *e, struct request_list *left) {
    local_call_back(e, &e->answers);
    for (struct request *r; (r = request_list_take(left));) local_refuse(e, r, ENGINE_CLOSED);
    while (e->refused.first) local_call_back(e, &e->refused);
    hub_free(e->hub);
    messages_free(e->messages);
}

// Subscriptions

struct engine_subscription *local_subscribe(struct engine *engine, const char *video,
                                            const struct engine_subscriber *subscriber, void *arg) {
    struct local_engine *e = local_of(engine);
    struct engine_subscription *s = hub_subscribe(e->hub, video, subscriber, arg);
    hub_defer_notify(e->hub, s);
    local_at_turn_end(e);
    return s;
}

void local_unsubscribe(struct engine *engine, struct engine_subscription *subscription) {
    hub_unsubscribe(local_of(engine)->hub, subscription);
}

// Messages

void local_notify(struct engine *engine, const char *topic, const void *body, size_t len) {
    struct local_engine *e = local_of(engine);
    if (!e->closing && messages_post(e->messages, topic, body, len)) local_at_turn_end(e);
}

struct engine_listener *local_listen(struct engine *engine, const char *topic, engine_message_cb *cb,
                                     void *arg) {
    return messages_listen(local_of(engine)->messages, topic, cb, arg);
}

void local_unlisten(struct engine *engine, struct engine_listener *l) {
    messages_unlisten(local_of(engine)->messages, l);
}

// The log

static void call_back_append(struct local_engine *e, struct request *r) {
    const struct append_request *a = (const struct append_request *)r;
    bool ok = r->status == ENGINE_OK;
    bool refused = r->status == ENGINE_REFUSED;
    if (refused) *a->gate.refusal = a->refusal;
    a->cb(r->arg, r->status,
          ok        ? &a->entry
          : refused ? &a->asked
                    : NULL,
          ok && a->repeated ? &a->first : NULL);
    if (!ok || a->repeated) return;
    local_publish(e, a->video, &a->loss);
    local_publish(e, a->video, &a->entry);
}

struct engine_entry local_copy_entry(struct request *r, enum entry_kind kind, const char *body, size_t len) {
    char *copy = request_room(r, len + 2) + 1;
    if (len) memcpy(copy, body, len);
    copy[-1] = '{';
    copy[len] = '}';
    return (struct engine_entry){.kind = kind, .body = copy, .body_len = len};
}

void local_append(struct engine *engine, const struct engine_append *asked, engine_append_cb *cb, void *arg) {
    const char *old_name = asked->token ? asked->token->old_name : NULL;
    const struct engine_gate *gate = asked->gate;
    assert(asked->body_len ? asked->kind != ENTRY_TOMBSTONE : asked->kind != ENTRY_COMMENT);
    size_t room = request_copy_size(asked->video) + request_copy_size(old_name) + asked->body_len + 2;
    if (gate)
        room +=
            request_copy_size(gate->author) + request_copy_size(gate->badges) + request_copy_size(gate->id);
    struct append_request *a =
        request_new(sizeof *a, room, local_of(engine)->store->append, call_back_append, arg);
    a->video = request_copy(&a->request, asked->video);
    a->has_token = asked->token != NULL;
    if (a->has_token) a->token = *asked->token;
    a->token.old_name = request_copy(&a->request, old_name);
    a->known = asked->known;
    a->has_gate = gate != NULL;
    if (gate) {
        a->gate = *gate;
        a->gate.author = request_copy(&a->request, gate->author);
        a->gate.badges = request_copy(&a->request, gate->badges);
        a->gate.id = request_copy(&a->request, gate->id);
    }
    a->asked = local_copy_entry(&a->request, asked->kind, asked->body, asked->body_len);
    a->cb = cb;
    local_push(engine, &a->request);
}

static void call_back_amend(struct local_engine *e, struct request *r) {
    const struct amend_request *a = (const struct amend_request *)r;
    bool stored = r->status == ENGINE_OK && position_is_set(a->entry.at);
    a->cb(r->arg, r->status, stored ? &a->entry : NULL, stored ? a->taken : 0);
    if (!stored) return;
    local_publish(e, a->video, &a->loss);
    local_publish(e, a->video, &a->entry);
}

void local_amend(struct engine *engine, const struct engine_amend *asked, engine_amend_cb *cb, void *arg) {
    size_t room = request_copy_size(asked->video) + request_copy_size(asked->user) +
                  request_copy_size(asked->note) + asked->body_len + 2;
    struct amend_request *a =
        request_new(sizeof *a, room, local_of(engine)->store->amend, call_back_amend, arg);
    a->video = request_copy(&a->request, asked->video);
    a->user = request_copy(&a->request, asked->user);
    a->note = request_copy(&a->request, asked->note);
    a->target = asked->target;
    a->known = asked->known;
    a->asked = local_copy_entry(&a->request, asked->kind, asked->body, asked->body_len);
    a->cb = cb;
    local_push(engine, &a->request);
}

static void call_back_head(struct local_engine *e, struct request *r) {
    const struct head_request *h = (const struct head_request *)r;
    bool ok = r->status == ENGINE_OK;
    h->cb(r->arg, r->status, ok ? &h->answer : NULL);
    if (ok) local_publish(e, h->video, &h->loss);
}

void local_head(struct engine *engine, const char *video, struct position known, engine_head_cb *cb,
                void *arg) {
    struct head_request *h =
        request_new(sizeof *h, request_copy_size(video), local_of(engine)->store->head, call_back_head, arg);
    h->video = request_copy(&h->request, video);
    h->known = known;
    h->cb = cb;
    local_push(engine, &h->request);
}

static void call_back_range(struct local_engine *e, struct request *request) {
    const struct range_request *r = (const struct range_request *)request;
    (void)e;
    r->cb(request->arg, request->status, request->status == ENGINE_OK ? &r->answer : NULL);
}

static void local_push_range(struct engine *engine, request_carry_out *carry_out, const char *video,
                             struct position from, size_t limit, engine_range_cb *cb, void *arg) {
    struct range_request *r =
        request_new(sizeof *r, request_copy_size(video), carry_out, call_back_range, arg);
    r->video = request_copy(&r->request, video);
    r->from = from;
    r->limit = limit;
    r->request.reads_log = true;
    r->cb = cb;
    local_push(engine, &r->request);
}

void local_range(struct engine *engine, const char *video, struct position after, size_t limit,
                 engine_range_cb *cb, void *arg) {
    local_push_range(engine, local_of(engine)->store->range, video, after, limit, cb, arg);
}

void local_range_before(struct engine *engine, const char *video, struct position before, size_t limit,
                        engine_range_cb *cb, void *arg) {
    local_push_range(engine, local_of(engine)->store->range_before, video, before, limit, cb, arg);
}

static void call_back_replay(struct local_engine *e, struct request *request) {
    const struct replay_request *r = (const struct replay_request *)request;
    (void)e;
    struct engine_replayed page = {
        .range = r->range.answer, .at_ms = r->range.at_ms, .origin_ms = r->origin_ms};
    r->cb(request->arg, request->status, request->status == ENGINE_OK ? &page : NULL);
}

void local_replay(struct engine *engine, const struct engine_replay *what, engine_replay_cb *cb, void *arg) {
    struct replay_request *r = request_new(sizeof *r, request_copy_size(what->video),
                                           local_of(engine)->store->replay, call_back_replay, arg);
    r->range.request.reads_log = true;
    r->range.video = request_copy(&r->range.request, what->video);
    r->range.from = what->after;
    r->range.limit = what->limit;
    r->from_ms = what->from_ms;
    r->cb = cb;
    local_push(engine, &r->range.request);
}

static void call_back_videos(struct local_engine *e, struct request *request) {
    const struct videos_request *r = (const struct videos_request *)request;
    (void)e;
    r->cb(request->arg, request->status, request->status == ENGINE_OK ? &r->answer : NULL);
}

void local_videos(struct engine *engine, const char *cursor, engine_videos_cb *cb, void *arg) {
    struct videos_request *r = request_new(sizeof *r, request_copy_size(cursor),
                                           local_of(engine)->store->videos, call_back_videos, arg);
    r->cursor = request_copy(&r->request, cursor);
    r->cb = cb;
    local_push(engine, &r->request);
}

// Mappings

static struct mapping_request *local_mapping_request(const char *video, const char *reader_url,
                                                     const char *expected, request_carry_out *carry_out,
                                                     request_call_back *call_back, void *arg) {
    size_t room = request_copy_size(video) + request_copy_size(reader_url) + request_copy_size(expected);
    struct mapping_request *m = request_new(sizeof *m, room, carry_out, call_back, arg);
    m->video = request_copy(&m->request, video);
    m->reader_url = request_copy(&m->request, reader_url);
    m->expected = request_copy(&m->request, expected);
    return m;
}

static void call_back_mapping(struct local_engine *e, struct request *r) {
    const struct mapping_request *m = (const struct mapping_request *)r;
    bool ok = r->status == ENGINE_OK;
    (void)e;
    m->on.mapping(r->arg, r->status, ok ? m->found : NULL, ok && m->changed);
}

void local_lookup(struct engine *engine, const char *video, engine_mapping_cb *cb, void *arg) {
    struct mapping_request *m =
        local_mapping_request(video, NULL, NULL, local_of(engine)->store->lookup, call_back_mapping, arg);
    m->on.mapping = cb;
    local_push(engine, &m->request);
}

void local_assign(struct engine *engine, const char *video, const char *reader_url, engine_mapping_cb *cb,
                  void *arg) {
    struct mapping_request *m = local_mapping_request(
        video, reader_url, NULL, local_of(engine)->store->assign, call_back_mapping, arg);
    m->on.mapping = cb;
    local_push(engine, &m->request);
}

void local_reassign(struct engine *engine, const char *video, const char *expected, const char *reader_url,
                    engine_mapping_cb *cb, void *arg) {
    struct mapping_request *m = local_mapping_request(
        video, reader_url, expected, local_of(engine)->store->reassign, call_back_mapping, arg);
    m->on.mapping = cb;
    local_push(engine, &m->request);
}

static void call_back_release(struct local_engine *e, struct request *r) {
    (void)e;
    ((const struct mapping_request *)r)->on.done(r->arg, r->status);
}

void local_release(struct engine *engine, const char *video, const char *expected, engine_done_cb *cb,
                   void *arg) {
    struct mapping_request *m = local_mapping_request(video, NULL, expected, local_of(engine)->store->release,
                                                      call_back_release, arg);
    m->on.done = cb;
    local_push(engine, &m->request);
}

// Sets of readers

static void call_back_set(struct local_engine *e, struct request *request) {
    const struct set_request *s = (const struct set_request *)request;
    (void)e;
    s->cb(request->arg, request->status, request->status == ENGINE_OK ? &s->found : NULL);
}

static void local_set_request(struct engine *engine, request_carry_out *carry_out, const char *video,
                              uint64_t generation, const char *text, engine_set_cb *cb, void *arg) {
    size_t room = request_copy_size(video) + request_copy_size(text);
    struct set_request *s = request_new(sizeof *s, room, carry_out, call_back_set, arg);
    s->video = request_copy(&s->request, video);
    s->text = request_copy(&s->request, text);
    s->generation = generation;
    s->found.text = "";
    s->cb = cb;
    local_push(engine, &s->request);
}

void local_set_read(struct engine *engine, const char *video, engine_set_cb *cb, void *arg) {
    local_set_request(engine, local_of(engine)->store->set_read, video, 0, NULL, cb, arg);
}

void local_set_write(struct engine *engine, const char *video, uint64_t generation, const char *text,
                     engine_set_cb *cb, void *arg) {
    assert(*text && strlen(text) <= ENGINE_SET_MAX);
    local_set_request(engine, local_of(engine)->store->set_write, video, generation, text, cb, arg);
}

// Settings of videos

static void call_back_settings(struct local_engine *e, struct request *r) {
    const struct settings_request *s = (const struct settings_request *)r;
    (void)e;
    s->on.settings(r->arg, r->status, r->status == ENGINE_OK ? s->found : NULL);
}

void local_settings_read(struct engine *engine, const char *const *videos, size_t count,
                         engine_settings_cb *cb, void *arg) {
    size_t room = 0;
    assert(count <= ENGINE_SETTINGS_BATCH);
    for (size_t i = 0; i < count; i++) room += request_copy_size(videos[i]);
    struct settings_request *s =
        request_new(sizeof *s, room, local_of(engine)->store->settings_read, call_back_settings, arg);
    for (; s->count < count; s->count++) s->videos[s->count] = request_copy(&s->request, videos[s->count]);
    s->on.settings = cb;
    local_push(engine, &s->request);
}

static void call_back_settings_written(struct local_engine *e, struct request *r) {
    (void)e;
    ((const struct settings_request *)r)->on.done(r->arg, r->status);
}

void local_settings_write(struct engine *engine, const char *video, const char *settings, engine_done_cb *cb,
                          void *arg) {
    size_t room = request_copy_size(video) + request_copy_size(settings);
    struct settings_request *s = request_new(sizeof *s, room, local_of(engine)->store->settings_write,
                                             call_back_settings_written, arg);
    assert(!settings || (*settings && strlen(settings) <= ENGINE_SETTINGS_MAX));
    s->videos[s->count++] = request_copy(&s->request, video);
    s->text = request_copy(&s->request, settings);
    s->on.done = cb;
    local_push(engine, &s->request);
}

// Rooms

static void call_back_rooms(struct local_engine *e, struct request *request) {
    const struct rooms_request *r = (const struct rooms_request *)request;
    (void)e;
    r->cb(request->arg, request->status, request->status == ENGINE_OK ? r->found : NULL);
}

static struct rooms_request *local_rooms_request(const char *const *videos, size_t count, const char *note,
                                                 request_carry_out *carry_out, engine_rooms_cb *cb,
                                                 void *arg) {
    size_t room = request_copy_size(note);
    assert(count && count <= ENGINE_SETTINGS_BATCH);
    for (size_t i = 0; i < count; i++) room += request_copy_size(videos[i]);
    struct rooms_request *r = request_new(sizeof *r, room, carry_out, call_back_rooms, arg);
    for (; r->count < count; r->count++) r->videos[r->count] = request_copy(&r->request, videos[r->count]);
    r->note = request_copy(&r->request, note);
    r->cb = cb;
    return r;
}

void local_rooms_read(struct engine *engine, const char *const *videos, size_t count, engine_rooms_cb *cb,
                      void *arg) {
    request_carry_out *carry_out = local_of(engine)->store->rooms_read;
    local_push(engine, &local_rooms_request(videos, count, NULL, carry_out, cb, arg)->request);
}

void local_room_write(struct engine *engine, const char *video, const struct engine_room *room,
                      const char *note, engine_rooms_cb *cb, void *arg) {
    struct rooms_request *r =
        local_rooms_request(&video, 1, note, local_of(engine)->store->room_write, cb, arg);
    r->room = *room;
    local_push(engine, &r->request);
}

static void call_back_bans(struct local_engine *e, struct request *request) {
    const struct bans_request *r = (const struct bans_request *)request;
    bool ok = request->status == ENGINE_OK;
    (void)e;
    r->cb(request->arg, request->status, ok ? r->bans : NULL, ok ? r->count : 0);
}

static struct bans_request *local_bans_request(const char *video, const char *user, const char *note,
                                               request_carry_out *carry_out, engine_bans_cb *cb, void *arg) {
    size_t room = request_copy_size(video) + request_copy_size(user) + request_copy_size(note);
    struct bans_request *r = request_new(sizeof *r, room, carry_out, call_back_bans, arg);
    r->note = request_copy(&r->request, note);
    r->video = request_copy(&r->request, video);
    r->user = request_copy(&r->request, user);
    r->cb = cb;
    return r;
}

void local_ban_write(struct engine *engine, const char *video, const char *user, int64_t for_ms, bool shadow,
                     const char *note, engine_bans_cb *cb, void *arg) {
    struct bans_request *r =
        local_bans_request(video, user, note, local_of(engine)->store->ban_write, cb, arg);
    r->for_ms = for_ms;
    r->shadow = shadow;
    local_push(engine, &r->request);
}

void local_bans_read(struct engine *engine, const char *video, engine_bans_cb *cb, void *arg) {
    local_push(engine,
               &local_bans_request(video, NULL, NULL, local_of(engine)->store->bans_read, cb, arg)->request);
}

static void call_back_held(struct local_engine *e, struct request *request) {
    const struct held_request *h = (const struct held_request *)request;
    bool ok = request->status == ENGINE_OK;
    (void)e;
    h->on.held(request->arg, request->status, ok ? h->list : NULL, ok ? h->count : 0);
}

static void call_back_drop_held(struct local_engine *e, struct request *request) {
    const struct held_request *h = (const struct held_request *)request;
    (void)e;
    h->on.drop(request->arg, request->status, h->left);
}

static struct held_request *local_held_request(const char *video, const char *id, const char *note,
                                               request_carry_out *carry_out, request_call_back *call_back,
                                               void *arg) {
    size_t room = request_copy_size(video) + request_copy_size(id) + request_copy_size(note);
    struct held_request *h = request_new(sizeof *h, room, carry_out, call_back, arg);
    h->note = request_copy(&h->request, note);
    h->video = request_copy(&h->request, video);
    h->id = request_copy(&h->request, id);
    return h;
}

void local_held_read(struct engine *engine, const char *video, engine_held_cb *cb, void *arg) {
    struct held_request *h =
        local_held_request(video, NULL, NULL, local_of(engine)->store->held_read, call_back_held, arg);
    h->on.held = cb;
    local_push(engine, &h->request);
}

void local_held_drop(struct engine *engine, const char *video, const char *id, const char *note,
                     engine_drop_cb *cb, void *arg) {
    struct held_request *h =
        local_held_request(video, id, note, local_of(engine)->store->held_drop, call_back_drop_held, arg);
    h->on.drop = cb;
    local_push(engine, &h->request);
}

static void call_back_audit(struct local_engine *e, struct request *request) {
    const struct audit_request *a = (const struct audit_request *)request;
    bool ok = request->status == ENGINE_OK;
    (void)e;
    a->cb(request->arg, request->status, ok ? a->notes : NULL, ok ? a->count : 0);
}

void local_audit_read(struct engine *engine, const char *video, engine_audit_cb *cb, void *arg) {
    struct audit_request *a = request_new(sizeof *a, request_copy_size(video),
                                          local_of(engine)->store->audit_read, call_back_audit, arg);
    a->video = request_copy(&a->request, video);
    a->cb = cb;
    local_push(engine, &a->request);
}

void local_watch(struct engine *engine, const char *const *videos, size_t count, bool watched) {
    const struct local_engine *e = local_of(engine);
    for (size_t i = 0; i < count; i++) {
        if (!watched && hub_is_shared(e->hub, videos[i])) continue;
        struct watch_request *w =
            request_new(sizeof *w, request_copy_size(videos[i]), e->store->watch, NULL, NULL);
        w->video = request_copy(&w->request, videos[i]);
        w->watched = watched;
        local_push(engine, &w->request);
    }
}

// Leases

static void call_back_renew(struct local_engine *e, struct request *request) {
    const struct lease_request *r = (const struct lease_request *)request;
    (void)e;
    r->cb(request->arg, request->status, request->status == ENGINE_OK ? &r->answer : NULL);
}

void local_lease_renew(struct engine *engine, const struct engine_lease *lease, int ttl_ms,
                       engine_lease_cb *cb, void *arg) {
    size_t room = request_copy_size(lease->reader_url) + request_copy_size(lease->public_url) +
                  request_copy_size(lease->instance_id) + request_copy_size(lease->load);
    struct lease_request *r =
        request_new(sizeof *r, room, local_of(engine)->store->lease_renew, call_back_renew, arg);
    r->asked = *lease;
    r->asked.reader_url = request_copy(&r->request, lease->reader_url);
    r->asked.public_url = request_copy(&r->request, lease->public_url);
    r->asked.instance_id = request_copy(&r->request, lease->instance_id);
    r->asked.load = request_copy(&r->request, lease->load);
    r->ttl_ms = ttl_ms;
    r->cb = cb;
    local_push(engine, &r->request);
}

static void call_back_drop(struct local_engine *e, struct request *r) {
    (void)e;
    ((const struct lease_drop_request *)r)->cb(r->arg, r->status);
}

void local_lease_drop(struct engine *engine, const char *reader_url, uint64_t generation, engine_done_cb *cb,
                      void *arg) {
    struct lease_drop_request *d = request_new(sizeof *d, request_copy_size(reader_url),
                                               local_of(engine)->store->lease_drop, call_back_drop, arg);
    d->reader_url = request_copy(&d->request, reader_url);
    d->generation = generation;
    d->cb = cb;
    local_push(engine, &d->request);
}

static void call_back_leases(struct local_engine *e, struct request *r) {
    const struct leases_request *l = (const struct leases_request *)r;
    bool ok = r->status == ENGINE_OK;
    (void)e;
    l->cb(r->arg, r->status, ok ? l->list : NULL, ok ? l->count : 0);
}

void local_leases(struct engine *engine, engine_leases_cb *cb, void *arg) {
    struct leases_request *l =
        request_new(sizeof *l, 0, local_of(engine)->store->leases, call_back_leases, arg);
    l->cb = cb;
    local_push(engine, &l->request);
}

// The rest

static void call_back_counter(struct local_engine *e, struct request *r) {
    const struct counter_request *c = (const struct counter_request *)r;
    (void)e;
    c->cb(r->arg, r->status, r->status == ENGINE_OK ? c->value : 0);
}

void local_counter_next(struct engine *engine, const char *name, engine_counter_cb *cb, void *arg) {
    struct counter_request *c = request_new(sizeof *c, request_copy_size(name),
                                            local_of(engine)->store->counter_next, call_back_counter, arg);
    c->name = request_copy(&c->request, name);
    c->cb = cb;
    local_push(engine, &c->request);
}

static void call_back_secret(struct local_engine *e, struct request *r) {
    const struct secret_request *s = (const struct secret_request *)r;
    (void)e;
    s->cb(r->arg, r->status, r->status == ENGINE_OK ? s->secret : NULL);
}

void local_secret(struct engine *engine, const char *name, const unsigned char offered[ENGINE_SECRET],
                  int64_t keep_ms, engine_secret_cb *cb, void *arg) {
    struct secret_request *s = request_new(sizeof *s, request_copy_size(name),
                                           local_of(engine)->store->secret, call_back_secret, arg);
    s->name = request_copy(&s->request, name);
    s->keep_ms = keep_ms;
    memcpy(s->secret, offered, ENGINE_SECRET);
    s->cb = cb;
    local_push(engine, &s->request);
}

static void call_back_overview(struct local_engine *e, struct request *r) {
    const struct overview_request *o = (const struct overview_request *)r;
    (void)e;
    o->cb(r->arg, r->status, r->status == ENGINE_OK ? &o->answer : NULL);
}

void local_overview(struct engine *engine, engine_overview_cb *cb, void *arg) {
    struct overview_request *o =
        request_new(sizeof *o, 0, local_of(engine)->store->overview, call_back_overview, arg);
    o->cb = cb;
    local_push(engine, &o->request);
}
