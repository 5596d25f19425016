// Events of the moment, which are sent only to clients that ask for them (`events=` of /connect), latest
// value only. This is the one table of their names. `viewers`, `room`, `held` and `reactions` are published;
// `move` is the response to a viewer whose video another reader has (connect.c), and what tells a viewer to
// leave (moves.h). Pure.
#pragma once

#include <stdint.h>

enum moment { MOMENT_VIEWERS, MOMENT_MOVE, MOMENT_ROOM, MOMENT_HELD, MOMENT_REACTIONS };

// Returns the kinds named in a comma-separated list, as bits 1 << MOMENT_...; ignores unknown names. NULL is
// fine.
uint8_t moments_asked(const char *names);
