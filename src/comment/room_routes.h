// Private to comment: what moderators set for a video. GET and PATCH /videos/:videoid/room, GET
// /videos/:videoid/bans, PUT and DELETE /videos/:videoid/bans/:userid. `arg` is a struct service. Control
// loop only.
#pragma once

struct http_exchange;

void room_routes_get(struct http_exchange *, void *arg);
void room_routes_patch(struct http_exchange *, void *arg);
void room_routes_bans(struct http_exchange *, void *arg);
void room_routes_ban(struct http_exchange *, void *arg);
void room_routes_lift(struct http_exchange *, void *arg);
