#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    LIVE_MS = 500,   // between updates on a terminal,
    PLAIN_MS = 5000, // and between lines elsewhere
    USUAL_WIDTH = 80,
    LINE_SIZE = 256
};

void progress_init(struct progress *p, bool on_terminal, int64_t now_ms) {
    *p = (struct progress){.on_terminal = on_terminal, .shown_ms = now_ms};
}

bool progress_is_due(const struct progress *p, int64_t now_ms) {
    return now_ms - p->shown_ms >= (p->on_terminal ? LIVE_MS : PLAIN_MS);
}

static void progress_write_line(char *line, const struct bench_plan *plan, const struct bench_shared *s,
                                const struct bench_figures *f, double rate) {
    static const char *const names[] = {"resolving", "connecting", "posting", "draining", "ending"};
    int len = snprintf(line, LINE_SIZE, "%s ", names[s->phase]);
    char *rest = line + len;
    size_t room = LINE_SIZE - (size_t)len;
    if (s->phase == BENCH_RESOLVE)
        snprintf(rest, room, "videos=%" PRIu32 "/%zu per_s=%.0f", s->resolved, s->watched, rate);
    else if (s->phase == BENCH_CONNECT)
        snprintf(rest, room, "viewers=%" PRIu64 "/%zu per_s=%.0f failed=%" PRIu64 " cut=%" PRIu64,
                 f->connects - f->cuts - f->stalled_closed, plan->viewers, rate, f->connect_failures,
                 f->cuts);
    else
        snprintf(
            rest, room, "comments=%" PRIu64 " deliveries=%" PRIu64 " per_s=%.0f lost=%" PRIu64 " p99_ms=%.2f",
            f->comments, f->deliveries, rate, f->lost, (double)histogram_percentile(&f->latency, 99) / 1000);
}

static int terminal_width(void) {
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col ? USUAL_WIDTH : size.ws_col;
}

void progress_show(struct progress *p, const struct bench_plan *plan, const struct bench_shared *s,
                   const struct bench_figures *sum, int64_t now_ms) {
    char line[LINE_SIZE];
    uint64_t now = s->phase == BENCH_RESOLVE   ? s->resolved
                   : s->phase == BENCH_CONNECT ? sum->connects
                                               : sum->deliveries;
    uint64_t before = p->phase == s->phase ? p->counted : 0;
    double rate = now > before ? (double)(now - before) * 1000 / (double)(now_ms - p->shown_ms) : 0;
    progress_write_line(line, plan, s, sum, rate);
    if (p->on_terminal)
        printf("\r\033[K%.*s", terminal_width() - 1, line);
    else
        printf("bench %s\n", line);
    fflush(stdout);
    p->shown_ms = now_ms;
    p->phase = s->phase;
    p->counted = now;
}

void progress_clear(const struct progress *p) {
    if (p->on_terminal) fputs("\r\033[K", stdout);
}
