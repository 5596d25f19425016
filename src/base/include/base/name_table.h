// A compact hash table of objects by name, for objects that exist in large numbers: the entry is embedded in
// the object and takes 16 bytes, and its share of the buckets 8 to 16 more (uthash.h takes some 60, and keeps
// the order of insertion). Keyed hash: clients choose the names. It doubles when there are more entries than
// buckets; an empty table holds no memory. One thread.
#pragma once

#include <stddef.h>

struct name_entry {
    const char *name; // borrowed from the owner for as long as the entry is in the table
    struct name_entry *next;
};

// Zero-initialise.
struct name_table {
    struct name_entry **buckets;
    size_t bucket_count, count; // bucket_count: a power of two, or 0
};

// Empties the table without touching its entries; it may be used again.
void name_table_release(struct name_table *);

// Returns the entry of that name, or NULL.
struct name_entry *name_table_find(const struct name_table *, const char *name);

// Adds an entry, whose name is set and not in the table yet.
void name_table_add(struct name_table *, struct name_entry *);

// Removes an entry that is in the table.
void name_table_remove(struct name_table *, struct name_entry *);

// Returns the entry after `entry` (NULL: the first), in no particular order; NULL after the last. Nothing may
// be added during a walk; to remove the current entry, fetch the next one first. A whole walk costs as much
// as there are buckets.
struct name_entry *name_table_next(const struct name_table *, const struct name_entry *entry);
