// GET /statistics, and the four POST routes for reports. The server's arg is the struct statistics.
#pragma once

#include "http/asset.h"

struct http_route;

extern const struct http_route *const statistics_tables[];      // ended by NULL
extern const struct http_route *const statistics_demo_tables[]; // the same, and those of statistics/demo.h
extern const struct http_asset statistics_assets[];             // the dashboard, ended by one without a path
