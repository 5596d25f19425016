// The figures of the last HISTORY_SAMPLES ticks, which fill the charts of a dashboard that opens. Pure. One
// thread.
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "board.h"

enum { HISTORY_EVERY_MS = 2000, HISTORY_SAMPLES = 15 * 60 * 1000 / HISTORY_EVERY_MS };

struct history_sample {
    int64_t at_ms; // wall clock
    double figures[BOARD_FIGURES];
};

// Zero-initialise.
struct board_history {
    struct history_sample samples[HISTORY_SAMPLES];
    uint64_t next; // number of the next one
};

void board_history_add(struct board_history *, int64_t at_ms, const double figures[BOARD_FIGURES]);

// Returns {"fields":["at","viewers",...],"rows":[[...],...]}, oldest first; null for what is not known. Owned
// by the caller.
json_t *board_history_show(const struct board_history *);

// Returns a figure as JSON, rounded to what a screen can show; null for NAN.
json_t *board_number(double);
