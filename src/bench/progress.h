// The line that says how far a run is: on a terminal rewritten in place and cut to its width, otherwise one
// every few seconds.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bench/load_figures.h"
#include "shared.h"

struct progress {
    bool on_terminal;
    int64_t shown_ms;
    uint64_t counted; // of what the line's rate counts, when it was shown
    int phase;
};

void progress_init(struct progress *, bool on_terminal, int64_t now_ms);
bool progress_is_due(const struct progress *, int64_t now_ms);
void progress_show(struct progress *, const struct bench_plan *, const struct bench_shared *,
                   const struct bench_figures *sum, int64_t now_ms);

// Leaves nothing of it on a terminal.
void progress_clear(const struct progress *);
