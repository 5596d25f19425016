#include "simulate/herd.h"

#include "base/prng.h"
#include "net/event_stream.h"
#include "placement/readers.h"

_Static_assert((READERS_LEASE_MS + EVENT_STREAM_RETRY_MAX_MS) / HERD_STEP_MS < HERD_STEPS,
               "room for the last");

static uint64_t busiest_second(const uint64_t viewers[HERD_STEPS]) {
    uint64_t peak = 0, sum = 0;
    for (size_t i = 0; i < HERD_STEPS; i++) {
        sum += viewers[i];
        if (i >= HERD_SECOND_STEPS) sum -= viewers[i - HERD_SECOND_STEPS];
        if (sum > peak) peak = sum;
    }
    return peak;
}

void herd_init(struct herd *h, uint64_t viewers, uint64_t seed) {
    struct prng prng = {seed};
    *h = (struct herd){0};
    for (uint64_t i = 0; i < viewers; i++) {
        uint64_t spread_ms = EVENT_STREAM_RETRY_MAX_MS - EVENT_STREAM_RETRY_MIN_MS;
        uint64_t retry_ms = EVENT_STREAM_RETRY_MIN_MS + prng_below(&prng, spread_ms + 1);
        uint64_t attempts = (READERS_LEASE_MS + retry_ms - 1) / retry_ms;
        h->viewers[attempts * retry_ms / HERD_STEP_MS]++;
    }
    h->peak = busiest_second(h->viewers);
}
