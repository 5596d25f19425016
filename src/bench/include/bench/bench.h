// One run of the bench: starts the load processes, takes them through the phases, measures the server, and
// adds up the figures. Call it before the process has any thread; it blocks SIGINT and SIGTERM, which end
// posting early.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "bench/plan.h"
#include "bench/result.h"

// Returns false and writes one sentence into `why` if there is no result. Shows its progress on stdout, on a
// terminal as one line that is rewritten.
bool bench_run(const struct bench_plan *, bool on_terminal, struct bench_result *, char *why,
               size_t why_size);
