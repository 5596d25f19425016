// How a log is numbered: the rules of engine.h that every engine of one process shares. (The one on Redis has
// them in lua/shared/position.lua.) Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/position.h"

// Returns whether a caller that knows of `known` has seen entries that the store has lost, whose log is at
// `at` in an epoch that began after `prev`. *kept is then where the loss begins; not set if nothing is left.
bool numbering_finds_loss(struct position at, struct position prev, struct position known,
                          struct position *kept);

// Returns an epoch greater than those of `at` and `known`, whatever the clock says; and than *highest, of any
// video, which it raises, if the clock was set back.
uint64_t numbering_new_epoch(int64_t now_ms, struct position at, struct position known, uint64_t *highest);
