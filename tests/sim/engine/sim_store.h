// The simulated store: one for a world, with any number of engines open on it from its processes, as roles
// meet in one Redis. It belongs to no process and survives all.
//
// There are two servers, which behave as a replicated Redis does. One is in front: connections that are made
// go to it. The other repeats what the front carries out, a little later (a replica), or stands apart, with
// data of its own: after a failover, until sim_store_rejoin(). Each server has data, a wall clock, and a run:
// a new one after each start and promotion, and, as a replica, that of the front. What is acknowledged and
// then forgotten by a failover, a fail back or a restart is lost, and the store says so in its records.
//
// An engine has two connections, for commands and for what is published. Either may end, or be silent, and is
// made again by the engine, as the one on Redis does. Calls for one video keep their order, calls for
// different videos need not.
//
// Faults come from the struct prng that is passed, so the same seed gives the same. One thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prng.h"
#include "engine/engine.h"
#include "sim_store_world.h"

struct loop;
struct sim_store;

// Chances are in a million. Zero-initialised: nothing fails, and nothing takes time.
struct sim_faults {
    int64_t least_us, most_us; // of each way of a call and of a message; mostly near the least
    unsigned slow;             // per call: each way takes up to slow_us longer
    int64_t slow_us;
    // Per append, which calls back UNAVAILABLE:
    unsigned lost_before; // it is not carried out
    unsigned lost_after;  // it is
    unsigned lost_later;  // it is, after it was called back: up to SIM_LATE_US after the call
    unsigned doubled;     // per append with a token: it is carried out twice, and either answer arrives
    unsigned failed;      // per call other than an append: UNAVAILABLE, and done or not
    unsigned lease_lost;  // per renewal: UNAVAILABLE, and not done
    unsigned cut;         // per call: the connection for commands ends before or after it
    // Per message and subscriber. What is missed is noticed within SIM_NOTICE_US, with on_subscribed().
    unsigned publish_dropped;
    unsigned publish_late; // it and what follows of the video arrive up to publish_late_us later
    int64_t publish_late_us;
    unsigned deaf;           // the connection gets nothing more until that is noticed
    unsigned cut_subscriber; // the connection ends
    bool full;               // of memory: STORE_FULL
    bool read_only;          // writes are refused: UNAVAILABLE
};
enum { SIM_LATE_US = 1000 * ENGINE_LATE_MS, SIM_NOTICE_LEAST_US = 1500000, SIM_NOTICE_US = 4000000 };

// Borrows the world and the numbers until sim_store_free(). `paths`: how many ways, which do not keep the
// order of each other, videos are spread over, from 1 to SIM_PATHS_MAX.
struct sim_store *sim_store_new(const struct sim_store_world *, struct prng *, unsigned paths);
enum { SIM_PATHS_MAX = 8 };

// Frees it; nothing of the world may call it any more, and no engine be open on it.
void sim_store_free(struct sim_store *);

// Opens an engine in the process that is running, on its control loop. It is the caller's, until close().
struct engine *sim_engine_open(struct sim_store *, struct loop *, const struct engine_limits *);

// Faults that last until they are set again. The pointer stays valid.
struct sim_faults *sim_store_faults(struct sim_store *);

// Events. Each may be called at any moment, outside of processes.

// Promotes the replica, without the last `forget` appends and all that came after the first of them. The old
// server stops; or it stays (it was cut off from the other, not from all): some processes remain connected to
// it and go on writing there, what it acknowledges being lost already, until sim_store_rejoin().
void sim_store_failover(struct sim_store *, size_t forget, bool old_stays);

// Puts the other server in front again, as it was when it was left: it has not seen what came between.
// `same_run`: it is as it never stopped and was never demoted, only the address has moved.
void sim_store_failback(struct sim_store *, bool same_run);

// Makes the other server a replica of the one in front, with all of its data.
void sim_store_rejoin(struct sim_store *);

// Stops the server in front, and starts it again after down_us, with all data; without the last `forget`
// appends and what came after them; or with none (SIZE_MAX).
void sim_store_restart(struct sim_store *, size_t forget, int64_t down_us);

// No server is reachable for a time: connections are refused and those that exist are cut, or all is silent.
void sim_store_outage(struct sim_store *, int64_t us, bool silent);

// Nothing arrives on the connections of a process, in either direction, for a time.
void sim_store_isolate(struct sim_store *, const void *process, int64_t us);

// Ends the connections of a process; NULL: of all.
void sim_store_cut(struct sim_store *, const void *process);

// Steps the wall clock of both servers.
void sim_store_step_clock(struct sim_store *, int64_t us);

// Ends all that lasts, within moments: no faults, servers up and joined. Delays stay as given.
void sim_store_heal(struct sim_store *, int64_t least_us, int64_t most_us);

// The truth, for a checker. Everything that was ever committed, in order.

struct sim_record {
    char *video;
    struct position at, prev;
    enum entry_kind kind;
    const char *body; // as in struct engine_entry
    size_t body_len;
    int64_t at_us;
    unsigned server; // that committed it
    unsigned lost;   // the number of the change that forgot it first; 0: none has
};
size_t sim_store_count(const struct sim_store *);
const struct sim_record *sim_store_record(const struct sim_store *, size_t i);

// Returns the record of a position, or NULL: it was never committed.
const struct sim_record *sim_store_find(const struct sim_store *, const char *video, struct position);

// Calls on_lost() for each record that is lost from now on, at that moment.
void sim_store_watch_losses(struct sim_store *, void (*on_lost)(void *arg, const struct sim_record *),
                            void *arg);

// Whether the server in front has it now, unless it has expired.
bool sim_store_holds(const struct sim_store *, size_t i);

// What the server in front would answer now: a video's position, and its oldest entry that is kept.
struct position sim_store_position(const struct sim_store *, const char *video);
struct position sim_store_oldest(const struct sim_store *, const char *video, const struct engine_limits *);

// Gets what it has of a video's readers: sim_node_placed().
void sim_store_placed(const struct sim_store *, const char *video, const char **reader, const char **set,
                      uint64_t *generation);

// Changes of the server in front or of its data, numbered from 1. An outage, a cut or a fault is none.
struct sim_change {
    const char *what; // static
    int64_t at_us;
    size_t lost; // records that it was the first to forget
};
unsigned sim_store_changes(const struct sim_store *);
const struct sim_change *sim_store_change(const struct sim_store *, unsigned number);

// What has happened, for a report.
struct sim_store_stats {
    uint64_t calls, appends, lost_before, lost_after, lost_later, doubled, failed, cuts;
    uint64_t published, dropped, late, deaf;
};
struct sim_store_stats sim_store_stats(const struct sim_store *);
