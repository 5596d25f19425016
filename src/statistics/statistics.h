// The statistics role: keeps the newest report of every part, and sums them up into one document. Knows nothing of
// HTTP. Control loop only.
#pragma once

#include "service/service.h"

struct statistics;

struct statistics_config {
    const char *instance_id;
    int interval_ms;            // between reports; an instance silent for three is dropped
    const char *internal_from;  // CIDRs, comma-separated, that may post
    const char *internal_token; // or with this bearer token; NULL: none
};

struct statistics *statistics_new(struct loop *, struct engine *, const struct statistics_config *);
void statistics_free(struct statistics *);
