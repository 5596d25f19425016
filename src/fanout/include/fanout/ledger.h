// What became of the comments of a video at one reader, in pairs: a comment (or another entry of the log that
// viewers are shown) and a viewer whose stream begins before it. Each part is counted in the one place where
// it happens, so that
//
//     due = delivered + sampled + retracted + slow + lost + left + waiting
//
// tells whether a pair has got lost without a trace: `waiting` are those on their way, none once all viewers
// have everything or have left. A pair is
//
//     due        when a frame is published, for each viewer there is (channel_publish); when a comment is
//     left
//                out, likewise (channel_skip); and when a viewer is added, for what it missed or asked for
//                (channel_add)
//     delivered  when its last byte has been passed to the viewer's connection (channel_count_sent,
//                flush_serve)
//     sampled    when a readable rate leaves it out for this viewer (channel_skip)
//     retracted  when its number alone has been sent: the text was taken out before the viewer's first byte
//     of
//                it (channel_count_sent)
//     slow       when a gap takes its place because the viewer is behind (viewer_announce_gap,
//                viewer_cut_pending), or the viewer is disconnected for that
//     lost       when a gap takes its place that all get, or that a viewer begins with: the store has it no
//                more. A gap stands for its numbers; for one where they cannot be told
//     left       when the viewer's stream ends before (viewer_close)
//
// The workers write, any thread reads; created and released by the control loop.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "fanout/counters.h"

struct ledger {
    struct fan_counters *counters; // of the reader; outlive it
    unsigned refs;                 // this and the next two: control loop only
    uint64_t reported; // the sum of all parts when they were last reported; UINT64_MAX: that got lost
    unsigned reported_viewers;
    atomic_ullong parts[LEDGER_PARTS];
};

// Returns one with a reference, the caller's.
struct ledger *ledger_new(struct fan_counters *);
struct ledger *ledger_ref(struct ledger *);
void ledger_unref(struct ledger *); // NULL is fine

// What a pair comes to is never seen before the pair: what is due is added first, and read last.
static inline void ledger_add(struct ledger *l, enum ledger_part part, unsigned long long pairs) {
    atomic_fetch_add_explicit(&l->parts[part], pairs, memory_order_release);
    counter_add(&l->counters->pairs[part], pairs);
}

void ledger_read(struct ledger *, uint64_t parts[LEDGER_PARTS]);

// Returns the sum of all parts, which changes with each of them.
uint64_t ledger_sum(const uint64_t parts[LEDGER_PARTS]);

// Returns the pairs that are due and have come to nothing yet; negative if more have come to something than
// were due.
int64_t ledger_waiting(const uint64_t parts[LEDGER_PARTS]);
