// Private to the HTTP server: the memory of unfinished requests and unsent responses, in all servers of the
// process. It counts towards the memory budget, and is bounded to an eighth of it. Beyond that the connection
// that has waited for its client longest is dropped, so that the slowest request loses to a new one. Control
// loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address_limits.h"

enum { HTTP_MEMORY_SHARE = 8, HTTP_MEMORY_MIN = 65536 };

// Embedded in a connection.
struct http_hold {
    size_t bytes;
    address_key address; // whose bytes they are
    bool listed;         // waits for its client, and may be dropped
    int64_t since_ms;
    void (*evict)(struct http_hold *); // frees what it holds, and calls http_memory_hold()
    struct http_hold *prev, *next;
};

// Sets how much the connection holds, for which address, and whether it waits for its client: for the rest of
// a request, or to read a response. It has waited since the first of the latest calls that said so.
void http_memory_hold(struct http_hold *, size_t bytes, address_key, bool waits_for_client, int64_t now_ms);

// While the bound is exceeded, drops other waiting connections, the longest waiting first. Call it when a
// connection holds more than before.
void http_memory_make_room(const struct http_hold *except);

// The same while an address holds more than it may: drops other waiting connections of it.
void http_memory_make_room_of(address_key, const struct http_hold *except);

// Whether buffers should be freed instead of kept for the next request.
bool http_memory_is_scarce(void);

// Whether the bound is exceeded, by connections that cannot be dropped.
bool http_memory_is_used_up(void);

// Returns the longest waiting one, or NULL. `next` is the one after it.
struct http_hold *http_memory_oldest(void);
