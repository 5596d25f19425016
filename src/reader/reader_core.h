// Private to the reader role: what its parts share. `connect` brings viewers to the broadcasts of `watched`,
// `reader_lease` and `recheck` keep track of which videos are ours, `reader` holds them together. Control
// loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "base/name_table.h"
#include "net/loop.h"
#include "fanout/counters.h"
#include "reader/reader.h"
#include "access_log.h"
#include "redirect.h"
#include "tickets.h"
#include "broadcast.h"
#include "service/service.h"

struct engine_listener;
struct hot_videos;
struct ledgers;
struct moves;
struct ranking;
struct reactions_in;
struct recheck;
struct room_events;
struct tally;
struct watched;

enum { READER_LOG_LINES = 10 }; // per second, of lines that every viewer or video causes

enum reader_lease_state {
    READER_LEASE_NEW,     // the store has not answered yet
    READER_LEASE_OURS,    // no other process has taken it since; it may have lapsed
    READER_LEASE_REFUSED, // another process holds it; it was never ours
    READER_LEASE_LOST     // another process holds it now
};

// Returns whether another process holds it: then its URL does not mean this reader.
static inline bool reader_lease_is_anothers(enum reader_lease_state s) {
    return s >= READER_LEASE_REFUSED;
}

struct reader {
    struct service service; // first: the argument of the routes
    struct reader_config config;
    struct placement *placement;
    struct broadcast_env env;
    struct fan_counters counters;
    struct log_sampler sampler;
    struct access_log access_log;
    struct name_table videos;   // watched
    struct watched *next_noted; // next one to be recorded again; NULL: none before repeat_notes_ms
    int64_t repeat_notes_ms;
    void (*on_close)(struct reader *, struct watched *); // before a video is closed
    struct ledgers *ledgers;                             // of its videos since its start
    struct watched *next_ledger;      // where the next report of them continues; NULL: at the first
    struct ranking *ranking;          // of the videos
    struct tally *tally;              // of viewers; NULL once it is stopping
    struct engine_listener *counts;   // of other readers, for the tally
    struct reactions_in *reactions;   // NULL once it is stopping
    struct engine_listener *shadowed; // NULL once it is stopping
    struct room_events *room_events;  // NULL once it is stopping
    struct loop_timer sweep, close_idle, lease;
    uint64_t generation;
    uint64_t life;           // the first generation that it was given, which its ledgers go by; 0: none yet
    uint64_t reports;        // made since the start
    unsigned lease_failures; // in a row
    unsigned outstanding;    // connect requests and queries that still refer to it
    uint64_t redirected, resumed, shed, shed_logged;
    struct redirect_spent spent_hops;
    struct moves *moves;
    struct hot_videos *hot_videos;
    struct engine_listener *orders; // of operators
    struct tickets tickets;         // not started without keys: there are no tokens then
    bool stopping, killed;          // killed: stopping, and silent
    enum { READER_STAYS, READER_LEAVING, READER_LAST_REPORT } leave; // its last report: not due, due, made
    // drain:
    bool draining;
    int64_t drain_walk_ms; // when to look for viewers again
    uint64_t drains;       // begun since the start
    // reader_lease:
    enum reader_lease_state lease_state;
    unsigned renewing;     // renewals not answered yet
    int64_t renewed_ms;    // when the last one that succeeded was sent
    uint64_t holder_stamp; // of the other process's lease
    int64_t holder_ms;     // since when it has been the same
    struct recheck *to_recheck;
    unsigned rechecking;
    int64_t recheck_ms;                       // when to recheck our videos; 0: no need
    int64_t warn_descriptors_ms, log_shed_ms; // not before
};

// Returns whether one more of those lines may be written.
static inline bool reader_may_log(struct reader *r) {
    return log_sample(&r->sampler, r->service.instance_id, READER_LOG_LINES, loop_now_ms(r->service.loop));
}
