#include "embedded_mapping.h"

#include <string.h>

#include "embedded_gate.h"
#include "embedded_room.h"

static struct mapping_request *mapping_of(struct request *r) {
    return (struct mapping_request *)r;
}

// Returns the reader that the video is mapped to, held by the request; NULL if there is none.
static const char *mapping_find(struct store *s, const struct video *v, struct request *r) {
    sqlite3_stmt *q = store_use(s, SQL_MAPPING_FIND);
    sqlite3_bind_int64(q, 1, v->id);
    if (!store_row(s, q)) return NULL;
    const char *reader = store_text(s, q, 0);
    if (reader) reader = request_hold_text(r, reader, strlen(reader));
    store_end(q);
    return reader;
}

static void mapping_answer(struct request *r, const char *reader_url, bool changed) {
    mapping_of(r)->found = reader_url;
    mapping_of(r)->changed = changed;
    if (!reader_url) r->status = ENGINE_NOT_FOUND;
}

// For lookup() and reassign(): the present mapping, NOT_FOUND without one.
static struct video *mapping_find_present(struct store *s, struct request *r) {
    struct video *v = video_find(s, mapping_of(r)->video);
    const char *reader = v ? mapping_find(s, v, r) : NULL;
    mapping_answer(r, reader, false);
    if (reader) video_mark_used(s, v);
    return reader ? v : NULL;
}

void mapping_lookup(struct store *s, struct request *r) {
    mapping_find_present(s, r);
}

void mapping_assign(struct store *s, struct request *r) {
    const char *reader_url = mapping_of(r)->reader_url;
    struct video *v = room_find_or_add(s, mapping_of(r)->video, &r->status);
    if (!v) return;
    video_mark_used(s, v);
    const char *present = mapping_find(s, v, r);
    if (present) {
        mapping_answer(r, present, false);
        return;
    }
    sqlite3_stmt *q = store_use(s, SQL_MAPPING_ADD);
    sqlite3_bind_int64(q, 1, v->id);
    store_bind_text(q, 2, reader_url);
    store_run(s, q);
    s->totals.mappings++;
    mapping_answer(r, reader_url, true);
}

void mapping_reassign(struct store *s, struct request *r) {
    const struct video *v = mapping_find_present(s, r);
    const char *reader_url = mapping_of(r)->reader_url, *expected = mapping_of(r)->expected;
    if (!v || strcmp(mapping_of(r)->found, expected) != 0 || strcmp(reader_url, expected) == 0) return;
    sqlite3_stmt *q = store_use(s, SQL_MAPPING_CHANGE);
    sqlite3_bind_int64(q, 1, v->id);
    store_bind_text(q, 2, reader_url);
    store_run(s, q);
    mapping_answer(r, reader_url, true);
}

void mapping_release(struct store *s, struct request *r) {
    struct video *v = video_find(s, mapping_of(r)->video);
    const char *present = v ? mapping_find(s, v, r) : NULL;
    if (!present || strcmp(present, mapping_of(r)->expected) != 0) return;
    if (!position_is_set(v->at) && !gate_find(s, v)) {
        video_drop(s, v);
        return;
    }
    sqlite3_stmt *q = store_use(s, SQL_MAPPING_DROP);
    sqlite3_bind_int64(q, 1, v->id);
    store_run(s, q);
    s->totals.mappings--;
}

// Sets

static struct set_request *set_of(struct request *r) {
    return (struct set_request *)r;
}

static void set_find(struct store *s, const struct video *v, struct request *r) {
    sqlite3_stmt *q = store_use(s, SQL_SET_FIND);
    sqlite3_bind_int64(q, 1, v->id);
    if (!store_row(s, q)) return;
    const char *text = store_text(s, q, 1);
    if (text)
        set_of(r)->found = (struct engine_set){.generation = (uint64_t)sqlite3_column_int64(q, 0),
                                               .text = request_hold_text(r, text, strlen(text))};
    store_end(q);
}

void mapping_set_read(struct store *s, struct request *r) {
    const struct video *v = video_find(s, set_of(r)->video);
    set_of(r)->found = (struct engine_set){.text = ""};
    if (v) set_find(s, v, r);
}

void mapping_set_write(struct store *s, struct request *r) {
    struct set_request *asked = set_of(r);
    struct video *v = room_find_or_add(s, asked->video, &r->status);
    asked->found = (struct engine_set){.text = ""};
    if (!v) return;
    video_mark_used(s, v);
    set_find(s, v, r);
    if (asked->found.generation != asked->generation) return;
    asked->found =
        (struct engine_set){.generation = asked->generation + 1, .text = asked->text, .written = true};
    sqlite3_stmt *q = store_use(s, SQL_SET_WRITE);
    sqlite3_bind_int64(q, 1, v->id);
    sqlite3_bind_int64(q, 2, (int64_t)asked->found.generation);
    store_bind_text(q, 3, asked->text);
    store_run(s, q);
}
