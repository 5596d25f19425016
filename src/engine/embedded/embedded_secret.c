#include "embedded_secret.h"

#include <string.h>

#include "embedded_store.h"

static void secrets_drop_expired(struct store *s) {
    sqlite3_stmt *q = store_use(s, SQL_SECRETS_DROP);
    sqlite3_bind_int64(q, 1, s->now_ms);
    store_run(s, q);
}

void secret_keep(struct store *s, struct request *r) {
    struct secret_request *k = (struct secret_request *)r;
    secrets_drop_expired(s);
    sqlite3_stmt *q = store_use(s, SQL_SECRET_KEEP);
    store_bind_text(q, 1, k->name);
    sqlite3_bind_blob(q, 2, k->secret, ENGINE_SECRET, SQLITE_TRANSIENT);
    sqlite3_bind_int64(q, 3, s->now_ms + k->keep_ms);
    if (!store_row(s, q)) return;
    if (sqlite3_column_bytes(q, 0) == ENGINE_SECRET)
        memcpy(k->secret, sqlite3_column_blob(q, 0), ENGINE_SECRET);
    store_end(q);
}
