// What the embedded engine is opened with.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/limits.h"

struct embedded_config {
    const char *folder; // is made if missing (its parent must exist); holds chorus.db and chorus.lock
    bool durable;       // fsync at every commit
    struct engine_limits limits; // bytes are those of JSON
    int64_t archive_ms;          // what the log drops is archived for so long; 0: not at all
    bool follows;                // the archive is of another store's log, and there is no log (embedded.h)
    int64_t keep_ms;             // unused positions, mappings and expired leases; 0: 30 days
};
