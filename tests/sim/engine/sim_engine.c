// An operation is a struct sim_call with the function that calls back. It is sent if the store can be
// reached, and refused in a moment otherwise, as the engine on Redis does: that one's times are used. The
// answer, or the end of the connection, is found when the doorbell rings.
#include "sim_store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "base/uthash.h"
#include "engine/engine.h"
#include "engine/hub.h"
#include "engine/messages.h"
#include "engine/redis/redis_last_positions.h"
#include "net/loop.h"
#include "sim_session.h"

enum {
    REFUSE_MS = 1,
    SILENCE_MS = 1500, // after that without an answer nothing more is sent
    CUT_MS = 3000,     // and after that the connection is cut
    FIRST_RETRY_MS = 20,
    LAST_RETRY_MS = 500,
    TICK_MS = 1000,
    TOLD_AT_ONCE = 32,
    PENDING_MOST = 16384
};

struct refused {
    struct sim_call call; // without its strings
    enum engine_status status;
    struct refused *next;
};

struct connecting {
    struct loop_timer timer;
    int delay_ms;
    bool has_been_up;
};

struct sim_engine {
    struct engine engine; // first
    struct loop *loop;
    struct sim_session *session;
    struct hub *hub;
    struct messages *messages;
    struct last_positions last_positions;
    struct engine_limits limits;
    struct topic {
        struct topic *next;
        char name[];
    } * topics; // with a listener
    struct connecting connecting[SIM_LINKS];
    struct loop_timer watchdog, refuse, tick;
    uint64_t run; // of the server, when positions were told last
    struct loop_job doorbell, reap;
    struct refused *refused;
    size_t pending;
    int64_t expecting_since_ms; // an answer; of the watchdog
    int64_t clock_offset_ms;    // the server's wall clock less our monotonic one
    struct engine_stats stats;
    bool closed;
};

static struct sim_engine *engine_of(struct engine *engine) {
    return (struct sim_engine *)engine;
}

// Sending

static bool engine_is_silent(const struct sim_engine *e) {
    return e->pending && loop_now_ms(e->loop) - e->expecting_since_ms >= SILENCE_MS;
}

static bool engine_serves(const struct sim_engine *e) {
    return !e->closed && sim_session_is_up(e->session, SIM_COMMANDS) && !engine_is_silent(e);
}

static void call_refuse(struct sim_engine *e, const struct sim_call *c, enum engine_status status) {
    if (!c->on_answer) return;
    struct refused *r = mem_zalloc(sizeof *r);
    r->call = (struct sim_call){.op = c->op, .on_answer = c->on_answer, .cb = c->cb, .arg = c->arg};
    r->status = status;
    LL_APPEND(e->refused, r);
    if (!e->closed && !e->refuse.slot) loop_timer_start(e->loop, &e->refuse, REFUSE_MS);
}

static void call_send(struct sim_engine *e, struct sim_call *c) {
    if (e->closed) {
        call_refuse(e, c, ENGINE_CLOSED);
    } else if (!engine_serves(e)) {
        call_refuse(e, c, ENGINE_UNAVAILABLE);
    } else if (e->pending >= PENDING_MOST) {
        call_refuse(e, c, ENGINE_BUSY);
    } else {
        c->limits = e->limits;
        c->seen_epoch = e->last_positions.epoch;
        c->sent_us = clock_monotonic_us();
        if (c->on_answer && !e->pending++) e->expecting_since_ms = loop_now_ms(e->loop);
        if (!e->watchdog.slot) loop_timer_start(e->loop, &e->watchdog, CUT_MS);
        sim_session_send(e->session, c);
    }
}

// The answer is called back with `status`, and no other than OK and REFUSED has anything with it.
static void call_answer(struct sim_engine *e, struct sim_call *c, enum engine_status status) {
    if (status != ENGINE_OK && status != ENGINE_REFUSED) sim_answer_release(&c->answer);
    c->answer.status = status;
    c->on_answer(e, c);
}

static void answer_refused(struct sim_engine *e) {
    size_t count = 0;
    struct refused *r;
    LL_COUNT(e->refused, r, count);
    while (count-- && (r = e->refused)) {
        LL_DELETE(e->refused, r);
        call_answer(e, &r->call, r->status);
        free(r);
    }
}

static void on_engine_refuse(struct loop_timer *t) {
    struct sim_engine *e = container_of(t, struct sim_engine, refuse);
    answer_refused(e);
    if (!e->closed && e->refused && !t->slot) loop_timer_start(e->loop, t, REFUSE_MS);
}

// What arrives

// Answers a call that was sent; a callback may close the engine.
static void engine_finish(struct sim_engine *e, struct sim_call *c, enum engine_status status) {
    sim_call_ref(c);
    sim_session_forget(e->session, c);
    e->pending--;
    engine_stats_add(&e->stats, clock_monotonic_us() - c->sent_us, status == ENGINE_UNAVAILABLE);
    call_answer(e, c, status);
    sim_call_unref(c);
}

static void engine_take(struct sim_engine *e, const struct sim_item *i) {
    struct engine_entry entry;
    switch (i->kind) {
    case ITEM_ANSWER:
        e->expecting_since_ms = loop_now_ms(e->loop);
        if (i->call->session) engine_finish(e, i->call, i->call->answer.status);
        break;
    case ITEM_ENTRY:
        entry = sim_entry_view(&i->entry);
        if (entry.kind == ENTRY_UNREAD) entry.body_len = 0;
        hub_publish(e->hub, i->name, &entry);
        break;
    case ITEM_SUBSCRIBED: hub_notify_subscribed(e->hub, i->name); break;
    case ITEM_MESSAGE:
        messages_deliver(e->messages, i->name, i->entry.body->bytes, i->entry.body->len);
        break;
    default: assert(false);
    }
}

static void engine_connect_later(struct sim_engine *e, enum sim_link link) {
    struct connecting *c = &e->connecting[link];
    if (e->closed || c->timer.slot) return;
    loop_timer_start(e->loop, &c->timer,
                     sim_session_connect_ms(e->session) + sim_session_about_ms(e->session, c->delay_ms));
}

// Everything that has no answer yet fails; whether it was done is unknown.
static void engine_lost_commands(struct sim_engine *e) {
    struct sim_call *last = sim_session_pending(e->session) ? sim_session_pending(e->session)->prev : NULL,
                    *c;
    e->connecting[SIM_COMMANDS].delay_ms = FIRST_RETRY_MS;
    engine_connect_later(e, SIM_COMMANDS);
    for (bool more = last; more && !e->closed && (c = sim_session_pending(e->session));) {
        more = c != last;
        engine_finish(e, c, ENGINE_UNAVAILABLE);
    }
}

static void engine_take_cuts(struct sim_engine *e) {
    if (sim_session_take_cut(e->session, SIM_SUBSCRIBER)) {
        e->connecting[SIM_SUBSCRIBER].delay_ms = FIRST_RETRY_MS;
        engine_connect_later(e, SIM_SUBSCRIBER);
    }
    if (sim_session_take_cut(e->session, SIM_COMMANDS)) engine_lost_commands(e);
}

static void engine_free(struct sim_engine *e) {
    free(e);
}

static void on_doorbell(struct loop_job *job) {
    struct sim_engine *e = container_of(job, struct sim_engine, doorbell);
    if (e->closed) {
        engine_free(e);
        return;
    }
    sim_session_answer_door(e->session);
    for (struct sim_item *i; !e->closed && (i = sim_session_take(e->session));) {
        engine_take(e, i);
        sim_item_free(i);
    }
    if (!e->closed) engine_take_cuts(e);
}

static void on_watchdog(struct loop_timer *t) {
    struct sim_engine *e = container_of(t, struct sim_engine, watchdog);
    if (!e->pending) return;
    int64_t left_ms = e->expecting_since_ms + CUT_MS - loop_now_ms(e->loop);
    if (left_ms > 0) {
        loop_timer_start(e->loop, t, left_ms);
        return;
    }
    sim_session_cut(e->session, SIM_COMMANDS);
    engine_lost_commands(e);
}

// Connections

static void subscribe_again(void *arg, const char *video) {
    sim_session_subscribe(((struct sim_engine *)arg)->session, video, false, true);
}

static void engine_connected(struct sim_engine *e, enum sim_link link) {
    const struct topic *t;
    if (link == SIM_COMMANDS) {
        e->clock_offset_ms = sim_session_wall_ms(e->session) - loop_now_ms(e->loop);
        return;
    }
    hub_each_video(e->hub, subscribe_again, e);
    LL_FOREACH(e->topics, t) sim_session_subscribe(e->session, t->name, true, true);
}

static void engine_connect(struct sim_engine *e, enum sim_link link) {
    struct connecting *c = &e->connecting[link];
    if (!sim_session_connect(e->session, link)) {
        c->delay_ms = !c->delay_ms                      ? FIRST_RETRY_MS
                      : c->delay_ms * 2 < LAST_RETRY_MS ? c->delay_ms * 2
                                                        : LAST_RETRY_MS;
        engine_connect_later(e, link);
        return;
    }
    e->stats.reconnects += c->has_been_up;
    c->has_been_up = true;
    engine_connected(e, link);
}

static void on_commands_due(struct loop_timer *t) {
    engine_connect(container_of(t, struct sim_engine, connecting[SIM_COMMANDS].timer), SIM_COMMANDS);
}

static void on_subscriber_due(struct loop_timer *t) {
    engine_connect(container_of(t, struct sim_engine, connecting[SIM_SUBSCRIBER].timer), SIM_SUBSCRIBER);
}

// Subscriptions

static void send_subscription(struct sim_engine *e, const char *name, bool is_topic, bool subscribe) {
    if (!e->closed && sim_session_is_up(e->session, SIM_SUBSCRIBER))
        sim_session_subscribe(e->session, name, is_topic, subscribe);
}

static struct engine_subscription *op_subscribe(struct engine *engine, const char *video,
                                                const struct engine_subscriber *subscriber, void *arg) {
    struct sim_engine *e = engine_of(engine);
    struct engine_subscription *s = hub_subscribe(e->hub, video, subscriber, arg);
    send_subscription(e, video, false, true);
    return s;
}

static void op_unsubscribe(struct engine *engine, struct engine_subscription *subscription) {
    struct sim_engine *e = engine_of(engine);
    char video[ENGINE_VIDEO_MAX + 1];
    snprintf(video, sizeof video, "%s", hub_video_of(subscription));
    struct position at = hub_position(e->hub, video);
    if (!hub_unsubscribe(e->hub, subscription) || e->closed) return;
    send_subscription(e, video, false, false);
    last_positions_keep(&e->last_positions, video, at);
}

// Messages

static void op_notify(struct engine *engine, const char *topic, const void *body, size_t len) {
    struct sim_engine *e = engine_of(engine);
    struct sim_call c = {.op = SIM_NOTIFY, .name = topic, .text = body, .text_len = len};
    if (messages_fit(topic, len) && engine_serves(e)) call_send(e, &c);
}

static struct topic **find_topic(struct sim_engine *e, const char *name) {
    struct topic **at = &e->topics;
    while (*at && strcmp((*at)->name, name) != 0) at = &(*at)->next;
    return at;
}

static struct engine_listener *op_listen(struct engine *engine, const char *topic, engine_message_cb *cb,
                                         void *arg) {
    struct sim_engine *e = engine_of(engine);
    if (!*find_topic(e, topic)) {
        size_t size = strlen(topic) + 1;
        struct topic *t = mem_zalloc(sizeof *t + size);
        memcpy(t->name, topic, size);
        LL_PREPEND(e->topics, t);
        send_subscription(e, topic, true, true);
    }
    return messages_listen(e->messages, topic, cb, arg);
}

static void op_unlisten(struct engine *engine, struct engine_listener *l) {
    struct sim_engine *e = engine_of(engine);
    struct topic **at = find_topic(e, messages_topic_of(l)), *t = *at;
    if (!messages_unlisten(e->messages, l)) return;
    *at = t->next;
    send_subscription(e, t->name, true, false);
    free(t);
}

// The log

#define CALLBACK(type, call) ((type *)(call)->cb)

static struct position higher(struct position a, struct position b) {
    return position_compare(a, b) > 0 ? a : b;
}

static void note_position(struct sim_engine *e, const char *video, struct position at) {
    struct last_position *v = last_positions_ref(&e->last_positions, video);
    last_positions_note(&e->last_positions, v, at);
    last_positions_unref(&e->last_positions, v);
}

static void on_appended(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    bool ok = a->status == ENGINE_OK;
    if (a->status == ENGINE_REFUSED) {
        struct engine_entry refused = {.kind = c->kind, .body = c->body->bytes, .body_len = c->body->len};
        *c->gate.refusal = a->refusal;
        CALLBACK(engine_append_cb, c)(c->arg, ENGINE_REFUSED, &refused, NULL);
        return;
    }
    if (!ok && c->deadline_ms) // it may have come too late, by a clock that was stepped
        e->clock_offset_ms = sim_session_wall_ms(e->session) - loop_now_ms(e->loop);
    if (!ok) {
        CALLBACK(engine_append_cb, c)(c->arg, a->status, NULL, NULL);
        return;
    }
    struct engine_entry entry = sim_entry_view(&a->entry);
    struct engine_first first = {.at_ms = a->first_at_ms};
    note_position(e, c->name, entry.at);
    CALLBACK(engine_append_cb, c)(c->arg, ENGINE_OK, &entry, a->repeated ? &first : NULL);
}

// The highest position that this process knows of.
static struct position known_of(struct sim_engine *e, const char *video, struct position asked) {
    struct last_position *last = last_positions_ref(&e->last_positions, video);
    struct position known = higher(asked, hub_position(e->hub, video));
    if (!position_is_plausible(known)) known = (struct position){0};
    known = higher(known, last->at);
    last_positions_unref(&e->last_positions, last);
    return known;
}

static void on_amended(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    bool stored = a->status == ENGINE_OK && position_is_set(a->entry.at);
    struct engine_entry entry = {0};
    if (stored) {
        entry = sim_entry_view(&a->entry);
        note_position(e, c->name, entry.at);
    }
    CALLBACK(engine_amend_cb, c)(c->arg, a->status, stored ? &entry : NULL, a->taken);
}

static void op_amend(struct engine *engine, const struct engine_amend *asked, engine_amend_cb *cb,
                     void *arg) {
    struct sim_engine *e = engine_of(engine);
    struct sim_call c = {.op = SIM_AMEND,
                         .name = asked->video,
                         .user = asked->user,
                         .note = asked->note,
                         .target = asked->target,
                         .kind = asked->kind,
                         .text = asked->body_len ? asked->body : "",
                         .text_len = asked->body_len,
                         .at = known_of(e, asked->video, asked->known),
                         .on_answer = on_amended,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    call_send(e, &c);
}

static void op_append(struct engine *engine, const struct engine_append *asked, engine_append_cb *cb,
                      void *arg) {
    struct sim_engine *e = engine_of(engine);
    assert(asked->body_len ? asked->kind != ENTRY_TOMBSTONE : asked->kind != ENTRY_COMMENT);
    struct sim_call c = {.op = SIM_APPEND,
                         .name = asked->video,
                         .kind = asked->kind,
                         .text = asked->body_len ? asked->body : "",
                         .text_len = asked->body_len,
                         .deadline_ms = loop_now_ms(e->loop) + e->clock_offset_ms + ENGINE_LATE_MS,
                         .on_answer = on_appended,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    c.at = known_of(e, asked->video, asked->known);
    c.has_token = asked->token;
    if (asked->token) c.token = *asked->token;
    c.token.old_name = NULL;
    c.has_gate = asked->gate;
    if (asked->gate) c.gate = *asked->gate;
    call_send(e, &c);
}

static void on_head(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    struct engine_head head = {.at = a->head, .before = a->before, .over = a->over};
    if (a->status == ENGINE_OK) last_positions_note_epoch(&e->last_positions, a->head.epoch);
    CALLBACK(engine_head_cb, c)(c->arg, a->status, a->status == ENGINE_OK ? &head : NULL);
}

static void op_head(struct engine *engine, const char *video, struct position known, engine_head_cb *cb,
                    void *arg) {
    struct sim_call c = {
        .op = SIM_HEAD, .name = video, .on_answer = on_head, .cb = (void (*)(void))cb, .arg = arg};
    if (position_is_plausible(known)) c.at = known;
    call_send(engine_of(engine), &c);
}

// Losses: when the run has changed, the store is told what this process knows of, as by the engine on Redis
// (redis_losses.h).

struct told {
    struct sim_engine *engine;
    struct last_position *video;
};

static void on_told(void *arg, enum engine_status status, const struct engine_head *head) {
    struct told *t = arg;
    struct last_positions *k = &t->engine->last_positions;
    (void)head;
    if (status == ENGINE_UNAVAILABLE || status == ENGINE_BUSY) last_positions_doubt_again(k, t->video);
    last_positions_unref(k, t->video);
    free(t);
}

static void on_tick(struct loop_timer *timer) {
    struct sim_engine *e = container_of(timer, struct sim_engine, tick);
    struct last_position *doubted[TOLD_AT_ONCE];
    loop_timer_start(e->loop, timer, TICK_MS);
    if (!engine_serves(e)) return;
    if (sim_session_run(e->session) != e->run) last_positions_doubt(&e->last_positions);
    e->run = sim_session_run(e->session);
    size_t count = last_positions_take_doubted(&e->last_positions, doubted, TOLD_AT_ONCE);
    for (size_t i = 0; i < count; i++) {
        struct told *t = mem_alloc(sizeof *t);
        *t = (struct told){.engine = e, .video = doubted[i]};
        op_head(&e->engine, doubted[i]->name, doubted[i]->at, on_told, t);
    }
}

static struct engine_entry *view_entries(const struct sim_answer *a) {
    struct engine_entry *entries = mem_alloc((a->count + 1) * sizeof *entries);
    for (size_t i = 0; i < a->count; i++) entries[i] = sim_entry_view(&a->entries[i]);
    return entries;
}

static void on_range(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    struct engine_entry *entries = view_entries(a);
    struct engine_range range = {.entries = entries, .count = a->count, .head = a->head, .more = a->more};
    (void)e;
    CALLBACK(engine_range_cb, c)(c->arg, a->status, a->status == ENGINE_OK ? &range : NULL);
    free(entries);
}

static void send_range(struct engine *engine, enum sim_op op, const char *video, struct position from,
                       size_t limit, engine_range_cb *cb, void *arg) {
    struct sim_call c = {.op = op,
                         .name = video,
                         .at = from,
                         .limit = limit,
                         .on_answer = on_range,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    call_send(engine_of(engine), &c);
}

static void op_range(struct engine *engine, const char *video, struct position after, size_t limit,
                     engine_range_cb *cb, void *arg) {
    send_range(engine, SIM_RANGE, video, after, limit, cb, arg);
}

static void op_range_before(struct engine *engine, const char *video, struct position before, size_t limit,
                            engine_range_cb *cb, void *arg) {
    send_range(engine, SIM_RANGE_BEFORE, video, before, limit, cb, arg);
}

// Mappings

static void on_mapping(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    (void)e;
    CALLBACK(engine_mapping_cb, c)(c->arg, a->status, a->status == ENGINE_OK ? a->reader : NULL, a->changed);
}

static void send_mapping(struct engine *engine, struct sim_call c, engine_mapping_cb *cb, void *arg) {
    c.on_answer = on_mapping;
    c.cb = (void (*)(void))cb;
    c.arg = arg;
    call_send(engine_of(engine), &c);
}

static void op_lookup(struct engine *engine, const char *video, engine_mapping_cb *cb, void *arg) {
    send_mapping(engine, (struct sim_call){.op = SIM_LOOKUP, .name = video}, cb, arg);
}

static void op_assign(struct engine *engine, const char *video, const char *reader_url, engine_mapping_cb *cb,
                      void *arg) {
    send_mapping(engine, (struct sim_call){.op = SIM_ASSIGN, .name = video, .reader_url = reader_url}, cb,
                 arg);
}

static void op_reassign(struct engine *engine, const char *video, const char *expected,
                        const char *reader_url, engine_mapping_cb *cb, void *arg) {
    struct sim_call c = {.op = SIM_REASSIGN, .name = video, .reader_url = reader_url, .expected = expected};
    send_mapping(engine, c, cb, arg);
}

static void on_set(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    struct engine_set set = {.generation = a->number, .text = a->reader, .written = a->changed};
    (void)e;
    CALLBACK(engine_set_cb, c)(c->arg, a->status, a->status == ENGINE_OK ? &set : NULL);
}

static void op_set_read(struct engine *engine, const char *video, engine_set_cb *cb, void *arg) {
    struct sim_call c = {
        .op = SIM_SET_READ, .name = video, .on_answer = on_set, .cb = (void (*)(void))cb, .arg = arg};
    call_send(engine_of(engine), &c);
}

static void op_set_write(struct engine *engine, const char *video, uint64_t generation, const char *text,
                         engine_set_cb *cb, void *arg) {
    struct sim_call c = {.op = SIM_SET_WRITE,
                         .name = video,
                         .text = text,
                         .text_len = strlen(text),
                         .lease.generation = generation,
                         .on_answer = on_set,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    call_send(engine_of(engine), &c);
}

static void on_done(struct sim_engine *e, struct sim_call *c) {
    (void)e;
    CALLBACK(engine_done_cb, c)(c->arg, c->answer.status);
}

static void op_release(struct engine *engine, const char *video, const char *expected, engine_done_cb *cb,
                       void *arg) {
    struct sim_call c = {.op = SIM_RELEASE,
                         .name = video,
                         .expected = expected,
                         .on_answer = on_done,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    call_send(engine_of(engine), &c);
}

// Settings

static void on_settings(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    const char *found[ENGINE_SETTINGS_BATCH] = {NULL};
    (void)e;
    for (size_t i = 0; i < a->mapped_count; i++) found[i] = a->mapped[i].reader_url;
    CALLBACK(engine_settings_cb, c)(c->arg, a->status, a->status == ENGINE_OK ? found : NULL);
}

static void op_settings_read(struct engine *engine, const char *const *videos, size_t count,
                             engine_settings_cb *cb, void *arg) {
    char names[ENGINE_SETTINGS_BATCH * (ENGINE_VIDEO_MAX + 1)];
    size_t len = 0;
    assert(count && count <= ENGINE_SETTINGS_BATCH);
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(videos[i]) + 1;
        memcpy(names + len, videos[i], size);
        len += size;
    }
    struct sim_call c = {.op = SIM_SETTINGS_READ,
                         .text = names,
                         .text_len = len,
                         .on_answer = on_settings,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    call_send(engine_of(engine), &c);
}

static void op_settings_write(struct engine *engine, const char *video, const char *settings,
                              engine_done_cb *cb, void *arg) {
    struct sim_call c = {.op = SIM_SETTINGS_WRITE,
                         .name = video,
                         .text = settings,
                         .text_len = settings ? strlen(settings) : 0,
                         .on_answer = on_done,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    call_send(engine_of(engine), &c);
}

// Rooms

static void on_rooms(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    (void)e;
    CALLBACK(engine_rooms_cb, c)(c->arg, a->status, a->status == ENGINE_OK ? a->rooms : NULL);
}

static void op_rooms_read(struct engine *engine, const char *const *videos, size_t count, engine_rooms_cb *cb,
                          void *arg) {
    char names[ENGINE_SETTINGS_BATCH * (ENGINE_VIDEO_MAX + 1)];
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(videos[i]) + 1;
        memcpy(names + len, videos[i], size);
        len += size;
    }
    struct sim_call c = {.op = SIM_ROOMS_READ,
                         .text = names,
                         .text_len = len,
                         .on_answer = on_rooms,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    call_send(engine_of(engine), &c);
}

static void op_room_write(struct engine *engine, const char *video, const struct engine_room *room,
                          const char *note, engine_rooms_cb *cb, void *arg) {
    struct sim_call c = {.op = SIM_ROOM_WRITE,
                         .note = note,
                         .name = video,
                         .room = *room,
                         .on_answer = on_rooms,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    call_send(engine_of(engine), &c);
}

static void on_bans(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    bool ok = a->status == ENGINE_OK;
    (void)e;
    CALLBACK(engine_bans_cb, c)(c->arg, a->status, ok ? a->bans : NULL, ok ? a->ban_count : 0);
}

static void op_ban_write(struct engine *engine, const char *video, const char *user, int64_t for_ms,
                         bool shadow, const char *note, engine_bans_cb *cb, void *arg) {
    struct sim_call c = {.op = SIM_BAN_WRITE,
                         .note = note,
                         .name = video,
                         .gate.author = user,
                         .for_ms = for_ms,
                         .shadow = shadow,
                         .on_answer = on_bans,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    call_send(engine_of(engine), &c);
}

static void op_bans_read(struct engine *engine, const char *video, engine_bans_cb *cb, void *arg) {
    struct sim_call c = {
        .op = SIM_BANS_READ, .name = video, .on_answer = on_bans, .cb = (void (*)(void))cb, .arg = arg};
    call_send(engine_of(engine), &c);
}

static void on_held(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    bool ok = a->status == ENGINE_OK;
    (void)e;
    CALLBACK(engine_held_cb, c)(c->arg, a->status, ok ? a->held : NULL, ok ? a->held_count : 0);
}

static void op_held_read(struct engine *engine, const char *video, engine_held_cb *cb, void *arg) {
    struct sim_call c = {
        .op = SIM_HELD_READ, .name = video, .on_answer = on_held, .cb = (void (*)(void))cb, .arg = arg};
    call_send(engine_of(engine), &c);
}

static void on_held_dropped(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    (void)e;
    CALLBACK(engine_drop_cb, c)(c->arg, a->status, (int64_t)a->number);
}

static void on_audit(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    bool ok = a->status == ENGINE_OK;
    (void)e;
    CALLBACK(engine_audit_cb, c)(c->arg, a->status, ok ? a->notes : NULL, ok ? a->note_count : 0);
}

static void op_audit_read(struct engine *engine, const char *video, engine_audit_cb *cb, void *arg) {
    struct sim_call c = {
        .op = SIM_AUDIT_READ, .name = video, .on_answer = on_audit, .cb = (void (*)(void))cb, .arg = arg};
    call_send(engine_of(engine), &c);
}

static void op_held_drop(struct engine *engine, const char *video, const char *id, const char *note,
                         engine_drop_cb *cb, void *arg) {
    struct sim_call c = {.op = SIM_HELD_DROP,
                         .note = note,
                         .name = video,
                         .gate.id = id,
                         .on_answer = on_held_dropped,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    call_send(engine_of(engine), &c);
}

static void op_watch(struct engine *engine, const char *const *videos, size_t count, bool watched) {
    struct sim_engine *e = engine_of(engine);
    assert(count <= ENGINE_WATCH_MAX);
    for (size_t i = 0; i < count; i++) {
        struct sim_call c = {.op = SIM_WATCH, .name = videos[i], .watched = watched};
        if (watched || !hub_is_shared(e->hub, videos[i])) call_send(e, &c);
    }
}

// Leases

static void on_renewed(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    (void)e;
    CALLBACK(engine_lease_cb, c)(c->arg, a->status, a->status == ENGINE_OK ? &a->lease : NULL);
}

static void op_lease_renew(struct engine *engine, const struct engine_lease *lease, int ttl_ms,
                           engine_lease_cb *cb, void *arg) {
    struct sim_call c = {.op = SIM_LEASE_RENEW,
                         .name = lease->reader_url,
                         .public_url = lease->public_url,
                         .instance_id = lease->instance_id,
                         .load = lease->load,
                         .lease = *lease,
                         .ttl_ms = ttl_ms,
                         .on_answer = on_renewed,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    call_send(engine_of(engine), &c);
}

static void op_lease_drop(struct engine *engine, const char *reader_url, uint64_t generation,
                          engine_done_cb *cb, void *arg) {
    struct sim_call c = {.op = SIM_LEASE_DROP,
                         .name = reader_url,
                         .lease.generation = generation,
                         .on_answer = on_done,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    call_send(engine_of(engine), &c);
}

static void on_leases(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    bool ok = a->status == ENGINE_OK;
    (void)e;
    CALLBACK(engine_leases_cb, c)(c->arg, a->status, ok ? a->leases : NULL, ok ? a->count : 0);
}

static void op_leases(struct engine *engine, engine_leases_cb *cb, void *arg) {
    struct sim_call c = {.op = SIM_LEASES, .on_answer = on_leases, .cb = (void (*)(void))cb, .arg = arg};
    call_send(engine_of(engine), &c);
}

// The rest

static void on_counter(struct sim_engine *e, struct sim_call *c) {
    (void)e;
    CALLBACK(engine_counter_cb, c)(c->arg, c->answer.status, c->answer.number);
}

static void op_counter_next(struct engine *engine, const char *name, engine_counter_cb *cb, void *arg) {
    struct sim_call c = {
        .op = SIM_COUNTER, .name = name, .on_answer = on_counter, .cb = (void (*)(void))cb, .arg = arg};
    call_send(engine_of(engine), &c);
}

static void on_secret(struct sim_engine *e, struct sim_call *c) {
    bool ok = c->answer.status == ENGINE_OK;
    (void)e;
    CALLBACK(engine_secret_cb, c)(c->arg, c->answer.status, ok ? c->answer.secret : NULL);
}

static void op_secret(struct engine *engine, const char *name, const unsigned char offered[ENGINE_SECRET],
                      int64_t keep_ms, engine_secret_cb *cb, void *arg) {
    struct sim_call c = {
        .op = SIM_SECRET, .name = name, .on_answer = on_secret, .cb = (void (*)(void))cb, .arg = arg};
    (void)keep_ms; // longer than a run
    memcpy(c.offered, offered, sizeof c.offered);
    call_send(engine_of(engine), &c);
}

static void on_overview(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    struct engine_entry *newest = view_entries(a);
    struct engine_overview overview = {.comments = a->number,
                                       .mappings = a->mappings,
                                       .newest = newest,
                                       .newest_count = a->count,
                                       .mapped = a->mapped,
                                       .mapped_count = a->mapped_count};
    (void)e;
    CALLBACK(engine_overview_cb, c)(c->arg, a->status, a->status == ENGINE_OK ? &overview : NULL);
    free(newest);
}

static void op_overview(struct engine *engine, engine_overview_cb *cb, void *arg) {
    struct sim_call c = {.op = SIM_OVERVIEW, .on_answer = on_overview, .cb = (void (*)(void))cb, .arg = arg};
    call_send(engine_of(engine), &c);
}

static void op_set_limits(struct engine *engine, const struct engine_limits *limits) {
    engine_of(engine)->limits = *limits;
}

static bool op_ready(struct engine *engine, const char **why) {
    const struct sim_engine *e = engine_of(engine);
    bool commands = sim_session_is_up(e->session, SIM_COMMANDS);
    if (engine_serves(e) && sim_session_is_up(e->session, SIM_SUBSCRIBER)) return true;
    *why = !commands           ? "The simulated store does not accept connections."
           : !engine_serves(e) ? "The simulated store does not answer."
                               : "The simulated store does not accept subscriptions.";
    return false;
}

static struct engine_stats op_stats(struct engine *engine) {
    struct engine_stats stats = engine_of(engine)->stats;
    stats.waiting = engine_of(engine)->pending;
    return stats;
}

// Life

static void on_engine_reap(struct loop_job *job) {
    engine_free(container_of(job, struct sim_engine, reap));
}

static void op_close(struct engine *engine) {
    struct sim_engine *e = engine_of(engine);
    struct topic *t, *next;
    if (e->closed) return;
    e->closed = true;
    loop_timer_stop(e->loop, &e->refuse);
    loop_timer_stop(e->loop, &e->watchdog);
    loop_timer_stop(e->loop, &e->tick);
    for (int l = 0; l < SIM_LINKS; l++) loop_timer_stop(e->loop, &e->connecting[l].timer);
    for (struct sim_call *c; (c = sim_session_pending(e->session));) engine_finish(e, c, ENGINE_CLOSED);
    while (e->refused) answer_refused(e);
    bool rung = sim_session_close(e->session);
    hub_free(e->hub);
    messages_free(e->messages);
    last_positions_release(&e->last_positions);
    LL_FOREACH_SAFE(e->topics, t, next) free(t);
    if (!rung) loop_defer(e->loop, &e->reap); // else when the doorbell comes
}

static const struct engine_ops sim_ops = {.name = "sim",
                                          .append = op_append,
                                          .amend = op_amend,
                                          .subscribe = op_subscribe,
                                          .unsubscribe = op_unsubscribe,
                                          .head = op_head,
                                          .range = op_range,
                                          .range_before = op_range_before,
                                          .lookup = op_lookup,
                                          .assign = op_assign,
                                          .reassign = op_reassign,
                                          .release = op_release,
                                          .set_read = op_set_read,
                                          .set_write = op_set_write,
                                          .settings_read = op_settings_read,
                                          .settings_write = op_settings_write,
                                          .rooms_read = op_rooms_read,
                                          .room_write = op_room_write,
                                          .ban_write = op_ban_write,
                                          .bans_read = op_bans_read,
                                          .held_read = op_held_read,
                                          .held_drop = op_held_drop,
                                          .audit_read = op_audit_read,
                                          .notify = op_notify,
                                          .listen = op_listen,
                                          .unlisten = op_unlisten,
                                          .watch = op_watch,
                                          .lease_renew = op_lease_renew,
                                          .lease_drop = op_lease_drop,
                                          .leases = op_leases,
                                          .counter_next = op_counter_next,
                                          .secret = op_secret,
                                          .overview = op_overview,
                                          .set_limits = op_set_limits,
                                          .ready = op_ready,
                                          .stats = op_stats,
                                          .close = op_close};

struct engine *sim_engine_open(struct sim_store *store, struct loop *loop,
                               const struct engine_limits *limits) {
    struct sim_engine *e = mem_zalloc(sizeof *e);
    e->engine.ops = &sim_ops;
    e->loop = loop;
    e->limits = *limits;
    e->hub = hub_new();
    e->messages = messages_new();
    e->doorbell.run = on_doorbell;
    e->reap.run = on_engine_reap;
    e->refuse.on_due = on_engine_refuse;
    e->watchdog.on_due = on_watchdog;
    e->tick.on_due = on_tick;
    loop_timer_start(loop, &e->tick, TICK_MS);
    e->connecting[SIM_COMMANDS].timer.on_due = on_commands_due;
    e->connecting[SIM_SUBSCRIBER].timer.on_due = on_subscriber_due;
    e->session = sim_session_new(store, loop, &e->doorbell);
    for (int l = 0; l < SIM_LINKS; l++) {
        int connect_ms = sim_session_connect_ms(e->session);
        if (connect_ms)
            loop_timer_start(loop, &e->connecting[l].timer, connect_ms);
        else
            engine_connect(e, (enum sim_link)l); // nothing takes time
    }
    return &e->engine;
}
