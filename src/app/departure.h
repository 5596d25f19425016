// The end of a process whose viewers are many: it gives them to the readers of other processes, at the pace
// that these can take them on, and ends when it has none left. It ends at once where there are no other
// readers, or no more viewers than leave in a second anyway. Control loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/loop.h"

struct roles;
struct runtime;

// Zero-initialise.
struct departure {
    const struct runtime *runtime;
    const struct roles *roles;
    struct loop_timer tick;
    int64_t left_ms;  // when the last viewer left; 0: there are some
    int64_t until_ms; // when it ends whatever is left
};

// Stops the loop, perhaps before it returns, at the latest after --drain-seconds.
void departure_begin(struct departure *, const struct runtime *, const struct roles *);
void departure_stop(struct departure *);
