// Private to statistics: the routes of statistics/demo.h. The server's arg is the struct statistics.
#pragma once

#include "http/router.h"

extern const struct http_route demo_routes[];
