// Private to app: the parts of a process that listen, each on a port of its own. Control loop only.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "app/settings.h"
#include "system_part.h"

struct http_server;
struct http_site;
struct runtime;
struct service;

enum { PARTS_MAX = READERS_MAX + 3 };

// Zero-initialise.
struct parts {
    struct system_part part[PARTS_MAX];
    struct http_server *server[PARTS_MAX];
    size_t count;
};

// Binds a port, and names the part; parts_open() opens the port. `flag`: the option that sets the port. On
// failure returns NULL, with a sentence written by runtime_fail().
struct system_part *parts_bind(struct parts *, struct runtime *, const char *name, const char *flag,
                               int64_t port, const struct http_site *);

// Sets the service of the last part, which is the argument of its routes.
void parts_serve(struct parts *, struct service *);

void parts_open(struct parts *);
void parts_release(struct parts *); // closes ports and connections

// Returns the URL of a part, or NULL if there is none of that name.
const char *parts_url(const struct parts *, const char *name);
