#include "embedded_counter.h"

#include "embedded_store.h"

void counter_next(struct store *s, struct request *r) {
    struct counter_request *c = (struct counter_request *)r;
    sqlite3_stmt *q = store_use(s, SQL_COUNTER_NEXT);
    store_bind_text(q, 1, c->name);
    if (!store_row(s, q)) return;
    c->value = (uint64_t)sqlite3_column_int64(q, 0);
    store_end(q);
}
