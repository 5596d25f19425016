#include <inttypes.h>
#include <math.h>

#include "bench/report.h"

static double ms(double us) {
    return us / 1000;
}

static void print_comments(FILE *out, const struct bench_plan *plan, const struct bench_result *r) {
    const struct bench_figures *f = &r->sum;
    fprintf(out, "comments   %" PRIu64 " of %zu bytes in %.2f s, %" PRIu64 " failed", f->comments, plan->size,
            (double)r->posted_us / 1e6, f->post_failures);
    if (f->answer.count)
        fprintf(out, ", answered in p50 %.2f, p99 %.2f ms", ms(bench_metric_value(r, "post_p50")),
                ms(bench_metric_value(r, "post_p99")));
    fputc('\n', out);
    if (f->post_failures && *r->post_error) fprintf(out, "           %s\n", r->post_error);
    if (f->post_failures && !plan->manager_url)
        fputs(
            "           by the bench's own numbers: a comment whose post failed counts as lost for each viewer\n",
            out);
    fprintf(out,
            "deliveries %" PRIu64 " (%.0f/s), %" PRIu64 " lost, %" PRIu64 " duplicated, %" PRIu64
            " out of order, %" PRIu64 " gaps",
            f->deliveries, result_deliveries_per_s(r), f->lost, f->duplicated, f->out_of_order, f->gaps);
    if (f->gaps) fprintf(out, " that announce %" PRIu64 " of the lost", f->missed);
    if (f->left_out) fprintf(out, ", %" PRIu64 " left out for a readable rate", f->left_out);
    fputc('\n', out);
}

static void print_latency(FILE *out, const struct bench_result *r) {
    static const struct {
        const char *label, *name;
    } shown[] = {{"p50", "p50"},    {"p90", "p90"},      {"p99", "p99"},
                 {"p99.9", "p999"}, {"p99.99", "p9999"}, {"max", "max"}};
    if (!r->sum.latency.count) return;
    fputs("latency    from due to arrival:", out);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        fprintf(out, "%s %s %.2f", i ? "," : "", shown[i].label, ms(bench_metric_value(r, shown[i].name)));
    fputs(" ms\n", out);
}

static void print_server(FILE *out, const struct bench_result *r) {
    double delivery = result_cpu_per_delivery_us(r), connect = result_cpu_per_connect_us(r);
    if (!r->pid_count) {
        fputs("server     not found on this machine, or not accessible: specify it with --pid\n", out);
        return;
    }
    if (!r->ended.server.known) {
        fprintf(out, "server     process %d%s ended during the run\n", r->pids[0],
                r->pid_count > 1 ? " or another" : "");
        return;
    }
    fprintf(out, "server     %zu process%s:", r->pid_count, r->pid_count == 1 ? "" : "es");
    if (!isnan(delivery)) fprintf(out, " %.2f us CPU per delivery,", delivery);
    if (!isnan(connect)) fprintf(out, " %.1f us per connect,", connect);
    fprintf(out, " %.1f MiB at the end\n", (double)r->ended.server.pss_bytes / 1048576);
}

static void print_memory(FILE *out, const struct bench_result *r) {
    double server = result_bytes_per_viewer(r), kernel = result_kernel_bytes_per_viewer(r);
    if (isnan(server)) return;
    fprintf(
        out, "memory     per viewer: server %.0f, load processes %.0f, kernel %.0f bytes; %.0f MiB left\n",
        server, result_load_bytes_per_viewer(r), kernel, (double)r->connected.machine.left_bytes / 1048576);
}

static void print_readers(FILE *out, const struct bench_result *r) {
    const struct reader_health *before = &r->connected.readers, *after = &r->ended.readers;
    double wakeups = result_wakeups_per_comment(r), each = result_deliveries_per_send(r);
    if (!r->before.readers.known && !before->known) return; // not a Chorus
    if (!before->known || !after->known || isnan(result_refused(r))) {
        fputs("readers    did not report their own figures, or were restarted\n", out);
        return;
    }
    fputs("readers   ", out);
    if (!isnan(wakeups)) fprintf(out, " %.2f wakeups per comment,", wakeups);
    if (!isnan(each)) fprintf(out, " %.2f deliveries per send,", each);
    fprintf(out, " %.0f gaps for slow viewers, %.0f viewers closed, %.0f refused\n",
            after->slow_gaps - before->slow_gaps, after->stalled - before->stalled, result_refused(r));
}

static void print_stalled(FILE *out, const struct bench_result *r) {
    if (!r->sum.stalled) return;
    fprintf(out,
            "stalled    %" PRIu64 " viewers that read nothing: %.0f still open, %" PRIu64
            " closed by the server\n",
            r->sum.stalled, result_stalled_open(r), r->sum.stalled_closed);
}

static void print_generator(FILE *out, const struct bench_plan *plan, const struct bench_result *r) {
    fprintf(
        out,
        "generator  %zu process%s on %.2f cores, the busiest at %.0f %% of one, loop late by p99 %.1f ms\n",
        plan->processes, plan->processes == 1 ? "" : "es", result_generator_cores(r),
        result_busiest_percent(r), ms((double)histogram_percentile(&r->sum.lag, 99)));
    if (result_generator_was_bottleneck(r))
        fputs(
            "           THE GENERATOR WAS THE BOTTLENECK: more --processes or cores, or less load, would show more\n",
            out);
    if (r->sum.unposted)
        fprintf(out,
                "unposted   %" PRIu64 " comments were due while all --publishers were waiting: more of them "
                "post more\n",
                r->sum.unposted);
}

static void print_figure(FILE *out, const char *name, double value) {
    enum bench_unit unit = BENCH_UNIT_COUNT;
    bench_metric_unit(name, &unit);
    if (isnan(value))
        fputs("unknown", out);
    else if (unit == BENCH_UNIT_TIME)
        fprintf(out, "%.6g ms", ms(value));
    else
        fprintf(out, "%.9g", value);
}

static void print_requirements(FILE *out, const struct bench_result *r, const struct requirements *all) {
    for (size_t i = 0; i < all->count; i++) {
        const struct requirement *q = &all->at[i];
        fprintf(out, "required   %.*s: %s (", q->len, q->text,
                requirement_is_met(q, r) ? "met"
                : r->interrupted         ? "NOT MET, interrupted"
                                         : "NOT MET");
        print_figure(out, q->name, bench_metric_value(r, q->name));
        fputs(")\n", out);
    }
}

void report_text(FILE *out, const struct bench_plan *plan, const struct bench_result *r,
                 const struct requirements *all) {
    const struct bench_figures *f = &r->sum;
    fprintf(out,
            "connects   %" PRIu64 " on %zu video%s in %.2f s (%.0f/s), %" PRIu64 " failed, %" PRIu64 " cut\n",
            f->connects, plan->videos, plan->videos == 1 ? "" : "s", (double)f->connect_us / 1e6,
            result_connects_per_s(r), f->connect_failures, f->cuts);
    if (f->connect_failures && *r->connect_error) fprintf(out, "           %s\n", r->connect_error);
    if (f->cuts && plan->rate > 0)
        fputs(
            "           viewers that are cut do not come back in a bench: what they miss from then on counts as lost\n",
            out);
    if (plan->rate > 0) print_comments(out, plan, r);
    print_stalled(out, r);
    print_latency(out, r);
    print_server(out, r);
    print_memory(out, r);
    print_readers(out, r);
    print_generator(out, plan, r);
    print_requirements(out, r, all);
    if (r->interrupted) fputs("interrupted: the figures cover the time until then\n", out);
}
