// GET /videos/:videoid/comments: a page of a video's comments, read from the log. Control loop only.
//
// At most LISTING_MAX comments and LISTING_BYTES, and at most LISTING_READS queries to the engine: entries
// that are no comments are passed over.
#pragma once

struct engine;
struct http_exchange;

enum { LISTING_MAX = 200, LISTING_DEFAULT = 50, LISTING_BYTES = 1 << 20, LISTING_READS = 10 };

// Ends the exchange, now or when the engine has answered.
void listing_handle(struct http_exchange *, struct engine *);
