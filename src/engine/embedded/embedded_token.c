#include "embedded_token.h"

#include "embedded_log.h"

// Finding

// One that an earlier version kept in its entry's row.
static bool find_old(struct store *s, const struct video *v, struct request *r) {
    if (!r->in.append.old_token) return false;
    sqlite3_stmt *q = store_use(s, SQL_ENTRY_TOKEN);
    sqlite3_bind_int64(q, 1, v->id);
    store_bind_text(q, 2, r->in.append.old_token);
    sqlite3_bind_int64(q, 3, s->use_ms - s->config.limits.log_age_ms);
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
    bool same = sqlite3_column_int(q, 0), live = !store_expired(s, sqlite3_column_int64(q, 4));
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
    if (v->logged > ENGINE_TOKENS_VIDEO) s->tokens_swept.beyond++;
}

void token_load(struct store *s) {
    sqlite3_stmt *q = store_use(s, SQL_TOKEN_NEWEST);
    if (!store_row(s, q)) return;
    s->totals.tokens = (uint64_t)sqlite3_column_int64(q, 0);
    store_end(q);
}
