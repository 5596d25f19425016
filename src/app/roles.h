// Private to app: the table of roles, and the roles of a process. Control loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "app/settings.h"
#include "system_part.h"

struct http_asset;
struct http_route;
struct reader;
struct runtime;
struct statistics_demo;

// Zero-initialise.
struct roles {
    struct statistics *statistics;
    struct manager *manager;
    struct comment_api *comment;
    struct archive *archive;
    struct reader *readers[READERS_MAX]; // NULL: killed
    size_t reader_count;
    struct dead_reader *dead; // the engine or workers may still refer to them
};

// Arguments of role.make().
struct role_context {
    struct runtime *runtime;
    struct system_part *part;
    size_t number;              // of a reader, from 0
    const char *statistics_url; // where it reports; NULL: it does not
    const char *manager_url;
    const char *address; // of the whole process, with --single-port; NULL: parts have ports of their own
    const struct statistics_demo *demo; // what the dashboard of a demo commands; NULL: none
};

struct role {
    enum command command;
    const char *name;
    const char *flag; // of its port in `up`; NULL: no part of it
    size_t port;      // its offset in the settings; 0: readers have a list
    const struct http_route *const *tables;
    const struct http_route *const *demo_tables; // with --demo; NULL: the same
    const struct http_asset *assets;             // NULL: none
    bool files_by_name; // of a path with a file and a route, the route is the default (http/router.h)
    // Returns the role, which begins with its struct service.
    void *(*make)(struct roles *, const struct role_context *);
};

// In the order of starting: a role comes after the one that it reports to. Ended by a row without a name.
extern const struct role role_table[];

// Ends a reader as kill -9 ends a process; `make` makes another one under its number.
void roles_kill_reader(struct roles *, size_t number);

// Frees readers that were killed and that nothing refers to any more.
void roles_bury(struct roles *);

// Gives the roles what can change of the settings while they run.
void roles_configure(struct roles *, const struct runtime *);

void roles_stop(struct roles *); // ends all streams

// After that, to be called until it returns true: readers report what they have not reported yet, if that is
// to another process.
bool roles_take_leave(struct roles *);
void roles_free(struct roles *); // after everything that may call them back is closed
