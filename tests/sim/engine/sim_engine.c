// An operation is a struct sim_call with the function that calls back. It is sent if the store can be
// reached, and refused in a moment otherwise, as the engine on Redis does: that one's times are used. The
// answer, or the end of the connection, is found when the doorbell rings.
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "base/uthash.h"
#include "engine/hub.h"
#include "engine/messages.h"
#include "sim_engine_inner.h"
#include "sim_store.h"

enum {
    REFUSE_MS = 1,
    SILENCE_MS = 1500, // after that without an answer nothing more is sent
    CUT_MS = 3000,     // and after that the connection is cut
    FIRST_RETRY_MS = 20,
    LAST_RETRY_MS = 500,
    PENDING_MOST = 16384
};

// Sending

static bool engine_is_silent(const struct sim_engine *e) {
    return e->pending && loop_now_ms(e->loop) - e->expecting_since_ms >= SILENCE_MS;
}

bool sim_engine_serves(const struct sim_engine *e) {
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

void sim_engine_send(struct sim_engine *e, struct sim_call *c) {
    if (e->closed) {
        call_refuse(e, c, ENGINE_CLOSED);
    } else if (!sim_engine_serves(e)) {
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
    struct sim_engine *e = sim_engine_of(engine);
    struct engine_subscription *s = hub_subscribe(e->hub, video, subscriber, arg);
    send_subscription(e, video, false, true);
    return s;
}

static void op_unsubscribe(struct engine *engine, struct engine_subscription *subscription) {
    struct sim_engine *e = sim_engine_of(engine);
    char video[ENGINE_VIDEO_MAX + 1];
    snprintf(video, sizeof video, "%s", hub_video_of(subscription));
    struct position at = hub_position(e->hub, video);
    if (!hub_unsubscribe(e->hub, subscription) || e->closed) return;
    send_subscription(e, video, false, false);
    last_positions_keep(&e->last_positions, video, at);
}

static void op_watch(struct engine *engine, const char *const *videos, size_t count, bool watched) {
    struct sim_engine *e = sim_engine_of(engine);
    assert(count <= ENGINE_WATCH_MAX);
    for (size_t i = 0; i < count; i++) {
        struct sim_call c = {.op = SIM_WATCH, .name = videos[i], .watched = watched};
        if (watched || !hub_is_shared(e->hub, videos[i])) sim_engine_send(e, &c);
    }
}

// Messages

static void op_notify(struct engine *engine, const char *topic, const void *body, size_t len) {
    struct sim_engine *e = sim_engine_of(engine);
    struct sim_call c = {.op = SIM_NOTIFY, .name = topic, .text = body, .text_len = len};
    if (messages_fit(topic, len) && sim_engine_serves(e)) sim_engine_send(e, &c);
}

static struct topic **find_topic(struct sim_engine *e, const char *name) {
    struct topic **at = &e->topics;
    while (*at && strcmp((*at)->name, name) != 0) at = &(*at)->next;
    return at;
}

static struct engine_listener *op_listen(struct engine *engine, const char *topic, engine_message_cb *cb,
                                         void *arg) {
    struct sim_engine *e = sim_engine_of(engine);
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
    struct sim_engine *e = sim_engine_of(engine);
    struct topic **at = find_topic(e, messages_topic_of(l)), *t = *at;
    if (!messages_unlisten(e->messages, l)) return;
    assert(t);
    *at = t->next;
    send_subscription(e, t->name, true, false);
    free(t);
}

// State

static void op_set_limits(struct engine *engine, const struct engine_limits *limits) {
    sim_engine_of(engine)->limits = *limits;
}

static bool op_ready(struct engine *engine, const char **why) {
    const struct sim_engine *e = sim_engine_of(engine);
    bool commands = sim_session_is_up(e->session, SIM_COMMANDS);
    if (sim_engine_serves(e) && sim_session_is_up(e->session, SIM_SUBSCRIBER)) return true;
    *why = !commands               ? "The simulated store does not accept connections."
           : !sim_engine_serves(e) ? "The simulated store does not answer."
                                   : "The simulated store does not accept subscriptions.";
    return false;
}

static struct engine_stats op_stats(struct engine *engine) {
    struct engine_stats stats = sim_engine_of(engine)->stats;
    stats.waiting = sim_engine_of(engine)->pending;
    return stats;
}

// Life

static void on_engine_reap(struct loop_job *job) {
    engine_free(container_of(job, struct sim_engine, reap));
}

static void op_close(struct engine *engine) {
    struct sim_engine *e = sim_engine_of(engine);
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

static const struct engine_ops *sim_engine_ops(void) {
    static struct engine_ops ops;
    if (ops.name) return &ops;
    ops = (struct engine_ops){.name = "sim",
                              .subscribe = op_subscribe,
                              .unsubscribe = op_unsubscribe,
                              .notify = op_notify,
                              .listen = op_listen,
                              .unlisten = op_unlisten,
                              .watch = op_watch,
                              .set_limits = op_set_limits,
                              .ready = op_ready,
                              .stats = op_stats,
                              .close = op_close};
    sim_engine_add_log(&ops);
    sim_engine_add_rooms(&ops);
    sim_engine_add_lists(&ops);
    return &ops;
}

struct engine *sim_engine_open(struct sim_store *store, struct loop *loop,
                               const struct engine_limits *limits) {
    struct sim_engine *e = mem_zalloc(sizeof *e);
    e->engine.ops = sim_engine_ops();
    e->loop = loop;
    e->limits = *limits;
    e->hub = hub_new();
    e->messages = messages_new();
    e->doorbell.run = on_doorbell;
    e->reap.run = on_engine_reap;
    e->refuse.on_due = on_engine_refuse;
    e->watchdog.on_due = on_watchdog;
    e->tick.on_due = sim_engine_on_tick;
    loop_timer_start(loop, &e->tick, SIM_ENGINE_TICK_MS);
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
