#include "engine/embedded_overview.h"

#include "engine/embedded_log.h"

enum { LOOK_AT = 1000 }; // entries that are not comments do not count, but cost

static size_t read_newest(struct store *s, struct request *r, struct engine_entry *entries) {
    size_t count = 0;
    sqlite3_stmt *q = store_use(s, SQL_ENTRY_NEWEST);
    sqlite3_bind_int(q, 1, LOOK_AT);
    while (count < ENGINE_NEWEST && store_row(s, q)) {
        if (log_expired(s, sqlite3_column_int64(q, 6))) break;
        if (sqlite3_column_int(q, 0) == ENTRY_COMMENT) entries[count++] = log_read_entry(q, r);
    }
    store_end(q);
    return count;
}

static const char *hold_column(struct request *r, sqlite3_stmt *q, int column) {
    const void *text = sqlite3_column_text(q, column);
    return request_hold_text(r, text, (size_t)sqlite3_column_bytes(q, column));
}

static size_t read_mapped(struct store *s, struct request *r, struct engine_mapping *mappings) {
    size_t count = 0;
    sqlite3_stmt *q = store_use(s, SQL_MAPPING_NEWEST);
    sqlite3_bind_int64(q, 1, ENGINE_MAPPED);
    while (store_row(s, q)) {
        mappings[count++] =
            (struct engine_mapping){.video = hold_column(r, q, 0), .reader_url = hold_column(r, q, 1)};
    }
    return count;
}

void overview_read(struct store *s, struct request *r) {
    struct engine_entry *newest = request_hold(r, ENGINE_NEWEST * sizeof *newest);
    struct engine_mapping *mapped = request_hold(r, ENGINE_MAPPED * sizeof *mapped);
    r->out.overview = (struct engine_overview){
        .comments = s->totals.comments,
        .mappings = s->totals.mappings,
        .newest = newest,
        .newest_count = read_newest(s, r, newest),
        .mapped = mapped,
        .mapped_count = read_mapped(s, r, mapped),
    };
}

void counter_next(struct store *s, struct request *r) {
    sqlite3_stmt *q = store_use(s, SQL_COUNTER_NEXT);
    store_bind_text(q, 1, r->name);
    if (!store_row(s, q)) return;
    r->out.counter = (uint64_t)sqlite3_column_int64(q, 0);
    store_end(q);
}
