// A world for a simulated store that is a loop, with the clocks that the loop has: for tests, and for a
// program that has such a store in itself. There are no processes. Loop thread.
#pragma once

#include "sim_store_world.h"

struct loop;
struct sim_store_loop;

struct sim_store_loop *sim_store_loop_new(struct loop *);

// What it still had to call is not called. Before the store is freed.
void sim_store_loop_free(struct sim_store_loop *);

const struct sim_store_world *sim_store_loop_world(const struct sim_store_loop *);
