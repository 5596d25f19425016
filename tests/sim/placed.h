// Notes in the journal which reader the store names for each video, and which set, whenever that has changed:
// what the server in front has, several times a second. For stores that all services share.
#pragma once

#include <stdint.h>

#include "cluster.h"
#include "judge/journal.h"

// Outside of processes. `videos`: how many there are.
void placed_start(enum cluster_engine, struct journal *, unsigned videos);
