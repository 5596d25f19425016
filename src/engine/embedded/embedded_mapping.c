#include "embedded_mapping.h"

#include <string.h>

#include "embedded_video.h"

// Returns the reader that the video is mapped to, held by the request; NULL if there is none.
static const char *find(struct store *s, const struct video *v, struct request *r) {
    sqlite3_stmt *q = store_use(s, SQL_MAPPING_FIND);
    sqlite3_bind_int64(q, 1, v->id);
    if (!store_row(s, q)) return NULL;
    const char *reader = store_text(s, q, 0);
    if (reader) reader = request_hold_text(r, reader, strlen(reader));
    store_end(q);
    return reader;
}

static void answer(struct request *r, const char *reader_url, bool changed) {
    r->out.mapping.reader_url = reader_url;
    r->out.mapping.changed = changed;
    if (!reader_url) r->status = ENGINE_NOT_FOUND;
}

// For lookup() and reassign(): the present mapping, NOT_FOUND without one.
static struct video *find_present(struct store *s, struct request *r) {
    struct video *v = video_find(s, r->name);
    const char *reader = v ? find(s, v, r) : NULL;
    answer(r, reader, false);
    if (reader) video_mark_used(s, v);
    return reader ? v : NULL;
}

void mapping_lookup(struct store *s, struct request *r) {
    find_present(s, r);
}

void mapping_assign(struct store *s, struct request *r) {
    struct video *v = video_find_or_add(s, r->name, &r->status);
    if (!v) return;
    video_mark_used(s, v);
    const char *present = find(s, v, r);
    if (present) {
        answer(r, present, false);
        return;
    }
    sqlite3_stmt *q = store_use(s, SQL_MAPPING_ADD);
    sqlite3_bind_int64(q, 1, v->id);
    store_bind_text(q, 2, r->in.mapping.reader_url);
    store_run(s, q);
    s->totals.mappings++;
    answer(r, r->in.mapping.reader_url, true);
}

void mapping_reassign(struct store *s, struct request *r) {
    const struct video *v = find_present(s, r);
    const char *reader_url = r->in.mapping.reader_url;
    if (!v || strcmp(r->out.mapping.reader_url, r->in.mapping.expected) != 0) return;
    if (strcmp(reader_url, r->in.mapping.expected) == 0) return;
    sqlite3_stmt *q = store_use(s, SQL_MAPPING_CHANGE);
    sqlite3_bind_int64(q, 1, v->id);
    store_bind_text(q, 2, reader_url);
    store_run(s, q);
    answer(r, reader_url, true);
}

void mapping_release(struct store *s, struct request *r) {
    struct video *v = video_find(s, r->name);
    const char *present = v ? find(s, v, r) : NULL;
    if (!present || strcmp(present, r->in.mapping.expected) != 0) return;
    if (!position_is_set(v->at)) {
        video_drop(s, v);
        return;
    }
    sqlite3_stmt *q = store_use(s, SQL_MAPPING_DROP);
    sqlite3_bind_int64(q, 1, v->id);
    store_run(s, q);
    s->totals.mappings--;
}
