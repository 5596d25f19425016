// The comment role: accepts comments, has the engine number, log and publish them, registers new videos with
// the manager, and is the address that browsers use. Control loop only.
//
// A comment is answered 201 only once it is in the log. Comments are accepted while manager or statistics
// service are down.
#pragma once

#include "http/asset.h"
#include "moderation/review.h"
#include "placement/placement_routes.h"
#include "service/text_rules.h"

struct comment_api;
struct first_line;
struct http_client;
struct http_route;
struct stream_ops;

// Comments per second; 0: no limit.
struct comment_rates {
    unsigned user;                        // of each user
    unsigned limited_user, limited_video; // of those whose address has limits; twice as many at once
};

struct comment_config {
    struct service_config service; // without statistics_url, GET /statistics is 503
    const char *manager_url;       // NULL: videos are not registered
    int64_t log_age_ms;            // a video without a comment for this long may be evicted
    struct comment_rates rates;
    struct text_rules texts;
    struct first_line *first;            // of the process; borrowed; NULL: none
    const char *review_url;              // NULL: no review hook
    const struct stream_ops *review_tls; // of an https URL; borrowed
    struct review_bounds review;
};

struct comment_api *comment_api_new(struct loop *, struct engine *, struct placement *, struct http_client *,
                                    const struct comment_config *);
void comment_api_free(struct comment_api *);

// Changes what the configuration says, from the next request on.
void comment_api_set_limits(struct comment_api *, const struct comment_rates *, const struct text_rules *,
                            const struct review_bounds *, int64_t log_age_ms);

// Changes the token of its calls to the manager.
void comment_api_set_token(struct comment_api *, const char *token);

extern const struct http_route *const comment_tables[]; // ended by NULL
extern const struct http_asset comment_assets[];        // the files of web/, ended by one without a path
extern const struct metric comment_metrics[];
