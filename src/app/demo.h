// `up --demo`: simulated clients inside the process, as many as `chorus clients` has without options, which
// talk as people do. They use HTTP like any other client. Control loop only.
#pragma once

struct demo;
struct settings;
struct system;

struct demo *demo_start(struct system *, const struct settings *);

void demo_set_token(struct demo *, const char *token);

// To be called before the system is freed. NULL is fine.
void demo_free(struct demo *);
