// `chorus top`: the dashboard as text, for a terminal or a file. Pure; knows nothing of HTTP.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct buf;

enum { SCREEN_CHART = 240 }; // samples in its chart, the newest

// What has been seen. Zero-initialise.
struct screen {
    json_t *dashboard;          // the newest answer of GET /dashboard; owned; NULL: none yet
    double chart[SCREEN_CHART]; // deliveries per second, as a ring
    uint64_t taken;             // samples, of which the chart has the newest
};

struct screen_look {
    unsigned columns, rows; // rows: 0: as many as it takes
    bool colour, utf8;
    const char *line_end; // between two lines
    const char *address;  // of the statistics service
    const char *trouble;  // why there is nothing newer; NULL: all is well
    const char *hint;     // at the right of the first line; NULL: none
};

void screen_release(struct screen *);

// Takes an answer. Returns false, and keeps the last one, if it is not a dashboard's.
bool screen_take(struct screen *, const char *json, size_t len);

// Returns how often there is news.
int screen_every_ms(const struct screen *);

// Adds the lines, without an end of the last one.
void screen_write(const struct screen *, const struct screen_look *, struct buf *out);
