// Private to sim_engine*.c: the simulated engine, and what its parts offer each other.
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/redis/redis_last_positions.h"
#include "net/loop.h"
#include "sim_session.h"

enum { SIM_ENGINE_TICK_MS = 1000 };

struct refused {
    struct sim_call call; // without its strings
    enum engine_status status;
    struct refused *next;
};

struct connecting {
    struct loop_timer timer;
    int delay_ms;
    bool has_been_up;
};

struct sim_engine {
    struct engine engine; // first
    struct loop *loop;
    struct sim_session *session;
    struct hub *hub;
    struct messages *messages;
    struct last_positions last_positions;
    struct engine_limits limits;
    struct topic {
        struct topic *next;
        char name[];
    } * topics; // with a listener
    struct connecting connecting[SIM_LINKS];
    struct loop_timer watchdog, refuse, tick;
    uint64_t run; // of the server, when positions were told last
    struct loop_job doorbell, reap;
    struct refused *refused;
    size_t pending;
    int64_t expecting_since_ms; // an answer; of the watchdog
    int64_t clock_offset_ms;    // the server's wall clock less our monotonic one
    struct engine_stats stats;
    bool closed;
};

static inline struct sim_engine *sim_engine_of(struct engine *engine) {
    return (struct sim_engine *)engine;
}

// A call's callback, as the type that it was asked with.
#define CALLBACK(type, call) ((type *)(call)->cb)

// Names of videos, each with its NUL, as a call has them.
struct sim_names {
    char text[ENGINE_SETTINGS_BATCH * (ENGINE_VIDEO_MAX + 1)];
    size_t len;
};
static inline struct sim_names sim_names_of(const char *const *videos, size_t count) {
    struct sim_names names = {.len = 0};
    assert(count && count <= ENGINE_SETTINGS_BATCH);
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(videos[i]) + 1;
        memcpy(names.text + names.len, videos[i], size);
        names.len += size;
    }
    return names;
}

// Whether the store can be asked.
bool sim_engine_serves(const struct sim_engine *);

// Sends a call, or refuses it in a moment.
void sim_engine_send(struct sim_engine *, struct sim_call *);

// Tells the store once a run has changed what this process knows of.
void sim_engine_on_tick(struct loop_timer *);

// Fill in their operations.
void sim_engine_add_log(struct engine_ops *);
void sim_engine_add_rooms(struct engine_ops *);
void sim_engine_add_lists(struct engine_ops *);
