#include "backfill.h"

#include <stdlib.h>

#include "base/budget.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "base/uthash.h"
#include "continuity.h"
#include "engine/engine.h"
#include "fanout/fanout.h"
#include "fanout/frame.h"
#include "fanout/pending.h"
#include "fanout/removal.h"
#include "fanout/replay.h"
#include "feed.h"
#include "reader/history.h"

enum {
    BACKFILL_BATCH = 200, // entries per query
    BACKFILLS_MAX = 4,    // a comment may have to wait in Redis behind all of them
    BACKFILL_FRAMES = 16,
    ENTRY_MAX = 5120, // bytes of an entry: a comment of 2,000 bytes, all of them escaped, and its members
    ENTRY_COST = 2 * ENTRY_MAX, // once in the engine's answer, once as a frame
    ROOM_AGAIN_MS = 25
};

struct backfill {
    struct backfills *all;
    struct feed *feed; // NULL: abandoned
    const struct history *history;
    void *arg;
    enum { BACKFILL_IN_LINE, BACKFILL_WITHOUT_ROOM, BACKFILL_READING } state;
    struct position from, at;
    struct position lost;    // entries up to here were read and dropped again for lack of room
    struct position feed_at; // the feed's position when the query was sent
    uint32_t comments;       // asked for; 0: what comes after `from`
    uint32_t found, passed;  // going backwards: comments, other entries
    struct position before;  // going backwards: the next query; not set: going forwards
    bool whole;              // the log keeps no more comments
    int64_t overdue_ms;
    size_t reserved, bytes; // for the next answer; of the frames
    struct pending *frames;
    struct replay *replay;        // the same, for viewers to share; NULL: there was none yet
    struct backfill *prev, *next; // in all->line, or in all->running
};

struct frame *gap_without_room(struct position at, struct position to) {
    return frame_of_gap((struct position){at.epoch, at.seq + 1}, to, GAP_SLOW);
}

// Frames

uint32_t backfill_frames(const struct backfill *fill) {
    return fill->frames->count - fill->frames->next;
}

// The log may have been read before it, by an answer that arrives after it.
static void backfill_remove(struct backfill *fill, const struct frame *by) {
    struct removal what = removal_of(by);
    struct frame **frames = fill->frames->frames + fill->frames->next;
    uint32_t count = backfill_frames(fill);
    for (uint32_t i = 0; i < count; i++) fill->bytes -= frames[i]->len;
    removal_from_frames(&what, frames, count);
    for (uint32_t i = 0; i < count; i++) fill->bytes += frames[i]->len;
}

static void backfill_emit(void *arg, struct frame *f) {
    struct backfill *fill = arg;
    if (f->removes) backfill_remove(fill, f);
    fill->frames = pending_add(fill->frames, f);
    fill->bytes += f->len;
}

struct frame *backfill_frame(const struct backfill *fill, uint32_t i) {
    return fill->frames->frames[fill->frames->next + i];
}

struct position backfill_from(const struct backfill *fill) {
    return fill->from;
}

struct position backfill_kept_from(const struct backfill *fill) {
    return position_is_set(fill->lost) ? fill->lost : fill->from;
}

static struct replay *backfill_replay(struct backfill *fill) {
    uint32_t count = backfill_frames(fill);
    if (fill->replay) return fill->replay;
    fill->replay = replay_new(count);
    for (uint32_t i = 0; i < count; i++) replay_add(fill->replay, frame_ref(backfill_frame(fill, i)));
    return fill->replay;
}

struct pending *backfill_pending(struct backfill *fill) {
    struct pending *p = pending_new(1);
    if (position_is_set(fill->lost)) p = pending_add(p, gap_without_room(fill->from, fill->lost));
    pending_add_replay(p, replay_ref(backfill_replay(fill)), 0);
    return p;
}

uint32_t backfill_comments(const struct backfill *fill) {
    return fill->whole && !position_is_set(fill->lost) ? UINT32_MAX : fill->comments;
}

struct pending *backfill_newest(struct backfill *fill, uint32_t comments, struct position *from) {
    uint32_t i = backfill_frames(fill);
    while (i && comments) comments -= frame_is_plain(backfill_frame(fill, --i));
    *from = i ? backfill_frame(fill, i - 1)->at : backfill_kept_from(fill);
    struct pending *p = pending_new(0);
    pending_add_replay(p, replay_ref(backfill_replay(fill)), i);
    return p;
}

// Drops the older half of the frames.
static void backfill_drop_older(struct backfill *fill) {
    struct pending *p = fill->frames;
    for (uint32_t left = backfill_frames(fill) / 2; backfill_frames(fill) > left; p->next++) {
        struct frame *f = p->frames[p->next];
        if (position_is_set(f->at)) fill->lost = f->at;
        fill->bytes -= f->len;
        frame_unref(f);
    }
}

// The log may be ahead of the feed: drops the entries that the feed will publish. Returns whether the rest
// ends at the feed's position.
static bool backfill_cut_to(struct backfill *fill, struct position to) {
    struct pending *p = fill->frames;
    while (backfill_frames(fill) && position_compare(p->frames[p->count - 1]->at, to) > 0) {
        fill->bytes -= p->frames[--p->count]->len;
        frame_unref(p->frames[p->count]);
    }
    fill->at = backfill_frames(fill) ? p->frames[p->count - 1]->at : backfill_kept_from(fill);
    return position_compare(fill->at, to) == 0;
}

// Appends the frames of the history, up to the feed's position. Returns false if it does not cover them.
static bool backfill_from_history(struct backfill *fill) {
    const struct history *h = fill->history;
    uint64_t first, end = history_end(h);
    if (!history_covers(h, fill->at, &first)) return false;
    for (uint64_t n = first; n < end; n++) backfill_emit(fill, frame_ref(history_at(h, n)));
    fill->at = feed_position(fill->feed);
    return true;
}

// Memory

static bool backfill_is_overdue(const struct backfill *fill) {
    return fill->overdue_ms <= loop_now_ms(fill->all->loop);
}

// A backfill's share of memory, beyond which it drops its oldest frames. This much is kept for the first
// backfill, so that they cannot all wait for each other.
static size_t backfill_share(void) {
    return budget_max() / 4;
}

static size_t backfill_kept(const struct backfill *fill) {
    return fill == fill->all->running ? 0 : backfill_share();
}

static size_t backfill_room(const struct backfill *fill) {
    size_t room = budget_backlog_room(), kept = backfill_kept(fill);
    return room > kept ? room - kept : 0;
}

// Reserves memory for the next answer, of at most this many entries. Returns their number, 0 if there is no
// room.
static size_t backfill_reserve(struct backfill *fill, size_t most) {
    history_budget_yield(fill->all->budget, backfill_kept(fill) + backfill_share() / 2);
    for (;;) {
        size_t entries = (backfill_room(fill) / ENTRY_COST + 1) / 2; // leaves some to the others
        if (entries > most) entries = most;
        fill->reserved = entries * ENTRY_COST;
        budget_take(fill->reserved);
        if (entries) return entries;
        if (!backfill_frames(fill) || (!backfill_is_overdue(fill) && fill->bytes < backfill_share())) break;
        backfill_drop_older(fill);
    }
    fanout_relieve(fill->all->fanout);
    return 0;
}

// Reading

static void on_backfill_range(void *, enum engine_status, const struct engine_range *);
static void on_backfill_before(void *, enum engine_status, const struct engine_range *);

// Going backwards: nothing has been read yet.
static bool backfill_begins(const struct backfill *fill) {
    return !fill->found && !fill->passed;
}

// What comes after the feed's position is the feed's to bring, which may have moved on while this waited.
static void backfill_begin_newest(struct backfill *fill) {
    fill->from = fill->at = feed_position(fill->feed);
    fill->before = (struct position){fill->at.epoch, fill->at.seq + 1};
}

// Returns how many entries the next query may bring: at first as many as comments are wanted.
static size_t backfill_batch(const struct backfill *fill) {
    bool begins = position_is_set(fill->before) && backfill_begins(fill);
    return begins && fill->comments < BACKFILL_BATCH ? fill->comments : BACKFILL_BATCH;
}

static void backfill_read(struct backfill *fill) {
    struct backfills *all = fill->all;
    const struct engine_ops *ops = all->engine->ops;
    size_t entries = backfill_reserve(fill, backfill_batch(fill));
    fill->state = entries ? BACKFILL_READING : BACKFILL_WITHOUT_ROOM;
    if (!entries) {
        if (!all->room.slot) loop_timer_start(all->loop, &all->room, ROOM_AGAIN_MS);
        return;
    }
    fill->feed_at = feed_position(fill->feed);
    if (position_is_set(fill->before) && backfill_begins(fill)) backfill_begin_newest(fill);
    if (position_is_set(fill->before))
        ops->range_before(all->engine, fill->feed->video, fill->before, entries, on_backfill_before, fill);
    else
        ops->range(all->engine, fill->feed->video, fill->at, entries, on_backfill_range, fill);
}

static void backfills_serve_line(struct backfills *all) {
    while (all->line && all->running_count < BACKFILLS_MAX) {
        struct backfill *fill = all->line;
        DL_DELETE(all->line, fill);
        DL_APPEND(all->running, fill);
        all->running_count++;
        backfill_read(fill);
    }
}

static struct backfill *backfill_add(struct backfills *all, struct backfill asked) {
    struct backfill *fill = mem_alloc(sizeof *fill);
    *fill = asked;
    budget_take(sizeof *fill);
    fill->all = all;
    fill->at = fill->from;
    fill->frames = pending_new(BACKFILL_FRAMES);
    DL_APPEND(all->line, fill);
    backfills_serve_line(all);
    return fill;
}

struct backfill *backfill_start(struct backfills *all, struct feed *feed, const struct history *history,
                                void *arg, struct position from, int64_t overdue_ms) {
    return backfill_add(
        all, (struct backfill){
                 .feed = feed, .history = history, .arg = arg, .from = from, .overdue_ms = overdue_ms});
}

struct backfill *backfill_start_newest(struct backfills *all, struct feed *feed,
                                       const struct history *history, void *arg, uint32_t comments,
                                       int64_t overdue_ms) {
    struct position at = feed_position(feed); // what comes after it is the feed's to bring
    return backfill_add(all, (struct backfill){.feed = feed,
                                               .history = history,
                                               .arg = arg,
                                               .from = at,
                                               .before = {at.epoch, at.seq + 1},
                                               .comments = comments,
                                               .overdue_ms = overdue_ms});
}

enum reach { REACHED, READ_ON, TRY_LATER };

// Makes the frames end exactly at the feed's position.
static enum reach backfill_reach_feed(struct backfill *fill) {
    struct position feed_at = feed_position(fill->feed);
    if (position_compare(fill->at, feed_at) > 0) return backfill_cut_to(fill, feed_at) ? REACHED : TRY_LATER;
    if (position_compare(fill->at, feed_at) == 0 || backfill_from_history(fill)) return REACHED;
    if (position_compare(fill->at, fill->feed_at) >= 0) return READ_ON; // the log has more by now
    continuity_end(&fill->at, feed_at, backfill_emit, fill); // the store has lost what the feed has seen
    return REACHED;
}

static void backfill_end(struct backfill *fill, enum backfill_outcome outcome) {
    fill->all->on_end(fill->arg, fill, outcome);
}

// Takes an answer. Returns whether it is to be used.
static bool backfill_take_answer(struct backfill *fill, enum engine_status status) {
    if (fill->feed && status == ENGINE_OK) return true;
    budget_give_back(fill->reserved);
    if (fill->feed)
        backfill_end(fill, BACKFILL_FAILED);
    else
        backfill_free(fill);
    return false;
}

static void backfill_try_later(struct backfill *fill) {
    feed_check(fill->feed);
    backfill_end(fill, BACKFILL_FAILED);
}

static void backfill_continue(struct backfill *fill, bool more) {
    switch (more ? READ_ON : backfill_reach_feed(fill)) {
    case REACHED: backfill_end(fill, BACKFILL_REACHED); break;
    case READ_ON: backfill_read(fill); break;
    case TRY_LATER: backfill_try_later(fill); break;
    }
}

// The store has lost what the feed has seen, and what the viewer has, but not to the same number: what the
// feed still has may be what the viewer has had. Or the log goes on below the feed, which will show that,
// too. Only after the feed's answer is it clear where the viewer goes on.
static bool backfill_knows_more(const struct backfill *fill, const struct engine_range *r) {
    if (r->more || !position_is_set(r->head) || position_compare(r->head, feed_position(fill->feed)) >= 0)
        return false;
    return position_compare(r->head, fill->at) < 0 || feed_has_left_out(fill->feed, r->head);
}

static void on_backfill_range(void *arg, enum engine_status status, const struct engine_range *r) {
    struct backfill *fill = arg;
    if (!backfill_take_answer(fill, status)) return;
    // The first of the newest comments may have expired since they were found: no gap to viewers that arrive.
    if (fill->comments && r->count && !backfill_frames(fill) &&
        continuity_of(fill->at, r->entries) == CONTINUITY_HOLE)
        fill->from = fill->at = continuity_before(r->entries);
    continuity_walk(&fill->at, r->entries, r->count, backfill_emit, fill);
    budget_give_back(fill->reserved);
    if (backfill_knows_more(fill, r)) {
        backfill_try_later(fill);
        return;
    }
    if (!r->more) continuity_end(&fill->at, r->head, backfill_emit, fill);
    // What others have just read is not read again.
    backfill_continue(fill, r->more && !backfill_from_history(fill));
}

// Goes back over entries until it has found enough comments. Returns the first one of those.
static const struct engine_entry *backfill_go_back(struct backfill *fill, const struct engine_range *r) {
    const struct engine_entry *first = r->entries + r->count;
    for (const struct engine_entry *e = first; e > r->entries && fill->found < fill->comments;) {
        bool is_comment = (--e)->kind == ENTRY_COMMENT;
        fill->found += is_comment;
        fill->passed += !is_comment;
        if (is_comment) first = e;
    }
    return first;
}

static void on_backfill_before(void *arg, enum engine_status status, const struct engine_range *r) {
    struct backfill *fill = arg;
    if (!backfill_take_answer(fill, status)) return;
    bool begins = backfill_begins(fill);
    const struct engine_entry *end = r->entries + r->count, *first = backfill_go_back(fill, r);
    bool may_pass = fill->passed < fill->comments + BACKFILL_BATCH; // entries that are no comments
    bool goes_back = r->more && r->count && fill->found < fill->comments && may_pass;
    bool here = begins && !goes_back; // this answer has all of them
    if (first < end) fill->from = fill->at = continuity_before(first);
    fill->before = goes_back ? r->entries->at : (struct position){0};
    fill->whole = !r->more && (fill->found < fill->comments || first == r->entries);
    if (here) continuity_walk(&fill->at, first, (size_t)(end - first), backfill_emit, fill);
    budget_give_back(fill->reserved);
    backfill_continue(fill, !here);
}

bool backfill_is_reading(const struct backfill *fill) {
    return fill->state == BACKFILL_READING;
}

void backfill_retry(struct backfill *fill) {
    if (fill->state == BACKFILL_WITHOUT_ROOM) backfill_read(fill);
    if (fill->state == BACKFILL_READING || !backfill_is_overdue(fill) || backfill_room(fill) >= ENTRY_COST)
        return;
    backfill_end(fill, BACKFILL_NO_ROOM);
}

static void on_room_due(struct loop_timer *t) {
    struct backfills *all = container_of(t, struct backfills, room);
    struct backfill *fill;
    DL_FOREACH(all->running, fill) {
        if (fill->state == BACKFILL_WITHOUT_ROOM) backfill_read(fill);
    }
}

// Life

void backfills_init(struct backfills *all) {
    all->room.on_due = on_room_due;
}

void backfill_abandon(struct backfill *fill) {
    fill->feed = NULL;
    if (fill->state != BACKFILL_READING) backfill_free(fill); // otherwise the answer frees it
}

void backfill_free(struct backfill *fill) {
    struct backfills *all = fill->all;
    if (fill->state == BACKFILL_IN_LINE) {
        DL_DELETE(all->line, fill);
    } else {
        DL_DELETE(all->running, fill);
        all->running_count--;
    }
    if (!all->running) loop_timer_stop(all->loop, &all->room);
    pending_free(fill->frames);
    replay_unref(fill->replay);
    budget_give_back(sizeof *fill);
    free(fill);
    backfills_serve_line(all);
}
