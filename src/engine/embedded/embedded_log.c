#include "embedded_log.h"

#include <assert.h>
#include <string.h>

#include "base/json_reader.h"
#include "embedded_engine.h"
#include "embedded_room.h"
#include "embedded_token.h"
#include "embedded_trail.h"

enum { ROW_BYTES = 32 }; // what is stored of an entry beside its body, about

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

bool log_row_is_sound(sqlite3_stmt *q) {
    struct engine_entry e;
    return read_row(q, &e);
}

bool log_read_entry(struct store *s, sqlite3_stmt *q, struct request *r, struct engine_entry *e) {
    if (!read_row(q, e)) {
        store_found_damage(s, "a log entry is malformed");
        return false;
    }
    e->body = request_hold_text(r, e->body, e->body_len);
    return true;
}

// Appending

static void add_row(struct store *s, struct video *v, const struct engine_entry *e) {
    int64_t n = (int64_t)++s->totals.entries;
    if (e->kind == ENTRY_COMMENT) s->totals.comments++;
    sqlite3_stmt *q = store_use(s, SQL_ENTRY_ADD);
    sqlite3_bind_int64(q, 1, n);
    sqlite3_bind_int64(q, 2, v->id);
    sqlite3_bind_int64(q, 3, ++v->logged);
    sqlite3_bind_int64(q, 4, v->newest);
    sqlite3_bind_int64(q, 5, s->use_ms);
    sqlite3_bind_int64(q, 6, (int64_t)s->totals.comments);
    sqlite3_bind_int(q, 7, (int)e->kind);
    sqlite3_bind_int64(q, 8, (int64_t)e->at.epoch);
    sqlite3_bind_int64(q, 9, (int64_t)e->at.seq);
    sqlite3_bind_int64(q, 10, (int64_t)e->prev.epoch);
    sqlite3_bind_int64(q, 11, (int64_t)e->prev.seq);
    sqlite3_bind_text(q, 12, e->body ? e->body : "", (int)e->body_len, SQLITE_STATIC);
    sqlite3_bind_int64(q, 13, v->bytes += ROW_BYTES + (int64_t)e->body_len);
    store_run(s, q);
    v->newest = n;
    trail_add(s, v, n);
    if ((uint64_t)v->logged > s->config.limits.log_entries) s->entries_swept.beyond++;
}

// Whether the caller knows of entries that the store has lost; *kept is where the loss begins, not set if
// nothing is left. The entries of a lower epoch than it knows may be younger than what was lost.
static bool find_loss(const struct video *v, struct position known, struct position *kept) {
    *kept = v->at;
    if (!position_is_plausible(known)) return false;
    if (known.epoch == v->at.epoch) return known.seq > v->at.seq;
    if (known.epoch > v->at.epoch) {
        kept->seq = 0;
        return true;
    }
    *kept = v->prev;
    return position_is_set(v->prev) && position_compare(known, v->prev) > 0;
}

static bool announce_loss(struct store *s, struct video *v, struct request *r, struct position known) {
    struct position kept;
    if (!find_loss(v, known, &kept)) return false;
    video_begin_epoch(s, v, known);
    v->prev = (struct position){0};
    v->at.seq = 1;
    r->loss = (struct engine_entry){.at = v->at, .prev = kept, .kind = ENTRY_TOMBSTONE};
    add_row(s, v, &r->loss);
    return true;
}

// Gives the entry the next number: in the epoch of this run of the engine, which begins with its first
// append.
static void number(struct store *s, struct video *v, struct engine_entry *e) {
    if (v->run != s->run) {
        e->prev = v->prev = v->at;
        video_begin_epoch(s, v, (struct position){0});
    }
    v->at.seq++;
    e->at = v->at;
    video_changed(s, v);
}

static void log_append(struct store *s, struct request *r) {
    struct video *v = video_find(s, r->name);
    struct engine_entry *e = &r->out.append.entry;
    if (store_is_lost(s)) {
        r->status = ENGINE_UNAVAILABLE;
        return;
    }
    e->kind = r->in.append.kind;
    e->body = r->in.append.body;
    e->body_len = r->in.append.body_len;
    if (v && r->in.append.has_token && token_find(s, v, r)) return;
    if (!v) v = room_find_or_add(s, r->name, &r->status);
    if (!v) return;
    announce_loss(s, v, r, r->in.append.known);
    number(s, v, e);
    add_row(s, v, e);
    if (r->in.append.has_token) token_add(s, v, r);
    video_mark_used(s, v);
}

// Reading

static void log_head(struct store *s, struct request *r) {
    struct video *v = room_find_or_add(s, r->name, &r->status);
    if (!v) return;
    struct position before = v->at;
    if (announce_loss(s, v, r, r->in.known))
        r->out.head.before = before;
    else if (!position_is_set(v->at))
        video_begin_epoch(s, v, (struct position){0});
    video_mark_used(s, v);
    r->out.head.at = v->at;
}

// An entry must be the video's own, with a higher number than the one before. A damaged one is left out, and
// becomes a gap.
static bool read_own_entry(struct store *s, sqlite3_stmt *q, struct request *r, const struct video *v,
                           struct engine_entry *e) {
    const struct engine_range *out = &r->out.range;
    struct position before = out->count ? out->entries[out->count - 1].at : r->in.range.after;
    if (!log_read_entry(s, q, r, e)) return false;
    bool own = sqlite3_column_int64(q, 8) == v->id;
    if (own && position_compare(e->at, before) > 0 && position_compare(e->at, v->at) <= 0) return true;
    store_found_damage(s, "a log entry is out of place");
    return false;
}

// Reads from index `i` of the video's trail on. What has expired, or is gone already, lies at the beginning.
static void read_entries(struct store *s, struct request *r, struct video *v, size_t i,
                         struct engine_entry *entries) {
    struct engine_range *out = &r->out.range;
    struct trail *t = &v->trail;
    sqlite3_stmt *q = store_use(s, SQL_ENTRY_READ);
    size_t expired = 0;
    for (; i < t->count && out->count < r->in.range.limit; i++) {
        sqlite3_bind_int64(q, 1, t->rows[i]);
        bool there = store_row(s, q);
        if (there && !store_expired(s, sqlite3_column_int64(q, 7)))
            out->count += read_own_entry(s, q, r, v, &entries[out->count]);
        else if (!s->failure.code && !out->count)
            expired = i + 1;
        if (there) store_end(q);
        store_skip_damage(s);
    }
    out->more = i < t->count;
    if (!s->failure.code) trail_drop(t, expired);
}

static void log_range(struct store *s, struct request *r) {
    struct engine_range *out = &r->out.range;
    struct video *v = video_find(s, r->name);
    if (!v) return;
    out->head = v->at;
    if (position_compare(r->in.range.after, v->at) >= 0) return;
    size_t first = trail_reach(s, v, r->in.range.after);
    size_t there = v->trail.count - first;
    size_t room = r->in.range.limit < there ? r->in.range.limit : there;
    struct engine_entry *entries = request_hold(r, room * sizeof *entries);
    out->entries = entries;
    read_entries(s, r, v, first, entries);
}

// On the control loop

static void call_back_append(struct embedded *e, struct request *r) {
    const struct engine_entry *entry = r->status == ENGINE_OK ? &r->out.append.entry : NULL;
    bool repeated = entry && r->out.append.repeated;
    r->on.append(r->arg, r->status, entry, repeated ? &r->out.append.first : NULL);
    if (!entry || repeated) return;
    embedded_publish(e, r->name, &r->loss);
    embedded_publish(e, r->name, entry);
}

static void call_back_head(struct embedded *e, struct request *r) {
    r->on.head(r->arg, r->status, r->status == ENGINE_OK ? &r->out.head : NULL);
    if (r->status == ENGINE_OK) embedded_publish(e, r->name, &r->loss);
}

static void call_back_range(struct embedded *e, struct request *r) {
    (void)e;
    r->on.range(r->arg, r->status, r->status == ENGINE_OK ? &r->out.range : NULL);
}

void embedded_append(struct engine *engine, const struct engine_append *a, engine_append_cb *cb, void *arg) {
    const char *old_token = a->token ? a->token->old_name : NULL;
    assert(a->body_len ? a->kind != ENTRY_TOMBSTONE : a->kind != ENTRY_COMMENT);
    size_t room = request_copy_size(a->video) + request_copy_size(old_token) + a->body_len;
    struct request *r = request_new(sizeof *r, room, log_append, call_back_append, arg);
    r->name = request_copy(r, a->video);
    r->in.append.kind = a->kind;
    r->in.append.has_token = a->token != NULL;
    if (a->token) r->in.append.token = *a->token;
    r->in.append.old_token = request_copy(r, old_token);
    r->in.append.known = a->known;
    char *body = request_room(r, a->body_len);
    if (a->body_len) memcpy(body, a->body, a->body_len);
    r->in.append.body = body;
    r->in.append.body_len = a->body_len;
    r->on.append = cb;
    embedded_push(engine, r);
}

void embedded_head(struct engine *engine, const char *video, struct position known, engine_head_cb *cb,
                   void *arg) {
    struct request *r = request_new(sizeof *r, request_copy_size(video), log_head, call_back_head, arg);
    r->name = request_copy(r, video);
    r->in.known = known;
    r->on.head = cb;
    embedded_push(engine, r);
}

void embedded_range(struct engine *engine, const char *video, struct position after, size_t limit,
                    engine_range_cb *cb, void *arg) {
    struct request *r = request_new(sizeof *r, request_copy_size(video), log_range, call_back_range, arg);
    r->name = request_copy(r, video);
    r->in.range.after = after;
    r->in.range.limit = limit;
    r->on.range = cb;
    embedded_push(engine, r);
}
