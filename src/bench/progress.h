// Shows how far a run has got: on a terminal one line that is rewritten and truncated to its width, otherwise
// a new line every few seconds.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bench/load_figures.h"
#include "shared.h"

struct progress {
    bool on_terminal;
    int64_t shown_ms;
    uint64_t counted; // what the line's rate is calculated from, when it was last shown
    int phase;
};

void progress_init(struct progress *, bool on_terminal, int64_t now_ms);
bool progress_is_due(const struct progress *, int64_t now_ms);
void progress_show(struct progress *, const struct bench_plan *, const struct bench_shared *,
                   const struct bench_figures *sum, int64_t now_ms);

// Removes the line from a terminal.
void progress_clear(const struct progress *);
