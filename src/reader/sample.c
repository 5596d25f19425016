#include "sample.h"

#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "fanout/frame.h"
#include "net/loop.h"

enum { ONE = 1000 }; // a token, so that `rate` is what comes in a millisecond

struct sample {
    struct loop *loop;
    struct sample_calls calls;
    int64_t rate, tokens, filled_ms;
    struct frame *held; // NULL: none is
    struct position held_from;
    uint32_t more;         // left out since the last that was shown; 0 while none is held
    struct loop_timer due; // of the token for it
};

static void sample_fill(struct sample *s) {
    int64_t now_ms = loop_now_ms(s->loop), full = s->rate * ONE;
    int64_t missing = full - s->tokens, past_ms = now_ms - s->filled_ms;
    s->tokens = past_ms > missing / s->rate ? full : s->tokens + past_ms * s->rate;
    s->filled_ms = now_ms;
}

static bool sample_has_token(struct sample *s) {
    sample_fill(s);
    return s->tokens >= ONE;
}

static void sample_await_token(struct sample *s) {
    int64_t lacks = ONE - s->tokens;
    loop_timer_start(s->loop, &s->due, lacks > 0 ? (lacks + s->rate - 1) / s->rate : 0);
}

// Without a token it borrows one, for what has to be shown.
static void sample_show(struct sample *s, struct position from, struct frame *f) {
    uint32_t more = s->more;
    s->more = 0;
    if (s->tokens > -s->rate * ONE) s->tokens -= ONE;
    s->calls.on_frame(s->calls.arg, from, f, SAMPLE_SHOWN, more);
}

// The held comment ceases to be: it is shown, or left out.
static void sample_settle(struct sample *s, bool show) {
    struct frame *f = s->held;
    if (!f) return;
    s->held = NULL;
    loop_timer_stop(s->loop, &s->due);
    if (show) {
        sample_show(s, s->held_from, f);
        return;
    }
    s->calls.on_frame(s->calls.arg, s->held_from, f, SAMPLE_LEFT_OUT, s->more++);
}

static void on_token(struct loop_timer *t) {
    struct sample *s = container_of(t, struct sample, due);
    if (sample_has_token(s))
        sample_settle(s, true);
    else
        sample_await_token(s);
}

// Badges are those of the author's token. What looks the same in a text has its quotes escaped.
static bool has_right_to_be_shown(const struct frame *f) {
    static const char badges[] = "\"badges\":[", host[] = "\"host\"", moderator[] = "\"moderator\"";
    const char *event = f->bytes + f->head, *list = memmem(event, f->len, badges, sizeof badges - 1);
    if (!list) return false;
    size_t left = f->len - (size_t)(list - event);
    const char *end = memchr(list, ']', left);
    size_t len = end ? (size_t)(end - list) : left;
    return memmem(list, len, host, sizeof host - 1) || memmem(list, len, moderator, sizeof moderator - 1);
}

void sample_take(struct sample *s, struct position from, struct frame *f) {
    bool is_comment = frame_is_plain(f) && position_is_set(f->at);
    bool follows = is_comment && s->held && f->at.epoch == s->held->at.epoch;
    sample_settle(s, sample_has_token(s) || !follows);
    if (!is_comment) {
        s->calls.on_frame(s->calls.arg, from, f, SAMPLE_SHOWN, 0);
    } else if (s->tokens >= ONE || has_right_to_be_shown(f)) {
        sample_show(s, from, f);
    } else {
        s->held = f;
        s->held_from = from;
        sample_await_token(s);
    }
}

void sample_release(struct sample *s) {
    sample_settle(s, true);
}

const struct position *sample_held(const struct sample *s) {
    return s && s->held ? &s->held_from : NULL;
}

struct sample *sample_new(struct loop *loop, int64_t rate, struct sample_calls calls) {
    struct sample *s = mem_zalloc(sizeof *s);
    budget_take(sizeof *s);
    *s = (struct sample){.loop = loop,
                         .calls = calls,
                         .rate = rate,
                         .tokens = rate * ONE,
                         .filled_ms = loop_now_ms(loop),
                         .due.on_due = on_token};
    return s;
}

void sample_set_rate(struct sample *s, int64_t rate) {
    sample_fill(s);
    s->rate = rate;
    if (s->tokens > rate * ONE) s->tokens = rate * ONE;
    if (s->held) sample_await_token(s);
}

void sample_free(struct sample *s) {
    if (!s) return;
    loop_timer_stop(s->loop, &s->due);
    frame_unref(s->held);
    budget_give_back(sizeof *s);
    free(s);
}
