// The newest report of every part, and the document that sums them up. Pure logic: time is passed in, so that
// tests move the clock. Control loop only.
//
// Limits: FIGURES_INSTANCES comment APIs, readers and managers each, FIGURES_CLIENTS clients; beyond that,
// the instance that has been silent longest is evicted. The numbers of all clients are kept, so that totals
// are correct; their other fields only for the first REPORT_ENTRIES, which the document shows: about 300
// bytes a client. The other kinds keep whole reports, cut by report.h: usually a few KB, at worst about 250
// KB an instance.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "statistics/report.h"

struct figures;

enum { FIGURES_INSTANCES = 1000, FIGURES_CLIENTS = 100000 };

// An instance whose last report is `silent_ms` old is dropped.
struct figures *figures_new(int64_t silent_ms);
void figures_free(struct figures *);

// Takes a report, which replaces the last one of the same instance. If it is malformed, returns false and the
// refusal.
bool figures_take(struct figures *, enum report_kind, struct json_reader *report, int64_t now_ms,
                  int64_t wall_ms, struct report_refusal *);

// All parts have been asked for a report now (REPORT_TOPIC). Those that said in their last report that they
// can be asked are awaited.
void figures_ask(struct figures *);

// Returns whether a part is awaited.
bool figures_are_awaited(const struct figures *);

// Awaits none any more; those that have not answered are not awaited again before they have.
void figures_give_up(struct figures *);

// Drops instances that have been silent for too long.
void figures_expire(struct figures *, int64_t now_ms);

// The newest report of an instance, valid until the next figures_take().
struct figures_report {
    const char *id;
    int64_t seen_ms;
    const uint64_t *numbers; // those of its fields that are numbers, in their order
    const json_t *hidden;    // an object of its hidden fields; NULL: it has none
};

// Calls back for each instance of this kind whose whole report is kept.
void figures_each(const struct figures *, enum report_kind,
                  void (*on_report)(void *arg, const struct figures_report *), void *arg);

// Returns the report that was taken last.
struct figures_report figures_last(const struct figures *, enum report_kind);

// Returns a number of a report's map of counts; 0 if it has none of this name, or there is no map.
uint64_t figures_number(const json_t *counts, const char *name);

// Returns a number that changes whenever the document would change.
uint64_t figures_version(const struct figures *);

// Returns the document, owned by the caller. Borrows `stored_comments`, a member of it.
json_t *figures_document(const struct figures *, json_t *stored_comments, int64_t wall_ms);
