// Private to the HTTP server: the memory that unfinished requests and unsent answers hold, in all servers of
// the process. It counts towards the memory budget, and may be at most an eighth of it. Beyond that the
// connection that has waited for its client longest is dropped, so that the slowest request loses to a new
// one. Control loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_MEMORY_SHARE = 8, HTTP_MEMORY_MIN = 65536 };

// Embedded in a connection.
struct http_hold {
    size_t bytes;
    bool listed; // it waits for its client, and may be dropped
    int64_t since_ms;
    void (*evict)(struct http_hold *); // gives back what it holds, with http_memory_hold()
    struct http_hold *prev, *next;
};

// Sets how much the connection holds now, and whether it waits for its client: for the rest of a request, or
// to read an answer. It has waited since the first call that said so without one in between that did not.
void http_memory_hold(struct http_hold *, size_t bytes, bool waits_for_client, int64_t now_ms);

// While the bound is exceeded, drops others that wait: the one that has waited longest first. To be called
// when a connection has come to hold more.
void http_memory_make_room(const struct http_hold *except);

// Whether buffers should be freed rather than kept for the next request.
bool http_memory_is_scarce(void);

// Whether the bound is exceeded, by connections that cannot be dropped.
bool http_memory_is_used_up(void);

// Returns the one that has waited longest, or NULL. `next` leads to the one after it.
struct http_hold *http_memory_oldest(void);
