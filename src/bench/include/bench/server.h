// Finds the processes to measure, and reads from /proc what they and the machine use. They must run on this
// machine.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server_usage {
    int64_t cpu_us;     // user and system time of all threads since their start
    int64_t pss_bytes;  // proportional set size: shared pages count in proportion
    int64_t peak_bytes; // maximum resident size
    bool known;         // whether all processes could be read
};

// The machine's memory, from /proc/meminfo. kernel_bytes: slabs, including those called reclaimable, because
// the inodes of open sockets are among them; stacks, page tables, descriptor tables.
struct machine_memory {
    int64_t kernel_bytes;
    int64_t left_bytes; // free, or caching files
};

// Finds the processes that listen on one of the TCP ports. Returns how many there are, at most `max`.
size_t server_find(const int *ports, size_t port_count, int *pids, size_t max);

// Returns the sums over the processes.
struct server_usage server_measure(const int *pids, size_t count);

struct machine_memory machine_memory_now(void);
