// Reports a part's figures to the statistics service periodically. Failures are logged once when they begin
// and once when they end. At most one request runs at a time. Control loop only.
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct http_client;
struct loop;
struct reporter;

struct reporter_config {
    const char *role;           // for log lines
    const char *statistics_url; // http://host:port of the statistics service
    const char *path;           // "/reader-api-statistics"
    int interval_ms;            // the first report is sent within a second
    const char *token;          // sent as Authorization: Bearer, or NULL
    // Returns the report, a new reference that the reporter releases; or NULL to skip it this time.
    json_t *(*build)(void *arg);
    void *arg;
};

// The strings are copied. Returns NULL if there is no statistics_url.
struct reporter *reporter_new(struct loop *, struct http_client *, const struct reporter_config *);
void reporter_free(struct reporter *); // NULL is fine

// Reports now, or as soon as a report that is on its way has been answered.
void reporter_report_now(struct reporter *);

// Returns whether a report has not been answered yet. NULL is fine.
bool reporter_is_posting(const struct reporter *);

// Returns whether the last report was not accepted. NULL is fine.
bool reporter_is_failing(const struct reporter *);

// Changes the token, from the next report on. NULL: none. NULL is fine for the reporter too.
void reporter_set_token(struct reporter *, const char *token);
