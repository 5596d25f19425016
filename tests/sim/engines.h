// Which engine the services of a run open.
#pragma once

#include "engine/sim_store.h"

// embedded_open() opens the engine of tests/memory from now on.
void engines_use_memory(void);

// Makes the simulated store, on which redis_open() opens engines from then on. Its clock is that of the host
// "redis". Outside of processes.
struct sim_store *engines_start_store(void);

// Returns the simulated store; NULL: there is none.
struct sim_store *engines_store(void);

// Frees the simulated store; before the world.
void engines_end(void);
