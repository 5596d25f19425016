// How often each of `count` things is chosen: all alike, or by Zipf's law, where number k (from 0) has the
// weight 1 / (k + 1)^s. Reading is thread-safe; the chance is the caller's.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/prng.h"

enum distribution_kind { DISTRIBUTION_UNIFORM, DISTRIBUTION_ZIPF };

struct distribution_spec {
    enum distribution_kind kind;
    double exponent; // of Zipf's law, 0 to 10
};

// Reads `uniform`, `zipf:S` or `zipf` (which is zipf:1). Returns false if it is none of them.
bool distribution_parse(const char *text, struct distribution_spec *);

struct distribution;

// Zipf's law takes 8 bytes for each thing. count > 0. Free with distribution_free().
struct distribution *distribution_new(struct distribution_spec, size_t count);
void distribution_free(struct distribution *);

// Returns 0 to count - 1.
size_t distribution_choose(const struct distribution *, struct prng *);
