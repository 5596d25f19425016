// The ledgers of a reader's videos (fanout/ledger.h), and their part of its reports. The ledger of an open
// video stands in its watched entry. Those of the last LEDGERS_CLOSED that were closed are kept here: a video
// that is opened again goes on counting. Control loop only.
//
// A report has the videos whose numbers have changed, at most LEDGERS_REPORTED of them, and those that were
// asked for. It visits at most LEDGERS_VISITED; the next one continues there. The sums of all videos are
// metrics of the reader.
#pragma once

#include <jansson.h>
#include <stddef.h>

struct fan_counters;
struct ledger;
struct ledgers;
struct reader;
struct watched;

enum { LEDGERS_CLOSED = 1000, LEDGERS_REPORTED = 90, LEDGERS_ASKED = 10, LEDGERS_VISITED = 20000 };

// Borrows the counters.
struct ledgers *ledgers_new(struct fan_counters *);
void ledgers_free(struct ledgers *); // NULL is fine

// Returns the ledger of a video that is opened: a reference, the caller's.
struct ledger *ledgers_open(struct ledgers *, const char *video);

// The video is being closed; takes the reference.
void ledgers_close(struct reader *, const struct watched *, struct ledger *);

// The next report has this video, whether it has changed or not. Of more than LEDGERS_ASKED the last count.
void ledgers_ask(struct ledgers *, const char *video, size_t len);

// Adds "ledgers": by video, the parts in their order, how many viewers it has, and the position of its feed.
void ledgers_add_to_report(struct reader *, json_t *report);
