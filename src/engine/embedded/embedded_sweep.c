#include "embedded_sweep.h"

#include "embedded_archive.h"
#include "embedded_lease.h"
#include "embedded_room.h"
#include "embedded_transaction.h"
#include "embedded_video.h"

// Rows of the log and of the tokens are removed for two reasons. They have expired: those are the oldest rows
// of the table, whatever video they belong to. Or their video has had too many newer ones: those lie
// anywhere, so a cursor cycles through the table. For each append that makes one superfluous it examines two
// rows, so that the table never holds much more than twice what is kept.
enum { ROWS = 128, VIDEOS = 16 };

// What the sweep needs to know of a row: the columns of `read`.
struct row {
    int64_t n, video, place, at_ms;
    bool has_token;
    int64_t bytes;
};

enum verdict { GOES, STAYS, STAYS_FOR_AGE };

struct sweep_table {
    enum statement read, delete;
    enum verdict (*judge)(struct store *, const struct row *);
};

// One to which an earlier version has put a token stays for as long as its age allows, to answer a repeat.
static enum verdict judge_entry(struct store *s, const struct row *row) {
    if (store_expired(s, row->at_ms)) return GOES;
    if (row->has_token && row->n + ENGINE_TOKENS > (int64_t)s->totals.entries) return STAYS;
    int64_t bytes, logged = video_logged(s, row->video, &bytes); // 0: the video is gone
    if (!store_keeps(s, row->at_ms, logged - row->place, bytes - row->bytes)) return GOES;
    return (uint64_t)(logged - row->place) < s->config.limits.log_entries ? STAYS : STAYS_FOR_AGE;
}

static enum verdict judge_token(struct store *s, const struct row *row) {
    if (store_expired(s, row->at_ms) || row->n + ENGINE_TOKENS <= (int64_t)s->totals.tokens) return GOES;
    int64_t bytes, logged = video_logged(s, row->video, &bytes);
    return row->place <= logged && logged - row->place < ENGINE_TOKENS_VIDEO ? STAYS : GOES;
}

static const struct sweep_table entries = {SQL_ENTRY_OLDEST, SQL_ENTRY_DELETE, judge_entry};
static const struct sweep_table tokens = {SQL_TOKEN_OLDEST, SQL_TOKEN_DELETE, judge_token};

static size_t sweep_read_rows(struct store *s, const struct sweep_table *t, int64_t from,
                              struct row rows[ROWS]) {
    size_t count = 0;
    sqlite3_stmt *q = store_use(s, t->read);
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

static void sweep_delete_rows(struct store *s, const struct sweep_table *t, int64_t from, int64_t to) {
    sqlite3_stmt *q = store_use(s, t->delete);
    sqlite3_bind_int64(q, 1, from);
    sqlite3_bind_int64(q, 2, to);
    store_run(s, q);
    s->deletes_entries |= t == &entries;
}

static bool sweep_remove_oldest(struct store *s, const struct sweep_table *t) {
    struct row rows[ROWS];
    size_t count = sweep_read_rows(s, t, 0, rows), gone = 0;
    while (gone < count && t->judge(s, &rows[gone]) == GOES) gone++;
    if (gone) sweep_delete_rows(s, t, rows[0].n, rows[gone - 1].n);
    return gone == ROWS;
}

static bool swept_is_due(const struct swept *done) {
    return done->all || done->beyond >= ROWS / 2;
}

static bool sweep_trim_videos(struct store *s, const struct sweep_table *t, struct swept *done) {
    if (!swept_is_due(done)) return false;
    struct row rows[ROWS];
    size_t count = sweep_read_rows(s, t, done->n, rows);
    for (size_t i = 0; i < count; i++) {
        size_t first = i;
        enum verdict verdict = GOES;
        while (i < count && (verdict = t->judge(s, &rows[i])) == GOES) i++;
        if (i > first) sweep_delete_rows(s, t, rows[first].n, rows[i - 1].n);
        if (verdict == STAYS_FOR_AGE) s->kept_for_age++;
    }
    done->n = count == ROWS ? rows[ROWS - 1].n : 0;
    done->all &= done->n != 0;
    if (done->beyond >= ROWS / 2) done->beyond -= ROWS / 2;
    return swept_is_due(done);
}

void sweep_with_limits(struct store *s, const struct engine_limits *limits) {
    s->config.limits = *limits;
    if (s->config.keep_ms < limits->log_age_ms) s->config.keep_ms = limits->log_age_ms;
    s->entries_swept.all = true;
    s->entries_swept.n = 0;
}

bool sweep_is_due(const struct store *s) {
    return swept_is_due(&s->entries_swept) || s->purges_wait;
}

// What is kept only because it is young is looked at again when it is not any more.
static void sweep_revisit(struct store *s) {
    int64_t wait_ms = s->revisit_ms - s->use_ms;
    if (!s->kept_for_age || (wait_ms > 0 && wait_ms <= s->config.limits.log_min_age_ms)) return;
    s->revisit_ms = s->use_ms + s->config.limits.log_min_age_ms;
    s->entries_swept.beyond += s->kept_for_age;
    s->kept_for_age = 0;
}

// The time of use is only noted once a day, so one more day has to pass.
static bool sweep_drop_unused_video(struct store *s) {
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
    bool oldest_entries = true, oldest_tokens = true, more_entries = true, more_tokens = true;
    bool more_archive = true;
    transaction_begin(s);
    sweep_revisit(s);
    for (size_t i = 0; i <= appended / (ROWS / 2); i++) {
        if (more_archive) more_archive = archive_sweep(s);
        if (archive_is_behind(s)) break; // the log's rows are not all copied
        if (oldest_entries) oldest_entries = sweep_remove_oldest(s, &entries);
        if (oldest_tokens) oldest_tokens = sweep_remove_oldest(s, &tokens);
        if (more_entries) more_entries = sweep_trim_videos(s, &entries, &s->entries_swept);
        if (more_tokens) more_tokens = sweep_trim_videos(s, &tokens, &s->tokens_swept);
    }
    bool more = oldest_entries || oldest_tokens || more_entries || more_tokens || more_archive;
    for (int i = 0; i < VIDEOS && sweep_drop_unused_video(s); i++) more = true;
    more |= lease_sweep(s);
    room_sweep(s);
    archive_copy(s);
    if (transaction_commit(s)) return more;
    transaction_rollback(s);
    return false;
}
