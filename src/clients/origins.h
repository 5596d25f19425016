// The readers that viewers connect to; each is stored once, however many viewers use it. At most ORIGINS_MAX.
// Control loop only.
#pragma once

#include <stddef.h>

#include "base/uthash.h"
#include "http/url.h"

enum { ORIGINS_MAX = 1000 };

struct origin {
    UT_hash_handle hh;
    struct http_url url; // its host and port; no path
    char text[];         // http://host:port, as received
};

struct origins {
    struct origin *by_text;
};

// Returns the origin of a URL, and its path (borrowed from `url`, "" if there is none). Returns NULL if it is
// not an http URL, or there are too many origins.
struct origin *origins_get(struct origins *, const char *url, const char **path);

void origins_release(struct origins *);
