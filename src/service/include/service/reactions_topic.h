// The message of the engine by which reactions reach all readers: `<video> <kind>=<count> <kind>=<count>`,
// the sums of a process since its last message about the video, a second ago or longer. One that is lost is
// lost.
#pragma once

#define REACTIONS_TOPIC "reactions"

enum {
    REACTION_KIND_MAX = 32, // bytes, of the characters of ids
    REACTION_KINDS = 16,    // of a video at a time; others are not counted
    REACTIONS_SHOWN = 8,    // of those, in an event
    REACTIONS_EVERY_MS = 1000
};
