// Private to app: evens out the viewers of all readers (placement/rebalance.h). In a round the readers are
// asked for their coldest videos, and from what they answer in time a plan is made: it is shown, or carried
// out. While it applies plans there is a round every few seconds, as long as readers are uneven. Control loop
// only.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/loop.h"
#include "placement/rebalance.h"

struct engine_listener;
struct http_exchange;
struct mover;

struct rebalancer_round {
    bool running;
    struct loop_timer over;
    json_t *lists;                  // by reader URL: viewers by video
    struct http_exchange *exchange; // wants to see the plan; NULL: none
    bool applies;
    int64_t next_ms;
};

// Zero-initialise.
struct rebalancer {
    const struct mover *mover;
    char topic[48]; // for answers of readers
    struct engine_listener *answers;
    struct loop_timer watch;
    struct rebalance_pace pace;
    bool applies;
    uint64_t moved; // viewers of videos that were moved
    struct rebalancer_round round;
};

void rebalancer_start(struct rebalancer *, const struct mover *); // borrowed
void rebalancer_stop(struct rebalancer *);                        // before the engine is closed

// Returns the most viewers that a reader has, in percent of the mean.
uint64_t rebalancer_spread(const struct rebalancer *);

// Answers with what would be moved.
void rebalancer_answer_plan(struct rebalancer *, struct http_exchange *);

// Applies plans from now on, or no longer.
void rebalancer_apply(struct rebalancer *, bool applies);
