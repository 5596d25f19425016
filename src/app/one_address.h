// Private to app: the comment port of `up`, which serves what all parts of the process serve, so that one
// proxy line and one certificate are enough:
//
//     the page, POST /comment, /register, /resolve, GET /statistics, /videos    for everyone
//     /connect              in place: by the reader that owns the video, else by any; never a redirect
//     /reader-1/...         what that reader serves at a port of its own, with /connect in place
//     /dashboard, /events, /demo, the reports    for operators and services only, however the request comes
//
// Control loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "app/settings.h"
#include "http/router.h"
#include "reader/reader_front.h"
#include "service/fields.h"

struct role;

enum one_address_mount {
    MOUNT_DOCUMENTS, // of statistics: GET /statistics and /videos, before those that ask it over HTTP
    MOUNT_PLACEMENT, // of the manager, which counts registrations
    MOUNT_COMMENT,
    MOUNT_CONNECT,
    MOUNT_INNER, // of statistics
    MOUNT_READERS,
    MOUNTS_MAX = MOUNT_READERS + 2 * READERS_MAX + 1
};

struct one_address {
    struct reader_front front;
    struct http_mount mounts[MOUNTS_MAX];
    char prefixes[READERS_MAX][ID_MAX + 2];
};

// `readers`: those of the process, by number; borrowed. Parts are absent until they are added.
void one_address_init(struct one_address *, struct reader **readers, bool demo);

// Adds a role, or a reader that replaces one that was removed. `name`: of a reader, its path.
void one_address_add(struct one_address *, const struct role *, void *arg, size_t number, const char *name);

// Removes a reader that is killed.
void one_address_remove_reader(struct one_address *, size_t number);
