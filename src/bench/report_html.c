// Writes one self-contained page: the figures, latency by percentile, deliveries over time.
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/html_page.h"
#include "bench/report.h"

enum { WIDTH = 720, HEIGHT = 240, LEFT = 70, RIGHT = 30, BOTTOM = 30, TOP = 10, LINES = 4, NINES = 5 };

static const char style[] =
    "body{max-width:58em;margin:2em auto;padding:0 1em}h2{margin-top:1.5em}svg{width:100%;height:auto}"
    "text{font-size:12px;fill:currentColor}.grid{stroke:var(--line)}"
    ".curve{fill:none;stroke:var(--series-2);stroke-width:2}.bar{fill:var(--series-2)}"
    "pre{overflow-x:auto;font-size:12px;background:var(--surface);padding:1em}";

static void open_drawing(FILE *out, const char *title) {
    fprintf(out, "<h2>%s</h2><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n", title,
            LEFT + WIDTH + RIGHT, TOP + HEIGHT + BOTTOM, title);
}

// Returns the smallest of 1, 2, 5, 10, 20, ... that is not less than the value.
static double round_up(double value) {
    static const double steps[] = {1, 2, 5, 10};
    double power = pow(10, floor(log10(value)));
    size_t i = 0;
    while (i < 3 && value > steps[i] * power * (1 + 1e-9)) i++;
    return steps[i] * power;
}

static void print_amount(FILE *out, double value) {
    if (value >= 1e6)
        fprintf(out, "%g M", value / 1e6);
    else if (value >= 1e4)
        fprintf(out, "%g k", value / 1e3);
    else
        fprintf(out, "%g", value);
}

// Draws grid lines at round numbers. Returns the value at the top.
static double draw_scale(FILE *out, double largest, const char *unit) {
    double step = round_up(largest / LINES);
    for (int i = 0; i <= LINES; i++) {
        double y = TOP + HEIGHT - (double)HEIGHT * i / LINES;
        fprintf(out,
                "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">",
                LEFT, LEFT + WIDTH, y, y, LEFT - 6, y + 4);
        print_amount(out, step * i);
        fprintf(out, " %s</text>\n", unit);
    }
    return step * LINES;
}

static void draw_label(FILE *out, double x, const char *text) {
    fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", x, TOP + HEIGHT + 18, text);
}

// Logarithmic: each further nine of the percentile has the same width.
static void draw_latency(FILE *out, const struct histogram *h) {
    static const char *const labels[] = {"0", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %"};
    open_drawing(out, "Latency by percentile");
    double top = draw_scale(out, h->largest > 0 ? (double)h->largest / 1000 : 1, "ms");
    for (int i = 0; i <= NINES; i++) draw_label(out, LEFT + (double)WIDTH * i / NINES, labels[i]);
    fputs("<polyline class=\"curve\" points=\"", out);
    for (int i = 0; i <= NINES * 20; i++) {
        double percent = 100 - 100 * pow(10, -i / 20.0);
        double value = (double)histogram_percentile(h, percent) / 1000;
        fprintf(out, "%.1f,%.1f ", LEFT + (double)WIDTH * i / (NINES * 20), TOP + HEIGHT * (1 - value / top));
    }
    fputs("\"/></svg>\n", out);
}

static void draw_bars(FILE *out, const uint64_t *counts, int64_t seconds, double top) {
    double step = (double)WIDTH / (double)seconds;
    for (int64_t i = 0; i < seconds; i++) {
        double height = HEIGHT * (double)counts[i] / top;
        fprintf(out, "<rect class=\"bar\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\"/>\n",
                LEFT + step * (double)i, TOP + HEIGHT - height, step * 0.9, height);
    }
}

static void draw_deliveries(FILE *out, const struct bench_result *r) {
    int64_t seconds = (r->sum.last_arrival_us - r->start_us) / 1000000 + 1;
    uint64_t largest = 1;
    char text[32];
    if (seconds > BENCH_SECONDS_MAX) seconds = BENCH_SECONDS_MAX;
    if (seconds < 1) seconds = 1;
    for (int64_t i = 0; i < seconds; i++)
        if (r->sum.by_second[i] > largest) largest = r->sum.by_second[i];
    open_drawing(out, "Deliveries per second over time");
    double top = draw_scale(out, (double)largest, "/s");
    draw_bars(out, r->sum.by_second, seconds, top);
    draw_label(out, LEFT, "0 s");
    snprintf(text, sizeof text, "%lld s", (long long)seconds);
    draw_label(out, LEFT + WIDTH, text);
    fputs("</svg>\n", out);
}

static void describe(FILE *out, const struct bench_plan *plan) {
    char day[32];
    time_t now = (time_t)(clock_wall_ms() / 1000);
    struct tm tm;
    strftime(day, sizeof day, "%Y-%m-%d %H:%M UTC", gmtime_r(&now, &tm));
    fprintf(out, "<p>%s. %zu viewers on %zu video%s (", day, plan->viewers, plan->videos,
            plan->videos == 1 ? "" : "s");
    if (plan->law.kind == DISTRIBUTION_UNIFORM)
        fputs("uniform", out);
    else
        fprintf(out, "zipf:%g", plan->law.exponent);
    fprintf(out, "), %g comments of %zu bytes per second for %g s", plan->rate, plan->size,
            (double)plan->duration_us / 1e6);
    if (plan->warmup_us) fprintf(out, ", the first %g s not counted", (double)plan->warmup_us / 1e6);
    fprintf(out, "; %zu load processes.</p>\n", plan->processes);
}

static void print_text(FILE *out, const struct bench_plan *plan, const struct bench_result *r,
                       const struct requirements *required) {
    char *text = NULL;
    size_t len;
    FILE *lines = open_memstream(&text, &len);
    assert(lines);
    report_text(lines, plan, r, required);
    fclose(lines);
    fputs("<pre>\n", out);
    html_page_add_text(out, text); // error messages contain text from the server
    fputs("</pre>\n", out);
    free(text);
}

void report_html(FILE *out, const struct bench_plan *plan, const struct bench_result *r,
                 const struct requirements *required) {
    html_page_begin(out, "chorus bench", style);
    fputs("<h1>chorus bench</h1>\n", out);
    describe(out, plan);
    print_text(out, plan, r, required);
    draw_latency(out, &r->sum.latency);
    draw_deliveries(out, r);
    html_page_end(out);
}
