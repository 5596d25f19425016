// What a reader says of itself in its lease, beside its address and the number of its viewers: a JSON object,
// whose unknown members are ignored. Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct buf;

// All zero: it says nothing, as an older version.
struct reader_load {
    bool draining;     // it gives its viewers away, and takes no videos
    uint64_t connects; // viewers a second that it can take on, at most
    uint64_t most;     // viewers that it takes (--max-viewers)
};

// Returns whether it takes no more viewers.
static inline bool reader_load_is_full(const struct reader_load *l, uint64_t viewers) {
    return l->most && viewers >= l->most;
}

// Appends it as JSON.
void reader_load_write(struct buf *, const struct reader_load *);

// Reads it; what is no JSON, or NULL, says nothing.
void reader_load_read(struct reader_load *, const char *text);
