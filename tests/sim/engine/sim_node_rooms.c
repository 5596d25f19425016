// Rooms: what is set for them, bans, what is held, and the notes of all of it (memory_gate.h).
#include "sim_node_inner.h"

void sim_node_rooms_read(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    const char *video = c->body->bytes, *end = video + c->body->len;
    a->rooms = mem_zalloc(ENGINE_SETTINGS_BATCH * sizeof *a->rooms);
    for (size_t i = 0; video < end; video += strlen(video) + 1, i++) {
        const struct video *v = sim_video_find(n, video);
        if (v) a->rooms[i] = v->gate.room;
    }
}

void sim_node_room_write(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = sim_video_find_or_add(n, c, a);
    if (!v) return;
    v->used = ++n->clock;
    if (memory_gate_write(&v->gate, &c->room)) memory_gate_note(&v->gate, c->note);
    a->rooms = mem_zalloc(sizeof *a->rooms);
    *a->rooms = v->gate.room;
}

static void answer_ban(struct sim_answer *a, const struct engine_ban *ban) {
    a->bans[a->ban_count] = *ban;
    a->bans[a->ban_count++].user = mem_strdup(ban->user);
}

void sim_node_ban_write(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = sim_video_find(n, c->name);
    if (!v && c->for_ms) v = sim_video_find_or_add(n, c, a);
    if (!v) return;
    v->used = ++n->clock;
    const struct engine_ban *ban =
        memory_gate_ban(&v->gate, c->gate.author, c->for_ms, c->shadow, c->note, c->wall_ms);
    a->bans = mem_zalloc(sizeof *a->bans);
    if (ban) answer_ban(a, ban);
}

void sim_node_bans_read(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    const struct video *v = sim_video_find(n, c->name);
    if (!v) return;
    size_t count = memory_gate_bans(&v->gate, c->wall_ms, NULL, 0);
    struct engine_ban *list = mem_zalloc((count + 1) * sizeof *list);
    memory_gate_bans(&v->gate, c->wall_ms, list, count);
    a->bans = mem_zalloc((count + 1) * sizeof *a->bans);
    for (size_t i = 0; i < count; i++) answer_ban(a, &list[i]);
    free(list);
}

static void answer_held(struct sim_answer *a, const struct memory_gate *g, int64_t due_ms, size_t most) {
    a->held_count += memory_gate_held(g, due_ms, a->held + a->held_count, most - a->held_count);
}

void sim_node_held_read(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = c->name ? sim_video_find(n, c->name) : NULL;
    a->held = mem_zalloc(ROOM_HELD * sizeof *a->held);
    if (v) answer_held(a, &v->gate, INT64_MAX, ROOM_HELD);
    if (!c->name)
        DL_FOREACH(n->videos, v) answer_held(a, &v->gate, c->wall_ms, ENGINE_HELD_DUE);
    for (size_t i = 0; i < a->held_count; i++) {
        struct engine_held *h = &a->held[i];
        h->video = mem_strdup(h->video);
        h->id = mem_strdup(h->id);
        h->author = mem_strdup(h->author);
        h->body = mem_strndup(h->body, h->body_len);
    }
}

void sim_node_held_drop(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = sim_video_find(n, c->name);
    int64_t left = 0;
    if (!v || !memory_gate_drop(&v->gate, c->gate.id, &left))
        a->status = ENGINE_NOT_FOUND;
    else
        memory_gate_note(&v->gate, c->note);
    a->number = (uint64_t)left;
}

void sim_node_audit_read(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    const struct video *v = sim_video_find(n, c->name);
    a->notes = mem_zalloc(MEMORY_NOTES * sizeof *a->notes);
    if (v) a->note_count = memory_gate_notes(&v->gate, a->notes);
    for (size_t i = 0; i < a->note_count; i++) a->notes[i] = mem_strdup(a->notes[i]);
}
