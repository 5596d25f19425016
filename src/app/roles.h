// Private to app: the table of roles, and the roles of a process. Control loop only.
#pragma once

#include <stddef.h>

#include "app/settings.h"
#include "system_part.h"

struct http_asset;
struct http_route;
struct reader;
struct runtime;

// Zero-initialise.
struct roles {
    struct statistics *statistics;
    struct manager *manager;
    struct comment_api *comment;
    struct reader *readers[READERS_MAX];
    size_t reader_count;
};

// Arguments of role.make().
struct role_context {
    struct runtime *runtime;
    struct system_part *part;
    const char *statistics_url; // where it reports; NULL: it does not
    const char *manager_url;
};

struct role {
    enum command command;
    const char *name;
    const char *flag; // of its port in `up`
    size_t port;      // its offset in the settings; 0: readers have a list
    const struct http_route *const *tables;
    const struct http_asset *assets; // NULL: none
    // Returns the role, which begins with its struct service.
    void *(*make)(struct roles *, const struct role_context *);
};

// In the order of starting: a role comes after the one that it reports to. Ended by a row without a name.
extern const struct role role_table[];

void roles_stop(struct roles *); // ends all streams
void roles_free(struct roles *); // after everything that may call them back is closed
