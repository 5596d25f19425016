// Erases a user (DELETE /users/:userid/comments): goes through all videos, and through the log and the
// archive of each, a page at a time; where there is a comment of the user, appends a purge, so that stores,
// viewers and what follows the log take all of them out, and drops what waits for a moderator. Reports as it
// goes, in lines of JSON; the client may leave and ask again, as what was done stays done. One at a time.
// Control loop only.
#pragma once

struct comment_api;
struct erasure;
struct http_exchange;

void erasure_handle(struct http_exchange *x, void *comment_api);

// Ends one that is under way. Once the engine has been closed.
void erasure_stop(struct comment_api *);
