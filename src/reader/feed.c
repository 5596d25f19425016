// A feed without a catch_up follows: entries pass through. With one, entries that arrive are only noted
// (`newest`): the log will give them, in order. Until the first head() has said where the log stands the feed
// is opening, and not live.
#include "reader/feed.h"

#include <stdlib.h>

#include "base/container_of.h"
#include "base/log.h"
#include "base/map.h"
#include "net/loop.h"
#include "reader/continuity.h"
#include "reader/frame.h"

enum { FILL_BATCH = 250, PORTION_EVERY_MS = 25, AGAIN_MS = 250 };

// The feed asks the log, by head() or range().
struct catch_up {
    struct feed_env *env;
    struct feed *feed;      // NULL: closed, and only an answer is still to come
    struct position newest; // highest position heard of meanwhile
    struct loop_timer again;
    bool opening;
    bool asking;      // an answer of the engine is still to come, or our turn to ask
    bool in_line;     // our turn
    bool check_again; // once it has come
    bool more;        // the next portion is to be read when `again` is due
    void (*question)(struct catch_up *);
    struct catch_up *prev, *next; // in line
};

static void fill(struct catch_up *);
static void on_again(struct loop_timer *);

static struct catch_up *catch_up_of(struct feed *f) {
    if (f->catch_up) return f->catch_up;
    struct catch_up *c = mem_zalloc(sizeof *c);
    c->env = f->env;
    c->feed = f;
    c->newest = f->at;
    c->again.on_due = on_again;
    return f->catch_up = c;
}

static void emit(void *arg, struct frame *frame) {
    struct feed *f = arg;
    f->env->on_frame(f, frame);
}

static void note(struct catch_up *c, struct position p) {
    if (position_compare(p, c->newest) > 0) c->newest = p;
}

static void put_question(struct catch_up *c) {
    c->env->asking++;
    c->question(c);
}

static void ask(struct catch_up *c, void (*question)(struct catch_up *)) {
    c->asking = true;
    c->question = question;
    c->in_line = c->env->asking >= c->env->most_asking;
    if (c->in_line)
        DL_APPEND(c->env->in_line, c);
    else
        put_question(c);
}

static void leave_line(struct catch_up *c) {
    DL_DELETE(c->env->in_line, c);
    c->in_line = false;
}

static void let_next_ask(struct feed_env *env) {
    struct catch_up *c = env->in_line;
    env->asking--;
    if (!c) return;
    leave_line(c);
    put_question(c);
}

// Takes an answer of the engine. Returns whether it is worth looking at; if not, all is arranged.
static bool answered(struct catch_up *c, enum engine_status status) {
    c->asking = false;
    let_next_ask(c->env);
    if (!c->feed)
        free(c);
    else if (status == ENGINE_OK)
        return true;
    else if (status != ENGINE_CLOSED)
        loop_timer_start(c->env->loop, &c->again, AGAIN_MS);
    return false;
}

static void follow(struct catch_up *c) {
    c->feed->catch_up = NULL;
    loop_timer_stop(c->env->loop, &c->again);
    free(c);
}

// After an answer: follows the subscription, unless there is more to read. Much to catch up with comes in
// portions, so that viewers who read have room for the next, and are not taken for slow ones.
static void follow_or_fill(struct catch_up *c, bool more) {
    c->more = more;
    if (more) {
        loop_timer_start(c->env->loop, &c->again, PORTION_EVERY_MS);
    } else if (position_compare(c->feed->at, c->newest) < 0) {
        fill(c);
    } else if (c->check_again) {
        c->check_again = false;
        feed_check(c->feed);
    } else {
        follow(c);
    }
}

static void on_range(void *arg, enum engine_status status, const struct engine_range *r) {
    struct catch_up *c = arg;
    if (!answered(c, status)) return;
    struct feed *f = c->feed;
    continuity_walk(&f->at, r->entries, r->count, emit, f);
    if (!r->more && position_compare(f->at, r->head) < 0) continuity_end(&f->at, r->head, emit, f);
    note(c, r->head);
    follow_or_fill(c, r->more);
}

static void ask_for_range(struct catch_up *c) {
    const struct feed *f = c->feed;
    c->env->engine->ops->range(c->env->engine, f->video, f->at, FILL_BATCH, on_range, c);
}

// `newest` may be a position that the store has lost since: then the log gives no more, and we stop asking.
static void fill(struct catch_up *c) {
    c->newest = c->feed->at;
    c->more = false;
    if (!c->asking) ask(c, ask_for_range);
}

static void on_entry(void *arg, const struct engine_entry *e) {
    struct feed *f = arg;
    if (!position_is_set(e->at)) {
        if (feed_is_live(f)) emit(f, frame_of_entry(e));
        return;
    }
    if (f->catch_up) {
        note(f->catch_up, e->at);
        return;
    }
    switch (continuity_of(f->at, e)) {
    case CONTINUITY_NEXT:
    case CONTINUITY_BEYOND: continuity_walk(&f->at, e, 1, emit, f); break;
    case CONTINUITY_OLD: break;
    case CONTINUITY_HOLE:
        log_info("reader", "hole", "video=%s action=\"reading the log\"", f->video);
        fill(catch_up_of(f));
        note(f->catch_up, e->at);
        break;
    }
}

static void on_head(void *arg, enum engine_status status, struct position head) {
    struct catch_up *c = arg;
    if (!answered(c, status)) return;
    struct feed *f = c->feed;
    bool opening = c->opening;
    if (opening) f->at = head;
    c->opening = false;
    note(c, head);
    follow_or_fill(c, false);
    if (opening) f->env->on_live(f);
}

static void ask_for_head(struct catch_up *c) {
    c->env->engine->ops->head(c->env->engine, c->feed->video, on_head, c);
}

void feed_check(struct feed *f) {
    struct catch_up *c = catch_up_of(f);
    if (c->asking)
        c->check_again = true;
    else
        ask(c, ask_for_head);
}

static void on_subscribed(void *arg) {
    feed_check(arg);
}

static void on_again(struct loop_timer *t) {
    struct catch_up *c = container_of(t, struct catch_up, again);
    if (c->more)
        fill(c);
    else
        feed_check(c->feed);
}

static const struct engine_subscriber subscriber = {.on_entry = on_entry, .on_subscribed = on_subscribed};

void feed_open(struct feed *f, struct feed_env *env, const char *video) {
    *f = (struct feed){.env = env, .video = video};
    catch_up_of(f)->opening = true;
    f->subscription = env->engine->ops->subscribe(env->engine, video, &subscriber, f);
}

void feed_close(struct feed *f) {
    struct catch_up *c = f->catch_up;
    f->env->engine->ops->unsubscribe(f->env->engine, f->subscription);
    if (!c) return;
    loop_timer_stop(f->env->loop, &c->again);
    f->catch_up = NULL;
    c->feed = NULL;
    if (c->in_line)
        leave_line(c);
    else if (c->asking)
        return; // the answer frees it
    free(c);
}

bool feed_is_live(const struct feed *f) {
    return !f->catch_up || !f->catch_up->opening;
}

struct position feed_position(const struct feed *f) {
    return f->at;
}
