// The life of a viewer: viewer_next(), viewer_register(), viewer_ask(), viewer_on_head(), viewer_on_body(),
// at the end viewer_on_end(), viewer_wait(), and so on until it leaves.
#include "viewer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "texts.h"

enum {
    REGISTER_MS = 10000,
    REDIRECTS_MAX = 20, // as in browsers
    SIP_MS = 200,       // how often a slow viewer reads,
    SIP_BYTES = 1500,   // and at most so much
    NAP_MS = 8000,      // now and then it reads nothing for about so long
    NAPS_PERCENT = 5,
    STABLE_MS = 10000,   // a stream that has lasted this long was a good one
    LEAVES_PERCENT = 10, // that leave where others only reconnect,
    TURNS_PERCENT = 40,  // where the crowd turns to another video now and then
    RESETS_PERCENT = 30, // that end a stream with a reset
    AGAIN_PERCENT = 30,
    RETRY_MOST_MS = 2500,
    HURRIES_PERCENT = 25,
    HURRY_MS = 6,
    WANTS_ALL_PERCENT = 20,
    OVER_MS = 2000, // after the end of a video another viewer comes, perhaps to another video
    SLOW_PERCENT = 8,
    MANY_SLOW_PERCENT = 30,
    SLOW_STAYS = 3, // times as long
    STALLED_PERCENT = 3
};

static const struct http_call_ops viewer_call_ops;
static void viewer_next(struct viewer *);
static void viewer_go_on(struct viewer *);
static void viewer_on_timer(struct loop_timer *);
static void viewer_on_drop(struct loop_timer *);
static void viewer_on_sip(struct loop_timer *);

static int64_t viewer_now_ms(const struct viewer *v) {
    return loop_now_ms(v->crowd->loop);
}

void viewer_note_ask(struct viewer *v) {
    crowd_note(v->crowd, &(struct journal_event){.kind = JOURNAL_ASK, .who = v->number, .at = v->at});
}

void viewer_note_cut(struct viewer *v, const char *why) {
    struct journal_event e = {.kind = JOURNAL_CUT, .who = v->number};
    snprintf(e.word, sizeof e.word, "%s", why);
    crowd_note(v->crowd, &e);
}

static void viewer_choose_character(struct viewer *v) {
    static const struct viewer_kind *const kinds[] = {&viewer_event_source, &viewer_event_source,
                                                      &viewer_chorus_js,    &viewer_chorus_js,
                                                      &viewer_fetch,        NULL};
    struct crowd *c = v->crowd;
    unsigned pace = (unsigned)crowd_random(c, 100);
    v->kind = kinds[crowd_random(c, sizeof kinds / sizeof *kinds)];
    v->video = crowd_choose_video(c);
    v->keeps_address = crowd_chance(c, 50);
    v->uses_post = v->kind == &viewer_fetch && crowd_chance(c, 50);
    v->stays = v->kind == &viewer_fetch && crowd_chance(c, 30);
    v->history = crowd_chance(c, 30) ? (unsigned)crowd_random(c, 60) : 0;
    v->retry_ms = 1500;
    unsigned slow = c->config->many_slow ? MANY_SLOW_PERCENT : SLOW_PERCENT;
    if (v->kind && pace < slow + STALLED_PERCENT) v->pace = pace < slow ? PACE_SLOW : PACE_STALLED;
    if (!c->config->crowds) return;
    v->wants_all = v->kind && crowd_chance(c, WANTS_ALL_PERCENT);
    v->wants_room = v->kind == &viewer_chorus_js;
}

static void viewer_note_want(struct viewer *v, const char *what) {
    struct journal_event e = {.kind = JOURNAL_WANTS, .who = v->number};
    snprintf(e.word, sizeof e.word, "%s", what);
    crowd_note(v->crowd, &e);
}

static void viewer_plan_drop(struct viewer *v) {
    struct crowd *c = v->crowd;
    if (!c->config->stay_ms || c->calm) return;
    int64_t ms = crowd_some_ms(c, c->config->stay_ms);
    loop_timer_start(c->loop, &v->drop, v->pace == PACE_SLOW ? SLOW_STAYS * ms : ms);
}

void viewer_start(struct viewer *v, struct crowd *c, uint32_t number) {
    v->crowd = c;
    v->number = number;
    viewer_choose_character(v);
    v->timer.on_due = viewer_on_timer;
    v->drop.on_due = viewer_on_drop;
    v->sip.on_due = viewer_on_sip;
    v->lost_ms = viewer_now_ms(v);
    struct journal_event e = {
        .kind = JOURNAL_JOIN, .who = number, .video = v->video, .count = v->pace, .flag = !v->stays};
    snprintf(e.word, sizeof e.word, "%s", v->kind ? v->kind->name : "client");
    crowd_note(c, &e);
    if (v->wants_all) viewer_note_want(v, "all");
    if (v->wants_room) viewer_note_want(v, "room");
    http_call_init(&v->call, &viewer_call_ops, c->loop);
    viewer_plan_drop(v);
    if (v->kind)
        viewer_next(v);
    else
        v->client = viewer_client_new(v);
}

void viewer_release(struct viewer *v) {
    struct loop *loop = v->crowd->loop;
    loop_timer_stop(loop, &v->timer);
    loop_timer_stop(loop, &v->drop);
    loop_timer_stop(loop, &v->sip);
    if (v->client) viewer_client_free(v->client);
    http_call_release(&v->call);
    struct buf *const bufs[] = {&v->headers, &v->body, &v->answer, &v->sse.line, &v->sse.data};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) buf_release(bufs[i]);
    v->client = NULL;
    v->state = VIEWER_GONE;
}

// Trying

static void viewer_wait(struct viewer *v, int64_t ms) {
    v->state = VIEWER_WAITING;
    loop_timer_stop(v->crowd->loop, &v->sip);
    loop_timer_start(v->crowd->loop, &v->timer, ms);
}

static void viewer_retry(struct viewer *v) {
    v->moves = 0;
    viewer_wait(v, v->kind->delay_ms(v));
}

static void viewer_fail(struct viewer *v, const char *why) {
    viewer_note_cut(v, why);
    viewer_retry(v);
}

// One that was cut soon after it came has been away since before.
static void viewer_note_lost(struct viewer *v) {
    if (viewer_now_ms(v) - v->opened_ms <= STABLE_MS) return;
    v->lost_ms = viewer_now_ms(v);
    v->pauses = 0;
}

static void viewer_limit(struct viewer *v, int ms) {
    if (ms)
        loop_timer_start(v->crowd->loop, &v->timer, ms);
    else
        loop_timer_stop(v->crowd->loop, &v->timer);
}

static void viewer_register(struct viewer *v) {
    char url[VIEWER_URL], body[100];
    snprintf(url, sizeof url, "%s/register", crowd_api(v->crowd));
    snprintf(body, sizeof body, "{\"videoid\":\"%s\"}", crowd_video(v->video));
    v->state = VIEWER_REGISTERING;
    buf_clear(&v->answer);
    v->call.room = SIZE_MAX;
    if (http_call_start(&v->call, "POST", url, "", body))
        viewer_wait(v, v->kind->delay_ms(v));
    else
        viewer_limit(v, REGISTER_MS);
}

static void viewer_request(struct viewer *v) {
    const char *body = v->body.len ? buf_string(&v->body) : NULL;
    v->call.room = v->pace == PACE_FAST || v->crowd->calm ? SIZE_MAX : SIP_BYTES;
    if (http_call_start(&v->call, v->method, v->url, buf_string(&v->headers), body))
        viewer_fail(v, "connect");
    else
        viewer_limit(v, v->kind->head_ms);
}

static void viewer_ask(struct viewer *v) {
    struct buf path = {0};
    buf_clear(&v->headers);
    buf_clear(&v->body);
    v->kind->write_request(v, &path, &v->headers, &v->body);
    snprintf(v->url, sizeof v->url, "%s%s", v->reader, buf_string(&path));
    snprintf(v->method, sizeof v->method, "%s", v->body.len ? "POST" : "GET");
    buf_release(&path);
    v->state = VIEWER_ASKING;
    v->redirects = 0;
    v->asked++;
    sse_reset(&v->sse);
    viewer_note_ask(v);
    viewer_request(v);
}

static void viewer_next(struct viewer *v) {
    bool unsure = v->kind->tries && v->asked >= v->kind->tries;
    if (*v->moved) {
        viewer_go_on(v);
    } else if (v->stays) {
        snprintf(v->reader, sizeof v->reader, "%s", crowd_reader(v->crowd));
        viewer_ask(v);
    } else if (!*v->reader || unsure) {
        viewer_register(v);
    } else {
        viewer_ask(v);
    }
}

// Which reader

static void viewer_on_registered(struct viewer *v) {
    size_t len;
    const char *url = text_member(buf_string(&v->answer), v->answer.len, "readerUrl", &len);
    char reader[VIEWER_URL];
    if (v->call.status != 200 || !url || len >= sizeof reader) {
        viewer_retry(v);
        return;
    }
    snprintf(reader, sizeof reader, "%.*s", (int)len, url);
    if (strcmp(reader, v->reader) != 0) v->asked = 0;
    memcpy(v->reader, reader, sizeof reader);
    viewer_ask(v);
}

// The new address is kept, as browsers and our client do, unless this one does otherwise.
static void viewer_follow(struct viewer *v, const char *location) {
    struct journal_event e = {.kind = JOURNAL_REDIRECT, .who = v->number};
    const char *path = strncmp(location, "http://", 7) ? NULL : strchr(location + 7, '/');
    if (!path || ++v->redirects > REDIRECTS_MAX) {
        viewer_fail(v, "redirect");
        return;
    }
    snprintf(e.word, sizeof e.word, "%.*s", (int)(path - location), location);
    crowd_note(v->crowd, &e);
    snprintf(v->url, sizeof v->url, "%s", location);
    if (!v->keeps_address) {
        snprintf(v->reader, sizeof v->reader, "%.*s", (int)(path - location), location);
        v->asked = 0;
    }
    v->state = VIEWER_ASKING;
    viewer_request(v);
}

static bool is_reader(const char *url) {
    return !strncmp(url, "http://", 7) && !strchr(url + 7, '/');
}

static void viewer_go_on(struct viewer *v) {
    char moved[VIEWER_URL];
    memcpy(moved, v->moved, sizeof moved);
    *v->moved = 0;
    if (!is_reader(moved)) {
        viewer_follow(v, moved);
        return;
    }
    memcpy(v->reader, moved, sizeof moved);
    v->asked = 0;
    viewer_ask(v);
}

// It was told where to go on: in the middle of its stream, or instead of one.
static void viewer_move(struct viewer *v) {
    if (is_reader(v->moved)) viewer_note_cut(v, "moved");
    if (v->moves++ < REDIRECTS_MAX) {
        viewer_wait(v, 1);
        return;
    }
    *v->moved = 0;
    viewer_retry(v);
}

// The stream

static bool viewer_on_head(struct http_call *call) {
    struct viewer *v = container_of(call, struct viewer, call);
    if (v->state == VIEWER_REGISTERING) return true;
    if (call->status != 200) return false;
    v->state = VIEWER_STREAMING;
    v->opened_ms = viewer_now_ms(v);
    v->asked = v->refusals = 0;
    viewer_limit(v, v->kind->silence_ms);
    if (v->pace == PACE_SLOW && !v->crowd->calm) loop_timer_start(v->crowd->loop, &v->sip, SIP_MS);
    return true;
}

static bool viewer_on_event(void *arg, const struct sse_event *e) {
    struct viewer *v = arg;
    if (v->state != VIEWER_STREAMING) return false;
    return viewer_take_event(v, e->id, e->type, e->data, e->data_len);
}

static void viewer_on_body(struct http_call *call, const char *bytes, size_t len) {
    struct viewer *v = container_of(call, struct viewer, call);
    if (v->state == VIEWER_REGISTERING) {
        buf_add(&v->answer, bytes, len);
        return;
    }
    if (v->kind->silence_ms) viewer_limit(v, v->kind->silence_ms);
    if (!sse_feed(&v->sse, bytes, len, viewer_on_event, v)) {
        http_call_close(call, false);
        if (*v->moved)
            viewer_move(v);
        else
            viewer_fail(v, "broken");
    }
    // A run has no time for what a crowd is told, where readers say that they can take on few.
    if (v->sse.retry_ms) v->retry_ms = v->sse.retry_ms < RETRY_MOST_MS ? v->sse.retry_ms : RETRY_MOST_MS;
}

static void viewer_note_denied(struct viewer *v, unsigned status) {
    crowd_note(v->crowd, &(struct journal_event){.kind = JOURNAL_DENIED, .who = v->number, .count = status});
}

static void viewer_deny(struct viewer *v) {
    viewer_note_denied(v, v->call.status);
    viewer_fail(v, "denied");
}

void viewer_take_over(struct viewer *v) {
    v->over = true;
    viewer_note_denied(v, 204);
    viewer_note_cut(v, "over");
    viewer_wait(v, 1 + crowd_some_ms(v->crowd, OVER_MS));
}

static void viewer_on_answer(struct viewer *v) {
    if (v->call.status == 204) {
        viewer_take_over(v);
        return;
    }
    if (v->call.status / 100 == 3 && v->call.location.len)
        viewer_follow(v, buf_string(&v->call.location));
    else
        viewer_deny(v);
}

static void viewer_on_end(struct http_call *call, enum http_call_end end) {
    static const char *const ends[] = {"end", "failed", "cut", "malformed"};
    struct viewer *v = container_of(call, struct viewer, call);
    if (end == HTTP_CALL_MALFORMED) {
        struct journal_event e = {.kind = JOURNAL_BROKEN, .who = v->number};
        snprintf(e.word, sizeof e.word, "%s", call->why);
        crowd_note(v->crowd, &e);
    }
    if (v->state == VIEWER_REGISTERING) {
        if (end == HTTP_CALL_DONE)
            viewer_on_registered(v);
        else
            viewer_retry(v);
    } else if (v->state == VIEWER_ASKING && end == HTTP_CALL_DONE) {
        viewer_on_answer(v);
    } else {
        viewer_note_lost(v);
        viewer_fail(v, ends[end]);
    }
}

static const struct http_call_ops viewer_call_ops = {
    .on_head = viewer_on_head, .on_body = viewer_on_body, .on_end = viewer_on_end};

// Timers

// Another one comes in its place.
static void viewer_leave(struct viewer *v) {
    struct crowd *c = v->crowd;
    crowd_note(c, &(struct journal_event){.kind = JOURNAL_LEAVE, .who = v->number});
    viewer_release(v);
    *v = (struct viewer){0};
    viewer_start(v, c, c->next_viewer++);
}

static void viewer_on_timer(struct loop_timer *t) {
    struct viewer *v = container_of(t, struct viewer, timer);
    switch (v->state) {
    case VIEWER_WAITING:
        if (v->over)
            viewer_leave(v);
        else
            viewer_next(v);
        break;
    case VIEWER_REGISTERING:
        http_call_close(&v->call, false);
        viewer_retry(v);
        break;
    case VIEWER_ASKING:
    case VIEWER_STREAMING:
        http_call_close(&v->call, false);
        viewer_fail(v, "silence");
        break;
    case VIEWER_GONE: break;
    }
}

static void viewer_on_sip(struct loop_timer *t) {
    struct viewer *v = container_of(t, struct viewer, sip);
    http_call_allow(&v->call, v->crowd->calm ? SIZE_MAX : SIP_BYTES);
    if (v->crowd->calm) return;
    bool naps = crowd_chance(v->crowd, NAPS_PERCENT);
    loop_timer_start(v->crowd->loop, t, naps ? crowd_some_ms(v->crowd, NAP_MS) : SIP_MS);
}

static void viewer_on_drop(struct loop_timer *t) {
    struct viewer *v = container_of(t, struct viewer, drop);
    if (v->crowd->calm) return;
    if (crowd_chance(v->crowd, v->crowd->config->turn_ms ? TURNS_PERCENT : LEAVES_PERCENT)) {
        viewer_leave(v);
        return;
    }
    if (v->state == VIEWER_STREAMING) {
        http_call_close(&v->call, crowd_chance(v->crowd, RESETS_PERCENT));
        viewer_fail(v, "own");
    }
    viewer_plan_drop(v);
}

void viewer_calm(struct viewer *v) {
    loop_timer_stop(v->crowd->loop, &v->drop);
    if (!v->kind) return;
    if (v->pace == PACE_SLOW) {
        loop_timer_stop(v->crowd->loop, &v->sip);
        http_call_allow(&v->call, SIZE_MAX);
    }
    // As after a reload: what has failed before is forgotten.
    v->pauses = 0;
    v->lost_ms = viewer_now_ms(v);
    if (v->state == VIEWER_WAITING && !v->over)
        loop_timer_start(v->crowd->loop, &v->timer, (int64_t)crowd_random(v->crowd, 1000));
}

void viewer_come_again(struct viewer *v) {
    if (!v->kind || v->state != VIEWER_STREAMING || !crowd_chance(v->crowd, AGAIN_PERCENT)) return;
    http_call_close(&v->call, false);
    viewer_note_lost(v);
    viewer_fail(v, "own");
}

void viewer_hurry(struct viewer *v) {
    if (!v->kind || v->state != VIEWER_STREAMING || !crowd_chance(v->crowd, HURRIES_PERCENT)) return;
    http_call_close(&v->call, false);
    viewer_note_cut(v, "own");
    viewer_wait(v, 1 + (int64_t)crowd_random(v->crowd, HURRY_MS));
}
