// Private to the HTTP server: the memory of unfinished requests and unsent responses, in all servers of the
// process, and which connection has made the least progress. The memory counts towards the budget, and is
// bounded to an eighth of it. Beyond that the connection with the least progress is dropped. Control loop
// only.
//
// Progress is a request that is complete or a response that has been read. In between, a connection that
// moves HTTP_PROGRESS_BYTES a second (as mod_reqtimeout of Apache demands) keeps up. One that has ever made
// progress is steady: it comes after those that have not, until it has stood still for HTTP_STILL_MS itself.
// So neither a new connection nor a slow one loses its place to a crowd that only occupies places.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address_limits.h"

enum { HTTP_MEMORY_SHARE = 8, HTTP_MEMORY_MIN = 65536, HTTP_PROGRESS_BYTES = 500, HTTP_STILL_MS = 1000 };

// Embedded in a connection.
struct http_hold {
    size_t bytes;
    address_key address; // whose bytes they are
    bool listed;         // waits for its client, and may be dropped
    bool is_steady;
    uint32_t moved;                    // bytes received and sent
    int64_t since_ms;                  // its last progress, or its beginning
    void (*evict)(struct http_hold *); // frees what it holds, and calls http_memory_hold()
    struct http_hold *prev, *next;
};

// Notes progress.
void http_hold_progress(struct http_hold *, int64_t now_ms);

// Returns for how long it has made no progress; 0: it is steady, and that is less than HTTP_STILL_MS. If it
// has kept up, that is progress.
int64_t http_hold_still_ms(struct http_hold *, int64_t now_ms);

// Sets how much the connection holds, for which address, and whether it waits for its client: for the rest of
// a request, or to read a response. A wait that begins, or ends, begins at its last progress.
void http_memory_hold(struct http_hold *, size_t bytes, address_key, bool waits_for_client, int64_t now_ms);

// While the bound is exceeded, drops other waiting connections, the one with the least progress first. Call
// it when a connection holds more than before.
void http_memory_make_room(const struct http_hold *except, int64_t now_ms);

// The same while an address holds more than it may: drops other waiting connections of it.
void http_memory_make_room_of(address_key, const struct http_hold *except, int64_t now_ms);

// Whether buffers should be freed instead of kept for the next request.
bool http_memory_is_scarce(void);

// Whether the bound is exceeded, by connections that cannot be dropped.
bool http_memory_is_used_up(void);
