// The readers that viewers were sent to, each kept once however many viewers it has. At most ORIGINS_MAX.
// Control loop only.
#pragma once

#include <stddef.h>

#include "base/uthash.h"
#include "http/url.h"

enum { ORIGINS_MAX = 1000 };

struct origin {
    UT_hash_handle hh;
    struct http_url url; // its host and port; no path
    char text[];         // http://host:port, as it was given
};

struct origins {
    struct origin *by_text;
};

// Returns the origin of a URL, and the path within it (borrowed from `url`, "" if there is none). NULL if it
// is no URL of ours to follow, or there are too many.
struct origin *origins_get(struct origins *, const char *url, const char **path);

void origins_release(struct origins *);
