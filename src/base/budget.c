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

bool budget_has_room(void) {
    return budget_used() < max - max / 8;
}
