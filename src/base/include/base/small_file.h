// Reads a small regular file as a whole: a configuration, a secret. Blocks for as long as the disk does; at
// the start, and when the configuration is read again.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct small_file {
    char *text; // owned by the caller; a NUL follows
    size_t len;
    bool is_public; // all users of the machine may read it
};

// Returns false, and writes a clause about the path ("is larger than 64 KB"), if it cannot be read, is not a
// regular file or larger than `most`.
bool small_file_read(const char *path, size_t most, struct small_file *, char *why, size_t why_size);
