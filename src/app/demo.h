// `up --demo`: simulated clients inside the process itself, as `chorus clients` without options has them.
// They go through HTTP like anybody else. Control loop only.
#pragma once

struct demo;
struct settings;
struct system;

struct demo *demo_start(struct system *, const struct settings *);

// Before the system goes. NULL is fine.
void demo_free(struct demo *);
