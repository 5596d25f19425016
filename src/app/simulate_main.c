#include "app/simulate_main.h"

#include <inttypes.h>
#include <stdio.h>

#include "app/settings.h"
#include "simulate/simulate.h"

static bool configure(const struct simulate_settings *set, int64_t seed, struct simulate_config *c, char *why,
                      size_t why_size) {
    *c = (struct simulate_config){.videos = (size_t)set->videos,
                                  .readers = (size_t)set->readers,
                                  .viewers = (uint32_t)set->viewers,
                                  .seed = (uint64_t)seed,
                                  .distribution = set->distribution,
                                  .lose = (size_t)set->lose_reader};
    if (!audience_parse(set->distribution, &c->audience))
        snprintf(why, why_size,
                 "--distribution is \"%s\", but must be tiers, uniform or zipf:S, S from 0 to 10.",
                 set->distribution);
    else if (!simulate_parse_policies(set->policy, c))
        snprintf(
            why, why_size,
            "--policy is \"%s\", but must be one of round-robin, hash and least-viewers, or several with "
            "commas between them.",
            set->policy);
    else if (set->lose_reader > set->readers)
        snprintf(why, why_size, "--lose-reader is %" PRId64 ", but there are %" PRId64 " readers.",
                 set->lose_reader, set->readers);
    else if (set->lose_reader && set->readers == 1)
        snprintf(why, why_size, "--lose-reader needs a second reader, to which the videos can move.");
    else
        return true;
    return false;
}

int simulate_main(int argc, char **argv) {
    struct settings set = {0};
    struct simulate_config config;
    struct simulation simulation;
    char why[512];
    if (!options_parse(settings_rows, settings_row_count, COMMAND_SIMULATE, argc, argv, &set, why,
                       sizeof why) ||
        !configure(&set.simulate, set.seed, &config, why, sizeof why)) {
        fprintf(stderr, "chorus simulate: %s Try `chorus simulate --help`.\n", why);
        return 2;
    }
    simulation_init(&simulation, &config);
    if (set.simulate.json)
        simulation_print_json(&simulation, stdout);
    else
        simulation_print(&simulation, stdout);
    simulation_release(&simulation);
    if (!fflush(stdout) && !ferror(stdout)) return 0;
    fputs("chorus simulate: The output could not be written.\n", stderr);
    return 1;
}
