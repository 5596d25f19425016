// Private to the Redis engine: what is of all videos, where each slot of a Cluster has its own part. A script
// is run once for each stretch of slots that one server has, one after the other; elsewhere once. Control
// loop only.
#pragma once

#include <stddef.h>

#include "engine/engine.h"

struct redis;
struct redis_script;
struct redisReply;

enum { GATHER_ARGS = 4 };

struct redis_gather {
    const struct redis_script
        *script; // has no keys; behind its own arguments come the ends of keys (lua/shared/shard.lua)
    int64_t args[GATHER_ARGS];
    size_t count;
    // Takes a part: the reply is no error, and stays until end() has returned. Returns false if it is of
    // another kind than the script's.
    bool (*take)(void *arg, const struct redisReply *);
    // Called once, after the last part.
    void (*end)(void *arg, enum engine_status);
    void *arg;
};

void redis_gather(struct redis *, const struct redis_gather *);

// A part by itself: the slots of one server from this one on, at most GATHER_SLOTS. Returns how many those
// are, 0 if none is left or known, and writes the ends of their keys and the server; elsewhere there is one,
// and it is empty.
enum { GATHER_SLOTS = 1024, GATHER_END_SIZE = 12 };
struct redis_node;
size_t redis_gather_stretch(const struct redis *, unsigned *slot, char ends[][GATHER_END_SIZE],
                            struct redis_node **);
