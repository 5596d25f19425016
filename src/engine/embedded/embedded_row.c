#include "embedded_row.h"

#include <string.h>

#include "base/json_reader.h"

// Whether a text can stand in a frame: an object in valid JSON, and no line break.
static bool is_object_line(const char *json, size_t len) {
    struct json_reader r;
    if (len < 2 || json[0] != '{' || json[len - 1] != '}' || memchr(json, '\n', len) ||
        memchr(json, '\r', len))
        return false;
    json_reader_init(&r, json, len);
    return json_reader_next(&r) == JSON_TOKEN_OBJECT && json_reader_skip(&r) &&
           json_reader_next(&r) == JSON_TOKEN_END;
}

// Takes the body from a row's object. Where that is `whole`, as an earlier version stored it, the entry's
// position and kind must stand in front of it.
static bool take_body(struct engine_entry *e, const char *object, size_t len, bool whole) {
    struct engine_entry found;
    if (whole && e->kind == ENTRY_TOMBSTONE) return len == 0;
    if (!object || !is_object_line(object, len) || (whole && !entry_read(&found, object, len))) return false;
    if (whole && (position_compare(found.at, e->at) != 0 || position_compare(found.prev, e->prev) != 0 ||
                  found.kind != e->kind))
        return false;
    e->body = whole ? found.body : object + 1;
    e->body_len = whole ? found.body_len : len - 2;
    return e->kind == ENTRY_TOMBSTONE ? !e->body_len : e->kind != ENTRY_COMMENT || e->body_len;
}

// Reads a row that an append has written like this. SQLite makes a text of whatever a damaged row says it is.
static bool read_row(sqlite3_stmt *q, struct engine_entry *e) {
    *e = (struct engine_entry){.kind = (enum entry_kind)sqlite3_column_int(q, 0),
                               .at.epoch = (uint64_t)sqlite3_column_int64(q, 1),
                               .at.seq = (uint64_t)sqlite3_column_int64(q, 2),
                               .prev.epoch = (uint64_t)sqlite3_column_int64(q, 3),
                               .prev.seq = (uint64_t)sqlite3_column_int64(q, 4)};
    bool sound = sqlite3_column_type(q, 5) == SQLITE_TEXT && e->at.seq && position_is_plausible(e->at) &&
                 (unsigned)e->kind <= ENTRY_KIND_MAX && (e->at.seq == 1 || !position_is_set(e->prev));
    return sound && take_body(e, (const char *)sqlite3_column_text(q, 5), (size_t)sqlite3_column_bytes(q, 5),
                              sqlite3_column_int(q, 6) != 0);
}

bool row_is_sound(sqlite3_stmt *q) {
    struct engine_entry e;
    return read_row(q, &e);
}

bool row_read(struct store *s, sqlite3_stmt *q, struct request *r, struct engine_entry *e) {
    if (!read_row(q, e)) {
        store_found_damage(s, "a log entry is malformed");
        return false;
    }
    e->body = request_hold_text(r, e->body, e->body_len);
    return true;
}
