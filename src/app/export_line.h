// Private to app: a line of a replay (GET /videos/:videoid/replay), and what `chorus export` writes of it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/position.h"

struct buf;

enum export_format { EXPORT_NDJSON, EXPORT_CSV };

enum export_kind {
    EXPORT_COMMENT,
    EXPORT_GAP,     // `missed`
    EXPORT_DELETES, // a retraction or a purge
    EXPORT_OTHER
};

struct export_line {
    enum export_kind kind;
    struct position at;     // of a gap: not set
    struct position target; // of a retraction; of a purge not set
    int64_t missed;         // -1: it is not known how many
};

extern const char export_csv_head[];

// Reads a line, and adds what is written of it. Returns false if it is no line of a replay.
bool export_line_read(struct export_line *, const char *text, size_t len, enum export_format,
                      struct buf *out);
