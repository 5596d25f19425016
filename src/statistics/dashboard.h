// What the dashboard is fed with: takes a sample every HISTORY_EVERY_MS from the newest reports and the
// leases, keeps those of the last 15 minutes and the last notices, and sends both to the pages that watch,
// as an event stream through the fan-out: a page that reads slowly is bounded like any viewer. Control loop
// only.
//
// A stream begins with `hello`, `history` (so that a page which comes back has no hole) and the newest
// `sample`; then come samples and notices as they are made. Ids count up within an epoch, which is the start
// of this process. At most DASHBOARD_STREAMS.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct fanout;
struct figures;
struct http_exchange;
struct service;

enum { DASHBOARD_STREAMS = 1000, DASHBOARD_NOTICES = 100 };

struct dashboard;

// Borrows them. `fresh_ms`: videos of a reader whose report is older are not shown. `demo`: the page may show
// buttons for what demo_routes.h has.
struct dashboard *dashboard_new(struct service *, struct fanout *, struct figures *, int64_t fresh_ms,
                                bool demo);

// Cuts the streams. To be called before the fan-out is freed.
void dashboard_stop(struct dashboard *); // NULL is fine
void dashboard_free(struct dashboard *); // NULL is fine; once the engine is closed

// Ends the exchange with the event stream.
void dashboard_connect(struct dashboard *, struct http_exchange *);

// Returns the newest sample with the notices, owned by the caller.
json_t *dashboard_snapshot(struct dashboard *);

// Keeps a notice and shows it: an object with a `kind`, whose reference it takes; `at` is added.
void dashboard_notice(struct dashboard *, json_t *notice);
