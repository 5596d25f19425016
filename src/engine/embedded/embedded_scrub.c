#include "embedded_scrub.h"

#include "embedded_transaction.h"

static void scrub_write(struct store *s, int value) {
    sqlite3_stmt *q = store_use(s, SQL_UNSCRUBBED_WRITE);
    sqlite3_bind_int(q, 1, value);
    store_run(s, q);
}

void scrub_note(struct store *s) {
    scrub_write(s, 1);
    s->unscrubbed = true; // also if the transaction fails: then there is a little work for nothing
}

bool scrub_load(struct store *s) {
    sqlite3_stmt *q = store_use(s, SQL_UNSCRUBBED_READ);
    if (!store_row(s, q)) return false;
    s->unscrubbed = sqlite3_column_int(q, 0) != 0;
    store_end(q);
    return true;
}

bool scrub_log(struct store *s) {
    sqlite3_busy_timeout(s->db, 0); // a backup may read for long
    int code = sqlite3_wal_checkpoint_v2(s->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(s->db, STORE_BUSY_MS);
    if (code != SQLITE_OK) return false;
    s->wal_pages = 0;
    transaction_begin(s);
    scrub_write(s, 0);
    s->unscrubbed = !transaction_commit(s);
    if (s->unscrubbed) transaction_rollback(s);
    return !s->unscrubbed;
}
