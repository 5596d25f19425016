// How jansson gets its memory: as all small objects do (base/mem.h), so that out of memory ends the process
// in one place, and no caller is returned a value that could not be made.
#pragma once

#include <stddef.h>

// Prepares jansson, before there are threads and values. `seed` is for the hashes of objects' keys; 0: a
// random one.
void json_start(size_t seed);
