// The events that befall a simulated store, and what it tells a checker.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/uthash.h"
#include "sim_store_inner.h"

// Changes

static void store_begin_change(struct sim_store *st, const char *what) {
    st->changes = mem_realloc(st->changes, (st->change_count + 1) * sizeof *st->changes);
    st->changes[st->change_count++] = (struct sim_change){.what = what, .at_us = store_now_us(st)};
}

// Notes what is not there any more.
static void store_end_change(struct sim_store *st) {
    struct sim_change *change = &st->changes[st->change_count - 1];
    for (size_t i = 0; i < st->record_count; i++) {
        struct sim_record *r = &st->records[i];
        if (r->lost || server_holds(&st->servers[st->front], i)) continue;
        record_lose(st, r, st->change_count);
        change->lost++;
    }
    store_trace(st, "store: %s, change %u, %zu lost", change->what, st->change_count, change->lost);
}

static void store_lose_connections(struct sim_store *st, unsigned server, unsigned per_million) {
    struct sim_session *s, *next;
    DL_FOREACH_SAFE(st->sessions, s, next) {
        if (s->closed || session_is_dead(s) || !store_chance(st, per_million)) continue;
        for (int l = 0; l < SIM_LINKS; l++)
            if (s->links[l].server == server) session_lose(s, (enum sim_link)l);
    }
}

static void server_copy(struct sim_store *st, unsigned to, unsigned from) {
    struct server *a = &st->servers[to], *b = &st->servers[from];
    sim_node_copy(a->node, b->node);
    memset(a->has ? a->has : (void *)"", 0, a->has_room);
    for (size_t i = 0; i < st->record_count; i++)
        if (server_holds(b, i)) server_has(a, i);
}

void sim_store_rejoin(struct sim_store *st) {
    unsigned other = !st->front;
    if (st->joined) return;
    store_lose_connections(st, other, MILLION);
    behind_drop(st, 0, st->behind_count);
    server_copy(st, other, st->front);
    st->servers[other].run = st->servers[st->front].run;
    st->servers[other].up = true;
    st->joined = true;
    store_trace(st, "store: server %u is a replica", other);
}

void sim_store_failover(struct sim_store *st, size_t forget, bool old_stays) {
    unsigned old = st->front;
    sim_store_rejoin(st);
    store_begin_change(st, "failover");
    replica_catch_up(st, forget);
    st->joined = false;
    st->front = !old;
    st->servers[st->front].run = store_new_run(st);
    if (!old_stays) st->servers[old].up = false;
    store_end_change(st);
    store_lose_connections(st, old, old_stays ? MILLION / 2 : MILLION);
}

void sim_store_failback(struct sim_store *st, bool same_run) {
    unsigned old = st->front;
    if (st->joined) {
        sim_store_failover(st, 0, false);
        return;
    }
    store_begin_change(st, "failback");
    st->front = !old;
    struct server *v = &st->servers[st->front];
    if (!v->up || !same_run) v->run = store_new_run(st);
    v->up = true;
    st->servers[old].up = false;
    store_end_change(st);
    store_lose_connections(st, old, MILLION);
}

static void on_server_due(void *arg) {
    ((struct server *)arg)->up = true;
}

void sim_store_restart(struct sim_store *st, size_t forget, int64_t down_us) {
    struct server *v = &st->servers[st->front];
    if (forget && forget != SIZE_MAX) sim_store_rejoin(st);
    store_begin_change(st, "restart");
    v->up = false;
    store_lose_connections(st, st->front, MILLION);
    if (forget == SIZE_MAX) {
        sim_node_clear(v->node);
        if (v->has) memset(v->has, 0, v->has_room);
    } else if (forget) {
        replica_catch_up(st, forget);
        server_copy(st, st->front, !st->front);
    }
    v->run = store_new_run(st);
    store_end_change(st);
    st->joined = false;
    sim_store_rejoin(st);
    if (down_us)
        st->world->at(st->world->arg, down_us, on_server_due, v);
    else
        v->up = true;
}

static void on_address_due(void *arg) {
    ((struct sim_store *)arg)->address_down = false;
}

void sim_store_outage(struct sim_store *st, int64_t us, bool silent) {
    store_trace(st, "store: out for %lld us%s", (long long)us, silent ? ", silently" : "");
    if (silent) {
        for (int i = 0; i < SERVERS; i++) st->servers[i].held_until_us = store_now_us(st) + us;
        return;
    }
    st->address_down = true;
    for (unsigned i = 0; i < SERVERS; i++) store_lose_connections(st, i, MILLION);
    st->world->at(st->world->arg, us, on_address_due, st);
}

void sim_store_isolate(struct sim_store *st, const void *process, int64_t us) {
    struct sim_session *s;
    DL_FOREACH(st->sessions, s) {
        if (s->process == process) s->held_until_us = store_now_us(st) + us;
    }
}

void sim_store_cut(struct sim_store *st, const void *process) {
    struct sim_session *s, *next;
    DL_FOREACH_SAFE(st->sessions, s, next) {
        if ((process && s->process != process) || session_is_dead(s)) continue;
        for (int l = 0; l < SIM_LINKS; l++) session_lose(s, (enum sim_link)l);
    }
}

void sim_store_step_clock(struct sim_store *st, int64_t us) {
    st->step_us += us;
    store_trace(st, "store: its clock steps by %lld us", (long long)us);
}

void sim_store_heal(struct sim_store *st, int64_t least_us, int64_t most_us) {
    st->faults = (struct sim_faults){.least_us = least_us, .most_us = most_us};
    st->address_down = false;
    st->servers[st->front].up = true;
    sim_store_rejoin(st);
    for (int i = 0; i < SERVERS; i++) st->servers[i].held_until_us = 0;
    struct sim_session *s, *next;
    DL_FOREACH_SAFE(st->sessions, s, next) {
        s->held_until_us = 0;
        for (int l = 0; l < SIM_LINKS; l++)
            for (unsigned p = 0; p < st->paths; p++) {
                sim_lane_run(&s->links[l].to[p]);
                sim_lane_run(&s->links[l].from[p]);
            }
    }
}

// The truth

size_t sim_store_count(const struct sim_store *st) {
    return st->record_count;
}

const struct sim_record *sim_store_record(const struct sim_store *st, size_t i) {
    return &st->records[i];
}

const struct sim_record *sim_store_find(const struct sim_store *st, const char *video, struct position at) {
    for (size_t i = st->record_count; i-- > 0;) {
        const struct sim_record *r = &st->records[i];
        if (!position_compare(r->at, at) && !strcmp(r->video, video)) return r;
    }
    return NULL;
}

void sim_store_watch_losses(struct sim_store *st, void (*on_lost)(void *, const struct sim_record *),
                            void *arg) {
    st->on_lost = on_lost;
    st->on_lost_arg = arg;
}

bool sim_store_holds(const struct sim_store *st, size_t i) {
    return server_holds(&st->servers[st->front], i);
}

struct position sim_store_position(const struct sim_store *st, const char *video) {
    return sim_node_position(st->servers[st->front].node, video);
}

struct position sim_store_oldest(const struct sim_store *st, const char *video,
                                 const struct engine_limits *limits) {
    return sim_node_oldest(st->servers[st->front].node, video, limits, store_wall_ms(st));
}

void sim_store_placed(const struct sim_store *st, const char *video, const char **reader, const char **set,
                      uint64_t *generation) {
    sim_node_placed(st->servers[st->front].node, video, reader, set, generation);
}

unsigned sim_store_changes(const struct sim_store *st) {
    return st->change_count;
}

const struct sim_change *sim_store_change(const struct sim_store *st, unsigned number) {
    assert(number && number <= st->change_count);
    return &st->changes[number - 1];
}

struct sim_store_stats sim_store_stats(const struct sim_store *st) {
    return st->stats;
}
