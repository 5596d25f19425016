// The roles of one process, all of them or one: the control loop, the engine, the workers, and an HTTP server
// per role. Control loop only; an error at the start is reported as one sentence.
#pragma once

#include <stddef.h>

#include "app/settings.h"
#include "system_part.h"

struct loop;
struct system;

// Starts all roles for COMMAND_UP, or the command's role; waits briefly for the engine. Settings are
// borrowed. On failure returns NULL and writes a sentence that names the problem and what to do.
struct system *system_start(const struct settings *, enum command, char *why, size_t why_size);

// Returns the parts in the order of starting, and their number in *count.
const struct system_part *system_parts(const struct system *, size_t *count);

// Returns the URL of a part ("manager", "reader-1"), or NULL if this process has none of that name.
const char *system_url(const struct system *, const char *name);

// Opens the ports and serves until system_quit(). Returns 0 or a negative errno.
int system_run(struct system *);
void system_quit(struct system *);

struct loop *system_loop(struct system *);

// Closes everything: streams, connections, workers, engine. Takes well under a second.
void system_free(struct system *);
