// A run: starts the load processes, leads them through the phases, measures the server, adds up. To be called
// before the process has any thread; SIGINT and SIGTERM are blocked and end the posting early.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "bench/plan.h"
#include "bench/result.h"

// Returns false and writes one sentence if there is no result. A line of progress goes to stdout: rewritten
// in place on a terminal.
bool bench_run(const struct bench_plan *, bool on_terminal, struct bench_result *, char *why,
               size_t why_size);
