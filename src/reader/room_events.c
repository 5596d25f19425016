// A video with viewers who ask has a struct room_watch, which is in one of two lists: `due`, to be read next,
// or `read`, least recently read first.
#include "room_events.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "base/uthash.h"
#include "fanout/frame.h"
#include "reader_core.h"
#include "service/room_patch.h"
#include "service/room_topic.h"
#include "watched.h"

struct room_watch {
    struct watched *watched;
    int64_t read_ms;
    struct position after; // what is read is not older than the log up to here; not set: it is not known
    struct engine_room published; // last
    bool is_published;
    bool asked; // viewers have
    bool due;
    struct room_watch *prev, *next;
};

struct room_events {
    struct engine_listener *changes, *held;
    struct room_watch *due, *read;
    char asked[ENGINE_SETTINGS_BATCH][ENGINE_VIDEO_MAX + 1]; // by the query that is running
    size_t asked_count;
};

// Publishing

// A store that has gone back counts on from an earlier revision: a number does not say what the room is like.
static void room_publish(struct room_watch *w, const struct engine_room *room) {
    if (w->is_published && room_is_same(&w->published, room)) return;
    w->published = *room;
    w->is_published = true;
    broadcast_set_readable_rate(&w->watched->broadcast, room->readable_rate);
    if (!w->asked) return;
    json_t *json = room_patch_json(room);
    json_object_set_new(json, "type", json_string("room"));
    if (position_is_set(w->after)) {
        char after[POSITION_TEXT_SIZE];
        position_format(w->after, after);
        json_object_set_new(json, "after", json_string(after));
    }
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    broadcast_moment(&w->watched->broadcast, MOMENT_ROOM,
                     frame_of_event((struct position){0}, "room", text, strlen(text)));
    free(text);
}

static void on_held(void *arg, const char *body, size_t len) {
    struct reader *r = arg;
    const char *space = memchr(body, ' ', len);
    struct watched *w = space ? watched_named(r, body, (size_t)(space - body)) : NULL;
    char json[64], count[24];
    if (!w || !w->room) return;
    snprintf(count, sizeof count, "%.*s", (int)(body + len - space - 1), space + 1);
    int size = snprintf(json, sizeof json, "{\"type\":\"held\",\"held\":%lld}", strtoll(count, NULL, 10));
    broadcast_moment(&w->broadcast, MOMENT_HELD,
                     frame_of_event((struct position){0}, "held", json, (size_t)size));
}

// Reading

static void room_move(struct room_events *e, struct room_watch *w, bool due) {
    if (w->due)
        DL_DELETE(e->due, w);
    else
        DL_DELETE(e->read, w);
    w->due = due;
    if (due)
        DL_APPEND(e->due, w);
    else
        DL_APPEND(e->read, w);
}

static void rooms_ask(struct reader *r);

static void on_rooms_read(void *arg, enum engine_status status, const struct engine_room *rooms) {
    struct reader *r = arg;
    struct room_events *e = r->room_events;
    r->outstanding--;
    if (!e) return;
    size_t count = e->asked_count;
    e->asked_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct watched *w = watched_find(r, e->asked[i]);
        if (!w || !w->room) continue;
        if (status == ENGINE_OK)
            room_publish(w->room, &rooms[i]);
        else
            room_move(e, w->room, true); // the sweep tries again
    }
    if (status == ENGINE_OK) rooms_ask(r);
}

static void rooms_ask(struct reader *r) {
    struct room_events *e = r->room_events;
    const char *videos[ENGINE_SETTINGS_BATCH];
    if (e->asked_count) return;
    for (struct room_watch *w; e->asked_count < ENGINE_SETTINGS_BATCH && (w = e->due); e->asked_count++) {
        char *video = e->asked[e->asked_count];
        w->read_ms = loop_now_ms(r->service.loop);
        w->after = feed_position(&w->watched->broadcast.feed);
        room_move(e, w, false);
        snprintf(video, sizeof e->asked[0], "%s", w->watched->video);
        videos[e->asked_count] = video;
    }
    if (!e->asked_count) return;
    r->outstanding++;
    r->service.engine->ops->rooms_read(r->service.engine, videos, e->asked_count, on_rooms_read, r);
}

static void on_room_changed(void *arg, const char *body, size_t len) {
    struct reader *r = arg;
    struct watched *w = watched_named(r, body, len);
    if (!w || !w->room) return;
    room_move(r->room_events, w->room, true);
    rooms_ask(r);
}

void room_events_sweep(struct reader *r) {
    struct room_events *e = r->room_events;
    int64_t before_ms = loop_now_ms(r->service.loop) - ROOM_AGAIN_MS;
    for (int i = 0; i < ENGINE_SETTINGS_BATCH && e->read && e->read->read_ms <= before_ms; i++)
        room_move(e, e->read, true);
    rooms_ask(r);
}

// Viewers

static void room_watch_begin(struct reader *r, struct watched *w) {
    budget_take(sizeof *w->room);
    w->room = mem_zalloc(sizeof *w->room);
    w->room->watched = w;
    w->room->due = true;
    DL_APPEND(r->room_events->due, w->room);
    rooms_ask(r);
}

void room_events_busy(struct broadcast *b) {
    struct reader *r = container_of(b->env, struct reader, env);
    struct watched *w = container_of(b, struct watched, broadcast);
    if (!w->room && r->room_events) room_watch_begin(r, w);
}

void room_events_join(struct reader *r, struct broadcast *b, uint8_t asks) {
    struct watched *w = container_of(b, struct watched, broadcast);
    if (!(asks & (1u << MOMENT_ROOM | 1u << MOMENT_HELD)) || !r->room_events) return;
    if (!w->room) room_watch_begin(r, w);
    if (w->room->asked) return;
    w->room->asked = true;
    w->room->is_published = false; // it may have been read, and not published
    room_move(r->room_events, w->room, true);
    rooms_ask(r);
}

void room_events_close(struct reader *r, struct watched *w) {
    if (!w->room) return;
    if (r->room_events && w->room->due) DL_DELETE(r->room_events->due, w->room);
    if (r->room_events && !w->room->due) DL_DELETE(r->room_events->read, w->room);
    budget_give_back(sizeof *w->room);
    free(w->room);
    w->room = NULL;
}

// Life

void room_events_start(struct reader *r) {
    struct engine *e = r->service.engine;
    r->room_events = mem_zalloc(sizeof *r->room_events);
    r->room_events->changes = e->ops->listen(e, ROOM_TOPIC, on_room_changed, r);
    r->room_events->held = e->ops->listen(e, HELD_TOPIC, on_held, r);
}

void room_events_stop(struct reader *r) {
    struct engine *e = r->service.engine;
    if (!r->room_events) return;
    e->ops->unlisten(e, r->room_events->changes);
    e->ops->unlisten(e, r->room_events->held);
    free(r->room_events);
    r->room_events = NULL;
}
