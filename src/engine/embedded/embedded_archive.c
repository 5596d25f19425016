#include "embedded_archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "embedded_log.h"
#include "embedded_row.h"
#include "embedded_scrub.h"
#include "embedded_video.h"
#include "engine/local.h"
#include "engine/numbering.h"

enum { VIDEOS_AT_ONCE = 64 };

_Static_assert(ENTRY_START == 5, "as in SQL_ARCHIVE_STARTS");

static int64_t archive_oldest_ms(const struct store *s) {
    return s->use_ms - s->config.archive_ms;
}

// Binds a position to two parameters.
static void bind_position(sqlite3_stmt *q, int at, struct position p) {
    sqlite3_bind_int64(q, at, (int64_t)p.epoch);
    sqlite3_bind_int64(q, at + 1, (int64_t)p.seq);
}

static struct position column_position(sqlite3_stmt *q, int column) {
    return (struct position){(uint64_t)sqlite3_column_int64(q, column),
                             (uint64_t)sqlite3_column_int64(q, column + 1)};
}

static int64_t archive_number(struct store *s, enum statement which) {
    sqlite3_stmt *q = store_use(s, which);
    int64_t value = 0;
    if (!store_row(s, q)) return 0;
    value = sqlite3_column_int64(q, 0);
    store_end(q);
    return value;
}

void archive_load(struct store *s) {
    s->totals.archived = (uint64_t)archive_number(s, SQL_ARCHIVE_LAST);
    s->purges_wait = true; // perhaps: the first slice looks
}

// Copying

bool archive_is_behind(const struct store *s) {
    return s->config.archive_ms && s->totals.archived < s->totals.entries;
}

static void archive_run_step(struct store *s, enum statement which, int64_t from, int64_t to) {
    sqlite3_stmt *q = store_use(s, which);
    sqlite3_bind_int64(q, 1, from);
    sqlite3_bind_int64(q, 2, to);
    if (which != SQL_ARCHIVE_STARTS) sqlite3_bind_int64(q, 3, archive_oldest_ms(s));
    store_run(s, q);
}

void archive_copy(struct store *s) {
    if (!archive_is_behind(s) || s->failure.code) return;
    int64_t from = (int64_t)s->totals.archived, to = (int64_t)s->totals.entries;
    if (to - from > ARCHIVE_COPIED) to = from + ARCHIVE_COPIED;
    archive_run_step(s, SQL_ARCHIVE_NAMES, from, to);
    archive_run_step(s, SQL_ARCHIVE_COPY, from, to);
    archive_run_step(s, SQL_ARCHIVE_STARTS, from, to);
    s->totals.archived = (uint64_t)to;
}

// Finding

// Returns the video's number here; 0: there is none.
static int64_t archive_video(struct store *s, const char *name, int64_t *origin_ms) {
    sqlite3_stmt *q = store_use(s, SQL_ARCHIVE_VIDEO);
    store_bind_text(q, 1, name);
    if (!store_row(s, q)) return 0;
    int64_t id = sqlite3_column_int64(q, 0);
    if (origin_ms) *origin_ms = sqlite3_column_int64(q, 1);
    store_end(q);
    return id;
}

static void archive_blank_in(struct store *s, enum statement which, int64_t n, int32_t checksum) {
    sqlite3_stmt *q = store_use(s, which);
    sqlite3_bind_int64(q, 1, n);
    sqlite3_bind_int(q, 2, ENTRY_BLANK);
    sqlite3_bind_int(q, 3, checksum);
    store_run(s, q);
}

// What the log does not keep any more may not have been removed from its table yet.
static void archive_blank_row(struct store *s, int64_t n, const struct engine_entry *e) {
    struct engine_entry blank = {.at = e->at, .prev = e->prev, .kind = ENTRY_BLANK, .body = ""};
    archive_blank_in(s, SQL_ARCHIVE_BLANK, n, row_checksum(&blank));
    archive_blank_in(s, SQL_ENTRY_BLANK, n, row_checksum(&blank));
}

enum archive_outcome archive_blank(struct store *s, const char *video, struct position at,
                                   struct request *r) {
    struct engine_entry e;
    enum archive_outcome none = archive_is_behind(s) ? ARCHIVE_BEHIND : ARCHIVE_NONE;
    int64_t id = archive_video(s, video, NULL);
    sqlite3_stmt *q = store_use(s, SQL_ARCHIVE_FIND);
    sqlite3_bind_int64(q, 1, id);
    bind_position(q, 2, at);
    sqlite3_bind_int64(q, 4, archive_oldest_ms(s));
    if (!id || !store_row(s, q)) return none;
    int64_t n = sqlite3_column_int64(q, 7);
    bool sound = row_read(s, q, r, &e);
    store_end(q);
    if (!sound || (e.kind != ENTRY_COMMENT && e.kind != ENTRY_BLANK)) return ARCHIVE_NONE;
    if (e.kind == ENTRY_BLANK) return ARCHIVE_BLANK;
    archive_blank_row(s, n, &e);
    return ARCHIVE_BLANKED;
}

// Purging

static struct position archive_newest(struct store *s, int64_t id) {
    sqlite3_stmt *q = store_use(s, SQL_ARCHIVE_NEWEST);
    sqlite3_bind_int64(q, 1, id);
    if (!store_row(s, q)) return (struct position){0};
    struct position newest = column_position(q, 0);
    store_end(q);
    return newest;
}

static void archive_add_video(struct store *s, const char *video, int64_t origin_ms) {
    sqlite3_stmt *q = store_use(s, SQL_ARCHIVE_NAME);
    store_bind_text(q, 1, video);
    sqlite3_bind_int64(q, 2, origin_ms);
    store_run(s, q);
}

// Rows that are not copied yet, of which the log shows nothing any more, come here with their texts: it
// concerns them as well.
void archive_purge(struct store *s, const char *video, const char *user) {
    const struct video *v = archive_is_behind(s) ? video_find(s, video) : NULL;
    if (v) archive_add_video(s, video, 0);
    int64_t id = archive_video(s, video, NULL);
    struct position newest = id ? archive_newest(s, id) : (struct position){0};
    if (v) newest = position_max(newest, v->at);
    if (!position_is_set(newest)) return;
    sqlite3_stmt *q = store_use(s, SQL_PURGE_ADD);
    sqlite3_bind_int64(q, 1, id);
    store_bind_text(q, 2, user);
    bind_position(q, 3, newest);
    store_run(s, q);
    scrub_note(s);
    s->purges_wait = true;
}

void archive_purge_all(struct store *s, const char *user) {
    sqlite3_stmt *q = store_use(s, SQL_PURGE_ADD_ALL);
    store_bind_text(q, 1, user);
    store_run(s, q);
    scrub_note(s);
    s->purges_wait = true;
}

struct purge {
    int64_t n, video;
    char user[ENGINE_VIDEO_MAX + 1];
    struct position to, done;
};

static bool archive_first_purge(struct store *s, struct purge *p) {
    sqlite3_stmt *q = store_use(s, SQL_PURGE_FIRST);
    if (!store_row(s, q)) return false;
    const char *user = store_text(s, q, 2);
    *p = (struct purge){.n = sqlite3_column_int64(q, 0),
                        .video = sqlite3_column_int64(q, 1),
                        .to = column_position(q, 3),
                        .done = column_position(q, 5)};
    if (user) memccpy(p->user, user, 0, sizeof p->user);
    p->user[sizeof p->user - 1] = 0;
    store_end(q);
    return user != NULL;
}

struct found_row {
    int64_t n;
    struct position at, prev;
};

// Looks at the next rows of a purge, and finds those that are the user's.
static size_t archive_read_purged(struct store *s, struct purge *p, struct found_row found[ARCHIVE_SLICE],
                                  size_t *looked_at) {
    size_t count = 0;
    sqlite3_stmt *q = store_use(s, SQL_PURGE_ROWS);
    sqlite3_bind_int64(q, 1, p->video);
    bind_position(q, 2, p->done);
    bind_position(q, 4, p->to);
    sqlite3_bind_int(q, 6, ARCHIVE_SLICE);
    for (*looked_at = 0; store_row(s, q); ++*looked_at) {
        struct engine_entry e;
        bool sound = row_look(q, &e);
        p->done = column_position(q, 1);
        if (!sound || !entry_is_by(&e, p->user)) continue;
        found[count++] = (struct found_row){sqlite3_column_int64(q, 7), e.at, e.prev};
    }
    return count;
}

// Overwrites a slice of a purge, once all that it concerns is here. Returns whether there is more to do.
static bool archive_purge_slice(struct store *s) {
    struct purge p;
    struct found_row found[ARCHIVE_SLICE];
    size_t looked_at;
    if (!s->purges_wait || archive_is_behind(s)) return false;
    s->purges_wait = archive_first_purge(s, &p) || s->failure.code;
    if (!s->purges_wait || s->failure.code) return false;
    size_t count = archive_read_purged(s, &p, found, &looked_at);
    for (size_t i = 0; i < count; i++)
        archive_blank_row(s, found[i].n, &(struct engine_entry){.at = found[i].at, .prev = found[i].prev});
    sqlite3_stmt *q = store_use(s, looked_at < ARCHIVE_SLICE ? SQL_PURGE_DROP : SQL_PURGE_STEP);
    sqlite3_bind_int64(q, 1, p.n);
    if (looked_at == ARCHIVE_SLICE) bind_position(q, 2, p.done);
    store_run(s, q);
    scrub_note(s);
    return true;
}

// Following another store's log

struct position archive_position(struct store *s, const char *video) {
    int64_t id = archive_video(s, video, NULL);
    return id ? archive_newest(s, id) : (struct position){0};
}

// Returns whether it was not there.
static bool archive_add_row(struct store *s, int64_t id, const struct engine_entry *e, int64_t at_ms) {
    sqlite3_stmt *q = store_use(s, SQL_ARCHIVE_ADD);
    sqlite3_bind_int64(q, 1, id);
    sqlite3_bind_int64(q, 2, at_ms);
    sqlite3_bind_int(q, 3, (int)e->kind);
    bind_position(q, 4, e->at);
    bind_position(q, 6, e->prev);
    sqlite3_bind_text(q, 8, e->body - 1, (int)e->body_len + 2, SQLITE_STATIC);
    sqlite3_bind_int(q, 9, row_checksum(e));
    return store_run(s, q) && sqlite3_changes(s->db) == 1;
}

static void archive_set_origin(struct store *s, int64_t id, int64_t at_ms) {
    sqlite3_stmt *q = store_use(s, SQL_ARCHIVE_ORIGIN);
    sqlite3_bind_int64(q, 1, id);
    sqlite3_bind_int64(q, 2, at_ms);
    store_run(s, q);
}

void archive_add(struct store *s, const char *video, const struct engine_entry *e, int64_t at_ms,
                 struct request *r) {
    struct position target;
    char user[ENGINE_VIDEO_MAX + 1];
    if (at_ms < archive_oldest_ms(s)) return;
    archive_add_video(s, video, at_ms);
    int64_t id = archive_video(s, video, NULL);
    if (!archive_add_row(s, id, e, at_ms)) return;
    if (e->kind == ENTRY_START) archive_set_origin(s, id, at_ms);
    if (e->kind == ENTRY_PURGE && entry_user(e, user, sizeof user)) archive_purge(s, video, user);
    if (e->kind == ENTRY_RETRACT && entry_target(e, &target)) archive_blank(s, video, target, r);
    if (e->kind == ENTRY_RETRACT) scrub_note(s);
}

// Expiring. Rows are in the order in which they came; one that is out of it goes with the one before.

static bool archive_remove_oldest(struct store *s) {
    int64_t gone = 0, oldest_ms = archive_oldest_ms(s);
    size_t count = 0, old = 0;
    sqlite3_stmt *q = store_use(s, SQL_ARCHIVE_OLDEST);
    sqlite3_bind_int(q, 1, ARCHIVE_SLICE);
    while (store_row(s, q)) {
        bool is_old = !s->config.archive_ms || sqlite3_column_int64(q, 1) < oldest_ms;
        if (is_old && old == count) {
            gone = sqlite3_column_int64(q, 0);
            old++;
        }
        count++;
    }
    if (!gone) return false;
    q = store_use(s, SQL_ARCHIVE_DELETE);
    sqlite3_bind_int64(q, 1, gone);
    store_run(s, q);
    return old == ARCHIVE_SLICE;
}

// Goes through the videos, some in each slice.
static void archive_drop_empty(struct store *s) {
    int64_t from = s->archive_looked_at;
    sqlite3_stmt *q = store_use(s, SQL_ARCHIVE_DROP_EMPTY);
    sqlite3_bind_int64(q, 1, from);
    sqlite3_bind_int64(q, 2, from + VIDEOS_AT_ONCE);
    store_run(s, q);
    bool is_last = from + VIDEOS_AT_ONCE >= archive_number(s, SQL_ARCHIVE_LAST_VIDEO);
    s->archive_looked_at = is_last ? 0 : from + VIDEOS_AT_ONCE;
}

bool archive_sweep(struct store *s) {
    bool more = archive_purge_slice(s);
    more |= archive_remove_oldest(s);
    if (!archive_is_behind(s)) archive_drop_empty(s);
    return more || archive_is_behind(s);
}

// Reading

// Returns the position in front of the first entry of an epoch that was logged at that time or later; times
// go up with numbers. Not set: there is none.
static struct position archive_seek_in(struct store *s, int64_t id, uint64_t epoch, int64_t from_ms) {
    sqlite3_stmt *q = store_use(s, SQL_ARCHIVE_EPOCH_END);
    sqlite3_bind_int64(q, 1, id);
    sqlite3_bind_int64(q, 2, (int64_t)epoch);
    if (!store_row(s, q)) return (struct position){0};
    int64_t low = 0, high = sqlite3_column_int64(q, 0);
    bool is_there = sqlite3_column_int64(q, 1) >= from_ms;
    store_end(q);
    if (!is_there) return (struct position){0};
    while (low < high && !s->failure.code) { // the first one has a number above low, and not above high
        int64_t middle = low + (high - low) / 2;
        q = store_use(s, SQL_ARCHIVE_SEEK);
        sqlite3_bind_int64(q, 1, id);
        sqlite3_bind_int64(q, 2, (int64_t)epoch);
        sqlite3_bind_int64(q, 3, middle);
        if (!store_row(s, q)) break;
        int64_t seq = sqlite3_column_int64(q, 0);
        bool is_early = sqlite3_column_int64(q, 1) < from_ms;
        store_end(q);
        if (is_early)
            low = seq + 1;
        else
            high = middle;
    }
    return (struct position){epoch, (uint64_t)(low ? low - 1 : 0)};
}

static struct position archive_seek(struct store *s, int64_t id, struct position after, int64_t from_ms) {
    int64_t epoch = after.epoch ? (int64_t)after.epoch - 1 : 0;
    for (;;) {
        sqlite3_stmt *q = store_use(s, SQL_ARCHIVE_EPOCH);
        sqlite3_bind_int64(q, 1, id);
        sqlite3_bind_int64(q, 2, epoch);
        if (!store_row(s, q)) return position_max(after, archive_newest(s, id));
        epoch = sqlite3_column_int64(q, 0);
        store_end(q);
        struct position found = archive_seek_in(s, id, (uint64_t)epoch, from_ms);
        if (position_is_set(found)) return position_max(after, found);
    }
}

// Returns what has been purged and is not overwritten yet, for the caller to free.
static struct purge *archive_read_purges(struct store *s, int64_t id, size_t *count) {
    struct purge *list = NULL;
    sqlite3_stmt *q = store_use(s, SQL_PURGE_OF);
    sqlite3_bind_int64(q, 1, id);
    for (*count = 0; store_row(s, q);) {
        const char *user = store_text(s, q, 0);
        list = mem_realloc(list, (*count + 1) * sizeof *list);
        list[*count].to = column_position(q, 1);
        if (user) snprintf(list[(*count)++].user, sizeof list->user, "%s", user);
    }
    return list;
}

static bool is_purged(const struct purge *list, size_t count, const struct engine_entry *e) {
    for (size_t i = 0; i < count; i++)
        if (position_compare(e->at, list[i].to) <= 0 && entry_is_by(e, list[i].user)) return true;
    return false;
}

static void archive_read(struct store *s, struct replay_request *r, int64_t id) {
    struct engine_range *out = &r->range.answer;
    size_t purged;
    struct purge *purges = archive_read_purges(s, id, &purged);
    struct engine_entry *entries = request_hold(&r->range.request, r->range.limit * sizeof *entries);
    if (r->from_ms) r->range.from = archive_seek(s, id, r->range.from, r->from_ms);
    sqlite3_stmt *q = store_use(s, SQL_ARCHIVE_AFTER);
    sqlite3_bind_int64(q, 1, id);
    bind_position(q, 2, r->range.from);
    sqlite3_bind_int64(q, 4, archive_oldest_ms(s));
    sqlite3_bind_int64(q, 5, (int64_t)r->range.limit);
    out->entries = entries;
    while (store_row(s, q)) {
        struct engine_entry *e = &entries[out->count];
        if (!row_read(s, q, &r->range.request, e)) {
            store_skip_damage(s);
            continue;
        }
        if (purged && is_purged(purges, purged, e))
            *e = (struct engine_entry){.at = e->at, .prev = e->prev, .kind = ENTRY_BLANK, .body = ""};
        r->range.at_ms[out->count++] = sqlite3_column_int64(q, 7);
    }
    free(purges);
}

// What the archive does not have is still in the log, behind what it has.
void archive_replay(struct store *s, struct request *request) {
    struct replay_request *r = (struct replay_request *)request;
    struct range_request *range = &r->range;
    r->origin_ms = 0;
    range->answer = (struct engine_range){0};
    range->at_ms = request_hold(request, range->limit * sizeof *range->at_ms);
    int64_t id = s->config.archive_ms ? archive_video(s, range->video, &r->origin_ms) : 0;
    if (id) archive_read(s, r, id);
    const struct video *v = video_find(s, range->video);
    struct position head = id ? archive_newest(s, id) : (struct position){0};
    if (v) head = position_max(head, v->at);
    if (range->answer.count) {
        struct position last = range->answer.entries[range->answer.count - 1].at;
        range->answer.more = range->answer.count == range->limit || position_compare(last, head) < 0;
    } else {
        log_range(s, request);
    }
    range->answer.head = head;
}

// In the order of their names.
void archive_videos(struct store *s, struct request *request) {
    struct videos_request *r = (struct videos_request *)request;
    const char **names = request_hold(request, ENGINE_VIDEOS * sizeof *names);
    sqlite3_stmt *q = store_use(s, SQL_VIDEO_NAMES);
    store_bind_text(q, 1, r->cursor);
    sqlite3_bind_int(q, 2, ENGINE_VIDEOS);
    r->answer = (struct engine_videos){.names = names};
    while (store_row(s, q)) {
        const char *name = store_text(s, q, 0);
        if (name) names[r->answer.count++] = request_hold_text(request, name, strlen(name));
    }
    if (r->answer.count == ENGINE_VIDEOS) r->answer.next = names[ENGINE_VIDEOS - 1];
}
