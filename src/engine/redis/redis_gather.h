// Private to the Redis engine: what is of all videos, where each slot of a Cluster has its own part. A script
// is run once for each stretch of slots that one server has, one after the other; elsewhere once. A slot that
// is not where it was thought to be has the table of slots read again, and is asked for by itself. Control
// loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"

struct redis;
struct redis_call;
struct redis_node;
struct redis_script;
struct redisReply;

enum { GATHER_ARGS = 4 };

struct redis_gather {
    // Has no keys; behind its own arguments come the ends of keys (lua/shared/shard.lua). Returns which of
    // them it could not read (lua/shared/each_shard.lua), and what it has found.
    const struct redis_script *script;
    int64_t args[GATHER_ARGS];
    size_t count;
    bool is_upkeep; // as of a call
    // Without the slots that could not be read it would be wrong: they are asked for until they can be, or it
    // fails. Else they are left out.
    bool is_whole;
    // Takes a part of what was found, which stays until end() has returned. Returns false if it is of another
    // kind than the script's.
    bool (*take)(void *arg, const struct redisReply *);
    // Called once, after the last part.
    void (*end)(void *arg, enum engine_status);
    void *arg;
};

void redis_gather(struct redis *, const struct redis_gather *);

// A part by itself: the slots of one server from this one on, at most GATHER_SLOTS, of those in `only` (NULL:
// of all). Returns how many those are, 0 if none is left or known, and writes the ends of their keys and the
// server; elsewhere there is one, and it is empty.
enum { GATHER_SLOTS = 1024, GATHER_END_SIZE = 12 };
size_t redis_gather_stretch(const struct redis *, unsigned *slot, const bool *only,
                            char ends[][GATHER_END_SIZE], struct redis_node **);

// Sends a script of such a kind for a stretch; the call is pinned to its server.
void redis_gather_send(struct redis_call *, const struct redis_script *, const int64_t *args,
                       size_t args_count, char ends[][GATHER_END_SIZE], size_t slots);

// In a Cluster: sends it for one slot, with a key of it, so that it goes wherever the slot is, or fails.
void redis_gather_send_alone(struct redis_call *, const struct redis_script *, const int64_t *args,
                             size_t args_count, unsigned slot);
