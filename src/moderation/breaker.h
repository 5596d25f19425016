// A circuit breaker: closed while a service answers. After BREAKER_FAILURES failures in a row it opens: then
// one call at a time goes through, as a probe, BREAKER_REST_MS after the one before at the earliest; the
// first success closes it. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { BREAKER_FAILURES = 10, BREAKER_REST_MS = 1000 };

// Zero-initialise: closed.
struct breaker {
    unsigned failures; // in a row
    bool open, probing;
    int64_t next_probe_ms;
};

// Whether a call may be made now. Each that is made ends with breaker_note().
bool breaker_admits(struct breaker *, int64_t now_ms);

// Notes the outcome of a call. Returns whether the breaker has opened or closed by it.
bool breaker_note(struct breaker *, bool success, int64_t now_ms);
