// Reports of single clients to the statistics service: the first CLIENT_REPORTS of them only, so that
// thousands of viewers are no load on it. Control loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "viewer.h"
#include "net/loop.h"

struct http_client;

enum { CLIENT_REPORTS = 100 };

struct client_reports {
    struct loop *loop;
    struct http_client *client;
    const char *url;           // of POST /client-statistics; NULL: no reports
    const char *authorization; // or NULL
    int interval_ms;
    struct viewer *viewers;
    size_t viewer_count;
    // A report begins (+1) or is over (-1): until then nothing here can be freed.
    void (*on_calls)(struct client_reports *, int change);

    struct loop_timer timer; // zero-initialise the rest
    bool failing;            // and it has been said
};

void client_reports_start(struct client_reports *);
void client_reports_stop(struct client_reports *);
