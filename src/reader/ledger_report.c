#include "ledger_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/id.h"
#include "base/mem.h"
#include "base/uthash.h"
#include "fanout/ledger.h"
#include "ledgers.h"
#include "reader_core.h"
#include "watched.h"

enum { ROW_SIZE = (LEDGER_PARTS + 1) * 21 + POSITION_TEXT_SIZE };

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
    ledger->reported_viewers = viewers;
    for (int i = 0; i < LEDGER_PARTS; i++)
        len += snprintf(row + len, sizeof row - (size_t)len, "%" PRIu64 " ", parts[i]);
    len += snprintf(row + len, sizeof row - (size_t)len, "%u ", viewers);
    position_format(at, row + len);
    json_object_set_new(rows, video, json_string(row));
}

static bool ledger_has_changed(struct ledger *ledger, unsigned viewers) {
    uint64_t parts[LEDGER_PARTS];
    ledger_read(ledger, parts);
    return ledger_sum(parts) != ledger->reported || viewers != ledger->reported_viewers;
}

static void report_add_closed(json_t *rows, const struct closed_ledger *c) {
    report_add(rows, c->video, c->ledger, 0, (struct position){0});
}

static void report_add_open(json_t *rows, const struct watched *w) {
    report_add(rows, w->video, w->ledger, broadcast_viewers(&w->broadcast),
               feed_position(&w->broadcast.feed));
}

static bool open_has_changed(const struct watched *w) {
    return ledger_has_changed(w->ledger, broadcast_viewers(&w->broadcast));
}

// What a report had that was not accepted counts as changed.
static void report_forget_last(struct reader *r) {
    const char *video;
    json_t *row;
    json_object_foreach(r->ledgers->last, video, row) {
        const struct watched *w = watched_find(r, video);
        const struct closed_ledger *c = ledgers_find(r->ledgers, video);
        if (w)
            w->ledger->reported = UINT64_MAX;
        else if (c)
            c->ledger->reported = UINT64_MAX;
    }
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

bool ledgers_add_to_report(struct reader *r, json_t *report) {
    struct ledgers *l = r->ledgers;
    json_t *rows = json_object();
    struct closed_ledger *c;
    if (service_report_failed(&r->service)) report_forget_last(r);
    report_add_asked(r, rows);
    DL_FOREACH(l->closed, c) {
        if (json_object_size(rows) >= LEDGERS_REPORTED) break;
        if (ledger_has_changed(c->ledger, 0)) report_add_closed(rows, c);
    }
    size_t left = r->videos.count < LEDGERS_VISITED ? r->videos.count : LEDGERS_VISITED;
    for (; left && json_object_size(rows) < LEDGERS_REPORTED; left--) {
        if (!r->next_ledger) r->next_ledger = watched_next(r, NULL);
        if (open_has_changed(r->next_ledger)) report_add_open(rows, r->next_ledger);
        r->next_ledger = watched_next(r, r->next_ledger);
    }
    json_object_set_new(report, "ledgers", rows);
    json_decref(l->last);
    l->last = json_incref(rows);
    return c != NULL;
}
