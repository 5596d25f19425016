#include "erasure.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amendments.h"
#include "audit.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "comment_core.h"
#include "engine/engine.h"
#include "http/exchange.h"
#include "service/fields.h"
#include "service/json_reply.h"
#include "service/rights.h"

enum { PAGE = 256 };

struct erasure {
    struct comment_api *api;
    struct http_exchange *exchange;
    char user[ID_MAX + 1], cursor[ENGINE_CURSOR_SIZE];
    char note[AUDIT_NOTE_SIZE];
    bool is_last;                           // page of videos
    char videos[ENGINE_VIDEOS][ID_MAX + 1]; // the page
    size_t count, at;
    struct position after;           // in the video
    char (*held)[ROOM_HELD_ID_SIZE]; // of the video, still to be dropped
    size_t held_count;
    uint64_t comments, dropped; // of the video
    uint64_t all_comments, all_dropped, all_videos;
    unsigned looks;                 // at the newest
    bool waits;                     // for its client
    void (*next)(struct erasure *); // after a purge
};

static void erasure_next_video(struct erasure *);

static struct engine *engine_of(const struct erasure *e) {
    return e->api->placed.service.engine;
}

static const char *video_of(const struct erasure *e) {
    return e->videos[e->at];
}

static void erasure_end(struct erasure *e, bool complete) {
    http_end_body(e->exchange, complete);
    e->api->erasure = NULL;
    free(e->held);
    free(e);
}

// Returns whether the store has done what it was asked; if not, the erasure has ended.
static bool erasure_goes_on(struct erasure *e, enum engine_status status) {
    if (status != ENGINE_OK) erasure_end(e, false);
    return status == ENGINE_OK;
}

static void on_erasure_purged(void *arg, enum engine_status status, const struct engine_entry *entry,
                              size_t taken) {
    struct erasure *e = arg;
    (void)entry;
    (void)taken;
    if (erasure_goes_on(e, status)) e->next(e);
}

static void erasure_purge(struct erasure *e, const char *video, void (*next)(struct erasure *)) {
    e->next = next;
    amendment_purge(&e->api->placed.service, video, e->user, e->note, on_erasure_purged, e);
}

// Adds a line. Returns false if it is to go on when there is room, or has ended.
static bool erasure_tell(struct erasure *e, const char *line) {
    enum http_room room = http_add_body(e->exchange, line, strlen(line));
    if (room == HTTP_GONE) erasure_end(e, false);
    if (room == HTTP_NO_ROOM) e->waits = true;
    return room == HTTP_ROOM;
}

// No user is named in the log: it would stay there.
static void erasure_complete(struct erasure *e) {
    char line[256];
    snprintf(line, sizeof line,
             "{\"done\":true,\"videos\":%" PRIu64 ",\"comments\":%" PRIu64 ",\"held\":%" PRIu64 "}\n",
             e->all_videos, e->all_comments, e->all_dropped);
    log_info("comment", "user_erased", "videos=%" PRIu64 " comments=%" PRIu64 " held=%" PRIu64, e->all_videos,
             e->all_comments, e->all_dropped);
    http_add_body(e->exchange, line, strlen(line));
    erasure_end(e, true);
}

// The list of the newest comments may have what no log has any more. A purge of its video takes it out; one
// look for each that is shown is enough.

static void erasure_look_at_newest(struct erasure *e);

// Copies the video of a comment, whose id follows that of its user.
static bool read_video(const struct engine_entry *comment, const char *user, char video[ID_MAX + 1]) {
    static const char name[] = "\",\"videoid\":\"";
    size_t before = strlen("\"userid\":\"") + strlen(user) + strlen(name), len = 0;
    const char *id = comment->body + before;
    if (comment->body_len <= before || memcmp(id - strlen(name), name, strlen(name)) != 0) return false;
    while (before + len < comment->body_len && len < ID_MAX && id[len] != '"') len++;
    memcpy(video, id, len);
    video[len] = 0;
    return len > 0;
}

static void on_erasure_overview(void *arg, enum engine_status status, const struct engine_overview *found) {
    struct erasure *e = arg;
    char video[ID_MAX + 1];
    if (!erasure_goes_on(e, status)) return;
    for (size_t i = 0; i < found->newest_count && e->looks < ENGINE_NEWEST; i++) {
        const struct engine_entry *comment = &found->newest[i];
        if (!entry_is_by(comment, e->user) || !read_video(comment, e->user, video)) continue;
        e->looks++;
        erasure_purge(e, video, erasure_look_at_newest);
        return;
    }
    erasure_complete(e);
}

static void erasure_look_at_newest(struct erasure *e) {
    engine_of(e)->ops->overview(engine_of(e), on_erasure_overview, e);
}

static void erasure_finish_video(struct erasure *e) {
    char line[ID_MAX + 128];
    snprintf(line, sizeof line, "{\"videoid\":\"%s\",\"comments\":%" PRIu64 ",\"held\":%" PRIu64 "}\n",
             video_of(e), e->comments, e->dropped);
    bool is_told = !e->comments && !e->dropped;
    e->all_videos += !is_told;
    e->all_comments += e->comments;
    e->all_dropped += e->dropped;
    e->at++;
    if (is_told || erasure_tell(e, line)) erasure_next_video(e);
}

// What waits

static void erasure_drop_held(struct erasure *e);

static void on_erased_held(void *arg, enum engine_status status, int64_t left) {
    struct erasure *e = arg;
    (void)left;
    if (status != ENGINE_NOT_FOUND && !erasure_goes_on(e, status)) return;
    e->dropped += status == ENGINE_OK;
    erasure_drop_held(e);
}

static void erasure_drop_held(struct erasure *e) {
    if (!e->held_count) {
        erasure_finish_video(e);
        return;
    }
    engine_of(e)->ops->held_drop(engine_of(e), video_of(e), e->held[--e->held_count], e->note, on_erased_held,
                                 e);
}

static void on_erasure_held(void *arg, enum engine_status status, const struct engine_held *list,
                            size_t count) {
    struct erasure *e = arg;
    if (!erasure_goes_on(e, status)) return;
    free(e->held);
    e->held = mem_alloc((count + 1) * sizeof *e->held);
    e->held_count = 0;
    for (size_t i = 0; i < count; i++)
        if (!strcmp(list[i].author, e->user))
            snprintf(e->held[e->held_count++], ROOM_HELD_ID_SIZE, "%s", list[i].id);
    erasure_drop_held(e);
}

static void erasure_read_held(struct erasure *e) {
    engine_of(e)->ops->held_read(engine_of(e), video_of(e), on_erasure_held, e);
}

// What is in the log and in the archive

static void erasure_read(struct erasure *e);

static void on_erasure_page(void *arg, enum engine_status status, const struct engine_replayed *page) {
    struct erasure *e = arg;
    if (!erasure_goes_on(e, status)) return;
    for (size_t i = 0; i < page->range.count; i++) {
        e->comments += entry_is_by(&page->range.entries[i], e->user);
        e->after = page->range.entries[i].at;
    }
    if (page->range.more && page->range.count)
        erasure_read(e);
    else if (e->comments)
        erasure_purge(e, video_of(e), erasure_read_held);
    else
        erasure_read_held(e);
}

static void erasure_read(struct erasure *e) {
    engine_of(e)->ops->replay(engine_of(e),
                              &(struct engine_replay){.video = video_of(e), .after = e->after, .limit = PAGE},
                              on_erasure_page, e);
}

// Videos

static void on_erasure_videos(void *arg, enum engine_status status, const struct engine_videos *page) {
    struct erasure *e = arg;
    if (!erasure_goes_on(e, status)) return;
    for (e->at = e->count = 0; e->count < page->count && e->count < ENGINE_VIDEOS; e->count++)
        snprintf(e->videos[e->count], sizeof e->videos[0], "%s", page->names[e->count]);
    e->is_last = !page->next;
    snprintf(e->cursor, sizeof e->cursor, "%s", page->next ? page->next : "");
    erasure_next_video(e);
}

static void erasure_next_video(struct erasure *e) {
    e->comments = e->dropped = 0;
    e->after = (struct position){0};
    if (e->at < e->count)
        erasure_read(e);
    else if (e->is_last)
        erasure_look_at_newest(e);
    else
        engine_of(e)->ops->videos(engine_of(e), e->cursor, on_erasure_videos, e);
}

static void on_erasure_room(void *arg) {
    struct erasure *e = arg;
    e->waits = false;
    if (http_add_body(e->exchange, "", 0) == HTTP_GONE)
        erasure_end(e, false);
    else
        erasure_next_video(e);
}

void erasure_handle(struct http_exchange *x, void *comment_api) {
    struct comment_api *a = comment_api;
    const char *user;
    if (!rights_administer(&a->placed.service, x, "*") || !path_user(x, &user)) return;
    if (a->erasure) {
        reply_unavailable(x, "overloaded", "A user is being erased; ask again when that is done.");
        return;
    }
    struct erasure *e = mem_zalloc(sizeof *e);
    e->api = a;
    e->exchange = x;
    a->erasure = e;
    snprintf(e->user, sizeof e->user, "%s", user);
    char more[ID_MAX + 16];
    snprintf(more, sizeof more, ",\"userid\":\"%s\"", user);
    audit_note(e->note, &a->placed.service, x, "purge", more);
    http_begin_body(x, &(struct http_reply){.status = 200, .content_type = "application/x-ndjson"},
                    on_erasure_room, e);
    erasure_next_video(e);
}

void erasure_stop(struct comment_api *a) {
    if (a->erasure && a->erasure->waits) erasure_end(a->erasure, false);
}
