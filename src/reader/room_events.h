// The event `room` for viewers who ask for it: the room of their video (service/room_patch.h), when they join
// and when it changes. A reader that has such viewers reads the room with the first of them, when a message
// says that it has changed (service/room_topic.h), and again from time to time, since a message may be lost;
// and publishes it if it is another one. What else the room means for viewers, its readable rate, it
// tells the broadcast then; so it also reads the rooms of videos with more than a comment now and then. The
// event `held`, which says how many comments wait for a
// moderator, comes as a message and is passed on. Control loop only.
//
// Bounds: the store gets one query at a time, for up to ENGINE_SETTINGS_BATCH rooms; without messages one in
// a sweep, so that 1,250 rooms are read again after ROOM_AGAIN_MS, and more of them later.
#pragma once

#include <stdint.h>

struct broadcast;
struct reader;
struct room_watch;
struct watched;

enum { ROOM_AGAIN_MS = 5000 };

void room_events_start(struct reader *);
void room_events_stop(struct reader *);

// A viewer that asks for these kinds of moments is about to be added.
void room_events_join(struct reader *, struct broadcast *, uint8_t asks);

// A comment has come, of which there were others lately. The on_busy() of broadcasts.
void room_events_busy(struct broadcast *);

// The video is closed.
void room_events_close(struct reader *, struct watched *);

// To be called several times a second.
void room_events_sweep(struct reader *);
