#include "embedded_log.h"

#include <assert.h>
#include <string.h>

#include "embedded_engine.h"
#include "embedded_room.h"
#include "embedded_row.h"
#include "embedded_token.h"
#include "embedded_trail.h"
#include "engine/numbering.h"

enum { ROW_BYTES = 32 }; // what is stored of an entry beside its body, about

// The bodies of entries that are added stand in braces, as an object: it is stored like that.
static const char *const no_members = &"{}"[1];

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
    sqlite3_bind_text(q, 12, e->body - 1, (int)e->body_len + 2, SQLITE_STATIC); // with its braces
    sqlite3_bind_int64(q, 13, v->bytes += ROW_BYTES + (int64_t)e->body_len);
    store_run(s, q);
    v->newest = n;
    trail_add(s, v, n);
    if ((uint64_t)v->logged > s->config.limits.log_entries) s->entries_swept.beyond++;
}

// Returns whether there was a loss; its tombstone is then to be published.
static bool announce_loss(struct store *s, struct video *v, struct position known,
                          struct engine_entry *tombstone) {
    struct position kept;
    *tombstone = (struct engine_entry){0};
    if (!numbering_finds_loss(v->at, v->prev, known, &kept)) return false;
    video_begin_epoch(s, v, known);
    v->prev = (struct position){0};
    v->at.seq = 1;
    *tombstone =
        (struct engine_entry){.at = v->at, .prev = kept, .kind = ENTRY_TOMBSTONE, .body = no_members};
    add_row(s, v, tombstone);
    return true;
}

// Appending

struct append {
    struct request request; // first
    const char *video;
    struct engine_entry asked; // kind and body
    bool has_token;
    struct engine_token token;
    struct position known;
    engine_append_cb *cb;

    struct engine_entry entry; // the answer
    struct engine_entry loss;  // published before it; `at` not set: none
    struct engine_first first; // if repeated
    bool repeated;             // it is an earlier append's: nothing to publish
};

// Gives the entry the next number: in the epoch of this run of the engine, which begins with its first
// append.
static void number(struct store *s, struct video *v, struct engine_entry *e) {
    if (!v->of_this_run) {
        e->prev = v->prev = v->at;
        video_begin_epoch(s, v, (struct position){0});
    }
    v->at.seq++;
    e->at = v->at;
    video_changed(s, v);
}

static bool answer_repeat(struct store *s, const struct video *v, struct append *a) {
    struct token_first found;
    if (!token_find(s, v, &a->token, &a->request, &found)) return false;
    if (!found.same) a->request.status = ENGINE_KEY_REUSED;
    a->repeated = true;
    a->first = found.first;
    a->entry.at = found.entry.at;
    if (found.first.whole) a->entry = found.entry;
    return true;
}

static void log_append(struct store *s, struct request *r) {
    struct append *a = (struct append *)r;
    if (store_is_lost(s)) {
        r->status = ENGINE_UNAVAILABLE;
        return;
    }
    struct video *v = video_find(s, a->video);
    a->entry = a->asked;
    a->repeated = false;
    if (v && a->has_token && answer_repeat(s, v, a)) return;
    if (!v) v = room_find_or_add(s, a->video, &r->status);
    if (!v) return;
    announce_loss(s, v, a->known, &a->loss);
    number(s, v, &a->entry);
    add_row(s, v, &a->entry);
    if (a->has_token) token_add(s, v, &a->token, a->entry.at);
    video_mark_used(s, v);
}

static void call_back_append(struct embedded *e, struct request *r) {
    const struct append *a = (const struct append *)r;
    bool ok = r->status == ENGINE_OK;
    a->cb(r->arg, r->status, ok ? &a->entry : NULL, ok && a->repeated ? &a->first : NULL);
    if (!ok || a->repeated) return;
    embedded_publish(e, a->video, &a->loss);
    embedded_publish(e, a->video, &a->entry);
}

void embedded_append(struct engine *engine, const struct engine_append *asked, engine_append_cb *cb,
                     void *arg) {
    const char *old_name = asked->token ? asked->token->old_name : NULL;
    assert(asked->body_len ? asked->kind != ENTRY_TOMBSTONE : asked->kind != ENTRY_COMMENT);
    size_t room = request_copy_size(asked->video) + request_copy_size(old_name) + asked->body_len + 2;
    struct append *a = request_new(sizeof *a, room, log_append, call_back_append, arg);
    a->video = request_copy(&a->request, asked->video);
    a->has_token = asked->token != NULL;
    if (a->has_token) a->token = *asked->token;
    a->token.old_name = request_copy(&a->request, old_name);
    a->known = asked->known;
    char *body = request_room(&a->request, asked->body_len + 2) + 1;
    if (asked->body_len) memcpy(body, asked->body, asked->body_len);
    body[-1] = '{';
    body[asked->body_len] = '}';
    a->asked = (struct engine_entry){.kind = asked->kind, .body = body, .body_len = asked->body_len};
    a->cb = cb;
    embedded_push(engine, &a->request);
}

// Where it stands

struct head {
    struct request request; // first
    const char *video;
    struct position known;
    engine_head_cb *cb;
    struct engine_head answer;
    struct engine_entry loss; // as in struct append
};

static void log_head(struct store *s, struct request *r) {
    struct head *h = (struct head *)r;
    struct video *v = room_find_or_add(s, h->video, &r->status);
    if (!v) return;
    struct position before = v->at;
    h->answer = (struct engine_head){0};
    if (announce_loss(s, v, h->known, &h->loss))
        h->answer.before = before;
    else if (!position_is_set(v->at))
        video_begin_epoch(s, v, (struct position){0});
    video_mark_used(s, v);
    h->answer.at = v->at;
}

static void call_back_head(struct embedded *e, struct request *r) {
    const struct head *h = (const struct head *)r;
    bool ok = r->status == ENGINE_OK;
    h->cb(r->arg, r->status, ok ? &h->answer : NULL);
    if (ok) embedded_publish(e, h->video, &h->loss);
}

void embedded_head(struct engine *engine, const char *video, struct position known, engine_head_cb *cb,
                   void *arg) {
    struct head *h = request_new(sizeof *h, request_copy_size(video), log_head, call_back_head, arg);
    h->video = request_copy(&h->request, video);
    h->known = known;
    h->cb = cb;
    embedded_push(engine, &h->request);
}

// Reading

struct range {
    struct request request; // first
    const char *video;
    struct position after;
    size_t limit;
    engine_range_cb *cb;
    struct engine_range answer;
};

// An entry must be the video's own, with a higher number than the one before. A damaged one is left out, and
// becomes a gap.
static bool read_own_entry(struct store *s, sqlite3_stmt *q, struct range *r, const struct video *v,
                           struct engine_entry *e) {
    const struct engine_range *out = &r->answer;
    struct position before = out->count ? out->entries[out->count - 1].at : r->after;
    if (!row_read(s, q, &r->request, e)) return false;
    bool own = sqlite3_column_int64(q, 8) == v->id;
    if (own && position_compare(e->at, before) > 0 && position_compare(e->at, v->at) <= 0) return true;
    store_found_damage(s, "a log entry is out of place");
    return false;
}

// Reads from index `i` of the video's trail on. What has expired, or is gone already, lies at the beginning.
static void read_entries(struct store *s, struct range *r, struct video *v, size_t i,
                         struct engine_entry *entries) {
    struct engine_range *out = &r->answer;
    struct trail *t = &v->trail;
    sqlite3_stmt *q = store_use(s, SQL_ENTRY_READ);
    size_t expired = 0;
    for (; i < t->count && out->count < r->limit; i++) {
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

static void log_range(struct store *s, struct request *request) {
    struct range *r = (struct range *)request;
    struct video *v = video_find(s, r->video);
    r->answer = (struct engine_range){0};
    if (!v) return;
    r->answer.head = v->at;
    if (position_compare(r->after, v->at) >= 0) return;
    size_t first = trail_reach(s, v, r->after);
    size_t there = v->trail.count - first;
    size_t room = r->limit < there ? r->limit : there;
    struct engine_entry *entries = request_hold(request, room * sizeof *entries);
    r->answer.entries = entries;
    read_entries(s, r, v, first, entries);
}

static void call_back_range(struct embedded *e, struct request *request) {
    const struct range *r = (const struct range *)request;
    (void)e;
    r->cb(request->arg, request->status, request->status == ENGINE_OK ? &r->answer : NULL);
}

void embedded_range(struct engine *engine, const char *video, struct position after, size_t limit,
                    engine_range_cb *cb, void *arg) {
    struct range *r = request_new(sizeof *r, request_copy_size(video), log_range, call_back_range, arg);
    r->video = request_copy(&r->request, video);
    r->after = after;
    r->limit = limit;
    r->cb = cb;
    embedded_push(engine, &r->request);
}
