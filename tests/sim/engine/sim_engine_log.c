// The log: appends, heads, ranges, and the losses that the store is told of.
#include <assert.h>
#include <stdlib.h>

#include "base/container_of.h"
#include "base/mem.h"
#include "engine/hub.h"
#include "sim_engine_inner.h"

enum { TOLD_AT_ONCE = 32 };

static struct position higher(struct position a, struct position b) {
    return position_compare(a, b) > 0 ? a : b;
}

static void note_position(struct sim_engine *e, const char *video, struct position at) {
    struct last_position *v = last_positions_ref(&e->last_positions, video);
    last_positions_note(&e->last_positions, v, at);
    last_positions_unref(&e->last_positions, v);
}

static void on_appended(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    bool ok = a->status == ENGINE_OK;
    if (a->status == ENGINE_REFUSED) {
        struct engine_entry refused = {.kind = c->kind, .body = c->body->bytes, .body_len = c->body->len};
        *c->gate.refusal = a->refusal;
        CALLBACK(engine_append_cb, c)(c->arg, ENGINE_REFUSED, &refused, NULL);
        return;
    }
    if (!ok && c->deadline_ms) // it may have come too late, by a clock that was stepped
        e->clock_offset_ms = sim_session_wall_ms(e->session) - loop_now_ms(e->loop);
    if (!ok) {
        CALLBACK(engine_append_cb, c)(c->arg, a->status, NULL, NULL);
        return;
    }
    struct engine_entry entry = sim_entry_view(&a->entry);
    struct engine_first first = {.at_ms = a->first_at_ms};
    note_position(e, c->name, entry.at);
    CALLBACK(engine_append_cb, c)(c->arg, ENGINE_OK, &entry, a->repeated ? &first : NULL);
}

// The highest position that this process knows of.
static struct position known_of(struct sim_engine *e, const char *video, struct position asked) {
    struct last_position *last = last_positions_ref(&e->last_positions, video);
    struct position known = higher(asked, hub_position(e->hub, video));
    if (!position_is_plausible(known)) known = (struct position){0};
    known = higher(known, last->at);
    last_positions_unref(&e->last_positions, last);
    return known;
}

static void on_amended(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    bool stored = a->status == ENGINE_OK && position_is_set(a->entry.at);
    struct engine_entry entry = {0};
    if (stored) {
        entry = sim_entry_view(&a->entry);
        note_position(e, c->name, entry.at);
    }
    CALLBACK(engine_amend_cb, c)(c->arg, a->status, stored ? &entry : NULL, a->taken);
}

static void op_amend(struct engine *engine, const struct engine_amend *asked, engine_amend_cb *cb,
                     void *arg) {
    struct sim_engine *e = sim_engine_of(engine);
    struct sim_call c = {.op = SIM_AMEND,
                         .name = asked->video,
                         .user = asked->user,
                         .note = asked->note,
                         .target = asked->target,
                         .kind = asked->kind,
                         .text = asked->body_len ? asked->body : "",
                         .text_len = asked->body_len,
                         .at = known_of(e, asked->video, asked->known),
                         .on_answer = on_amended,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    sim_engine_send(e, &c);
}

static void op_append(struct engine *engine, const struct engine_append *asked, engine_append_cb *cb,
                      void *arg) {
    struct sim_engine *e = sim_engine_of(engine);
    assert(asked->body_len ? asked->kind != ENTRY_TOMBSTONE : asked->kind != ENTRY_COMMENT);
    struct sim_call c = {.op = SIM_APPEND,
                         .name = asked->video,
                         .kind = asked->kind,
                         .text = asked->body_len ? asked->body : "",
                         .text_len = asked->body_len,
                         .deadline_ms = loop_now_ms(e->loop) + e->clock_offset_ms + ENGINE_LATE_MS,
                         .on_answer = on_appended,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    c.at = known_of(e, asked->video, asked->known);
    c.has_token = asked->token;
    if (asked->token) c.token = *asked->token;
    c.token.old_name = NULL;
    c.has_gate = asked->gate;
    if (asked->gate) c.gate = *asked->gate;
    sim_engine_send(e, &c);
}

static void on_head(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    struct engine_head head = {.at = a->head, .before = a->before, .over = a->over};
    if (a->status == ENGINE_OK) last_positions_note_epoch(&e->last_positions, a->head.epoch);
    CALLBACK(engine_head_cb, c)(c->arg, a->status, a->status == ENGINE_OK ? &head : NULL);
}

static void op_head(struct engine *engine, const char *video, struct position known, engine_head_cb *cb,
                    void *arg) {
    struct sim_call c = {
        .op = SIM_HEAD, .name = video, .on_answer = on_head, .cb = (void (*)(void))cb, .arg = arg};
    if (position_is_plausible(known)) c.at = known;
    sim_engine_send(sim_engine_of(engine), &c);
}

// Losses: when the run has changed, the store is told what this process knows of, as by the engine on Redis
// (redis_losses.h).

struct told {
    struct sim_engine *engine;
    struct last_position *video;
};

static void on_told(void *arg, enum engine_status status, const struct engine_head *head) {
    struct told *t = arg;
    struct last_positions *k = &t->engine->last_positions;
    (void)head;
    if (status == ENGINE_UNAVAILABLE || status == ENGINE_BUSY) last_positions_doubt_again(k, t->video);
    last_positions_unref(k, t->video);
    free(t);
}

void sim_engine_on_tick(struct loop_timer *timer) {
    struct sim_engine *e = container_of(timer, struct sim_engine, tick);
    struct last_position *doubted[TOLD_AT_ONCE];
    loop_timer_start(e->loop, timer, SIM_ENGINE_TICK_MS);
    if (!sim_engine_serves(e)) return;
    if (sim_session_run(e->session) != e->run) last_positions_doubt(&e->last_positions);
    e->run = sim_session_run(e->session);
    size_t count = last_positions_take_doubted(&e->last_positions, doubted, TOLD_AT_ONCE);
    for (size_t i = 0; i < count; i++) {
        struct told *t = mem_alloc(sizeof *t);
        *t = (struct told){.engine = e, .video = doubted[i]};
        op_head(&e->engine, doubted[i]->name, doubted[i]->at, on_told, t);
    }
}

static struct engine_entry *view_entries(const struct sim_answer *a) {
    struct engine_entry *entries = mem_alloc((a->count + 1) * sizeof *entries);
    for (size_t i = 0; i < a->count; i++) entries[i] = sim_entry_view(&a->entries[i]);
    return entries;
}

static void on_range(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    struct engine_entry *entries = view_entries(a);
    struct engine_range range = {.entries = entries, .count = a->count, .head = a->head, .more = a->more};
    (void)e;
    CALLBACK(engine_range_cb, c)(c->arg, a->status, a->status == ENGINE_OK ? &range : NULL);
    free(entries);
}

static void send_range(struct engine *engine, enum sim_op op, const char *video, struct position from,
                       size_t limit, engine_range_cb *cb, void *arg) {
    struct sim_call c = {.op = op,
                         .name = video,
                         .at = from,
                         .limit = limit,
                         .on_answer = on_range,
                         .cb = (void (*)(void))cb,
                         .arg = arg};
    sim_engine_send(sim_engine_of(engine), &c);
}

static void op_range(struct engine *engine, const char *video, struct position after, size_t limit,
                     engine_range_cb *cb, void *arg) {
    send_range(engine, SIM_RANGE, video, after, limit, cb, arg);
}

static void op_range_before(struct engine *engine, const char *video, struct position before, size_t limit,
                            engine_range_cb *cb, void *arg) {
    send_range(engine, SIM_RANGE_BEFORE, video, before, limit, cb, arg);
}

static void on_overview(struct sim_engine *e, struct sim_call *c) {
    const struct sim_answer *a = &c->answer;
    struct engine_entry *newest = view_entries(a);
    struct engine_overview overview = {.comments = a->number,
                                       .mappings = a->mappings,
                                       .newest = newest,
                                       .newest_count = a->count,
                                       .mapped = a->mapped,
                                       .mapped_count = a->mapped_count};
    (void)e;
    CALLBACK(engine_overview_cb, c)(c->arg, a->status, a->status == ENGINE_OK ? &overview : NULL);
    free(newest);
}

static void op_overview(struct engine *engine, engine_overview_cb *cb, void *arg) {
    struct sim_call c = {.op = SIM_OVERVIEW, .on_answer = on_overview, .cb = (void (*)(void))cb, .arg = arg};
    sim_engine_send(sim_engine_of(engine), &c);
}

void sim_engine_add_log(struct engine_ops *ops) {
    ops->append = op_append;
    ops->amend = op_amend;
    ops->head = op_head;
    ops->range = op_range;
    ops->range_before = op_range_before;
    ops->overview = op_overview;
}
