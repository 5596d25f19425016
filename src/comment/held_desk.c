#include "held_desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/container_of.h"
#include "base/hex.h"
#include "base/json_reader.h"
#include "base/log.h"
#include "base/mem.h"
#include "audit.h"
#include "comment_core.h"
#include "video_counts.h"
#include "engine/entry.h"
#include "http/exchange.h"
#include "net/loop.h"
#include "service/fields.h"
#include "service/json_reply.h"
#include "service/rights.h"
#include "service/room_topic.h"

enum { EVERY_MS = 1000, SOON_MS = 10 };

struct held_desk {
    struct comment_api *api;
    struct loop_timer due;
    int64_t due_ms; // when the timer fires
    bool asking;
};

// A decision about a comment that waits.
struct decision {
    struct comment_api *api;
    struct http_exchange *exchange; // NULL: it was due
    bool allows, was_allowed;       // was_allowed: it waited for time only
    struct engine_refusal refusal;
    char *created;               // what the moderator is replied, or NULL
    char at[POSITION_TEXT_SIZE]; // of the comment, if it was appended
    char video[ID_MAX + 1], author[ID_MAX + 1], id[ROOM_HELD_ID_SIZE];
};

static struct engine *engine_of(const struct comment_api *a) {
    return a->placed.service.engine;
}

static void held_publish(const struct comment_api *a, const char *video, int64_t waiting) {
    char body[ID_MAX + 32];
    int len = snprintf(body, sizeof body, "%s %lld", video, (long long)waiting);
    engine_of(a)->ops->notify(engine_of(a), HELD_TOPIC, body, (size_t)len);
}

// Deciding

static void decision_free(struct decision *d) {
    free(d->created);
    free(d);
}

static void reply_failed(struct http_exchange *x, enum engine_status status) {
    if (status == ENGINE_NOT_FOUND)
        http_reply_error(x, 404, "not_held", "No such comment waits any more.");
    else
        reply_store_failed(x, status);
}

// Only the reply to a moderator depends on whether another process was faster.
static void on_held_dropped(void *arg, enum engine_status status, int64_t left) {
    struct decision *d = arg;
    struct http_exchange *x = d->exchange;
    if (status == ENGINE_OK && !d->was_allowed) held_publish(d->api, d->video, left);
    if (!x) {
        decision_free(d);
        return;
    }
    if (d->created)
        http_reply(x,
                   &(struct http_reply){.status = 200, .body = d->created, .body_len = strlen(d->created)});
    else if (status == ENGINE_OK && !d->allows)
        reply_json(x, 200, json_pack("{s:b}", "success", 1));
    else if (status == ENGINE_OK && d->refusal.why == REFUSED_OVER)
        http_reply_error(x, 403, "video_ended", "The video has ended, so the comment was denied.");
    else if (status == ENGINE_OK)
        http_reply_error(x, 403, "banned", "Its author is banned, so the comment was denied.");
    else
        reply_failed(x, status);
    decision_free(d);
}

static void held_drop(struct decision *d) {
    struct engine *e = engine_of(d->api);
    char note[AUDIT_NOTE_SIZE], more[ID_MAX + 128];
    snprintf(more, sizeof more, ",\"userid\":\"%s\",\"held\":\"%s\"%s%s%s", d->author, d->id,
             d->at[0] ? ",\"target\":\"" : "", d->at, d->at[0] ? "\"" : "");
    const char *what = d->at[0] ? "allow" : "deny";
    if (d->exchange) audit_note(note, &d->api->placed.service, d->exchange, what, more);
    e->ops->held_drop(e, d->video, d->id, d->exchange ? note : NULL, on_held_dropped, d);
}

static char *created_text(const struct engine_entry *e) {
    struct buf b = {0};
    buf_add_string(&b, "{\"success\":true,\"comment\":");
    entry_write(&b, e);
    buf_add_string(&b, "}");
    char *text = mem_strdup(buf_string(&b));
    buf_release(&b);
    return text;
}

static void on_held_appended(void *arg, enum engine_status status, const struct engine_entry *entry,
                             const struct engine_first *first) {
    struct decision *d = arg;
    if (status == ENGINE_OK && !first) {
        d->api->counters.posts[POST_ACCEPTED]++;
        video_counts_add(&d->api->counts, d->video);
    }
    if (status == ENGINE_OK && d->exchange) d->created = created_text(entry);
    if (status == ENGINE_OK) position_format(entry->at, d->at);
    if (status == ENGINE_OK || status == ENGINE_REFUSED || status == ENGINE_KEY_REUSED) {
        held_drop(d);
        return;
    }
    if (d->exchange) reply_failed(d->exchange, status); // else it is due again
    decision_free(d);
}

static void held_append(struct decision *d, const struct engine_held *h) {
    struct engine *e = engine_of(d->api);
    struct engine_token token = {.at_ms = h->at_ms};
    struct engine_gate gate = {
        .author = h->author, .badges = "", .id = h->id, .checks = GATE_WAITED, .refusal = &d->refusal};
    for (size_t i = 0; i < ENGINE_DIGEST; i++)
        token.name[i] = (unsigned char)(hex_digit(h->id[2 * i]) << 4 | hex_digit(h->id[2 * i + 1]));
    memcpy(token.digest, h->digest, sizeof token.digest);
    e->ops->append(e,
                   &(struct engine_append){.video = h->video,
                                           .kind = ENTRY_COMMENT,
                                           .body = h->body,
                                           .body_len = h->body_len,
                                           .token = &token,
                                           .gate = &gate},
                   on_held_appended, d);
}

static void held_decide(struct comment_api *a, struct http_exchange *x, const struct engine_held *h,
                        bool allows) {
    struct decision *d = mem_zalloc(sizeof *d);
    d->api = a;
    d->exchange = x;
    d->allows = allows;
    d->was_allowed = h->allows;
    snprintf(d->video, sizeof d->video, "%s", h->video);
    snprintf(d->id, sizeof d->id, "%s", h->id);
    snprintf(d->author, sizeof d->author, "%s", h->author);
    if (allows)
        held_append(d, h);
    else
        held_drop(d);
}

// Those that are due

static void held_arm(struct held_desk *desk, int64_t in_ms) {
    struct loop *loop = desk->api->placed.service.loop;
    int64_t at_ms = loop_now_ms(loop) + in_ms;
    if (desk->asking || (desk->due.slot && desk->due_ms <= at_ms)) return;
    desk->due_ms = at_ms;
    loop_timer_start(loop, &desk->due, in_ms);
}

static void on_held_due(void *arg, enum engine_status status, const struct engine_held *list, size_t count) {
    struct held_desk *desk = arg;
    desk->asking = false;
    if (status == ENGINE_CLOSED) return;
    for (size_t i = 0; i < count; i++) held_decide(desk->api, NULL, &list[i], list[i].allows);
    held_arm(desk, count == ENGINE_HELD_DUE ? SOON_MS : EVERY_MS);
}

static void on_held_timer(struct loop_timer *t) {
    struct held_desk *desk = container_of(t, struct held_desk, due);
    struct engine *e = engine_of(desk->api);
    desk->asking = true;
    e->ops->held_read(e, NULL, on_held_due, desk);
}

void held_desk_expect(struct held_desk *desk, const char *video, int64_t for_ms, int64_t waiting) {
    if (waiting) held_publish(desk->api, video, waiting);
    held_arm(desk, for_ms + SOON_MS);
}

struct held_desk *held_desk_new(struct comment_api *a) {
    struct held_desk *desk = mem_zalloc(sizeof *desk);
    desk->api = a;
    desk->due.on_due = on_held_timer;
    held_arm(desk, EVERY_MS);
    return desk;
}

void held_desk_free(struct held_desk *desk) {
    if (!desk) return;
    loop_timer_stop(desk->api->placed.service.loop, &desk->due);
    free(desk);
}

// For moderators

struct held_query {
    struct comment_api *api;
    struct http_exchange *exchange;
    bool allows;
    char video[ID_MAX + 1], id[ID_MAX + 1]; // id empty: all
};

static struct held_query *held_query_new(struct comment_api *a, struct http_exchange *x, const char *video) {
    struct held_query *q = mem_zalloc(sizeof *q);
    q->api = a;
    q->exchange = x;
    snprintf(q->video, sizeof q->video, "%s", video);
    return q;
}

static json_t *held_json(const struct engine_held *h) {
    char until[CLOCK_ISO8601_SIZE];
    struct buf b = {0};
    buf_add_string(&b, "{");
    buf_add(&b, h->body, h->body_len);
    buf_add_string(&b, "}");
    clock_iso8601(h->due_ms, until);
    json_t *comment = json_loadb(b.data, b.len, 0, NULL);
    buf_release(&b);
    return json_pack("{s:s, s:o?, s:s, s:s}", "id", h->id, "comment", comment, "until", until, "then",
                     h->allows ? "allow" : "deny");
}

static void on_held_list(void *arg, enum engine_status status, const struct engine_held *list, size_t count) {
    struct held_query *q = arg;
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(all, held_json(&list[i]));
    if (status == ENGINE_OK)
        reply_json(q->exchange, 200, json_pack("{s:s, s:O}", "videoid", q->video, "held", all));
    else
        reply_failed(q->exchange, status);
    json_decref(all);
    free(q);
}

void held_desk_list(struct http_exchange *x, void *arg) {
    struct comment_api *a = arg;
    const char *video;
    if (!path_id(x, &video) || !rights_administer(&a->placed.service, x, video)) return;
    engine_of(a)->ops->held_read(engine_of(a), video, on_held_list, held_query_new(a, x, video));
}

static void on_held_found(void *arg, enum engine_status status, const struct engine_held *list,
                          size_t count) {
    struct held_query *q = arg;
    size_t i = 0;
    while (i < count && strcmp(list[i].id, q->id) != 0) i++;
    if (status == ENGINE_OK && i < count)
        held_decide(q->api, q->exchange, &list[i], q->allows);
    else
        reply_failed(q->exchange, status == ENGINE_OK ? ENGINE_NOT_FOUND : status);
    free(q);
}

// Reads {"allow": true} or false.
static bool read_decision(struct http_exchange *x, bool *allows) {
    struct json_reader r;
    bool found = false;
    body_begin(x->request, &r);
    bool is_object = json_reader_next(&r) == JSON_TOKEN_OBJECT;
    while (is_object && json_reader_next(&r) == JSON_TOKEN_KEY) {
        bool is_allow = json_reader_equals(&r, "allow");
        enum json_token token = json_reader_next(&r);
        if (is_allow) found = token == JSON_TOKEN_TRUE || token == JSON_TOKEN_FALSE;
        if (is_allow) *allows = token == JSON_TOKEN_TRUE;
        if (!json_reader_skip(&r)) break;
    }
    if (!is_object || r.last != JSON_TOKEN_OBJECT_END || json_reader_next(&r) != JSON_TOKEN_END)
        body_refuse(x, &r);
    else if (!found)
        refuse_field(x, "allow", "must be true or false.");
    else
        return true;
    return false;
}

void held_desk_decide(struct http_exchange *x, void *arg) {
    struct comment_api *a = arg;
    const char *video, *id = http_request_param(x->request, 1);
    bool allows;
    if (!path_id(x, &video) || !rights_administer(&a->placed.service, x, video) || !read_decision(x, &allows))
        return;
    struct held_query *q = held_query_new(a, x, video);
    snprintf(q->id, sizeof q->id, "%s", id ? id : "");
    q->allows = allows;
    engine_of(a)->ops->held_read(engine_of(a), video, on_held_found, q);
}
