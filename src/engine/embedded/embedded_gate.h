// Rooms and bans of videos, and the checks of appends against them (engine/room.h). A video's room is read
// with its first comment, and then in memory for as long as the video is. What a video accepted a short time
// ago is in the table `recent`, by author and by digest of the text: only while the room asks for it. Store's
// thread; failures as in embedded_store.h.
#pragma once

#include <stdbool.h>

#include "engine/local.h"

struct store;
struct video;
struct video_gate;

// Returns the video's room, or NULL if nothing was ever set for it.
struct video_gate *gate_find(struct store *, struct video *);

// Returns whether the comment is accepted, and then notes that; else the request is refused.
bool gate_admits(struct store *, struct video *, struct append_request *);

// Whether the video has ended.
bool gate_is_over(struct store *, struct video *);

// room_amend() of the video's room.
bool gate_amend(struct store *, struct video *, enum entry_kind, struct position target);

// See struct local_store.
request_carry_out gate_rooms_read, gate_room_write, gate_ban_write, gate_bans_read;
