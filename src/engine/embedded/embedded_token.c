#include "embedded_token.h"

#include "embedded_row.h"

// Finding

// One that an earlier version kept in its entry's row.
static bool token_find_old(struct store *s, const struct video *v, const struct engine_token *token,
                           struct request *holder, struct token_first *first) {
    if (!token->old_name) return false;
    sqlite3_stmt *q = store_use(s, SQL_ENTRY_TOKEN);
    sqlite3_bind_int64(q, 1, v->id);
    store_bind_text(q, 2, token->old_name);
    sqlite3_bind_int64(q, 3, s->use_ms - s->config.limits.log_age_ms);
    if (!store_row(s, q)) return false;
    row_read(s, q, holder, &first->entry);
    first->first.whole = first->same = true;
    store_end(q);
    return true;
}

bool token_find(struct store *s, const struct video *v, const struct engine_token *token,
                struct request *holder, struct token_first *first) {
    *first = (struct token_first){0};
    sqlite3_stmt *q = store_use(s, SQL_TOKEN_FIND);
    sqlite3_bind_int64(q, 1, v->id);
    sqlite3_bind_blob(q, 2, token->name, ENGINE_DIGEST, SQLITE_STATIC);
    sqlite3_bind_blob(q, 3, token->digest, ENGINE_DIGEST, SQLITE_STATIC);
    if (!store_row(s, q)) return !s->failure.code && token_find_old(s, v, token, holder, first);
    first->same = sqlite3_column_int(q, 0);
    struct position at = {(uint64_t)sqlite3_column_int64(q, 1), (uint64_t)sqlite3_column_int64(q, 2)};
    first->entry.at = at;
    first->first.at_ms = sqlite3_column_int64(q, 3);
    bool live = !store_expired(s, sqlite3_column_int64(q, 4));
    store_end(q);
    if (live && (!position_is_plausible(at) || !at.seq || position_compare(at, v->at) > 0))
        store_found_damage(s, "a token's position is invalid");
    return live;
}

// Adding

void token_add(struct store *s, const struct video *v, const struct engine_token *token, struct position at) {
    sqlite3_stmt *q = store_use(s, SQL_TOKEN_ADD);
    sqlite3_bind_int64(q, 1, (int64_t)++s->totals.tokens);
    sqlite3_bind_int64(q, 2, v->id);
    sqlite3_bind_blob(q, 3, token->name, ENGINE_DIGEST, SQLITE_STATIC);
    sqlite3_bind_blob(q, 4, token->digest, ENGINE_DIGEST, SQLITE_STATIC);
    sqlite3_bind_int64(q, 5, v->logged);
    sqlite3_bind_int64(q, 6, s->use_ms);
    sqlite3_bind_int64(q, 7, (int64_t)at.epoch);
    sqlite3_bind_int64(q, 8, (int64_t)at.seq);
    sqlite3_bind_int64(q, 9, token->at_ms);
    store_run(s, q);
    if (v->logged > ENGINE_TOKENS_VIDEO) s->tokens_swept.beyond++;
}

void token_load(struct store *s) {
    sqlite3_stmt *q = store_use(s, SQL_TOKEN_NEWEST);
    if (!store_row(s, q)) return;
    s->totals.tokens = (uint64_t)sqlite3_column_int64(q, 0);
    store_end(q);
}
