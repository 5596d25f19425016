// What the dashboard shows at one moment: figures per reader and in total, made from the newest reports and
// the leases once per tick. Reports are totals since a part's start, so a rate is the difference of two of
// them, divided by the time between their arrivals. Pure; time is passed in.
//
// Limits: BOARD_READERS readers; beyond that further ones are not shown. A reader whose lease has ended stays
// for BOARD_LOST_MS, if it was seen alive.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "figures.h"

struct board;
struct reader_row;

enum {
    BOARD_READERS = 1000,
    BOARD_LOST_MS = 15 * 60 * 1000,
    BOARD_DELAY_TICKS = 5 // percentiles are those of the last ticks, so that a quiet system has some as well
};

// The figures of all readers and comment APIs together. Those that are not known are NAN.
enum board_figure {
    BOARD_VIEWERS,
    BOARD_VIDEOS,
    BOARD_COMMENTS_PER_S,
    BOARD_DELIVERIES_PER_S,
    BOARD_P50_MS,
    BOARD_P99_MS,
    BOARD_SLOW,      // viewers behind now
    BOARD_GAPS,      // of slow viewers, since the last tick
    BOARD_DROPPED,   // viewers disconnected or turned away, since the last tick
    BOARD_RESUMED,   // viewers that continued a stream, since the last tick
    BOARD_IMBALANCE, // viewers of the fullest live reader, divided by the mean
    BOARD_READERS_LIVE,
    BOARD_READERS_LOST,
    BOARD_FIGURES
};
extern const char *const board_names[BOARD_FIGURES]; // as in JSON

enum board_change { BOARD_READER_JOINED, BOARD_READER_LOST, BOARD_READER_STOPPED, BOARD_READER_BACK };

struct board_listener {
    // A reader's lease began or ended.
    void (*on_change)(void *arg, enum board_change, const char *instance_id, const char *url);
    void *arg;
};

struct board *board_new(const struct board_listener *); // which is borrowed
void board_free(struct board *);

// Takes the state of the leases. The first time, readers are there without having joined.
void board_take_leases(struct board *, const struct reader_row *, size_t count, int64_t now_ms);

// Makes the figures of this moment from the newest reports.
void board_tick(struct board *, const struct figures *, int64_t now_ms);

// Returns the figures of the last tick.
const double *board_figures(const struct board *);

// Returns the name of the reader at this URL, or NULL. Valid until the next board_take_leases().
const char *board_name_at(const struct board *, const char *url);

// Returns the readers as a JSON array, owned by the caller, in the order of their names.
json_t *board_readers(struct board *, int64_t now_ms);

// Returns the largest of `count` numbers divided by their mean; NAN if all are 0. Pure.
double imbalance_of(const uint64_t *numbers, size_t count);
