// `chorus simulate`: assigns an audience's videos to readers in memory, and reports how even the result is.
// Runs no servers and opens no ports. Single-threaded.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "placement/policy.h"
#include "simulate/audience.h"
#include "simulate/outcome.h"

struct simulate_config {
    size_t videos, readers; // at least 1; readers at most PLACING_READERS_MAX
    uint32_t viewers;
    uint64_t seed;
    const char *distribution; // as given
    struct audience_spec audience;
    enum placement_policy policies[POLICIES];
    size_t policy_count;
    struct evening_fleet fleet;
    size_t lose; // number of the reader that fails, from 1, or OUTCOME_LOSE_BUSIEST; 0: none
};

struct simulation {
    const struct simulate_config *config;
    struct audience *audience;
    struct outcome outcomes[POLICIES]; // one per policy
};

// Parses a list like `round-robin,hash`: each policy at most once. Returns false if it is invalid.
bool simulate_parse_policies(const char *list, struct simulate_config *);

// Runs the simulation. The configuration is borrowed.
void simulation_init(struct simulation *, const struct simulate_config *);
void simulation_release(struct simulation *);

// Write the report as text, as one JSON document, or as one self-contained page.
void simulation_print(const struct simulation *, FILE *);
void simulation_print_json(const struct simulation *, FILE *);
void simulation_print_html(const struct simulation *, FILE *);
