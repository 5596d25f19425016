// Reports figures of single clients to the statistics service, but only for the first CLIENT_REPORTS of them,
// so that thousands of viewers do not load it. No table of metrics: two figures of a viewer, which is no
// service. Control loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "client_viewer.h"
#include "net/loop.h"

struct http_client;

enum { CLIENT_REPORTS = 100 };

struct client_reports {
    struct loop *loop;
    struct http_client *client;
    const char *url;           // of POST /client-statistics; NULL: no reports
    const char *authorization; // or NULL
    int interval_ms;
    struct client_viewer *viewers;
    size_t viewer_count;
    // A request begins (+1) or completes (-1); while any is pending, nothing here may be freed.
    void (*on_calls)(struct client_reports *, int change);

    struct loop_timer timer; // zero-initialise the rest
    bool failing;            // and this has been logged
};

void client_reports_start(struct client_reports *);
void client_reports_stop(struct client_reports *);
