// Gives hot videos more readers, and takes them back (placement/hot_set.h), by what readers say in their
// leases. Every manager does so, without knowing of the others: a set in the store is replaced only if it is
// the one that the decision was made on. The store has the set first, then the mapping, which names the set's
// first reader for processes that know no sets. Members that are gone are replaced at once. No viewer is
// moved here. Control loop only.
#pragma once

#include <stdint.h>

#include "placement/hot_set.h"

struct engine;
struct loop;
struct placement;
struct set_keeper;

struct set_keeper *set_keeper_new(struct loop *, struct engine *, struct placement *,
                                  const struct hot_times *);

// Comes after the engine is closed.
void set_keeper_free(struct set_keeper *);

struct set_figures {
    uint64_t sets, readers; // of more than one reader that this manager knows; the readers of all of them
    uint64_t grown, shrunk; // by this manager, since its start
};
struct set_figures set_keeper_figures(const struct set_keeper *);
