// What one run of the bench does. Read-only once it has begun; load processes inherit it by fork().
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/distribution.h"
#include "bench/template.h"

enum { BENCH_PROCESSES_MAX = 256, BENCH_PIDS_MAX = 64, BENCH_ERROR_SIZE = 256 };

struct bench_plan {
    const char *manager_url; // http://host:port, asked for each video's reader; NULL: by `subscribe`
    const char *subscribe;   // template of a stream's URL; NULL: the manager says where it is
    const char *path;        // template of a stream's path and query
    struct bench_request publish;
    const char *comment_url; // to find the server's process by its port; NULL: by `publish`
    size_t viewers, videos, processes, publishers;
    size_t stalled; // of the viewers: read nothing after their stream has begun; less than all
    size_t size;    // bytes of a comment's text
    double rate;    // comments per second in all
    int64_t duration_us;
    int64_t warmup_us;            // of it, of whose comments the latency is not counted
    struct distribution_spec law; // of viewers, and of comments, over videos
    uint64_t seed;
    int pids[BENCH_PIDS_MAX]; // the server's
    size_t pid_count;         // 0: they are looked for
};
