// The model of Redis (redis/redis_model.h) as a process of the world: two servers on the host "redis", of
// which the first is in front at port 6379, and the other repeats it. What happens to them is chosen by the
// caller; nothing that was acknowledged is lost.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Starts the process. Outside of processes, like all of these.
void redis_actor_start(void);

enum redis_fault {
    REDIS_KILL,       // the server in front, started again later with all its data, loading for a moment
    REDIS_FREEZE,     // SIGSTOP of the server in front
    REDIS_PAUSE,      // CLIENT PAUSE
    REDIS_CUT_ALL,    // CLIENT KILL of all connections
    REDIS_CUT_PUBSUB, // and of subscribers
    REDIS_FAILOVER,   // the other server is promoted once it has repeated all; the first one follows it
    REDIS_FORGET_SCRIPTS,
    REDIS_FAULTS
};

void redis_actor_begin(enum redis_fault, uint64_t number);
// Ends it, if it lasts.
void redis_actor_end(enum redis_fault);
// Ends all.
void redis_actor_calm(void);
