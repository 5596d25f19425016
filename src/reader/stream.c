// A joiner's way: it waits until the feed is live; if it has seen something before, what it missed is taken
// from the history, or else read from the log (load), whereupon the history holds it for those who come
// after.
//
// What a joiner missed is charged before it is read: a load asks the log for as many entries as there is
// memory for, and at most LOADS_AT_ONCE are under way. Without memory, history is dropped, viewers that do
// not read lose their backlogs (fanout_relieve), and the joiner waits for that. When its patience is over, or
// it has used more than its share, it gets a gap and the newest of what it missed. The gap's reason is
// `slow`: the log still has the entries, but there is no memory to hold them until this viewer has read them.
#include "stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/log.h"
#include "base/map.h"
#include "engine/engine.h"
#include "base/container_of.h"
#include "net/loop.h"
#include "continuity.h"
#include "fanout/fanout.h"
#include "fanout/pending.h"

enum {
    LOAD_BATCH = 200, // entries that the log is asked for at a time
    LOADS_AT_ONCE = 16,
    LOAD_ROOM = 16,
    ENTRY_MOST = 5120, // bytes of an entry: a comment of 2,000 bytes, each of them escaped, and its names
    ENTRY_COST = 2 * ENTRY_MOST, // as the engine's answer, and as a frame
    SHORT = 16,                  // frames that are a joiner's without asking for room
    ROOM_AGAIN_MS = 25,
    JOINER_COST = 512, // one that waits, with what its caller holds for it
    DELIVERED_LINES = 10,
    ASKING = 1000
};

// What is being read from the log for somebody who came back.
struct load {
    struct stream_env *env;
    struct stream *stream; // NULL once the stream is closed
    enum { LOAD_IN_LINE, LOAD_WITHOUT_ROOM, LOAD_ASKING } state;
    struct position from, at;
    struct position lost;    // up to here, what was read was given up for lack of room
    struct position feed_at; // where the feed stood when the log was asked
    int64_t patience_ms;
    size_t reserved, bytes; // for the answer to come; of the frames
    struct pending *frames;
    struct load *prev, *next; // of those in line, or of those that have their turn
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

static struct pending *pending_from_history(const struct history *h, uint64_t first) {
    uint64_t end = history_end(h);
    struct pending *p = pending_new((uint32_t)(end - first));
    for (uint64_t n = first; n < end; n++) p = pending_add(p, frame_ref(history_at(h, n)));
    return p;
}

// The gap for entries after `at`, up to `to`, that cannot be held for a viewer.
static struct frame *gap_without_room(struct position at, struct position to) {
    return frame_of_gap((struct position){at.epoch, at.seq + 1}, to, GAP_SLOW);
}

// Whether so many frames, which exist anyway, may be queued for one more viewer.
static bool has_room_for(struct stream_env *env, uint64_t frames) {
    if (frames <= SHORT || budget_backlog_room() >= frames * sizeof(struct frame *)) return true;
    fanout_relieve(env->fanout);
    return false;
}

// Waiting

static void enter_lobby(struct stream *s, struct joiner *j) {
    if (!s->lobby) {
        s->lobby = mem_zalloc(sizeof *s->lobby);
        s->lobby->stream = s;
        budget_take(sizeof *s->lobby);
        DL_APPEND(s->env->lobbies, s->lobby);
    }
    DL_APPEND(s->lobby->joiners, j);
    budget_take(JOINER_COST);
}

static void leave_lobby(struct lobby *l, struct joiner *j) {
    DL_DELETE(l->joiners, j);
    budget_give_back(JOINER_COST);
}

static void close_lobby_if_empty(struct stream *s) {
    struct lobby *l = s->lobby;
    if (!l || l->joiners || l->load) return;
    DL_DELETE(s->env->lobbies, l);
    budget_give_back(sizeof *l);
    free(l);
    s->lobby = NULL;
}

static void give_up(struct joiner *j, enum joiner_outcome outcome) {
    j->outcome = outcome;
    j->on_joined(j, j->stream, (struct position){0}, NULL);
}

// Reading what was missed

static void load_emit(void *arg, struct frame *f) {
    struct load *l = arg;
    l->frames = pending_add(l->frames, f);
    l->bytes += f->len;
}

static uint32_t frames_held(const struct load *l) {
    return l->frames->count - l->frames->next;
}

// Drops the older half of what was read.
static void shorten(struct load *l) {
    struct pending *p = l->frames;
    for (uint32_t left = frames_held(l) / 2; frames_held(l) > left; p->next++) {
        struct frame *f = p->frames[p->next];
        if (position_is_set(f->at)) l->lost = f->at;
        l->bytes -= f->len;
        frame_unref(f);
    }
}

static bool is_impatient(const struct load *l) {
    return l->patience_ms <= loop_now_ms(l->env->loop);
}

// A load's share of memory, beyond which it drops what is oldest. It is reserved for the first of the loads,
// so that they cannot all wait for each other.
static size_t share(void) {
    return budget_max() / 4;
}

static size_t room_for(const struct load *l) {
    size_t room = budget_backlog_room(), kept = l == l->env->loads ? 0 : share();
    return room > kept ? room - kept : 0;
}

// Reserves memory for the next answer. Returns for how many entries, 0 if there is no room.
static size_t reserve(struct load *l) {
    history_budget_yield(l->env->budget, share() / 2);
    for (;;) {
        size_t entries = (room_for(l) / ENTRY_COST + 1) / 2; // the others want some, too
        if (entries > LOAD_BATCH) entries = LOAD_BATCH;
        l->reserved = entries * ENTRY_COST;
        budget_take(l->reserved);
        if (entries) return entries;
        if (!frames_held(l) || (!is_impatient(l) && l->bytes < share())) break;
        shorten(l);
    }
    fanout_relieve(l->env->fanout);
    return 0;
}

static void on_loaded(void *, enum engine_status, const struct engine_range *);

static void load_more(struct load *l) {
    const struct stream *s = l->stream;
    size_t entries = reserve(l);
    l->state = entries ? LOAD_ASKING : LOAD_WITHOUT_ROOM;
    if (!entries) {
        if (!l->env->room.slot) loop_timer_start(l->env->loop, &l->env->room, ROOM_AGAIN_MS);
        return;
    }
    l->feed_at = feed_position(&s->feed);
    s->env->engine->ops->range(s->env->engine, s->feed.video, l->at, entries, on_loaded, l);
}

static void load_next(struct stream_env *env) {
    while (env->load_line && env->loading < LOADS_AT_ONCE) {
        struct load *l = env->load_line;
        DL_DELETE(env->load_line, l);
        DL_APPEND(env->loads, l);
        env->loading++;
        load_more(l);
    }
}

static void on_room_due(struct loop_timer *t) {
    struct stream_env *env = container_of(t, struct stream_env, room);
    struct load *l;
    DL_FOREACH(env->loads, l) {
        if (l->state == LOAD_WITHOUT_ROOM) load_more(l);
    }
}

static void load(struct stream *s, const struct joiner *j) {
    struct load *l = mem_zalloc(sizeof *l);
    assert(s->lobby);
    budget_take(sizeof *l);
    l->env = s->env;
    l->stream = s;
    l->from = l->at = j->last;
    l->patience_ms = j->patience_ms;
    l->frames = pending_new(LOAD_ROOM);
    s->lobby->load = l;
    DL_APPEND(s->env->load_line, l);
    load_next(s->env);
}

static void load_free(struct load *l) {
    struct stream_env *env = l->env;
    if (l->stream) {
        l->stream->lobby->load = NULL;
        close_lobby_if_empty(l->stream);
    }
    if (l->state == LOAD_IN_LINE) {
        DL_DELETE(env->load_line, l);
    } else {
        DL_DELETE(env->loads, l);
        env->loading--;
    }
    if (!env->loads) loop_timer_stop(env->loop, &env->room);
    pending_free(l->frames);
    budget_give_back(sizeof *l);
    free(l);
    load_next(env);
}

// The log may be ahead of the feed: what lies beyond comes to everybody by the feed. Returns whether what is
// left ends where the feed stands.
static bool cut_back(struct load *l, struct position to) {
    struct pending *p = l->frames;
    while (frames_held(l) && position_compare(p->frames[p->count - 1]->at, to) > 0) {
        l->bytes -= p->frames[--p->count]->len;
        frame_unref(p->frames[p->count]);
    }
    l->at = frames_held(l) ? p->frames[p->count - 1]->at : position_is_set(l->lost) ? l->lost : l->from;
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

static struct pending *pending_from_load(const struct load *l) {
    struct pending *p = pending_new(frames_held(l) + 1);
    if (position_is_set(l->lost)) p = pending_add(p, gap_without_room(l->from, l->lost));
    for (uint32_t i = l->frames->next; i < l->frames->count; i++)
        p = pending_add(p, frame_ref(l->frames->frames[i]));
    return p;
}

// Joiners that wait for exactly this get it directly, as the history may not be allowed to hold all of it. It
// was read for the first of them; there may be no memory for the others.
static void serve_from_load(struct lobby *lobby, const struct load *l) {
    struct joiner *j, *next;
    bool first = true;
    DL_FOREACH_SAFE(lobby->joiners, j, next) {
        if (position_compare(j->last, l->from) != 0) continue;
        if (!first && !has_room_for(l->env, frames_held(l))) return;
        first = false;
        leave_lobby(lobby, j);
        j->on_joined(j, l->stream, l->from, pending_from_load(l));
    }
}

// What reaches further back than the history takes its place. (Clients may claim to have seen anything: what
// was read for a position beyond the feed is not history.)
static void remember(struct stream *s, const struct load *l) {
    struct position at = history_from(&s->history);
    struct position from = position_is_set(l->lost) ? l->lost : l->from;
    if (!position_is_set(at)) at = feed_position(&s->feed);
    if (position_compare(from, at) >= 0) return;
    history_reset(&s->history, s->env->budget, from, now_ms(s));
    at = from;
    for (uint32_t i = l->frames->next; i < l->frames->count; i++) {
        struct frame *f = l->frames->frames[i];
        history_push(&s->history, s->env->budget, at, f, now_ms(s));
        if (position_is_set(f->at)) at = f->at;
    }
}

static void on_loaded(void *arg, enum engine_status status, const struct engine_range *r) {
    struct load *l = arg;
    struct stream *s = l->stream;
    if (s && status == ENGINE_OK) continuity_walk(&l->at, r->entries, r->count, load_emit, l);
    budget_give_back(l->reserved);
    if (!s || status != ENGINE_OK) { // those who wait ask again with the next sweep, until their time is up
        load_free(l);
        return;
    }
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

// Lets joiners in whose patience is over, with a gap for everything they missed. (Joiners that claim to have
// seen more than the feed wait for it.)
static void give_gaps(struct stream *s) {
    struct position at = feed_position(&s->feed);
    struct joiner *j, *next;
    DL_FOREACH_SAFE(s->lobby->joiners, j, next) {
        if (j->patience_ms > now_ms(s) || !position_is_set(j->last) || position_compare(j->last, at) >= 0)
            continue;
        leave_lobby(s->lobby, j);
        j->on_joined(j, s, j->last, pending_add(pending_new(1), gap_without_room(j->last, at)));
    }
}

// Looks again whether there is room, if it is its turn.
static void retry_load(struct load *l) {
    struct stream *s = l->stream;
    if (l->state == LOAD_WITHOUT_ROOM) load_more(l);
    if (l->state == LOAD_ASKING || !is_impatient(l) || room_for(l) >= ENTRY_COST) return;
    give_gaps(s);
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

// Whether it may have what it missed now, or its patience is over, so that a gap stands for it.
static bool may_enter(const struct stream *s, const struct joiner *j, const struct start *start) {
    return has_room_for(s->env, history_end(&s->history) - start->first) || j->patience_ms <= now_ms(s);
}

static void let_in(struct stream *s, struct joiner *j, const struct start *start) {
    struct pending *p;
    if (has_room_for(s->env, history_end(&s->history) - start->first)) {
        p = pending_from_history(&s->history, start->first);
    } else {
        p = pending_add(pending_new(1), gap_without_room(start->at, feed_position(&s->feed)));
    }
    history_use(&s->history, now_ms(s));
    j->on_joined(j, s, start->at, p);
}

static void serve_joiners(struct stream *s) {
    struct lobby *l = s->lobby;
    struct joiner *j, *next, *oldest = NULL; // what is read for the oldest covers the others
    struct start start;
    if (!l || !feed_is_live(&s->feed)) return;
    DL_FOREACH_SAFE(l->joiners, j, next) {
        if (!may_start(s, j, &start)) {
            if (!oldest || position_compare(j->last, oldest->last) < 0) oldest = j;
        } else if (may_enter(s, j, &start)) {
            leave_lobby(l, j);
            let_in(s, j, &start);
        }
    }
    close_lobby_if_empty(s);
    if (oldest && s->lobby && !s->lobby->load) load(s, oldest);
}

static void on_live(struct feed *f) {
    serve_joiners(container_of(f, struct stream, feed));
}

// A message without a number is only for viewers that are connected, as one that resumes cannot say whether
// it has seen it. Where the feed has gone back, history begins again.
static void remember_frame(struct stream *s, struct frame *f) {
    struct position from = feed_position(&s->feed);
    if (!position_is_set(f->at)) return;
    if (position_compare(f->at, from) <= 0) history_release(&s->history);
    history_push(&s->history, s->env->budget, from, f, now_ms(s));
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

static void on_receive(struct loop_job *);

void stream_env_init(struct stream_env *env) {
    env->receive.run = on_receive;
    env->room.on_due = on_room_due;
    env->feed_env = (struct feed_env){.loop = env->loop,
                                      .engine = env->engine,
                                      .instance_id = env->instance_id,
                                      .most_asking = ASKING,
                                      .on_live = on_live,
                                      .on_frame = on_frame};
}

void stream_open(struct stream *s, struct stream_env *env, const char *video) {
    *s = (struct stream){.env = env};
    begin_vacancy(s);
    s->fan = fan_video_new(env->fanout, env->counters, on_left, s);
    feed_open(&s->feed, &env->feed_env, video);
}

static void close_lobby(struct stream *s) {
    struct joiner *j, *next;
    if (!s->lobby) return;
    DL_FOREACH_SAFE(s->lobby->joiners, j, next) {
        leave_lobby(s->lobby, j);
        give_up(j, JOINER_STREAM_ENDED);
    }
    struct load *load = s->lobby->load;
    s->lobby->load = NULL;
    close_lobby_if_empty(s);
    if (!load) return;
    load->stream = NULL;
    if (load->state != LOAD_ASKING) load_free(load); // else the answer does
}

static void turn_away(struct stream *s, struct joiner **arrivals) {
    struct joiner *j, *next;
    DL_FOREACH_SAFE(*arrivals, j, next) {
        if (j->stream != s) continue;
        DL_DELETE(*arrivals, j);
        give_up(j, JOINER_STREAM_ENDED);
    }
}

void stream_end(struct stream *s) {
    turn_away(s, &s->env->arrivals);
    turn_away(s, &s->env->arriving);
    close_lobby(s);
    end_vacancy(s);
    s->env->viewers -= fan_video_viewers(s->fan);
    feed_close(&s->feed);
    fan_video_free(s->fan);
    history_release(&s->history);
}

void stream_join(struct stream *s, struct joiner *j) {
    struct stream_env *env = s->env;
    j->stream = s;
    j->outcome = JOINER_STARTS;
    if (!env->arrivals) loop_defer(env->loop, &env->receive);
    DL_APPEND(env->arrivals, j);
}

static void receive(struct stream *s, struct joiner *j) {
    struct start start;
    bool covered = may_start(s, j, &start);
    if (covered && may_enter(s, j, &start)) {
        let_in(s, j, &start);
        return;
    }
    enter_lobby(s, j);
    if (!covered && feed_is_live(&s->feed) && !s->lobby->load) load(s, j);
}

static void on_receive(struct loop_job *job) {
    struct stream_env *env = container_of(job, struct stream_env, receive);
    struct joiner *j;
    env->arriving = env->arrivals;
    env->arrivals = NULL;
    while ((j = env->arriving)) {
        DL_DELETE(env->arriving, j);
        receive(j->stream, j);
    }
}

bool stream_add(struct stream *s, const struct sink *sink, uint8_t asks, struct pending *p) {
    if (!fan_video_add(s->fan, sink, asks, p)) return false;
    s->env->viewers++;
    if (s->vacancy && s->env->on_audience) s->env->on_audience(s, true);
    end_vacancy(s);
    return true;
}

unsigned stream_viewers(const struct stream *s) {
    return fan_video_viewers(s->fan);
}

static void sweep_lobby(struct lobby *l, int64_t now) {
    bool full = feed_failure(&l->stream->feed) == ENGINE_FULL;
    struct joiner *j, *next;
    DL_FOREACH_SAFE(l->joiners, j, next) {
        if (j->deadline_ms > now) continue;
        leave_lobby(l, j);
        give_up(j, full ? JOINER_TOO_MANY_VIDEOS : JOINER_STORE_AWAY);
    }
    if (l->load && l->load->state != LOAD_ASKING) {
        if (l->joiners)
            retry_load(l->load);
        else
            load_free(l->load);
    }
}

void stream_sweep(struct stream_env *env) {
    int64_t now = loop_now_ms(env->loop);
    struct lobby *l, *next;
    DL_FOREACH_SAFE(env->lobbies, l, next) {
        struct stream *s = l->stream;
        sweep_lobby(l, now);
        close_lobby_if_empty(s);
        serve_joiners(s);
    }
    history_budget_sweep(env->budget, now);
    history_budget_yield(env->budget, 0);
}
