// One load process: its viewers, its publishers, one loop. It follows the bench through the phases.
#pragma once

#include "shared.h"

// Runs to the end. Returns the exit code.
int load_run(const struct bench_plan *, struct bench_shared *, unsigned process);
