// Chooses one of `count` items at random: uniformly, or by Zipf's law, where item k (from 0) has the weight 1
// / (k + 1)^s. Choosing is thread-safe; the caller supplies the random numbers.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/prng.h"

enum distribution_kind { DISTRIBUTION_UNIFORM, DISTRIBUTION_ZIPF };

struct distribution_spec {
    enum distribution_kind kind;
    double exponent; // of Zipf's law, 0 to 10
};

// Parses `uniform`, `zipf:S` or `zipf` (the same as zipf:1). Returns false if the text is none of these.
bool distribution_parse(const char *text, struct distribution_spec *);

struct distribution;

// Allocates a distribution over `count` > 0 items; Zipf's law takes 8 bytes for each. Free with
// distribution_free().
struct distribution *distribution_new(struct distribution_spec, size_t count);
void distribution_free(struct distribution *);

// Returns the number of an item, 0 to count - 1.
size_t distribution_choose(const struct distribution *, struct prng *);
