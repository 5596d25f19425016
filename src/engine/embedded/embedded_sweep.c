#include "embedded_sweep.h"

#include "embedded_lease.h"
#include "embedded_log.h"
#include "embedded_room.h"
#include "embedded_token.h"
#include "embedded_video.h"

// Entries go for two reasons. By age: those are the oldest rows of the table, whatever video they belong to.
// And because their video has had `log_entries` newer ones: those lie anywhere, so a cursor goes round
// through the table. For each append that lets one go it looks at two rows, and so the table never holds much
// more than twice what is kept (log_keeps()).
//
// One to which an earlier version has put a token stays for as long as its age allows, to answer a repeat.
enum { ROWS = 128, VIDEOS = 16 };

static void delete_rows(struct store *s, int64_t from, int64_t to) {
    sqlite3_stmt *q = store_use(s, SQL_ENTRY_DELETE);
    sqlite3_bind_int64(q, 1, from);
    sqlite3_bind_int64(q, 2, to);
    store_run(s, q);
    s->deletes_entries = true;
}

// What the sweep needs to know of a row of the log.
struct row {
    int64_t n, video, place, at_ms;
    bool has_token;
    int64_t bytes;
};

static size_t read_rows(struct store *s, int64_t from, struct row rows[ROWS]) {
    size_t count = 0;
    sqlite3_stmt *q = store_use(s, SQL_ENTRY_OLDEST);
    sqlite3_bind_int64(q, 1, from);
    sqlite3_bind_int(q, 2, ROWS);
    while (store_row(s, q)) {
        rows[count++] = (struct row){.n = sqlite3_column_int64(q, 0),
                                     .video = sqlite3_column_int64(q, 1),
                                     .place = sqlite3_column_int64(q, 2),
                                     .at_ms = sqlite3_column_int64(q, 3),
                                     .has_token = sqlite3_column_int(q, 4),
                                     .bytes = sqlite3_column_int64(q, 5)};
    }
    return count;
}

static bool expire_entries(struct store *s) {
    struct row rows[ROWS];
    size_t count = read_rows(s, 0, rows);
    size_t expired = 0;
    while (expired < count && log_expired(s, rows[expired].at_ms)) expired++;
    if (expired) delete_rows(s, rows[0].n, rows[expired - 1].n);
    return expired == ROWS;
}

static bool is_kept(struct store *s, const struct row *row) {
    if (log_expired(s, row->at_ms)) return false;
    if (row->has_token && row->n + ENGINE_TOKENS > (int64_t)s->totals.entries) return true;
    int64_t bytes, logged = video_logged(s, row->video, &bytes); // 0: the video is gone
    bool kept = log_keeps(s, row->at_ms, logged - row->place, bytes - row->bytes);
    if (kept && (uint64_t)(logged - row->place) >= s->config.log_entries) s->kept_for_age++;
    return kept;
}

// What is kept only because it is young is looked at again when it is not any more.
static void look_again(struct store *s) {
    int64_t wait_ms = s->look_again_ms - s->use_ms;
    if (!s->kept_for_age || (wait_ms > 0 && wait_ms <= s->config.log_min_age_ms)) return;
    s->look_again_ms = s->use_ms + s->config.log_min_age_ms;
    s->beyond_limit += s->kept_for_age;
    s->kept_for_age = 0;
}

bool sweep_is_due(const struct store *s) {
    return s->beyond_limit >= ROWS / 2;
}

static bool trim_videos(struct store *s) {
    if (!sweep_is_due(s)) return false;
    struct row rows[ROWS];
    size_t count = read_rows(s, s->sweep_n, rows);
    for (size_t i = 0; i < count; i++) {
        size_t first = i;
        while (i < count && !is_kept(s, &rows[i])) i++;
        if (i > first) delete_rows(s, rows[first].n, rows[i - 1].n);
    }
    s->sweep_n = count == ROWS ? rows[ROWS - 1].n : 0;
    s->beyond_limit -= ROWS / 2;
    return sweep_is_due(s);
}

// The time of use is only noted once a day, so one more day has to pass.
static bool drop_unused_video(struct store *s) {
    sqlite3_stmt *q = store_use(s, SQL_VIDEO_UNUSED);
    sqlite3_bind_int64(q, 1, s->use_ms - s->config.keep_ms - s->config.keep_ms / 30);
    if (!store_row(s, q)) return false;
    const char *name = store_text(s, q, 0);
    struct video *v = name ? video_find(s, name) : NULL;
    store_end(q);
    if (v) video_drop(s, v);
    return v != NULL;
}

bool sweep_slice(struct store *s, size_t appended) {
    bool expired = true, trimmed = true, tokens = true;
    store_begin(s);
    look_again(s);
    for (size_t i = 0; i <= appended / (ROWS / 2); i++) {
        if (expired) expired = expire_entries(s);
        if (trimmed) trimmed = trim_videos(s);
        if (tokens) tokens = token_sweep(s);
    }
    bool more = expired || trimmed || tokens;
    for (int i = 0; i < VIDEOS && drop_unused_video(s); i++) more = true;
    more |= lease_sweep(s);
    room_sweep(s);
    if (store_commit(s)) return more;
    store_rollback(s);
    return false;
}
