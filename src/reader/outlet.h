// Where the frames of a video go: to its viewers, and, once one has asked for everything, to a second list of
// those, which get what a readable rate leaves out for the others (sample.h). So both share their frames.
// Control loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fanout/report.h"
#include "sample.h"

struct fan_video;
struct fanout;
struct frame;
struct ledger;
struct pending;
struct sink;

struct outlet {
    struct fan_video *viewers;
    struct fan_video *whole; // those that asked for everything; NULL: none has
    bool over;               // nothing is published any more
    bool whole_first;        // where few leave, one of those was among the last
};

// on_left(): some of the viewers have gone. Takes a reference to the ledger; borrows the video's name.
void outlet_open(struct outlet *, struct fanout *, struct ledger *, const char *video,
                 void (*on_left)(void *arg), void *arg);

// Cuts the viewers' streams. No on_left() follows.
void outlet_close(struct outlet *, enum fan_end);

unsigned outlet_viewers(const struct outlet *);

// Returns a user's hash, as skipped frames and viewers' sinks (sink.user) have it; never 0.
uint32_t outlet_user(const char *user, size_t len);

// Adds a viewer; `whole`: it gets everything. As fan_video_add() otherwise.
bool outlet_add(struct outlet *, const struct sink *, uint8_t asks, bool whole, struct pending *);

// The video is over, or goes on: as fan_video_end() and fan_video_begin_again().
void outlet_end(struct outlet *);
void outlet_begin_again(struct outlet *, enum fan_end);

// Takes the frame. Once the video is over it is only for those that come back. What is left out goes only to
// those who get everything, and to the author's viewers; what is shown says to the others how many comments
// before it were left out.
void outlet_publish(struct outlet *, struct frame *, enum sample_fate, uint32_t more);

// Sends a comment that no other viewer is to get to its author's viewers. Takes the frame.
void outlet_tell_author(struct outlet *, struct frame *);

// Lets some of the viewers go to another reader: as fan_video_move(). Takes the frame.
void outlet_move(struct outlet *, unsigned count, uint8_t kind, struct frame *);

// Sets the latest event of the moment of a kind, a bit; takes the frame.
void outlet_moment(struct outlet *, uint8_t kind, struct frame *);
