// Private to the HTTP server: which of its connections is closed where a new client needs the place.
//
// The one with the least progress goes first (memory.h), once it has stood still for HTTP_GRACE_MS: so long a
// new connection has to send its request. In a crowd the next is the newest of those that ask all the time
// (scheduler.h), and of those that have been used and have not gone on for HTTP_CROWDED_MS, so that new
// clients get in although none is ever still. At last, if all have made progress, the newest idle one goes.
//
// Among many that ask all the time, the one that has been idle for longest would be that of an honest user;
// and so would be the newest idle one, where all others are being answered. So in a crowd an idle one has to
// be of the newer half. Control loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct http_conn;
struct http_scheduler;

enum {
    HTTP_GRACE_MS = 250,
    HTTP_CROWDED_MS = 100,
    HTTP_CROWD = 32, // connections of a server
    HTTP_SAMPLE = 64
};

// Looks at HTTP_SAMPLE of the `open` connections in a list at most, others each time, as it puts them at its
// end. Returns the one to be closed, or NULL. `for_other_port`: for a client of another server, to which a
// crowd gives its newest connection even if that is in its HTTP_GRACE_MS. Sets *middle to the number from
// which on connections are the newer half of a crowd; 0: there is none.
struct http_conn *http_eviction_find(struct http_conn **conns, uint64_t open, const struct http_scheduler *,
                                     int64_t now_ms, bool for_other_port, uint64_t *middle);
