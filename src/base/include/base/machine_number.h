// Tells whether two processes share a machine. Blocks for as long as a read of /proc.
#pragma once

#include <stdint.h>

// Returns a number from 1 to 2^29 that all processes of this machine have until it restarts, those in
// containers included (proc(5), /proc/sys/kernel/random/boot_id). Where that cannot be read it follows the
// name of the host.
uint32_t machine_number(void);
