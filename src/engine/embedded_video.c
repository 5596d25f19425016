#include "engine/embedded_video.h"

#include <stdlib.h>

static struct video *remember(struct store *s, const char *name) {
    size_t len = strlen(name);
    struct video *v = mem_zalloc(sizeof *v + len + 1);
    memcpy(v->name, name, len + 1);
    HASH_ADD_KEYPTR(hh, s->videos, v->name, len, v);
    return v;
}

static void forget(struct store *s, struct video *v) {
    HASH_DEL(s->videos, v);
    free(v);
}

struct video *video_find(struct store *s, const char *name) {
    struct video *v;
    HASH_FIND_STR(s->videos, name, v);
    if (v) return v;
    sqlite3_stmt *q = store_use(s, SQL_VIDEO_FIND);
    store_bind_text(q, 1, name);
    if (!store_row(s, q)) return NULL;
    v = remember(s, name);
    v->id = sqlite3_column_int64(q, 0);
    v->at.epoch = (uint64_t)sqlite3_column_int64(q, 1);
    v->at.seq = (uint64_t)sqlite3_column_int64(q, 2);
    v->run = sqlite3_column_int64(q, 3);
    v->logged = sqlite3_column_int64(q, 4);
    v->used_ms = sqlite3_column_int64(q, 5);
    store_end(q);
    return v;
}

static bool is_full(const struct store *s) {
    uint64_t most = ((uint64_t)1 << VIDEO_ID_BITS) - 1;
    if (s->config.max_videos && s->config.max_videos < most) most = s->config.max_videos;
    return s->totals.videos >= most;
}

struct video *video_find_or_add(struct store *s, const char *name, enum engine_status *status) {
    struct video *v = video_find(s, name);
    if (v) return v;
    if (is_full(s)) {
        *status = ENGINE_FULL;
        return NULL;
    }
    bool reuse = s->totals.spare_rows > 0;
    sqlite3_stmt *q = store_use(s, reuse ? SQL_VIDEO_REUSE : SQL_VIDEO_ADD);
    store_bind_text(q, 1, name);
    sqlite3_bind_int64(q, 2, s->now_ms);
    if (!store_row(s, q)) {
        store_found_damage(s); // if it is not a failure already: the spare row was not there
        return NULL;
    }
    v = remember(s, name);
    v->id = sqlite3_column_int64(q, 0);
    v->used_ms = s->now_ms;
    store_end(q);
    s->totals.videos++;
    if (reuse) s->totals.spare_rows--;
    return v;
}

void video_changed(struct store *s, struct video *v) {
    if (v->dirty) return;
    store_will_write(s);
    v->dirty = true;
    v->next_dirty = s->dirty_videos;
    s->dirty_videos = v;
}

void video_mark_used(struct store *s, struct video *v) {
    int64_t age = s->now_ms - v->used_ms;
    if (s->read_only || (age >= 0 && age < s->config.keep_ms / 30)) return;
    sqlite3_stmt *q = store_use(s, SQL_VIDEO_USED);
    sqlite3_bind_int64(q, 1, v->id);
    sqlite3_bind_int64(q, 2, s->now_ms);
    if (store_run(s, q)) v->used_ms = s->now_ms;
}

void video_begin_epoch(struct store *s, struct video *v) {
    uint64_t wall = s->now_ms > 0 ? (uint64_t)s->now_ms : 1;
    v->at.epoch = wall > v->at.epoch ? wall : v->at.epoch + 1;
    v->at.seq = 0;
    v->run = s->run;
    video_changed(s, v);
}

void video_write_dirty(struct store *s) {
    for (struct video *v = s->dirty_videos; v; v = v->next_dirty) {
        sqlite3_stmt *q = store_use(s, SQL_VIDEO_WRITE);
        sqlite3_bind_int64(q, 1, v->id);
        sqlite3_bind_int64(q, 2, (int64_t)v->at.epoch);
        sqlite3_bind_int64(q, 3, (int64_t)v->at.seq);
        sqlite3_bind_int64(q, 4, v->run);
        sqlite3_bind_int64(q, 5, v->logged);
        store_run(s, q);
        v->dirty = false;
    }
    s->dirty_videos = NULL;
}

static void unmark_dirty(struct store *s, struct video *v) {
    struct video **place = &s->dirty_videos;
    while (*place && *place != v) place = &(*place)->next_dirty;
    if (*place) *place = v->next_dirty;
}

static bool run_with_id(struct store *s, enum statement which, const struct video *v) {
    sqlite3_stmt *q = store_use(s, which);
    sqlite3_bind_int64(q, 1, v->id);
    return store_run(s, q);
}

void video_drop(struct store *s, struct video *v) {
    if (!run_with_id(s, SQL_MAPPING_DROP, v)) return;
    s->totals.mappings -= (uint64_t)sqlite3_changes(s->db);
    // Also its tokens: the next video in this row must not meet them.
    if (!run_with_id(s, SQL_TOKEN_CLEAR, v) || !run_with_id(s, SQL_VIDEO_DROP, v)) return;
    s->totals.videos--;
    s->totals.spare_rows++;
    if (v->dirty) unmark_dirty(s, v);
    forget(s, v);
}

void video_forget_all(struct store *s) {
    struct video *v, *next;
    HASH_ITER(hh, s->videos, v, next) forget(s, v);
    s->dirty_videos = NULL;
}

void video_limit_memory(struct store *s) {
    if (HASH_COUNT(s->videos) > VIDEO_CACHED) video_forget_all(s);
}
