// Viewers that leave for another reader at a pace: of a video that another reader has been given, of all
// videos of a reader that drains (drain.h), or some of a video's that has several readers. They are told
// where to (`event: move`) or closed, reconnect, and resume there. A few at a time, in the order in which
// they were asked for. Control loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct moves;
struct reader;
struct watched;

enum { MOVES_ALL = -1, MOVES_TICK_MS = 50 };

struct moves *moves_new(struct reader *);
void moves_free(struct moves *); // once nothing is asked about any more

// Ends all: viewers that have not been told to go stay.
void moves_end(struct reader *);

// Lets `count` of a video's viewers go (MOVES_ALL: as soon as another reader has the video, without this one,
// and has room), at `per_second`, or (0) at moves_rate(). One that has been asked for before is replaced.
// Those that asked not to be redirected, and would come back, stay, unless the reader drains.
void moves_start(struct reader *, const char *video, int64_t count, double per_second);

// The video is about to be closed.
void moves_close(struct watched *);

// Returns how many viewers a second may leave: the pace (crowd_pace()) of the readers that they go to, shared
// with others that drain. 0: there is no such reader.
double moves_rate(const struct reader *);
