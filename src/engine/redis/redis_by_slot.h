// Private to the Redis engine: the videos that are subscribed to, by the slots of a Cluster, so that what a
// slot takes along is found without a walk over all. Control loop only.
#pragma once

#include <stddef.h>

struct redis_by_slot;

struct redis_by_slot *redis_by_slot_new(void);
void redis_by_slot_free(struct redis_by_slot *); // NULL is allowed

// A name is copied; one that is there already stays once.
void redis_by_slot_add(struct redis_by_slot *, unsigned slot, const char *video);
void redis_by_slot_remove(struct redis_by_slot *, unsigned slot, const char *video);

// Returns how many there are, and the names, valid until the next change.
size_t redis_by_slot_of(const struct redis_by_slot *, unsigned slot, char *const **names);
