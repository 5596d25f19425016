// GET /statistics and /videos, the dashboard, and the four POST routes for reports. The argument is the
// struct statistics.
#pragma once

#include <stdbool.h>

#include "http/asset.h"

struct http_refusal;
struct http_request;
struct http_route;

extern const struct http_route *const statistics_tables[];      // ended by NULL
extern const struct http_route *const statistics_demo_tables[]; // the same, and those of statistics/demo.h
extern const struct http_asset statistics_assets[];             // the dashboard, ended by one without a path

// The same in two parts, for a port that the world can reach: the documents, and what is for operators and
// services, whose mount needs the guard.
extern const struct http_route *const statistics_public_tables[];
extern const struct http_route *const statistics_inner_tables[];
extern const struct http_route *const statistics_inner_demo_tables[];
bool statistics_inner_guard(struct http_request *, void *statistics, struct http_refusal *);
