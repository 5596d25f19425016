#include "base/budget.h"

#include <stdatomic.h>
#include <stdint.h>

static atomic_size_t used;
static size_t max = SIZE_MAX;

void budget_set(size_t max_bytes) {
    max = max_bytes;
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
    return max;
}

bool budget_is_used_up(void) {
    return budget_used() >= max;
}

static size_t backlog_max(void) {
    return max - max / 4;
}

size_t budget_backlog_room(void) {
    size_t taken = budget_used();
    return taken < backlog_max() ? backlog_max() - taken : 0;
}

bool budget_backlog_is_full(void) {
    return !budget_backlog_room();
}

bool budget_has_cache_room(void) {
    return budget_used() < max / 8 * 5;
}

bool budget_has_room(void) {
    return budget_used() < max - max / 8;
}
