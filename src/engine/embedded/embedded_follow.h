// The archive of another store's log: what embedded.h says of it, on the store's thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct store;

// At opening: makes the file such an archive, or finds that it must not be opened as what the configuration
// says. Returns false then, with a sentence without its beginning, the file's path; or on failure.
bool follow_load(struct store *, const char **why);
