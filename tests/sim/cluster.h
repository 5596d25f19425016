// The services of a run: which processes there are, with which options, and how each is started again. They
// run the commands of the program (app/up.h), as the shell would start them.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "hot.h"
#include "sim.h"

enum cluster_engine {
    CLUSTER_MEMORY,   // one `chorus up` on the engine of tests/memory; forgets all when it ends
    CLUSTER_EMBEDDED, // one `chorus up` on a simulated disk
    CLUSTER_REDIS,    // a process for each role, which meet in a model of Redis
    CLUSTER_SIM       // a process for each role, on the simulated engine
};

enum {
    CLUSTER_CONTROL = 6999, // port of a control socket
    CLUSTER_SERVICES = 8,
    CLUSTER_SPARE = 3
}; // the first ones, which no stream needs, where each role has
   // its own

struct service {
    const char *host;
    int (*main)(int argc, char **argv);
    char *argv[24];
    int argc;
    struct sim_process *process; // the last one
};

struct cluster {
    enum cluster_engine engine;
    unsigned kept;       // entries of a video's log
    bool spares_streams; // nothing fails that a stream needs
    bool tight;          // readers hold little, so that slow viewers miss something
    struct hot_plan hot; // orders come to the control sockets of the managers and the first comment API
    unsigned drains; // viewers a second that a reader says it can take on, so few that one that is told to
                     // end takes its time to give them away; 0: it ends at once
    struct service services[CLUSTER_SERVICES];
    size_t count;
};

// Starts all services. Outside of processes; the arguments belong to the world.
void cluster_start(struct cluster *, enum cluster_engine, uint64_t seed, bool may_be_hot);

// Starts a service whose process has ended.
void cluster_restart(struct service *);
