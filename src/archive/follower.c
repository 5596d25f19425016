#include "follower.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/uthash.h"
#include "engine/embedded.h"
#include "engine/engine.h"
#include "net/loop.h"

enum {
    PAGE = 256,
    AT_ONCE = 8,         // videos that are read or written
    TICK_MS = 100,       // between two turns of a video
    LIST_MS = 1000,      // between looks at the videos used last
    LIST_ALL_MS = 30000, // between looks at all
    UNLISTED_ROUNDS = 3, // one that is used while all are listed may be left out
    RETRY_MS = 1000
};

struct followed {
    struct follower *all;
    char *name;
    UT_hash_handle hh;
    struct followed *prev, *next; // in `waiting`
    struct engine_subscription *subscription;
    struct position at;        // archived up to there, or known to be lost
    struct position newest;    // in the log, as far as that is known
    bool is_known, asks_head;  // `at` has been read; the store is to be told of it
    bool waits, works, is_new; // in the list; a turn is under way; there is more since it began
    unsigned listed;           // the last round in which it was
};

struct follower {
    struct loop *loop;
    struct engine *redis, *own;
    struct followed *videos, *waiting;
    unsigned working, round;
    bool stopped, lists, lists_all, is_failing;
    int64_t next_list_ms, next_all_ms, retry_ms;
    struct loop_timer tick;
    struct follower_counts counts;
};

static void followed_read(struct followed *);

// Of an older epoch at least one.
static uint64_t followed_behind(const struct followed *v) {
    if (position_compare(v->newest, v->at) <= 0) return 0;
    return v->newest.epoch == v->at.epoch ? v->newest.seq - v->at.seq : v->newest.seq ? v->newest.seq : 1;
}

static void followed_move(struct followed *v, struct position at, struct position newest) {
    v->all->counts.behind -= followed_behind(v);
    v->at = position_max(v->at, at);
    v->newest = position_max(v->newest, newest);
    v->all->counts.behind += followed_behind(v);
}

static void followed_wait(struct followed *v) {
    v->is_new = true;
    if (v->waits || v->works || v->all->stopped) return;
    DL_APPEND(v->all->waiting, v);
    v->waits = true;
    v->all->counts.waiting++;
}

// Turns

static void followed_end_turn(struct followed *v) {
    v->works = false;
    v->all->working--;
    if (v->is_new) followed_wait(v);
}

static void followed_fail(struct followed *v, const char *what) {
    struct follower *f = v->all;
    if (!f->stopped && !f->is_failing) log_warn("archive", "failing", "what=%s videoid=%s", what, v->name);
    f->is_failing = true;
    f->retry_ms = loop_now_ms(f->loop) + RETRY_MS;
    f->counts.failures++;
    v->is_new = true;
    followed_end_turn(v);
}

static void followed_say_missed(struct followed *v, struct position from, struct position to,
                                int64_t missed) {
    char first[POSITION_TEXT_SIZE], last[POSITION_TEXT_SIZE];
    position_format(from, first);
    position_format(to, last);
    v->all->counts.gaps++;
    if (missed > 0) v->all->counts.missed += (uint64_t)missed;
    log_warn("archive", "missed", "videoid=%s from=%s to=%s missed=%lld", v->name, first, last,
             (long long)missed);
}

// An entry that is not the next one after what is archived.
static void followed_look(struct followed *v, struct position last, const struct engine_entry *e) {
    struct position from, to;
    int64_t missed = entry_missed(last, e, &from, &to);
    if (missed) followed_say_missed(v, from, to, missed);
}

struct copy {
    struct followed *video;
    struct position last;
    size_t count;
    bool more;
};

static void on_copied(void *arg, enum engine_status status, struct position newest) {
    struct copy done = *(struct copy *)arg;
    struct followed *v = done.video;
    (void)newest;
    free(arg);
    if (status != ENGINE_OK) {
        followed_fail(v, "write");
        return;
    }
    followed_move(v, done.last, done.last);
    v->all->counts.entries += done.count;
    if (v->all->is_failing) log_info("archive", "working", NULL);
    v->all->is_failing = false;
    if (done.more && !v->all->stopped)
        followed_read(v);
    else
        followed_end_turn(v);
}

static void followed_write(struct followed *v, const struct embedded_copied *what, bool more) {
    struct copy *copy = mem_alloc(sizeof *copy);
    *copy = (struct copy){.video = v, .last = what->entries[what->count - 1].at, .more = more};
    for (size_t i = 0; i < what->count; i++) copy->count += what->entries[i].kind != ENTRY_TOMBSTONE;
    embedded_copy(v->all->own, what, on_copied, copy);
}

static void followed_take(struct followed *v, const struct engine_replayed *page) {
    struct position last = v->at;
    for (size_t i = 0; i < page->range.count; i++) {
        followed_look(v, last, &page->range.entries[i]);
        last = page->range.entries[i].at;
    }
    followed_write(v,
                   &(struct embedded_copied){.video = v->name,
                                             .entries = page->range.entries,
                                             .at_ms = page->at_ms,
                                             .count = page->range.count},
                   page->range.more);
}

// All that was logged since then has expired. Archives the number of the last of it, without content: so a
// replay has a gap there even if nothing more comes, and it is not missed once again after a restart. The
// first of an epoch has its own position as prev, to be told from one that announces a loss.
static void followed_skip(struct followed *v, struct position head) {
    struct position from = {v->at.epoch, v->at.seq + 1};
    bool is_same = head.epoch == v->at.epoch;
    if (!is_same) from = (struct position){head.epoch, 1};
    if (head.seq < from.seq) {
        followed_move(v, head, head);
        followed_end_turn(v);
        return;
    }
    followed_say_missed(v, from, head, (int64_t)(head.seq - from.seq) + 1);
    struct engine_entry last = {.at = head, .kind = ENTRY_TOMBSTONE, .body = ""};
    if (head.seq == 1) last.prev = head;
    int64_t now_ms = clock_wall_ms();
    followed_write(
        v, &(struct embedded_copied){.video = v->name, .entries = &last, .at_ms = &now_ms, .count = 1},
        false);
}

static void on_read(void *arg, enum engine_status status, const struct engine_replayed *page) {
    struct followed *v = arg;
    if (status != ENGINE_OK || v->all->stopped) {
        followed_fail(v, "read");
        return;
    }
    followed_move(v, v->at, page->range.head);
    if (page->range.count)
        followed_take(v, page);
    else if (position_compare(page->range.head, v->at) > 0)
        followed_skip(v, page->range.head);
    else
        followed_end_turn(v);
}

static void followed_read(struct followed *v) {
    struct engine *redis = v->all->redis;
    redis->ops->replay(redis, &(struct engine_replay){.video = v->name, .after = v->at, .limit = PAGE},
                       on_read, v);
}

static void on_head(void *arg, enum engine_status status, const struct engine_head *head) {
    struct followed *v = arg;
    (void)head;
    if (status != ENGINE_OK || v->all->stopped) {
        v->asks_head = true;
        followed_fail(v, "read");
        return;
    }
    followed_read(v);
}

static void followed_go_on(struct followed *v) {
    struct engine *redis = v->all->redis;
    if (!v->asks_head || !position_is_set(v->at)) {
        followed_read(v);
        return;
    }
    v->asks_head = false;
    redis->ops->head(redis, v->name, v->at, on_head, v);
}

static void on_position(void *arg, enum engine_status status, struct position newest) {
    struct followed *v = arg;
    if (status != ENGINE_OK || v->all->stopped) {
        followed_fail(v, "write");
        return;
    }
    followed_move(v, newest, newest);
    v->is_known = true;
    followed_go_on(v);
}

static void followed_begin_turn(struct followed *v) {
    DL_DELETE(v->all->waiting, v);
    v->waits = v->is_new = false;
    v->works = true;
    v->all->counts.waiting--;
    v->all->working++;
    if (v->is_known)
        followed_go_on(v);
    else
        embedded_copy(v->all->own, &(struct embedded_copied){.video = v->name}, on_position, v);
}

// Subscriptions

static void on_followed_entry(void *arg, const struct engine_entry *e) {
    struct followed *v = arg;
    if (position_compare(e->at, v->at) <= 0) return;
    followed_move(v, v->at, e->at);
    followed_wait(v);
}

static void on_followed_subscribed(void *arg) {
    struct followed *v = arg;
    v->asks_head = true;
    followed_wait(v);
}

static struct position followed_position(void *arg) {
    return ((struct followed *)arg)->at;
}

static const struct engine_subscriber subscriber = {
    .on_entry = on_followed_entry, .on_subscribed = on_followed_subscribed, .position = followed_position};

static void follow(struct follower *f, const char *name) {
    struct followed *v;
    HASH_FIND_STR(f->videos, name, v);
    if (!v) {
        v = mem_zalloc(sizeof *v);
        v->all = f;
        v->name = mem_strdup(name);
        HASH_ADD_KEYPTR(hh, f->videos, v->name, strlen(v->name), v);
        f->counts.videos++;
        v->subscription = f->redis->ops->subscribe(f->redis, v->name, &subscriber, v);
    }
    v->listed = f->round;
}

static void followed_free(struct followed *v) {
    v->all->counts.behind -= followed_behind(v);
    HASH_DEL(v->all->videos, v);
    free(v->name);
    free(v);
}

static void drop_unlisted(struct follower *f) {
    struct followed *v, *next;
    HASH_ITER(hh, f->videos, v, next) {
        if (v->waits || v->works || f->round - v->listed < UNLISTED_ROUNDS) continue;
        f->redis->ops->unsubscribe(f->redis, v->subscription);
        f->counts.videos--;
        followed_free(v);
    }
}

// The list

static void on_list(void *arg, enum engine_status status, const struct engine_videos *page) {
    struct follower *f = arg;
    if (f->stopped) return;
    for (size_t i = 0; status == ENGINE_OK && i < page->count; i++) follow(f, page->names[i]);
    if (status == ENGINE_OK && page->next && f->lists_all) {
        f->redis->ops->videos(f->redis, page->next, on_list, f);
        return;
    }
    f->lists = false;
    f->next_list_ms = loop_now_ms(f->loop) + LIST_MS;
    if (status != ENGINE_OK || !f->lists_all) return;
    f->counts.has_listed = true;
    f->next_all_ms = loop_now_ms(f->loop) + LIST_ALL_MS;
    drop_unlisted(f);
    f->round++;
}

static void on_tick(struct loop_timer *t) {
    struct follower *f = container_of(t, struct follower, tick);
    int64_t now_ms = loop_now_ms(f->loop);
    loop_timer_start(f->loop, t, TICK_MS);
    if (!f->lists && now_ms >= f->next_list_ms) {
        f->lists = true;
        f->lists_all = now_ms >= f->next_all_ms;
        f->redis->ops->videos(f->redis, "", on_list, f);
    }
    if (f->is_failing && now_ms < f->retry_ms) return;
    while (f->waiting && f->working < AT_ONCE) followed_begin_turn(f->waiting);
}

// Life

struct follower *follower_new(struct loop *loop, struct engine *redis, struct engine *own) {
    struct follower *f = mem_zalloc(sizeof *f);
    f->loop = loop;
    f->redis = redis;
    f->own = own;
    f->tick.on_due = on_tick;
    loop_timer_start(loop, &f->tick, 0);
    return f;
}

const struct follower_counts *follower_counts(const struct follower *f) {
    return &f->counts;
}

void follower_stop(struct follower *f) {
    f->stopped = true;
    loop_timer_stop(f->loop, &f->tick);
}

void follower_free(struct follower *f) {
    struct followed *v, *next;
    HASH_ITER(hh, f->videos, v, next) followed_free(v);
    free(f);
}
