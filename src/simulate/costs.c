#include "simulate/costs.h"

const struct cost_source cost_sources[COST_SOURCES] = {
    {"a comment or a heartbeat to one viewer", "The long tail beside a hot video", "2026-11-24", COST_SEND_US,
     "us of a core"},
    {"comments to one viewer, at most, as they share sends", "Fan-out beside nchan", "2026-11-24",
     COST_VIEWER_US, "us of a core in a second"},
    {"a viewer, the kernel's part included", "Idle viewers; 2000000 viewers on 90000 videos", "2026-11-24",
     COST_VIEWER_BYTES, "bytes"},
    {"a video, apart from its viewers", "Idle viewers", "2026-11-26", COST_VIDEO_BYTES, "bytes"},
    {"a comment, at a comment API", "Comments per second on Redis", "2026-11-24", COST_POST_US,
     "us of a core"},
    {"a comment, at `up` on its own store", "HTTP requests per second beside nginx", "2026-11-24",
     COST_BOX_US, "us of a core"},
    {"comments that one Redis takes", "Comments per second on Redis", "2026-11-24", COST_REDIS_RATE,
     "a second"},
    {"a comment in a Redis Cluster, of what it takes of one Redis",
     "Sentinel, Cluster, and comments that replicas confirm", "2026-11-27", COST_CLUSTER, "times"},
    {"comments that `up` takes on its own store", "HTTP requests per second beside nginx", "2026-11-24",
     COST_BOX_RATE, "a second"},
};

const char *const cost_not_measured[] = {
    "more than two cores, and readers on machines of their own: that twice the cores send twice as much",
    "a network: the load was on the same machine",
    "a Redis Cluster that is busy: what it takes is told from its CPU for a comment, at 2,000 a second for each primary",
    "TLS, which a proxy in front does",
    "more than 2,000,000 viewers in all, or 5,000 of one video at more than 20 comments a second",
    NULL,
};

double cost_heartbeats(uint64_t viewers) {
    return (double)viewers * COST_SEND_US / COST_HEARTBEAT_S / 1e6;
}

double cost_sending(uint64_t viewers, double comments_per_s) {
    double us = comments_per_s * COST_SEND_US;
    return (double)viewers * (us < COST_VIEWER_US ? us : COST_VIEWER_US) / 1e6;
}
