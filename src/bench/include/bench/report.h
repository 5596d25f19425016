// Writes a result as text, as JSON, as a page with charts, and as HdrHistogram's percentile table.
#pragma once

#include <stdio.h>

#include "bench/require.h"
#include "bench/result.h"

void report_text(FILE *, const struct bench_plan *, const struct bench_result *, const struct requirements *);
void report_json(FILE *, const struct bench_plan *, const struct bench_result *, const struct requirements *);
void report_html(FILE *, const struct bench_plan *, const struct bench_result *, const struct requirements *);
void report_hdr(FILE *, const struct histogram *);
