// GET /videos/:videoid/comments: a page of a video's comments, read from the log. Control loop only.
//
// At most COMMENT_LIST_MAX comments and COMMENT_LIST_BYTES, and at most COMMENT_LIST_READS queries to the
// engine: entries that are no comments are passed over. At most COMMENT_LISTS pages are read at a time;
// beyond that a request is refused, so that viewers that resume do not wait behind thousands of pages.
#pragma once

struct comment_api;
struct http_exchange;

enum {
    COMMENT_LIST_MAX = 200,
    COMMENT_LIST_DEFAULT = 50,
    COMMENT_LIST_BYTES = 1 << 20,
    COMMENT_LIST_READS = 10,
    COMMENT_LISTS = 512
};

// Ends the exchange, now or when the engine has answered.
void comment_list_handle(struct http_exchange *, struct comment_api *);
