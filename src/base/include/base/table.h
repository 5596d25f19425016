// Things by name, for those of which there are many: a hash table whose entries are embedded in what they
// stand for, 16 bytes each, and 8 to 16 more for a place in it (map.h takes some 60, and keeps an order).
// Keyed hash: clients choose the names. It doubles when there are more entries than places, and an empty
// table has no memory. One thread.
#pragma once

#include <stddef.h>

struct table_entry {
    const char *name; // borrowed from the owner for as long as the entry is in the table
    struct table_entry *next;
};

// Zero-initialise.
struct table {
    struct table_entry **places;
    size_t room, count; // room: a power of two, or 0
};

// Forgets all entries, without looking at them. It is empty again.
void table_release(struct table *);

// Returns the entry of that name, or NULL.
struct table_entry *table_find(const struct table *, const char *name);

// Adds an entry, whose name is set and not yet there.
void table_add(struct table *, struct table_entry *);

// Removes one that is there.
void table_remove(struct table *, struct table_entry *);

// Returns the one after `entry` (NULL: the first), in no particular order; NULL behind the last. During a
// walk none may be added; whoever removes the present one asks for the next one before. A whole walk costs as
// much as its room.
struct table_entry *table_next(const struct table *, const struct table_entry *entry);
