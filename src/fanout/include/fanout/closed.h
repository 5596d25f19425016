// How one viewer's stream went, for the log: made by its worker when the stream has ended.
#pragma once

#include <stdint.h>

enum fan_close_reason {
    FAN_CLOSED_BY_CLIENT, // or the connection broke
    FAN_CLOSED_STALLED,   // it accepted no data for stall_ms
    FAN_CLOSED_OVER,      // the video is over
    FAN_CLOSED_HERE       // the video, or the process, ends here: reported by its owner, for all viewers
};

struct fan_closed {
    enum fan_close_reason reason;
    uint32_t duration_ms;
    uint32_t events;     // as in fan_counters.delivered
    uint64_t bytes;      // that the client's side has acknowledged on the connection; 0 if it is not TCP
    uint64_t connection; // its number (sock_number())
};
