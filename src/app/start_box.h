// Printed on stdout just before the ports are opened: a line for each part's address.
#pragma once

#include <stdbool.h>

#include "app/settings.h"

struct system;

// For `up`, with what to try first. `quiet`: log lines are left out.
void start_box_print(const struct system *, const struct settings *, bool quiet);

// For a role run on its own.
void start_line_print(const struct system *, const struct settings *, enum command);
