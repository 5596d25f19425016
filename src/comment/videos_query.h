// GET /videos at the comment API: asks the statistics service for the videos with the most viewers. One query
// at a time, shared by all requests that arrive meanwhile. Control loop only.
#pragma once

struct http_client;
struct http_exchange;
struct known_videos;
struct service;
struct videos_query;

// `statistics_url` is copied; NULL: there is no statistics service. `known`: NULL: all videos exist.
struct videos_query *videos_query_new(struct http_client *, const char *statistics_url,
                                      struct known_videos *known);
void videos_query_free(struct videos_query *); // after the client; NULL is fine

// Replies, immediately or later, with the videos that the request may see. `authorization`: of our own query,
// borrowed for the call; NULL: none.
void videos_query_reply(struct videos_query *, const struct service *, const char *authorization,
                        struct http_exchange *);
