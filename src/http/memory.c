#include "memory.h"

#include "base/budget.h"
#include "base/process_wide.h"
#include "base/uthash.h"

PROCESS_WIDE static struct http_hold *waiting; // oldest first
PROCESS_WIDE static size_t held;

static size_t memory_max(void) {
    size_t share = budget_max() / HTTP_MEMORY_SHARE;
    return share > HTTP_MEMORY_MIN ? share : HTTP_MEMORY_MIN;
}

bool http_memory_is_scarce(void) {
    return held > memory_max() / 2;
}

bool http_memory_is_used_up(void) {
    return held > memory_max();
}

struct http_hold *http_memory_oldest(void) {
    return waiting;
}

void http_memory_hold(struct http_hold *h, size_t bytes, address_key address, bool waits_for_client,
                      int64_t now_ms) {
    if (bytes != h->bytes || address != h->address) {
        address_limits_hold(h->address, -(int64_t)h->bytes);
        address_limits_hold(address, (int64_t)bytes);
        h->address = address;

        budget_take(bytes);
        budget_give_back(h->bytes);
        held += bytes - h->bytes;
        h->bytes = bytes;
    }
    if (waits_for_client == h->listed) return;
    h->listed = waits_for_client;
    if (waits_for_client) {
        h->since_ms = now_ms;
        DL_APPEND(waiting, h);
    } else {
        DL_DELETE(waiting, h);
    }
}

// Skips connections that hold nothing. A dropped one may be answered, which takes a little memory again.
void http_memory_make_room(const struct http_hold *except) {
    for (struct http_hold *h = waiting, *next; h && held > memory_max(); h = next) {
        next = h->next;
        if (h != except && h->bytes) h->evict(h);
    }
}

void http_memory_make_room_of(address_key address, const struct http_hold *except) {
    for (struct http_hold *h = waiting, *next; h && address_limits_is_over(address); h = next) {
        next = h->next;
        if (h != except && h->bytes && h->address == address) h->evict(h);
    }
}
