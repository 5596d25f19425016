// Private to comment: comments that wait (engine.h, held_read), because their video's room holds or delays
// them. Each comment API asks the store every second for those that are due, and appends them or, if no
// moderator has decided, drops them; it has them appended by their token, so that each gets one number,
// whichever process does it, and one that is killed in between loses none. GET /videos/:videoid/held and
// POST /videos/:videoid/held/:hid are for moderators. Control loop only.
#pragma once

#include <stdint.h>

struct comment_api;
struct http_exchange;
struct held_desk;

struct held_desk *held_desk_new(struct comment_api *);
void held_desk_free(struct held_desk *); // after the engine has been closed

// A comment waits from now on: for `for_ms`, and with `waiting` others of its video if a moderator has to
// decide (0: none has to).
void held_desk_expect(struct held_desk *, const char *video, int64_t for_ms, int64_t waiting);

void held_desk_list(struct http_exchange *, void *arg);
void held_desk_decide(struct http_exchange *, void *arg);
