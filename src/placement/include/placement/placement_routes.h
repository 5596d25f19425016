// POST /register and GET /resolve/:videoid over a placement: answered by the manager, and by the comment API
// too, because browsers refuse to speak to port 6000.
//
// Control loop only. The role's struct begins with a struct placed_service.
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

// Answers 503 because as many videos as may be are in use, and says so in the log, at most once a second.
void placement_reply_full(struct placed_service *, struct http_exchange *, const char *video);
