// Accounts for the memory of the process that clients can make grow: frames, the state of viewers and videos,
// what resuming viewers read from the log, requests and unsent responses. Shared memory counts once. Any
// thread; the control loop sets the limit, at the start and when the configuration is read again.
//
// Each use has a limit of its own, the lowest first: caches, backlogs, new viewers. Once the budget is used
// up, channels keep nothing for slow viewers. A viewer that keeps reading is never disconnected for lack of
// memory.
#pragma once

#include <stdbool.h>
#include <stddef.h>

void budget_set(size_t max_bytes); // if never called: no limit

void budget_take(size_t bytes);
void budget_give_back(size_t bytes);

size_t budget_used(void);
size_t budget_max(void);
bool budget_is_used_up(void);

// Backlogs (frames kept for slow viewers and for viewers that resume) may use three quarters. Return how much
// of that is left, and whether none is.
size_t budget_backlog_room(void);
bool budget_backlog_is_full(void);

// Whether caches may grow: they may use five eighths.
bool budget_has_cache_room(void);

// Whether another viewer may be admitted: the last eighth is left for comments.
bool budget_has_room(void);

// Whether that will soon be so no more: what is closed for it now, workers give back a moment later.
bool budget_is_short(void);
