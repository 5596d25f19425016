// What the fan-out reports about a viewer's stream when it ends: on the worker's thread, just before the
// socket is closed. It only borrows everything.
#pragma once

#include <stdint.h>

enum fan_end {
    FAN_END_CLIENT,   // the client has closed its connection
    FAN_END_ERROR,    // the connection has broken in another way
    FAN_END_STALLED,  // the client has accepted no data for stall_ms
    FAN_END_COMPLETE, // the video is over
    FAN_END_MOVED,    // another reader has the video now
    FAN_END_STOPPING, // the process ends
    FAN_END_EXPIRED,  // the viewer's time is over (sink.ends_ms)
    FAN_END_KILLED    // the reader plays dead: the clients see a reset
};

struct fan_report {
    const char *video;
    enum fan_end end;
    int fd; // its socket, still open; -1: its sink is not plain TCP
    // Sent over its connection before the stream began (sock_sent).
    uint32_t bytes_before;
    // Sent whole: what is published to all, and of its first frames those that have a position, a gap among
    // them. As the counter `delivered` counts; no heartbeats and no moments.
    uint32_t events;
    uint32_t duration_ds; // in tenths of a second
};
