#include "room_routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amendments.h"
#include "audit.h"
#include "base/clock.h"
#include "base/json_reader.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "http/exchange.h"
#include "service/room_patch.h"
#include "service/fields.h"
#include "service/json_reply.h"
#include "service/rights.h"
#include "service/room_topic.h"
#include "service/service.h"

enum {
    PATCH_TRIES = 16, // of a room that others write at the same time
    BAN_SECONDS_MAX = 31536000
};

struct room_request {
    struct service *service;
    struct http_exchange *exchange;
    struct room_patch patch;
    struct engine_room next; // what is being written
    int tries;
    struct { // a ban
        int64_t for_ms, until_ms;
        bool shadow, purges;
    } ban;
    char video[ID_MAX + 1], user[ID_MAX + 1]; // user empty: none
    char note[AUDIT_NOTE_SIZE];
};

static struct room_request *room_request_new(struct service *s, struct http_exchange *x, const char *video,
                                             const char *user) {
    struct room_request *r = mem_zalloc(sizeof *r);
    r->service = s;
    r->exchange = x;
    snprintf(r->video, sizeof r->video, "%s", video);
    snprintf(r->user, sizeof r->user, "%s", user);
    return r;
}

static bool path_ids(struct http_exchange *x, const char **video, const char **user) {
    *user = http_request_param(x->request, 1);
    if (!path_id(x, video)) return false;
    if (*user && id_is_valid(*user, strlen(*user))) return true;
    refuse_field(x, "userid",
                 "must be 1 to 128 characters of A-Z a-z 0-9 . _ ~ - : @, and not . or .. alone.");
    return false;
}

// The room

static void reply_room(struct room_request *r, const struct engine_room *room) {
    json_t *json = room_patch_json(room);
    json_object_set_new(json, "videoid", json_string(r->video));
    reply_json(r->exchange, 200, json);
}

static void on_room_read(void *arg, enum engine_status status, const struct engine_room *room) {
    struct room_request *r = arg;
    if (status == ENGINE_OK)
        reply_room(r, room);
    else
        reply_store_failed(r->exchange, status);
    free(r);
}

void room_routes_get(struct http_exchange *x, void *arg) {
    struct service *s = arg;
    const char *video;
    if (!path_id(x, &video) || !rights_have(s, x, IDENTITY_READ, video)) return;
    s->engine->ops->rooms_read(s->engine, &video, 1, on_room_read, room_request_new(s, x, video, ""));
}

static void on_room_written(void *arg, enum engine_status, const struct engine_room *);

static void room_try(struct room_request *r, const struct engine_room *now) {
    struct engine *e = r->service->engine;
    r->next = *now;
    if (!room_patch_apply(&r->patch, &r->next)) {
        reply_room(r, now);
        free(r);
    } else if (r->tries++ == PATCH_TRIES) {
        reply_unavailable(r->exchange, "overloaded", "Others change this room; try again soon.");
        free(r);
    } else {
        e->ops->room_write(e, r->video, &r->next, r->note, on_room_written, r);
        r->next.revision++;
    }
}

static void on_room_written(void *arg, enum engine_status status, const struct engine_room *now) {
    struct room_request *r = arg;
    if (status == ENGINE_OK && !room_is_same(now, &r->next)) {
        room_try(r, now);
        return;
    }
    if (status == ENGINE_OK) {
        room_topic_publish(r->service->engine, r->video);
        log_info("comment", "room_changed", "video=%s revision=%llu", r->video,
                 (unsigned long long)now->revision);
        reply_room(r, now);
    } else if (status == ENGINE_FULL) {
        reply_unavailable(r->exchange, "too_many_videos",
                          "There are as many videos as --max-videos allows, and all are in use.");
    } else {
        reply_store_failed(r->exchange, status);
    }
    free(r);
}

static void on_room_to_patch(void *arg, enum engine_status status, const struct engine_room *room) {
    struct room_request *r = arg;
    if (status == ENGINE_OK) {
        room_try(r, room);
        return;
    }
    reply_store_failed(r->exchange, status);
    free(r);
}

static void note_patch(struct room_request *r) {
    json_t *set = room_patch_sets_json(&r->patch);
    char *text = json_dumps(set, JSON_COMPACT), more[AUDIT_NOTE_SIZE / 2];
    json_decref(set);
    snprintf(more, sizeof more, ",\"set\":%s", text);
    free(text);
    audit_note(r->note, r->service, r->exchange, "room", more);
}

void room_routes_patch(struct http_exchange *x, void *arg) {
    struct service *s = arg;
    const char *video;
    struct room_patch patch;
    if (!path_id(x, &video) || !rights_administer(s, x, video) || !room_patch_read(x, &patch)) return;
    struct room_request *r = room_request_new(s, x, video, "");
    r->patch = patch;
    note_patch(r);
    s->engine->ops->rooms_read(s->engine, &video, 1, on_room_to_patch, r);
}

// Bans

static json_t *ban_json(const struct engine_ban *b) {
    char until[CLOCK_ISO8601_SIZE];
    if (b->until_ms) clock_iso8601(b->until_ms, until);
    return json_pack("{s:s, s:s?, s:b}", "userid", b->user, "until", b->until_ms ? until : NULL, "shadow",
                     b->shadow);
}

static void on_bans_read(void *arg, enum engine_status status, const struct engine_ban *bans, size_t count) {
    struct room_request *r = arg;
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(list, ban_json(&bans[i]));
    if (status == ENGINE_OK)
        reply_json(r->exchange, 200, json_pack("{s:s, s:O}", "videoid", r->video, "bans", list));
    else
        reply_store_failed(r->exchange, status);
    json_decref(list);
    free(r);
}

void room_routes_bans(struct http_exchange *x, void *arg) {
    struct service *s = arg;
    const char *video;
    if (!path_id(x, &video) || !rights_administer(s, x, video)) return;
    s->engine->ops->bans_read(s->engine, video, on_bans_read, room_request_new(s, x, video, ""));
}

// Of a ban, a purge, or a lifted ban.
static void note_user(struct room_request *r, const char *what) {
    char more[ID_MAX + 96], seconds[40] = "";
    bool bans = !strcmp(what, "ban");
    if (bans && r->ban.for_ms > 0)
        snprintf(seconds, sizeof seconds, ",\"seconds\":%lld", (long long)(r->ban.for_ms / 1000));
    snprintf(more, sizeof more, ",\"userid\":\"%s\"%s%s", r->user, seconds,
             bans && r->ban.shadow ? ",\"shadow\":true" : "");
    audit_note(r->note, r->service, r->exchange, what, more);
}

static void reply_ban(const struct room_request *r, json_int_t purged) {
    const struct engine_ban ban = {.user = r->user, .until_ms = r->ban.until_ms, .shadow = r->ban.shadow};
    json_t *json = ban_json(&ban);
    json_object_set_new(json, "videoid", json_string(r->video));
    if (r->ban.purges) json_object_set_new(json, "purged", json_integer(purged));
    reply_json(r->exchange, 200, json);
}

static void on_purged(void *arg, enum engine_status status, const struct engine_entry *entry, size_t taken) {
    struct room_request *r = arg;
    (void)entry;
    if (status == ENGINE_OK)
        reply_ban(r, (json_int_t)taken);
    else
        reply_store_failed(r->exchange, status); // the ban is in force; a repeat purges
    free(r);
}

static void on_ban_written(void *arg, enum engine_status status, const struct engine_ban *ban, size_t count) {
    struct room_request *r = arg;
    if (status == ENGINE_OK && count) r->ban.until_ms = ban->until_ms;
    if (status == ENGINE_OK && count && r->ban.purges) {
        note_user(r, "purge");
        amendment_purge(r->service, r->video, r->user, r->note, on_purged, r);
        return;
    }
    if (status == ENGINE_OK)
        log_info("comment", count ? "banned" : "ban_lifted", "video=%s user=%s", r->video, r->user);
    if (status == ENGINE_OK && count) {
        reply_ban(r, 0);
    } else if (status == ENGINE_OK) {
        reply_json(r->exchange, 200, json_pack("{s:b}", "success", 1));
    } else if (status == ENGINE_FULL) {
        reply_unavailable(r->exchange, "too_many_bans",
                          "This video has as many bans as there can be, or there are too many videos.");
    } else {
        reply_store_failed(r->exchange, status);
    }
    free(r);
}

static bool read_flag(struct http_exchange *x, const char *name, enum json_token token, bool *flag) {
    *flag = token == JSON_TOKEN_TRUE;
    if (token == JSON_TOKEN_TRUE || token == JSON_TOKEN_FALSE || token == JSON_TOKEN_NULL ||
        token <= JSON_TOKEN_END)
        return true;
    refuse_field(x, name, "must be true or false.");
    return false;
}

static bool read_seconds(struct http_exchange *x, const struct json_reader *r, int64_t *for_ms) {
    int64_t seconds = 0;
    *for_ms = -1;
    if (r->last == JSON_TOKEN_NULL || r->last <= JSON_TOKEN_END) return true;
    if (r->last == JSON_TOKEN_NUMBER && json_reader_integer(r, BAN_SECONDS_MAX, &seconds) && seconds) {
        *for_ms = seconds * 1000;
        return true;
    }
    refuse_field(x, "seconds", "must be an integer from 1 to 31536000, or null: until it is lifted.");
    return false;
}

// Reads {"seconds": …, "shadow": …, "purge": …}: no seconds, until it is lifted.
static bool read_ban(struct room_request *b, struct http_exchange *x) {
    struct json_reader r;
    bool fine = true;
    b->ban.for_ms = -1;
    body_begin(x->request, &r);
    bool is_object = json_reader_next(&r) == JSON_TOKEN_OBJECT;
    while (is_object && json_reader_next(&r) == JSON_TOKEN_KEY) {
        struct json_reader key = r;
        enum json_token token = json_reader_next(&r);
        if (json_reader_equals(&key, "seconds")) fine = read_seconds(x, &r, &b->ban.for_ms);
        if (json_reader_equals(&key, "shadow")) fine = read_flag(x, "shadow", token, &b->ban.shadow);
        if (json_reader_equals(&key, "purge")) fine = read_flag(x, "purge", token, &b->ban.purges);
        if (!fine) return false;
        if (!json_reader_skip(&r)) break;
    }
    if (is_object && r.last == JSON_TOKEN_OBJECT_END && json_reader_next(&r) == JSON_TOKEN_END) return true;
    body_refuse(x, &r);
    return false;
}

void room_routes_ban(struct http_exchange *x, void *arg) {
    struct service *s = arg;
    const char *video, *user;
    struct room_request read = {0};
    if (!path_ids(x, &video, &user) || !rights_administer(s, x, video) || !read_ban(&read, x)) return;
    struct room_request *r = room_request_new(s, x, video, user);
    r->ban = read.ban;
    note_user(r, "ban");
    s->engine->ops->ban_write(s->engine, video, user, r->ban.for_ms, r->ban.shadow, r->note, on_ban_written,
                              r);
}

void room_routes_lift(struct http_exchange *x, void *arg) {
    struct service *s = arg;
    const char *video, *user;
    if (!path_ids(x, &video, &user) || !rights_administer(s, x, video)) return;
    struct room_request *r = room_request_new(s, x, video, user);
    note_user(r, "lift");
    s->engine->ops->ban_write(s->engine, video, user, 0, false, r->note, on_ban_written, r);
}
