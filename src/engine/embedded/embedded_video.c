#include "embedded_video.h"

#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/mem.h"
#include "embedded_epoch.h"

enum { CROWDED_MS = 1000, FORGOTTEN_AT_ONCE = 2048, SMALLEST = 64 };

static struct video **video_list(const struct store *s, int64_t id) {
    return &s->videos_by_id[(size_t)id & (s->videos_by_id_room - 1)];
}

static void video_grow_lists(struct store *s) {
    size_t before = s->videos_by_id_room;
    struct video **lists = s->videos_by_id;
    s->videos_by_id_room = before ? before * 2 : SMALLEST;
    s->videos_by_id = mem_zalloc(s->videos_by_id_room * sizeof(struct video *));
    for (size_t i = 0; i < before; i++) {
        for (struct video *v = lists[i], *next; v; v = next) {
            next = v->next_by_id;
            LL_PREPEND2(*video_list(s, v->id), v, next_by_id);
        }
    }
    free(lists);
}

static struct video *video_remember(struct store *s, const char *name, int64_t id) {
    size_t len = strlen(name);
    struct video *v = mem_zalloc(sizeof *v + len + 1);
    memcpy(v->name, name, len + 1);
    v->id = id;
    v->entry.name = v->name;
    if (s->videos.count == s->videos_by_id_room) video_grow_lists(s);
    name_table_add(&s->videos, &v->entry);
    LL_PREPEND2(*video_list(s, id), v, next_by_id);
    return v;
}

static void video_forget(struct store *s, struct video *v) {
    s->index_rows -= v->index.room;
    free(v->index.rows);
    free(v->gate);
    LL_DELETE2(*video_list(s, v->id), v, next_by_id);
    name_table_remove(&s->videos, &v->entry);
    free(v);
}

struct video *video_find(struct store *s, const char *name) {
    struct name_entry *e = name_table_find(&s->videos, name);
    if (e) return container_of(e, struct video, entry);
    sqlite3_stmt *q = store_use(s, SQL_VIDEO_FIND);
    store_bind_text(q, 1, name);
    if (!store_row(s, q)) return NULL;
    struct video *v = video_remember(s, name, sqlite3_column_int64(q, 0));
    v->at.epoch = (uint64_t)sqlite3_column_int64(q, 1);
    v->at.seq = (uint64_t)sqlite3_column_int64(q, 2);
    v->of_this_run = sqlite3_column_int64(q, 3) == s->run;
    v->logged = sqlite3_column_int64(q, 4);
    v->newest = sqlite3_column_int64(q, 5);
    v->used_ms = sqlite3_column_int64(q, 6);
    v->bytes = sqlite3_column_int64(q, 7);
    store_end(q);
    bool is_sound = v->at.epoch <= INT64_MAX && v->at.seq <= INT64_MAX && v->logged >= 0 && v->newest >= 0 &&
                    (uint64_t)v->newest <= s->totals.entries;
    if (!is_sound) {
        store_found_damage(s, "a video's position is invalid");
        video_forget(s, v);
        return NULL;
    }
    if (position_is_plausible(v->at) && v->at.epoch > s->epoch) s->epoch = v->at.epoch;
    return v;
}

struct video *video_add(struct store *s, const char *name) {
    sqlite3_stmt *q = store_use(s, SQL_VIDEO_ADD);
    store_bind_text(q, 1, name);
    sqlite3_bind_int64(q, 2, s->use_ms);
    if (!store_run(s, q)) return NULL;
    struct video *v = video_remember(s, name, sqlite3_last_insert_rowid(s->db));
    v->used_ms = s->use_ms;
    s->totals.videos++;
    return v;
}

int64_t video_logged(struct store *s, int64_t id, int64_t *bytes) {
    struct video *v = s->videos_by_id_room ? *video_list(s, id) : NULL;
    while (v && v->id != id) v = v->next_by_id;
    *bytes = v ? v->bytes : 0;
    if (v) return v->logged;
    sqlite3_stmt *q = store_use(s, SQL_VIDEO_LOGGED);
    sqlite3_bind_int64(q, 1, id);
    if (!store_row(s, q)) return 0;
    int64_t logged = sqlite3_column_int64(q, 0);
    *bytes = sqlite3_column_int64(q, 1);
    store_end(q);
    return logged;
}

void video_changed(struct store *s, struct video *v) {
    if (v->dirty) return;
    store_will_write(s);
    v->dirty = true;
    v->next_dirty = s->dirty_videos;
    s->dirty_videos = v;
}

void video_set_used(struct store *s, struct video *v, int64_t used_ms) {
    sqlite3_stmt *q = store_use(s, SQL_VIDEO_USED);
    sqlite3_bind_int64(q, 1, v->id);
    sqlite3_bind_int64(q, 2, used_ms);
    if (store_run(s, q)) v->used_ms = used_ms;
}

// Once a day is enough, unless videos may soon be evicted.
void video_mark_used(struct store *s, struct video *v) {
    bool crowded = s->config.limits.max_videos && s->totals.videos >= s->config.limits.max_videos / 4 * 3;
    int64_t often_ms = s->config.keep_ms / 30;
    if (crowded && often_ms > CROWDED_MS) often_ms = CROWDED_MS;
    if (s->read_only || s->write_failed || s->use_ms - v->used_ms < often_ms) return;
    video_set_used(s, v, s->use_ms);
}

void video_begin_epoch(struct store *s, struct video *v, struct position known) {
    v->at = (struct position){epoch_give(s, v->at, known), 0};
    v->of_this_run = true;
    video_changed(s, v);
}

void video_write_dirty(struct store *s) {
    for (struct video *v = s->dirty_videos; v; v = v->next_dirty) {
        sqlite3_stmt *q = store_use(s, SQL_VIDEO_WRITE);
        sqlite3_bind_int64(q, 1, v->id);
        sqlite3_bind_int64(q, 2, (int64_t)v->at.epoch);
        sqlite3_bind_int64(q, 3, (int64_t)v->at.seq);
        sqlite3_bind_int64(q, 4, s->run); // what changes a video begins an epoch first
        sqlite3_bind_int64(q, 5, v->logged);
        sqlite3_bind_int64(q, 6, v->newest);
        sqlite3_bind_int64(q, 7, v->bytes);
        store_run(s, q);
        v->dirty = false;
    }
    s->dirty_videos = NULL;
}

static bool video_delete_by_id(struct store *s, enum statement which, const struct video *v) {
    sqlite3_stmt *q = store_use(s, which);
    sqlite3_bind_int64(q, 1, v->id);
    return store_run(s, q);
}

// Bans and what waits are only there where there is a room.
static bool video_drop_room(struct store *s, const struct video *v) {
    if (!video_delete_by_id(s, SQL_AUDIT_DROP, v) || !video_delete_by_id(s, SQL_ROOM_DROP, v)) return false;
    if (!sqlite3_changes(s->db)) return true;
    return video_delete_by_id(s, SQL_BAN_DROP, v) && video_delete_by_id(s, SQL_RECENT_DROP, v) &&
           video_delete_by_id(s, SQL_HELD_DROP, v);
}

void video_drop(struct store *s, struct video *v) {
    if (!video_delete_by_id(s, SQL_MAPPING_DROP, v)) return;
    s->totals.mappings -= (uint64_t)sqlite3_changes(s->db);
    if (!video_delete_by_id(s, SQL_SET_DROP, v) || !video_drop_room(s, v) ||
        !video_delete_by_id(s, SQL_VIDEO_DROP, v))
        return;
    s->totals.videos--;
    if (v->dirty) LL_DELETE2(s->dirty_videos, v, next_dirty);
    video_forget(s, v);
}

// Forgets the videos of the next list by id.
static void video_forget_list(struct store *s) {
    size_t i = s->forget_from++ & (s->videos_by_id_room - 1);
    while (s->videos_by_id[i]) video_forget(s, s->videos_by_id[i]);
}

void video_forget_all(struct store *s) {
    while (s->videos.count) video_forget_list(s);
    free(s->videos_by_id);
    s->videos_by_id = NULL;
    s->videos_by_id_room = 0;
    s->dirty_videos = NULL;
}

// A batch brings no more than are forgotten here, and none has been changed since the last was committed.
void video_limit_memory(struct store *s) {
    for (int left = FORGOTTEN_AT_ONCE; left && s->videos.count; left--) {
        if (s->videos.count <= VIDEO_CACHED && s->index_rows <= INDEX_ROWS) return;
        video_forget_list(s);
    }
}
