#include "embedded_overview.h"

#include <string.h>

#include "embedded_row.h"

enum { LOOK_AT = 1000 }; // entries that are not comments do not count, but cost

static size_t overview_read_newest(struct store *s, struct request *r, struct engine_entry *entries) {
    size_t count = 0;
    sqlite3_stmt *q = store_use(s, SQL_ENTRY_NEWEST);
    sqlite3_bind_int(q, 1, LOOK_AT);
    while (count < ENGINE_NEWEST && store_row(s, q)) {
        if (store_expired(s, sqlite3_column_int64(q, 7))) break;
        if (sqlite3_column_int(q, 0) != ENTRY_COMMENT) continue;
        count += row_read(s, q, r, &entries[count]);
        store_skip_damage(s);
    }
    store_end(q);
    store_skip_damage(s);
    return count;
}

static const char *overview_hold_column(struct store *s, struct request *r, sqlite3_stmt *q, int column) {
    const char *text = store_text(s, q, column);
    return text ? request_hold_text(r, text, strlen(text)) : NULL;
}

static size_t overview_read_mapped(struct store *s, struct request *r, struct engine_mapping *mappings) {
    size_t count = 0;
    sqlite3_stmt *q = store_use(s, SQL_MAPPING_NEWEST);
    sqlite3_bind_int64(q, 1, ENGINE_MAPPED);
    while (store_row(s, q)) {
        struct engine_mapping m = {.video = overview_hold_column(s, r, q, 0),
                                   .reader_url = overview_hold_column(s, r, q, 1)};
        if (m.video && m.reader_url) mappings[count++] = m;
        store_skip_damage(s);
    }
    store_skip_damage(s);
    return count;
}

void overview_read(struct store *s, struct request *r) {
    struct engine_entry *newest = request_hold(r, ENGINE_NEWEST * sizeof *newest);
    struct engine_mapping *mapped = request_hold(r, ENGINE_MAPPED * sizeof *mapped);
    ((struct overview_request *)r)->answer = (struct engine_overview){
        .comments = s->totals.comments,
        .mappings = s->totals.mappings,
        .newest = newest,
        .newest_count = overview_read_newest(s, r, newest),
        .mapped = mapped,
        .mapped_count = overview_read_mapped(s, r, mapped),
    };
}
