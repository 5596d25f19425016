// Private to app: the parts of a process, each on a port of its own, or with --single-port all on one.
// Control loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/settings.h"
#include "system_part.h"

struct http_mount;
struct http_server;
struct runtime;
struct service;

enum { PARTS_MAX = READERS_MAX + 3 };

// Zero-initialise.
struct parts {
    struct system_part part[PARTS_MAX];
    struct http_server *server[PARTS_MAX]; // NULL: killed, or it has no port of its own
    int port[PARTS_MAX];
    size_t count;
    struct http_server *admin; // NULL: none
};

// Binds a port, and names the part; parts_open() opens the port. `flag`: the option that sets the port. The
// mounts are borrowed. On failure returns NULL, with a sentence written by runtime_fail().
struct system_part *parts_bind(struct parts *, struct runtime *, const char *name, const char *flag,
                               int64_t port, const struct http_mount *);

// Adds a part that is served at the port of another one.
struct system_part *parts_share(struct parts *, const struct runtime *, const char *name,
                                const struct system_part *at);

// Gives the service of a part the counters of its server.
void parts_serve(struct parts *, const struct system_part *, struct service *);

// Listens at the further addresses of the settings for a part. Return false, with a sentence written by
// runtime_fail().
bool parts_listen(struct parts *, struct runtime *, const struct system_part *);

// Binds the port for operators, if the settings have one.
bool parts_bind_admin(struct parts *, struct runtime *, const struct http_mount *);

void parts_open(struct parts *);

// Gives the servers the limits of the settings.
void parts_configure(struct parts *, const struct settings *);

// Closes the port of a part, if it has one, and resets its connections, as if its process had died.
void parts_kill(struct parts *, const struct system_part *);

// Binds the port of a part that was killed, if it has one. Returns 0 or a negative errno. parts_serve() and
// parts_reopen() follow.
int parts_rebind(struct parts *, const struct runtime *, const struct system_part *,
                 const struct http_mount *);
void parts_reopen(struct parts *, const struct system_part *);

void parts_release(struct parts *); // closes ports and connections

// Returns the URL of a part, or NULL if there is none of that name.
const char *parts_url(const struct parts *, const char *name);
