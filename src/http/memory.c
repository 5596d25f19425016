#include "memory.h"

#include "base/budget.h"
#include "base/uthash.h"

static struct http_hold *waiting; // oldest first
static size_t held;

static size_t most(void) {
    size_t share = budget_max() / HTTP_MEMORY_SHARE;
    return share > HTTP_MEMORY_MIN ? share : HTTP_MEMORY_MIN;
}

bool http_memory_is_scarce(void) {
    return held > most() / 2;
}

bool http_memory_is_used_up(void) {
    return held > most();
}

struct http_hold *http_memory_oldest(void) {
    return waiting;
}

static void count(struct http_hold *h, size_t bytes) {
    budget_take(bytes);
    budget_give_back(h->bytes);
    held += bytes - h->bytes;
    h->bytes = bytes;
}

static void list(struct http_hold *h, bool waits, int64_t now_ms) {
    if (waits == h->listed) return;
    h->listed = waits;
    if (waits) {
        h->since_ms = now_ms;
        DL_APPEND(waiting, h);
    } else {
        DL_DELETE(waiting, h);
    }
}

void http_memory_hold(struct http_hold *h, size_t bytes, bool waits_for_client, int64_t now_ms) {
    if (bytes != h->bytes) count(h, bytes);
    list(h, waits_for_client, now_ms);
}

// Skips connections that hold nothing. One that is dropped may be answered, which takes a little memory
// again.
void http_memory_make_room(const struct http_hold *except) {
    for (struct http_hold *h = waiting, *next; h && held > most(); h = next) {
        next = h->next;
        if (h != except && h->bytes) h->evict(h);
    }
}
