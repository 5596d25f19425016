#include "embedded_token.h"

#include "embedded_log.h"

enum { ROWS = 128 };

// Finding

// One that an earlier version kept in its entry's row.
static bool find_old(struct store *s, const struct video *v, struct request *r) {
    if (!r->in.append.old_token) return false;
    sqlite3_stmt *q = store_use(s, SQL_ENTRY_TOKEN);
    sqlite3_bind_int64(q, 1, v->id);
    store_bind_text(q, 2, r->in.append.old_token);
    sqlite3_bind_int64(q, 3, s->use_ms - s->config.log_age_ms);
    if (!store_row(s, q)) return false;
    r->out.append.repeated = log_read_entry(s, q, r, &r->out.append.entry);
    r->out.append.first.whole = true;
    store_end(q);
    return true;
}

static void bind_name(sqlite3_stmt *q, const struct video *v, const struct request *r) {
    sqlite3_bind_int64(q, 1, v->id);
    sqlite3_bind_blob(q, 2, r->in.append.token.name, ENGINE_DIGEST, SQLITE_STATIC);
}

bool token_find(struct store *s, const struct video *v, struct request *r) {
    sqlite3_stmt *q = store_use(s, SQL_TOKEN_FIND);
    bind_name(q, v, r);
    sqlite3_bind_blob(q, 3, r->in.append.token.digest, ENGINE_DIGEST, SQLITE_STATIC);
    if (!store_row(s, q)) return !s->failure.code && find_old(s, v, r);
    bool same = sqlite3_column_int(q, 0), live = !log_expired(s, sqlite3_column_int64(q, 4));
    struct position at = {(uint64_t)sqlite3_column_int64(q, 1), (uint64_t)sqlite3_column_int64(q, 2)};
    r->out.append.first.at_ms = sqlite3_column_int64(q, 3);
    store_end(q);
    if (!live) return false;
    if (!position_is_plausible(at) || !at.seq || position_compare(at, v->at) > 0) {
        store_found_damage(s, "a token's position is invalid");
        return true;
    }
    if (!same) r->status = ENGINE_KEY_REUSED;
    r->out.append.repeated = true;
    r->out.append.entry.at = at;
    return true;
}

// Adding

void token_add(struct store *s, const struct video *v, const struct request *r) {
    sqlite3_stmt *q = store_use(s, SQL_TOKEN_ADD);
    sqlite3_bind_int64(q, 1, (int64_t)++s->totals.tokens);
    sqlite3_bind_int64(q, 2, v->id);
    sqlite3_bind_blob(q, 3, r->in.append.token.name, ENGINE_DIGEST, SQLITE_STATIC);
    sqlite3_bind_blob(q, 4, r->in.append.token.digest, ENGINE_DIGEST, SQLITE_STATIC);
    sqlite3_bind_int64(q, 5, v->logged);
    sqlite3_bind_int64(q, 6, s->use_ms);
    sqlite3_bind_int64(q, 7, (int64_t)r->out.append.entry.at.epoch);
    sqlite3_bind_int64(q, 8, (int64_t)r->out.append.entry.at.seq);
    sqlite3_bind_int64(q, 9, r->in.append.token.at_ms);
    store_run(s, q);
    if (v->logged > ENGINE_TOKENS_VIDEO) s->tokens_beyond++;
}

void token_load(struct store *s) {
    sqlite3_stmt *q = store_use(s, SQL_TOKEN_NEWEST);
    if (!store_row(s, q)) return;
    s->totals.tokens = (uint64_t)sqlite3_column_int64(q, 0);
    store_end(q);
}

// Sweeping: the oldest go by age and by number of all; those of a busy video lie anywhere, so a cursor goes
// round as with entries (embedded_sweep.c).

struct row {
    int64_t n, video, place, at_ms;
};

static size_t read_rows(struct store *s, int64_t from, struct row rows[ROWS]) {
    size_t count = 0;
    sqlite3_stmt *q = store_use(s, SQL_TOKEN_OLDEST);
    sqlite3_bind_int64(q, 1, from);
    sqlite3_bind_int(q, 2, ROWS);
    while (store_row(s, q)) {
        rows[count++] = (struct row){.n = sqlite3_column_int64(q, 0),
                                     .video = sqlite3_column_int64(q, 1),
                                     .place = sqlite3_column_int64(q, 2),
                                     .at_ms = sqlite3_column_int64(q, 3)};
    }
    return count;
}

static bool is_kept(struct store *s, const struct row *row) {
    if (log_expired(s, row->at_ms) || row->n + ENGINE_TOKENS <= (int64_t)s->totals.tokens) return false;
    int64_t bytes, logged = video_logged(s, row->video, &bytes); // 0: the video is gone
    return row->place <= logged && logged - row->place < ENGINE_TOKENS_VIDEO;
}

static void delete_rows(struct store *s, int64_t from, int64_t to) {
    sqlite3_stmt *q = store_use(s, SQL_TOKEN_DELETE);
    sqlite3_bind_int64(q, 1, from);
    sqlite3_bind_int64(q, 2, to);
    store_run(s, q);
}

static size_t sweep_from(struct store *s, int64_t from, int64_t *last, bool all) {
    struct row rows[ROWS];
    size_t count = read_rows(s, from, rows), deleted = 0;
    for (size_t i = 0; i < count; i++) {
        size_t first = i;
        while (i < count && !is_kept(s, &rows[i])) i++;
        if (i > first) delete_rows(s, rows[first].n, rows[i - 1].n);
        deleted += i - first;
        if (!all) break;
    }
    *last = count == ROWS ? rows[ROWS - 1].n : 0;
    return deleted;
}

bool token_sweep(struct store *s) {
    int64_t last;
    bool more = sweep_from(s, 0, &last, false) == ROWS;
    if (s->tokens_beyond < ROWS / 2) return more;
    sweep_from(s, s->token_n, &s->token_n, true);
    s->tokens_beyond -= ROWS / 2;
    return more || s->tokens_beyond >= ROWS / 2;
}
