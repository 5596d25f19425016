// Asks a Redis how it is configured, and what its user may do, for `chorus doctor`: changes nothing. Blocks:
// runs the loop until all is answered. Loop thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct redis_config;

struct redis_facts {
    bool answers;
    char why[256];    // it does not: a clause
    char version[32]; // "7.0.15"
    int major;
    int64_t ahead_ms;         // its clock against ours
    char role[16];            // "master", "slave"
    int64_t replicas;         // connected; -1: unknown
    char policy[32];          // maxmemory-policy
    int64_t maxmemory;        // 0: no limit; -1, here and below: unknown
    bool appends, saves_well; // appendonly; whether it could write to its disk last
    bool rights_known;
    char denied[256];  // commands that its user may not use; empty: none
    bool config_known; // CONFIG GET is granted. What follows is known only then
    char appendfsync[16];
    int64_t pubsub_hard, pubsub_soft, pubsub_soft_s; // client-output-buffer-limit; 0: none
};

// Returns whether it has answered within that time.
bool redis_facts_ask(struct loop *, const struct redis_config *, int timeout_ms, struct redis_facts *);
