// Posts comments to one video, one at a time, each with a number. Those with an Idempotency-Key are sent,
// to any comment API, until their outcome is known; the others once. Loop thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "crowd.h"
#include "http_call.h"
#include "net/loop.h"

struct writer {
    struct crowd *crowd;
    uint32_t number, video;
    uint32_t comment; // the one that is being posted, from 1
    bool keyed;
    unsigned place; // of the comment API
    bool sending, reacting;
    int64_t every_ms;
    struct http_call call;
    struct buf body, answer;
    struct loop_timer timer; // the next comment or attempt, or the limit of this one
};

// The writer is zeroed.
void writer_start(struct writer *, struct crowd *, uint32_t number, int64_t every_ms);
void writer_release(struct writer *);

// Posts its next comment within a few milliseconds, as something happens at the same time.
void writer_hurry(struct writer *);
