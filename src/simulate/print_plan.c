// Writes the report of --plan, as text and as one JSON document.
#include <inttypes.h>
#include <jansson.h>

#include "grouped.h"
#include "json_figures.h"
#include "simulate/plan.h"

static const char *const setup_names[] = {
    [PLAN_ONE_MACHINE] = "one-machine", [PLAN_ONE_REDIS] = "one-redis", [PLAN_CLUSTER] = "cluster"};

static uint64_t rounded(double value) {
    return (uint64_t)(value + 0.5);
}

static void print_load(const struct plan_load *l, const struct plan *p, FILE *out) {
    fprintf(out, "What it takes\n");
    fprintf(out, "  deliveries a second  %13s  each comment to each viewer of its video\n",
            grouped(rounded(l->deliveries)).text);
    fprintf(out, "  sending them         %13.2f  cores\n", l->sending);
    fprintf(out, "  heartbeats           %13.2f  cores\n", l->heartbeats);
    fprintf(out, "  taking comments      %13.2f  cores\n", p->posting);
    fprintf(out, "  the largest video    %13.2f  cores, %s viewers", l->largest,
            grouped(l->largest_viewers).text);
    if (p->set > 1) fprintf(out, ": %" PRIu64 " readers serve it together", p->set);
    fprintf(out, "\n");
}

static void print_row(const char *what, uint64_t count, const char *why, FILE *out) {
    fprintf(out, "  %-20s %13s  %s\n", what, grouped(count).text, why);
}

static const char *why_readers(const struct plan *p) {
    if (p->set >= p->readers_by_cores && p->set >= p->readers_by_viewers && p->set > 1)
        return "for the largest video, and one that may be lost";
    return p->readers_by_viewers > p->readers_by_cores
               ? "for so many viewers (--max-viewers), and one that may be lost"
               : "for sending, and one that may be lost";
}

static void print_services(const struct plan *p, FILE *out) {
    fprintf(out, "\nAs services, a machine each\n");
    print_row("readers", p->readers, why_readers(p), out);
    print_row("comment APIs", p->comment_apis, "for taking comments, and one that may be lost", out);
    print_row("managers", 2, "one, and one that may be lost", out);
    print_row("Redis", p->redis,
              p->redis > 1 ? "primaries of a Redis Cluster, each with a replica"
                           : "with a replica and Sentinel",
              out);
    fprintf(out, "  %-20s %10.2f GB  of each reader while one is lost, nearly all of it the kernel's\n",
            "memory", (double)p->reader_bytes / 1e9);
}

static void print_verdict(const struct plan_report *r, FILE *out) {
    const struct plan *p = &r->plan;
    if (p->setup == PLAN_ONE_MACHINE)
        fprintf(
            out,
            "\nOne machine is enough (`chorus up`), with %.0f %% of it in use. Services are for a machine "
            "that may be lost.\n",
            p->box_used * COST_ROOM_PERCENT);
    if (p->set_too_large)
        fprintf(out,
                "\nThe largest video takes more than %" PRIu64 " readers, which is the most that one has: "
                "its comments will share sends, and be late. Use larger machines.\n",
                p->set);
}

static void print_figure(const struct cost_source *c, const struct plan_machine *m, FILE *out) {
    bool given = c->value == COST_REDIS_RATE && m->redis_rate != COST_REDIS_RATE;
    double value = given ? m->redis_rate : c->value;
    if (value < 10)
        fprintf(out, "  %7.2f", value);
    else
        fprintf(out, "  %7s", grouped(rounded(value)).text);
    fprintf(out, " %s: %s (", c->unit, c->what);
    if (given)
        fprintf(out, "--redis-rate)\n");
    else
        fprintf(out, "%s, %s)\n", c->section, c->date);
}

static void print_figures(const struct plan_machine *m, FILE *out) {
    fprintf(out, "\nBy these figures of docs/benchmarks.md\n");
    for (size_t i = 0; i < COST_SOURCES; i++) print_figure(&cost_sources[i], m, out);
    fprintf(out, "\nNot measured\n");
    for (const char *const *each = cost_not_measured; *each; each++) fprintf(out, "  - %s\n", *each);
}

void plan_print(const struct plan_report *r, FILE *out) {
    const struct plan_load *l = &r->load;
    fprintf(out,
            "Plan: %s videos, %s viewers, %.4g comments/s; distribution %s, seed %" PRIu64
            "; machines of %g cores, of which %d %% are planned with\n\n",
            grouped(l->videos).text, grouped(l->viewers).text, l->comments, r->distribution, r->seed,
            r->machine.cores, COST_ROOM_PERCENT);
    print_load(l, &r->plan, out);
    print_services(&r->plan, out);
    print_verdict(r, out);
    print_figures(&r->machine, out);
}

static json_t *json_figures(void) {
    json_t *list = json_array();
    for (size_t i = 0; i < COST_SOURCES; i++) {
        const struct cost_source *c = &cost_sources[i];
        json_array_append_new(list, json_pack("{s:s, s:f, s:s, s:s, s:s}", "what", c->what, "value", c->value,
                                              "unit", c->unit, "section", c->section, "date", c->date));
    }
    return list;
}

static json_t *json_not_measured(void) {
    json_t *list = json_array();
    for (const char *const *each = cost_not_measured; *each; each++)
        json_array_append_new(list, json_string(*each));
    return list;
}

static json_t *json_load(const struct plan_load *l, const struct plan *p) {
    return json_pack("{s:f, s:f, s:f, s:f, s:{s:I, s:f, s:I, s:b}}", "deliveriesPerSecond", l->deliveries,
                     "sendingCores", l->sending, "heartbeatCores", l->heartbeats, "commentCores", p->posting,
                     "largestVideo", "viewers", (json_int_t)l->largest_viewers, "cores", l->largest,
                     "readers", (json_int_t)p->set, "takesMore", p->set_too_large);
}

static json_t *json_plan(const struct plan *p) {
    return json_pack("{s:s, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:I}", "setup", setup_names[p->setup],
                     "oneMachineUsed", p->box_used * COST_ROOM_PERCENT / 100, "readers",
                     (json_int_t)p->readers, "readersForSending", (json_int_t)p->readers_by_cores,
                     "readersForViewers", (json_int_t)p->readers_by_viewers, "readersForLargestVideo",
                     (json_int_t)p->set, "commentApis", (json_int_t)p->comment_apis, "redisPrimaries",
                     (json_int_t)p->redis, "managers", 2, "bytesPerReader", (json_int_t)p->reader_bytes);
}

void plan_print_json(const struct plan_report *r, FILE *out) {
    const struct plan_load *l = &r->load;
    json_t *document = json_pack(
        "{s:I, s:I, s:f, s:s, s:I, s:{s:f, s:I, s:f, s:f}, s:o, s:o, s:o, s:o}", "videos",
        (json_int_t)l->videos, "viewers", (json_int_t)l->viewers, "commentsPerSecond", l->comments,
        "distribution", r->distribution, "seed", (json_int_t)r->seed, "machine", "cores", r->machine.cores,
        "maxViewers", (json_int_t)r->machine.max_viewers, "redisCommentsPerSecond", r->machine.redis_rate,
        "plannedWith", (double)COST_ROOM_PERCENT / 100, "load", json_load(l, &r->plan), "plan",
        json_plan(&r->plan), "figures", json_figures(), "notMeasured", json_not_measured());
    json_dumpf(document, out, JSON_INDENT(2) | JSON_REAL_PRECISION(FIGURE_DIGITS));
    fputc('\n', out);
    json_decref(document);
}
