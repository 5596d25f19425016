// Process set-up of every long-running command: once, before it starts any thread.
#pragma once

// Blocks SIGINT and SIGTERM (all threads inherit that) and ignores those signals that an error
// code reports as well. Returns a descriptor that becomes readable with a signal, or -1 with errno set.
int process_take_signals(void);
void process_release_signals(int signals);

// Returns the next signal, or 0 if there is none.
int process_next_signal(int signals);

// The same for SIGHUP of a process that is not to end with its terminal. Does nothing where it is ignored
// already, as under nohup(1). `signals` is what process_take_signals() gave.
void process_take_hangup(int signals);

// Raises the descriptor limit as far as the system allows. Returns the limit.
unsigned long process_raise_descriptor_limit(void);
