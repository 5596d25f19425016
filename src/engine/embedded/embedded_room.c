#include "embedded_room.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "embedded_video.h"

enum { CHUNK = 64, EVICTED_AT_ONCE = 256 };

struct watched_video {
    int64_t until_ms; // monotonic
    UT_hash_handle hh;
    char name[];
};

static void room_forget(struct store *s, struct watched_video *w) {
    HASH_DEL(s->watched, w);
    free(w);
}

void room_watch(struct store *s, struct request *r) {
    const struct watch_request *asked = (const struct watch_request *)r;
    struct watched_video *w;
    HASH_FIND_STR(s->watched, asked->video, w);
    if (!asked->watched) {
        if (w) room_forget(s, w);
        return;
    }
    if (!w) {
        size_t len = strlen(asked->video);
        w = mem_zalloc(sizeof *w + len + 1);
        memcpy(w->name, asked->video, len + 1);
        HASH_ADD_KEYPTR(hh, s->watched, w->name, len, w);
    }
    w->until_ms = clock_monotonic_ms() + 3 * ENGINE_WATCH_AGAIN_MS;
    struct video *v = video_find(s, asked->video);
    if (v) video_mark_used(s, v);
}

void room_sweep(struct store *s) {
    int64_t now_ms = clock_monotonic_ms();
    struct watched_video *w, *next;
    HASH_ITER(hh, s->watched, w, next) {
        if (w->until_ms <= now_ms) room_forget(s, w);
    }
}

void room_release(struct store *s) {
    while (s->watched) room_forget(s, s->watched);
}

static bool room_is_watched(const struct store *s, const char *name) {
    const struct watched_video *w;
    HASH_FIND_STR(s->watched, name, w);
    return w && w->until_ms > clock_monotonic_ms();
}

static bool room_is_commented_now(struct store *s, const struct video *v) {
    if (!v->newest) return false;
    sqlite3_stmt *q = store_use(s, SQL_ENTRY_STEP);
    sqlite3_bind_int64(q, 1, v->newest);
    if (!store_row(s, q)) return false;
    bool expired = store_expired(s, sqlite3_column_int64(q, 1));
    store_end(q);
    return !expired;
}

struct candidate {
    char name[ENGINE_VIDEO_MAX + 1];
    int64_t used_ms;
};

static size_t room_read_candidates(struct store *s, enum statement which, struct candidate list[CHUNK]) {
    size_t count = 0;
    sqlite3_stmt *q = store_use(s, which);
    sqlite3_bind_int(q, 1, CHUNK);
    while (count < CHUNK && store_row(s, q)) {
        const char *name = store_text(s, q, 0);
        if (!name) break;
        snprintf(list[count].name, sizeof list[count].name, "%s", name);
        list[count++].used_ms = sqlite3_column_int64(q, 1);
    }
    store_end(q);
    return count;
}

static bool room_evict_from(struct store *s, enum statement which) {
    struct candidate list[CHUNK];
    int64_t start_ms = s->use_ms > s->passed_over_ms ? s->use_ms + 1 : s->passed_over_ms + 1;
    s->passed_over_ms = start_ms;
    for (int looked = 0; looked < ROOM_LOOKED_AT; looked += CHUNK) {
        size_t count = room_read_candidates(s, which, list);
        for (size_t i = 0; i < count; i++) {
            if (list[i].used_ms == start_ms) return false; // all have been looked at
            struct video *v = video_find(s, list[i].name);
            if (!v) return false;
            if (!room_is_watched(s, v->name) && !room_is_commented_now(s, v)) {
                video_drop(s, v);
                return !s->failure.code;
            }
            video_set_used(s, v, start_ms);
        }
        if (!count || s->failure.code) return false;
    }
    return false;
}

static bool room_make(struct store *s) {
    if (!s->config.limits.max_videos) return true;
    for (int i = 0; s->totals.videos >= s->config.limits.max_videos; i++) {
        if (i == EVICTED_AT_ONCE) return false;
        video_write_dirty(s); // the statements look at the table
        if (!room_evict_from(s, SQL_VIDEO_UNCOMMENTED) && !room_evict_from(s, SQL_VIDEO_OLDEST)) return false;
    }
    return true;
}

struct video *room_find_or_add(struct store *s, const char *name, enum engine_status *status) {
    struct video *v = video_find(s, name);
    if (v) return v;
    if (room_make(s)) return video_add(s, name);
    if (!s->failure.code) *status = ENGINE_FULL;
    return NULL;
}
