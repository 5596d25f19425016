// How many viewers a process holds, may hold and can take on, shared by its readers: the limit of
// --max-viewers; and the time that viewers are given to reconnect after, which follows their number and what
// the readers of other processes can take on: if this process dies, its viewers come to them. Control loop
// only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/loop.h"

struct fanout;
struct placement;
struct reader_row;
struct readers;

enum {
    CROWD_READERS = 100, // of one process
    CROWD_CONNECTS_A_CORE =
        5000, // viewers a second: some 30 us each of the control loop, and room for others
    CROWD_CONNECTS_UNKNOWN = 1000 // of a reader that does not say
};

// Zero-initialise.
struct crowd {
    // Set by the owner:
    struct loop *loop;
    struct fanout *fanout;
    int64_t most;     // viewers of the process
    int64_t connects; // viewers a second that it could take on if it did nothing else, and were alone on
    uint32_t machine; // this machine (machine_number()); 0: whatever else runs there
    // Private:
    const char *readers[CROWD_READERS]; // URLs of its own; borrowed
    size_t reader_count, neighbours;    // those of other processes on this machine
    struct loop_lag control, workers;   // when they were looked at last,
    int64_t looked_ms;                  // which was then
    int64_t busy;                       // since the time before, in thousandths
    uint32_t retry_ms;                  // as viewers have been told; 0: no crowd
};

void crowd_add(struct crowd *, const char *reader_url); // borrowed
void crowd_remove(struct crowd *, const char *reader_url);

// To be called several times a second, by any of the readers.
void crowd_sweep(struct crowd *, const struct placement *, int64_t now_ms);

// Returns how many more viewers the process may hold, and how many a second each of its readers can take on
// beside what it does, if all readers of the machine take on as many.
int64_t crowd_room(const struct crowd *);
int64_t crowd_connects(const struct crowd *);

// Returns how many live readers of other processes say that they are on the same machine.
size_t crowd_neighbours(const struct crowd *, const struct readers *);

// Returns a reader of another process that has room: of two drawn at random the one with more. NULL: none.
const struct reader_row *crowd_other(const struct crowd *, const struct readers *);

// Returns how many viewers a second the live readers that neither drain nor are full can take on, without
// those of these URLs.
int64_t crowd_connects_of_others(const struct readers *, const char *const *but, size_t but_count);

// Returns how many of them may be sent there in a second, which leaves room for others. Pure.
enum { CROWD_PACE_PERCENT = 30 };
int64_t crowd_pace(int64_t connects);

// Returns the time that a crowd is to be spread over when it reconnects (event_stream_draw_retry()): 1.4
// times what others need to take it on, 30 s at most; 0 if it is no crowd, as they come back within that
// time anyway. Pure.
uint32_t crowd_retry_ms(int64_t viewers, int64_t connects);

// Whether viewers are to be told: it has changed by a quarter, half of what there is to spare. Pure.
bool crowd_retry_changes(uint32_t told_ms, uint32_t ms);
