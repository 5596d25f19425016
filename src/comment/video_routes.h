// Private to comment: GET, PUT and DELETE /videos/:videoid, for `--videos known`. What is created counts in
// processes with that option, and may be created before it is given. Control loop only.
#pragma once

struct http_exchange;

// `arg` is a struct service.
void video_routes_get(struct http_exchange *, void *arg);
void video_routes_put(struct http_exchange *, void *arg);
void video_routes_delete(struct http_exchange *, void *arg);
