// Process-wide set-up of a long-running command: signals and descriptor limit. Called once, before any thread
// is started.
#pragma once

// Blocks SIGINT and SIGTERM (threads inherit the mask), and ignores signals whose cause is also reported by
// an error code. Returns a descriptor that becomes readable when a signal arrives, or -1 with errno set.
int process_take_signals(void);
void process_release_signals(int signals);

// Adds a signal to those that are taken. `signals` is what process_take_signals() returned.
void process_take_too(int signals, int number);

// Returns the next signal, or 0 if there is none.
int process_next_signal(int signals);

// Also blocks SIGHUP, for a process that outlives its terminal. Does nothing if SIGHUP is already ignored, as
// under nohup(1).
void process_take_hangup(int signals);

// Raises the descriptor limit as far as the system allows, and makes room for as many, at most 65,536 of
// them, so that no connection has to wait until the kernel has made some. Returns the new limit.
unsigned long process_raise_descriptor_limit(void);
