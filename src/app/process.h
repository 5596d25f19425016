// Process set-up of every long-running command: once, before any thread is started.
#pragma once

// Blocks SIGINT and SIGTERM (all threads inherit that), and ignores signals that an error code reports as
// well. Returns a descriptor that becomes readable when a signal arrives, or -1 with errno set.
int process_take_signals(void);
void process_release_signals(int signals);

// Returns the next signal, or 0 if there is none.
int process_next_signal(int signals);

// Blocks SIGHUP too, for a process that outlives its terminal. Does nothing if it is already ignored, as
// under nohup(1). `signals`: returned by process_take_signals().
void process_take_hangup(int signals);

// Raises the descriptor limit as far as the system allows. Returns the new limit.
unsigned long process_raise_descriptor_limit(void);
