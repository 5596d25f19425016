// Private to simulate: the figures of the JSON report and of the page.
#pragma once

#include <jansson.h>

struct simulation;

enum { FIGURE_DIGITS = 12 }; // of real numbers

// Returns them as a new reference.
json_t *simulation_figures(const struct simulation *);
