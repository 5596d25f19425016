// When the viewers of a reader that failed reconnect. The model: the reader dies at 0 ms, which cuts all its
// streams. Each viewer tries again after the time that its stream's `retry:` has given it
// (net/event_stream.h), and after the same time again while it fails, which is until the reader's lease has
// lapsed (placement/readers.h). Pure.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    HERD_STEP_MS = 100,
    HERD_STEPS = 56,       // no viewer is later than this
    HERD_SECOND_STEPS = 10 // in a second
};

struct herd {
    uint64_t viewers[HERD_STEPS]; // that reconnect in each step
    uint64_t peak;                // most in any second
};

void herd_init(struct herd *, uint64_t viewers, uint64_t seed);
