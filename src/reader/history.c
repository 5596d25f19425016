#include "reader/history.h"

#include <stdlib.h>

#include "base/uthash.h"
#include "base/budget.h"
#include "fanout/removal.h"
#include "fanout/replay.h"

// Bytes that frames and runs use besides the events: slots in the ring, and the overhead of malloc.
enum { FRAME_COST = sizeof(struct frame) + 32, RUN_COST = 256 };

enum {
    FRAMES_PER_TURN = 8192,
    RUN_EFFORT = 8
}; // freed; RUN_EFFORT: frames that take as long to free as the run itself

struct history_run {
    struct history *history;
    struct history_budget *budget;
    struct ring ring;
    struct replay *replay; // all frames of the ring; NULL: not made since the last one came
    struct position from;
    int64_t warm_until_ms; // a viewer has reconnected lately
    int64_t touched_ms;    // by a frame, or a viewer that reconnected
    // The log keeps what comes after `checked_from`: all of the newest `checked_comments` at `checked_ms`.
    struct position checked_from;
    int64_t checked_ms;
    uint32_t checked_comments;
    struct history_run *prev, *next; // in budget->runs
};

static uint64_t run_frames(const struct history_run *r) {
    return r->ring.next - r->ring.first;
}

static size_t run_cost(const struct history_run *r) {
    return RUN_COST + r->ring.bytes + run_frames(r) * FRAME_COST;
}

static void run_free(struct history_budget *b, struct history_run *r) {
    r->history->run = NULL;
    b->bytes -= run_cost(r);
    DL_DELETE(b->runs, r);
    replay_unref(r->replay);
    ring_release(&r->ring);
    free(r);
}

// Frees runs until there is room, or only `but` is left.
static void history_make_room(struct history_budget *b, size_t bytes, const struct history_run *but) {
    struct history_run *r, *next;
    DL_FOREACH_SAFE(b->runs, r, next) {
        if (r == but || b->bytes + bytes <= b->max) return;
        run_free(b, r);
    }
}

static uint64_t run_effort(const struct history_run *r) {
    return run_frames(r) + RUN_EFFORT;
}

void history_budget_sweep(struct history_budget *b, int64_t now_ms) {
    uint64_t done = 0;
    struct history_run *r, *next;
    DL_FOREACH_SAFE(b->runs, r, next) {
        if (done >= FRAMES_PER_TURN || now_ms - r->touched_ms <= HISTORY_COLD_MS) return;
        done += run_effort(r);
        run_free(b, r);
    }
}

void history_budget_yield(struct history_budget *b, size_t backlog_bytes) {
    uint64_t done = 0;
    struct history_run *r, *next;
    DL_FOREACH_SAFE(b->runs, r, next) {
        if (done >= FRAMES_PER_TURN) return;
        if (budget_has_cache_room() && budget_backlog_room() >= backlog_bytes) return;
        done += run_effort(r);
        run_free(b, r);
    }
}

void history_release(struct history *h) {
    if (h->run) run_free(h->run->budget, h->run);
}

static void run_touch(struct history_run *r, int64_t now_ms) {
    struct history_budget *b = r->budget;
    r->touched_ms = now_ms;
    DL_DELETE(b->runs, r);
    DL_APPEND(b->runs, r);
}

static void run_begin(struct history *h, struct history_budget *b, struct position from, int64_t now_ms) {
    history_make_room(b, RUN_COST, NULL);
    struct history_run *r = mem_zalloc(sizeof *r);
    r->history = h;
    r->budget = b;
    r->from = from;
    r->touched_ms = now_ms;
    DL_APPEND(b->runs, r);
    b->bytes += RUN_COST;
    h->run = r;
}

void history_reset(struct history *h, struct history_budget *b, struct position from, int64_t now_ms) {
    history_release(h);
    if (RUN_COST > b->max) return;
    run_begin(h, b, from, now_ms);
    history_use(h, now_ms);
}

// The run then starts at the position of the last frame dropped.
static void run_drop_oldest(struct history_run *r, uint64_t count) {
    struct history_budget *b = r->budget;
    uint64_t keep = r->ring.first + count;
    for (uint64_t n = r->ring.first; n < keep; n++)
        if (position_is_set(ring_at(&r->ring, n)->at)) r->from = ring_at(&r->ring, n)->at;
    b->bytes -= run_cost(r);
    ring_drop_before(&r->ring, keep);
    b->bytes += run_cost(r);
}

// Makes room for one more frame within the video's own bounds.
static void run_bound(struct history_run *r, const struct frame *f, int64_t now_ms) {
    uint64_t most = now_ms < r->warm_until_ms ? HISTORY_FRAMES : HISTORY_RESTING_FRAMES, count = 0;
    size_t bytes = r->ring.bytes + f->len;
    for (; count < run_frames(r) && (run_frames(r) - count >= most || bytes > HISTORY_BYTES); count++)
        bytes -= ring_at(&r->ring, r->ring.first + count)->len;
    if (count) run_drop_oldest(r, count);
}

// Removes what a frame takes out of those before it. The replay of the run has been given up.
static void run_remove(struct history_run *r, const struct frame *by) {
    struct removal what = removal_of(by);
    r->budget->bytes -= run_cost(r);
    removal_from_ring(&what, &r->ring, r->ring.first, r->ring.next);
    r->budget->bytes += run_cost(r);
}

void history_push(struct history *h, struct history_budget *b, struct position from, struct frame *f,
                  int64_t now_ms) {
    size_t cost = FRAME_COST + f->len;
    if (RUN_COST + cost > b->max || !budget_has_cache_room()) {
        history_release(h);
        return;
    }
    if (!h->run) run_begin(h, b, from, now_ms);
    struct history_run *r = h->run;
    replay_unref(r->replay);
    r->replay = NULL;
    run_touch(r, now_ms);
    if (f->removes) run_remove(r, f);
    run_bound(r, f, now_ms);
    history_make_room(b, cost, r);
    while (b->bytes + cost > b->max) run_drop_oldest(r, 1); // the other runs have been freed by now
    ring_push(&r->ring, frame_ref(f));
    b->bytes += cost;
}

struct position history_from(const struct history *h) {
    return h->run ? h->run->from : (struct position){0};
}

// Finds the frame at this position; *first is the one after it. Positions go up, but a frame may have none.
static bool run_find(const struct ring *r, struct position at, uint64_t *first) {
    for (uint64_t low = r->first, high = r->next; low < high;) {
        uint64_t middle = low + (high - low) / 2, n = middle;
        while (n > low && !position_is_set(ring_at(r, n)->at)) n--;
        int order = position_compare(ring_at(r, n)->at, at); // also less if no frame up to the middle has one
        *first = n + 1;
        if (order == 0) return true;
        if (order < 0)
            low = middle + 1;
        else
            high = n;
    }
    return false;
}

bool history_covers(const struct history *h, struct position at, uint64_t *first) {
    if (!h->run) return false;
    const struct ring *r = &h->run->ring;
    *first = r->first;
    if (position_compare(at, h->run->from) == 0) return true;
    return position_is_set(at) && run_find(r, at, first);
}

uint64_t history_end(const struct history *h) {
    return h->run ? h->run->ring.next : 0;
}

struct frame *history_at(const struct history *h, uint64_t n) {
    return ring_at(&h->run->ring, n);
}

struct replay *history_replay(struct history *h, uint64_t n, uint32_t *at) {
    struct history_run *run = h->run;
    const struct ring *r = &run->ring;
    *at = (uint32_t)(n - r->first);
    if (run->replay) return run->replay;
    run->replay = replay_new((uint32_t)run_frames(run));
    for (uint64_t i = r->first; i < r->next; i++) replay_add(run->replay, frame_ref(ring_at(r, i)));
    return run->replay;
}

void history_checked(struct history *h, struct position from, uint32_t comments, int64_t now_ms) {
    if (!h->run || position_compare(h->run->from, from) > 0) return;
    uint64_t first;
    if (!history_covers(h, from, &first)) return;
    h->run->checked_from = from;
    h->run->checked_comments = comments;
    h->run->checked_ms = now_ms;
}

// Returns a viewer's position before frame n.
static struct position run_before(const struct history_run *r, uint64_t n) {
    while (n-- > r->ring.first)
        if (position_is_set(ring_at(&r->ring, n)->at)) return ring_at(&r->ring, n)->at;
    return r->from;
}

bool history_newest(const struct history *h, uint32_t comments, int64_t now_ms, struct position *from,
                    uint64_t *first) {
    const struct history_run *r = h->run;
    if (!r || !position_is_set(r->checked_from) || now_ms - r->checked_ms > HISTORY_CHECKED_MS) return false;
    uint32_t found = 0;
    uint64_t n = r->ring.next;
    *first = n;
    for (; n > r->ring.first && found < comments; n--) {
        const struct frame *f = ring_at(&r->ring, n - 1);
        if (position_compare(f->at, r->checked_from) <= 0) break;
        if (!frame_is_plain(f)) continue;
        found++;
        *first = n - 1;
    }
    *from = run_before(r, *first);
    return found == comments ||
           (comments <= r->checked_comments && position_compare(r->from, r->checked_from) <= 0);
}

void history_use(struct history *h, int64_t now_ms) {
    if (!h->run) return;
    h->run->warm_until_ms = now_ms + HISTORY_WARM_MS;
    run_touch(h->run, now_ms);
}
