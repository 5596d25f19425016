// What every long-running command does with its process, once, before it starts any thread.
#pragma once

// Takes SIGINT and SIGTERM out of their usual way (all threads inherit that) and ignores those that an error
// code tells as well. Returns a signalfd, or -1 with errno set.
int process_take_signals(void);

// Allows as many descriptors as the system lets us. Returns how many that are.
unsigned long process_raise_descriptor_limit(void);
