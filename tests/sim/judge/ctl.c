#include "ctl.h"

#include <stdio.h>
#include <string.h>

#include "base/container_of.h"
#include "texts.h"

enum {
    EVERY_MS = 2500,
    LOOK_MS = 300,
    LOOKS = 10, // after an order, which may have got lost
    PATIENCE_MS = 3000,
    CALM_MS = 4000, // after all is calm, until it goes on: then all readers are seen
    STAYS_PERCENT = 70,
    READERS = 3
};

const char *const order_words[ORDER_VERBS] = {
    [ORDER_MOVE] = "move", [ORDER_DRAIN] = "drain", [ORDER_STAY] = "stay",
    [ORDER_PLAN] = "plan", [ORDER_APPLY] = "apply", [ORDER_STOP] = "stop"};

static const struct http_call_ops ctl_call_ops;

static uint64_t ctl_random(struct ctl *o, uint64_t below) {
    return prng_below(&o->prng, below);
}

static void ctl_wait(struct ctl *o, int64_t ms) {
    loop_timer_start(o->crowd->loop, &o->timer, ms);
}

static void ctl_note(struct ctl *o, enum journal_kind kind, unsigned status) {
    struct journal_event e = {.kind = kind, .video = o->video, .number = o->reader, .count = status};
    snprintf(e.word, sizeof e.word, "%s", order_words[o->verb]);
    crowd_note(o->crowd, &e);
}

static void ctl_rest(struct ctl *o) {
    o->state = CTL_IDLE;
    ctl_wait(o, 1 + (int64_t)ctl_random(o, o->crowd->calm ? LOOK_MS : 2 * EVERY_MS));
}

// Asking

static void ctl_call(struct ctl *o, const char *method, const char *target) {
    const struct crowd_config *config = o->crowd->config;
    char url[200];
    snprintf(url, sizeof url, "%s%s", config->controls[ctl_random(o, config->control_count)], target);
    buf_clear(&o->answer);
    if (http_call_start(&o->call, method, url, "", NULL))
        ctl_rest(o);
    else
        ctl_wait(o, PATIENCE_MS);
}

static void ctl_give(struct ctl *o, enum order_verb verb, uint32_t video, uint32_t reader) {
    char target[128], name[32] = "";
    o->verb = verb;
    o->video = video;
    o->reader = reader;
    o->looks = 0;
    ctl_note(o, JOURNAL_ORDER, 0);
    if (reader) snprintf(name, sizeof name, "reader=reader-%u", (unsigned)reader);
    if (video)
        snprintf(target, sizeof target, "/move?videoid=%s%s%s", crowd_video(video), reader ? "&" : "", name);
    else
        snprintf(target, sizeof target, "/%s?%s", order_words[verb], name);
    o->state = CTL_GIVING;
    ctl_call(o, verb == ORDER_PLAN ? "GET" : "POST", target);
}

static void ctl_look(struct ctl *o) {
    o->state = CTL_LOOKING;
    ctl_call(o, "GET", "/status");
}

// Choosing

static uint32_t ctl_any_reader(struct ctl *o) {
    return 1 + (uint32_t)ctl_random(o, READERS);
}

// One that drains turns viewers away that stay where they are: others have to have an address, too.
static uint32_t ctl_reader_to_drain(struct ctl *o) {
    uint32_t reader = ctl_any_reader(o);
    return reader == 1 && o->crowd->config->reader_count == 1 ? READERS : reader;
}

static void ctl_choose(struct ctl *o) {
    static const enum order_verb verbs[] = {ORDER_MOVE,  ORDER_MOVE, ORDER_MOVE,  ORDER_MOVE,
                                            ORDER_DRAIN, ORDER_PLAN, ORDER_APPLY, ORDER_STOP};
    enum order_verb verb = verbs[ctl_random(o, sizeof verbs / sizeof *verbs)];
    if (o->drained && ctl_random(o, 100) < STAYS_PERCENT) {
        ctl_give(o, ORDER_STAY, 0, o->drained);
        return;
    }
    uint32_t video = verb == ORDER_MOVE ? crowd_choose_video(o->crowd) : 0, reader = 0;
    if (verb == ORDER_DRAIN)
        o->drained = reader = ctl_reader_to_drain(o);
    else if (video && ctl_random(o, 2))
        reader = ctl_any_reader(o);
    ctl_give(o, verb, video, reader);
}

// Once all drains have been taken back.
static void ctl_choose_last(struct ctl *o) {
    if (o->drains_last)
        ctl_give(o, ORDER_DRAIN, 0, ctl_reader_to_drain(o));
    else if (o->moves_last && o->last_moved < o->crowd->config->videos)
        ctl_give(o, ORDER_MOVE, ++o->last_moved, 0);
    o->drains_last = false;
}

static void ctl_go_on(struct ctl *o) {
    const struct crowd *c = o->crowd;
    int64_t calm_ms = c->begin_ms + c->config->calm_ms + CALM_MS;
    if (!c->calm)
        ctl_choose(o);
    else if (loop_now_ms(c->loop) < calm_ms)
        ctl_wait(o, calm_ms - loop_now_ms(c->loop));
    else if (o->has_tidied)
        ctl_choose_last(o);
    else
        ctl_look(o);
}

// Answers

static bool reader_drains(const char *status, uint32_t reader) {
    char name[32];
    snprintf(name, sizeof name, "\"instanceId\":\"reader-%u\"", (unsigned)reader);
    const char *row = strstr(status, name), *end = row ? strchr(row, '}') : NULL;
    const char *found = row ? strstr(row, "\"state\":\"draining\"") : NULL;
    return found && found < end;
}

static void ctl_tidy(struct ctl *o, const char *status) {
    for (uint32_t reader = 1; reader <= READERS; reader++) {
        if (!reader_drains(status, reader)) continue;
        ctl_give(o, ORDER_STAY, 0, reader);
        return;
    }
    o->has_tidied = true;
    ctl_rest(o);
}

static void ctl_saw(struct ctl *o, const char *status) {
    bool waits = o->verb == ORDER_DRAIN || o->verb == ORDER_STAY;
    if (!waits) {
        ctl_tidy(o, status);
    } else if (reader_drains(status, o->reader) == (o->verb == ORDER_DRAIN)) {
        ctl_note(o, JOURNAL_OBEYED, 200);
        if (o->verb == ORDER_STAY && o->drained == o->reader) o->drained = 0;
        o->verb = ORDER_PLAN;
        ctl_rest(o);
    } else if (++o->looks < LOOKS) {
        ctl_wait(o, LOOK_MS);
    } else {
        ctl_give(o, o->verb, 0, o->reader);
    }
}

static void ctl_given(struct ctl *o, unsigned status) {
    bool waits = o->verb == ORDER_DRAIN || o->verb == ORDER_STAY;
    if (waits && status == 200) {
        ctl_look(o);
        return;
    }
    ctl_note(o, JOURNAL_OBEYED, status);
    if (waits && o->crowd->calm) { // its reader is not seen yet
        ctl_wait(o, LOOK_MS);
        o->state = CTL_IDLE;
        o->drains_last |= o->has_tidied && o->verb == ORDER_DRAIN;
    } else {
        ctl_rest(o);
    }
    o->verb = ORDER_PLAN;
}

static bool ctl_on_head(struct http_call *call) {
    (void)call;
    return true;
}

static void ctl_on_body(struct http_call *call, const char *bytes, size_t len) {
    struct ctl *o = container_of(call, struct ctl, call);
    buf_add(&o->answer, bytes, len);
}

static void ctl_on_end(struct http_call *call, enum http_call_end end) {
    struct ctl *o = container_of(call, struct ctl, call);
    unsigned status = end == HTTP_CALL_DONE ? call->status : 0;
    if (o->state == CTL_GIVING)
        ctl_given(o, status);
    else if (o->state == CTL_LOOKING && status == 200)
        ctl_saw(o, buf_string(&o->answer));
    else if (o->state == CTL_LOOKING)
        ctl_wait(o, LOOK_MS);
}

static const struct http_call_ops ctl_call_ops = {
    .on_head = ctl_on_head, .on_body = ctl_on_body, .on_end = ctl_on_end};

static void ctl_on_timer(struct loop_timer *t) {
    struct ctl *o = container_of(t, struct ctl, timer);
    bool is_due = !o->call.busy;
    http_call_close(&o->call, false);
    if (o->state == CTL_GIVING)
        ctl_given(o, 0);
    else if (o->state == CTL_IDLE)
        ctl_go_on(o);
    else if (is_due || o->crowd->calm || ++o->looks < LOOKS)
        ctl_look(o);
    else
        ctl_give(o, o->verb, 0, o->reader);
}

// Life

void ctl_start(struct ctl *o, struct crowd *c) {
    o->crowd = c;
    o->prng.state = c->config->seed ^ 0x6f7065;
    o->timer.on_due = ctl_on_timer;
    o->verb = ORDER_PLAN;
    o->drains_last = !ctl_random(o, 3) && c->config->may_drain;
    o->moves_last = ctl_random(o, 2);
    http_call_init(&o->call, &ctl_call_ops, c->loop);
    ctl_rest(o);
}

void ctl_release(struct ctl *o) {
    loop_timer_stop(o->crowd->loop, &o->timer);
    http_call_release(&o->call);
    buf_release(&o->answer);
}
