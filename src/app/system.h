// All roles of one process: the control loop, the engine, the workers, and an HTTP server per role. Control
// loop only; what fails at the start is told as one sentence for people.
#pragma once

#include <stddef.h>

#include "app/settings.h"

struct loop;
struct system;

enum { SYSTEM_URL_SIZE = 80 };

// What listens where, for the start-up box.
struct system_part {
    char name[24]; // "manager", "reader-1"
    char url[SYSTEM_URL_SIZE];
    char public_url[2 * SYSTEM_URL_SIZE]; // of a reader, for browsers; empty: the same
};

// Opens everything. Returns NULL and writes a sentence that names the thing and the remedy.
struct system *system_start(const struct settings *, char *why, size_t why_size);

// Returns the parts in the order of starting, and their number.
const struct system_part *system_parts(const struct system *, size_t *count);

// Serves until system_quit(). Returns 0 or a negative errno.
int system_run(struct system *);
void system_quit(struct system *);

struct loop *system_loop(struct system *);

// Closes everything: streams, connections, workers, engine. Takes well under a second.
void system_free(struct system *);
