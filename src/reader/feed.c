// States: OPENING until the first head() has said where the log stands; FOLLOWING, where entries pass
// through; FILLING while head() or range() is under way. Except when FOLLOWING, entries that arrive are
// only noted (`newest`): the log will give them, in order.
#include "reader/feed.h"

#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "reader/continuity.h"
#include "reader/frame.h"

enum { FILL_BATCH = 250, PORTION_EVERY_MS = 25, AGAIN_MS = 250 };

struct feed {
    struct loop *loop;
    struct engine *engine;
    struct engine_subscription *subscription;
    struct feed_listener listener;
    char *video;
    enum { FEED_OPENING, FEED_FOLLOWING, FEED_FILLING } state;
    struct position at;
    struct position newest; // highest position heard of while filling
    struct loop_timer again;
    bool closed, asking; // an answer of the engine is still to come
    bool check_again;    // once it has come
    bool more;           // the next portion is to be read when `again` is due
};

static void fill(struct feed *);

static void free_if_done(struct feed *f) {
    if (!f->closed || f->asking) return;
    free(f->video);
    free(f);
}

static void emit(void *arg, struct frame *frame) {
    struct feed *f = arg;
    f->listener.on_frame(f->listener.arg, frame);
}

static void note(struct feed *f, struct position p) {
    if (position_compare(p, f->newest) > 0) f->newest = p;
}

// Takes an answer of the engine. Returns whether it is worth looking at; if not, all is arranged.
static bool answered(struct feed *f, enum engine_status status) {
    f->asking = false;
    if (f->closed)
        free_if_done(f);
    else if (status == ENGINE_OK)
        return true;
    else if (status != ENGINE_CLOSED)
        loop_timer_start(f->loop, &f->again, AGAIN_MS);
    return false;
}

// After an answer: follows the subscription, unless there is more to read. Much to catch up with comes in
// portions, so that viewers who read have room for the next, and are not taken for slow ones.
static void follow_or_fill(struct feed *f, bool more) {
    f->state = more ? FEED_FILLING : FEED_FOLLOWING;
    f->more = more;
    if (more) {
        loop_timer_start(f->loop, &f->again, PORTION_EVERY_MS);
    } else if (position_compare(f->at, f->newest) < 0) {
        fill(f);
    } else if (f->check_again) {
        f->check_again = false;
        feed_check(f);
    }
}

static void on_range(void *arg, enum engine_status status, const struct engine_range *r) {
    struct feed *f = arg;
    if (!answered(f, status)) return;
    continuity_walk(&f->at, r->entries, r->count, emit, f);
    if (!r->more && position_compare(f->at, r->head) < 0) continuity_end(&f->at, r->head, emit, f);
    note(f, r->head);
    follow_or_fill(f, r->more);
}

// `newest` may be a position that the store has lost since: then the log gives no more, and we stop asking.
static void fill(struct feed *f) {
    f->state = FEED_FILLING;
    f->newest = f->at;
    f->more = false;
    if (f->asking) return;
    f->asking = true;
    f->engine->ops->range(f->engine, f->video, f->at, FILL_BATCH, on_range, f);
}

static void on_entry(void *arg, const struct engine_entry *e) {
    struct feed *f = arg;
    if (!position_is_set(e->at)) {
        if (f->state != FEED_OPENING) emit(f, frame_of_entry(e));
        return;
    }
    if (f->state != FEED_FOLLOWING) {
        note(f, e->at);
        return;
    }
    switch (continuity_of(f->at, e)) {
    case CONTINUITY_NEXT:
    case CONTINUITY_BEYOND: continuity_walk(&f->at, e, 1, emit, f); break;
    case CONTINUITY_OLD: break;
    case CONTINUITY_HOLE:
        log_info("reader", "hole", "video=%s action=\"reading the log\"", f->video);
        fill(f);
        note(f, e->at);
        break;
    }
}

static void on_head(void *arg, enum engine_status status, struct position head) {
    struct feed *f = arg;
    if (!answered(f, status)) return;
    bool opening = f->state == FEED_OPENING;
    if (opening) f->at = head;
    note(f, head);
    follow_or_fill(f, false);
    if (opening) f->listener.on_live(f->listener.arg);
}

void feed_check(struct feed *f) {
    if (f->asking) {
        f->check_again = true;
        return;
    }
    f->asking = true;
    if (f->state == FEED_FOLLOWING) {
        f->state = FEED_FILLING;
        f->newest = f->at;
    }
    f->engine->ops->head(f->engine, f->video, on_head, f);
}

static void on_subscribed(void *arg) {
    feed_check(arg);
}

static void on_again(struct loop_timer *t) {
    struct feed *f = container_of(t, struct feed, again);
    if (f->more)
        fill(f);
    else
        feed_check(f);
}

static const struct engine_subscriber subscriber = {.on_entry = on_entry, .on_subscribed = on_subscribed};

struct feed *feed_open(struct loop *loop, struct engine *engine, const char *video,
                       const struct feed_listener *listener) {
    struct feed *f = mem_zalloc(sizeof *f);
    f->loop = loop;
    f->engine = engine;
    f->listener = *listener;
    f->video = mem_strdup(video);
    f->again.on_due = on_again;
    f->subscription = engine->ops->subscribe(engine, f->video, &subscriber, f);
    return f;
}

void feed_close(struct feed *f) {
    if (!f) return;
    f->engine->ops->unsubscribe(f->engine, f->subscription);
    loop_timer_stop(f->loop, &f->again);
    f->closed = true;
    free_if_done(f);
}

bool feed_is_live(const struct feed *f) {
    return f->state != FEED_OPENING;
}

struct position feed_position(const struct feed *f) {
    return f->at;
}
