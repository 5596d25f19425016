// One comment, all the way: finds a video's reader, opens the stream, posts a comment, and waits for it to
// come back, as a browser would. Control loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct loop;

struct canary_config {
    const char *url;           // of the comment API, without a slash at its end. Borrowed, like what follows
    const char *video;         // an id that needs no escaping
    const char *authorization; // value of that header in all requests; NULL: none
    int64_t timeout_ms;        // for all of it
};

struct canary_result {
    const char *why;    // it failed; NULL: the comment came back
    char reason[256];   // what `why` points to
    char reader[256];   // that had the video; empty: none was found
    double connect_ms;  // from the start to the stream's first event; -1: not reached, like the others
    double post_ms;     // from the request to its answer
    double delivery_ms; // from the request to the comment on the stream
};

// Runs the loop until the comment has come back, or has not. The loop can be freed afterwards. Returns false
// if it failed.
bool canary_run(struct loop *, const struct canary_config *, struct canary_result *);
