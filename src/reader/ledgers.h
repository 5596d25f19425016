// The ledgers of a reader's videos (fanout/ledger.h). The ledger of an open video stands in its watched
// entry. Those of the last LEDGERS_CLOSED that were closed are kept here: a video that is opened again goes
// on counting. While the reader ends, all are. Control loop only.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/id.h"
#include "base/name_table.h"

struct fan_counters;
struct ledger;

enum { LEDGERS_CLOSED = 1000, LEDGERS_ASKED = 10 };

// A video that is closed.
struct closed_ledger {
    struct name_entry entry; // of ledgers.by_name
    struct ledger *ledger;
    struct closed_ledger *prev, *next;
    char video[];
};

struct ledgers {
    struct fan_counters *counters;
    struct name_table by_name;
    struct closed_ledger *closed; // the one closed longest ago first
    bool keeps_all;
    // What the next report has in any case (ledger_report.h).
    char asked[LEDGERS_ASKED][ID_MAX + 1];
    unsigned asked_count;
    json_t *last; // what the last report had; NULL before the first
};

// Borrows the counters.
struct ledgers *ledgers_new(struct fan_counters *);
void ledgers_free(struct ledgers *); // NULL is fine

// Returns the ledger of a video that is opened: a reference, the caller's.
struct ledger *ledgers_open(struct ledgers *, const char *video);

// The video is being closed; takes the reference. has_viewers: some are still leaving, and count in it.
void ledgers_close(struct ledgers *, const char *video, struct ledger *, bool has_viewers);

// Returns NULL if none of that video is kept here.
struct closed_ledger *ledgers_find(const struct ledgers *, const char *video);
