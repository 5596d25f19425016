// `up --demo`: simulated clients inside the process itself, as `chorus clients` without options has them.
// They use HTTP like any other client. Control loop only.
#pragma once

struct demo;
struct settings;
struct system;

struct demo *demo_start(struct system *, const struct settings *);

// Call it before the system is freed. NULL is fine.
void demo_free(struct demo *);
