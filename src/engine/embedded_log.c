#include "engine/embedded_log.h"

#include <string.h>

#include "engine/embedded_video.h"

enum {
    TRIM_EVERY = 64, // appends to a video; a power of two
    TRIM_MOST = 256  // entries at once: no append waits for more, also when the limit was lowered
};

static const int64_t LAST_PLACE = ((int64_t)1 << VIDEO_PLACE_BITS) - 1;

int64_t log_oldest_ms(const struct store *s) {
    return s->now_ms - s->config.log_age_ms;
}

struct engine_entry log_read_entry(sqlite3_stmt *q, struct request *r) {
    const void *json = sqlite3_column_text(q, 5);
    size_t len = (size_t)sqlite3_column_bytes(q, 5);
    return (struct engine_entry){.kind = (enum entry_kind)sqlite3_column_int(q, 0),
                                 .at.epoch = (uint64_t)sqlite3_column_int64(q, 1),
                                 .at.seq = (uint64_t)sqlite3_column_int64(q, 2),
                                 .prev.epoch = (uint64_t)sqlite3_column_int64(q, 3),
                                 .prev.seq = (uint64_t)sqlite3_column_int64(q, 4),
                                 .json = request_hold_text(r, json, len),
                                 .json_len = len};
}

static void bind_entry(sqlite3_stmt *q, int at, const struct engine_entry *e) {
    sqlite3_bind_int(q, at, (int)e->kind);
    sqlite3_bind_int64(q, at + 1, (int64_t)e->at.epoch);
    sqlite3_bind_int64(q, at + 2, (int64_t)e->at.seq);
    sqlite3_bind_int64(q, at + 3, (int64_t)e->prev.epoch);
    sqlite3_bind_int64(q, at + 4, (int64_t)e->prev.seq);
    sqlite3_bind_text(q, at + 5, e->json, (int)e->json_len, SQLITE_STATIC);
}

// The place of the oldest entry that the limit per video keeps.
static int64_t first_kept(const struct store *s, const struct video *v) {
    uint64_t entries = s->config.log_entries;
    return (uint64_t)v->logged > entries ? v->logged - (int64_t)entries + 1 : 1;
}

// Appending

static bool find_token(struct store *s, const struct video *v, struct request *r) {
    sqlite3_stmt *q = store_use(s, SQL_TOKEN_FIND);
    sqlite3_bind_int64(q, 1, v->id);
    store_bind_text(q, 2, r->in.append.token);
    sqlite3_bind_int64(q, 3, log_oldest_ms(s));
    if (!store_row(s, q)) return false;
    r->out.append.entry = log_read_entry(q, r);
    r->out.append.repeated = true;
    store_end(q);
    return true;
}

static void add_token(struct store *s, const struct video *v, const struct request *r) {
    sqlite3_stmt *q = store_use(s, SQL_TOKEN_ADD);
    sqlite3_bind_int64(q, 1, v->id);
    store_bind_text(q, 2, r->in.append.token);
    sqlite3_bind_int64(q, 3, s->now_ms);
    bind_entry(q, 4, &r->out.append.entry);
    store_run(s, q);
}

static void add_entry(struct store *s, const struct video *v, const struct engine_entry *e) {
    sqlite3_stmt *q = store_use(s, SQL_ENTRY_ADD);
    sqlite3_bind_int64(q, 1, video_entry_n(v, v->logged));
    sqlite3_bind_int64(q, 2, s->now_ms);
    bind_entry(q, 3, e);
    store_run(s, q);
}

static size_t add_text(char *to, const char *text) {
    size_t len = strlen(text);
    memcpy(to, text, len);
    return len;
}

// Puts id and prev in front of the body, in the room that is there for them.
static void write_json(const struct request *r, struct engine_entry *e) {
    e->json = r->in.append.body;
    e->json_len = r->in.append.body_len;
    if (!e->json_len) return; // a tombstone
    char prefix[REQUEST_PREFIX_ROOM];
    size_t len = add_text(prefix, "{\"id\":\"");
    len += position_format(e->at, prefix + len);
    if (position_is_set(e->prev)) {
        len += add_text(prefix + len, "\",\"prev\":\"");
        len += position_format(e->prev, prefix + len);
    }
    len += add_text(prefix + len, "\",");
    e->json = memcpy(r->in.append.body - len, prefix, len);
    e->json_len += len;
}

// Gives the entry the next number: in the epoch of this run of the engine, which begins with its first
// append.
static void number(struct store *s, struct video *v, struct engine_entry *e) {
    if (v->run != s->run) {
        e->prev = v->at;
        video_begin_epoch(s, v);
    }
    v->at.seq++;
    v->logged++;
    e->at = v->at;
    video_changed(s, v);
}

static void delete_places(struct store *s, const struct video *v, int64_t from, int64_t to) {
    sqlite3_stmt *q = store_use(s, SQL_ENTRY_DELETE);
    sqlite3_bind_int64(q, 1, video_entry_n(v, from));
    sqlite3_bind_int64(q, 2, video_entry_n(v, to));
    store_run(s, q);
}

// Finds the first entry at or behind a place. Returns its place, 0 if there is none.
static int64_t entry_at(struct store *s, const struct video *v, int64_t place, struct position *at) {
    sqlite3_stmt *q = store_use(s, SQL_ENTRY_AT);
    sqlite3_bind_int64(q, 1, video_entry_n(v, place));
    sqlite3_bind_int64(q, 2, video_entry_n(v, LAST_PLACE));
    if (!store_row(s, q)) return 0;
    int64_t found = sqlite3_column_int64(q, 0) & LAST_PLACE;
    at->epoch = (uint64_t)sqlite3_column_int64(q, 1);
    at->seq = (uint64_t)sqlite3_column_int64(q, 2);
    store_end(q);
    return found;
}

// Deletes entries below a place. Returns whether none of them is left.
static bool trim(struct store *s, const struct video *v, int64_t keep) {
    struct position unused;
    int64_t oldest = entry_at(s, v, 1, &unused);
    if (!oldest || oldest >= keep) return true;
    int64_t end = oldest + TRIM_MOST < keep ? oldest + TRIM_MOST : keep;
    delete_places(s, v, oldest, end - 1);
    return end == keep;
}

bool log_clear(struct store *s, const struct video *v) {
    return trim(s, v, v->logged + 1);
}

void log_append(struct store *s, struct request *r) {
    struct video *v = video_find(s, r->name);
    if (v && r->in.append.token && find_token(s, v, r)) return;
    if (!v) v = video_find_or_add(s, r->name, &r->status);
    if (!v) return;
    if (v->logged == LAST_PLACE) {
        r->status = ENGINE_FULL;
        return;
    }
    struct engine_entry *e = &r->out.append.entry;
    e->kind = r->in.append.kind;
    number(s, v, e);
    write_json(r, e);
    add_entry(s, v, e);
    if (r->in.append.token) add_token(s, v, r);
    if (e->kind == ENTRY_COMMENT) s->totals.comments++;
    if (v->logged % TRIM_EVERY == 0) trim(s, v, first_kept(s, v));
    video_mark_used(s, v);
}

// Reading

void log_head(struct store *s, struct request *r) {
    struct video *v = video_find_or_add(s, r->name, &r->status);
    if (!v) return;
    if (!position_is_set(v->at)) video_begin_epoch(s, v);
    video_mark_used(s, v);
    r->out.head = v->at;
}

// Finds where in [from, logged + 1] the entries after a position of an earlier epoch begin.
static int64_t search(struct store *s, const struct video *v, int64_t from, struct position after) {
    int64_t to = v->logged + 1;
    while (from < to) {
        int64_t middle = from + (to - from) / 2;
        struct position at;
        int64_t place = entry_at(s, v, middle, &at);
        if (!place || position_compare(at, after) > 0)
            to = middle;
        else
            from = place + 1;
    }
    return from;
}

// The place of the first kept entry after a position. Numbers have no holes within an epoch, so in the
// present one it can be computed.
static int64_t place_after(struct store *s, const struct video *v, struct position after) {
    int64_t from = first_kept(s, v);
    if (position_compare(after, v->at) >= 0) return v->logged + 1;
    if (!position_is_set(after)) return from;
    if (after.epoch < v->at.epoch) return search(s, v, from, after);
    int64_t place = v->logged - (int64_t)(v->at.seq - after.seq) + 1;
    return place > from ? place : from;
}

static void read_range(struct store *s, const struct video *v, struct request *r) {
    struct engine_range *out = &r->out.range;
    int64_t from = place_after(s, v, r->in.range.after);
    if (from > v->logged) return;
    size_t there = (size_t)(v->logged + 1 - from);
    size_t room = r->in.range.limit < there ? r->in.range.limit : there;
    struct engine_entry *entries = request_hold(r, room * sizeof *entries);
    sqlite3_stmt *q = store_use(s, SQL_ENTRY_RANGE);
    sqlite3_bind_int64(q, 1, video_entry_n(v, from));
    sqlite3_bind_int64(q, 2, video_entry_n(v, v->logged));
    sqlite3_bind_int64(q, 3, log_oldest_ms(s));
    sqlite3_bind_int64(q, 4, (int64_t)room + 1);
    while (!out->more && store_row(s, q)) {
        if (out->count == room)
            out->more = true;
        else
            entries[out->count++] = log_read_entry(q, r);
    }
    store_end(q);
    out->entries = entries;
}

void log_range(struct store *s, struct request *r) {
    struct video *v = video_find(s, r->name);
    if (!v) return;
    r->out.range.head = v->at;
    read_range(s, v, r);
}
