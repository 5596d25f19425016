// Keeps keys as a file says: reads it when it changes, which is looked for every second, and at once when a
// token's key is not known. A second look works where a folder is exchanged by a symbolic link too, as
// Kubernetes does. While the file is missing or wrong the keys before remain. Control loop only; reads the
// file, which should be local.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct identity_key_file;
struct identity_keys;
struct loop;

// Reads the file, and watches it from then on. Returns NULL, with a clause about the path, if it has no key.
// Keys and loop are borrowed, the path is copied.
struct identity_key_file *identity_key_file_new(struct loop *, struct identity_keys *, const char *path,
                                                char *why, size_t why_size);
void identity_key_file_free(struct identity_key_file *); // before the keys; NULL is fine

// Reads the file again, changed or not.
bool identity_key_file_read(struct identity_key_file *);
