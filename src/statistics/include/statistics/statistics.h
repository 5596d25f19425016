// The statistics role: keeps the newest report of every part, and sums them up in one document. Knows nothing
// of HTTP. Control loop only.
//
// The document is made on request and kept as text. It is made again when a report or a stored comment has
// changed it, and once a second; every GET queries the engine for the stored comments. Neither takes more
// than a twentieth of the time, so polling is cheap however large the document is. While the engine is away,
// its last answer is shown.
#pragma once

#include <stddef.h>

#include "service/service.h"
#include "statistics/report.h"

extern const struct metric statistics_metrics[]; // ended by one without a name

struct dashboard;
struct demo_desk;
struct fanout;
struct internal_only;
struct statistics;
struct statistics_demo;

struct statistics_config {
    const char *instance_id;
    int interval_ms;                    // between reports; an instance silent for three is dropped
    const struct internal_only *guard;  // of the routes for reports; borrowed
    struct service_process *process;    // as in struct service_config
    const struct statistics_demo *demo; // commands of the dashboard (statistics/demo.h); NULL: none
    struct fanout *fanout;              // sends to dashboards; NULL: there is no dashboard
};

// The strings are borrowed.
struct statistics *statistics_new(struct loop *, struct engine *, const struct statistics_config *);

// Cuts the streams of dashboards. To be called before the fan-out is freed.
void statistics_stop(struct statistics *); // NULL is fine

// Calls back requests that still wait for the document with NULL, from inside this call.
void statistics_free(struct statistics *);

// Takes a report. If it is malformed, returns false and the refusal, as report_read() does.
bool statistics_report(struct statistics *, enum report_kind, struct json_reader *report,
                       struct report_refusal *);

// `document`: JSON text, valid during the callback; NULL if the engine has never answered yet.
typedef void statistics_document_cb(void *arg, const char *document, size_t len);

// Calls back with the document exactly once, never from inside the call.
void statistics_document(struct statistics *, statistics_document_cb *, void *arg);

// `ledger`: owned by the callee; NULL: no reader has reported this video.
typedef void statistics_ledger_cb(void *arg, json_t *ledger);

// Calls back with what became of a video's comments (fleet_ledger.h), as all readers count it now, exactly
// once, never from inside the call.
void statistics_ledger(struct statistics *, const char *video, statistics_ledger_cb *, void *arg);

// Returns the `limit` videos with the most viewers as JSON, owned by the caller (active_videos.h).
json_t *statistics_videos(struct statistics *, size_t limit);

// Returns the dashboard, or NULL if there is none.
struct dashboard *statistics_dashboard(const struct statistics *);

// Returns the guard of the routes for reports.
const struct internal_only *statistics_guard(const struct statistics *);

// Returns who may command the demo, or NULL if there is none.
struct demo_desk *statistics_desk(const struct statistics *);
