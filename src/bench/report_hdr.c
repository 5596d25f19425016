// Writes the table that HdrHistogram's plotters read: value in milliseconds, quantile, count so far, 1 / (1 -
// quantile). The steps get finer towards 1: five each time the distance halves.
#include <inttypes.h>
#include <math.h>

#include "bench/report.h"

enum { STEPS_PER_HALF = 5 };

static void print_percentile(FILE *out, const struct histogram *h, double quantile) {
    double count = fmax(1, ceil((double)h->count * quantile - 1e-6)); // tolerates rounding errors
    fprintf(out, "%12.3f %14.12f %10.0f", (double)histogram_percentile(h, quantile * 100) / 1000, quantile,
            count);
    if (quantile < 1) fprintf(out, " %14.2f", 1 / (1 - quantile));
    fputc('\n', out);
}

void report_hdr(FILE *out, const struct histogram *h) {
    fputs("       Value     Percentile TotalCount 1/(1-Percentile)\n\n", out);
    double distance = 1; // from 1 to where the current half begins
    for (unsigned step = 0; h->count && distance * (double)h->count > 1; step++) {
        double within = (double)(step % STEPS_PER_HALF) / STEPS_PER_HALF / 2;
        print_percentile(out, h, 1 - distance * (1 - within));
        if (step % STEPS_PER_HALF == STEPS_PER_HALF - 1) distance /= 2;
    }
    print_percentile(out, h, 1);
    fprintf(out, "#[Max     = %12.3f, Total count    = %12" PRIu64 "]\n", (double)h->largest / 1000,
            h->count);
}
