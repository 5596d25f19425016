// Offsets count from the video's origin, which the archive knows; without one it is looked for in the log
// first: the newest ENTRY_START, or the first entry. Then the entries are read a second time, to be sent.
#include "service/replays.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/uthash.h"
#include "engine/engine.h"
#include "http/asset_reply.h"
#include "http/exchange.h"
#include "service/fields.h"
#include "service/json_reply.h"

enum {
    LIMIT_MAX = 10000,
    ORIGIN_PAGE = 512,
    PATIENCE_MS = 1000 // with a client that does not read, while another one wants its place
};

struct replay {
    struct replays *all;
    struct http_exchange *exchange;
    struct replay *prev, *next;
    address_key key; // of its client; 0: exempt
    char video[ID_MAX + 1];
    struct position from, after; // as asked; read up to there
    struct position last; // the entry that was looked at last; not set: what comes next follows anything
    uint32_t from_ms, to_ms, limit, count;
    bool has_from, has_to, has_origin, has_begun, reads;
    size_t wanted;    // entries that it is to read when it is its turn; 0: it waits for something else
    int64_t since_ms; // when it began to wait for its client; 0: it does not
    int64_t origin_ms;
    struct buf text;
};

static void replay_free(struct replay *r) {
    DL_DELETE(r->all->list, r);
    r->all->count--;
    buf_release(&r->text);
    free(r);
}

static void replay_end(struct replay *r, bool complete) {
    http_end_body(r->exchange, complete);
    replay_free(r);
}

// Lines

// Whether an archive has it in place of an entry that it has missed (archive/follower.c). What announces a
// loss is the first of an epoch, and no other tombstone is written any more.
static bool entry_is_missed(const struct engine_entry *e) {
    return e->kind == ENTRY_TOMBSTONE && (e->at.seq > 1 || position_compare(e->prev, e->at) == 0);
}

static void replay_add_gap(struct replay *r, const struct engine_entry *e, int64_t t) {
    struct position from, to;
    int64_t missed = entry_missed(r->last, e, &from, &to);
    char first[POSITION_TEXT_SIZE], end[POSITION_TEXT_SIZE];
    if (entry_is_missed(e)) {
        to = e->at;
        if (missed >= 0) missed++;
    }
    if (!missed) return;
    position_format(from, first);
    position_format(to, end);
    buf_printf(&r->text, "{\"t\":%" PRId64 ",\"type\":\"gap\",\"from\":\"%s\",\"to\":\"%s\",\"missed\":", t,
               first, end);
    if (missed > 0)
        buf_printf(&r->text, "%" PRId64 ",\"reason\":\"expired\"}\n", missed);
    else
        buf_add_string(&r->text, "null,\"reason\":\"epoch\"}\n");
    if (missed > 0) r->all->missed += (uint64_t)missed;
}

static void replay_add_line(struct replay *r, const struct engine_entry *e, int64_t t) {
    buf_printf(&r->text, "{\"t\":%" PRId64 ",", t);
    if (e->kind == ENTRY_BLANK) buf_printf(&r->text, "\"type\":\"%s\",", entry_kind_name(ENTRY_BLANK));
    struct buf json = {0};
    entry_write(&json, e);
    buf_add(&r->text, json.data + 1, json.len - 1);
    buf_release(&json);
    buf_add_string(&r->text, "\n");
    r->all->lines++;
    r->count++;
}

// Returns whether all that was asked for has been found.
static bool replay_take(struct replay *r, const struct engine_replayed *page) {
    for (size_t i = 0; i < page->range.count; i++) {
        const struct engine_entry *e = &page->range.entries[i];
        int64_t t = page->at_ms[i] - r->origin_ms;
        r->after = e->at;
        if (r->has_from && t < r->from_ms) continue;
        if (r->has_to && t > r->to_ms) return true;
        if (!r->has_from || position_is_set(r->last)) replay_add_gap(r, e, t);
        r->last = e->at;
        if (entry_shown(e->kind) != SHOWN_NOTHING) replay_add_line(r, e, t);
        if (r->limit && r->count == r->limit) return true;
    }
    return !page->range.more || !page->range.count;
}

// Beginning

static void replay_refuse(struct replay *r, int status, const char *code, const char *sentence) {
    http_reply_error(r->exchange, status, code, sentence);
    replay_free(r);
}

static const char *tag_of(const struct replay *r, struct position head, char *tag, size_t size) {
    char id[POSITION_TEXT_SIZE];
    position_format(head, id);
    snprintf(tag, size, "W/\"%s-%" PRId64 "-%" PRIu64 "\"", id, r->origin_ms, r->all->revision);
    return tag;
}

static http_on_room on_replay_room;

// A copy may be kept, and is to be asked for again each time: whatever is taken out raises the position, or
// the revision, and so changes the tag. Returns false if that was all: the client has it already, or asked
// for the head only.
static bool replay_begin(struct replay *r, const struct engine_replayed *page) {
    char tag[POSITION_TEXT_SIZE + 64], headers[sizeof tag + 96];
    const char *known = http_request_header(r->exchange->request, "if-none-match");
    tag_of(r, page->range.head, tag, sizeof tag);
    snprintf(headers, sizeof headers, "ETag: %s\r\nCache-Control: private, no-cache\r\n", tag);
    if (known && http_lists_tag(known, tag)) {
        http_reply(r->exchange,
                   &(struct http_reply){.status = 304, .headers = headers, .says_how_to_cache = true});
        replay_free(r);
        return false;
    }
    http_begin_body(r->exchange,
                    &(struct http_reply){.status = 200,
                                         .content_type = "application/x-ndjson",
                                         .headers = headers,
                                         .says_how_to_cache = true},
                    on_replay_room, r);
    r->has_begun = true;
    r->all->begun++;
    if (!http_request_is_head(r->exchange->request)) return true;
    replay_end(r, true);
    return false;
}

static void replay_read(struct replay *, size_t limit);
static void replays_start_reads(struct replays *);

// Without an archive: looks at a page for the origin. Returns whether there are more.
static bool replay_seek_origin(struct replay *r, const struct engine_replayed *page) {
    for (size_t i = 0; i < page->range.count; i++) {
        bool is_start = page->range.entries[i].kind == ENTRY_START;
        if (!r->origin_ms || is_start) r->origin_ms = page->at_ms[i];
        r->after = page->range.entries[i].at;
    }
    return page->range.more && page->range.count;
}

static void replay_continue(struct replay *r, const struct engine_replayed *page) {
    bool found = replay_take(r, page);
    enum http_room room = http_add_body(r->exchange, r->text.data, r->text.len);
    buf_release(&r->text);
    if (found || room == HTTP_GONE)
        replay_end(r, room != HTTP_GONE);
    else if (room == HTTP_ROOM)
        replay_read(r, REPLAY_PAGE);
    else
        r->since_ms = clock_monotonic_ms();
}

static void replay_fail(struct replay *r, enum engine_status status) {
    if (r->has_begun) {
        replay_end(r, false);
        return;
    }
    reply_store_failed(r->exchange, status);
    replay_free(r);
}

static void replay_take_page(struct replay *r, const struct engine_replayed *page) {
    if (!page->range.count && !position_is_set(page->range.head)) {
        replay_refuse(r, 404, "unknown_video", "There is nothing of this video.");
    } else if (!r->has_origin && page->origin_ms) {
        r->origin_ms = page->origin_ms;
        r->has_origin = true;
        r->after = r->from;
        replay_read(r, REPLAY_PAGE); // from where the time that is asked for may be
    } else if (!r->has_origin) {
        bool more = replay_seek_origin(r, page);
        r->has_origin = !more;
        if (!more) r->after = r->from;
        replay_read(r, more ? ORIGIN_PAGE : REPLAY_PAGE);
    } else if (r->has_begun || replay_begin(r, page)) {
        replay_continue(r, page);
    }
}

static void on_replay_page(void *arg, enum engine_status status, const struct engine_replayed *page) {
    struct replay *r = arg;
    struct replays *all = r->all;
    r->reads = false;
    all->reading--;
    if (status == ENGINE_OK)
        replay_take_page(r, page);
    else
        replay_fail(r, status);
    if (status != ENGINE_CLOSED) replays_start_reads(all);
}

static void replay_start_read(struct replay *r) {
    struct engine *e = r->all->engine;
    bool seeks = r->has_origin && r->has_from && !r->has_begun;
    struct engine_replay what = {.video = r->video,
                                 .after = r->after,
                                 .from_ms = seeks ? r->origin_ms + r->from_ms : 0,
                                 .limit = r->wanted};
    r->wanted = 0;
    r->reads = true;
    r->all->reading++;
    e->ops->replay(e, &what, on_replay_page, r);
}

static struct replay *replays_find_next(const struct replays *all) {
    struct replay *r;
    for (r = all->list; r && !r->wanted; r = r->next) continue;
    return r;
}

static void replays_start_reads(struct replays *all) {
    struct replay *r;
    while (all->reading < REPLAY_READS && (r = replays_find_next(all))) replay_start_read(r);
}

// In turn: behind those that want to read already.
static void replay_read(struct replay *r, size_t limit) {
    r->wanted = limit;
    DL_DELETE(r->all->list, r);
    DL_APPEND(r->all->list, r);
    replays_start_reads(r->all);
}

static void on_replay_room(void *arg) {
    struct replay *r = arg;
    r->since_ms = 0;
    if (http_add_body(r->exchange, "", 0) == HTTP_GONE)
        replay_end(r, false);
    else
        replay_read(r, REPLAY_PAGE);
}

// Requests

static bool replay_read_query(struct http_exchange *x, struct replay *r) {
    struct http_request *q = x->request;
    const char *after = http_request_query(q, "after");
    if (after && !position_parse(after, strlen(after), &r->from)) {
        refuse_field(x, "after", "must be the id of a comment: two numbers with a dash between.");
        return false;
    }
    r->last = r->from;
    r->has_from = http_request_query(q, "from_ms") != NULL;
    r->has_to = http_request_query(q, "to_ms") != NULL;
    return query_number(x, "from_ms", 0, INT_MAX, &r->from_ms) &&
           query_number(x, "to_ms", r->from_ms, INT_MAX, &r->to_ms) &&
           query_number(x, "limit", 1, LIMIT_MAX, &r->limit);
}

static bool address_has_room(const struct replays *all, address_key key) {
    const struct replay *r;
    unsigned of_address = 0;
    DL_FOREACH(all->list, r) of_address += key && r->key == key;
    return of_address < REPLAYS_OF_ADDRESS;
}

// Returns the one that has waited longest for its client, if that is long, or NULL.
static struct replay *replays_find_slowest(const struct replays *all) {
    struct replay *r, *slowest = NULL;
    DL_FOREACH(all->list, r) {
        if (r->since_ms && (!slowest || r->since_ms < slowest->since_ms)) slowest = r;
    }
    return slowest && clock_monotonic_ms() - slowest->since_ms >= PATIENCE_MS ? slowest : NULL;
}

void replays_answer(struct replays *all, struct http_exchange *x, const char *video) {
    struct replay asked = {.all = all, .exchange = x, .key = http_request_limits_key(x->request)};
    if (!replay_read_query(x, &asked)) return;
    bool full = all->count >= REPLAYS;
    struct replay *slowest = full ? replays_find_slowest(all) : NULL;
    if (!address_has_room(all, asked.key) || (full && !slowest)) {
        reply_unavailable(x, "overloaded", "Too many replays are being read; try again soon.");
        return;
    }
    struct replay *r = mem_alloc(sizeof *r);
    *r = asked;
    memcpy(r->video, video, strlen(video) + 1);
    DL_APPEND(all->list, r);
    all->count++;
    replay_read(r, 1);
    if (slowest) replay_end(slowest, false);
}

void replays_stop(struct replays *all) {
    struct replay *r, *next;
    DL_FOREACH_SAFE(all->list, r, next) {
        if (!r->reads) replay_fail(r, ENGINE_CLOSED);
    }
}
