// What goes wrong with the simulated store in a run: how its calls and messages fare all the time, and events
// that begin at any moment and overlap, all by seed. What the store loses is noted in the journal. When the
// time of the attack is over, the store is whole.
#pragma once

#include <stdint.h>

#include "base/prng.h"
#include "engine/sim_store.h"
#include "judge/journal.h"

struct cluster;
struct store_killer;

enum { STORE_EVENTS_MAX = 24 };

struct store_event {
    struct store_killer *killer;
    const struct store_event_kind *kind;
    uint64_t number; // of its own, for what is to be chosen
    int64_t length_us;
};

struct store_killer {
    struct prng prng;
    struct sim_store *store;
    const struct cluster *cluster;
    struct journal *journal;
    struct sim_faults usual; // what lasts from the beginning to the end
    struct store_event events[STORE_EVENTS_MAX];
    size_t count;
    int64_t stepped_s; // the store's clock, in all
    bool calm;
};

// Outside of processes, after the cluster has been started. Everything but the numbers is borrowed.
void store_killer_start(struct store_killer *, uint64_t seed, struct sim_store *, const struct cluster *,
                        struct journal *, int64_t calm_us);
