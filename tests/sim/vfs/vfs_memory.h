// Memory of simulated disks. It belongs to none of the processes that use a disk, and outlives them: so the
// program that has the disk defines these.
#pragma once

#include <stddef.h>

void *vfs_alloc(size_t size); // zeroed
void *vfs_grow(void *old, size_t size);
void vfs_release(void *);
