// POST /register and GET /resolve/:videoid: routes of the manager, and of the comment API too, because
// browsers refuse to connect to port 6000. The role's struct begins with a struct placed_service. Control
// loop only.
#pragma once

#include <stdint.h>

#include "base/log.h"
#include "service/service.h"

struct http_exchange;
struct placement;

struct placed_service {
    struct service service;
    struct placement *placement;
    uint64_t registrations; // mappings made by these routes
    struct log_sampler sampler, refusals;
};

extern const struct http_route placement_routes[]; // ended by a row without a pattern

// Replies 503 because --max-videos videos are in use, and logs that, at most once a second.
void placement_reply_full(struct placed_service *, struct http_exchange *, const char *video);
