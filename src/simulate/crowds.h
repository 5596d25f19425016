// Videos counted by how many viewers they have: the original simulation's six classes, and one for none.
#pragma once

#include <stdint.h>

struct audience;

enum { CROWDS = 7 };

struct crowd {
    const char *name;
    uint64_t most; // viewers of a video in this class
};

extern const struct crowd crowds[CROWDS];

void crowds_count(const struct audience *, uint64_t videos[CROWDS]);
