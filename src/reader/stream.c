// A joiner's way: it waits until the feed is live; if it has seen something before, what it missed is taken
// from the history, or else read from the log (load), whereupon the history holds it for those who come
// after.
#include "reader/stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "engine/engine.h"
#include "net/loop.h"
#include "reader/continuity.h"
#include "reader/fanout.h"
#include "reader/feed.h"

enum { LOAD_BATCH = 1000, DELIVERED_LINES = 10 };

// What is being read from the log for somebody who came back.
struct load {
    struct stream *stream; // NULL once the stream is closed
    struct position from, at;
    struct position feed_at; // where the feed stood when the log was asked
    struct pending *frames;
    uint32_t room;
};

struct stream {
    struct stream_env env;
    char *video;
    struct feed *feed;
    struct fan_video *fan;
    struct history history;
    struct joiner *joiners;
    struct load *load; // one at a time
    int64_t idle_since_ms;
};

static void serve_joiners(struct stream *);

static struct pending *pending_new(uint32_t count) {
    struct pending *p = mem_alloc(sizeof *p + (count + 1) * sizeof(struct frame *));
    p->count = p->next = 0;
    return p;
}

static void pending_release(struct pending *p) {
    if (!p) return;
    for (uint32_t i = 0; i < p->count; i++) frame_unref(p->frames[i]);
    free(p);
}

// The first slot stays free for the viewer's own head.
static struct pending *pending_from_history(struct history *h, uint64_t first) {
    struct pending *p = pending_new((uint32_t)(h->ring.next - first));
    p->frames[p->count++] = NULL;
    for (uint64_t n = first; n < h->ring.next; n++) p->frames[p->count++] = frame_ref(ring_at(&h->ring, n));
    return p;
}

static void let_in(struct stream *s, struct joiner *j, struct position start, uint64_t first) {
    DL_DELETE(s->joiners, j);
    s->history.used_ms = loop_now_ms(s->env.loop);
    j->on_joined(j, start, pending_from_history(&s->history, first));
}

static void give_up(struct stream *s, struct joiner *j) {
    DL_DELETE(s->joiners, j);
    j->on_joined(j, (struct position){0}, NULL);
}

// Reading what was missed

static void load_emit(void *arg, struct frame *f) {
    struct load *l = arg;
    if (l->frames->count == l->room) {
        l->room *= 2;
        l->frames = mem_realloc(l->frames, sizeof *l->frames + (l->room + 1) * sizeof(struct frame *));
    }
    l->frames->frames[l->frames->count++] = f;
}

static void load_free(struct load *l) {
    if (l->stream) l->stream->load = NULL;
    pending_release(l->frames);
    free(l);
}

static void on_loaded(void *, enum engine_status, const struct engine_range *);

static void load_more(struct load *l) {
    const struct stream *s = l->stream;
    l->feed_at = feed_position(s->feed);
    s->env.engine->ops->range(s->env.engine, s->video, l->at, LOAD_BATCH, on_loaded, l);
}

static void load(struct stream *s, struct position from) {
    struct load *l = mem_zalloc(sizeof *l);
    l->stream = s;
    l->from = l->at = from;
    l->room = 16;
    l->frames = pending_new(l->room);
    s->load = l;
    load_more(l);
}

// The log may be ahead of the feed: what lies beyond comes to everybody by the feed. Returns whether what is
// left ends where the feed stands.
static bool cut_back(struct load *l, struct position to) {
    struct pending *p = l->frames;
    while (p->count && position_compare(p->frames[p->count - 1]->at, to) > 0)
        frame_unref(p->frames[--p->count]);
    l->at = p->count ? p->frames[p->count - 1]->at : l->from;
    return position_compare(l->at, to) == 0;
}

// Continues what was read with what the history holds, up to the feed. Returns whether it could.
static bool go_on_from_history(struct stream *s, struct load *l) {
    uint64_t first;
    const struct ring *r = &s->history.ring;
    if (!history_covers(&s->history, l->at, &first)) return false;
    for (uint64_t n = first; n < r->next; n++) load_emit(l, frame_ref(ring_at(r, n)));
    l->at = feed_position(s->feed);
    return true;
}

enum reach { REACHED, READ_ON, TRY_LATER };

// Makes what was read reach exactly up to the feed.
static enum reach reach_feed(struct stream *s, struct load *l) {
    struct position feed_at = feed_position(s->feed);
    if (position_compare(l->at, feed_at) > 0) return cut_back(l, feed_at) ? REACHED : TRY_LATER;
    if (position_compare(l->at, feed_at) == 0 || go_on_from_history(s, l)) return REACHED;
    if (position_compare(l->at, l->feed_at) >= 0) return READ_ON; // there is more by now
    continuity_end(&l->at, feed_at, load_emit, l);                // the store has lost what the feed has seen
    return REACHED;
}

// Those who wait for just this are given it directly: the history may not be allowed to hold it all.
static void serve_from_load(struct stream *s, const struct load *l) {
    struct joiner *j, *next;
    DL_FOREACH_SAFE(s->joiners, j, next) {
        if (position_compare(j->last, l->from) != 0) continue;
        struct pending *p = pending_new(l->frames->count);
        p->frames[p->count++] = NULL;
        for (uint32_t i = 0; i < l->frames->count; i++)
            p->frames[p->count++] = frame_ref(l->frames->frames[i]);
        DL_DELETE(s->joiners, j);
        j->on_joined(j, l->from, p);
    }
}

// What reaches further back than the history takes its place. (Clients may claim to have seen anything: what
// was read for a position beyond the feed is not history.)
static void remember(struct stream *s, const struct load *l) {
    if (position_compare(l->from, s->history.from) >= 0) return;
    history_reset(&s->history, l->from);
    for (uint32_t i = 0; i < l->frames->count; i++) history_push(&s->history, l->frames->frames[i]);
}

static void on_loaded(void *arg, enum engine_status status, const struct engine_range *r) {
    struct load *l = arg;
    struct stream *s = l->stream;
    if (!s || status != ENGINE_OK) { // those who wait ask again with the next sweep, until their time is up
        load_free(l);
        return;
    }
    continuity_walk(&l->at, r->entries, r->count, load_emit, l);
    if (!r->more) continuity_end(&l->at, r->head, load_emit, l);
    switch (r->more ? READ_ON : reach_feed(s, l)) {
    case READ_ON: load_more(l); return;
    case TRY_LATER: // the next sweep looks again, when the feed has caught up
        feed_check(s->feed);
        load_free(l);
        return;
    case REACHED: break;
    }
    serve_from_load(s, l);
    remember(s, l);
    load_free(l);
    serve_joiners(s);
}

// Returns whether the joiner could be served, given up or let in.
static bool serve(struct stream *s, struct joiner *j) {
    struct position at = feed_position(s->feed);
    uint64_t first;
    if (!position_is_set(j->last) || position_compare(j->last, at) == 0) {
        let_in(s, j, at, s->history.ring.next);
        return true;
    }
    if (!history_covers(&s->history, j->last, &first)) return false;
    let_in(s, j, j->last, first);
    return true;
}

static void serve_joiners(struct stream *s) {
    struct joiner *j, *next;
    if (!feed_is_live(s->feed)) return;
    DL_FOREACH_SAFE(s->joiners, j, next) serve(s, j);
    if (!s->joiners || s->load) return;
    struct joiner *oldest = s->joiners; // what is read for it covers the others
    DL_FOREACH(s->joiners, j) {
        if (position_compare(j->last, oldest->last) < 0) oldest = j;
    }
    load(s, oldest->last);
}

static void on_live(void *arg) {
    struct stream *s = arg;
    history_reset(&s->history, feed_position(s->feed));
    serve_joiners(s);
}

static void on_frame(void *arg, struct frame *f) {
    struct stream *s = arg;
    history_push(&s->history, f);
    if (fan_video_viewers(s->fan) &&
        log_sample(s->env.sampler, s->env.instance_id, DELIVERED_LINES, loop_now_ms(s->env.loop))) {
        char id[POSITION_TEXT_SIZE];
        position_format(f->at, id);
        log_info(s->env.instance_id, "delivered", "video=%s id=%s viewers=%u", s->video, id,
                 fan_video_viewers(s->fan));
    }
    fan_video_publish(s->fan, f);
}

static void on_left(void *arg, unsigned n) {
    struct stream *s = arg;
    (void)n;
    if (!fan_video_viewers(s->fan)) s->idle_since_ms = loop_now_ms(s->env.loop);
}

struct stream *stream_open(const struct stream_env *env, const char *video) {
    struct stream *s = mem_zalloc(sizeof *s);
    s->env = *env;
    s->video = mem_strdup(video);
    s->idle_since_ms = loop_now_ms(env->loop);
    s->fan = fan_video_new(env->fanout, env->counters, on_left, s);
    history_init(&s->history, env->budget);
    s->feed = feed_open(env->loop, env->engine, video,
                        &(struct feed_listener){.on_live = on_live, .on_frame = on_frame, .arg = s});
    return s;
}

void stream_close(struct stream *s) {
    struct joiner *j, *next;
    DL_FOREACH_SAFE(s->joiners, j, next) give_up(s, j);
    if (s->load) s->load->stream = NULL;
    feed_close(s->feed);
    fan_video_free(s->fan);
    history_release(&s->history);
    free(s->video);
    free(s);
}

void stream_join(struct stream *s, struct joiner *j) {
    DL_APPEND(s->joiners, j);
    if (feed_is_live(s->feed) && !serve(s, j) && !s->load) load(s, j->last);
}

bool stream_add(struct stream *s, int fd, struct pending *p) {
    if (!fan_video_add(s->fan, fd, p)) return false;
    s->idle_since_ms = 0;
    return true;
}

unsigned stream_viewers(const struct stream *s) {
    return fan_video_viewers(s->fan);
}

int64_t stream_idle_since_ms(const struct stream *s) {
    return s->joiners ? 0 : s->idle_since_ms;
}

void stream_sweep(struct stream *s) {
    struct joiner *j, *next;
    int64_t now = loop_now_ms(s->env.loop);
    DL_FOREACH_SAFE(s->joiners, j, next) {
        if (j->deadline_ms <= now) give_up(s, j);
    }
    if (s->joiners) serve_joiners(s);
    history_rest(&s->history, now);
}
