// Events of the moment, which only clients that ask for them are sent (`events=` of /connect), and only the
// latest of. The one table of their names; nothing publishes any yet. Pure.
#pragma once

#include <stdint.h>

enum moment { MOMENT_VIEWERS, MOMENT_MOVE, MOMENT_ROOM };

// Returns the kinds named in a list with commas, as bits 1 << MOMENT_...; names that are not known are
// ignored. NULL is fine.
uint8_t moments_asked(const char *names);
