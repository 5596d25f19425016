// Conditions that a result has to meet: `p99<250ms,lost=0`. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "bench/result.h"

enum { REQUIRE_MAX = 32, REQUIRE_NAME_SIZE = 32 };

struct requirement {
    const char *text; // as it was written, borrowed; `len` bytes
    int len;
    char name[REQUIRE_NAME_SIZE]; // of a figure
    char relation;                // '<' '>' '='; 'l': <=, 'g': >=
    double value;                 // times in microseconds
};

struct requirements {
    struct requirement at[REQUIRE_MAX];
    size_t count;
};

// Times need a unit (us, ms, s), numbers have none. The text has to live as long as the requirements. Returns
// false and writes one sentence if something is not understood.
bool requirements_parse(struct requirements *, const char *text, char *why, size_t why_size);

// A run cut short proves nothing, and meets nothing.
bool requirement_is_met(const struct requirement *, const struct bench_result *);
