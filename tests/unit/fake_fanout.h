// Stands in for the fan-out: no threads, no sockets. A viewer is known by the number given as its descriptor,
// and what it would be sent, in order, can be read. Commands take effect immediately.
#pragma once

#include <stdbool.h>

// Returns frames_text() of all that the viewer has been given; valid until the next call.
const char *fake_fanout_text(int viewer);

bool fake_fanout_has(int viewer);
bool fake_fanout_is_over(int viewer); // its stream ends once it has been sent all of it
void fake_fanout_leave(int viewer);
unsigned fake_fanout_relieved(void); // how often memory was wanted
unsigned fake_fanout_videos(void);   // not yet freed
