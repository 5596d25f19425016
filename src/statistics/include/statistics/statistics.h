// The statistics role: keeps the newest report of every part, and sums them up into one document. Knows
// nothing of HTTP. Control loop only.
//
// The document is made when it is asked for and kept as text. It is made again when a report or a stored
// comment has changed it, and once a second; the engine is asked what is stored at every GET. Neither so
// often that more than a twentieth of the time goes into it, so polling is cheap however large the document
// is. While the engine is away its last answer is shown.
#pragma once

#include <stddef.h>

#include "service/service.h"
#include "statistics/report.h"

struct internal_only;
struct statistics;

struct statistics_config {
    const char *instance_id;
    int interval_ms;            // between reports; an instance silent for three is dropped
    const char *internal_from;  // CIDRs, comma-separated, that may post
    const char *internal_token; // or with this bearer token; NULL: none
};

// The strings are copied, but for instance_id. Returns NULL if internal_from cannot be understood.
struct statistics *statistics_new(struct loop *, struct engine *, const struct statistics_config *);

// Answers those that still wait for a document with none, from inside this call.
void statistics_free(struct statistics *);

// Takes a report. Returns false with why if it is malformed, as report_read().
bool statistics_report(struct statistics *, enum report_kind, struct json_reader *report,
                       struct report_refusal *);

// `document` is JSON text, valid during the callback, or NULL: the engine has never said yet what it stores.
typedef void statistics_document_cb(void *arg, const char *document, size_t len);

// Gives the document: exactly once, never from inside the call.
void statistics_document(struct statistics *, statistics_document_cb *, void *arg);

// Returns the check that guards the addresses for reports.
const struct internal_only *statistics_guard(const struct statistics *);
