// The model of Redis (redis/redis_model.h) as a process of the world: two servers on the host "redis", of
// which the first is in front at port 6379, and the other repeats it. What happens to them is chosen by the
// caller, who learns of each entry that is lost.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Called with each entry of a video's log that the store has lost, outside of processes.
typedef void redis_loss_cb(void *arg, const char *video, uint64_t epoch, uint64_t seq);
void redis_actor_watch_losses(redis_loss_cb *, void *arg);

// Starts the process. Outside of processes, like all of these.
void redis_actor_start(void);

// Returns the string at a key of the server in front, valid until that runs, or NULL.
const char *redis_actor_string(const char *key);

enum redis_fault {
    REDIS_KILL,       // the server in front, started again later with all its data, loading for a moment
    REDIS_FREEZE,     // SIGSTOP of the server in front
    REDIS_PAUSE,      // CLIENT PAUSE
    REDIS_CUT_ALL,    // CLIENT KILL of all connections
    REDIS_CUT_PUBSUB, // and of subscribers
    REDIS_FAILOVER,   // the other server is promoted once it has repeated all; the first one follows it
    REDIS_FORGET_SCRIPTS,
    REDIS_LOSE, // nothing is repeated from now on; at its end the other server is promoted, and the first one
                // follows
    REDIS_OLD,  // the server in front is killed, and started again later without its last moments
    REDIS_FAULTS
};

void redis_actor_begin(enum redis_fault, uint64_t number);
// Ends it, if it lasts.
void redis_actor_end(enum redis_fault);
// Ends all.
void redis_actor_calm(void);
