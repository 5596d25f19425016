// The message of the engine by which a comment whose author is under a shadow ban (engine/room.h) reaches the
// author's own streams: `<video> <the comment's JSON>`. One that is lost is lost.
#pragma once

#define SHADOWED_TOPIC "shadowed"
