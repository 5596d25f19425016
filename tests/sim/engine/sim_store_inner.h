// What a simulated store is made of, for the files that make it up: sim_store.c carries out calls,
// sim_store_changes.c has the events and the truth.
#pragma once

#include "sim_lane.h"
#include "sim_node.h"
#include "sim_session.h"
#include "sim_store.h"

enum { SERVERS = 2, BEHIND_MOST = 512, MILLION = 1000000, GROW = 64 };

struct server {
    struct sim_node *node;
    uint64_t run;
    bool up;
    int64_t held_until_us;
    unsigned char *has; // by record: whether it holds it
    size_t has_room;
};

// A write of the front that the replica has not repeated yet.
struct repeated {
    struct sim_call *call;
    int64_t wall_ms, steady_ms;
    uint64_t run;
    size_t records[2]; // that it made, from 1; 0: none
    bool appends;
};

struct sub {
    struct sub *next;
    bool is_topic;
    char name[];
};

struct connection {
    bool up, was_cut;
    unsigned server; // that it is connected to
    struct sim_lane to[SIM_PATHS_MAX], from[SIM_PATHS_MAX];
};

struct sim_session {
    struct sim_store *store;
    void *process;
    struct loop *loop;
    struct loop_job *doorbell;
    bool rung, closed;
    struct connection links[SIM_LINKS];
    struct sub *subs;
    bool deaf, recovering;
    int64_t held_until_us;
    struct sim_call *pending;
    struct sim_item *inbox, **inbox_end;
    unsigned later; // calls of the world that are on their way to it
    struct sim_session *prev, *next;
};

struct sim_store {
    const struct sim_store_world *world;
    struct prng *prng;
    unsigned paths;
    struct sim_faults faults;
    struct server servers[SERVERS];
    unsigned front;
    bool joined; // the other one is a replica
    bool address_down;
    int64_t step_us;
    uint64_t last_run;
    struct sim_session *sessions;
    struct sim_lane strays; // calls whose connection has ended
    struct repeated behind[BEHIND_MOST];
    size_t behind_count;
    struct sim_record *records;
    size_t record_count, record_room;
    struct sim_body **bodies; // of the records
    struct sim_change *changes;
    unsigned change_count;
    struct sim_store_stats stats;
    void (*on_lost)(void *arg, const struct sim_record *);
    void *on_lost_arg;
};

bool store_chance(struct sim_store *, unsigned per_million);
int64_t store_now_us(const struct sim_store *);
int64_t store_wall_ms(const struct sim_store *);
void store_trace(const struct sim_store *, const char *format, ...) __attribute__((format(printf, 2, 3)));
uint64_t store_new_run(struct sim_store *);

// Also ends what the process of a session has left.
bool session_is_dead(struct sim_session *);

// The store's end of a connection is gone; the engine notices.
void session_lose(struct sim_session *, enum sim_link);

// Whether a server holds a record; notes that it does, from now on.
bool server_holds(const struct server *, size_t record);
void server_has(struct server *, size_t record);
void record_lose(struct sim_store *, struct sim_record *, unsigned change);

// Has the replica repeat all but the last `forget` appends, and what follows the first of those.
void replica_catch_up(struct sim_store *, size_t forget);
void behind_drop(struct sim_store *, size_t from, size_t count);
