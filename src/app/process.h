// What every long-running command does with its process, once, before it starts any thread.
#pragma once

// Takes SIGINT and SIGTERM out of their usual way (all threads inherit that) and ignores those that an error
// code tells as well. Returns a signalfd, or -1 with errno set.
int process_take_signals(void);

// The same for SIGHUP of a process that is not to end with its terminal. Does nothing where it is ignored
// already, as under nohup(1). `signals` is what process_take_signals() gave.
void process_take_hangup(int signals);

// Allows as many descriptors as the system lets us. Returns how many that are.
unsigned long process_raise_descriptor_limit(void);
