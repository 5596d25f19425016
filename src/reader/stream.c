// A joiner's way: it waits until the feed is live; if it has seen something before, what it missed is taken
// from the history, or else read from the log (load), whereupon the history holds it for those who come
// after.
#include "reader/stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "engine/engine.h"
#include "base/container_of.h"
#include "net/loop.h"
#include "reader/continuity.h"
#include "reader/fanout.h"
#include "reader/pending.h"

enum { LOAD_BATCH = 1000, LOAD_ROOM = 16, DELIVERED_LINES = 10, ASKING = 1000 };

// What is being read from the log for somebody who came back.
struct load {
    struct stream *stream; // NULL once the stream is closed
    struct position from, at;
    struct position feed_at; // where the feed stood when the log was asked
    struct pending *frames;
};

// Where joiners wait.
struct lobby {
    struct stream *stream;
    struct joiner *joiners;
    struct load *load; // one at a time
    struct lobby *prev, *next;
};

// A stream without viewers.
struct vacancy {
    struct stream *stream;
    int64_t since_ms;
    struct vacancy *prev, *next;
};

static void serve_joiners(struct stream *);

static int64_t now_ms(const struct stream *s) {
    return loop_now_ms(s->env->loop);
}

// The first slot stays free for the viewer's own head.
static struct pending *pending_with_head(uint64_t frames) {
    return pending_add(pending_new((uint32_t)frames + 1), NULL);
}

static struct pending *pending_from_history(const struct history *h, uint64_t first) {
    uint64_t end = history_end(h);
    struct pending *p = pending_with_head(end - first);
    for (uint64_t n = first; n < end; n++) p = pending_add(p, frame_ref(history_at(h, n)));
    return p;
}

// Waiting

static void enter_lobby(struct stream *s, struct joiner *j) {
    if (!s->lobby) {
        s->lobby = mem_zalloc(sizeof *s->lobby);
        s->lobby->stream = s;
        DL_APPEND(s->env->lobbies, s->lobby);
    }
    DL_APPEND(s->lobby->joiners, j);
}

static void close_lobby_if_empty(struct stream *s) {
    struct lobby *l = s->lobby;
    if (!l || l->joiners || l->load) return;
    DL_DELETE(s->env->lobbies, l);
    free(l);
    s->lobby = NULL;
}

static void give_up(struct lobby *l, struct joiner *j) {
    DL_DELETE(l->joiners, j);
    j->on_joined(j, (struct position){0}, NULL);
}

// Reading what was missed

static void load_emit(void *arg, struct frame *f) {
    struct load *l = arg;
    l->frames = pending_add(l->frames, f);
}

static void load_free(struct load *l) {
    if (l->stream) {
        l->stream->lobby->load = NULL;
        close_lobby_if_empty(l->stream);
    }
    pending_free(l->frames);
    free(l);
}

static void on_loaded(void *, enum engine_status, const struct engine_range *);

static void load_more(struct load *l) {
    const struct stream *s = l->stream;
    l->feed_at = feed_position(&s->feed);
    s->env->engine->ops->range(s->env->engine, s->feed.video, l->at, LOAD_BATCH, on_loaded, l);
}

static void load(struct stream *s, struct position from) {
    struct load *l = mem_zalloc(sizeof *l);
    l->stream = s;
    l->from = l->at = from;
    l->frames = pending_new(LOAD_ROOM);
    s->lobby->load = l;
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
    const struct history *h = &s->history;
    uint64_t first, end = history_end(h);
    if (!history_covers(h, l->at, &first)) return false;
    for (uint64_t n = first; n < end; n++) load_emit(l, frame_ref(history_at(h, n)));
    l->at = feed_position(&s->feed);
    return true;
}

enum reach { REACHED, READ_ON, TRY_LATER };

// Makes what was read reach exactly up to the feed.
static enum reach reach_feed(struct stream *s, struct load *l) {
    struct position feed_at = feed_position(&s->feed);
    if (position_compare(l->at, feed_at) > 0) return cut_back(l, feed_at) ? REACHED : TRY_LATER;
    if (position_compare(l->at, feed_at) == 0 || go_on_from_history(s, l)) return REACHED;
    if (position_compare(l->at, l->feed_at) >= 0) return READ_ON; // there is more by now
    continuity_end(&l->at, feed_at, load_emit, l);                // the store has lost what the feed has seen
    return REACHED;
}

// Those who wait for just this are given it directly: the history may not be allowed to hold it all.
static void serve_from_load(struct lobby *lobby, const struct load *l) {
    struct joiner *j, *next;
    DL_FOREACH_SAFE(lobby->joiners, j, next) {
        if (position_compare(j->last, l->from) != 0) continue;
        struct pending *p = pending_with_head(l->frames->count);
        for (uint32_t i = 0; i < l->frames->count; i++) p = pending_add(p, frame_ref(l->frames->frames[i]));
        DL_DELETE(lobby->joiners, j);
        j->on_joined(j, l->from, p);
    }
}

// What reaches further back than the history takes its place. (Clients may claim to have seen anything: what
// was read for a position beyond the feed is not history.)
static void remember(struct stream *s, const struct load *l) {
    struct position at = history_from(&s->history);
    if (!position_is_set(at)) at = feed_position(&s->feed);
    if (position_compare(l->from, at) >= 0) return;
    history_reset(&s->history, l->from, now_ms(s));
    at = l->from;
    for (uint32_t i = 0; i < l->frames->count; i++) {
        struct frame *f = l->frames->frames[i];
        history_push(&s->history, at, f, now_ms(s));
        if (position_is_set(f->at)) at = f->at;
    }
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
        feed_check(&s->feed);
        load_free(l);
        return;
    case REACHED: break;
    }
    serve_from_load(s->lobby, l);
    remember(s, l);
    load_free(l);
    serve_joiners(s);
}

// Where a joiner starts, and the first frame of the history that it gets.
struct start {
    struct position at;
    uint64_t first;
};

static bool may_start(const struct stream *s, const struct joiner *j, struct start *start) {
    struct position at = feed_position(&s->feed);
    if (!feed_is_live(&s->feed)) return false;
    if (!position_is_set(j->last) || position_compare(j->last, at) == 0) {
        *start = (struct start){at, history_end(&s->history)};
        return true;
    }
    start->at = j->last;
    return history_covers(&s->history, j->last, &start->first);
}

static void let_in(struct stream *s, struct joiner *j, const struct start *start) {
    history_use(&s->history, now_ms(s));
    j->on_joined(j, start->at, pending_from_history(&s->history, start->first));
}

static void serve_joiners(struct stream *s) {
    struct lobby *l = s->lobby;
    struct joiner *j, *next;
    struct start start;
    if (!l || !feed_is_live(&s->feed)) return;
    DL_FOREACH_SAFE(l->joiners, j, next) {
        if (!may_start(s, j, &start)) continue;
        DL_DELETE(l->joiners, j);
        let_in(s, j, &start);
    }
    close_lobby_if_empty(s);
    if (!s->lobby || l->load) return;
    struct joiner *oldest = l->joiners; // what is read for it covers the others
    DL_FOREACH(l->joiners, j) {
        if (position_compare(j->last, oldest->last) < 0) oldest = j;
    }
    load(s, oldest->last);
}

static void on_live(struct feed *f) {
    serve_joiners(container_of(f, struct stream, feed));
}

// A message without a number is for those who watch: nobody can tell who has seen it. Where the feed has gone
// back, history begins again.
static void remember_frame(struct stream *s, struct frame *f) {
    struct position from = feed_position(&s->feed);
    if (!position_is_set(f->at)) return;
    if (position_compare(f->at, from) <= 0) history_release(&s->history);
    history_push(&s->history, from, f, now_ms(s));
}

static void on_frame(struct feed *of, struct frame *f) {
    struct stream *s = container_of(of, struct stream, feed);
    struct stream_env *env = s->env;
    remember_frame(s, f);
    if (fan_video_viewers(s->fan) && log_sample(env->sampler, env->instance_id, DELIVERED_LINES, now_ms(s))) {
        char id[POSITION_TEXT_SIZE];
        position_format(f->at, id);
        log_info(env->instance_id, "delivered", "video=%s id=%s viewers=%u", of->video, id,
                 fan_video_viewers(s->fan));
    }
    fan_video_publish(s->fan, f);
}

// Without viewers

static void begin_vacancy(struct stream *s) {
    struct vacancy *v = mem_zalloc(sizeof *v);
    v->stream = s;
    v->since_ms = now_ms(s);
    s->vacancy = v;
    DL_APPEND(s->env->vacancies, v);
}

static void end_vacancy(struct stream *s) {
    if (!s->vacancy) return;
    DL_DELETE(s->env->vacancies, s->vacancy);
    free(s->vacancy);
    s->vacancy = NULL;
}

static void on_left(void *arg, unsigned n) {
    struct stream *s = arg;
    s->env->viewers -= n;
    if (fan_video_viewers(s->fan)) return;
    begin_vacancy(s);
    if (s->env->on_audience) s->env->on_audience(s, false);
}

struct stream *stream_left_alone(struct stream_env *env, int64_t for_ms) {
    int64_t before_ms = loop_now_ms(env->loop) - (for_ms > 0 ? for_ms : 1);
    while (env->vacancies && env->vacancies->since_ms <= before_ms) {
        struct stream *s = env->vacancies->stream;
        if (!s->lobby) return s;
        end_vacancy(s); // somebody is on the way: it counts from now
        begin_vacancy(s);
    }
    return NULL;
}

// Life

void stream_env_init(struct stream_env *env) {
    env->feed_env = (struct feed_env){.loop = env->loop,
                                      .engine = env->engine,
                                      .most_asking = ASKING,
                                      .on_live = on_live,
                                      .on_frame = on_frame};
}

void stream_open(struct stream *s, struct stream_env *env, const char *video) {
    *s = (struct stream){.env = env};
    begin_vacancy(s);
    s->fan = fan_video_new(env->fanout, env->counters, on_left, s);
    history_init(&s->history, env->budget);
    feed_open(&s->feed, &env->feed_env, video);
}

static void close_lobby(struct stream *s) {
    struct joiner *j, *next;
    if (!s->lobby) return;
    DL_FOREACH_SAFE(s->lobby->joiners, j, next) give_up(s->lobby, j);
    if (s->lobby->load) s->lobby->load->stream = NULL;
    s->lobby->load = NULL;
    close_lobby_if_empty(s);
}

void stream_close(struct stream *s) {
    close_lobby(s);
    end_vacancy(s);
    s->env->viewers -= fan_video_viewers(s->fan);
    feed_close(&s->feed);
    fan_video_free(s->fan);
    history_release(&s->history);
}

void stream_join(struct stream *s, struct joiner *j) {
    struct start start;
    if (may_start(s, j, &start)) {
        let_in(s, j, &start);
        return;
    }
    enter_lobby(s, j);
    if (feed_is_live(&s->feed) && !s->lobby->load) load(s, j->last);
}

bool stream_add(struct stream *s, int fd, struct pending *p) {
    if (!fan_video_add(s->fan, fd, p)) return false;
    s->env->viewers++;
    if (s->vacancy && s->env->on_audience) s->env->on_audience(s, true);
    end_vacancy(s);
    return true;
}

unsigned stream_viewers(const struct stream *s) {
    return fan_video_viewers(s->fan);
}

static void sweep_lobby(struct lobby *l, int64_t now) {
    struct joiner *j, *next;
    DL_FOREACH_SAFE(l->joiners, j, next) {
        if (j->deadline_ms <= now) give_up(l, j);
    }
    close_lobby_if_empty(l->stream);
}

void stream_sweep(struct stream_env *env) {
    int64_t now = loop_now_ms(env->loop);
    struct lobby *l, *next;
    DL_FOREACH_SAFE(env->lobbies, l, next) {
        struct stream *s = l->stream;
        sweep_lobby(l, now);
        serve_joiners(s);
    }
    history_budget_sweep(env->budget, now);
}
