// Printed on stdout just before the ports are opened: a line for each part's address.
#pragma once

struct settings;
struct system;

// For `up`, with commands to try first.
void start_box_print(const struct system *, const struct settings *);

// For a role run on its own.
void start_line_print(const struct system *, const struct settings *);
