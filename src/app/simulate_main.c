#include "app/simulate_main.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/settings.h"
#include "simulate/plan.h"
#include "simulate/simulate.h"

static const char all_policies[] = "round-robin,least-loaded,hash";

// Reads --lose-reader: a number, or `busiest`.
static bool read_lost_reader(const struct simulate_settings *set, struct simulate_config *c, char *why,
                             size_t why_size) {
    const char *given = set->lose_reader ? set->lose_reader : set->html && set->readers > 1 ? "busiest" : "0";
    char *end;
    bool busiest = !strcmp(given, "busiest");
    unsigned long number = *given >= '0' && *given <= '9' ? strtoul(given, &end, 10) : 0;
    bool is_number = *given >= '0' && *given <= '9' && !*end;
    if (!busiest && !is_number)
        snprintf(why, why_size, "--lose-reader is \"%s\", but must be the number of a reader, or busiest.",
                 given);
    else if (number > (uint64_t)set->readers)
        snprintf(why, why_size, "--lose-reader is %s, but there are %" PRId64 " readers.", given,
                 set->readers);
    else if ((busiest || number) && set->readers == 1)
        snprintf(why, why_size, "--lose-reader needs a second reader, to which the videos can move.");
    else
        return c->lose = busiest ? OUTCOME_LOSE_BUSIEST : number, true;
    return false;
}

static bool read_distribution(const struct simulate_settings *set, struct audience_spec *spec, char *why,
                              size_t why_size) {
    if (audience_parse(set->distribution, spec)) return true;
    snprintf(why, why_size, "--distribution is \"%s\", but must be tiers, uniform or zipf:S, S from 0 to 10.",
             set->distribution);
    return false;
}

static double comments_of(const struct simulate_settings *set) {
    return set->comments ? (double)set->comments : (double)set->viewers / COST_VIEWERS_A_COMMENT;
}

static bool configure(const struct simulate_settings *set, int64_t seed, struct simulate_config *c, char *why,
                      size_t why_size) {
    const char *policy = set->policy ? set->policy : set->html ? all_policies : "round-robin";
    *c = (struct simulate_config){.videos = (size_t)set->videos,
                                  .readers = (size_t)set->readers,
                                  .viewers = (uint32_t)set->viewers,
                                  .seed = (uint64_t)seed,
                                  .distribution = set->distribution,
                                  .fleet = {.cores = (double)set->cores,
                                            .max_viewers = (uint64_t)set->max_viewers,
                                            .comments = comments_of(set),
                                            .seed = (uint64_t)seed}};
    if (!read_distribution(set, &c->audience, why, why_size)) return false;
    if (!simulate_parse_policies(policy, c))
        snprintf(why, why_size,
                 "--policy is \"%s\", but must be one of round-robin, least-loaded and hash, or several with "
                 "commas between them.",
                 policy);
    else
        return read_lost_reader(set, c, why, why_size);
    return false;
}

static bool write_page(const struct simulation *s, const char *path) {
    FILE *out = fopen(path, "we");
    bool failed = !out;
    int error = errno;
    if (out) {
        errno = EIO; // for an error that only ferror() reports
        simulation_print_html(s, out);
        failed = fflush(out) || ferror(out);
        error = errno;
        failed |= fclose(out) != 0;
    }
    if (failed) fprintf(stderr, "chorus simulate: %s cannot be written: %s.\n", path, strerror(error));
    return !failed;
}

static bool is_printed(void) {
    if (!fflush(stdout) && !ferror(stdout)) return true;
    fputs("chorus simulate: The output could not be written.\n", stderr);
    return false;
}

static bool print_report(const struct simulation *s, bool json) {
    if (json)
        simulation_print_json(s, stdout);
    else
        simulation_print(s, stdout);
    return is_printed();
}

// Whether there is none on the command line that would have no effect. In the environment and in a file they
// may be for other commands.
static bool check_misplaced(const struct options *o, bool plan, char *why, size_t why_size) {
    static const struct {
        size_t offset;
        const char *name;
        bool of_plan;
    } rows[] = {{offsetof(struct settings, simulate.readers), "readers", false},
                {offsetof(struct settings, simulate.policy), "policy", false},
                {offsetof(struct settings, simulate.lose_reader), "lose-reader", false},
                {offsetof(struct settings, simulate.html), "html", false},
                {offsetof(struct settings, simulate.redis_rate), "redis-rate", true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].of_plan == plan) continue;
        if (options_value(o, rows[i].offset)->source != OPTION_ON_COMMAND_LINE) continue;
        snprintf(why, why_size,
                 plan ? "--%s is for a simulation; --plan says how many readers it takes."
                      : "--%s is for --plan.",
                 rows[i].name);
        return false;
    }
    return true;
}

static int simulate_refuse(struct options *o, const char *why) {
    fprintf(stderr, "chorus simulate: %s Try `chorus simulate --help`.\n", why);
    options_release(o);
    return 2;
}

static bool print_plan(const struct settings *set, const struct audience_spec *spec) {
    const struct simulate_settings *s = &set->simulate;
    struct plan_report r = {.distribution = s->distribution,
                            .seed = (uint64_t)set->seed,
                            .machine = {.cores = (double)s->cores,
                                        .max_viewers = (uint64_t)s->max_viewers,
                                        .redis_rate = (double)s->redis_rate}};
    struct audience *a = audience_new(spec, (size_t)s->videos, (uint32_t)s->viewers, r.seed);
    r.load = plan_load_of(a, comments_of(s));
    r.plan = plan_make(&r.load, &r.machine);
    if (s->json)
        plan_print_json(&r, stdout);
    else
        plan_print(&r, stdout);
    audience_free(a);
    return is_printed();
}

int simulate_main(int argc, char **argv) {
    struct settings set;
    struct options options;
    struct simulate_config config;
    struct simulation simulation;
    struct audience_spec spec;
    char why[512];
    if (!settings_begin(&set, &options, COMMAND_SIMULATE, argc, argv)) return 2;
    if (!check_misplaced(&options, set.simulate.plan, why, sizeof why)) return simulate_refuse(&options, why);
    if (set.simulate.plan) {
        if (!read_distribution(&set.simulate, &spec, why, sizeof why)) return simulate_refuse(&options, why);
        bool printed = print_plan(&set, &spec);
        options_release(&options);
        return printed ? 0 : 1;
    }
    if (!configure(&set.simulate, set.seed, &config, why, sizeof why)) return simulate_refuse(&options, why);
    simulation_init(&simulation, &config);
    bool ok = (!set.simulate.html || write_page(&simulation, set.simulate.html)) &&
              print_report(&simulation, set.simulate.json);
    simulation_release(&simulation);
    options_release(&options);
    return ok ? 0 : 1;
}
