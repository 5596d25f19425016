// The archive role: follows every video's log in Redis by number into a table of its own (engine/embedded.h),
// and serves replays of it. Control loop only.
//
// GET /videos/:videoid/replay                  as the comment API's, of what is archived
// DELETE /videos/:videoid/comments/:id         takes out a comment that the log does not keep any more
// DELETE /users/:userid/comments               takes out all comments of a user, of all videos
//
// What is deleted while the log keeps it, at the comment API, is an entry of the log, and so reaches this.
#pragma once

#include "engine/engine.h"
#include "service/service.h"

struct archive;
struct http_route;

// `redis`: the engine whose logs it follows; `own`: the one that it writes, opened with `follows`.
struct archive *archive_new(struct loop *, struct engine *redis, struct engine *own,
                            const struct service_config *);
void archive_stop(struct archive *); // before the engines are closed; may be NULL
void archive_free(struct archive *); // after that; may be NULL

// Routing tables of its HTTP server, whose arg is the archive. Ended by NULL.
extern const struct http_route *const archive_tables[];
extern const struct metric archive_metrics[];
