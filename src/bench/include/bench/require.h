// Conditions that a result must meet: `p99<250ms,lost=0`. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "bench/result.h"

enum { REQUIRE_MAX = 32, REQUIRE_NAME_SIZE = 32 };

struct requirement {
    const char *text; // as written, borrowed; `len` bytes
    int len;
    char name[REQUIRE_NAME_SIZE]; // of a figure
    char relation;                // '<' '>' '='; 'l': <=, 'g': >=
    double value;                 // times in microseconds
};

struct requirements {
    struct requirement at[REQUIRE_MAX];
    size_t count;
};

// Parses conditions. Times need a unit (us, ms, s), other numbers have none. Borrows the text. Returns false
// and writes one sentence into `why` if the text is invalid.
bool requirements_parse(struct requirements *, const char *text, char *why, size_t why_size);

// Returns whether the result meets the requirement. An interrupted run meets none.
bool requirement_is_met(const struct requirement *, const struct bench_result *);
