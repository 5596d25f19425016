// Private to comment: a comment API. Control loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/durations.h"
#include "base/log.h"
#include "moderation/first_line.h"
#include "placement/placement_routes.h"
#include "service/replays.h"
#include "service/text_rules.h"

struct erasure;
struct held_desk;
struct http_client;
struct http_exchange;
struct rate_limit;
struct reactions;
struct registrar;
struct review;
struct video_count;
struct videos_query;
struct waiting_request;

// What became of a POST /comment whose body was declared as JSON and not too long.
enum post_result {
    POST_ACCEPTED,
    POST_REPEATED, // with the Idempotency-Key of an earlier one
    POST_INVALID,
    POST_NOT_ALLOWED, // no token, or one that does not give the right
    POST_UNKNOWN_VIDEO,
    POST_VIDEO_CLOSED,
    POST_TOO_FAST, // the user
    POST_VIDEO_TOO_FAST,
    POST_KEY_REUSED,
    POST_FILTERED,   // by the first line
    POST_DENIED,     // by the review hook
    POST_UNREVIEWED, // the review hook does not answer
    POST_REFUSED,    // by the video's room
    POST_HELD,       // by it, to wait
    POST_TOO_MANY_VIDEOS,
    POST_OVERLOADED,
    POST_STORE_FULL,
    POST_STORE_UNAVAILABLE,
    POST_RESULTS
};

struct comment_counters {
    uint64_t posts[POST_RESULTS];
    uint64_t broken[TEXT_RULES]; // of the invalid ones: by the rule that a text breaks
    uint64_t filtered[FIRST_FINDINGS];
    uint64_t time_outs;
    struct durations commits; // of those accepted: from the complete request to the answer of the store
    uint64_t listings;        // GET /videos/VIDEO/comments
    uint64_t reactions;       // accepted
};

struct comment_api {
    struct placed_service placed; // first: the argument of the routes
    struct http_client *client;
    struct registrar *registrar;
    struct rate_limit *of_user, *of_limited_user, *of_limited_video; // NULL: none
    struct text_rules texts;
    struct first_line *first;        // borrowed; NULL: none
    struct review *review;           // NULL: no hook
    char statistics_url[600];        // of the document; empty: none
    char *authorization;             // of our own requests; NULL: none
    struct waiting_request *waiting; // not NULL: the document has been requested
    struct videos_query *videos;
    struct held_desk *held;
    struct reactions *reactions;
    struct comment_counters counters;
    struct replays replays;
    struct erasure *erasure; // under way; NULL: none
    unsigned lists;          // pages of comments that are being read
    struct video_count *counts;
    struct buf scratch; // for building JSON
    struct log_sampler sampler;
};

struct comment_text {
    const char *text; // NULL: none
    size_t len;
};

// A comment that has been read and checked, and may be posted by its user. All is borrowed.
struct comment_draft {
    const char *user, *video;
    const char *badges; // a JSON array; empty: none
    const char *key;    // user and Idempotency-Key; empty: none
    bool bound;         // by the video's room (gated.h) and by moderation (moderated.h)
    struct comment_text name, comment;
    struct comment_text sent; // the comment as the user wrote it, if something has replaced it
    bool holds;               // it is to wait for a moderator
    bool is_noted;            // by the first line: to be forgotten unless it is stored
    int64_t began_us;
};
