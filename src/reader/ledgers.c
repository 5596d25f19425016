#include "ledgers.h"

#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "base/name_table.h"
#include "base/uthash.h"
#include "fanout/ledger.h"

struct ledgers *ledgers_new(struct fan_counters *counters) {
    struct ledgers *l = mem_zalloc(sizeof *l);
    l->counters = counters;
    return l;
}

static size_t closed_bytes(const char *video) {
    return sizeof(struct closed_ledger) + strlen(video) + 1;
}

// Returns its ledger.
static struct ledger *ledgers_remove(struct ledgers *l, struct closed_ledger *c) {
    struct ledger *ledger = c->ledger;
    name_table_remove(&l->by_name, &c->entry);
    DL_DELETE(l->closed, c);
    budget_give_back(closed_bytes(c->video));
    free(c);
    return ledger;
}

void ledgers_free(struct ledgers *l) {
    if (!l) return;
    while (l->closed) ledger_unref(ledgers_remove(l, l->closed));
    name_table_release(&l->by_name);
    json_decref(l->last);
    free(l);
}

struct closed_ledger *ledgers_find(const struct ledgers *l, const char *video) {
    struct name_entry *e = name_table_find(&l->by_name, video);
    return e ? container_of(e, struct closed_ledger, entry) : NULL;
}

struct ledger *ledgers_open(struct ledgers *l, const char *video) {
    struct closed_ledger *c = ledgers_find(l, video);
    return c ? ledgers_remove(l, c) : ledger_new(l->counters);
}

// One that has had no viewers is not worth keeping.
void ledgers_close(struct ledgers *l, const char *video, struct ledger *ledger, bool has_viewers) {
    uint64_t parts[LEDGER_PARTS];
    ledger_read(ledger, parts);
    if (!parts[LEDGER_DUE] && !has_viewers) {
        ledger_unref(ledger);
        return;
    }
    if (l->by_name.count >= LEDGERS_CLOSED && !l->keeps_all) ledger_unref(ledgers_remove(l, l->closed));
    struct closed_ledger *c = mem_alloc(closed_bytes(video));
    budget_take(closed_bytes(video));
    *c = (struct closed_ledger){.entry.name = c->video, .ledger = ledger};
    memcpy(c->video, video, strlen(video) + 1);
    name_table_add(&l->by_name, &c->entry);
    DL_APPEND(l->closed, c);
}
