// Private to app: all readers of the store, as operators see them and give them orders. Control loop only.
#pragma once

#include <stdbool.h>

struct engine;
struct reader_row;
struct readers;

// Returns the word for its state: live, full, draining, stopped or gone.
const char *fleet_state(const struct reader_row *);

// Whether it takes viewers: it is live, neither draining nor full.
bool fleet_may_take(const struct reader_row *);

// Returns the reader of this URL or instance id, a live one before others; NULL: none.
const struct reader_row *fleet_find(const struct readers *, const char *name);

// Returns the one with the fewest viewers that takes more, other than that of this URL; NULL: none.
const struct reader_row *fleet_emptiest_but(const struct readers *, const char *url);

// Sends it an order (placement/orders_topic.h), which may get lost.
void fleet_order(struct engine *, const char *reader_url, const char *text);
