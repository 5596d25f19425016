// What things cost Chorus, as measured: the figures of docs/benchmarks.md, from two cores of a shared machine
// with the load on the same cores. Used by the plan and by the simulation of sets. Pure.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define COST_SEND_US   10.0  // of a core, a comment or a heartbeat to one viewer, if it is a send of its own
#define COST_VIEWER_US 144.0 // of a core in a second, at most, to one viewer: then comments share sends
#define COST_POST_US   60.0  // of a core of a comment API, a comment
#define COST_CLUSTER   1.33  // of the CPU that a comment takes of one Redis, in a Cluster
#define COST_BOX_US    105.0 // of a core, a comment posted to `up` on its own store
enum {
    COST_VIEWER_BYTES = 4760,      // 160 of Chorus, the rest the kernel's
    COST_VIDEO_BYTES = 730,        // apart from its viewers
    COST_REDIS_RATE = 27000,       // comments a second that a Redis takes
    COST_BOX_RATE = 19000,         // that `up` takes on its own store
    COST_VIEWERS_A_COMMENT = 2000, // that write one a second together, where nothing else is said
    COST_HEARTBEAT_S = 15,         // as by default
    COST_MAX_VIEWERS = 400000,     // of a reader, as by default
    COST_ROOM_PERCENT = 50 // of a machine that is planned with; the rest is for bursts and for neighbours
};

// Where a figure comes from: a heading of docs/benchmarks.md, and its date.
struct cost_source {
    const char *what, *section, *date;
    double value;
    const char *unit;
};
enum { COST_SOURCES = 9 };
extern const struct cost_source cost_sources[COST_SOURCES];

// What is missing among them: sentences, ended by NULL.
extern const char *const cost_not_measured[];

// Returns the cores that sending takes: a video's comments to all its viewers, and their heartbeats.
double cost_sending(uint64_t viewers, double comments_per_s);
double cost_heartbeats(uint64_t viewers);
