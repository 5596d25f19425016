// The memory that comments on their way and viewers take, of the whole process: frames, wherever they are
// held, and the viewers' own state. What is shared counts once. Set once at the start; all else from any
// thread.
//
// When it is used up, channels keep nothing for viewers that lag, and readers take no more viewers. Nobody
// who is there is evicted for it.
#pragma once

#include <stdbool.h>
#include <stddef.h>

void budget_set(size_t max_bytes); // without it: no limit

void budget_take(size_t bytes);
void budget_give_back(size_t bytes);

size_t budget_used(void);
size_t budget_max(void);
bool budget_is_used_up(void);

// Backlogs, which are what those need that lag or have come back, may take three quarters: how much is left
// of these, and whether it is nothing.
size_t budget_backlog_room(void);
bool budget_is_scarce(void);

// Caches may take five eighths.
bool budget_has_cache_room(void);

// Whether there is room for one viewer more: an eighth stays for comments.
bool budget_has_room(void);
