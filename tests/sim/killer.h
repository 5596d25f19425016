// What goes wrong in a run: a plan that the seed determines, of faults that begin at any moment, last for a
// while, and overlap; and what carries it out. When the time of the attack is over, all is mended at once:
// that is when the journal says calm.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "audience.h"
#include "base/prng.h"
#include "cluster.h"

struct killer;

enum { FAULTS_MIN = 34, FAULTS_MAX = 60 };

struct fault {
    struct killer *killer;
    const struct fault_kind *kind;
    struct service *service, *other; // those that it is about
    struct sim_process *process;     // that it ends in order
    int64_t begin_us, length_us;
    uint64_t number; // of its own, for what is to be chosen
};

struct killer {
    struct prng prng;
    struct cluster *cluster;
    struct audience *audience;
    struct fault faults[FAULTS_MAX];
    size_t count;
    bool calm;
};

// Outside of processes, after the cluster has been started.
void killer_start(struct killer *, uint64_t seed, struct cluster *, struct audience *);
