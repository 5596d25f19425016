// What one run of the bench does. Read-only once it has begun; load processes inherit it through fork().
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/distribution.h"
#include "bench/template.h"

enum { BENCH_PROCESSES_MAX = 256, BENCH_PIDS_MAX = 64, BENCH_ERROR_SIZE = 256 };

struct bench_plan {
    const char *manager_url; // http://host:port, assigns each video's reader; NULL: use `subscribe`
    const char *subscribe;   // template of a stream's URL; NULL: use the manager
    const char *path;        // template of a stream's path and query
    struct bench_request publish;
    const char *authorization; // value of that header in all requests; NULL: none
    const char *comment_url;   // its port finds the server's process; NULL: use `publish`
    size_t viewers, videos, processes, publishers;
    size_t stalled; // how many of the viewers read nothing after their stream has begun; fewer than all
    size_t size;    // bytes of a comment's text
    double rate;    // comments per second in total
    int64_t duration_us;
    int64_t warmup_us;            // the part of it in which latency is not measured
    struct distribution_spec law; // how viewers and comments are distributed over videos
    uint64_t seed;
    int pids[BENCH_PIDS_MAX]; // the server's
    size_t pid_count;         // 0: find them by port
};
