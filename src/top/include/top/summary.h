// The figures of a dashboard that matter most, in one line. Pure.
#pragma once

#include <stdbool.h>

struct buf;
struct screen;

// Adds the line, cut to so many columns, without an end. Returns how many columns it takes up.
unsigned summary_write(const struct screen *, unsigned columns, bool colour, struct buf *out);
