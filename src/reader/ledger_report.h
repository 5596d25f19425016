// The ledgers' part of a reader's reports: the videos whose numbers have changed, at most LEDGERS_REPORTED of
// them, and those that were asked for. What is in a report that is not accepted counts as changed. A report
// visits at most LEDGERS_VISITED; the next one continues there. The sums of all videos are metrics of the
// reader. Control loop only.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct ledgers;
struct reader;

enum { LEDGERS_REPORTED = 90, LEDGERS_VISITED = 20000 };

// The next report has this video, whether it has changed or not. Of more than LEDGERS_ASKED the last count.
void ledgers_ask(struct ledgers *, const char *video, size_t len);

// Adds "ledgers": by video, the parts in their order, how many viewers it has, and the position of its feed.
// Returns whether one of a closed video has changed that is not among them.
bool ledgers_add_to_report(struct reader *, json_t *report);
