#include "embedded_transaction.h"

#include "embedded_epoch.h"
#include "embedded_video.h"

void transaction_begin(struct store *s) {
    s->failure.code = 0;
    store_read_clocks(s);
    s->deletes_entries = false;
    store_run(s, store_use(s, SQL_BEGIN));
}

// The newest entry also has the totals ever logged, so they need not be written with each; but before that
// entry is deleted, that is, in every transaction that deletes some.
static void transaction_write_totals(struct store *s) {
    const struct store_totals *now = &s->totals, *before = &s->committed_totals;
    bool same = now->videos == before->videos && now->mappings == before->mappings;
    if (same && !s->deletes_entries) return;
    sqlite3_stmt *q = store_use(s, SQL_TOTALS_WRITE);
    sqlite3_bind_int64(q, 1, (int64_t)now->entries);
    sqlite3_bind_int64(q, 2, (int64_t)now->comments);
    sqlite3_bind_int64(q, 3, (int64_t)now->videos);
    sqlite3_bind_int64(q, 4, (int64_t)now->mappings);
    store_run(s, q);
}

bool transaction_commit(struct store *s) {
    video_write_dirty(s);
    epoch_write(s);
    transaction_write_totals(s);
    if (!store_run(s, store_use(s, SQL_COMMIT))) return false;
    s->committed_totals = s->totals;
    return epoch_sync(s);
}

void transaction_forget_changes(struct store *s) {
    s->totals = s->committed_totals;
    epoch_forget_changes(s);
    video_forget_all(s);
}

void transaction_rollback(struct store *s) {
    transaction_forget_changes(s);
    transaction_abandon(s);
}

void transaction_abandon(struct store *s) {
    // SQLite may have rolled back by itself, for instance when the disk is full. What is left to do must be
    // done whatever has failed.
    if (!sqlite3_get_autocommit(s->db)) sqlite3_step(store_use(s, SQL_ROLLBACK));
    sqlite3_reset(store_use(s, SQL_ROLLBACK));
}
