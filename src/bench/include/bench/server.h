// The processes that are measured: who they are, and what they use, as /proc tells, and the machine they run
// on. They run on this machine, or are not found.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server_usage {
    int64_t cpu_us;     // user and system, of all threads, since they began
    int64_t pss_bytes;  // proportional set size: shared pages count for their share
    int64_t peak_bytes; // resident, at its most
    bool known;         // whether every process could be read
};

// The machine's memory, as /proc/meminfo tells. What the kernel has for itself: slabs, also those that it
// calls reclaimable, as the inodes of open sockets are among them; stacks, page tables, descriptor tables.
struct machine_memory {
    int64_t kernel_bytes;
    int64_t left_bytes; // free, or holding what files have on disk
};

// Finds the processes that hold a TCP socket listening at one of the ports. Returns how many, at most `max`.
size_t server_find(const int *ports, size_t port_count, int *pids, size_t max);

// Sums over all of them.
struct server_usage server_measure(const int *pids, size_t count);

struct machine_memory machine_memory_now(void);
