// The message of the engine by which all processes learn that a video's room has changed: its body is the
// video's id. One that is lost is made up for by reading rooms again (reader/room_events.h). Control loop
// only.
#pragma once

#include <string.h>

#include "engine/engine.h"

#define ROOM_TOPIC "room"

// The same for the comments of a video that wait for a moderator: `<video> <how many>`.
#define HELD_TOPIC "held"

static inline void room_topic_publish(struct engine *e, const char *video) {
    e->ops->notify(e, ROOM_TOPIC, video, strlen(video));
}
