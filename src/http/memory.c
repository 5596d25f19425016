#include "memory.h"

#include "base/budget.h"
#include "base/process_wide.h"
#include "base/uthash.h"

PROCESS_WIDE static struct http_hold *fresh, *steady; // those that wait; the longest without progress first
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

static void hold_enlist(struct http_hold *h) {
    if (h->is_steady)
        DL_APPEND(steady, h);
    else
        DL_APPEND(fresh, h);
}

static void hold_delist(struct http_hold *h) {
    if (h->is_steady)
        DL_DELETE(steady, h);
    else
        DL_DELETE(fresh, h);
}

static void hold_begin(struct http_hold *h, int64_t now_ms) {
    h->since_ms = now_ms;
    h->moved = 0;
}

void http_hold_progress(struct http_hold *h, int64_t now_ms) {
    if (h->listed) hold_delist(h);
    h->is_steady = true;
    hold_begin(h, now_ms);
    if (h->listed) hold_enlist(h);
}

int64_t http_hold_still_ms(struct http_hold *h, int64_t now_ms) {
    int64_t still_ms = now_ms - h->since_ms;
    if (still_ms < HTTP_STILL_MS) return h->is_steady ? 0 : still_ms;
    if ((int64_t)h->moved * 1000 < still_ms * HTTP_PROGRESS_BYTES) return still_ms;
    http_hold_progress(h, now_ms);
    return 0;
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
    if (h->listed) hold_delist(h);
    h->listed = waits_for_client;
    hold_begin(h, now_ms);
    if (h->listed) hold_enlist(h);
}

// Of an address, or of any if that is 0. One that keeps up is moved to the end of the steady ones.
static struct http_hold *first_to_drop(struct http_hold *list, address_key address,
                                       const struct http_hold *except, int64_t now_ms) {
    for (struct http_hold *h = list, *next; h; h = next) {
        next = h->next;
        if (h == except || !h->bytes || (address && h->address != address)) continue;
        int64_t since_ms = h->since_ms;
        http_hold_still_ms(h, now_ms);
        if (h->since_ms == since_ms) return h;
    }
    return NULL;
}

static struct http_hold *least_progress(address_key address, const struct http_hold *except, int64_t now_ms) {
    struct http_hold *one = first_to_drop(fresh, address, except, now_ms);
    struct http_hold *other = first_to_drop(steady, address, except, now_ms);
    if (!one || !other) return one ? one : other;
    return http_hold_still_ms(other, now_ms) > http_hold_still_ms(one, now_ms) ? other : one;
}

// Skips connections that hold nothing. A dropped one may be answered, which takes a little memory again.
void http_memory_make_room(const struct http_hold *except, int64_t now_ms) {
    struct http_hold *h;
    while (held > memory_max() && (h = least_progress(0, except, now_ms))) h->evict(h);
}

void http_memory_make_room_of(address_key address, const struct http_hold *except, int64_t now_ms) {
    struct http_hold *h;
    while (address_limits_is_over(address) && (h = least_progress(address, except, now_ms))) h->evict(h);
}
