#include "writer.h"

#include <stdio.h>
#include <string.h>

#include "base/container_of.h"
#include "texts.h"

enum {
    KEYED_PERCENT = 70,
    RETRY_MS = 400,
    CLOSES_PERCENT = 20,
    PATIENCES = 3,
    REACTS_PERCENT = 15,
    HURRY_MS = 4,
    HIDDEN_EPOCH = 1 // of the ids that no comment has
};

static const int64_t patience_ms[PATIENCES] = {2000, 5000, 12000};

static const struct http_call_ops writer_call_ops;
static void writer_on_timer(struct loop_timer *);

static struct journal_event writer_event(const struct writer *w, enum journal_kind kind) {
    return (struct journal_event){.kind = kind,
                                  .who = w->number,
                                  .video = w->video,
                                  .number = w->comment,
                                  .place = w->place,
                                  .flag = w->keyed};
}

static void writer_wait(struct writer *w, int64_t ms) {
    w->sending = false;
    loop_timer_start(w->crowd->loop, &w->timer, ms);
}

void writer_start(struct writer *w, struct crowd *c, uint32_t number, int64_t every_ms) {
    w->crowd = c;
    w->number = number;
    w->video = 1 + number % c->config->videos;
    w->every_ms = every_ms;
    w->timer.on_due = writer_on_timer;
    http_call_init(&w->call, &writer_call_ops, c->loop);
    writer_wait(w, crowd_some_ms(c, every_ms));
}

void writer_release(struct writer *w) {
    loop_timer_stop(w->crowd->loop, &w->timer);
    http_call_release(&w->call);
    buf_release(&w->body);
    buf_release(&w->answer);
}

// Ends the comment.
static void writer_go_on(struct writer *w) {
    w->comment = (w->comment & ~UINT32_C(1)) + 2; // even: none is being posted
    writer_wait(w, crowd_some_ms(w->crowd, w->every_ms));
}

static void writer_take_unknown(struct writer *w) {
    struct journal_event e = writer_event(w, JOURNAL_UNKNOWN);
    crowd_note(w->crowd, &e);
    if (w->keyed)
        writer_wait(w, 1 + (int64_t)crowd_random(w->crowd, RETRY_MS));
    else
        writer_go_on(w);
}

static void writer_send(struct writer *w) {
    struct crowd *c = w->crowd;
    char url[100], headers[60] = "";
    w->place = (unsigned)crowd_random(c, c->config->api_count);
    snprintf(url, sizeof url, "%s/comment", c->config->apis[w->place]);
    if (w->keyed) snprintf(headers, sizeof headers, "Idempotency-Key: %u-%u\r\n", w->number, w->comment);
    struct journal_event e = writer_event(w, JOURNAL_POST);
    crowd_note(c, &e);
    buf_clear(&w->answer);
    if (crowd_chance(c, CLOSES_PERCENT)) http_call_close(&w->call, false);
    w->sending = true;
    if (http_call_start(&w->call, "POST", url, headers, buf_string(&w->body)))
        writer_take_unknown(w);
    else
        loop_timer_start(c->loop, &w->timer, patience_ms[crowd_random(c, PATIENCES)]);
}

static void writer_begin(struct writer *w) {
    w->comment |= 1;
    w->keyed = crowd_chance(w->crowd, KEYED_PERCENT);
    buf_clear(&w->body);
    buf_printf(&w->body, "{\"userid\":\"writer%u\",\"videoid\":\"%s\",\"comment\":\"", w->number,
               crowd_video(w->video));
    text_write(&w->body, w->number, w->comment);
    buf_add_string(&w->body, "\"}");
    writer_send(w);
}

// Nothing is kept of it: it is sent once, and its outcome is all the same.
static void writer_react(struct writer *w) {
    struct crowd *c = w->crowd;
    char url[100], body[60];
    snprintf(url, sizeof url, "%s/videos/%s/reactions", crowd_api(c), crowd_video(w->video));
    snprintf(body, sizeof body, "{\"userid\":\"writer%u\",\"kind\":\"heart\"}", (unsigned)w->number);
    crowd_note(c, &(struct journal_event){.kind = JOURNAL_REACT, .who = w->number, .video = w->video});
    w->sending = w->reacting = !http_call_start(&w->call, "POST", url, "", body);
    loop_timer_start(c->loop, &w->timer, w->sending ? patience_ms[0] : crowd_some_ms(c, w->every_ms));
}

static void writer_reacted(struct writer *w) {
    w->reacting = false;
    writer_wait(w, crowd_some_ms(w->crowd, w->every_ms));
}

void writer_hurry(struct writer *w) {
    if (!w->sending && w->comment % 2 == 0)
        loop_timer_start(w->crowd->loop, &w->timer, (int64_t)crowd_random(w->crowd, HURRY_MS));
}

static void writer_on_timer(struct loop_timer *t) {
    struct writer *w = container_of(t, struct writer, timer);
    if (w->reacting) {
        http_call_close(&w->call, false);
        writer_reacted(w);
    } else if (w->sending) {
        http_call_close(&w->call, false);
        writer_take_unknown(w);
    } else if (w->comment % 2) {
        writer_send(w);
    } else if (w->crowd->config->crowds && !w->crowd->quiet && crowd_chance(w->crowd, REACTS_PERCENT)) {
        writer_react(w);
    } else if (!w->crowd->quiet) {
        writer_begin(w);
    }
}

static bool writer_on_head(struct http_call *call) {
    (void)call;
    return true;
}

static void writer_on_body(struct http_call *call, const char *bytes, size_t len) {
    struct writer *w = container_of(call, struct writer, call);
    buf_add(&w->answer, bytes, len);
}

static void writer_refuse(struct writer *w, const char *why) {
    struct journal_event e = writer_event(w, JOURNAL_REFUSED);
    snprintf(e.word, sizeof e.word, "%s", why);
    crowd_note(w->crowd, &e);
    writer_go_on(w);
}

static void writer_take_stored(struct writer *w) {
    struct journal_event e = writer_event(w, JOURNAL_STORED);
    const char *json = buf_string(&w->answer);
    size_t id_len = 0, text_len = 0;
    const char *id = text_member(json, w->answer.len, "id", &id_len);
    const char *object = strstr(json, "\"comment\":{");
    const char *text = object ? text_member(object + 11, strlen(object + 11), "comment", &text_len) : NULL;
    uint32_t writer = 0, number = 0;
    if (!text || !text_read(text, text_len, &writer, &number) || writer != w->number ||
        number != w->comment) {
        writer_refuse(w, "another_comment");
        return;
    }
    if (id && !position_parse(id, id_len, &e.at)) e.at = (struct position){0};
    if (e.at.epoch == HIDDEN_EPOCH) e.kind = JOURNAL_HIDDEN;
    crowd_note(w->crowd, &e);
    writer_go_on(w);
}

// By the answer's code, or what has none by its status.
static void writer_take_refused(struct writer *w, unsigned status) {
    char why[JOURNAL_WORD];
    size_t len = 0;
    const char *code = text_member(buf_string(&w->answer), w->answer.len, "code", &len);
    if (code)
        snprintf(why, sizeof why, "%.*s", (int)len, code);
    else
        snprintf(why, sizeof why, "%u", status);
    writer_refuse(w, why);
}

// Whether it is not certain that nothing was stored, or it may be stored later.
static bool is_transient(struct writer *w) {
    bool is_slow = strstr(buf_string(&w->answer), "\"slow_mode\"");
    return w->call.status == 503 || (w->call.status == 429 && !is_slow);
}

static void writer_take_waiting(struct writer *w) {
    struct journal_event e = writer_event(w, JOURNAL_WAITS);
    crowd_note(w->crowd, &e);
    writer_go_on(w);
}

static void writer_on_end(struct http_call *call, enum http_call_end end) {
    struct writer *w = container_of(call, struct writer, call);
    if (!w->sending) return;
    if (w->reacting) {
        writer_reacted(w);
    } else if (end == HTTP_CALL_MALFORMED) {
        writer_refuse(w, call->why);
    } else if (end != HTTP_CALL_DONE || is_transient(w)) {
        writer_take_unknown(w);
    } else if (call->status == 201) {
        writer_take_stored(w);
    } else if (call->status == 202) {
        writer_take_waiting(w);
    } else {
        writer_take_refused(w, call->status);
    }
}

static const struct http_call_ops writer_call_ops = {
    .on_head = writer_on_head, .on_body = writer_on_body, .on_end = writer_on_end};
