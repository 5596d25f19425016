// One load process: its viewers, its publishers and one loop. It follows the bench from phase to phase.
#pragma once

#include "shared.h"

// Runs until the bench ends it. Returns the exit code.
int load_run(const struct bench_plan *, struct bench_shared *, unsigned process);
