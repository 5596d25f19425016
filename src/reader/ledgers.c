#include "ledgers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/container_of.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/name_table.h"
#include "base/uthash.h"
#include "fanout/ledger.h"
#include "reader_core.h"
#include "watched.h"

enum { ROW_SIZE = (LEDGER_PARTS + 1) * 21 + POSITION_TEXT_SIZE };

// A video that is closed.
struct closed_ledger {
    struct name_entry entry; // of ledgers.by_name
    struct ledger *ledger;
    struct closed_ledger *prev, *next;
    char video[];
};

struct ledgers {
    struct fan_counters *counters;
    struct name_table by_name;
    struct closed_ledger *closed; // the one closed longest ago first
    const struct watched *next;   // where the next report continues; NULL: at the first
    char asked[LEDGERS_ASKED][ID_MAX + 1];
    unsigned asked_count;
};

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
    free(l);
}

static struct closed_ledger *ledgers_find(const struct ledgers *l, const char *video) {
    struct name_entry *e = name_table_find(&l->by_name, video);
    return e ? container_of(e, struct closed_ledger, entry) : NULL;
}

struct ledger *ledgers_open(struct ledgers *l, const char *video) {
    struct closed_ledger *c = ledgers_find(l, video);
    return c ? ledgers_remove(l, c) : ledger_new(l->counters);
}

// Its last viewers may be leaving still. One that has had none is not worth keeping.
void ledgers_close(struct reader *r, const struct watched *w, struct ledger *ledger) {
    struct ledgers *l = r->ledgers;
    uint64_t parts[LEDGER_PARTS];
    if (l->next == w) l->next = watched_next(r, w);
    ledger_read(ledger, parts);
    if (!parts[LEDGER_DUE]) {
        ledger_unref(ledger);
        return;
    }
    if (l->by_name.count == LEDGERS_CLOSED) ledger_unref(ledgers_remove(l, l->closed));
    struct closed_ledger *c = mem_alloc(closed_bytes(w->video));
    budget_take(closed_bytes(w->video));
    *c = (struct closed_ledger){.entry.name = c->video, .ledger = ledger};
    memcpy(c->video, w->video, strlen(w->video) + 1);
    name_table_add(&l->by_name, &c->entry);
    DL_APPEND(l->closed, c);
}

// Reports

void ledgers_ask(struct ledgers *l, const char *video, size_t len) {
    if (!id_is_valid(video, len)) return;
    char *to = l->asked[l->asked_count < LEDGERS_ASKED ? l->asked_count++ : LEDGERS_ASKED - 1];
    memcpy(to, video, len);
    to[len] = 0;
}

static void report_add(json_t *rows, const char *video, struct ledger *ledger, unsigned viewers,
                       struct position at) {
    uint64_t parts[LEDGER_PARTS];
    char row[ROW_SIZE];
    int len = 0;
    ledger_read(ledger, parts);
    ledger->reported = ledger_sum(parts);
    for (int i = 0; i < LEDGER_PARTS; i++)
        len += snprintf(row + len, sizeof row - (size_t)len, "%" PRIu64 " ", parts[i]);
    len += snprintf(row + len, sizeof row - (size_t)len, "%u ", viewers);
    position_format(at, row + len);
    json_object_set_new(rows, video, json_string(row));
}

static bool ledger_has_changed(struct ledger *ledger) {
    uint64_t parts[LEDGER_PARTS];
    ledger_read(ledger, parts);
    return ledger_sum(parts) != ledger->reported;
}

static void report_add_closed(json_t *rows, const struct closed_ledger *c) {
    report_add(rows, c->video, c->ledger, 0, (struct position){0});
}

static void report_add_open(json_t *rows, const struct watched *w) {
    report_add(rows, w->video, w->ledger, broadcast_viewers(&w->broadcast),
               feed_position(&w->broadcast.feed));
}

static void report_add_asked(struct reader *r, json_t *rows) {
    struct ledgers *l = r->ledgers;
    for (unsigned i = 0; i < l->asked_count; i++) {
        const struct watched *w = watched_find(r, l->asked[i]);
        const struct closed_ledger *c = ledgers_find(l, l->asked[i]);
        if (w)
            report_add_open(rows, w);
        else if (c)
            report_add_closed(rows, c);
    }
    l->asked_count = 0;
}

void ledgers_add_to_report(struct reader *r, json_t *report) {
    struct ledgers *l = r->ledgers;
    json_t *rows = json_object();
    struct closed_ledger *c;
    report_add_asked(r, rows);
    DL_FOREACH(l->closed, c) {
        if (json_object_size(rows) >= LEDGERS_REPORTED) break;
        if (ledger_has_changed(c->ledger)) report_add_closed(rows, c);
    }
    size_t left = r->videos.count < LEDGERS_VISITED ? r->videos.count : LEDGERS_VISITED;
    for (; left && json_object_size(rows) < LEDGERS_REPORTED; left--) {
        if (!l->next) l->next = watched_next(r, NULL);
        if (ledger_has_changed(l->next->ledger)) report_add_open(rows, l->next);
        l->next = watched_next(r, l->next);
    }
    json_object_set_new(report, "ledgers", rows);
}
