// The ledgers of all readers (fanout/ledger.h), as they report them, by video; and whether they close. Pure
// logic: time is passed in. Control loop only.
//
// A life is one process of a reader, from its start on: its numbers are totals of that life. A life ends when
// one with a greater number reports under the same name, or when nothing has been heard of it for silent_ms.
// What it had not reported is unknown: what was on its way at its last report, and, for each viewer it had
// then, the comments that were posted within report_ms after it; had it lived longer, it would have reported
// again.
//
// A life that ends in order says so in its last report, once it has reported everything: nothing of it is
// unknown but what did not fit.
//
// A life numbers its reports, as one on a slow connection may arrive behind a later one; those of readers
// before that come without a number, and are taken in the order of their arrival.
//
// A ledger does not close if more has come of its pairs than were due, if there is something on its way to
// no viewer, or if something on its way has not moved for FLEET_LEDGER_STUCK_MS: a viewer that accepts no
// data for so long is disconnected. The last two are believed only of a report that is later by that much.
//
// Limits: FLEET_LEDGER_ROWS ledgers; beyond that, the one that has been reported longest ago is dropped.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/position.h"

struct figures_report;
struct fleet_ledger;
struct fleet_row;

enum {
    FLEET_LEDGER_ROWS = 20000,
    FLEET_LEDGER_STUCK_MS = 120000,
    FLEET_LEDGER_GONE_MS = 5000,  // the workers' last numbers follow within this
    FLEET_LEDGER_AGAIN_MS = 10000 // after which an open ledger is asked for again
};

struct fleet_ledger *fleet_ledger_new(int64_t silent_ms, int64_t report_ms);
void fleet_ledger_free(struct fleet_ledger *);

// Takes what a reader's report has of ledgers. What does not fit is ignored.
void fleet_ledger_take(struct fleet_ledger *, const struct figures_report *, int64_t now_ms, int64_t wall_ms);

// Ends the lives of readers that are silent. To be called about once a second.
void fleet_ledger_sweep(struct fleet_ledger *, int64_t now_ms);

// Returns a video whose readers should be asked for its ledger, or NULL.
const char *fleet_ledger_to_ask(struct fleet_ledger *, int64_t now_ms);

// A ledger of a life that has ended. The comments of the video after `after` that were posted until until_ms,
// by the wall clock, are to be counted.
struct fleet_loss {
    struct fleet_row *row;
    const char *video;
    struct position after;
    int64_t until_ms;
};

// Returns false if there is none. fleet_ledger_settle() follows; until then the row stays.
bool fleet_ledger_next_loss(struct fleet_ledger *, struct fleet_loss *);
void fleet_ledger_settle(struct fleet_ledger *, struct fleet_row *, uint64_t comments);

// Returns how many ledgers do not close.
unsigned fleet_ledger_unclosed(const struct fleet_ledger *);

// Returns a video's ledgers and their sum, owned by the caller; NULL if no reader has reported one.
json_t *fleet_ledger_show(const struct fleet_ledger *, const char *video);
