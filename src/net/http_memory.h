// Private to the HTTP server: what requests under way and answers not yet taken hold, in all servers of the
// process. It counts in the memory budget, and is itself bounded by an eighth of that. What would exceed it
// costs those that have made no progress for longest: the slowest request loses to a new one. Control loop
// only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_MEMORY_SHARE = 8, HTTP_MEMORY_MIN = 65536 };

// Embedded in a connection.
struct http_hold {
    size_t bytes;
    bool listed; // it can be made to let go
    int64_t since_ms;
    void (*evict)(struct http_hold *); // gives back what it holds, with http_memory_hold()
    struct http_hold *prev, *next;
};

// Says how much the connection holds now, and whether it waits for its client: for the rest of a request, or
// to take an answer. Since when counts from the first time it did, until it does not. May evict others.
void http_memory_hold(struct http_hold *, size_t bytes, bool waits_for_client, int64_t now_ms);

// Whether buffers are better given back than kept for the next request.
bool http_memory_is_scarce(void);

// Whether more is held than there is for it: by those that cannot be made to let go.
bool http_memory_is_used_up(void);

// Returns the one that waits longest, or NULL. `next` of each is the one after it.
struct http_hold *http_memory_oldest(void);
