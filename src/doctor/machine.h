// Private to doctor: what the kernel allows this process, read from /proc, /sys and getrlimit(), and the room
// for its data.
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
    int64_t disk, disk_free;      // bytes of the file system of the data folder, and those left
    bool clock_is_known, clock_is_synchronised;
};

// `root` is put before each path but that of the data folder (NULL: none), which may have to be created yet.
void machine_read(struct machine *, const char *root, const char *data);
