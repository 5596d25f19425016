// Private to app: what the roles of a process stand on, made first and freed last: the control loop, the
// engine, the fan-out, the HTTP client and placement. Control loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/settings.h"
#include "net/loop.h"
#include "reader/history.h"

struct runtime {
    // To be set by the owner:
    const struct settings *settings;
    enum command command; // COMMAND_UP: all roles
    char *why;            // for the sentence that says why it cannot start
    size_t why_size;
    // Its own, NULL until made:
    struct loop *loop;
    struct engine *engine;
    struct fanout *fanout; // NULL without readers
    struct history_budget history;
    struct http_client *client;
    struct placement *placement; // NULL where no role places videos
    struct loop_timer look;
    int64_t ready_by_ms;
    bool store_away;
};

// Opens all of it, and waits for the engine, but not long. Returns false with a sentence, as do the others.
bool runtime_start(struct runtime *);

// Starts placement, once our own readers have leases, and waits for it; from then on logs when the store
// becomes unavailable and available again.
bool runtime_begin(struct runtime *);

// Closes what calls the roles back: workers, engine, placement, client. The roles are still there.
void runtime_close(struct runtime *);
void runtime_release(struct runtime *);

// Writes the sentence. Returns false.
bool runtime_fail(struct runtime *, const char *format, ...) __attribute__((format(printf, 2, 3)));
