// Private to the Redis engine: the current refusal, as a sentence for /ready and the log. Control loop only.
//
// A refusal lasts until the same command succeeds. Appends are probed (redis_log_check) immediately after
// connecting, and with growing pauses while they are refused. Other commands are retried by their callers, so
// their refusal expires if no other follows within REDIS_REFUSAL_MS. A full Redis does not count as a
// refusal: it accepts no comments, but all other operations work.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "net/loop.h"

enum { REDIS_REFUSAL_MS = 5000, REDIS_REFUSAL_SIZE = 200 };

struct redis_refusal {
    struct loop *loop;            // NULL: released, errors are ignored
    char why[REDIS_REFUSAL_SIZE]; // a sentence; empty: nothing is refused
    const char *command;          // static
    int64_t last_ms;
    int64_t delay_ms;        // before the next check
    struct loop_timer check; // checks whether appends are still refused
    struct log_sampler sampler;
};

#define redis_refusal_append "append" // the name of the command that is checked

void redis_refusal_init(struct redis_refusal *, struct loop *, void (*check)(struct loop_timer *));
void redis_refusal_release(struct redis_refusal *);

// Records an error, and logs it once. If only another connection helps, the caller closes the connection.
void redis_refusal_note(struct redis_refusal *, const char *command, const char *error);

// Clears the refusal of a command that has succeeded.
void redis_refusal_clear(struct redis_refusal *, const char *command);

// Returns a sentence, or NULL if nothing is refused.
const char *redis_refusal_why(const struct redis_refusal *);
