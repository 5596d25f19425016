#include "embedded_log.h"

#include "embedded_gate.h"
#include "embedded_room.h"
#include "embedded_row.h"
#include "embedded_token.h"
#include "embedded_index.h"
#include "engine/numbering.h"

enum { ROW_BYTES = 32 }; // what is stored of an entry beside its body, about

// The bodies of entries that are added are between braces in memory: the object is stored.
static const char *const no_members = &"{}"[1];

static void log_add_row(struct store *s, struct video *v, const struct engine_entry *e) {
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
    sqlite3_bind_text(q, 12, e->body - 1, (int)e->body_len + 2, SQLITE_STATIC); // with braces
    sqlite3_bind_int(q, 13, row_checksum(e));
    sqlite3_bind_int64(q, 14, v->bytes += ROW_BYTES + (int64_t)e->body_len);
    store_run(s, q);
    v->newest = n;
    index_add(s, v, n);
    if ((uint64_t)v->logged > s->config.limits.log_entries) s->entries_swept.beyond++;
}

// Returns whether there was a loss; its tombstone is then to be published.
static bool log_announce_loss(struct store *s, struct video *v, struct position known,
                              struct engine_entry *tombstone) {
    struct position kept;
    *tombstone = (struct engine_entry){0};
    if (!numbering_finds_loss(v->at, v->prev, known, &kept)) return false;
    video_begin_epoch(s, v, known);
    v->prev = (struct position){0};
    v->at.seq = 1;
    *tombstone =
        (struct engine_entry){.at = v->at, .prev = kept, .kind = ENTRY_TOMBSTONE, .body = no_members};
    log_add_row(s, v, tombstone);
    return true;
}

// Appending

// Gives the entry the next number: in the epoch of this run of the engine, which begins with its first
// append.
static void log_number(struct store *s, struct video *v, struct engine_entry *e) {
    if (!v->of_this_run) {
        e->prev = v->prev = v->at;
        video_begin_epoch(s, v, (struct position){0});
    }
    v->at.seq++;
    e->at = v->at;
    video_changed(s, v);
}

void log_add(struct store *s, struct video *v, struct position known, struct engine_entry *loss,
             struct engine_entry *e) {
    log_announce_loss(s, v, known, loss);
    log_number(s, v, e);
    log_add_row(s, v, e);
    video_mark_used(s, v);
}

static bool log_answer_repeat(struct store *s, const struct video *v, struct append_request *a) {
    struct token_first found;
    if (!token_find(s, v, &a->token, &a->request, &found)) return false;
    if (!found.same) a->request.status = ENGINE_KEY_REUSED;
    a->repeated = true;
    a->first = found.first;
    a->entry.at = found.entry.at;
    if (found.first.whole) a->entry = found.entry;
    return true;
}

void log_append(struct store *s, struct request *r) {
    struct append_request *a = (struct append_request *)r;
    if (store_is_lost(s)) {
        r->status = ENGINE_UNAVAILABLE;
        return;
    }
    struct video *v = video_find(s, a->video);
    a->entry = a->asked;
    a->repeated = false;
    if (v && a->has_token && log_answer_repeat(s, v, a)) return;
    bool holds = a->has_gate && a->gate.checks == GATE_HOLD, is_new = !v;
    if (is_new && holds) v = room_find_or_add(s, a->video, &r->status);
    if (is_new && holds && !v) return;
    if (v && a->has_gate && !gate_admits(s, v, a)) return;
    if (!v) v = room_find_or_add(s, a->video, &r->status);
    if (!v) return;
    log_add(s, v, a->known, &a->loss, &a->entry);
    if (a->has_token) token_add(s, v, &a->token, a->entry.at);
}

// The position

void log_head(struct store *s, struct request *r) {
    struct head_request *h = (struct head_request *)r;
    struct video *v = room_find_or_add(s, h->video, &r->status);
    if (!v) return;
    struct position before = v->at;
    h->answer = (struct engine_head){0};
    if (log_announce_loss(s, v, h->known, &h->loss))
        h->answer.before = before;
    else if (!position_is_set(v->at))
        video_begin_epoch(s, v, (struct position){0});
    video_mark_used(s, v);
    h->answer.at = v->at;
    h->answer.over = gate_is_over(s, v);
}

// Reading

// An entry must be the video's own, with a higher number than the one before. A damaged one is left out, and
// becomes a gap.
static bool log_read_entry(struct store *s, sqlite3_stmt *q, struct range_request *r, const struct video *v,
                           struct position after, struct engine_entry *e) {
    const struct engine_range *out = &r->answer;
    struct position before = out->count ? out->entries[out->count - 1].at : after;
    if (!row_read(s, q, &r->request, e)) return false;
    bool own = sqlite3_column_int64(q, 8) == v->id;
    if (own && position_compare(e->at, before) > 0 && position_compare(e->at, v->at) <= 0) return true;
    store_found_damage(s, "a log entry is out of place");
    return false;
}

// Reads from index `i` of the video's entry index up to `end`, at most as many as there is room for. What has
// expired or is already deleted is at the beginning; *expired is the index behind it. Returns where it
// stopped.
static size_t log_read_entries(struct store *s, struct range_request *r, struct video *v,
                               struct position after, size_t i, size_t end, size_t room, size_t *expired) {
    struct engine_range *out = &r->answer;
    struct engine_entry *entries = request_hold(&r->request, room * sizeof *entries);
    sqlite3_stmt *q = store_use(s, SQL_ENTRY_READ);
    out->entries = entries;
    *expired = 0;
    for (; i < end && out->count < room; i++) {
        sqlite3_bind_int64(q, 1, v->index.rows[i]);
        bool there = store_row(s, q);
        if (there && !store_expired(s, sqlite3_column_int64(q, 7))) {
            if (r->at_ms) r->at_ms[out->count] = sqlite3_column_int64(q, 7);
            out->count += log_read_entry(s, q, r, v, after, &entries[out->count]);
        } else if (!s->failure.code && !out->count) {
            *expired = i + 1;
        }
        if (there) store_end(q);
        store_skip_damage(s);
    }
    return i;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

void log_range(struct store *s, struct request *request) {
    struct range_request *r = (struct range_request *)request;
    struct video *v = video_find(s, r->video);
    r->answer = (struct engine_range){0};
    if (!v) return;
    r->answer.head = v->at;
    if (position_compare(r->from, v->at) >= 0) return;
    size_t first = index_reach(s, v, r->from), end = v->index.count, expired;
    size_t stop = log_read_entries(s, r, v, r->from, first, end, least(r->limit, end - first), &expired);
    r->answer.more = stop < end;
    if (!s->failure.code) index_drop(&v->index, expired);
}

// One entry more than the limit is read, which tells whether there are more.
void log_range_before(struct store *s, struct request *request) {
    struct range_request *r = (struct range_request *)request;
    struct engine_range *out = &r->answer;
    struct video *v = video_find(s, r->video);
    *out = (struct engine_range){0};
    if (!v) return;
    out->head = v->at;
    size_t limit = least(r->limit, (size_t)v->logged), end, expired;
    size_t first = index_reach_before(s, v, r->from, limit + 1, &end);
    log_read_entries(s, r, v, (struct position){0}, first, end, end - first, &expired);
    out->more = end - first > limit && expired <= first;
    if (out->count > limit) {
        out->count--;
        out->entries++;
    }
    if (!s->failure.code) index_drop(&v->index, expired);
}
