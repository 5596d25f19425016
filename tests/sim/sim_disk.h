// The disk of `chorus up` on the embedded engine (vfs/vfs_disk.h), and SQLite in the simulated world: what
// SQLite allocates belongs to the process that runs, a call may take a while, in which other threads run, and
// what was not synced may be lost with the power. There is one disk; without it these do nothing, except
// sim_disk_start(). Outside of processes.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// The data folder.
#define SIM_DISK_FOLDER "/disk/data"

// `durable`: that of the process that uses it: no fault but a power cut may then lose anything, and that
// neither.
void sim_disk_start(uint64_t seed, bool durable);
void sim_disk_free(void);

// The process has ended, in any way.
void sim_disk_restart(void);

// Called with each position of a video that the power cut has lost, unless `durable`.
typedef void sim_disk_loss_cb(void *arg, const char *video, uint64_t epoch, uint64_t seq);
void sim_disk_cut_power(sim_disk_loss_cb *, void *arg);

enum sim_disk_fault {
    SIM_DISK_FULL,   // has next to no room
    SIM_DISK_ERRORS, // writes and syncs fail now and then
    SIM_DISK_SLOW,   // a sync may take a second
    SIM_DISK_FAULTS
};
void sim_disk_begin(enum sim_disk_fault, uint64_t number);
void sim_disk_end(enum sim_disk_fault);
// Ends all.
void sim_disk_calm(void);
