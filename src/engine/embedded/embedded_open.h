// Opening and closing the store. Store's thread only.
#pragma once

#include <stddef.h>

#include "engine/embedded_config.h"

struct store;

// Returns the path of a file in the data folder, owned by the caller. Any thread.
char *store_path(const char *folder, const char *name);

// Opens or creates the store: locks the folder, checks that the file is one of ours. Returns NULL
// on failure and writes a sentence into `why`.
struct store *store_open(const struct embedded_config *, char *why, size_t why_size);
void store_close(struct store *);
