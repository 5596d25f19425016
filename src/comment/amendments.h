// Private to comment: what moderators and services do to a video's log: retract a comment, purge a user's,
// pin one, start and end the video. Each is an entry that all viewers get. Control loop only.
#pragma once

#include "engine/engine.h"

struct http_exchange;
struct service;

// Routes; `arg` is a struct service.
void amendment_delete_comment(struct http_exchange *, void *arg);
void amendment_pin(struct http_exchange *, void *arg);
void amendment_unpin(struct http_exchange *, void *arg);
void amendment_start(struct http_exchange *, void *arg);
void amendment_end(struct http_exchange *, void *arg);

// Takes all comments of a user that the log keeps out of a video, with one entry, and a note (audit.h). Calls
// back like engine_ops.amend.
void amendment_purge(const struct service *, const char *video, const char *user, const char *note,
                     engine_amend_cb *, void *arg);
