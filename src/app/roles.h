// Private to app: the roles as a table, and those that a process has. Control loop only.
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

// What a role is made from.
struct role_context {
    struct runtime *runtime;
    struct system_part *part;
    const char *statistics_url; // where it reports to; NULL: nowhere
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

// In the order of starting: a part comes after the part that it reports to. Ended by a row without a name.
extern const struct role role_table[];

void roles_stop(struct roles *); // ends all streams
void roles_free(struct roles *); // comes after what may call them back is closed
