#include "base/budget.h"

#include <stdatomic.h>
#include <stdint.h>

#include "base/process_wide.h"

PROCESS_WIDE static atomic_size_t used;
PROCESS_WIDE static atomic_size_t limit = SIZE_MAX;

void budget_set(size_t max_bytes) {
    atomic_store_explicit(&limit, max_bytes, memory_order_relaxed);
}

void budget_take(size_t bytes) {
    atomic_fetch_add_explicit(&used, bytes, memory_order_relaxed);
}

void budget_give_back(size_t bytes) {
    atomic_fetch_sub_explicit(&used, bytes, memory_order_relaxed);
}

size_t budget_used(void) {
    return atomic_load_explicit(&used, memory_order_relaxed);
}

size_t budget_max(void) {
    return atomic_load_explicit(&limit, memory_order_relaxed);
}

bool budget_is_used_up(void) {
    return budget_used() >= budget_max();
}

static size_t backlog_max(void) {
    size_t max = budget_max();
    return max - max / 4;
}

size_t budget_backlog_room(void) {
    size_t taken = budget_used(), max = backlog_max();
    return taken < max ? max - taken : 0;
}

bool budget_backlog_is_full(void) {
    return !budget_backlog_room();
}

bool budget_has_cache_room(void) {
    return budget_used() < budget_max() / 8 * 5;
}

bool budget_has_room(void) {
    size_t max = budget_max();
    return budget_used() < max - max / 8;
}

bool budget_is_short(void) {
    size_t max = budget_max();
    return budget_used() >= max - max / 8 - max / 16;
}
