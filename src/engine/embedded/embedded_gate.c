#include "embedded_gate.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "embedded_audit.h"
#include "embedded_held.h"
#include "embedded_room.h"
#include "embedded_video.h"
#include "engine/room.h"

struct video_gate {
    struct engine_room room;
    double paced_ms; // see struct room_look; lost with the video's place in memory
};

// The room

static bool gate_take_text(struct store *s, sqlite3_stmt *q, struct engine_room *room) {
    const char *text = store_text(s, q, 0);
    bool sound = text && room_read(room, text);
    if (text && !sound) store_found_damage(s, "a room is invalid");
    store_end(q);
    return sound;
}

struct video_gate *gate_find(struct store *s, struct video *v) {
    struct engine_room room;
    if (v->gate_is_read) return v->gate;
    sqlite3_stmt *q = store_use(s, SQL_ROOM_FIND);
    sqlite3_bind_int64(q, 1, v->id);
    bool exists = store_row(s, q) && gate_take_text(s, q, &room);
    if (s->failure.code) return NULL;
    v->gate_is_read = true;
    if (!exists) return NULL;
    v->gate = mem_zalloc(sizeof *v->gate);
    v->gate->room = room;
    return v->gate;
}

static struct video_gate *gate_write(struct store *s, struct video *v, const struct engine_room *room) {
    char text[ROOM_TEXT_SIZE];
    room_write(text, room);
    sqlite3_stmt *q = store_use(s, SQL_ROOM_WRITE);
    sqlite3_bind_int64(q, 1, v->id);
    store_bind_text(q, 2, text);
    if (!store_run(s, q)) return NULL;
    if (!v->gate) v->gate = mem_zalloc(sizeof *v->gate);
    v->gate->room = *room;
    v->gate_is_read = true;
    return v->gate;
}

bool gate_is_over(struct store *s, struct video *v) {
    const struct video_gate *gate = gate_find(s, v);
    return gate && gate->room.over;
}

bool gate_amend(struct store *s, struct video *v, enum entry_kind kind, struct position target) {
    const struct video_gate *gate = gate_find(s, v);
    struct engine_room room = gate ? gate->room : (struct engine_room){0};
    if (!room_amend(&room, kind, target)) return false;
    gate_write(s, v, &room);
    return true;
}

// What was accepted a short time ago

// A row's name: what it is, then an author, or a digest.
struct recent_name {
    size_t len;
    char bytes[1 + ROOM_USER_MAX];
};

static struct recent_name recent_name_of(char kind, const void *bytes, size_t len) {
    struct recent_name n = {.len = 1 + (len < ROOM_USER_MAX ? len : ROOM_USER_MAX)};
    n.bytes[0] = kind;
    memcpy(n.bytes + 1, bytes, n.len - 1);
    return n;
}

static int64_t recent_find(struct store *s, const struct video *v, const struct recent_name *name) {
    int64_t at_ms = ROOM_NEVER;
    sqlite3_stmt *q = store_use(s, SQL_RECENT_FIND);
    sqlite3_bind_int64(q, 1, v->id);
    sqlite3_bind_blob(q, 2, name->bytes, (int)name->len, SQLITE_STATIC);
    if (!store_row(s, q)) return at_ms;
    at_ms = sqlite3_column_int64(q, 0);
    store_end(q);
    return at_ms;
}

static void recent_note(struct store *s, const struct video *v, const struct recent_name *name) {
    sqlite3_stmt *q = store_use(s, SQL_RECENT_WRITE);
    sqlite3_bind_int64(q, 1, v->id);
    sqlite3_bind_blob(q, 2, name->bytes, (int)name->len, SQLITE_STATIC);
    sqlite3_bind_int64(q, 3, s->use_ms);
    store_run(s, q);
}

static void recent_expire(struct store *s, const struct video *v, const struct engine_room *room) {
    sqlite3_stmt *q = store_use(s, SQL_RECENT_EXPIRE);
    sqlite3_bind_int64(q, 1, v->id);
    sqlite3_bind_int64(q, 2, s->use_ms - (room->slow_ms > room->repeat_ms ? room->slow_ms : room->repeat_ms));
    store_run(s, q);
}

// The check

static bool ban_find(struct store *s, const struct video *v, const char *user, struct engine_ban *ban) {
    sqlite3_stmt *q = store_use(s, SQL_BAN_FIND);
    sqlite3_bind_int64(q, 1, v->id);
    store_bind_text(q, 2, user);
    if (!store_row(s, q)) return false;
    *ban = (struct engine_ban){.until_ms = sqlite3_column_int64(q, 0), .shadow = sqlite3_column_int(q, 1)};
    store_end(q);
    return true;
}

bool gate_admits(struct store *s, struct video *v, struct append_request *a) {
    struct video_gate *gate = gate_find(s, v);
    struct engine_ban ban;
    if (!gate && a->gate.checks == GATE_HOLD) gate = gate_write(s, v, &(struct engine_room){0});
    if (!gate) return !s->failure.code;
    const struct engine_room *room = &gate->room;
    struct recent_name author = recent_name_of('u', a->gate.author, strlen(a->gate.author)),
                       text = recent_name_of('t', &a->gate.text, sizeof a->gate.text);
    struct room_look look = {.room = room,
                             .ban = ban_find(s, v, a->gate.author, &ban) ? &ban : NULL,
                             .wall_ms = s->now_ms,
                             .now_ms = s->use_ms,
                             .author_ms = room->slow_ms ? recent_find(s, v, &author) : ROOM_NEVER,
                             .text_ms = room->repeat_ms ? recent_find(s, v, &text) : ROOM_NEVER,
                             .paced_ms = &gate->paced_ms};
    if (a->has_token && gate_checks_all(a->gate.checks) && !room->over && held_repeats(s, v, a)) return false;
    bool admits = room_check(&a->gate, &look, &a->refusal);
    if (!gate_checks_all(a->gate.checks) && admits) return true;
    if (!admits) a->request.status = ENGINE_REFUSED;
    if (!admits && a->refusal.why > REFUSED_SHADOWED && !held_add(s, v, a)) return false;
    bool counts = admits || room_refusal_counts(a->refusal.why);
    if (room->slow_ms && counts) recent_note(s, v, &author);
    if (room->repeat_ms && counts && a->refusal.why != REFUSED_SHADOWED) recent_note(s, v, &text);
    if (counts && (room->slow_ms || room->repeat_ms)) recent_expire(s, v, room);
    return admits;
}

// Operations

static struct rooms_request *rooms_of(struct request *r) {
    return (struct rooms_request *)r;
}

void gate_rooms_read(struct store *s, struct request *request) {
    struct rooms_request *r = rooms_of(request);
    r->found = request_hold(request, r->count * sizeof *r->found);
    for (size_t i = 0; i < r->count; i++) {
        r->found[i] = (struct engine_room){0};
        sqlite3_stmt *q = store_use(s, SQL_ROOM_OF);
        store_bind_text(q, 1, r->videos[i]);
        if (store_row(s, q)) gate_take_text(s, q, &r->found[i]);
    }
}

void gate_room_write(struct store *s, struct request *request) {
    struct rooms_request *r = rooms_of(request);
    struct video *v = room_find_or_add(s, r->videos[0], &request->status);
    if (!v) return;
    video_mark_used(s, v);
    const struct video_gate *gate = gate_find(s, v);
    if ((gate ? gate->room.revision : 0) == r->room.revision) {
        struct engine_room next = r->room;
        next.revision++;
        gate = gate_write(s, v, &next);
        audit_write(s, v, r->note);
    }
    r->found = request_hold(request, sizeof *r->found);
    *r->found = gate ? gate->room : (struct engine_room){0};
}

static bool bans_are_full(struct store *s, const struct video *v, const char *user) {
    int64_t count = 0;
    sqlite3_stmt *q = store_use(s, SQL_BAN_EXPIRE);
    sqlite3_bind_int64(q, 1, v->id);
    sqlite3_bind_int64(q, 2, s->now_ms);
    store_run(s, q);
    q = store_use(s, SQL_BAN_COUNT);
    sqlite3_bind_int64(q, 1, v->id);
    store_bind_text(q, 2, user);
    if (store_row(s, q)) {
        count = sqlite3_column_int64(q, 0);
        store_end(q);
    }
    return count >= ROOM_BANS;
}

static void ban_lift(struct store *s, const struct bans_request *b) {
    const struct video *v = video_find(s, b->video);
    if (!v) return;
    sqlite3_stmt *q = store_use(s, SQL_BAN_LIFT);
    sqlite3_bind_int64(q, 1, v->id);
    store_bind_text(q, 2, b->user);
    if (store_run(s, q) && sqlite3_changes(s->db)) audit_write(s, v, b->note);
}

void gate_ban_write(struct store *s, struct request *request) {
    struct bans_request *b = (struct bans_request *)request;
    b->count = 0;
    if (!b->for_ms) {
        ban_lift(s, b);
        return;
    }
    struct video *v = room_find_or_add(s, b->video, &request->status);
    if (!v) return;
    video_mark_used(s, v);
    if (bans_are_full(s, v, b->user)) {
        request->status = ENGINE_FULL;
        return;
    }
    if (!gate_find(s, v)) gate_write(s, v, &(struct engine_room){0});
    b->bans = request_hold(request, sizeof *b->bans);
    *b->bans = (struct engine_ban){
        .user = b->user, .until_ms = b->for_ms > 0 ? s->now_ms + b->for_ms : 0, .shadow = b->shadow};
    b->count = 1;
    sqlite3_stmt *q = store_use(s, SQL_BAN_WRITE);
    sqlite3_bind_int64(q, 1, v->id);
    store_bind_text(q, 2, b->user);
    sqlite3_bind_int64(q, 3, b->bans->until_ms);
    sqlite3_bind_int(q, 4, b->shadow);
    if (store_run(s, q)) audit_write(s, v, b->note);
}

void gate_bans_read(struct store *s, struct request *request) {
    struct bans_request *b = (struct bans_request *)request;
    const struct video *v = video_find(s, b->video);
    b->count = 0;
    if (!v) return;
    b->bans = request_hold(request, ROOM_BANS * sizeof *b->bans);
    sqlite3_stmt *q = store_use(s, SQL_BAN_ALL);
    sqlite3_bind_int64(q, 1, v->id);
    sqlite3_bind_int64(q, 2, s->now_ms);
    while (store_row(s, q)) {
        const char *user = store_text(s, q, 0);
        if (user && b->count < ROOM_BANS)
            b->bans[b->count++] = (struct engine_ban){.user = request_hold_text(request, user, strlen(user)),
                                                      .until_ms = sqlite3_column_int64(q, 1),
                                                      .shadow = sqlite3_column_int(q, 2)};
    }
}
