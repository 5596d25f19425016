#include "engine/embedded_sweep.h"

#include "engine/embedded_lease.h"
#include "engine/embedded_log.h"
#include "engine/embedded_video.h"

enum {
    ROWS = 128,           // of a kind in one slice
    TOKENS_MOST = 1000000 // in the whole store; the oldest go first
};

static bool expire_entries(struct store *s) {
    sqlite3_stmt *q = store_use(s, SQL_ENTRY_EXPIRE);
    sqlite3_bind_int64(q, 1, log_oldest_ms(s));
    sqlite3_bind_int(q, 2, ROWS);
    return store_run(s, q) && sqlite3_changes(s->db) == ROWS;
}

static bool expire_tokens(struct store *s) {
    sqlite3_stmt *q = store_use(s, SQL_TOKEN_EXPIRE);
    sqlite3_bind_int64(q, 1, log_oldest_ms(s));
    sqlite3_bind_int(q, 2, ROWS);
    sqlite3_bind_int(q, 3, TOKENS_MOST);
    return store_run(s, q) && sqlite3_changes(s->db) == ROWS;
}

// The time of use is only noted once a day, so one more day has to pass.
static struct video *find_unused_video(struct store *s) {
    sqlite3_stmt *q = store_use(s, SQL_VIDEO_UNUSED);
    sqlite3_bind_int64(q, 1, s->now_ms - s->config.keep_ms - s->config.keep_ms / 30);
    if (!store_row(s, q)) return NULL;
    struct video *v = video_find(s, (const char *)sqlite3_column_text(q, 1));
    store_end(q);
    return v;
}

static bool drop_unused_video(struct store *s) {
    struct video *v = find_unused_video(s);
    if (!v) return false;
    if (log_clear(s, v)) video_drop(s, v);
    return true;
}

bool sweep_slice(struct store *s) {
    store_begin(s);
    bool more = expire_entries(s);
    more |= expire_tokens(s);
    for (int i = 0; i < ROWS / 8 && drop_unused_video(s); i++) more = true;
    more |= lease_sweep(s);
    if (store_commit(s)) return more;
    store_rollback(s);
    return false;
}
