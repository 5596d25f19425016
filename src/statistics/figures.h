// The newest report of every part, and the document that sums them up. Pure logic: time is passed in, so that
// tests move the clock. Control loop only.
//
// Limits: FIGURES_INSTANCES comment APIs, readers and managers each, FIGURES_CLIENTS clients; beyond that the
// one that has been silent longest makes room. Of clients the numbers are kept for all, so that totals are
// true, and the other fields for the first REPORT_ENTRIES only, which are those the document shows: about 300
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

// Takes a report; it replaces the one before of the same instance. Returns false with why if it is malformed.
bool figures_take(struct figures *, enum report_kind, struct json_reader *report, int64_t now_ms,
                  int64_t wall_ms, struct report_refusal *);

// Drops who has been silent.
void figures_expire(struct figures *, int64_t now_ms);

// Returns a number that changes whenever the document would.
uint64_t figures_version(const struct figures *);

// Returns the document, owned by the caller. Borrows `stored_comments`, a member of it.
json_t *figures_document(const struct figures *, json_t *stored_comments, int64_t wall_ms);
