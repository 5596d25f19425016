// Memory for small blocks, of which a simulation takes and gives back millions: a list of free blocks for
// each size, cut from pages that are never given back. Not with the address sanitizer, which looks at each
// block: there POOL_MAX_BYTES is 0. One thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// Whether blocks of this size come from the pool.
static inline bool pool_has(size_t size) {
    return size && size <= POOL_MAX_BYTES;
}

// Returns a block of such a size, not zeroed, aligned to 16 bytes. Aborts without memory.
void *pool_take(size_t size);
void pool_give(void *, size_t size);

// Whether a block of one of these sizes has room for the other.
bool pool_is_alike(size_t size, size_t other);

// realloc() of blocks of any size, by their sizes, 0 for none: what lua_newstate() wants.
void *pool_resize(void *old, size_t old_size, size_t size);
