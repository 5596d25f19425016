#include "embedded_row.h"

#include <endian.h>
#include <string.h>

#include "base/json_reader.h"

// Returns whether a text can be part of a frame: an object in valid JSON, without a line break.
static bool row_is_object_line(const char *json, size_t len) {
    struct json_reader r;
    if (len < 2 || json[0] != '{' || json[len - 1] != '}' || memchr(json, '\n', len) ||
        memchr(json, '\r', len))
        return false;
    json_reader_init(&r, json, len);
    return json_reader_next(&r) == JSON_TOKEN_OBJECT && json_reader_skip(&r) &&
           json_reader_next(&r) == JSON_TOKEN_END;
}

// Mixes sixteen bytes (the folded multiplication of wyhash, Wang Yi).
static uint64_t row_mix(uint64_t sum, uint64_t a, uint64_t b) {
    unsigned __int128 product =
        (unsigned __int128)(a ^ UINT64_C(0xe7037ed1a0b428db)) * (b ^ sum ^ UINT64_C(0x8ebc6af09c88c6e3));
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

int32_t row_checksum(const struct engine_entry *e) {
    uint64_t sum = row_mix(row_mix(e->kind, e->at.epoch, e->at.seq), e->prev.epoch, e->prev.seq), words[2];
    const char *at = e->body, *end = at + e->body_len;
    for (; end - at >= (ptrdiff_t)sizeof words; at += sizeof words) {
        memcpy(words, at, sizeof words);
        sum = row_mix(sum, le64toh(words[0]), le64toh(words[1]));
    }
    memset(words, 0, sizeof words);
    memcpy(words, at, (size_t)(end - at));
    sum = row_mix(sum, le64toh(words[0]), le64toh(words[1]));
    return (int32_t)(uint32_t)(row_mix(sum, e->body_len, 0) >> 32);
}

// Takes the body of a row that an earlier version stored: the entry's position must be in front of it.
static bool row_take_old_body(struct engine_entry *e, const char *object, size_t len) {
    struct engine_entry found;
    if (e->kind == ENTRY_TOMBSTONE) return len == 0;
    if (!row_is_object_line(object, len) || !entry_read(&found, object, len)) return false;
    e->body = found.body;
    e->body_len = found.body_len;
    return position_compare(found.at, e->at) == 0 && position_compare(found.prev, e->prev) == 0 &&
           found.kind == e->kind && (e->kind != ENTRY_COMMENT || e->body_len);
}

// Reads a row, and returns whether an append has written it like this. SQLite converts any value to text.
bool row_look(sqlite3_stmt *q, struct engine_entry *e) {
    *e = (struct engine_entry){.kind = (enum entry_kind)sqlite3_column_int(q, 0),
                               .at.epoch = (uint64_t)sqlite3_column_int64(q, 1),
                               .at.seq = (uint64_t)sqlite3_column_int64(q, 2),
                               .prev.epoch = (uint64_t)sqlite3_column_int64(q, 3),
                               .prev.seq = (uint64_t)sqlite3_column_int64(q, 4)};
    bool sound = sqlite3_column_type(q, 5) == SQLITE_TEXT && e->at.seq && position_is_plausible(e->at) &&
                 (unsigned)e->kind <= ENTRY_KIND_MAX && (e->at.seq == 1 || !position_is_set(e->prev));
    const char *object = sound ? (const char *)sqlite3_column_text(q, 5) : NULL;
    size_t len = object ? (size_t)sqlite3_column_bytes(q, 5) : 0;
    if (!object) return false;
    if (sqlite3_column_type(q, 6) == SQLITE_NULL) return row_take_old_body(e, object, len);
    if (len < 2 || object[0] != '{' || object[len - 1] != '}') return false;
    e->body = object + 1;
    e->body_len = len - 2;
    return sqlite3_column_int64(q, 6) == row_checksum(e);
}

bool row_is_sound(sqlite3_stmt *q) {
    struct engine_entry e;
    return row_look(q, &e);
}

bool row_read(struct store *s, sqlite3_stmt *q, struct request *r, struct engine_entry *e) {
    if (!row_look(q, e)) {
        store_found_damage(s, "a log entry is malformed");
        return false;
    }
    e->body = request_hold_text(r, e->body, e->body_len);
    return true;
}
