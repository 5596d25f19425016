// `up --demo`: readers that the dashboard kills, each of which is started again some seconds later. Control
// loop only.
#pragma once

struct outages;
struct settings;
struct statistics_demo;
struct system;

struct outages *outages_new(const struct settings *);

// The commands of the dashboard, for system_start(). Borrowed.
const struct statistics_demo *outages_commands(const struct outages *);

// The system that they are about. To be called before it runs.
void outages_set_system(struct outages *, struct system *);

// Changes how long a reader stays away that is killed from now on.
void outages_set_restart(struct outages *, int restart_ms);

// Stops timers: to be called before the system is freed; outages_free() afterwards. NULL is fine for both.
void outages_stop(struct outages *);
void outages_free(struct outages *);
