// Private to doctor: what the kernel allows this process, read from /proc, /sys and getrlimit().
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { MACHINE_UNKNOWN = -1 };

struct machine {
    int64_t descriptors;            // the hard limit, to which a service raises its own
    int64_t somaxconn, syn_backlog; // MACHINE_UNKNOWN, here and below: there is no such file
    int64_t syncookies;
    int64_t tracked, tracked_max; // connections that netfilter tracks
    int64_t memory;               // of the machine
    int64_t memory_limit;         // the smallest of the control groups that this process is in
    bool clock_is_known, clock_is_synchronised;
};

// `root` is put before each path.
void machine_read(struct machine *, const char *root);
