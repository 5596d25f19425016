// A reader's viewers on all workers, and what they have been given. Written by the workers, `viewers` by the
// control loop; relaxed atomics, exact in the end. Any thread.
#pragma once

#include <stdatomic.h>

#include "base/delays.h"
#include "fanout/ledger_part.h"

struct fan_report;

struct fan_counters {
    atomic_ullong viewers;   // connected now
    atomic_ullong delivered; // events to viewers
    atomic_ullong sends;     // send calls, also for first bytes and heartbeats
    atomic_ullong gaps;      // times a viewer fell off a ring
    atomic_ullong refused;   // viewers that a worker could not take
    atomic_ullong stalled;   // viewers closed because they accepted no data
    atomic_ullong moved;     // viewers that were told to go to another reader
    atomic_ullong wakeups;   // of workers, for publishing
    atomic_ullong slow;      // viewers that are behind now, because they accept data too slowly
    // From the time of a comment (frame.posted_ms) to the flush that sent it, for each viewer that was up to
    // date. A slow viewer's are not counted: it has what it missed later, when it accepts data.
    atomic_ullong delays[DELAY_BUCKETS];
    atomic_ullong delay_ms;            // their sum
    atomic_ullong pairs[LEDGER_PARTS]; // the sums of all its ledgers
    unsigned channels;                 // that still write to them; control loop only
    // Called on a worker's thread with each stream that ends; NULL: no reports. Set before the first video.
    void (*on_closed)(void *arg, const struct fan_report *);
    void *arg;
};

static inline void counter_add(atomic_ullong *c, unsigned long long n) {
    atomic_fetch_add_explicit(c, n, memory_order_relaxed);
}

static inline unsigned long long counter_get(atomic_ullong *c) {
    return atomic_load_explicit(c, memory_order_relaxed);
}

static inline void fan_counters_read_delays(struct fan_counters *c, uint64_t counts[DELAY_BUCKETS]) {
    for (int i = 0; i < DELAY_BUCKETS; i++) counts[i] = counter_get(&c->delays[i]);
}
