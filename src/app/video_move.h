// Private to app: moves of videos to other readers. The mapping changes first; then the old reader is ordered
// to disconnect the viewers, as fast as the new one can take them on. Control loop only.
#pragma once

#include <stdbool.h>

struct http_exchange;
struct runtime;

// Outlives the engine, which may call back until it is closed.
struct mover {
    const struct runtime *runtime;
    bool closing; // set before that: no reader is looked up any more
};

// Answers a request to move a video to this reader; "": to the emptiest other one. A video that has several
// readers is refused.
void mover_answer(const struct mover *, struct http_exchange *, const char *video, const char *to);

// Moves a video, unless it is at another reader than `from` meanwhile.
void mover_move(const struct mover *, const char *video, const char *from, const char *to);
