#include "app/simulate_main.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/settings.h"
#include "simulate/simulate.h"

static const char all_policies[] = "round-robin,hash,least-viewers";

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

static bool configure(const struct simulate_settings *set, int64_t seed, struct simulate_config *c, char *why,
                      size_t why_size) {
    const char *policy = set->policy ? set->policy : set->html ? all_policies : "round-robin";
    *c = (struct simulate_config){.videos = (size_t)set->videos,
                                  .readers = (size_t)set->readers,
                                  .viewers = (uint32_t)set->viewers,
                                  .seed = (uint64_t)seed,
                                  .distribution = set->distribution};
    if (!audience_parse(set->distribution, &c->audience))
        snprintf(why, why_size,
                 "--distribution is \"%s\", but must be tiers, uniform or zipf:S, S from 0 to 10.",
                 set->distribution);
    else if (!simulate_parse_policies(policy, c))
        snprintf(
            why, why_size,
            "--policy is \"%s\", but must be one of round-robin, hash and least-viewers, or several with "
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

static bool print_report(const struct simulation *s, bool json) {
    if (json)
        simulation_print_json(s, stdout);
    else
        simulation_print(s, stdout);
    if (!fflush(stdout) && !ferror(stdout)) return true;
    fputs("chorus simulate: The output could not be written.\n", stderr);
    return false;
}

int simulate_main(int argc, char **argv) {
    struct settings set;
    struct options options;
    struct simulate_config config;
    struct simulation simulation;
    char why[512];
    if (!settings_begin(&set, &options, COMMAND_SIMULATE, argc, argv)) return 2;
    if (!configure(&set.simulate, set.seed, &config, why, sizeof why)) {
        fprintf(stderr, "chorus simulate: %s Try `chorus simulate --help`.\n", why);
        options_release(&options);
        return 2;
    }
    simulation_init(&simulation, &config);
    bool ok = (!set.simulate.html || write_page(&simulation, set.simulate.html)) &&
              print_report(&simulation, set.simulate.json);
    simulation_release(&simulation);
    options_release(&options);
    return ok ? 0 : 1;
}
