// From a session to the servers and back, in the order in which a call meets it: a lane brings it to
// on_at_store(), which decides its fate; store_carry_out() has the server do it, repeats it on the replica
// and records it; the answer, and what is published, go into lanes back to the sessions, whose inbox the
// engine empties. Events: sim_store_changes.c.
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/mem.h"
#include "base/uthash.h"
#include "net/loop.h"
#include "sim_store_inner.h"

// Chance

bool store_chance(struct sim_store *st, unsigned per_million) {
    return per_million && prng_below(st->prng, MILLION) < per_million;
}

// Mostly near the least: the smallest of three.
static int64_t any_delay(struct sim_store *st, int64_t least_us, int64_t most_us) {
    if (most_us <= least_us) return least_us;
    uint64_t range = (uint64_t)(most_us - least_us), found = range;
    for (int i = 0; i < 3; i++) {
        uint64_t one = prng_below(st->prng, range + 1);
        if (one < found) found = one;
    }
    return least_us + (int64_t)found;
}

static int64_t one_way(struct sim_store *st) {
    return any_delay(st, st->faults.least_us, st->faults.most_us);
}

static int64_t up_to(struct sim_store *st, int64_t us) {
    return us > 0 ? (int64_t)prng_below(st->prng, (uint64_t)us) : 0;
}

static int64_t slow_way(struct sim_store *st) {
    return store_chance(st, st->faults.slow) ? up_to(st, st->faults.slow_us) : 0;
}

int64_t store_now_us(const struct sim_store *st) {
    return st->world->now_us(st->world->arg);
}

int64_t store_wall_ms(const struct sim_store *st) {
    return st->world->wall_ms(st->world->arg) + st->step_us / 1000;
}

void store_trace(const struct sim_store *st, const char *format, ...) {
    char line[400];
    va_list args;
    if (!st->world->trace) return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    st->world->trace(st->world->arg, line);
}

static const char *text_of(struct position p, char text[POSITION_TEXT_SIZE]) {
    position_format(p, text);
    return text;
}

// Sessions: what arrives in the process

static void session_free_if_over(struct sim_session *s) {
    if (!s->closed || s->later) return;
    for (int l = 0; l < SIM_LINKS; l++)
        for (int p = 0; p < SIM_PATHS_MAX; p++)
            if (s->links[l].to[p].armed || s->links[l].from[p].armed) return;
    DL_DELETE(s->store->sessions, s);
    free(s);
}

static void session_drop_subs(struct sim_session *s) {
    struct sub *sub, *next;
    LL_FOREACH_SAFE(s->subs, sub, next) free(sub);
    s->subs = NULL;
    s->deaf = false;
}

static void lane_clear(struct sim_lane *l) {
    for (struct sim_item *i; (i = sim_lane_take(l));) sim_item_free(i);
}

// What the process still expects is forgotten: it has ended, or closed its engine. What it has sent goes on.
static void session_end(struct sim_session *s) {
    s->closed = true;
    session_drop_subs(s);
    while (s->pending) sim_session_forget(s, s->pending);
    for (struct sim_item *i; (i = sim_session_take(s));) sim_item_free(i);
    for (int p = 0; p < SIM_PATHS_MAX; p++) {
        lane_clear(&s->links[SIM_COMMANDS].from[p]);
        lane_clear(&s->links[SIM_SUBSCRIBER].from[p]);
        lane_clear(&s->links[SIM_SUBSCRIBER].to[p]);
    }
}

bool session_is_dead(struct sim_session *s) {
    if (!s->closed && s->process && !s->store->world->alive(s->store->world->arg, s->process)) session_end(s);
    return s->closed;
}

static void session_ring(struct sim_session *s) {
    if (s->rung || session_is_dead(s)) return;
    s->rung = true;
    loop_post(s->loop, s->doorbell);
}

static void on_at_engine(struct sim_lane *lane, struct sim_item *i) {
    struct sim_session *s = lane->session;
    if (session_is_dead(s)) {
        sim_item_free(i);
        return;
    }
    *s->inbox_end = i;
    s->inbox_end = &i->next;
    session_ring(s);
}

static int64_t session_held_until(const struct sim_lane *lane) {
    const struct sim_session *s = lane->session;
    int64_t held_us = s->held_until_us;
    for (int i = 0; i < SERVERS; i++) {
        int64_t server_us = s->store->servers[i].held_until_us;
        if (server_us > held_us) held_us = server_us;
    }
    return held_us;
}

static void on_lane_idle(struct sim_lane *lane) {
    if (!session_is_dead(lane->session)) return;
    session_free_if_over(lane->session);
}

// Names of one path keep their order; so do those that are published and those that are called.
static unsigned path_of(const struct sim_store *st, const char *name) {
    uint32_t hash = 2166136261u; // FNV-1a
    for (; name && *name; name++) hash = (hash ^ (unsigned char)*name) * 16777619u;
    return (hash >> 8) % st->paths;
}

// What was published, and what else goes to subscribers

static struct sub **find_sub(struct sim_session *s, const char *name, bool is_topic) {
    struct sub **at = &s->subs;
    while (*at && ((*at)->is_topic != is_topic || strcmp((*at)->name, name) != 0)) at = &(*at)->next;
    return at;
}

static bool is_subscribed(struct sim_session *s, unsigned server, const char *name, bool is_topic) {
    const struct connection *c = &s->links[SIM_SUBSCRIBER];
    return c->up && c->server == server && *find_sub(s, name, is_topic) && !session_is_dead(s);
}

static void on_missed_noticed(void *arg) {
    struct sim_session *s = arg;
    s->later--;
    s->recovering = false;
    if (!session_is_dead(s)) session_lose(s, SIM_SUBSCRIBER);
    if (s->closed) session_free_if_over(s);
}

// A real engine probes its subscription, and makes it again when something does not arrive.
static void session_has_missed(struct sim_session *s) {
    struct sim_store *st = s->store;
    if (s->recovering) return;
    s->recovering = true;
    s->later++;
    st->world->at(st->world->arg, SIM_NOTICE_LEAST_US + up_to(st, SIM_NOTICE_US - SIM_NOTICE_LEAST_US),
                  on_missed_noticed, s);
}

// Returns whether the message is on its way.
static bool session_send_published(struct sim_session *s, struct sim_item *i) {
    struct sim_store *st = s->store;
    const struct sim_faults *f = &st->faults;
    int64_t delay_us = one_way(st);
    if (store_chance(st, f->deaf)) {
        store_trace(st, "store: a subscriber goes deaf");
        s->deaf = true;
        st->stats.deaf++;
    }
    bool drops = s->deaf || store_chance(st, f->publish_dropped);
    if (drops) {
        st->stats.dropped++;
        session_has_missed(s);
    }
    if (store_chance(st, f->publish_late)) {
        st->stats.late++;
        delay_us += up_to(st, f->publish_late_us);
    }
    if (!drops) sim_lane_put(&s->links[SIM_SUBSCRIBER].from[path_of(st, i->name)], i, delay_us);
    if (store_chance(st, f->cut_subscriber)) session_lose(s, SIM_SUBSCRIBER);
    return !drops;
}

static void store_publish(struct sim_store *st, unsigned server, enum sim_item_kind kind, const char *name,
                          const struct sim_entry *e) {
    struct sim_session *s, *next;
    DL_FOREACH_SAFE(st->sessions, s, next) {
        if (!is_subscribed(s, server, name, kind == ITEM_MESSAGE)) continue;
        struct sim_item *i = sim_item_new(kind, name);
        i->is_topic = kind == ITEM_MESSAGE;
        i->entry = *e;
        sim_body_ref(e->body);
        st->stats.published++;
        if (!session_send_published(s, i)) sim_item_free(i);
    }
}

// Records

void server_has(struct server *v, size_t record) {
    if (record >= v->has_room) {
        size_t room = record * 2 + GROW;
        v->has = mem_realloc(v->has, room);
        memset(v->has + v->has_room, 0, room - v->has_room);
        v->has_room = room;
    }
    v->has[record] = true;
}

bool server_holds(const struct server *v, size_t record) {
    return record < v->has_room && v->has[record];
}

void record_lose(struct sim_store *st, struct sim_record *r, unsigned change) {
    r->lost = change;
    if (st->on_lost) st->on_lost(st->on_lost_arg, r);
}

// Returns its number, from 1.
static size_t store_record(struct sim_store *st, unsigned server, const char *video,
                           const struct sim_entry *e) {
    char at[POSITION_TEXT_SIZE], prev[POSITION_TEXT_SIZE];
    if (st->record_count == st->record_room) {
        st->record_room = st->record_room * 2 + GROW;
        st->records = mem_realloc(st->records, st->record_room * sizeof *st->records);
        st->bodies = mem_realloc(st->bodies, st->record_room * sizeof(struct sim_body *));
    }
    st->bodies[st->record_count] = sim_body_ref(e->body);
    st->records[st->record_count++] = (struct sim_record){.video = mem_strdup(video),
                                                          .at = e->at,
                                                          .prev = e->prev,
                                                          .kind = e->kind,
                                                          .body = e->body->bytes,
                                                          .body_len = e->body->len,
                                                          .at_us = store_now_us(st),
                                                          .server = server};
    server_has(&st->servers[server], st->record_count - 1);
    store_trace(st, "store: server %u %s kind %d at %s after %s", server, video, (int)e->kind,
                text_of(e->at, at), text_of(e->prev, prev));
    if (server != st->front) record_lose(st, &st->records[st->record_count - 1], st->change_count);
    return st->record_count;
}

// Carrying out

static void replica_repeat(struct sim_store *st, const struct repeated *r) {
    struct server *v = &st->servers[!st->front];
    struct sim_answer answer = {0};
    r->call->wall_ms = r->wall_ms;
    r->call->steady_ms = r->steady_ms;
    r->call->run = r->run;
    sim_node_carry_out(v->node, r->call, &answer);
    for (int i = 0; i < 2; i++) {
        if (!r->records[i]) continue;
        const struct sim_entry *e = i ? &answer.entry : &answer.loss;
        assert(!position_compare(e->at, st->records[r->records[i] - 1].at));
        server_has(v, r->records[i] - 1);
    }
    sim_answer_release(&answer);
}

void behind_drop(struct sim_store *st, size_t from, size_t count) {
    for (size_t i = from; i < from + count; i++) sim_call_unref(st->behind[i].call);
    st->behind_count -= count;
    memmove(st->behind + from, st->behind + from + count, (st->behind_count - from) * sizeof *st->behind);
}

// Has the replica repeat all but the last `forget` appends, and what follows the first of those.
void replica_catch_up(struct sim_store *st, size_t forget) {
    size_t upto = st->behind_count;
    while (forget && upto)
        if (st->behind[--upto].appends) forget--;
    for (size_t i = 0; i < upto; i++) replica_repeat(st, &st->behind[i]);
    behind_drop(st, 0, st->behind_count);
}

static void store_pass_on(struct sim_store *st, struct sim_call *c, const size_t records[2]) {
    if (st->behind_count == BEHIND_MOST) {
        for (size_t i = 0; i < BEHIND_MOST / 2; i++) replica_repeat(st, &st->behind[i]);
        behind_drop(st, 0, BEHIND_MOST / 2);
    }
    st->behind[st->behind_count++] = (struct repeated){.call = sim_call_ref(c),
                                                       .wall_ms = c->wall_ms,
                                                       .steady_ms = c->steady_ms,
                                                       .run = c->run,
                                                       .records = {records[0], records[1]},
                                                       .appends = records[0] || records[1]};
}

// Returns whether the server refuses it, with the status in the answer.
static bool server_refuses(struct sim_store *st, unsigned server, const struct sim_call *c,
                           struct sim_answer *a) {
    const struct server *v = &st->servers[server];
    bool begins = sim_node_begins(v->node, c), appends = c->op == SIM_APPEND;
    bool writes = begins || (sim_call_writes(c) && c->op != SIM_HEAD && c->op != SIM_LOOKUP);
    bool late = c->deadline_ms && c->wall_ms > c->deadline_ms;
    bool replica = st->joined && server != st->front;
    a->status = ENGINE_OK;
    if (appends && st->faults.full) a->status = ENGINE_STORE_FULL;
    if (!v->up || late || (writes && (st->faults.read_only || replica))) a->status = ENGINE_UNAVAILABLE;
    return a->status != ENGINE_OK;
}

// An entry that is neither a comment nor a tombstone is published as its position alone, as Redis does.
static void store_publish_entry(struct sim_store *st, unsigned server, const char *video,
                                const struct sim_entry *e) {
    struct sim_entry published = *e;
    if (e->kind != ENTRY_COMMENT && e->kind != ENTRY_TOMBSTONE) published.kind = ENTRY_UNREAD;
    store_publish(st, server, ITEM_ENTRY, video, &published);
}

static void store_carry_out(struct sim_store *st, unsigned server, struct sim_call *c, struct sim_answer *a) {
    struct server *v = &st->servers[server];
    c->wall_ms = store_wall_ms(st);
    c->steady_ms = store_now_us(st) / 1000;
    c->run = v->run;
    st->stats.calls++;
    if (server_refuses(st, server, c, a)) return;
    sim_node_carry_out(v->node, c, a);
    bool ok = a->status == ENGINE_OK;
    size_t records[2] = {0};
    if (ok && position_is_set(a->loss.at)) records[0] = store_record(st, server, c->name, &a->loss);
    if (ok && position_is_set(a->entry.at) && !a->repeated)
        records[1] = store_record(st, server, c->name, &a->entry);
    if (st->joined && server == st->front && sim_call_writes(c)) store_pass_on(st, c, records);
    st->stats.appends += records[1] != 0;
    if (c->op == SIM_NOTIFY)
        store_publish(st, server, ITEM_MESSAGE, c->name,
                      &(struct sim_entry){.kind = ENTRY_COMMENT, .body = c->body});
}

// The publishing comes after the answer is on its way.
static void store_publish_stored(struct sim_store *st, unsigned server, const struct sim_call *c,
                                 const struct sim_answer *a) {
    if (a->status != ENGINE_OK) return;
    if (position_is_set(a->loss.at)) store_publish_entry(st, server, c->name, &a->loss);
    if (position_is_set(a->entry.at) && !a->repeated) store_publish_entry(st, server, c->name, &a->entry);
}

// A video is marked as not watched only if no other process has subscribed to it.
static bool store_is_shared(struct sim_store *st, unsigned server, const char *video) {
    struct sim_session *s, *next;
    int count = 0;
    DL_FOREACH_SAFE(st->sessions, s, next) count += is_subscribed(s, server, video, false);
    return count > 1;
}

// The fate of a call

enum fate { FATE_DONE, FATE_LOST_BEFORE, FATE_LOST_AFTER, FATE_LATER };

static enum fate choose_fate(struct sim_store *st, const struct sim_call *c) {
    const struct sim_faults *f = &st->faults;
    if (c->op == SIM_LEASE_RENEW && store_chance(st, f->lease_lost)) return FATE_LOST_BEFORE;
    if (c->op != SIM_APPEND) {
        if (!store_chance(st, f->failed)) return FATE_DONE;
        st->stats.failed++;
        return store_chance(st, MILLION / 2) ? FATE_LOST_BEFORE : FATE_LOST_AFTER;
    }
    if (store_chance(st, f->lost_before)) return FATE_LOST_BEFORE;
    if (store_chance(st, f->lost_after)) return FATE_LOST_AFTER;
    return store_chance(st, f->lost_later) ? FATE_LATER : FATE_DONE;
}

static void count_fate(struct sim_store *st, const struct sim_call *c, enum fate fate) {
    static const char *const names[] = {"", "lost before it is done", "lost after it is done", "done later"};
    if (fate == FATE_DONE) return;
    store_trace(st, "store: a call of %s is %s", c->name ? c->name : "all", names[fate]);
    if (c->op != SIM_APPEND) return;
    st->stats.lost_before += fate == FATE_LOST_BEFORE;
    st->stats.lost_after += fate == FATE_LOST_AFTER;
    st->stats.lost_later += fate == FATE_LATER;
}

static void on_stray(struct sim_lane *lane, struct sim_item *i) {
    struct sim_store *st = container_of(lane, struct sim_store, strays);
    struct sim_answer a = {0};
    unsigned server = (unsigned)i->entry.at_ms; // it was sent to
    store_carry_out(st, server, i->call, &a);
    store_publish_stored(st, server, i->call, &a);
    sim_answer_release(&a);
    sim_item_free(i);
}

// Has a call carried out although nothing waits for it any more.
static void store_keep_stray(struct sim_store *st, unsigned server, struct sim_call *c) {
    struct sim_item *i = sim_item_new(ITEM_CALL, "");
    i->call = sim_call_ref(c);
    i->entry.at_ms = server;
    sim_lane_put(&st->strays, i, 1 + up_to(st, SIM_LATE_US));
}

// What an answer says was stored, for its publishing.
static struct sim_answer take_stored(const struct sim_answer *a) {
    struct sim_answer stored = {
        .status = a->status, .loss = a->loss, .repeated = a->repeated, .entry = a->entry};
    sim_body_ref(stored.loss.body);
    sim_body_ref(stored.entry.body);
    return stored;
}

static struct sim_answer store_do(struct sim_store *st, unsigned server, struct sim_call *c) {
    if (c->op == SIM_WATCH && !c->watched && store_is_shared(st, server, c->name))
        return (struct sim_answer){0};
    store_carry_out(st, server, c, &c->answer);
    struct sim_answer stored = take_stored(&c->answer), second = {0};
    if (c->op != SIM_APPEND || !c->has_token || !store_chance(st, st->faults.doubled)) return stored;
    store_trace(st, "store: an append to %s is doubled", c->name);
    st->stats.doubled++;
    store_carry_out(st, server, c, &second);
    if (c->answer.status == ENGINE_OK && second.status == ENGINE_OK && store_chance(st, MILLION / 2)) {
        c->answer.repeated = true;
        c->answer.first_at_ms = second.first_at_ms;
    }
    sim_answer_release(&second);
    return stored;
}

static void session_answer(struct sim_session *s, struct sim_call *c, int64_t delay_us) {
    struct sim_item *i = sim_item_new(ITEM_ANSWER, "");
    i->call = sim_call_ref(c);
    sim_lane_put(&s->links[SIM_COMMANDS].from[path_of(s->store, c->name)], i, delay_us);
}

static void session_take_call(struct sim_session *s, struct sim_call *c) {
    struct sim_store *st = s->store;
    unsigned server = s->links[SIM_COMMANDS].server;
    enum fate fate = choose_fate(st, c);
    bool cut = store_chance(st, st->faults.cut);
    struct sim_answer stored = {0};
    if (cut && store_chance(st, MILLION / 2)) fate = FATE_LOST_BEFORE;
    count_fate(st, c, fate);
    if (fate == FATE_DONE || fate == FATE_LOST_AFTER) stored = store_do(st, server, c);
    if (fate == FATE_LATER) store_keep_stray(st, server, c);
    if (fate != FATE_DONE) {
        sim_answer_release(&c->answer);
        c->answer.status = ENGINE_UNAVAILABLE;
    }
    if (cut)
        session_lose(s, SIM_COMMANDS);
    else if (c->on_answer && !session_is_dead(s))
        session_answer(s, c, one_way(st) + slow_way(st));
    store_publish_stored(st, server, c, &stored);
    sim_answer_release(&stored);
}

static void session_take_subscribe(struct sim_session *s, struct sim_item *i) {
    struct sub **at = find_sub(s, i->name, i->is_topic), *sub = *at;
    struct sim_store *st = s->store;
    if (i->kind == ITEM_UNSUBSCRIBE) {
        if (!sub) return;
        *at = sub->next;
        free(sub);
        return;
    }
    if (!sub) {
        size_t size = strlen(i->name) + 1;
        sub = mem_zalloc(sizeof *sub + size);
        memcpy(sub->name, i->name, size);
        sub->is_topic = i->is_topic;
        LL_PREPEND(s->subs, sub);
    }
    if (i->is_topic || s->deaf) return;
    sim_lane_put(&s->links[SIM_SUBSCRIBER].from[path_of(st, i->name)], sim_item_new(ITEM_SUBSCRIBED, i->name),
                 one_way(st));
}

static void on_at_store(struct sim_lane *lane, struct sim_item *i) {
    struct sim_session *s = lane->session;
    if (i->kind == ITEM_CALL)
        session_take_call(s, i->call);
    else if (!session_is_dead(s))
        session_take_subscribe(s, i);
    sim_item_free(i);
}

// Connections

// What was on its way to the store may still reach it; what was on its way back does not.
static void connection_clear(struct sim_session *s, enum sim_link link) {
    struct connection *c = &s->links[link];
    struct sim_store *st = s->store;
    for (unsigned p = 0; p < st->paths; p++) {
        lane_clear(&c->from[p]);
        for (struct sim_item *i; (i = sim_lane_take(&c->to[p]));) {
            bool reaches = i->call && st->servers[c->server].up && store_chance(st, MILLION / 2);
            if (reaches) store_keep_stray(st, c->server, i->call);
            sim_item_free(i);
        }
    }
    if (link == SIM_SUBSCRIBER) session_drop_subs(s);
}

// The store's end of a connection is gone; the engine notices.
void session_lose(struct sim_session *s, enum sim_link link) {
    struct connection *c = &s->links[link];
    if (!c->up) return;
    c->up = false;
    c->was_cut = true;
    s->store->stats.cuts++;
    connection_clear(s, link);
    session_ring(s);
}

void sim_session_cut(struct sim_session *s, enum sim_link link) {
    void *process = s->store->world->step_out(s->store->world->arg);
    s->links[link].up = false;
    connection_clear(s, link);
    s->store->world->step_in(s->store->world->arg, process);
}

bool sim_session_connect(struct sim_session *s, enum sim_link link) {
    const struct sim_store *st = s->store;
    struct connection *c = &s->links[link];
    const struct server *v = &st->servers[st->front];
    bool held = v->held_until_us > store_now_us(st) || s->held_until_us > store_now_us(st);
    if (st->address_down || !v->up || held) return false;
    c->up = true;
    c->was_cut = false;
    c->server = st->front;
    return true;
}

bool sim_session_is_up(const struct sim_session *s, enum sim_link link) {
    return s->links[link].up;
}

int sim_session_connect_ms(struct sim_session *s) {
    return s->store->faults.most_us ? (int)(1 + 2 * one_way(s->store) / 1000) : 0;
}

int sim_session_about_ms(struct sim_session *s, int ms) {
    return ms / 2 + (int)up_to(s->store, ms);
}

int64_t sim_session_wall_ms(const struct sim_session *s) {
    return store_wall_ms(s->store);
}

uint64_t sim_session_run(const struct sim_session *s) {
    return s->store->servers[s->links[SIM_COMMANDS].server].run;
}

bool sim_session_take_cut(struct sim_session *s, enum sim_link link) {
    bool cut = s->links[link].was_cut;
    s->links[link].was_cut = false;
    return cut;
}

// The engine's side

struct sim_session *sim_session_new(struct sim_store *st, struct loop *loop, struct loop_job *doorbell) {
    void *process = st->world->step_out(st->world->arg);
    struct sim_session *s, *next;
    DL_FOREACH_SAFE(st->sessions, s, next) {
        if (session_is_dead(s)) session_free_if_over(s);
    }
    s = mem_zalloc(sizeof *s);
    s->store = st;
    s->process = process;
    s->loop = loop;
    s->doorbell = doorbell;
    s->inbox_end = &s->inbox;
    for (int l = 0; l < SIM_LINKS; l++) {
        for (int p = 0; p < SIM_PATHS_MAX; p++) {
            struct sim_lane lane = {
                .world = st->world, .session = s, .held_until = session_held_until, .on_idle = on_lane_idle};
            s->links[l].to[p] = s->links[l].from[p] = lane;
            s->links[l].to[p].deliver = on_at_store;
            s->links[l].from[p].deliver = on_at_engine;
        }
    }
    DL_APPEND(st->sessions, s);
    st->world->step_in(st->world->arg, process);
    return s;
}

bool sim_session_close(struct sim_session *s) {
    bool rung = s->rung;
    session_end(s);
    session_free_if_over(s);
    return rung;
}

struct sim_call *sim_session_send(struct sim_session *s, const struct sim_call *asked) {
    struct sim_store *st = s->store;
    void *process = st->world->step_out(st->world->arg);
    struct sim_call *c = sim_call_copy(asked);
    struct sim_item *i = sim_item_new(ITEM_CALL, "");
    i->call = c;
    if (c->on_answer) {
        c->session = s;
        sim_call_ref(c);
        DL_APPEND(s->pending, c);
    }
    sim_lane_put(&s->links[SIM_COMMANDS].to[path_of(st, c->name)], i, one_way(st) + slow_way(st));
    st->world->step_in(st->world->arg, process);
    return asked->on_answer ? c : NULL;
}

void sim_session_subscribe(struct sim_session *s, const char *name, bool is_topic, bool subscribe) {
    struct sim_store *st = s->store;
    void *process = st->world->step_out(st->world->arg);
    struct sim_item *i = sim_item_new(subscribe ? ITEM_SUBSCRIBE : ITEM_UNSUBSCRIBE, name);
    i->is_topic = is_topic;
    sim_lane_put(&s->links[SIM_SUBSCRIBER].to[path_of(st, name)], i, one_way(st));
    st->world->step_in(st->world->arg, process);
}

struct sim_call *sim_session_pending(const struct sim_session *s) {
    return s->pending;
}

void sim_session_forget(struct sim_session *s, struct sim_call *c) {
    assert(c->session == s);
    c->session = NULL;
    DL_DELETE(s->pending, c);
    sim_call_unref(c);
}

void sim_session_answer_door(struct sim_session *s) {
    s->rung = false;
}

struct sim_item *sim_session_take(struct sim_session *s) {
    struct sim_item *i = s->inbox;
    if (!i) return NULL;
    s->inbox = i->next;
    if (!s->inbox) s->inbox_end = &s->inbox;
    i->next = NULL;
    return i;
}

// Life

uint64_t store_new_run(struct sim_store *st) {
    return ++st->last_run;
}

struct sim_faults *sim_store_faults(struct sim_store *st) {
    return &st->faults;
}

struct sim_store *sim_store_new(const struct sim_store_world *world, struct prng *prng, unsigned paths) {
    assert(paths && paths <= SIM_PATHS_MAX);
    struct sim_store *st = mem_zalloc(sizeof *st);
    st->world = world;
    st->prng = prng;
    st->paths = paths;
    st->strays = (struct sim_lane){.world = world, .deliver = on_stray};
    for (int i = 0; i < SERVERS; i++) st->servers[i].node = sim_node_new();
    st->servers[0].run = store_new_run(st);
    st->servers[0].up = true;
    sim_store_rejoin(st);
    return st;
}

void sim_store_free(struct sim_store *st) {
    struct sim_session *s, *next;
    DL_FOREACH_SAFE(st->sessions, s, next) {
        session_end(s);
        for (unsigned p = 0; p < SIM_PATHS_MAX; p++) lane_clear(&s->links[SIM_COMMANDS].to[p]);
        DL_DELETE(st->sessions, s);
        free(s);
    }
    lane_clear(&st->strays);
    behind_drop(st, 0, st->behind_count);
    for (int i = 0; i < SERVERS; i++) {
        sim_node_free(st->servers[i].node);
        free(st->servers[i].has);
    }
    for (size_t i = 0; i < st->record_count; i++) {
        free(st->records[i].video);
        sim_body_unref(st->bodies[i]);
    }
    free(st->records);
    free(st->bodies);
    free(st->changes);
    free(st);
}
