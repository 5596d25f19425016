// The commands of the dashboard, which exist only in `up --demo`:
//
//     GET /demo                              the token, for a page of this very server
//     POST /demo/readers/:instanceId/kill    with the token: ends a reader as kill -9 would
//
// Both are refused to everything that may act for a website elsewhere (service/own_page.h), to clients whose
// address is not in `internal_from`, and through a proxy. The token, which is new with each start, makes sure
// of what the signs of the second request leave open: only what has read the answer to the first can have it.
// Control loop only.
#pragma once

enum demo_kill { DEMO_KILLED, DEMO_UNKNOWN, DEMO_DOWN };

// What the application does. Borrowed; outlives the statistics role.
struct statistics_demo {
    // Kills a reader, at the earliest at the end of the turn, and starts it again later.
    enum demo_kill (*kill)(void *arg, const char *instance_id);
    void *arg;
    int restart_ms; // how long it is away
};
