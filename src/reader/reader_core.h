// Private to the reader role: what its parts share. `arrival` brings viewers to the streams of `watched`,
// `reader_lease` and `recheck` see to it that the videos stay ours, `reader` holds them together. Control
// loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "base/name_table.h"
#include "net/loop.h"
#include "fanout/counters.h"
#include "reader/reader.h"
#include "redirect.h"
#include "broadcast.h"
#include "service/service.h"

struct recheck;
struct watched;

enum { READER_LOG_LINES = 10 }; // in a second, of those that come with every viewer or video

enum reader_lease_state {
    READER_LEASE_NEW,     // not answered yet
    READER_LEASE_OURS,    // no other process has taken it since, though it may have lapsed
    READER_LEASE_REFUSED, // another process holds it; it has never been ours
    READER_LEASE_LOST     // another process holds it now
};

// Whether another process holds it: then its URL does not mean this reader.
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
    struct name_table videos;   // watched
    struct watched *next_noted; // whose note is repeated next; NULL: none before repeat_notes_ms
    int64_t repeat_notes_ms;
    struct loop_timer sweep, close_idle, lease;
    uint64_t generation;
    unsigned lease_failures; // in a row
    uint64_t redirected, shed, shed_logged;
    struct redirect_spent spent_hops;
    bool stopping;
    // reader_lease:
    enum reader_lease_state lease_state;
    unsigned renewing;     // renewals under way
    int64_t renewed_ms;    // when the last one that succeeded was sent
    uint64_t holder_stamp; // of the other process's lease
    int64_t holder_ms;     // since when it has been that
    struct recheck *to_recheck;
    unsigned rechecking;
    int64_t recheck_ms;                       // when to look again whose our videos are; 0: no need
    int64_t warn_descriptors_ms, log_shed_ms; // not before
};

// Whether one more of those lines may be written.
static inline bool reader_may_log(struct reader *r) {
    return log_sample(&r->sampler, r->service.instance_id, READER_LOG_LINES, loop_now_ms(r->service.loop));
}
