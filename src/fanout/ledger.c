#include "fanout/ledger.h"

#include <stdlib.h>

#include "base/budget.h"
#include "base/mem.h"

struct ledger *ledger_new(struct fan_counters *counters) {
    struct ledger *l = mem_zalloc(sizeof *l);
    budget_take(sizeof *l);
    l->counters = counters;
    l->refs = 1;
    return l;
}

struct ledger *ledger_ref(struct ledger *l) {
    l->refs++;
    return l;
}

void ledger_unref(struct ledger *l) {
    if (!l || --l->refs) return;
    budget_give_back(sizeof *l);
    free(l);
}

void ledger_read(struct ledger *l, uint64_t parts[LEDGER_PARTS]) {
    for (int i = LEDGER_PARTS - 1; i >= 0; i--)
        parts[i] = atomic_load_explicit(&l->parts[i], memory_order_acquire);
}

uint64_t ledger_sum(const uint64_t parts[LEDGER_PARTS]) {
    uint64_t sum = 0;
    for (int i = 0; i < LEDGER_PARTS; i++) sum += parts[i];
    return sum;
}

int64_t ledger_waiting(const uint64_t parts[LEDGER_PARTS]) {
    uint64_t waiting = parts[LEDGER_DUE];
    for (int i = LEDGER_DUE + 1; i < LEDGER_PARTS; i++) waiting -= parts[i];
    return (int64_t)waiting;
}
