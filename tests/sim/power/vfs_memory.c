#include "vfs_memory.h"

#include <stdlib.h>

void *vfs_alloc(size_t size) {
    void *p = calloc(1, size ? size : 1);
    if (!p) abort();
    return p;
}

void *vfs_grow(void *old, size_t size) {
    void *p = realloc(old, size);
    if (!p) abort();
    return p;
}

void vfs_release(void *p) {
    free(p);
}
