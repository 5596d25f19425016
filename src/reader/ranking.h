// A reader's busiest videos, for its reports to statistics. A walk over all videos would stop the loop for
// milliseconds, so each sweep takes some of them: 2,048, and an eighth of all, so that a walk takes 2 s at
// most. Reports have the result of the last whole walk. Control loop only.
#pragma once

#include <jansson.h>

struct ranking;
struct reader;
struct watched;

struct ranking *ranking_new(void);
void ranking_free(struct ranking *);

void ranking_sweep(struct reader *);

// Returns the result of the last whole walk. Videos may have been closed since.
struct busiest;
const struct busiest *ranking_busiest(const struct ranking *);

// Must be called before a video is closed.
void ranking_leave(struct reader *, const struct watched *);

// Adds the maps viewersByVideo and commentsPer1000s.
void ranking_add_to_report(const struct reader *, json_t *report);
