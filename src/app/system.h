// The roles of one process, all of them or one: the control loop, the engine, the workers, and an HTTP server
// per role. Control loop only; an error at the start is reported as one sentence.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "app/settings.h"
#include "system_part.h"

struct loop;
struct statistics_demo;
struct system;

// Starts all roles for COMMAND_UP, or the command's role; waits briefly for the engine. Settings are
// borrowed, and so are the commands of the dashboard, NULL without --demo. On failure returns NULL and writes
// a sentence that names the problem and what to do.
struct system *system_start(const struct settings *, enum command, const struct statistics_demo *, char *why,
                            size_t why_size);

// Returns the parts in the order of starting, and their number in *count.
const struct system_part *system_parts(const struct system *, size_t *count);

// Returns the URL of a part ("manager", "reader-1"), or NULL if this process has none of that name.
const char *system_url(const struct system *, const char *name);

// Opens the ports and serves until system_quit(). Returns 0 or a negative errno.
int system_run(struct system *);
void system_quit(struct system *);

// Ends as system_quit(), once its viewers have left for other readers (departure.h).
void system_depart(struct system *);

// Returns the number of a reader, by its instance id, or SYSTEM_NO_READER.
enum { SYSTEM_NO_READER = READERS_MAX };
size_t system_reader(const struct system *, const char *instance_id);

// Ends a reader as kill -9 ends a process of its own: its port is closed, its connections are reset, nothing
// more is sent, its lease is left to lapse. Not to be called from a handler or callback of that reader.
void system_kill_reader(struct system *, size_t number);

// Starts a reader that was killed, at the same port and with a new generation. Returns 0, or a negative errno
// if the port cannot be bound.
int system_start_reader(struct system *, size_t number);

// Takes over what can change of the settings while it runs.
void system_configure(struct system *);

// Reads the files of --jwt-keys and --word-list again, as far as there are any. Returns whether what they
// have is in force.
bool system_read_files(struct system *);

// Shows in metrics whether the configuration could be read again.
void system_note_reload(struct system *, bool successful);

struct loop *system_loop(struct system *);

// Returns why requests are refused now, as a sentence that is valid until the next call, or NULL if they are
// not.
const char *system_trouble(struct system *);

// Closes everything: streams, connections, workers, engine. Takes well under a second.
void system_free(struct system *);
