// Who uses the simulated cluster: crowds of viewers and writers (judge/crowd.h), each a process on a host of
// its own; their journal, which is part of the run's history; and at the end the checker's verdict.
#pragma once

#include "cluster.h"
#include "judge/checker.h"
#include "judge/crowd.h"
#include "judge/journal.h"

enum { CROWDS = 2 };

struct audience {
    struct journal journal;
    struct crowd_config crowds[CROWDS];
    char hosts[CROWDS][16];
    char urls[2 * CROWD_PLACES][64], controls[CROWD_PLACES][64], statistics[64];
    int64_t calm_us, end_us; // of the world
};

// Makes the crowds, whose size and habits the seed determines, and whether they moderate. Outside of
// processes.
void audience_init(struct audience *, uint64_t seed, const struct cluster *, int64_t calm_ms);

// Starts them.
void audience_start(struct audience *);

void audience_judge(struct audience *, struct verdict *);
void audience_release(struct audience *);
