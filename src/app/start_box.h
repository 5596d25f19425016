// What a process says on stdout when it is about to open its ports: a line for each of its addresses.
#pragma once

struct settings;
struct system;

// Of `up`: with what to try first.
void start_box_print(const struct system *, const struct settings *);

// Of a role on its own.
void start_line_print(const struct system *, const struct settings *);
