#include "watched.h"

#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/container_of.h"
#include "base/uthash.h"
#include "engine/engine.h"
#include "placement/reader_set.h"
#include "ledgers.h"
#include "reader_core.h"

enum {
    NOTES_SHARE = 40, // per sweep
    NOTES_MIN = 2048,
    CLOSED_AT_ONCE = 256,
    CLOSED_FOR_ROOM = 16, // per connect request
    VIDEO_ELSEWHERE = 192 // bytes
};

static struct watched *watched_of(struct name_entry *e) {
    return e ? container_of(e, struct watched, entry) : NULL;
}

struct watched *watched_find(const struct reader *r, const char *video) {
    return watched_of(name_table_find(&r->videos, video));
}

struct watched *watched_named(const struct reader *r, const char *name, size_t len) {
    char video[ENGINE_VIDEO_MAX + 1];
    if (len > ENGINE_VIDEO_MAX) return NULL;
    memcpy(video, name, len);
    video[len] = 0;
    return watched_find(r, video);
}

// Includes what the engine, the fan-out and the idle entry hold for it.
static size_t video_cost(const struct watched *w, const char *video) {
    return sizeof *w + strlen(video) + 1 + VIDEO_ELSEWHERE;
}

struct watched *watched_open(struct reader *r, const char *video) {
    struct watched *w = watched_find(r, video);
    if (w) return w;
    w = mem_zalloc(sizeof *w + strlen(video) + 1);
    budget_take(video_cost(w, video));
    memcpy(w->video, video, strlen(video) + 1);
    w->entry.name = w->video;
    name_table_add(&r->videos, &w->entry);
    w->ledger = ledgers_open(r->ledgers, video);
    broadcast_open(&w->broadcast, &r->env, w->video, w->ledger);
    log_debug(r->service.instance_id, "subscribed", "video=%s", video);
    return w;
}

static void watched_note(struct reader *r, struct watched *w, bool watched) {
    r->service.engine->ops->watch(r->service.engine, (const char *const[]){w->video}, 1, watched);
}

// Returns whether the engine has it recorded as watched.
static bool watched_is_noted(const struct watched *w) {
    return !w->broadcast.idle;
}

// When a reader stops, its viewers reconnect elsewhere: their videos stay watched.
void watched_on_audience(struct broadcast *b, bool watched) {
    struct reader *r = container_of(b->env, struct reader, env);
    if (watched || !r->stopping) watched_note(r, container_of(b, struct watched, broadcast), watched);
}

// Records expire, because a reader may be killed. So the reader walks over its videos repeatedly, some in
// each sweep. A video that a growing table moves behind the walk waits for the next walk.
static void watched_repeat_notes(struct reader *r) {
    int64_t now_ms = loop_now_ms(r->service.loop);
    size_t most = r->videos.count / NOTES_SHARE + NOTES_MIN;
    if (!r->next_noted && now_ms >= r->repeat_notes_ms) {
        r->repeat_notes_ms = now_ms + ENGINE_WATCH_AGAIN_MS;
        r->next_noted = watched_next(r, NULL);
    }
    while (most && r->next_noted) {
        const char *videos[ENGINE_WATCH_MAX];
        size_t count = 0;
        for (; most && count < ENGINE_WATCH_MAX && r->next_noted; most--) {
            if (watched_is_noted(r->next_noted)) videos[count++] = r->next_noted->video;
            r->next_noted = watched_next(r, r->next_noted);
        }
        if (count) r->service.engine->ops->watch(r->service.engine, videos, count, true);
    }
}

void watched_close(struct reader *r, struct watched *w) {
    if (watched_is_noted(w) && !r->stopping) watched_note(r, w, false);
    if (w == r->next_noted) r->next_noted = watched_next(r, w);
    if (w == r->next_ledger) r->next_ledger = watched_next(r, w);
    r->on_close(r, w);
    ledgers_close(r->ledgers, w->video, w->ledger, broadcast_viewers(&w->broadcast) > 0);
    name_table_remove(&r->videos, &w->entry);
    broadcast_close(&w->broadcast);
    free(w->alias_url);
    budget_give_back(video_cost(w, w->video));
    free(w);
}

struct watched *watched_next(const struct reader *r, const struct watched *w) {
    return watched_of(name_table_next(&r->videos, w ? &w->entry : NULL));
}

bool reader_owns_url(const struct reader *r, const struct watched *w, const char *reader_url) {
    if (!reader_lease_is_anothers(r->lease_state) && !strcmp(reader_url, r->config.reader_url)) return true;
    return w && w->alias_url && !strcmp(reader_url, w->alias_url);
}

bool reader_is_member(const struct reader *r, const struct reader_set *set) {
    return !reader_lease_is_anothers(r->lease_state) && reader_set_has(set, r->config.reader_url);
}

void watched_note_set(const struct reader *r, struct watched *w, const struct reader_set *set) {
    w->in_set = reader_is_member(r, set);
    w->was_in_set |= w->in_set;
}

void watched_set_alias(const struct reader *r, struct watched *w, const char *reader_url) {
    if (reader_owns_url(r, w, reader_url)) return;
    free(w->alias_url);
    w->alias_url = mem_strdup(reader_url);
}

void watched_sweep(struct reader *r) {
    watched_repeat_notes(r);
    broadcast_sweep(&r->env);
}

// Closes the video that has been idle longest, if that is at least for_ms.
static bool watched_close_one_idle(struct reader *r, int64_t for_ms) {
    struct broadcast *b = broadcast_idle_for(&r->env, for_ms);
    if (!b) return false;
    struct watched *w = container_of(b, struct watched, broadcast);
    log_debug(r->service.instance_id, "unsubscribed", "video=%s", w->video);
    watched_close(r, w);
    return true;
}

bool watched_close_idle(struct reader *r) {
    for (int left = CLOSED_AT_ONCE; left; left--)
        if (!watched_close_one_idle(r, budget_has_room() ? r->config.unsubscribe_ms : 0)) return false;
    return true;
}

void watched_yield(struct reader *r) {
    for (int left = CLOSED_FOR_ROOM; left && budget_is_short(); left--)
        if (!watched_close_one_idle(r, 0)) return;
}
