// What a process prints on stdout just before it opens its ports: a line for each of its addresses.
#pragma once

struct settings;
struct system;

// For `up`: with commands to try first.
void start_box_print(const struct system *, const struct settings *);

// For a role run on its own.
void start_line_print(const struct system *, const struct settings *);
