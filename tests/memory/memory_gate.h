// The room of a video, its bans and what it accepted a short time ago, in memory: for engines of tests.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"

struct memory_ban;
struct memory_recent;

// Zero-initialise.
struct memory_gate {
    bool exists;
    struct engine_room room;
    struct memory_ban *bans;
    struct memory_recent *recents;
    double paced_ms;
};

void memory_gate_release(struct memory_gate *);

// Returns whether the comment is accepted, and then notes that. The clocks are those of struct room_look.
bool memory_gate_admits(struct memory_gate *, const struct engine_gate *, int64_t wall_ms, int64_t now_ms,
                        struct engine_refusal *);

// As room_write().
void memory_gate_write(struct memory_gate *, const struct engine_room *);

// As ban_write(). Returns the ban, or NULL if it was lifted.
const struct engine_ban *memory_gate_ban(struct memory_gate *, const char *user, int64_t for_ms, bool shadow,
                                         int64_t wall_ms);

// Returns how many bans are in force, and fills in as many as there is room for.
size_t memory_gate_bans(const struct memory_gate *, int64_t wall_ms, struct engine_ban *list, size_t room);
