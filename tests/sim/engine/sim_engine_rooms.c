// Rooms, bans, what is held, and the notes of it.
#include <string.h>

#include "sim_engine_inner.h"

static void on_rooms(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    (void)e;
    CALLBACK(engine_rooms_cb, c)(c->arg, a->status, a->status == ENGINE_OK ? a->rooms : NULL);
}

static void op_rooms_read(struct engine *engine, const char *const *videos, size_t count, engine_rooms_cb *cb,
                          void *arg) {
    struct sim_names names = sim_names_of(videos, count);
    struct sim_call c = {.op = SIM_ROOMS_READ,
                         .text = names.text,
                         .text_len = names.len,
                         .on_answer = on_rooms,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    sim_engine_send(sim_engine_of(engine), &c);
}

static void op_room_write(struct engine *engine, const char *video, const struct engine_room *room,
                          const char *note, engine_rooms_cb *cb, void *arg) {
    struct sim_call c = {.op = SIM_ROOM_WRITE,
                         .note = note,
                         .name = video,
                         .room = *room,
                         .on_answer = on_rooms,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    sim_engine_send(sim_engine_of(engine), &c);
}

static void on_bans(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    bool ok = a->status == ENGINE_OK;
    (void)e;
    CALLBACK(engine_bans_cb, c)(c->arg, a->status, ok ? a->bans : NULL, ok ? a->ban_count : 0);
}

static void op_ban_write(struct engine *engine, const char *video, const char *user, int64_t for_ms,
                         bool shadow, const char *note, engine_bans_cb *cb, void *arg) {
    struct sim_call c = {.op = SIM_BAN_WRITE,
                         .note = note,
                         .name = video,
                         .gate.author = user,
                         .for_ms = for_ms,
                         .shadow = shadow,
                         .on_answer = on_bans,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    sim_engine_send(sim_engine_of(engine), &c);
}

static void op_bans_read(struct engine *engine, const char *video, engine_bans_cb *cb, void *arg) {
    struct sim_call c = {
        .op = SIM_BANS_READ, .name = video, .on_answer = on_bans, .cb = (void (*)(void))cb, .arg = arg};
    sim_engine_send(sim_engine_of(engine), &c);
}

static void on_held(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    bool ok = a->status == ENGINE_OK;
    (void)e;
    CALLBACK(engine_held_cb, c)(c->arg, a->status, ok ? a->held : NULL, ok ? a->held_count : 0);
}

static void op_held_read(struct engine *engine, const char *video, engine_held_cb *cb, void *arg) {
    struct sim_call c = {
        .op = SIM_HELD_READ, .name = video, .on_answer = on_held, .cb = (void (*)(void))cb, .arg = arg};
    sim_engine_send(sim_engine_of(engine), &c);
}

static void on_held_dropped(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    (void)e;
    CALLBACK(engine_drop_cb, c)(c->arg, a->status, (int64_t)a->number);
}

static void on_audit(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    bool ok = a->status == ENGINE_OK;
    (void)e;
    CALLBACK(engine_audit_cb, c)(c->arg, a->status, ok ? a->notes : NULL, ok ? a->note_count : 0);
}

static void op_audit_read(struct engine *engine, const char *video, engine_audit_cb *cb, void *arg) {
    struct sim_call c = {
        .op = SIM_AUDIT_READ, .name = video, .on_answer = on_audit, .cb = (void (*)(void))cb, .arg = arg};
    sim_engine_send(sim_engine_of(engine), &c);
}

static void op_held_drop(struct engine *engine, const char *video, const char *id, const char *note,
                         engine_drop_cb *cb, void *arg) {
    struct sim_call c = {.op = SIM_HELD_DROP,
                         .note = note,
                         .name = video,
                         .gate.id = id,
                         .on_answer = on_held_dropped,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    sim_engine_send(sim_engine_of(engine), &c);
}

void sim_engine_add_rooms(struct engine_ops *ops) {
    ops->rooms_read = op_rooms_read;
    ops->room_write = op_room_write;
    ops->ban_write = op_ban_write;
    ops->bans_read = op_bans_read;
    ops->held_read = op_held_read;
    ops->held_drop = op_held_drop;
    ops->audit_read = op_audit_read;
}
