// The event `reactions` for viewers who ask for it: what all comment APIs have told since the last one
// (service/reactions_topic.h), the REACTIONS_SHOWN kinds with the most, at most once a second of a video. It
// goes with a comment, in the same send; by itself as reaction_pace.h says, to many viewers only once in five
// seconds. Nothing is kept for viewers that come later. Control loop only.
#pragma once

#include <stdint.h>

struct broadcast;
struct reader;
struct watched;

void reactions_start(struct reader *);
void reactions_stop(struct reader *);

// A viewer that asks for these kinds of moments is about to be added.
void reactions_join(struct reader *, struct broadcast *, uint8_t asks);

// The video is closed.
void reactions_close(struct reader *, struct watched *);

// A frame is about to be shown to the viewers. The on_shown() of broadcasts.
void reactions_ride(struct broadcast *);

// To be called several times a second.
void reactions_sweep(struct reader *);
